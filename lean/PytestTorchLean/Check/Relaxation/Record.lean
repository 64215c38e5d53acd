prelude
import PytestTorchLean.Check.Relaxation.GatherBounds
/-!
# New bounds of a run of slots

The bounds that a relaxation proves are gathered in two vectors, lower bounds and mirrored upper bounds of all
slots of the run. Then the memory, which ends with the run, is changed in one step.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### Into the memory -/

/-- The memory, which ends with the `n` slots from `start` on, with the tighter of its own bounds and those
    given. -/
def merge (s : Scale) (start n low high direct mirrored : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun l => force (fun m => force (fun tops => force (fun below =>
      force (fun direct' => force (fun mirrored' => next direct' mirrored')
        (Nat.add (Nat.land mirrored below)
            (Nat.mul (Nat.pow 2 (Nat.mul s.stride start))
              (Nat.add m (Nat.mul (Nat.pow 2 s.half) (Nat.sub tops l))))))
        (Nat.add (Nat.land direct below)
            (Nat.mul (Nat.pow 2 (Nat.mul s.stride start))
              (Nat.add l (Nat.mul (Nat.pow 2 s.half) (Nat.sub tops m))))))
    (Nat.sub (Nat.pow 2 (Nat.mul s.stride start)) 1)) (Nat.mul s.top (ones s.stride n)))
    (force (fun m => Nat.add m (Vector.difference s.stride n s.half high m)) (lows s mirrored start n)))
    (force (fun l => Nat.add l (Vector.difference s.stride n s.half low l)) (lows s direct start n))

theorem larger (a b : Nat) : a + (b - a) = a ∨ a + (b - a) = b := by
  cases Nat.le_total a b with
  | inl h => exact Or.inr (by rw [Nat.add_comm]; exact Natural.sub_add_cancel h)
  | inr h => exact Or.inl (by rw [Nat.sub_eq_zero_of_le h]; rfl)

/-- The first slots of a memory. -/
theorem first_holds {s : Scale} {slots : Nat → K} {direct mirrored start n : Nat} (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots (start + n)) :
    (Memory.mk (Nat.land direct (2 ^ (s.stride * start) - 1))
      (Nat.land mirrored (2 ^ (s.stride * start) - 1))).Holds s slots start := by
  obtain ⟨l, u, hd, hmm, hw⟩ := hm
  have hd : direct = pack s.stride (start + n) (fun i => Memory.directWord s (l i) (u i)) := hd
  have hmm : mirrored = pack s.stride (start + n) (fun i => Memory.mirroredWord s (l i) (u i)) := hmm
  have lt : ∀ i, i < start → i < start + n := fun i hi => Nat.le_trans hi (Nat.le_add_right _ _)
  refine ⟨l, u, ?_, ?_, fun i hi => hw i (lt i hi)⟩
  · rw [hd]
    exact land_pack_append fun i hi => (Memory.word_lt sf (hw i (lt i hi)).1 (hw i (lt i hi)).2.1).1
  · rw [hmm]
    exact land_pack_append fun i hi => (Memory.word_lt sf (hw i (lt i hi)).1 (hw i (lt i hi)).2.1).2

theorem words_packed (b n h : Nat) (a c : Nat → Nat) :
    pack b n a + 2 ^ h * pack b n c = pack b n fun j => a j + 2 ^ h * c j := by
  rw [← pack_mul, ← pack_add]

