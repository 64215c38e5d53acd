prelude
import PytestTorchLean
/-! Maxima and minima: inputs x between -1 and 1 (slot 2) and y between 2 and 3 (slot 3), one node of two results. -/
namespace PytestTorchLean.Test

/-- -1 ≤ x ≤ 1, 2 ≤ y ≤ 3 -/
def box : Box := ⟨1, 1, 8, 0x0300, 0x0402⟩
def scale : Scale := ⟨1024, 4096, 46⟩
def decoding : Decoding := ⟨127, 1, 25⟩
/-- of (x, y), then of (1, x) -/
def sources : Nat := 0x00000002_00000001_00000003_00000002
def graph (node : Node) : Graph := ⟨2, [node]⟩
def step : Step := ⟨⟨0, 0, 0⟩, 0, 0⟩
def certificate : Certificate := ⟨scale, [[.node step (.conclude (.direct decoding))]]⟩

/-- Rows of three weights, for 1 and the node's two results. -/
def forms (count weights : Nat) : Affine := ⟨count, 3, 1, weights, 1, 0x00000005_00000004_00000001, 1⟩
/-- `first - 2 ≥ 0`, `second - 1 ≥ 0` -/
def largest : List Claim := [⟨⟨forms 2 0x3F800000_00000000_BF800000_00000000_3F800000_C0000000, .false, 1⟩, [box]⟩]
/-- `1 - first ≥ 0`, `1 - second ≥ 0` -/
def smallest : List Claim := [⟨⟨forms 2 0xBF800000_00000000_3F800000_00000000_BF800000_3F800000, .false, 1⟩, [box]⟩]

theorem maximum : check .plain .real (graph (.maximum 2 sources)) largest certificate = .true := by decide +kernel
theorem minimum : check .plain .real (graph (.minimum 2 sources)) smallest certificate = .true := by decide +kernel
theorem proved.{u} (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real (graph (.maximum 2 sources))) largest := sound K maximum
-- the same bounds are not strict
theorem strictly : check .plain .real (graph (.maximum 2 sources)) [⟨⟨forms 2 0x3F800000_00000000_BF800000_00000000_3F800000_C0000000, .true, 1⟩, [box]⟩] certificate = .false := by decide +kernel
-- the other operation
theorem minimum_for_maximum : check .plain .real (graph (.minimum 2 sources)) largest certificate = .false := by decide +kernel
theorem maximum_for_minimum : check .plain .real (graph (.maximum 2 sources)) smallest certificate = .false := by decide +kernel
-- a source swapped: x in place of y
theorem swapped : check .plain .real (graph (.maximum 2 0x00000002_00000001_00000002_00000002)) largest certificate = .false := by decide +kernel
-- a slot that is not written yet, as a first and as a second operand
theorem ahead : check .plain .real (graph (.maximum 2 0x00000002_00000001_00000003_00000004)) largest certificate = .false := by decide +kernel
theorem ahead_second : check .plain .real (graph (.maximum 2 0x00000005_00000001_00000003_00000002)) largest certificate = .false := by decide +kernel
-- a result too few
theorem too_few : check .plain .real (graph (.maximum 1 sources)) largest certificate = .false := by decide +kernel
theorem none_at_all : check .plain .real (graph (.maximum 0 sources)) largest certificate = .false := by decide +kernel
-- a node left out of the script
theorem left_out : check .plain .real (graph (.maximum 2 sources)) largest ⟨scale, [[.conclude (.direct decoding)]]⟩ = .false := by decide +kernel

end PytestTorchLean.Test
