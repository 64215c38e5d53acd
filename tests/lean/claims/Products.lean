prelude
import PytestTorchLean
import PytestTorchLean.Smooth
/-! Products: inputs x between -1 and 2 (slot 2) and y between 2 and 3 (slot 3), one node of two results. -/
namespace PytestTorchLean.Test

/-- -1 ≤ x ≤ 2, 2 ≤ y ≤ 3 -/
def box : Box := ⟨1, 1, 8, 0x0300, 0x0403⟩
def scale : Scale := ⟨1024, 16384, 46⟩
def decoding : Decoding := ⟨127, 2, 26⟩
/-- x * y, then x * x -/
def sources : Nat := 0x00000002_00000002_00000003_00000002
def graph (node : Node) : Graph := ⟨2, [node]⟩
def step : Step := ⟨⟨0, 0, 0⟩, 0, 0⟩
def certificate : Certificate := ⟨scale, [[.node step (.conclude (.direct decoding))]]⟩

/-- Rows of three weights, for 1 and the node's two results. -/
def forms (count weights : Nat) : Affine := ⟨count, 3, 1, weights, 1, 0x00000005_00000004_00000001, 1⟩
/-- `first + 3 ≥ 0`, `second ≥ 0` -/
def least : List Claim := [⟨⟨forms 2 0x3F800000_00000000_00000000_00000000_3F800000_40400000, .false, 1⟩, [box]⟩]
/-- `6 - first ≥ 0`, `4 - second ≥ 0` -/
def largest : List Claim := [⟨⟨forms 2 0xBF800000_00000000_40800000_00000000_BF800000_40C00000, .false, 1⟩, [box]⟩]


theorem bounded_below : check .smooth .real (graph (.bilinear 2 1 sources)) least certificate = .true := by decide +kernel
theorem bounded_above : check .smooth .real (graph (.bilinear 2 1 sources)) largest certificate = .true := by decide +kernel
-- without rules for products nothing is bounded
theorem without_rules : check .plain .real (graph (.bilinear 2 1 sources)) least certificate = .false := by decide +kernel
theorem proved.{u} (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real (graph (.bilinear 2 1 sources))) least := sound K bounded_below
-- as one sum: x * y + x * x is between -3 and 10
theorem summed : check .smooth .real (graph (.bilinear 1 2 sources)) [⟨⟨⟨1, 3, 1, 0x00000000_3F800000_40400000, 1, 0x00000000_00000004_00000001, 1⟩, .false, 1⟩, [box]⟩] certificate = .true := by decide +kernel
-- a square is not positive where its factor is 0
theorem strictly : check .smooth .real (graph (.bilinear 2 1 sources)) [⟨⟨forms 1 0x3F800000_00000000_00000000, .true, 1⟩, [box]⟩] certificate = .false := by decide +kernel
-- rounding leaves no room at the end of an interval
theorem rounded : check .smooth .binary32 (graph (.bilinear 2 1 sources)) least certificate = .false := by decide +kernel
-- another corner: 3 in place of 6, x * y may be larger
theorem corner : check .smooth .real (graph (.bilinear 2 1 sources)) [⟨⟨forms 1 0x00000000_BF800000_40400000, .false, 1⟩, [box]⟩] certificate = .false := by decide +kernel
-- sources swapped: y in place of x
theorem swapped : check .smooth .real (graph (.bilinear 2 1 0x00000003_00000002_00000003_00000002)) least certificate = .false := by decide +kernel
-- a slot that is not written yet, on either side
theorem ahead : check .smooth .real (graph (.bilinear 2 1 0x00000002_00000002_00000004_00000002)) least certificate = .false := by decide +kernel
theorem ahead_second : check .smooth .real (graph (.bilinear 2 1 0x00000005_00000002_00000003_00000002)) least certificate = .false := by decide +kernel
-- a result too few; a sum of no products is 0
theorem too_few : check .smooth .real (graph (.bilinear 1 1 sources)) least certificate = .false := by decide +kernel
theorem no_products : check .smooth .real (graph (.bilinear 2 0 sources)) largest certificate = .true := by decide +kernel
-- a node left out of the script
theorem left_out : check .smooth .real (graph (.bilinear 2 1 sources)) least ⟨scale, [[.conclude (.direct decoding)]]⟩ = .false := by decide +kernel

end PytestTorchLean.Test
