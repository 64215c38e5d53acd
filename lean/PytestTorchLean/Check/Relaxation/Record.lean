prelude
import PytestTorchLean.Check.Relaxation.Walk
import PytestTorchLean.Check.Split
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

theorem quotient_le {c d shift scale : Nat} {y : K} (hs : 0 < scale) (h : natural c + natural shift ≤ natural scale * y + natural d) (h0 : 0 ≤ y) :
    natural ((c + shift - d) / scale) ≤ y := by
  cases Nat.le_total d (c + shift) with
  | inl t => exact Rows.divide_lower hs t h
  | inr t =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le t
    rw [hk, Vector.sub_zero_of]
    have z : 0 / scale = 0 := Natural.div_eq_zero hs
    rw [z]; exact h0

/-! ### Gathering -/

/-- Goal after goal, in increasing order: what is proved of the goal goes to its slot's place, in `low` or in `high`. -/
def gather (s : Scale) (size scale shift : Nat) (R : Nat) : Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun _ _ _ _ low high next => next low high)
    (fun _ rest least goals gain loss low high next => force (fun goal => both (Nat.ble least goal)
        (force (fun v => force (fun low' => force (fun high' =>
            rest (Nat.succ goal) (Nat.shiftRight goals 32) (Nat.shiftRight gain size) (Nat.shiftRight loss size) low' high' next)
          (Nat.add high (Nat.mul (Nat.pow 2 (Nat.mul s.stride (Nat.shiftRight goal 1))) (Nat.mul v (Nat.land goal 1)))))
          (Nat.add low (Nat.mul (Nat.pow 2 (Nat.mul s.stride (Nat.shiftRight goal 1))) (Nat.mul v (Nat.sub 1 (Nat.land goal 1))))))
          (Nat.div (Nat.sub (Nat.add (Nat.land gain (Nat.sub (Nat.pow 2 size) 1)) shift) (Nat.land loss (Nat.sub (Nat.pow 2 size) 1))) scale)))
      (Nat.land goals (Nat.sub (Nat.pow 2 32) 1))) R

theorem gather_succ (s : Scale) (size scale shift R least goals gain loss low high : Nat) (next : Nat → Nat → Bool) :
    gather s size scale shift (R + 1) least goals gain loss low high next = both (Nat.ble least (word goals 0))
      (gather s size scale shift R (word goals 0 + 1) (Nat.shiftRight goals 32) (Nat.shiftRight gain size) (Nat.shiftRight loss size)
        (low + 2 ^ (s.stride * (word goals 0 / 2)) * ((Nat.land gain (2 ^ size - 1) + shift - Nat.land loss (2 ^ size - 1)) / scale * (1 - Nat.land (word goals 0) 1)))
        (high + 2 ^ (s.stride * (word goals 0 / 2)) * ((Nat.land gain (2 ^ size - 1) + shift - Nat.land loss (2 ^ size - 1)) / scale * Nat.land (word goals 0) 1)) next) := by
  rw [← word_zero]
  unfold gather
  simp only [force_eq]
  rfl

/-- What the vectors say of the slots; there is room for goals from `least` on. -/
def Gathered (s : Scale) (slots : Nat → K) (start n least : Nat) (L H : Nat → Nat) : Prop :=
  ∀ j, j < n → natural (L j) ≤ s.image (slots (start + j)) ∧ natural (H j) ≤ natural s.center + -(natural s.unit * slots (start + j)) ∧
    (least ≤ 2 * j → L j = 0) ∧ (least ≤ 2 * j + 1 → H j = 0)

