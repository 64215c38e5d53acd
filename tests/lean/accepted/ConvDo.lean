prelude
import PytestTorchLean
example (a b c : Nat) (h : a = b) : a + c = b + c := by
  conv => lhs; rw [h]
instance : Monad Option where
  pure := some
  bind x f := match x with | none => none | some a => f a
def opt (x y : Option Nat) : Option Nat := do
  let a ← x
  let b ← y
  return a + b
theorem ot : opt (some 1) (some 2) = some 3 := rfl
def opt2 (x : Nat) : Option Nat := do
  if x = 3 then
    none
  let mut s := 0
  s := s + x
  return s
theorem ot2 : opt2 5 = some 5 := rfl
def lsum (xs : List Nat) : Nat := match xs with | [] => 0 | x :: xs => x + lsum xs
theorem ls : lsum [1,2,3] = 6 := by decide
theorem st (a b : Nat) (h : a + 1 = b + 1) : a = b := by
  simp at h
  exact h
theorem st2 (a b : Nat) (h : (a + b) * 2 = 7) : (b + a) * 2 = 7 := by
  rw [Nat.add_comm b a]; assumption
theorem st3 (f : Nat → Int) (h : ∀ n, f n = 0) : f 3 + f 4 = 0 := by
  simp [h]
theorem st4 (f : Nat → Int) (h : ∀ n, f n = 0) : f 3 + f 4 = 0 := by
  rw [h, h]; rfl
