prelude
import PytestTorchLean.Core
import PytestTorchLean.Thm.Parts
import PytestTorchLean.Thm.Soundness
import PytestTorchLean.Check.Relaxation.Lines
/-! What certificates rest on, and nothing else: this is built where proofs are checked. All that the library
proves besides is in `PytestTorchLean.Theorems`. -/