theorem merge_sound {s : Scale} {slots : Nat → K} {direct mirrored start n least : Nat} {L H : Nat → Nat}
    {next : Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots (start + n))
    (hg : Gathered s slots start n least L H)
    (h : merge s start n (pack s.stride n L) (pack s.stride n H) direct mirrored next = true) :
    ∃ direct' mirrored',
      (Memory.mk direct' mirrored').Holds s slots (start + n) ∧ next direct' mirrored' = true := by
  obtain ⟨l, m, e1, e2, hv⟩ := lows_hold half sf Nat.le.refl hm
  unfold merge at h
  simp only [force_eq] at h
  have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_left _ _)
  have room : s.half + 1 ≤ s.stride := Nat.add_le_add Nat.le.refl half
  have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
  have small : ∀ {a : Nat}, a ≤ s.top → a < 2 ^ s.half := fun h => Nat.le_trans (Nat.succ_le_succ h) sf.half
  -- neither vector exceeds the range of the memory
  have Ltop : ∀ j, j < n → L j ≤ s.top := fun j hj => Rows.natural_le_reflect (K := K) (by
    obtain ⟨_, _, _, w⟩ := hv j hj
    have z := natural_nonneg (K := K) (m j)
    have g := (hg j hj).1
    unfold Scale.image at g
    rw [top]
    refine le_cert ?_ (add_nonneg (sub_nonneg g) (add_nonneg z (sub_nonneg w)))
    exact (ring4 K x m c v, c + c - v, x + c - v + (m + (c - (x + m)))) _ _ _ _)
  have Htop : ∀ j, j < n → H j ≤ s.top := fun j hj => Rows.natural_le_reflect (K := K) (by
    obtain ⟨_, _, w, _⟩ := hv j hj
    have z := natural_nonneg (K := K) (l j)
    have g := (hg j hj).2.1
    rw [top]
    refine le_cert ?_ (add_nonneg (sub_nonneg g) (add_nonneg z (sub_nonneg w)))
    exact (ring4 K x l c v, c + c - v, c + -x - v + (l + (x + c - l))) _ _ _ _)
  have d1 : Vector.difference s.stride n s.half (pack s.stride n L) (pack s.stride n l) = _ :=
    Vector.difference_eq room (fun j hj => small (Ltop j hj)) (fun j hj => small (hv j hj).1)
  have d2 : Vector.difference s.stride n s.half (pack s.stride n H) (pack s.stride n m) = _ :=
    Vector.difference_eq room (fun j hj => small (Htop j hj)) (fun j hj => small (hv j hj).2.1)
  have s1 : (pack s.stride n l).add (pack s.stride n fun j => L j - l j) =
    pack s.stride n fun j => l j + (L j - l j) := (pack_add _ _ _ _).symm
  have s2 : (pack s.stride n m).add (pack s.stride n fun j => H j - m j) =
    pack s.stride n fun j => m j + (H j - m j) := (pack_add _ _ _ _).symm
  have t : Nat.mul s.top (ones s.stride n) = pack s.stride n fun _ => s.top := mul_ones stride n s.top
  rw [e1, e2, d1, d2, s1, s2, t] at h
  have bounds : ∀ j, j < n →
    l j + (L j - l j) ≤ s.top ∧
      m j + (H j - m j) ≤ s.top ∧
      natural (l j + (L j - l j)) ≤ s.image (slots (start + j)) ∧
      natural s.unit * slots (start + j) + (natural (m j + (H j - m j)) : K) ≤ natural s.center :=
          fun j hj => by
    obtain ⟨v1, v2, v3, v4⟩ := hv j hj
    obtain ⟨g1, g2, _, _⟩ := hg j hj
    have low : l j + (L j - l j) ≤ s.top ∧ natural (l j + (L j - l j)) ≤ s.image (slots (start + j)) := by
      cases larger (l j) (L j) with
      | inl e => rw [e]; exact ⟨v1, v3⟩
      | inr e => rw [e]; exact ⟨Ltop j hj, g1⟩
    have high : m j + (H j - m j) ≤ s.top ∧
        natural s.unit * slots (start + j) + (natural (m j + (H j - m j)) : K) ≤ natural s.center := by
      cases larger (m j) (H j) with
      | inl e => rw [e]; exact ⟨v2, v4⟩
      | inr e =>
        rw [e]
        refine ⟨Htop j hj, le_cert ?_ (sub_nonneg g2)⟩
        exact (ring3 K x v c, c - (x + v), c + -x - v) _ _ _
    exact ⟨low.1, high.1, low.2, high.2⟩
  have tail : (Memory.mk (pack s.stride n (fun j => l j + (L j - l j)) +
        2 ^ s.half * (pack s.stride n (fun _ => s.top) - pack s.stride n fun j => m j + (H j - m j)))
      (pack s.stride n (fun j => m j + (H j - m j)) +
          2 ^ s.half * (pack s.stride n (fun _ => s.top) - pack s.stride n fun j => l j + (L j - l j)))).Holds
      s
      (fun i => slots (start + i)) n := by
    refine ⟨fun j => l j + (L j - l j), fun j => s.top - (m j + (H j - m j)), ?_, ?_, fun j hj => ?_⟩
    · show pack s.stride n _ + 2 ^ s.half * (_ - _) =
        pack s.stride n fun j => (l j + (L j - l j)) + 2 ^ s.half * (s.top - (m j + (H j - m j)))
      rw [← pack_sub fun j hj => (bounds j hj).2.1]
      exact words_packed _ _ _ _ _
    · show pack s.stride n _ + 2 ^ s.half * (_ - _) =
        pack s.stride n
          fun j => (s.top - (s.top - (m j + (H j - m j)))) + 2 ^ s.half * (s.top - (l j + (L j - l j)))
      rw [← pack_sub fun j hj => (bounds j hj).1]
      refine (words_packed _ _ _ _ _).trans
        (pack_congr fun j hj => congrArg (fun y => y + 2 ^ s.half * (s.top - (l j + (L j - l j)))) ?_)
      obtain ⟨k, hk⟩ := Nat.exists_of_le (bounds j hj).2.1
      rw [hk, Natural.add_sub_cancel_left]
      generalize m j + (H j - m j) = a
      rw [Nat.add_comm]; exact (Natural.add_sub_cancel_left k a).symm
    · obtain ⟨b1, b2, b3, b4⟩ := bounds j hj
      have up : s.image (slots (start + j)) ≤ (natural (s.top - (m j + (H j - m j))) : K) := by
        rw [Linear.natural_sub b2, top]
        unfold Scale.image
        exact le_cert ((ring3 K x v c, c + c - v - (x + c), c - (x + v)) _ _ _) (sub_nonneg b4)
      exact ⟨Rows.natural_le_reflect (K := K) (le_trans b3 up), Natural.sub_le _ _, b3, up⟩
  exact ⟨_, _, Memory.append_holds (first_holds sf hm) tail, h⟩

