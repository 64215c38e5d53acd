prelude
import PytestTorchLean.Check.Relaxation.Walk
import PytestTorchLean.Check.Split
/-!
# Bounds from what a relaxation proves

The rows of a relaxation bound their goals from below. A goal is a slot's value or its opposite: the memory's
bounds of that slot are replaced where they get tighter.
-/
set_option linter.all false
universe u
namespace PytestTorchLean

/-- Linear bounds of some slots, or of the rows of a property, by backward substitution. -/
structure Relaxation where
  /-- bits of a coefficient's digit -/
  digit : Nat
  /-- digits from one row to the next -/
  width : Nat
  /-- number of goals -/
  rows : Nat
  /-- the run of slots that the goals are in -/
  start : Nat
  count : Nat
  /-- for every goal a word: twice its place in the run, plus 1 to bound it from above -/
  goals : Nat
  /-- what to do about the passed nodes, the last one first -/
  links : List Relaxation.Link

namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- The bounds of a slot, replaced where `v` is tighter: a lower bound, or (`sign` 1) the mirrored upper bound. -/
def improve (s : Scale) (slot sign v direct mirrored : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun word => force (fun l => force (fun u =>
      Nat.casesOn (motive := fun _ => Bool) sign
        (Bool.casesOn (motive := fun _ => Bool) (Nat.ble v l) (Split.set s slot direct mirrored l u v u next) (next direct mirrored))
        (fun _ => Bool.casesOn (motive := fun _ => Bool) (Nat.ble u (Nat.sub s.top v)) (Split.set s slot direct mirrored l u l (Nat.sub s.top v) next) (next direct mirrored)))
    (Nat.shiftRight word s.half)) (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1)))
    (Memory.lookup s.stride direct slot)

