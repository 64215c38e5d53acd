prelude
import PytestTorchLean
/-! The parts are about two boxes. -/
namespace PytestTorchLean.Test
universe u

/-- x between -1 and 1 in slot 2; y = x in slot 3, z = max(y, 0) in slot 4 -/
def same : Affine := ⟨1, 3, 1, 0x00000000_00000000_3F800000, 1, 0x00000000_00000000_00000002, 1⟩
def graph : Graph := ⟨1, [.affine same, .relu 3 1]⟩
def box : Box := ⟨1, 1, 8, 0, 2⟩
def scale : Scale := ⟨1024, 4096, 46⟩
def decoding : Decoding := ⟨127, 1, 25⟩
def step : Step := ⟨decoding, 0, 0⟩
/-- `y ≥ 0` or `-y ≥ 0`: true, but not to be seen from one interval -/
def either : Property := ⟨⟨2, 3, 1, 0x00000000_BF800000_00000000_00000000_3F800000_00000000, 1, 0x00000000_00000003_00000001, 1⟩, .false, 2⟩
def claims : List Claim := [⟨either, [box, box]⟩]

def last : Script := .conclude (.direct decoding)
/-- The case at place 0 of the path is of an input. -/
def early : Script := .known 0 (.node step (.node step last))
/-- Place 1 is of the input, place 0 of y. -/
def late : Script := .known 1 (.node step (.known 0 (.node step last)))
/-- The number 0 is 4096 in fixed point. -/
def left : Case := ⟨2, 4096, true⟩
def right : Case := ⟨2, 4096, false⟩

def smaller : Box := ⟨1, 1, 8, 1, 2⟩
theorem part_left_checked : checkPart .plain .real graph scale either box [left] early = .true := by decide +kernel
theorem part_left (K : Type u) [OrderedRing K] : PartHolds K .real graph scale either box [left] := .checked K part_left_checked
theorem part_right_checked : checkPart .plain .real graph scale either smaller [right] early = .true := by decide +kernel
theorem part_right (K : Type u) [OrderedRing K] : PartHolds K .real graph scale either smaller [right] := .checked K part_right_checked
theorem box_holds (K : Type u) [OrderedRing K] : PartHolds K .real graph scale either box [] :=
  .join (part_left K) (part_right K)

end PytestTorchLean.Test
