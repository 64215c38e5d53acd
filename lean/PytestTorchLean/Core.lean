prelude
import PytestTorchLean.Core.Nat
import PytestTorchLean.Core.NatEquations
/-!
# The self-contained core of the library

`Core.Int`, `Core.Eval` and `Core.IO` are imported by the modules that need them.
-/