/-- The slots of a memory behind the first ones. -/
theorem later_holds {s : Scale} {slots : Nat → K} {direct mirrored start n : Nat} (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots (start + n)) :
    (Memory.mk (Nat.shiftRight direct (s.stride * start)) (Nat.shiftRight mirrored (s.stride * start))).Holds
    s (fun i => slots (start + i)) n := by
  obtain ⟨l, u, hd, hmm, hw⟩ := hm
  have hd : direct = pack s.stride (start + n) (fun i => Memory.directWord s (l i) (u i)) := hd
  have hmm : mirrored = pack s.stride (start + n) (fun i => Memory.mirroredWord s (l i) (u i)) := hmm
  have lt : ∀ i, i < start → i < start + n := fun i hi => Nat.le_trans hi (Nat.le_add_right _ _)
  refine ⟨fun i => l (start + i), fun i => u (start + i), ?_, ?_,
      fun i hi => hw (start + i) (Nat.add_le_add (Nat.le.refl (n := start)) hi)⟩
  · show Nat.shiftRight direct (s.stride * start) = _
    rw [hd]
    exact shift_pack_append fun i hi => (Memory.word_lt sf (hw i (lt i hi)).1 (hw i (lt i hi)).2.1).1
  · show Nat.shiftRight mirrored (s.stride * start) = _
    rw [hmm]
    exact shift_pack_append fun i hi => (Memory.word_lt sf (hw i (lt i hi)).1 (hw i (lt i hi)).2.1).2

/-- What a relaxation proves of its goals, put into the memory. -/
def record (s : Scale) (size start n scale shift R goals gain loss direct mirrored : Nat)
    (next : Nat → Nat → Bool) : Bool :=
  gather s size scale shift R 0 goals gain loss 0 0
    fun low high => merge s start n low high direct mirrored next

