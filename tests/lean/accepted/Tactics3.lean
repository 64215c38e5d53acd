prelude
import PytestTorchLean
theorem b1 (a b c : Nat) (h : ∃ x, a = x + b ∧ c ≤ x) : c + b ≤ a := by
  rcases h with ⟨x, rfl, hx⟩
  exact Nat.add_le_add hx Nat.le.refl
theorem b2 : ∀ (p q : Prop), p ∧ q → q := by
  rintro p q ⟨hp, hq⟩
  exact hq
def rev {α : Type} : List α → List α → List α
  | [], acc => acc
  | x :: xs, acc => rev xs (x :: acc)
def len {α : Type} : List α → Nat
  | [] => 0
  | _ :: xs => len xs + 1
theorem len_rev {α : Type} (xs acc : List α) : len (rev xs acc) = len xs + len acc := by
  induction xs generalizing acc with
  | nil => simp [rev, len]
  | cons x xs ih =>
    simp only [rev, len, ih]
    simp only [Nat.add_assoc, Nat.add_comm, Nat.add_left_comm]
theorem b3 (a b : Nat) (f : Nat → Nat) (h : a = b) : f a = f b := by
  have ⟨k, hk⟩ : ∃ k, k = f b := ⟨_, rfl⟩
  rw [h]
theorem b4 (x : Option Nat) (h : x ≠ none) : ∃ y, x = some y := by
  match x, h with
  | none, h => exact absurd rfl h
  | some y, _ => exact ⟨y, rfl⟩
def safeDiv (a b : Nat) : Option Nat := if b = 0 then none else some (a / b)
theorem b5 (a b c : Nat) (h : safeDiv a b = some c) : b ≠ 0 := by
  unfold safeDiv at h
  split at h
  · cases h
  · assumption
theorem b6 (a b c : Nat) (h : safeDiv a b = some c) : b ≠ 0 := by
  intro hb
  simp [safeDiv, hb] at h
inductive Tree where
  | node (v : Nat) (cs : List Tree)
mutual
def isEven : Nat → Bool
  | 0 => true
  | n+1 => isOdd n
def isOdd : Nat → Bool
  | 0 => false
  | n+1 => isEven n
end
theorem b7 : isEven 10 = true := by decide
theorem b8 (a b : Nat) : a + b + 0 = b + a := by
  generalize h : a + b = s
  show s = b + a
  rw [← h, Nat.add_comm]
theorem b9 (p q r : Prop) (h : p → q) (h2 : q → r) : p → r := by
  intro hp
  apply h2
  apply h
  exact hp
theorem b10 (a b c : Nat) (h : a ≤ b) (h' : b ≤ c) : a ≤ c := by
  refine Nat.le_trans ?_ h'
  exact h
theorem b11 (p : Prop) (h : ¬¬p) : p := by
  exact Classical.byContradiction h
theorem b12 (a b : Nat) : (a = b) ∨ ¬ (a = b) := by
  by_cases h : a = b
  · simp [h]
  · simp [h]
theorem b13 (a : Nat) (h : a < 3) : a = 0 ∨ a = 1 ∨ a = 2 := by
  match a, h with
  | 0, _ => simp
  | 1, _ => simp
  | 2, _ => simp
theorem b14 : ∀ a : Fin 5, a.val < 5 := fun a => a.isLt
structure P where
  x : Nat
  y : Nat
  deriving DecidableEq
example : (⟨1, 2⟩ : P) ≠ ⟨1, 3⟩ := by decide
inductive Ex where | c (n : Nat) | a (l r : Ex)
  deriving DecidableEq
example : Ex.a (.c 1) (.c 2) ≠ Ex.a (.c 1) (.c 3) := by decide
