prelude
import PytestTorchLean.Core.Nat
import PytestTorchLean.Core.Int