theorem record_sound {s : Scale} {slots : Nat → K} {size start n scale R goals direct mirrored : Nat}
    {c d : Nat → Nat} {next : Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hs : 0 < scale)
    (hr : ∀ r, r < R →
      c r < 2 ^ size ∧
        d r < 2 ^ size ∧
        word goals r / 2 < n ∧
        natural (c r) ≤ natural scale * goalOf (values s slots start) goals r + natural (d r))
    (hm : (Memory.mk direct mirrored).Holds s slots (start + n))
    (h : record s size start n scale (scale * s.center) R goals (pack size R c) (pack size R d) direct
      mirrored next = true) :
    ∃ direct' mirrored',
      (Memory.mk direct' mirrored').Holds s slots (start + n) ∧ next direct' mirrored' = true := by
  unfold record at h
  have zero : 0 = pack s.stride n fun _ => 0 := (pack_zero _ _).symm
  obtain ⟨l, m, _, _, hv⟩ := lows_hold half sf Nat.le.refl hm
  have inside : ∀ j, j < n →
      0 ≤ s.image (slots (start + j)) ∧ 0 ≤ (natural s.center + -(natural s.unit * slots (start + j)) : K) :=
      fun j hj => by
    obtain ⟨_, _, v3, v4⟩ := hv j hj
    refine ⟨le_trans (natural_nonneg _) v3, ?_⟩
    refine le_cert ?_ (add_nonneg (natural_nonneg (K := K) (m j)) (sub_nonneg v4))
    exact (ring3 K x v c, c + -x - 0, v + (c - (x + v))) _ _ _
  have h : gather s size scale (scale * s.center) R 0 goals (pack size R c) (pack size R d)
        (pack s.stride n fun _ => 0) (pack s.stride n fun _ => 0)
        (fun low high => merge s start n low high direct mirrored next) = true := by rw [← zero]; exact h
  obtain ⟨least, L, H, hg, h⟩ := gather_sound hs inside R 0 goals c d (fun _ => 0) (fun _ => 0) _ hr
    (fun j hj => ⟨(inside j hj).1, (inside j hj).2, fun _ => rfl, fun _ => rfl⟩) h
  exact merge_sound half sf hm hg h

/-- `record` where the goals' run, which ends at slot `last`, may be followed by other slots, which stay as
    they are. -/
def recordWithin (s : Scale) (last size start n scale shift R goals gain loss direct mirrored : Nat)
    (next : Nat → Nat → Bool) : Bool :=
  force (fun below => force (fun later => force (fun later' =>
      record s size start n scale shift R goals gain loss (Nat.land direct below) (Nat.land mirrored below)
          fun direct' mirrored' =>
        force (fun direct'' => force (fun mirrored'' => next direct'' mirrored'')
          (Nat.add mirrored' (Nat.mul (Nat.pow 2 (Nat.mul s.stride last)) later')))
            (Nat.add direct' (Nat.mul (Nat.pow 2 (Nat.mul s.stride last)) later)))
    (Nat.shiftRight mirrored (Nat.mul s.stride last))) (Nat.shiftRight direct (Nat.mul s.stride last)))
    (Nat.sub (Nat.pow 2 (Nat.mul s.stride last)) 1)

theorem recordWithin_sound {s : Scale} {slots : Nat → K}
    {size start n more scale R goals direct mirrored : Nat} {c d : Nat → Nat} {next : Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hs : 0 < scale)
    (hr : ∀ r, r < R →
      c r < 2 ^ size ∧
        d r < 2 ^ size ∧
        word goals r / 2 < n ∧
        natural (c r) ≤ natural scale * goalOf (values s slots start) goals r + natural (d r))
    (hm : (Memory.mk direct mirrored).Holds s slots (start + n + more))
    (h : recordWithin s (start + n) size start n scale (scale * s.center) R goals (pack size R c)
      (pack size R d) direct mirrored next = true) :
    ∃ direct' mirrored',
      (Memory.mk direct' mirrored').Holds s slots (start + n + more) ∧ next direct' mirrored' = true := by
  unfold recordWithin at h
  simp only [force_eq] at h
  obtain ⟨direct', mirrored', h1, h2⟩ := record_sound half sf hs hr (first_holds sf hm) h
  exact ⟨_, _, Memory.append_holds h1 (later_holds sf hm), h2⟩
end Relaxation
end PytestTorchLean
