prelude
import PytestTorchLean
theorem foo2 (p q : Prop) : p → q → p ∧ q := by
  intro hp hq
  constructor
  · exact hp
  · assumption
theorem t3 (p q : Prop) (h : p ∧ q) : q ∧ p := by
  cases h with
  | intro a b => exact ⟨b, a⟩
theorem add_zero (n : Nat) : 0 + n = n := by
  induction n with
  | zero => rfl
  | succ n ih => 
    show Nat.succ (0 + n) = Nat.succ n
    rw [ih]
theorem t5 : ∃ x : Nat, x + 1 = 3 := by exists 2
theorem t6 (a b : Nat) (h : a = b) : b + 0 = a := by
  have h2 : b + 0 = b := rfl
  rw [h2, h]
theorem t7 (p q r : Prop) (hp : p) (hq : q) (hr : r) : p ∧ q ∧ r := by
  refine ⟨?_, ?_, ?_⟩ <;> assumption
theorem t8 : 3 < 5 := by decide
theorem t9 (a b : Nat) (h : a = b) (h2 : b = 3) : a = 3 := by
  subst h
  exact h2
theorem t10 (p q : Prop) (h : p ∨ q) : q ∨ p := by
  cases h with
  | inl h => right; exact h
  | inr h => left; exact h
theorem t11 (a b : Nat) (h : a = b) : a + a = b + b := by simp [h]
theorem t12 (a b c : Nat) (h1 : a = b) (h2 : b = c) : a = c := calc
  a = b := h1
  _ = c := h2
