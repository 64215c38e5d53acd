prelude
import PytestTorchLean
theorem claim : False := lcProof
