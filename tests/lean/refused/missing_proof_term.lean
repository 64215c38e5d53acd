prelude
import PytestTorchLean
theorem claim : (2 : Nat) = 3 := sorry
