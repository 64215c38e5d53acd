prelude
import PytestTorchLean
theorem a1 (p q r : Prop) (h : p ∧ (q ∨ r)) : (p ∧ q) ∨ (p ∧ r) := by
  obtain ⟨hp, hq | hr⟩ := h
  · exact Or.inl ⟨hp, hq⟩
  · exact Or.inr ⟨hp, hr⟩
theorem a2 (p q : Prop) (hp : p) : p ∨ q := by simp [hp]
theorem a3 (n : Nat) (h : n = 3) : n + 2 = 5 := by simp [h]
theorem a4 : 2 + 2 = 4 := by simp
theorem a5 : ¬ (2 + 2 = 5) := by simp
theorem a6 : (3 : Nat) < 7 := by simp
def f (n : Nat) : Nat := if n = 0 then 1 else n * 2
theorem a7 : f 3 = 6 := by simp [f]
theorem a8 (n : Nat) : f n = n * 2 ∨ f n = 1 := by
  unfold f
  split
  · right; rfl
  · left; rfl
def len {α : Type u} : List α → Nat
  | [] => 0
  | _ :: xs => len xs + 1
def app {α : Type u} : List α → List α → List α
  | [], ys => ys
  | x :: xs, ys => x :: app xs ys
theorem len_app {α : Type u} (xs ys : List α) : len (app xs ys) = len ys + len xs := by
  induction xs with
  | nil => simp [app, len]; rfl
  | cons x xs ih => simp [app, len, ih]; rfl
theorem a9 (a b : Nat) (h : a = b ∧ True) : b = a := by
  simp only [and_true] at h
  rw [h]
theorem a10 (x y : Nat) (h : Nat.succ x = Nat.succ y) : x = y := by
  injection h
theorem a11 (x : Nat) (h : Nat.succ x = 0) : False := by
  cases h
theorem a12 (xs : List Nat) (h : 1 :: xs = 2 :: xs) : False := by
  simp at h
theorem a13 (x y : Nat) (h : (x, y) = (3, 4)) : x = 3 := by
  simp at h
  exact h.1
theorem a14 (f g : Nat → Nat) (h : ∀ x, f x = g x) : f = g := by
  apply funext
  intro x
  exact h x
theorem a16 : ∀ x y : Nat, ∃ z, z = x + y := by
  intro x y
  exact ⟨_, rfl⟩
theorem a17 (p : Prop) [Decidable p] (h : ¬¬p) : p := by
  by_cases hp : p
  · exact hp
  · exact absurd hp h
