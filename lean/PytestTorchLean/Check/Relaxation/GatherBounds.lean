prelude
import PytestTorchLean.Check.Relaxation.Walk
import PytestTorchLean.Check.Split
/-!
# The bounds that a relaxation proves, gathered

Row after row, what a goal is bounded by becomes a digit of one of two vectors: lower bounds and mirrored
upper bounds of all slots of the run.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

theorem quotient_le {c d shift scale : Nat} {y : K} (hs : 0 < scale)
    (h : natural c + natural shift ≤ natural scale * y + natural d) (h0 : 0 ≤ y) :
    natural ((c + shift - d) / scale) ≤ y := by
  cases Nat.le_total d (c + shift) with
  | inl t => exact Rows.divide_lower hs t h
  | inr t =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le t
    rw [hk, Vector.sub_zero_of]
    have z : 0 / scale = 0 := Natural.div_eq_zero hs
    rw [z]; exact h0

/-! ### Gathering -/

/-- Goal after goal, in increasing order: what is proved of the goal goes to its slot's place, in `low` or in
    `high`. -/
def gather (s : Scale) (size scale shift : Nat) (R : Nat) :
    Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun _ _ _ _ low high next => next low high)
    (fun _ rest least goals gain loss low high next => force (fun goal => both (Nat.ble least goal)
        (force (fun v => force (fun low' => force (fun high' =>
            rest (Nat.succ goal) (Nat.shiftRight goals 32) (Nat.shiftRight gain size)
              (Nat.shiftRight loss size) low' high' next)
          (Nat.add high
              (Nat.mul (Nat.pow 2 (Nat.mul s.stride (Nat.shiftRight goal 1))) (Nat.mul v (Nat.land goal 1)))))
          (Nat.add low (Nat.mul (Nat.pow 2 (Nat.mul s.stride (Nat.shiftRight goal 1)))
                (Nat.mul v (Nat.sub 1 (Nat.land goal 1))))))
          (Nat.div (Nat.sub (Nat.add (Nat.land gain (Nat.sub (Nat.pow 2 size) 1)) shift)
                  (Nat.land loss (Nat.sub (Nat.pow 2 size) 1))) scale)))
      (Nat.land goals (Nat.sub (Nat.pow 2 32) 1))) R

theorem gather_succ (s : Scale) (size scale shift R least goals gain loss low high : Nat)
    (next : Nat → Nat → Bool) :
    gather s size scale shift (R + 1) least goals gain loss low high next =
    both (Nat.ble least (word goals 0))
      (gather s size scale shift R (word goals 0 + 1) (Nat.shiftRight goals 32) (Nat.shiftRight gain size)
        (Nat.shiftRight loss size)
        (low + 2 ^ (s.stride * (word goals 0 / 2)) * ((Nat.land gain (2 ^ size - 1) + shift -
                    Nat.land loss (2 ^ size - 1)) / scale * (1 - Nat.land (word goals 0) 1)))
        (high + 2 ^ (s.stride * (word goals 0 / 2)) * ((Nat.land gain (2 ^ size - 1) + shift -
                    Nat.land loss (2 ^ size - 1)) / scale * Nat.land (word goals 0) 1)) next) := by
  rw [← word_zero]
  unfold gather
  simp only [force_eq]
  rfl

/-- What the vectors say of the slots; there is room for goals from `least` on. -/
def Gathered (s : Scale) (slots : Nat → K) (start n least : Nat) (L H : Nat → Nat) : Prop :=
  ∀ j, j < n →
    natural (L j) ≤ s.image (slots (start + j)) ∧
      natural (H j) ≤ natural s.center + -(natural s.unit * slots (start + j)) ∧
      (least ≤ 2 * j → L j = 0) ∧
      (least ≤ 2 * j + 1 → H j = 0)

