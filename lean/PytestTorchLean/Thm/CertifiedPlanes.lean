prelude
import PytestTorchLean.Smooth
import PytestTorchLean.Thm.Certified
/-!
# Accepted certificates with rows in the stead of products and quotients

Two inputs, `x` and `y`, their product or quotient, and two affine nodes behind it. Bounds one by one forget
that the same inputs come back there; rows that go back to the inputs, through the plane that stands for the
product, do not.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- slot 4 less slot 2 -/
def lessFirst : Node := .affine ⟨1, 6, 1, 0x3F800000BF800000, 1, 2 + 2 ^ 32 * 4, 1⟩
/-- `x * y - x - y`, in slot 6 -/
def planeProduct : Graph :=
  ⟨2, [.bilinear 1 1 0x0000000300000002, lessFirst,
        .affine ⟨1, 6, 1, 0x3F800000BF800000, 1, 3 + 2 ^ 32 * 5, 1⟩]⟩
/-- `x / y - x + y`, in slot 6 -/
def planeQuotient : Graph :=
  ⟨2, [.quotient 1 0x0000000300000002, lessFirst,
        .affine ⟨1, 6, 1, 0x3F8000003F800000, 1, 3 + 2 ^ 32 * 5, 1⟩]⟩
/-- `5 * slot 6 + constant ≥ 0`; the constant is a subnormal pattern. -/
def planeForm (constant : Nat) : Property := ⟨⟨1, 6, 1, 5 + 2 ^ 32 * constant, 1, 6 + 2 ^ 32, 1⟩, false, 1⟩
/-- `x * y - x - y ≥ -8/5` on `0 ≤ x, y ≤ 1` -/
def productClaims : List Claim := [⟨planeForm 8, [⟨1, 0, 8, 0, 0x0101⟩]⟩]
/-- `x / y - x + y ≥ 2/5` on `1 ≤ x, y ≤ 2` -/
def quotientClaims : List Claim := [⟨planeForm 0x80000002, [⟨1, 0, 8, 0x0101, 0x0202⟩]⟩]

/-- A plane's weights, and where the slopes and sums are that show how far it is off. -/
def planeOf (weights : Nat) (decoding : Decoding) (entries : Nat) : Linearization :=
  ⟨⟨1, 6, 1, weights, 1, 2 + 2 ^ 32 * 3 + 2 ^ 64, 1⟩, decoding, entries⟩
/-- `x / 2 + y / 2 - 1/4`, which `x * y` differs from by at most 1/4 -/
def halfPlane : Linearization :=
  planeOf 0xBE8000003F0000003F000000 ⟨125, 1, 25⟩
    0x180000000000002000000000300000000000001000000000300000000000000
/-- `0.668 x - 0.832 y + 1.25` -/
def quotientPlane : Linearization :=
  planeOf 0x3FA00000BF5500003F2B0000 ⟨126, 1, 25⟩
    0x34000000000000200000000012B0000000000010000000002AB000000000000
def noStep : Step := ⟨⟨1, 0, 0⟩, 0, 0⟩
def unitStep : Step := ⟨⟨127, 0, 24⟩, 0, 0⟩
/-- Both affine nodes, then the rows of the property back to the inputs; each input is also read on the
    way. -/
def planeRows (bits other short : Nat) : Script :=
  .node unitStep (.node unitStep
      (.conclude (.relaxed ⟨1, 0, bits⟩ 0 3
          ⟨50, 6, 1, 6, 1, 0, [.through 3 3 6 20, .fork 1 2, .through 2 3 23 20, .join 536870912 1 1 22 0 20,
              .fork 2 2, .through 2 2 24 20, .join 9007199254740992 1 other 22 0 short]⟩)))
def productScript (plane : Linearization) : Certificate :=
  ⟨⟨2 ^ 32, 2 ^ 35, 96⟩, [[.node noStep (.linearize plane (planeRows 4 2 20))]]⟩
def quotientScript (plane : Linearization) : Certificate :=
  ⟨⟨2 ^ 32, 2 ^ 36, 96⟩, [[.node noStep (.linearize plane (planeRows 3 1 18))]]⟩

theorem planes_product (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .real planeProduct) productClaims :=
  PytestTorchLean.sound K (rules := .smooth) (c := productScript halfPlane) (by decide +kernel)
theorem planes_product_binary32 (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 planeProduct) productClaims :=
  PytestTorchLean.sound K (rules := .smooth) (c := productScript halfPlane) (by decide +kernel)
/-- Bounds one by one do not suffice; weights other than the slopes say are refused, and so are planes where
    no rules are named for them. -/
theorem planes_product_refused :
    check .smooth .real planeProduct productClaims
        ⟨⟨2 ^ 32, 2 ^ 35, 96⟩,
          [[.node noStep (.node unitStep (.node unitStep (.conclude (.direct ⟨1, 0, 4⟩))))]]⟩ = false ∧
    check .smooth .real planeProduct productClaims
        (productScript (planeOf 0x3E8000003F0000003F000000 ⟨125, 1, 25⟩ halfPlane.entries)) = false ∧
    check .plain .real planeProduct productClaims (productScript halfPlane) = false :=
  ⟨by decide +kernel, by decide +kernel, by decide +kernel⟩

theorem planes_quotient (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .real planeQuotient) quotientClaims :=
  PytestTorchLean.sound K (rules := .smooth) (c := quotientScript quotientPlane) (by decide +kernel)
theorem planes_quotient_binary32 (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 planeQuotient) quotientClaims :=
  PytestTorchLean.sound K (rules := .smooth) (c := quotientScript quotientPlane) (by decide +kernel)
/-- The same for quotients. -/
theorem planes_quotient_refused :
    check .smooth .real planeQuotient quotientClaims
        ⟨⟨2 ^ 32, 2 ^ 36, 96⟩,
          [[.node noStep (.node unitStep (.node unitStep (.conclude (.direct ⟨1, 0, 3⟩))))]]⟩ = false ∧
    check .smooth .real planeQuotient quotientClaims
        (quotientScript (planeOf 0x3FA00000BF5500003F3B0000 ⟨126, 1, 25⟩ quotientPlane.entries)) = false ∧
    check .plain .real planeQuotient quotientClaims (quotientScript quotientPlane) = false :=
  ⟨by decide +kernel, by decide +kernel, by decide +kernel⟩

end Example
end PytestTorchLean
