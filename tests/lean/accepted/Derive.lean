prelude
import PytestTorchLean
inductive Color where | red | green | blue
  deriving DecidableEq
structure Pt where
  x : Nat
  y : Nat
  deriving DecidableEq
inductive Tr where | leaf | node (l : Tr) (v : Nat) (r : Tr)
  deriving DecidableEq
example : Color.red ≠ Color.blue := by decide
example : (⟨1, 2⟩ : Pt) ≠ ⟨1, 3⟩ := by decide
def isBig : Bool := Nat.ble (2^100) (2^200)