theorem gather_sound {s : Scale} {slots : Nat → K} {size start n scale : Nat} (hs : 0 < scale)
    (inside : ∀ j, j < n → 0 ≤ s.image (slots (start + j)) ∧ 0 ≤ (natural s.center + -(natural s.unit * slots (start + j)) : K)) :
    (R least goals : Nat) → (c d L H : Nat → Nat) → (next : Nat → Nat → Bool) →
    (∀ r, r < R → c r < 2 ^ size ∧ d r < 2 ^ size ∧ word goals r / 2 < n ∧
      natural (c r) ≤ natural scale * goalOf (values s slots start) goals r + natural (d r)) →
    Gathered s slots start n least L H →
    gather s size scale (scale * s.center) R least goals (pack size R c) (pack size R d) (pack s.stride n L) (pack s.stride n H) next = true →
    ∃ least' L' H', Gathered s slots start n least' L' H' ∧ next (pack s.stride n L') (pack s.stride n H') = true := by
  intro R
  induction R with
  | zero =>
    intro least _ _ _ L H _ _ hg h
    exact ⟨least, L, H, hg, h⟩
  | succ R smaller =>
    intro least goals c d L H next hr hg h
    obtain ⟨c0, d0, hj, bound⟩ := hr 0 (Nat.succ_le_succ (Nat.zero_le R))
    rw [gather_succ, land_pack_succ c0, land_pack_succ d0, shift_pack_succ c0, shift_pack_succ d0] at h
    obtain ⟨h1, h⟩ := both_true h
    have h1 : least ≤ word goals 0 := Nat.le_of_ble_eq_true h1
    have later : ∀ r, r < R → c (r + 1) < 2 ^ size ∧ d (r + 1) < 2 ^ size ∧ word (Nat.shiftRight goals 32) r / 2 < n ∧
        natural (c (r + 1)) ≤ natural scale * goalOf (values s slots start) (Nat.shiftRight goals 32) r + (natural (d (r + 1)) : K) := fun r hr' => by
      have g := hr (r + 1) (Nat.succ_le_succ hr')
      have e : (goalOf (values s slots start) (Nat.shiftRight goals 32) r : K) = goalOf (values s slots start) goals (r + 1) := by
        unfold goalOf
        rw [word_succ]
      rw [e, word_succ]
      exact g
    have whole : Nat.land (word goals 0) 1 + 2 * (word goals 0 / 2) = word goals 0 := by
      have e : Nat.land (word goals 0) 1 = word goals 0 % 2 ^ 1 := land_low _ 1
      rw [e]; exact Natural.mod_add_div (Nat.succ_le_succ (Nat.zero_le 1)) _
    have known : ∃ j, word goals 0 / 2 = j := ⟨_, rfl⟩
    obtain ⟨j, back⟩ := known
    unfold goalOf at bound
    rw [back] at hj h whole bound
    obtain ⟨i1, i2⟩ := inside j hj
    cases parity (word goals 0) with
    | inl e =>
      rw [e] at h bound whole
      rw [Nat.zero_add] at whole
      have bound : natural (c 0) ≤ natural scale * (natural s.unit * slots (start + j)) + natural (d 0) := bound
      have value : natural ((c 0 + scale * s.center - d 0) / scale) ≤ s.image (slots (start + j)) := by
        refine quotient_le hs ?_ i1
        rw [natural_mul]
        unfold Scale.image
        refine le_cert ?_ (sub_nonneg bound)
        exact (ring5 K s x m c d, s * (x + m) + d - (c + s * m), s * x + d - c) _ _ _ _ _
      have place : pack s.stride n L + 2 ^ (s.stride * j) * ((c 0 + scale * s.center - d 0) / scale) = pack s.stride n (Split.updated L j ((c 0 + scale * s.center - d 0) / scale)) := by
        rw [Split.pack_updated _ n j L hj, (hg j hj).2.2.1 (by rw [whole]; exact h1), Nat.mul_zero, Nat.add_zero]
      have z1 : 1 - 0 = 1 := rfl
      rw [z1, Nat.mul_one, Nat.mul_zero, Nat.mul_zero, Nat.add_zero, place] at h
      refine smaller (word goals 0 + 1) (Nat.shiftRight goals 32) (fun r => c (r + 1)) (fun r => d (r + 1)) _ H next later (fun i hi => ?_) h
      obtain ⟨g1, g2, g3, g4⟩ := hg i hi
      refine ⟨?_, g2, fun le => ?_, fun le => g4 (Nat.le_trans (Nat.le_trans h1 (Nat.le_add_right _ 1)) le)⟩
      · cases same : Nat.beq i j with
        | true =>
          have same := Nat.eq_of_beq_eq_true same
          subst same
          rw [Split.updated_same]; exact value
        | false =>
          rw [Split.updated_other L (fun z => by rw [z, Nat.beq_refl] at same; exact Bool.noConf_tf same)]; exact g1
      · have other : i ≠ j := fun z => by
          rw [z, ← whole] at le
          exact absurd le (Nat.not_succ_le_self _)
        rw [Split.updated_other L other]
        exact g3 (Nat.le_trans (Nat.le_trans h1 (Nat.le_add_right _ 1)) le)
    | inr e =>
      rw [e] at h bound whole
      have bound : natural (c 0) ≤ natural scale * -(natural s.unit * slots (start + j)) + natural (d 0) := bound
      have value : natural ((c 0 + scale * s.center - d 0) / scale) ≤ (natural s.center + -(natural s.unit * slots (start + j)) : K) := by
        refine quotient_le hs ?_ i2
        rw [natural_mul]
        refine le_cert ?_ (sub_nonneg bound)
        exact (ring5 K s x m c d, s * (m + -x) + d - (c + s * m), s * -x + d - c) _ _ _ _ _
      have order : 2 * j + 1 = word goals 0 := by rw [Nat.add_comm]; exact whole
      have place : pack s.stride n H + 2 ^ (s.stride * j) * ((c 0 + scale * s.center - d 0) / scale) = pack s.stride n (Split.updated H j ((c 0 + scale * s.center - d 0) / scale)) := by
        rw [Split.pack_updated _ n j H hj, (hg j hj).2.2.2 (by rw [order]; exact h1), Nat.mul_zero, Nat.add_zero]
      rw [Nat.sub_self, Nat.mul_one, Nat.mul_zero, Nat.mul_zero, Nat.add_zero, place] at h
      refine smaller (word goals 0 + 1) (Nat.shiftRight goals 32) (fun r => c (r + 1)) (fun r => d (r + 1)) L _ next later (fun i hi => ?_) h
      obtain ⟨g1, g2, g3, g4⟩ := hg i hi
      refine ⟨g1, ?_, fun le => g3 (Nat.le_trans (Nat.le_trans h1 (Nat.le_add_right _ 1)) le), fun le => ?_⟩
      · cases same : Nat.beq i j with
        | true =>
          have same := Nat.eq_of_beq_eq_true same
          subst same
          rw [Split.updated_same]; exact value
        | false =>
          rw [Split.updated_other H (fun z => by rw [z, Nat.beq_refl] at same; exact Bool.noConf_tf same)]; exact g2
      · have other : i ≠ j := fun z => by
          rw [z, ← order] at le
          exact absurd le (Nat.not_succ_le_self _)
        rw [Split.updated_other H other]
        exact g4 (Nat.le_trans (Nat.le_trans h1 (Nat.le_add_right _ 1)) le)

/-! ### Into the memory -/

/-- The memory, which ends with the `n` slots from `start` on, with the tighter of its own bounds and those given. -/
def merge (s : Scale) (start n low high direct mirrored : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun l => force (fun m => force (fun tops => force (fun below =>
      force (fun direct' => force (fun mirrored' => next direct' mirrored')
        (Nat.add (Nat.land mirrored below) (Nat.mul (Nat.pow 2 (Nat.mul s.stride start)) (Nat.add m (Nat.mul (Nat.pow 2 s.half) (Nat.sub tops l))))))
        (Nat.add (Nat.land direct below) (Nat.mul (Nat.pow 2 (Nat.mul s.stride start)) (Nat.add l (Nat.mul (Nat.pow 2 s.half) (Nat.sub tops m))))))
    (Nat.sub (Nat.pow 2 (Nat.mul s.stride start)) 1)) (Nat.mul s.top (ones s.stride n)))
    (force (fun m => Nat.add m (Vector.difference s.stride n s.half high m)) (lows s mirrored start n)))
    (force (fun l => Nat.add l (Vector.difference s.stride n s.half low l)) (lows s direct start n))

