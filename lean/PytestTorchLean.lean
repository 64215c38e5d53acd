prelude
import PytestTorchLean.Core
import PytestTorchLean.Thm.Parts
import PytestTorchLean.Thm.Soundness
import PytestTorchLean.Thm.Instances
import PytestTorchLean.Thm.Executions
import PytestTorchLean.Thm.Certified
import PytestTorchLean.Thm.CertifiedRelaxation
import PytestTorchLean.Thm.CertifiedBranches
import PytestTorchLean.Thm.CertifiedMultipliers
import PytestTorchLean.Thm.Axioms
import PytestTorchLean.Approximation.Example
import PytestTorchLean.Check.Relaxation.Lines
import PytestTorchLean.Thm.Conversion
import PytestTorchLean.Thm.NoOverflow
import PytestTorchLean.Thm.RoundedInput
import PytestTorchLean.Thm.ScheduleInstances
import PytestTorchLean.Thm.SquareRoot