theorem improve_sound {s : Scale} {slots : Nat → K} {slot sign v direct mirrored memory : Nat} {next : Nat → Nat → Bool} (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory) (hs : slot < memory)
    (hv : natural v ≤ match sign with | 0 => s.image (slots slot) | _ + 1 => natural s.center + -(natural s.unit * slots slot))
    (h : improve s slot sign v direct mirrored next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots memory ∧ next direct' mirrored' = true := by
  have whole := hm
  obtain ⟨l, u, hd, hmm, hw⟩ := hm
  have hd : direct = pack s.stride memory (fun i => Memory.directWord s (l i) (u i)) := hd
  have hmm : mirrored = pack s.stride memory (fun i => Memory.mirroredWord s (l i) (u i)) := hmm
  unfold improve at h
  simp only [force_eq] at h
  obtain ⟨w1, w2, w3, w4⟩ := hw slot hs
  have small : ∀ {a : Nat}, a ≤ s.top → a < 2 ^ s.half := fun h => Nat.le_trans (Nat.succ_le_succ h) sf.half
  have word : Memory.lookup s.stride direct slot = Memory.directWord s (l slot) (u slot) := by
    rw [hd]; exact Memory.lookup_pack (fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).1) hs
  have low : Nat.land (Memory.directWord s (l slot) (u slot)) (Nat.sub (Nat.pow 2 s.half) 1) = l slot := by
    have e : Nat.land (Memory.directWord s (l slot) (u slot)) (2 ^ s.half - 1) = l slot := by
      rw [land_low]; exact Natural.add_mul_mod _ (small (Nat.le_trans w1 w2))
    exact e
  have high : Nat.shiftRight (Memory.directWord s (l slot) (u slot)) s.half = u slot :=
    Natural.add_mul_div _ (small (Nat.le_trans w1 w2))
  rw [word, low, high] at h
  cases sign with
  | zero =>
    have h : Bool.casesOn (motive := fun _ => Bool) (Nat.ble v (l slot)) (Split.set s slot direct mirrored (l slot) (u slot) v (u slot) next) (next direct mirrored) = true := h
    have hv : natural v ≤ s.image (slots slot) := hv
    cases e : Nat.ble v (l slot) with
    | true => rw [e] at h; exact ⟨direct, mirrored, whole, h⟩
    | false =>
      rw [e] at h
      exact Split.set_sound hd hmm hw hs (Rows.natural_le_reflect (le_trans hv w4)) w2 ⟨hv, w4⟩ h
  | succ sign =>
    have h : Bool.casesOn (motive := fun _ => Bool) (Nat.ble (u slot) (s.top - v)) (Split.set s slot direct mirrored (l slot) (u slot) (l slot) (s.top - v) next) (next direct mirrored) = true := h
    have hv : natural v ≤ (natural s.center + -(natural s.unit * slots slot) : K) := hv
    cases e : Nat.ble (u slot) (s.top - v) with
    | true => rw [e] at h; exact ⟨direct, mirrored, whole, h⟩
    | false =>
      rw [e] at h
      have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
      have w3' : natural (l slot) ≤ natural s.unit * slots slot + (natural s.center : K) := w3
      have lt : v ≤ s.top := Rows.natural_le_reflect (K := K) (by
        have n := natural_nonneg (K := K) (l slot)
        rw [top]
        refine le_cert ?_ (add_nonneg n (add_nonneg (sub_nonneg hv) (sub_nonneg w3')))
        exact (ring4 K l v c x, c + c - v, l + (c + -x - v + (x + c - l))) _ _ _ _)
      have up : s.image (slots slot) ≤ natural (s.top - v) := by
        rw [Linear.natural_sub lt, top]
        refine le_cert ?_ (sub_nonneg hv)
        unfold Scale.image
        exact (ring3 K v c x, c + c - v - (x + c), c + -x - v) _ _ _
      exact Split.set_sound hd hmm hw hs (Rows.natural_le_reflect (le_trans w3 up)) (Natural.sub_le _ _) ⟨w3, up⟩ h

/-- Goal after goal. -/
def record (s : Scale) (size start scale shift : Nat) (R : Nat) : Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun _ _ _ direct mirrored next => next direct mirrored)
    (fun _ rest goals gain loss direct mirrored next => force (fun slot => force (fun sign => force (fun v =>
        improve s slot sign v direct mirrored fun direct' mirrored' =>
          force (fun goals' => force (fun gain' => force (fun loss' => rest goals' gain' loss' direct' mirrored' next)
            (Nat.shiftRight loss size)) (Nat.shiftRight gain size)) (Nat.shiftRight goals 32))
      (Nat.div (Nat.sub (Nat.add (Nat.land gain (Nat.sub (Nat.pow 2 size) 1)) shift) (Nat.land loss (Nat.sub (Nat.pow 2 size) 1))) scale))
      (Nat.land goals 1)) (Nat.add start (Nat.shiftRight (Nat.land goals (Nat.sub (Nat.pow 2 32) 1)) 1))) R

theorem record_succ (s : Scale) (size start scale shift R goals gain loss direct mirrored : Nat) (next : Nat → Nat → Bool) :
    record s size start scale shift (R + 1) goals gain loss direct mirrored next =
      improve s (start + word goals 0 / 2) (Nat.land goals 1)
        ((Nat.land gain (2 ^ size - 1) + shift - Nat.land loss (2 ^ size - 1)) / scale) direct mirrored fun direct' mirrored' =>
        record s size start scale shift R (Nat.shiftRight goals 32) (Nat.shiftRight gain size) (Nat.shiftRight loss size) direct' mirrored' next := by
  rw [← word_zero]
  unfold record
  simp only [force_eq]
  rfl

theorem land_word (x : Nat) : Nat.land x 1 = Nat.land (word x 0) 1 := by
  have e1 : Nat.land x 1 = x % 2 ^ 1 := land_low x 1
  have e2 : Nat.land (word x 0) 1 = word x 0 % 2 ^ 1 := land_low _ 1
  rw [e1, e2, ← word_zero]
  have e3 : Nat.land x (2 ^ 32 - 1) = x % 2 ^ 32 := land_low x 32
  rw [e3, Natural.mod_mod (Nat.le_add_left 1 31)]

theorem quotient_le {c d shift scale : Nat} {y : K} (hs : 0 < scale) (h : natural c + natural shift ≤ natural scale * y + natural d) (h0 : 0 ≤ y) :
    natural ((c + shift - d) / scale) ≤ y := by
  cases Nat.le_total d (c + shift) with
  | inl t => exact Rows.divide_lower hs t h
  | inr t =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le t
    rw [hk, Vector.sub_zero_of]
    have z : 0 / scale = 0 := Natural.div_eq_zero hs
    rw [z]; exact h0

theorem record_sound {s : Scale} {slots : Nat → K} {size start scale memory : Nat} (sf : s.Fits) (hs : 0 < scale) :
    (R goals : Nat) → (c d : Nat → Nat) → (direct mirrored : Nat) → (next : Nat → Nat → Bool) →
    (∀ r, r < R → c r < 2 ^ size ∧ d r < 2 ^ size ∧ start + word goals r / 2 < memory ∧
      natural (c r) ≤ natural scale * goalOf (values s slots start) goals r + natural (d r)) →
    (Memory.mk direct mirrored).Holds s slots memory →
    record s size start scale (scale * s.center) R goals (pack size R c) (pack size R d) direct mirrored next = true →
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots memory ∧ next direct' mirrored' = true
  | 0, _, _, _, direct, mirrored, _, _, hm, h => ⟨direct, mirrored, hm, h⟩
  | R + 1, goals, c, d, direct, mirrored, next, hr, hm, h => by
    obtain ⟨c0, d0, inside, bound⟩ := hr 0 (Nat.succ_le_succ (Nat.zero_le R))
    rw [record_succ, land_pack_succ c0, land_pack_succ d0, shift_pack_succ c0, shift_pack_succ d0] at h
    have whole := hm
    obtain ⟨l, u, _, _, hw⟩ := hm
    obtain ⟨w1, w2, w3, w4⟩ := hw _ inside
    have lower : natural (l (start + word goals 0 / 2)) ≤ natural s.unit * slots (start + word goals 0 / 2) + (natural s.center : K) := w3
    have upper : natural s.unit * slots (start + word goals 0 / 2) + natural s.center ≤ (natural (u (start + word goals 0 / 2)) : K) := w4
    have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
    obtain ⟨direct', mirrored', hm', h⟩ := improve_sound sf whole inside (by
      rw [land_word]
      unfold goalOf at bound
      cases parity (word goals 0) with
      | inl e =>
        rw [e] at bound ⊢
        refine quotient_le hs ?_ (le_trans (natural_nonneg _) w3)
        have bound : natural (c 0) ≤ natural scale * (natural s.unit * slots (start + word goals 0 / 2)) + natural (d 0) := bound
        rw [natural_mul]
        unfold Scale.image
        refine le_cert ?_ (sub_nonneg bound)
        exact (ring5 K s x m c d, s * (x + m) + d - (c + s * m), s * x + d - c) _ _ _ _ _
      | inr e =>
        rw [e] at bound ⊢
        have bound : natural (c 0) ≤ natural scale * -(natural s.unit * slots (start + word goals 0 / 2)) + natural (d 0) := bound
        refine quotient_le hs ?_ ?_
        · rw [natural_mul]
          refine le_cert ?_ (sub_nonneg bound)
          exact (ring5 K s x m c d, s * (m + -x) + d - (c + s * m), s * -x + d - c) _ _ _ _ _
        · have t := natural_le (K := K) w2
          rw [top] at t
          refine le_cert ?_ (add_nonneg (sub_nonneg t) (sub_nonneg upper))
          exact (ring4 K c x u z, c + -x - 0, c + c - u + (u - (x + c))) _ _ _ (0 : K)) h
    refine record_sound sf hs R (Nat.shiftRight goals 32) (fun r => c (r + 1)) (fun r => d (r + 1)) direct' mirrored' next (fun r hr' => ?_) hm' h
    have g := hr (r + 1) (Nat.succ_le_succ hr')
    have e : (goalOf (values s slots start) (Nat.shiftRight goals 32) r : K) = goalOf (values s slots start) goals (r + 1) := by
      unfold goalOf
      rw [word_succ]
    rw [e, word_succ]
    exact g

/-- Tighter bounds of the goals' slots. -/
def tighten (s : Scale) (x : Relaxation) (passed : List Passed) (direct mirrored memory : Nat) (next : Nat → Nat → Bool) : Bool :=
  both (Nat.ble (Nat.add x.start x.count) memory)
    (begin ⟨x.digit, x.width, x.rows⟩ x.start x.count x.goals fun batch =>
      walk s ⟨x.digit, x.width, x.rows⟩ direct mirrored memory (fun scale limit gain loss =>
          both (both (Nat.ble 1 scale) (Nat.ble (Nat.succ limit) (Nat.pow 2 (Nat.mul x.digit x.width))))
            (force (fun size => force (fun shift => record s size x.start scale shift x.rows x.goals gain loss direct mirrored next)
              (Nat.mul scale s.center)) (Nat.mul x.digit x.width)))
        x.links passed batch)

theorem tighten_sound {s : Scale} {slots : Nat → K} {x : Relaxation} {passed : List Passed} {direct mirrored memory : Nat} {next : Nat → Nat → Bool}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory) (hp : Passed.AllHold s slots passed memory)
    (h : tighten s x passed direct mirrored memory next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots memory ∧ next direct' mirrored' = true := by
  obtain ⟨h1, h⟩ := both_true h
  have h1 : x.start + x.count ≤ memory := Nat.le_of_ble_eq_true h1
  obtain ⟨batch, b1, _, b3, h, inside⟩ := begin_sound (v := values s slots x.start) h
  rw [← b1] at b3
  obtain ⟨scale, limit, gain, loss, ⟨c, d, e1, e2, hr⟩, h⟩ := walk_sound sf hm x.links passed memory hp batch b3 h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true hc
  have c1 : 0 < scale := Nat.le_of_ble_eq_true c1
  have c2 : limit < 2 ^ (x.digit * x.width) := Nat.le_of_ble_eq_true c2
  rw [force_eq, force_eq, e1, e2] at h
  refine record_sound sf c1 x.rows x.goals c d direct mirrored next (fun r hr' => ?_) hm h
  obtain ⟨q1, q2, q3⟩ := hr r hr'
  rw [b1] at q3
  exact ⟨Natural.lt_of_le_of_lt q1 c2, Natural.lt_of_le_of_lt q2 c2, Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := x.start)) (inside r hr')) h1, q3⟩

end Relaxation
end PytestTorchLean