theorem larger (a b : Nat) : a + (b - a) = a ∨ a + (b - a) = b := by
  cases Nat.le_total a b with
  | inl h => exact Or.inr (by rw [Nat.add_comm]; exact Natural.sub_add_cancel h)
  | inr h => exact Or.inl (by rw [Nat.sub_eq_zero_of_le h]; rfl)

/-- The first slots of a memory. -/
theorem first_holds {s : Scale} {slots : Nat → K} {direct mirrored start n : Nat} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots (start + n)) :
    (Memory.mk (Nat.land direct (2 ^ (s.stride * start) - 1)) (Nat.land mirrored (2 ^ (s.stride * start) - 1))).Holds s slots start := by
  obtain ⟨l, u, hd, hmm, hw⟩ := hm
  have hd : direct = pack s.stride (start + n) (fun i => Memory.directWord s (l i) (u i)) := hd
  have hmm : mirrored = pack s.stride (start + n) (fun i => Memory.mirroredWord s (l i) (u i)) := hmm
  have lt : ∀ i, i < start → i < start + n := fun i hi => Nat.le_trans hi (Nat.le_add_right _ _)
  refine ⟨l, u, ?_, ?_, fun i hi => hw i (lt i hi)⟩
  · rw [hd]
    exact land_pack_append fun i hi => (Memory.word_lt sf (hw i (lt i hi)).1 (hw i (lt i hi)).2.1).1
  · rw [hmm]
    exact land_pack_append fun i hi => (Memory.word_lt sf (hw i (lt i hi)).1 (hw i (lt i hi)).2.1).2

