prelude
import PytestTorchLean.Check.Packed
import PytestTorchLean.Spec.Graph
/-!
# At least one row of every clause

The rows of a property come in clauses of `alternatives` rows each. A packed number holds a digit for every
row (two of them do: a bound and an offset, say), and a test of these digits decides a row. Of every clause
one row must pass.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Clauses
/-- Row after row, from the first digits of `first` and `second` on. `left` rows of the present clause are
    still ahead; `seen` says whether one of it has passed. What is not the way on is not computed, by a
    program either: it evaluates what `Nat.rec` is given before it chooses. -/
def pass (b : Nat) (test : Nat → Nat → Bool) (alternatives rows : Nat) : Nat → Bool → Nat → Nat → Bool :=
  Nat.rec (motive := fun _ => Nat → Bool → Nat → Nat → Bool) (fun _ seen _ _ => seen)
    (fun _ rest left seen first second =>
      force (fun first' => force (fun second' => force (fun x => force (fun y =>
        Bool.casesOn (motive := fun _ => Bool) (Nat.beq left 0)
          (Bool.casesOn (motive := fun _ => Bool) seen (rest (Nat.sub left 1) (test x y) first' second')
            (rest (Nat.sub left 1) true first' second'))
          (both seen (rest (Nat.sub alternatives 1) (test x y) first' second')))
        (Nat.land second (Nat.sub (Nat.pow 2 b) 1))) (Nat.land first (Nat.sub (Nat.pow 2 b) 1)))
        (Nat.shiftRight second b)) (Nat.shiftRight first b)) rows

