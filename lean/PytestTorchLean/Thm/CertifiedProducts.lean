prelude
import PytestTorchLean.Smooth
import PytestTorchLean.Thm.Certified
/-!
# Accepted certificates with products and quotients

The layer of Thm/Certified, and behind it a sum of products, or a quotient. The same certificates are refused
where no rules are named for them.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- The layer's value times itself, plus `x0 * x1`, is positive: a square is not negative, and both inputs
    are. -/
def productGraph : Graph := ⟨2, [.affine wide, .bilinear 1 2 0x00000003000000020000000400000004]⟩
def productCertificate : Certificate :=
  ⟨scale, [[.node affineStep (.node reluStep (.conclude (.direct formDecoding)))]]⟩
theorem product_bounded (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real productGraph) claims :=
  PytestTorchLean.sound K (rules := .smooth) (c := productCertificate) (by decide +kernel)
theorem product_bounded_binary32 (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 productGraph) claims :=
  PytestTorchLean.sound K (rules := .smooth) (c := productCertificate) (by decide +kernel)
/-- Without rules for products there is no bound, in either semantics. -/
theorem product_without_rules :
    check .plain .real productGraph claims productCertificate = false ∧
    check .plain .binary32 productGraph claims productCertificate = false :=
  ⟨by decide +kernel, by decide +kernel⟩
/-- `y * 0` is not positive, and the checker says no. -/
theorem product_refused :
    check .smooth .real ⟨2, [.affine wide, .bilinear 1 1 0x0000000000000004]⟩ claims productCertificate =
    false := by
  decide +kernel
/-- A product of slots that are not written yet is refused. -/
theorem product_unwritten :
    check .smooth .real ⟨2, [.affine wide, .bilinear 1 1 0x0000000500000004]⟩ claims productCertificate =
    false := by
  decide +kernel
/-- `x0 / x1` is positive: both inputs are, and `x1` is bounded away from 0. -/
def quotientGraph : Graph := ⟨2, [.affine wide, .quotient 1 0x0000000300000002]⟩
theorem quotient_bounded (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real quotientGraph) claims :=
  PytestTorchLean.sound K (rules := .smooth) (c := productCertificate) (by decide +kernel)
theorem quotient_bounded_binary32 (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 quotientGraph) claims :=
  PytestTorchLean.sound K (rules := .smooth) (c := productCertificate) (by decide +kernel)
/-- Nor for quotients without rules for them. -/
theorem quotient_without_rules : check .plain .real quotientGraph claims productCertificate = false := by
  decide +kernel
/-- A divisor that may be 0 is refused, whatever is claimed. -/
theorem quotient_by_zero :
    check .smooth .real ⟨2, [.affine wide, .quotient 1 0x0000000000000002]⟩ claims productCertificate =
    false := by
  decide +kernel
end Example
end PytestTorchLean
