prelude
import PytestTorchLean.Approximation.Square
import PytestTorchLean.Core.NatEquations
import PytestTorchLean.Smooth
import PytestTorchLean.Thm.Soundness
import PytestTorchLean.Thm.CertifiedSigns
import PytestTorchLean.Thm.CertifiedShares
import PytestTorchLean.Thm.Evaluator
import PytestTorchLean.Thm.Executions
import PytestTorchLean.Thm.Instances
/-!
# The axioms of every headline theorem

Lean prints them when it compiles this file. `propext` (equivalent propositions are equal) and `Quot.sound`
(related elements have equal classes) are Lean's usual axioms; nothing else may appear, and a test pins the
answers.
-/
set_option linter.all false

/-! ### The claim of an accepted certificate -/
#print axioms PytestTorchLean.sound
#print axioms PytestTorchLean.PartHolds.checked
#print axioms PytestTorchLean.PartHolds.join
#print axioms PytestTorchLean.sound_parts
#print axioms PytestTorchLean.Rules.plain_sound
#print axioms PytestTorchLean.Rules.smooth_sound

/-! ### The steps of the checker -/
#print axioms PytestTorchLean.Box.run_sound
#print axioms PytestTorchLean.Affine.run_sound
#print axioms PytestTorchLean.Relu.run_sound
#print axioms PytestTorchLean.Box.runHull_sound
#print axioms PytestTorchLean.Affine.runRounded_sound
#print axioms PytestTorchLean.Sums.near
#print axioms PytestTorchLean.Sums.close
#print axioms PytestTorchLean.IsSum.close
#print axioms PytestTorchLean.Affine.products_few
#print axioms PytestTorchLean.Script.run_sound
#print axioms PytestTorchLean.Compose.run_sound
#print axioms PytestTorchLean.Direct.run_sound
#print axioms PytestTorchLean.Clauses.run_sound
#print axioms PytestTorchLean.Weighted.run_sound
#print axioms PytestTorchLean.decode_sound
#print axioms PytestTorchLean.decode_finite
#print axioms PytestTorchLean.Split.run_sound
#print axioms PytestTorchLean.Extremum.run_sound
#print axioms PytestTorchLean.Curve.run_sound
#print axioms PytestTorchLean.Bilinear.run_sound
#print axioms PytestTorchLean.Quotient.run_sound
#print axioms PytestTorchLean.Relaxation.tighten_sound
#print axioms PytestTorchLean.Relaxation.conclude_sound
#print axioms PytestTorchLean.Relaxation.multiply_sound
#print axioms PytestTorchLean.Relaxation.fork_sound
#print axioms PytestTorchLean.Relaxation.join_sound
#print axioms PytestTorchLean.Relaxation.differ_sound
#print axioms PytestTorchLean.Relaxation.pair_sound
#print axioms PytestTorchLean.Relaxation.choose_sound
#print axioms PytestTorchLean.Relaxation.reframe_sound
#print axioms PytestTorchLean.Forward.conclude_sound
#print axioms PytestTorchLean.Forward.bendWithSymbols_sound
#print axioms PytestTorchLean.Linearize.products_sound
#print axioms PytestTorchLean.Linearize.quotients_sound
#print axioms PytestTorchLean.Forward.Cuts.run_sound
#print axioms PytestTorchLean.Forward.partsTogether_sound
#print axioms PytestTorchLean.Sign.enclose_sound

/-! ### What runtimes compute is among the executions -/
#print axioms PytestTorchLean.Binary32.sequential_is_execution
#print axioms PytestTorchLean.Binary32.fused_is_execution
#print axioms PytestTorchLean.Binary32.grouping_is_execution
#print axioms PytestTorchLean.Graph.Evaluates.executes
#print axioms PytestTorchLean.Binary32.RoundsTo.rounds

/-! ### Universal approximation -/
#print axioms PytestTorchLean.Approximation.universal_approximation
#print axioms PytestTorchLean.Approximation.universal_approximation_graph
#print axioms PytestTorchLean.Approximation.gridTable_approximates
#print axioms PytestTorchLean.Approximation.Table.approximates
#print axioms PytestTorchLean.Approximation.Table.interpolates
#print axioms PytestTorchLean.Approximation.Table.slots_eq
#print axioms PytestTorchLean.Approximation.Network.executes_graph
#print axioms PytestTorchLean.Approximation.Network.exists_execution

/-! ### Instances: the theorems are not vacuous -/
#print axioms PytestTorchLean.Integers.orderedRing
#print axioms PytestTorchLean.Example.executes
#print axioms PytestTorchLean.Example.executes_in_case
#print axioms PytestTorchLean.Example.executes_integers
#print axioms PytestTorchLean.executes_exact
#print axioms PytestTorchLean.Box.holds_hull
#print axioms PytestTorchLean.Example.executes_binary32
#print axioms PytestTorchLean.Example.overflows
#print axioms PytestTorchLean.Example.accepted
#print axioms PytestTorchLean.Example.accepted_binary32
#print axioms PytestTorchLean.Example.refused
#print axioms PytestTorchLean.Example.sound
#print axioms PytestTorchLean.Example.conclusion_binary32
#print axioms PytestTorchLean.Example.sign_bounded
#print axioms PytestTorchLean.Example.softmax_bounded
#print axioms PytestTorchLean.Example.shares_bounded
#print axioms PytestTorchLean.Example.universal_approximation
#print axioms PytestTorchLean.Example.square_accepted_binary32
#print axioms PytestTorchLean.Example.square_refused
#print axioms PytestTorchLean.Example.square_sound
#print axioms PytestTorchLean.Example.square_interpolates
#print axioms PytestTorchLean.Example.square_approximates

/-! ### Functions that the kernel computes by name -/
#print axioms PytestTorchLean.NatEquations.add_succ
#print axioms PytestTorchLean.NatEquations.sub_succ_succ
#print axioms PytestTorchLean.NatEquations.mul_succ
#print axioms PytestTorchLean.NatEquations.pow_succ
#print axioms PytestTorchLean.NatEquations.beq_succ_succ
#print axioms PytestTorchLean.NatEquations.ble_succ_succ
#print axioms PytestTorchLean.NatEquations.div_spec
#print axioms PytestTorchLean.NatEquations.mod_unique
#print axioms PytestTorchLean.NatEquations.gcd_succ
#print axioms PytestTorchLean.NatEquations.land_bit
#print axioms PytestTorchLean.NatEquations.lor_bit
#print axioms PytestTorchLean.NatEquations.xor_bit
#print axioms PytestTorchLean.NatEquations.shiftLeft_eq
#print axioms PytestTorchLean.NatEquations.shiftRight_eq
#print axioms PytestTorchLean.NatEquations.log2_step
