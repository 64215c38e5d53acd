prelude
import PytestTorchLean.Core