theorem pass_succ (b : Nat) (test : Nat → Nat → Bool) (alternatives rows left : Nat) (seen : Bool)
    (first second : Nat) :
    pass b test alternatives (rows + 1) left seen first second =
    Nat.rec (motive := fun _ => Bool)
      (both seen (pass b test alternatives rows (alternatives - 1)
          (test (Nat.land first (2 ^ b - 1)) (Nat.land second (2 ^ b - 1))) (Nat.shiftRight first b)
          (Nat.shiftRight second b)))
      (fun left' _ => Bool.casesOn (motive := fun _ => Bool) seen
        (pass b test alternatives rows left' (test (Nat.land first (2 ^ b - 1)) (Nat.land second (2 ^ b - 1)))
          (Nat.shiftRight first b) (Nat.shiftRight second b))
        (pass b test alternatives rows left' true (Nat.shiftRight first b) (Nat.shiftRight second b)))
      left := by
  unfold pass
  simp only [force_eq]
  cases left with
  | zero => rfl
  | succ left => rfl

/-- Of every clause of `alternatives` digits of both numbers, one pair passes the test. -/
def run (b : Nat) (test : Nat → Nat → Bool) (alternatives rows first second : Nat) : Bool :=
  both (Nat.ble 1 alternatives) (pass b test alternatives rows 0 true first second)

theorem pass_sound {b : Nat} {test : Nat → Nat → Bool} {alternatives : Nat} (ha : 0 < alternatives) :
    (rows left : Nat) → (seen : Bool) → (f g : Nat → Nat) →
    (∀ i, i < rows → f i < 2 ^ b ∧ g i < 2 ^ b) →
    pass b test alternatives rows left seen (pack b rows f) (pack b rows g) = true →
    (seen = true ∨ ∃ k, k < left ∧ k < rows ∧ test (f k) (g k) = true) ∧
      ∀ clause, left + clause * alternatives < rows →
        ∃ k, k < alternatives ∧
          left + clause * alternatives + k < rows ∧
          test (f (left + clause * alternatives + k)) (g (left + clause * alternatives + k)) = true
  | 0, left, seen, f, g, _, h => ⟨Or.inl h, fun _ hc => absurd hc (Nat.not_succ_le_zero _)⟩
  | rows + 1, left, seen, f, g, hd, h => by
    obtain ⟨d1, d2⟩ := hd 0 (Nat.succ_le_succ (Nat.zero_le _))
    have tail :
      ∀ i, i < rows → f (i + 1) < 2 ^ b ∧ g (i + 1) < 2 ^ b := fun i hi => hd (i + 1) (Nat.succ_le_succ hi)
    rw [pass_succ, land_pack_succ d1, land_pack_succ d2, shift_pack_succ d1, shift_pack_succ d2] at h
    cases left with
    | zero =>
      obtain ⟨h1, h2⟩ := both_true h
      obtain ⟨r1, r2⟩ := pass_sound (test := test) ha rows (alternatives - 1) (test (f 0) (g 0))
        (fun i => f (i + 1)) (fun i => g (i + 1)) tail h2
      refine ⟨Or.inl h1, fun clause hc => ?_⟩
      rw [Nat.zero_add] at hc ⊢
      cases clause with
      | zero =>
        rw [Nat.zero_mul]
        cases r1 with
        | inl t => exact ⟨0, ha, Nat.succ_le_succ (Nat.zero_le _), by exact t⟩
        | inr t =>
          obtain ⟨k, k1, k2, k3⟩ := t
          refine ⟨k + 1, ?_, ?_, ?_⟩
          · have k1 : k + 1 < alternatives - 1 + 1 := Nat.succ_le_succ k1
            rw [Natural.succ_pred ha] at k1
            exact k1
          · rw [Nat.zero_add]; exact Nat.succ_le_succ k2
          · rw [Nat.zero_add]; exact k3
      | succ clause =>
        have e : (clause + 1) * alternatives = alternatives - 1 + clause * alternatives + 1 := by
          rw [Nat.succ_mul, Natural.add_right_comm, Natural.succ_pred ha, Nat.add_comm]
        rw [e] at hc ⊢
        obtain ⟨k, k1, k2, k3⟩ := r2 clause (Nat.le_of_succ_le_succ hc)
        refine ⟨k, k1, ?_, ?_⟩
        · rw [Natural.add_right_comm]; exact Nat.succ_le_succ k2
        · rw [Natural.add_right_comm]; exact k3
    | succ left =>
      have h : pass b test alternatives rows left (cond seen true (test (f 0) (g 0)))
            (pack b rows fun i => f (i + 1)) (pack b rows fun i => g (i + 1)) = true := by
        cases seen with
        | true => exact h
        | false => exact h
      obtain ⟨r1, r2⟩ := pass_sound ha rows left _ (fun i => f (i + 1)) (fun i => g (i + 1)) tail h
      refine ⟨?_, fun clause hc => ?_⟩
      · cases r1 with
        | inl t =>
          cases seen with
          | true => exact Or.inl rfl
          | false => exact Or.inr ⟨0, Nat.succ_le_succ (Nat.zero_le _), Nat.succ_le_succ (Nat.zero_le _), t⟩
        | inr t =>
          obtain ⟨k, k1, k2, k3⟩ := t
          exact Or.inr ⟨k + 1, Nat.succ_le_succ k1, Nat.succ_le_succ k2, k3⟩
      · have e : left + 1 + clause * alternatives = left + clause * alternatives + 1 :=
          Natural.add_right_comm _ _ _
        rw [e] at hc ⊢
        obtain ⟨k, k1, k2, k3⟩ := r2 clause (Nat.le_of_succ_le_succ hc)
        refine ⟨k, k1, ?_, ?_⟩
        · rw [Natural.add_right_comm]; exact Nat.succ_le_succ k2
        · rw [Natural.add_right_comm]; exact k3

/-- Every clause has a row that passes. -/
theorem run_sound {b : Nat} {test : Nat → Nat → Bool} {alternatives rows : Nat} {f g : Nat → Nat}
    (hd : ∀ i, i < rows → f i < 2 ^ b ∧ g i < 2 ^ b)
    (h : run b test alternatives rows (pack b rows f) (pack b rows g) = true) :
    ∀ clause, clause * alternatives < rows →
      ∃ k, k < alternatives ∧
        clause * alternatives + k < rows ∧
        test (f (clause * alternatives + k)) (g (clause * alternatives + k)) = true := by
  obtain ⟨h1, h2⟩ := both_true h
  intro clause hc
  have r :=
    (pass_sound (Nat.le_of_ble_eq_true h1) rows 0 true f g hd h2).2 clause (by rw [Nat.zero_add]; exact hc)
  rw [Nat.zero_add] at r
  exact r
end Clauses

/-- A property holds where a row that has passed has the sign it asks for. -/
theorem Property.holds_of_clauses {K : Type u} [OrderedRing K] {p : Property} {slots : Nat → K}
    {test : Nat → Bool}
    (h : ∀ clause, clause * p.alternatives < p.forms.rows →
      ∃ k, k < p.alternatives ∧
        clause * p.alternatives + k < p.forms.rows ∧
        test (clause * p.alternatives + k) = true)
    (signs : ∀ row, row < p.forms.rows → test row = true → Signed p.strict (p.forms.form slots 0 row)) :
    p.Holds slots := by
  intro clause hc
  obtain ⟨k, k1, k2, k3⟩ := h clause hc
  exact ⟨k, k1, k2, signs _ k2 k3⟩
end PytestTorchLean
