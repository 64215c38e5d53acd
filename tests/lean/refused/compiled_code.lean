prelude
import PytestTorchLean
@[noinline] def Nat.lcm (a b : Nat) : Nat := a + b
theorem claim : Nat.lcm 4 6 = 12 := by native_decide
