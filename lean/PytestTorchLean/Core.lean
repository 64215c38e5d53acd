prelude
import PytestTorchLean.Core.Nat
import PytestTorchLean.Core.NatEquations
import PytestTorchLean.Core.Int
