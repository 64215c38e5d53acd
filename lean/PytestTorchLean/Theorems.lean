prelude
import PytestTorchLean.Thm.Instances
import PytestTorchLean.Thm.Executions
import PytestTorchLean.Thm.Certified
import PytestTorchLean.Thm.CertifiedCurves
import PytestTorchLean.Thm.CertifiedRoots
import PytestTorchLean.Thm.CertifiedProducts
import PytestTorchLean.Thm.CertifiedPlanes
import PytestTorchLean.Thm.CertifiedRelaxation
import PytestTorchLean.Thm.CertifiedBranches
import PytestTorchLean.Thm.CertifiedChoices
import PytestTorchLean.Thm.CertifiedMultipliers
import PytestTorchLean.Thm.CertifiedFrames
import PytestTorchLean.Thm.CertifiedPairs
import PytestTorchLean.Thm.CertifiedZeros
import PytestTorchLean.Thm.CertifiedSigns
import PytestTorchLean.Thm.CertifiedShares
import PytestTorchLean.Thm.CertifiedTogether
import PytestTorchLean.Thm.Axioms
import PytestTorchLean.Approximation.Square
import PytestTorchLean.Thm.Conversion
import PytestTorchLean.Thm.NoOverflow
import PytestTorchLean.Thm.RoundedInput
import PytestTorchLean.Thm.ScheduleInstances
import PytestTorchLean.Thm.SquareRoot
/-! All that is proved besides soundness: what runtimes compute is an execution, instances of every headline
theorem, universal approximation. No certificate rests on it; the project's tests build it and pin its
axioms. -/
