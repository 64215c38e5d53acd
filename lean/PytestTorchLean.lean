prelude
import PytestTorchLean.Core
import PytestTorchLean.Thm.Soundness
