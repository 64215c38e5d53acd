prelude
import PytestTorchLean
theorem claim (a b : Nat) : a = b := rfl