theorem gather_sound {s : Scale} {slots : Nat → K} {size start n scale : Nat} (hs : 0 < scale)
    (inside : ∀ j, j < n →
      0 ≤ s.image (slots (start + j)) ∧ 0 ≤ (natural s.center + -(natural s.unit * slots (start + j)) : K)) :
    (R least goals : Nat) → (c d L H : Nat → Nat) →
    (next : Nat → Nat → Bool) →
    (∀ r, r < R →
        c r < 2 ^ size ∧
          d r < 2 ^ size ∧
          word goals r / 2 < n ∧
          natural (c r) ≤ natural scale * goalOf (values s slots start) goals r + natural (d r)) →
    Gathered s slots start n least L H →
    gather s size scale (scale * s.center) R least goals (pack size R c) (pack size R d) (pack s.stride n L)
        (pack s.stride n H) next = true →
    ∃ least' L' H',
      Gathered s slots start n least' L' H' ∧ next (pack s.stride n L') (pack s.stride n H') = true := by
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
    have later :
      ∀ r, r < R → c (r + 1) < 2 ^ size ∧ d (r + 1) < 2 ^ size ∧ word (Nat.shiftRight goals 32) r / 2 < n ∧
        natural (c (r + 1)) ≤ natural scale * goalOf (values s slots start) (Nat.shiftRight goals 32) r +
              (natural (d (r + 1)) : K) := fun r hr' => by
      have g := hr (r + 1) (Nat.succ_le_succ hr')
      have e : (goalOf (values s slots start) (Nat.shiftRight goals 32) r : K) =
          goalOf (values s slots start) goals (r + 1) := by
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
      have bound : natural (c 0) ≤ natural scale * (natural s.unit * slots (start + j)) + natural (d 0) :=
        bound
      have value : natural ((c 0 + scale * s.center - d 0) / scale) ≤ s.image (slots (start + j)) := by
        refine quotient_le hs ?_ i1
        rw [natural_mul]
        unfold Scale.image
        refine le_cert ?_ (sub_nonneg bound)
        exact (ring5 K s x m c d, s * (x + m) + d - (c + s * m), s * x + d - c) _ _ _ _ _
      have place : pack s.stride n L + 2 ^ (s.stride * j) * ((c 0 + scale * s.center - d 0) / scale) =
          pack s.stride n (Split.updated L j ((c 0 + scale * s.center - d 0) / scale)) := by
        rw [Split.pack_updated _ n j L hj, (hg j hj).2.2.1 (by rw [whole]; exact h1), Nat.mul_zero,
            Nat.add_zero]
      have z1 : 1 - 0 = 1 := rfl
      rw [z1, Nat.mul_one, Nat.mul_zero, Nat.mul_zero, Nat.add_zero, place] at h
      refine smaller (word goals 0 + 1) (Nat.shiftRight goals 32) (fun r => c (r + 1)) (fun r => d (r + 1)) _
        H next later (fun i hi => ?_) h
      obtain ⟨g1, g2, g3, g4⟩ := hg i hi
      refine ⟨?_, g2, fun le => ?_, fun le => g4 (Nat.le_trans (Nat.le_trans h1 (Nat.le_add_right _ 1)) le)⟩
      · cases same : Nat.beq i j with
        | true =>
          have same := Nat.eq_of_beq_eq_true same
          subst same
          rw [Split.updated_same]; exact value
        | false =>
          rw [Split.updated_other L (fun z => by rw [z, Nat.beq_refl] at same; exact Bool.noConf_tf same)]
          exact g1
      · have other : i ≠ j := fun z => by
          rw [z, ← whole] at le
          exact absurd le (Nat.not_succ_le_self _)
        rw [Split.updated_other L other]
        exact g3 (Nat.le_trans (Nat.le_trans h1 (Nat.le_add_right _ 1)) le)
    | inr e =>
      rw [e] at h bound whole
      have bound : natural (c 0) ≤ natural scale * -(natural s.unit * slots (start + j)) + natural (d 0) :=
        bound
      have value : natural ((c 0 + scale * s.center - d 0) / scale) ≤
          (natural s.center + -(natural s.unit * slots (start + j)) : K) := by
        refine quotient_le hs ?_ i2
        rw [natural_mul]
        refine le_cert ?_ (sub_nonneg bound)
        exact (ring5 K s x m c d, s * (m + -x) + d - (c + s * m), s * -x + d - c) _ _ _ _ _
      have order : 2 * j + 1 = word goals 0 := by rw [Nat.add_comm]; exact whole
      have place : pack s.stride n H + 2 ^ (s.stride * j) * ((c 0 + scale * s.center - d 0) / scale) =
          pack s.stride n (Split.updated H j ((c 0 + scale * s.center - d 0) / scale)) := by
        rw [Split.pack_updated _ n j H hj, (hg j hj).2.2.2 (by rw [order]; exact h1), Nat.mul_zero,
            Nat.add_zero]
      rw [Nat.sub_self, Nat.mul_one, Nat.mul_zero, Nat.mul_zero, Nat.add_zero, place] at h
      refine smaller (word goals 0 + 1) (Nat.shiftRight goals 32) (fun r => c (r + 1)) (fun r => d (r + 1)) L
        _ next later (fun i hi => ?_) h
      obtain ⟨g1, g2, g3, g4⟩ := hg i hi
      refine ⟨g1, ?_, fun le => g3 (Nat.le_trans (Nat.le_trans h1 (Nat.le_add_right _ 1)) le), fun le => ?_⟩
      · cases same : Nat.beq i j with
        | true =>
          have same := Nat.eq_of_beq_eq_true same
          subst same
          rw [Split.updated_same]; exact value
        | false =>
          rw [Split.updated_other H (fun z => by rw [z, Nat.beq_refl] at same; exact Bool.noConf_tf same)]
          exact g2
      · have other : i ≠ j := fun z => by
          rw [z, ← order] at le
          exact absurd le (Nat.not_succ_le_self _)
        rw [Split.updated_other H other]
        exact g4 (Nat.le_trans (Nat.le_trans h1 (Nat.le_add_right _ 1)) le)
end Relaxation
end PytestTorchLean
