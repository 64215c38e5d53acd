prelude
import PytestTorchLean
/-! Parts of a tree of cases, each its own theorem, joined to the claim. -/
namespace PytestTorchLean.Test

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

-- x at most 0; x at least 0 and y at most 1/2; x at least 0 and y at least 1/2
theorem part_left : checkPart .plain .real graph scale either box [left] early = .true := by decide +kernel
theorem part_low : checkPart .plain .real graph scale either box [⟨3, 4608, true⟩, right] late = .true := by decide +kernel
theorem part_high : checkPart .plain .real graph scale either box [⟨3, 4608, false⟩, right] late = .true := by decide +kernel
-- one theorem for two cases within a part
theorem part_right : checkPart .plain .real graph scale either box [right]
    (.known 0 (.node step (.split 3 4608 (.node step last) (.node step last)))) = .true := by decide +kernel

universe u
theorem box_holds (K : Type u) [OrderedRing K] : PartHolds K .real graph scale either box [] :=
  .join (.checked K part_left) (.join (.checked K part_low) (.checked K part_high))
theorem box_holds_too (K : Type u) [OrderedRing K] : PartHolds K .real graph scale either box [] :=
  .join (.checked K part_left) (.checked K part_right)
theorem proved (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real graph) claims :=
  sound_parts (s := scale) ⟨⟨box_holds K, box_holds_too K, trivial⟩, trivial⟩


-- without the case, with the other side of it, with another value
theorem whole : checkPart .plain .real graph scale either box [left] (.node step (.node step last)) = .false := by decide +kernel
theorem above_too : checkPart .plain .real graph scale either box [⟨2, 4095, false⟩] early = .false := by decide +kernel
theorem below_too : checkPart .plain .real graph scale either box [⟨2, 4097, true⟩] early = .false := by decide +kernel
-- one alternative removed
def positive : Property := { either with forms := { either.forms with rows := 1 } }
theorem only_positive : checkPart .plain .real graph scale positive box [left] early = .false := by decide +kernel
theorem positive_right : checkPart .plain .real graph scale positive box [right] early = .true := by decide +kernel
-- a place beyond the path; a slot that is not written yet
theorem no_such_case : checkPart .plain .real graph scale either box [left] (.known 1 (.node step (.node step last))) = .false := by decide +kernel
theorem too_early : checkPart .plain .real graph scale either box [⟨3, 4096, true⟩] early = .false := by decide +kernel
-- a certificate assumes nothing
theorem assumed : check .plain .real graph claims ⟨scale, [[early]]⟩ = .false := by decide +kernel
theorem complete : check .plain .real graph claims ⟨scale, [[.split 2 4096 (.node step (.node step last)) (.node step (.node step last))]]⟩ = .true := by decide +kernel
-- units that do not fit
theorem unfitting : checkPart .plain .real graph ⟨1024, 4096, 12⟩ either box [left] early = .false := by decide +kernel
-- a case that no input of the box meets
theorem empty_case : checkPart .plain .real graph scale positive box [⟨2, 3000, true⟩] early = .true := by decide +kernel

end PytestTorchLean.Test
