prelude
import PytestTorchLean.Thm.CertifiedBranches
/-!
# An accepted certificate of a graph with a maximum

`s = x + max(x, -x)` on `-1 ≤ x ≤ 1/2` is never negative, which bounds of `x` and of the maximum, each for
itself, do not tell. The row of `2 s + 1` takes `-x` in place of the maximum, which is at least that, and
meets `x`, which waits.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- slot 2 holds `x`, slot 3 `-x`, slot 4 their maximum, slot 5 the sum of slots 2 and 4 -/
def choiceGraph : Graph := ⟨1, [.affine ⟨1, 6, 1, 0xbf800000, 1, 2, 1⟩, .maximum 1 (2 + 2 ^ 32 * 3),
  .affine ⟨1, 6, 1, 2 ^ 32 * 0x3f800000 + 0x3f800000, 1, 2 + 2 ^ 32 * 4, 1⟩]⟩
/-- Through the sum to slots 2 to 4; then slot 4 alone through the maximum and on to slot 2, while slot 2
    waits. -/
def choiceScript (choose : Relaxation.Link) : Script :=
  branchScript [.through 2 3 5 20, .fork 1 2, choose, .through 2 1 31 20, .join (2 ^ 36) 1 1 22 0 1]

theorem choice_accepted :
    check .plain .real choiceGraph branchClaims ⟨branchScale, [[choiceScript (.choose 8 0 0 3 1 0 29)]]⟩ =
    true := by
  decide +kernel
/-- The maximum is at least `x`, too, but that does not suffice; and no slope exceeds 1. -/
theorem choice_refused :
    check .plain .real choiceGraph branchClaims ⟨branchScale, [[choiceScript (.choose 8 256 0 3 1 0 29)]]⟩ =
      false ∧
    check .plain .real choiceGraph branchClaims ⟨branchScale, [[choiceScript (.choose 8 0 257 3 1 0 29)]]⟩ =
      false := ⟨by decide +kernel, by decide +kernel⟩
/-- What the row proves. -/
theorem choice_sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real choiceGraph) branchClaims :=
  PytestTorchLean.sound K choice_accepted

end Example
end PytestTorchLean
