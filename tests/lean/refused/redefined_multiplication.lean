prelude
import PytestTorchLean
def Nat.mul (a b : Nat) : Nat := Nat.zero
theorem claim (a b : Nat) : Nat.mul a b = 0 := rfl
