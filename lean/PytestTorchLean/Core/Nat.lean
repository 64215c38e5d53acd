prelude
import PytestTorchLean.Core.Tactic
/-! NatLib: the Nat facts that simprocs and everyday proofs need; written with the tactics. -/
set_option linter.all false
namespace Nat
theorem add_zero (n : Nat) : n + 0 = n := rfl
@[simp] theorem zero_add (n : Nat) : 0 + n = n := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.succ ih
theorem add_succ (n m : Nat) : n + succ m = succ (n + m) := rfl
theorem succ_add (n m : Nat) : succ n + m = succ (n + m) := by
  induction m with
  | zero => rfl
  | succ m ih => exact congrArg Nat.succ ih
theorem add_comm (n m : Nat) : n + m = m + n := by
  induction m with
  | zero => exact (zero_add n).symm
  | succ m ih => rw [add_succ, succ_add, ih]
theorem add_assoc (n m k : Nat) : n + m + k = n + (m + k) := by
  induction k with
  | zero => rfl
  | succ k ih => exact congrArg Nat.succ ih
theorem add_left_comm (n m k : Nat) : n + (m + k) = m + (n + k) := by
  rw [← add_assoc, add_comm n m, add_assoc]
theorem mul_zero (n : Nat) : n * 0 = 0 := rfl
theorem mul_succ (n m : Nat) : n * succ m = n * m + n := rfl
@[simp] theorem zero_mul (n : Nat) : 0 * n = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => rw [mul_succ, ih]
theorem succ_mul (n m : Nat) : succ n * m = n * m + m := by
  induction m with
  | zero => rfl
  | succ m ih => rw [mul_succ, ih, mul_succ, add_succ, add_succ, add_assoc, add_assoc, add_comm m n]
theorem mul_comm (n m : Nat) : n * m = m * n := by
  induction m with
  | zero => exact (zero_mul n).symm
  | succ m ih => rw [mul_succ, succ_mul, ih]
theorem mul_add (a b c : Nat) : a * (b + c) = a * b + a * c := by
  induction c with
  | zero => rfl
  | succ c ih => rw [add_succ, mul_succ, ih, mul_succ, add_assoc]
theorem add_mul (a b c : Nat) : (a + b) * c = a * c + b * c := by
  rw [mul_comm, mul_add, mul_comm c a, mul_comm c b]
theorem mul_assoc (a b c : Nat) : a * b * c = a * (b * c) := by
  induction c with
  | zero => rfl
  | succ c ih => rw [mul_succ, mul_succ, mul_add, ih]
theorem mul_left_comm (a b c : Nat) : a * (b * c) = b * (a * c) := by
  rw [← mul_assoc, mul_comm a b, mul_assoc]
@[simp] theorem le_refl' (n : Nat) : n ≤ n := Nat.le.refl
theorem le_add_right (n k : Nat) : n ≤ n + k := by
  induction k with
  | zero => exact Nat.le.refl
  | succ k ih => exact Nat.le.step ih
theorem le_add_left (n k : Nat) : n ≤ k + n := by rw [add_comm]; exact le_add_right n k
theorem exists_of_le {n m : Nat} (h : n ≤ m) : ∃ k, m = n + k := by
  induction h with
  | refl => exact ⟨0, rfl⟩
  | step _ ih => obtain ⟨k, hk⟩ := ih; exact ⟨k + 1, congrArg succ hk⟩
theorem add_le_add {a b c d : Nat} (h₁ : a ≤ b) (h₂ : c ≤ d) : a + c ≤ b + d := by
  obtain ⟨k, rfl⟩ := exists_of_le h₁
  obtain ⟨l, rfl⟩ := exists_of_le h₂
  have e : a + k + (c + l) = (a + c) + (k + l) := by simp only [add_assoc, add_left_comm, add_comm]
  rw [e]
  exact le_add_right _ _
theorem mul_le_mul {a b c d : Nat} (h₁ : a ≤ b) (h₂ : c ≤ d) : a * c ≤ b * d := by
  obtain ⟨k, rfl⟩ := exists_of_le h₁
  obtain ⟨l, rfl⟩ := exists_of_le h₂
  rw [add_mul, mul_add, add_assoc]
  exact le_add_right _ _
theorem le_antisymm {a b : Nat} (h₁ : a ≤ b) (h₂ : b ≤ a) : a = b := by
  induction h₁ with
  | refl => rfl
  | step h ih =>
    have h3 := Nat.le_trans h₂ h
    exact absurd h3 (not_succ_le_self _)
where not_succ_le_self : (n : Nat) → ¬(succ n ≤ n)
  | 0 => Nat.not_succ_le_zero 0
  | succ n => fun h => not_succ_le_self n (Nat.le_of_succ_le_succ h)
theorem le_total (a b : Nat) : a ≤ b ∨ b ≤ a := by
  induction a with
  | zero => exact Or.inl (zero_le b)
  | succ a ih =>
    cases ih with
    | inr h => exact Or.inr (Nat.le.step h)
    | inl h =>
      obtain ⟨k, rfl⟩ := exists_of_le h
      cases k with
      | zero => exact Or.inr (Nat.le.step Nat.le.refl)
      | succ k => left; rw [add_succ]; exact succ_le_succ (le_add_right a k)
end Nat