theorem words_packed (b n h : Nat) (a c : Nat → Nat) : pack b n a + 2 ^ h * pack b n c = pack b n fun j => a j + 2 ^ h * c j := by
  rw [← pack_mul, ← pack_add]

theorem merge_sound {s : Scale} {slots : Nat → K} {direct mirrored start n least : Nat} {L H : Nat → Nat} {next : Nat → Nat → Bool} (half : 0 < s.half) (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots (start + n)) (hg : Gathered s slots start n least L H)
    (h : merge s start n (pack s.stride n L) (pack s.stride n H) direct mirrored next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + n) ∧ next direct' mirrored' = true := by
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
  have s1 : (pack s.stride n l).add (pack s.stride n fun j => L j - l j) = pack s.stride n fun j => l j + (L j - l j) := (pack_add _ _ _ _).symm
  have s2 : (pack s.stride n m).add (pack s.stride n fun j => H j - m j) = pack s.stride n fun j => m j + (H j - m j) := (pack_add _ _ _ _).symm
  have t : Nat.mul s.top (ones s.stride n) = pack s.stride n fun _ => s.top := mul_ones stride n s.top
  rw [e1, e2, d1, d2, s1, s2, t] at h
  have bounds : ∀ j, j < n → l j + (L j - l j) ≤ s.top ∧ m j + (H j - m j) ≤ s.top ∧ natural (l j + (L j - l j)) ≤ s.image (slots (start + j)) ∧
      natural s.unit * slots (start + j) + (natural (m j + (H j - m j)) : K) ≤ natural s.center := fun j hj => by
    obtain ⟨v1, v2, v3, v4⟩ := hv j hj
    obtain ⟨g1, g2, _, _⟩ := hg j hj
    have low : l j + (L j - l j) ≤ s.top ∧ natural (l j + (L j - l j)) ≤ s.image (slots (start + j)) := by
      cases larger (l j) (L j) with
      | inl e => rw [e]; exact ⟨v1, v3⟩
      | inr e => rw [e]; exact ⟨Ltop j hj, g1⟩
    have high : m j + (H j - m j) ≤ s.top ∧ natural s.unit * slots (start + j) + (natural (m j + (H j - m j)) : K) ≤ natural s.center := by
      cases larger (m j) (H j) with
      | inl e => rw [e]; exact ⟨v2, v4⟩
      | inr e =>
        rw [e]
        refine ⟨Htop j hj, le_cert ?_ (sub_nonneg g2)⟩
        exact (ring3 K x v c, c - (x + v), c + -x - v) _ _ _
    exact ⟨low.1, high.1, low.2, high.2⟩
  have tail : (Memory.mk (pack s.stride n (fun j => l j + (L j - l j)) + 2 ^ s.half * (pack s.stride n (fun _ => s.top) - pack s.stride n fun j => m j + (H j - m j)))
      (pack s.stride n (fun j => m j + (H j - m j)) + 2 ^ s.half * (pack s.stride n (fun _ => s.top) - pack s.stride n fun j => l j + (L j - l j)))).Holds s
      (fun i => slots (start + i)) n := by
    refine ⟨fun j => l j + (L j - l j), fun j => s.top - (m j + (H j - m j)), ?_, ?_, fun j hj => ?_⟩
    · show pack s.stride n _ + 2 ^ s.half * (_ - _) = pack s.stride n fun j => (l j + (L j - l j)) + 2 ^ s.half * (s.top - (m j + (H j - m j)))
      rw [← pack_sub fun j hj => (bounds j hj).2.1]
      exact words_packed _ _ _ _ _
    · show pack s.stride n _ + 2 ^ s.half * (_ - _) = pack s.stride n fun j => (s.top - (s.top - (m j + (H j - m j)))) + 2 ^ s.half * (s.top - (l j + (L j - l j)))
      rw [← pack_sub fun j hj => (bounds j hj).1]
      refine (words_packed _ _ _ _ _).trans (pack_congr fun j hj => congrArg (fun y => y + 2 ^ s.half * (s.top - (l j + (L j - l j)))) ?_)
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
theorem later_holds {s : Scale} {slots : Nat → K} {direct mirrored start n : Nat} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots (start + n)) :
    (Memory.mk (Nat.shiftRight direct (s.stride * start)) (Nat.shiftRight mirrored (s.stride * start))).Holds s (fun i => slots (start + i)) n := by
  obtain ⟨l, u, hd, hmm, hw⟩ := hm
  have hd : direct = pack s.stride (start + n) (fun i => Memory.directWord s (l i) (u i)) := hd
  have hmm : mirrored = pack s.stride (start + n) (fun i => Memory.mirroredWord s (l i) (u i)) := hmm
  have lt : ∀ i, i < start → i < start + n := fun i hi => Nat.le_trans hi (Nat.le_add_right _ _)
  refine ⟨fun i => l (start + i), fun i => u (start + i), ?_, ?_, fun i hi => hw (start + i) (Nat.add_le_add (Nat.le.refl (n := start)) hi)⟩
  · show Nat.shiftRight direct (s.stride * start) = _
    rw [hd]
    exact shift_pack_append fun i hi => (Memory.word_lt sf (hw i (lt i hi)).1 (hw i (lt i hi)).2.1).1
  · show Nat.shiftRight mirrored (s.stride * start) = _
    rw [hmm]
    exact shift_pack_append fun i hi => (Memory.word_lt sf (hw i (lt i hi)).1 (hw i (lt i hi)).2.1).2

