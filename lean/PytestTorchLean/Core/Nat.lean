prelude
import PytestTorchLean.Core.Tactic
/-!
# Natural numbers: the facts that everyday proofs and `simp` need

Names and statements follow Lean's core library. The equations that tie the functions the kernel computes
with GMP to their meaning are in `PytestTorchLean.Core.NatEquations`.
-/
namespace Nat

/-! ### Addition and multiplication -/
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
theorem add_add_add_comm (a b c d : Nat) : a + b + (c + d) = a + c + (b + d) := by
  rw [add_assoc, add_assoc, add_left_comm b c d]
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
theorem mul_one (n : Nat) : n * 1 = n := zero_add n
theorem one_mul (n : Nat) : 1 * n = n := by rw [mul_comm, mul_one]
theorem two_mul (n : Nat) : 2 * n = n + n := by
  show succ 1 * n = n + n
  rw [succ_mul, one_mul]
theorem add_right_cancel {a b : Nat} : (c : Nat) → a + c = b + c → a = b
  | 0, h => h
  | c+1, h => add_right_cancel c (Nat.succ.inj h)
theorem add_left_cancel {a b : Nat} (c : Nat) (h : c + a = c + b) : a = b := by
  rw [add_comm c a, add_comm c b] at h
  exact add_right_cancel c h
theorem eq_zero_of_add_eq_zero_left {a b : Nat} (h : a + b = 0) : a = 0 := by
  cases b with
  | zero => exact h
  | succ b => cases h
theorem eq_zero_of_add_eq_zero_right {a b : Nat} (h : a + b = 0) : b = 0 := by
  cases b with
  | zero => rfl
  | succ b => cases h

/-! ### Order -/
@[simp] theorem le_refl' (n : Nat) : n ≤ n := Nat.le.refl
theorem le_refl (n : Nat) : n ≤ n := Nat.le.refl
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
  rw [add_add_add_comm]
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
theorem not_succ_le_self (n : Nat) : ¬(succ n ≤ n) := le_antisymm.not_succ_le_self n
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
theorem lt_irrefl (n : Nat) : ¬(n < n) := not_succ_le_self n
theorem le_of_lt {a b : Nat} (h : a < b) : a ≤ b := Nat.le_trans (Nat.le.step Nat.le.refl) h
theorem lt_of_lt_of_le {a b c : Nat} (h : a < b) (g : b ≤ c) : a < c := Nat.le_trans h g
theorem lt_of_le_of_lt {a b c : Nat} (h : a ≤ b) (g : b < c) : a < c := Nat.le_trans (succ_le_succ h) g
theorem lt_or_ge (a b : Nat) : a < b ∨ b ≤ a := by
  cases le_total (succ a) b with
  | inl h => exact Or.inl h
  | inr h =>
    cases h with
    | refl => exact Or.inl Nat.le.refl
    | step h => exact Or.inr h
theorem not_le_of_lt {a b : Nat} (h : a < b) : ¬(b ≤ a) := fun g => lt_irrefl a (lt_of_lt_of_le h g)
theorem not_lt_of_le {a b : Nat} (h : b ≤ a) : ¬(a < b) := fun g => not_le_of_lt g h
theorem lt_of_not_le {a b : Nat} (h : ¬(b ≤ a)) : a < b := (lt_or_ge a b).elim id (fun g => absurd g h)
theorem eq_zero_of_le_zero {a : Nat} (h : a ≤ 0) : a = 0 := le_antisymm h (zero_le a)
theorem pos_of_ne_zero {a : Nat} (h : a ≠ 0) : 0 < a := lt_of_not_le (fun g => h (eq_zero_of_le_zero g))
theorem succ_pos (n : Nat) : 0 < succ n := succ_le_succ (zero_le n)
theorem le_of_add_le_add_right {a b : Nat} : (c : Nat) → a + c ≤ b + c → a ≤ b
  | 0, h => h
  | c+1, h => le_of_add_le_add_right c (le_of_succ_le_succ h)
theorem lt_of_mul_lt_mul_right {a b c : Nat} (h : a * c < b * c) : a < b :=
  lt_of_not_le (fun g => not_le_of_lt h (mul_le_mul g (le_refl c)))
theorem mul_pos {a b : Nat} (h : 0 < a) (g : 0 < b) : 0 < a * b := by
  have m : 1 * 1 ≤ a * b := mul_le_mul h g
  exact m

/-! ### Subtraction -/
theorem sub_zero (n : Nat) : n - 0 = n := rfl
theorem sub_succ (n m : Nat) : n - succ m = pred (n - m) := rfl
theorem succ_sub_succ (n m : Nat) : succ n - succ m = n - m := by
  induction m with
  | zero => rfl
  | succ m ih => rw [sub_succ, ih, sub_succ]
@[simp] theorem zero_sub (m : Nat) : 0 - m = 0 := by
  induction m with
  | zero => rfl
  | succ m ih => rw [sub_succ, ih]; rfl
theorem add_sub_cancel (n : Nat) : (m : Nat) → n + m - m = n
  | 0 => rfl
  | m+1 => by
    rw [show n + (m + 1) = succ (n + m) from rfl, show m + 1 = succ m from rfl, succ_sub_succ]
    exact add_sub_cancel n m
theorem add_sub_cancel_left (n m : Nat) : n + m - n = m := by rw [add_comm, add_sub_cancel]
theorem sub_add_cancel {n m : Nat} (h : m ≤ n) : n - m + m = n := by
  obtain ⟨k, rfl⟩ := exists_of_le h
  rw [add_sub_cancel_left, add_comm]
theorem sub_self (n : Nat) : n - n = 0 := by
  have h := add_sub_cancel 0 n
  rw [zero_add] at h
  exact h
theorem sub_eq_zero_of_le {n m : Nat} (h : n ≤ m) : n - m = 0 := by
  obtain ⟨k, rfl⟩ := exists_of_le h
  clear h
  induction k with
  | zero => exact sub_self n
  | succ k ih => rw [add_succ, sub_succ, ih]; rfl
theorem sub_le (n m : Nat) : n - m ≤ n := by
  induction m with
  | zero => exact le_refl n
  | succ m ih =>
    rw [sub_succ]
    exact Nat.le_trans (pred_le (n - m)) ih
where pred_le : (k : Nat) → pred k ≤ k
  | 0 => le_refl 0
  | succ k => Nat.le.step (le_refl k)

/-! ### Powers -/
theorem pow_zero (n : Nat) : n ^ 0 = 1 := rfl
theorem pow_succ (n m : Nat) : n ^ succ m = n ^ m * n := rfl
theorem pow_add (n m k : Nat) : n ^ (m + k) = n ^ m * n ^ k := by
  induction k with
  | zero => rw [add_zero, pow_zero, mul_one]
  | succ k ih => rw [add_succ, pow_succ, ih, pow_succ, mul_assoc]
end Nat