/-- What a relaxation proves of its goals, put into the memory. -/
def record (s : Scale) (size start n scale shift R goals gain loss direct mirrored : Nat) (next : Nat → Nat → Bool) : Bool :=
  gather s size scale shift R 0 goals gain loss 0 0 fun low high => merge s start n low high direct mirrored next

theorem record_sound {s : Scale} {slots : Nat → K} {size start n scale R goals direct mirrored : Nat} {c d : Nat → Nat} {next : Nat → Nat → Bool} (half : 0 < s.half)
    (sf : s.Fits) (hs : 0 < scale)
    (hr : ∀ r, r < R → c r < 2 ^ size ∧ d r < 2 ^ size ∧ word goals r / 2 < n ∧
      natural (c r) ≤ natural scale * goalOf (values s slots start) goals r + natural (d r))
    (hm : (Memory.mk direct mirrored).Holds s slots (start + n))
    (h : record s size start n scale (scale * s.center) R goals (pack size R c) (pack size R d) direct mirrored next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + n) ∧ next direct' mirrored' = true := by
  unfold record at h
  have zero : 0 = pack s.stride n fun _ => 0 := (pack_zero _ _).symm
  obtain ⟨l, m, _, _, hv⟩ := lows_hold half sf Nat.le.refl hm
  have inside : ∀ j, j < n → 0 ≤ s.image (slots (start + j)) ∧ 0 ≤ (natural s.center + -(natural s.unit * slots (start + j)) : K) := fun j hj => by
    obtain ⟨_, _, v3, v4⟩ := hv j hj
    refine ⟨le_trans (natural_nonneg _) v3, ?_⟩
    refine le_cert ?_ (add_nonneg (natural_nonneg (K := K) (m j)) (sub_nonneg v4))
    exact (ring3 K x v c, c + -x - 0, v + (c - (x + v))) _ _ _
  have h : gather s size scale (scale * s.center) R 0 goals (pack size R c) (pack size R d) (pack s.stride n fun _ => 0) (pack s.stride n fun _ => 0)
      (fun low high => merge s start n low high direct mirrored next) = true := by rw [← zero]; exact h
  obtain ⟨least, L, H, hg, h⟩ := gather_sound hs inside R 0 goals c d (fun _ => 0) (fun _ => 0) _ hr
    (fun j hj => ⟨(inside j hj).1, (inside j hj).2, fun _ => rfl, fun _ => rfl⟩) h
  exact merge_sound half sf hm hg h


/-- `record` where the goals' run, which ends at slot `last`, may be followed by other slots, which stay as they are. -/
def recordWithin (s : Scale) (last size start n scale shift R goals gain loss direct mirrored : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun below => force (fun later => force (fun later' =>
      record s size start n scale shift R goals gain loss (Nat.land direct below) (Nat.land mirrored below) fun direct' mirrored' =>
        force (fun direct'' => force (fun mirrored'' => next direct'' mirrored'')
          (Nat.add mirrored' (Nat.mul (Nat.pow 2 (Nat.mul s.stride last)) later'))) (Nat.add direct' (Nat.mul (Nat.pow 2 (Nat.mul s.stride last)) later)))
    (Nat.shiftRight mirrored (Nat.mul s.stride last))) (Nat.shiftRight direct (Nat.mul s.stride last))) (Nat.sub (Nat.pow 2 (Nat.mul s.stride last)) 1)

theorem recordWithin_sound {s : Scale} {slots : Nat → K} {size start n more scale R goals direct mirrored : Nat} {c d : Nat → Nat} {next : Nat → Nat → Bool} (half : 0 < s.half)
    (sf : s.Fits) (hs : 0 < scale)
    (hr : ∀ r, r < R → c r < 2 ^ size ∧ d r < 2 ^ size ∧ word goals r / 2 < n ∧
      natural (c r) ≤ natural scale * goalOf (values s slots start) goals r + natural (d r))
    (hm : (Memory.mk direct mirrored).Holds s slots (start + n + more))
    (h : recordWithin s (start + n) size start n scale (scale * s.center) R goals (pack size R c) (pack size R d) direct mirrored next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + n + more) ∧ next direct' mirrored' = true := by
  unfold recordWithin at h
  simp only [force_eq] at h
  obtain ⟨direct', mirrored', h1, h2⟩ := record_sound half sf hs hr (first_holds sf hm) h
  exact ⟨_, _, Memory.append_holds h1 (later_holds sf hm), h2⟩

end Relaxation
end PytestTorchLean
