prelude
import PytestTorchLean.Thm.Certified
/-!
# An accepted certificate of a graph that branches

`s = x + max(-x, 0)` on `-1 ≤ x ≤ 1/2` is never negative, which bounds of `x` and of `max(-x, 0)`, each for
itself, do not tell. The row of `2 s + 1` forks at the sum: the part that reads the ReLU goes back through it
to `x`, where the other part waits.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- slot 2 holds `x`, slot 3 `-x`, slot 4 its ReLU, slot 5 the sum of slots 2 and 4 -/
def branchGraph : Graph :=
  ⟨1, [.affine ⟨1, 6, 1, 0xbf800000, 1, 2, 1⟩, .relu 3 1,
        .affine ⟨1, 6, 1, 2 ^ 32 * 0x3f800000 + 0x3f800000, 1, 2 + 2 ^ 32 * 4, 1⟩]⟩
/-- `2 * slot 5 + slot 1`, in subnormal patterns -/
def branchForms : Affine := ⟨1, 6, 1, 2 + 2 ^ 32, 1, 5 + 2 ^ 32, 1⟩
/-- `-2/2 ≤ x ≤ 1/2` -/
def branchBox : Box := ⟨2, 2, 192, 0, 3⟩
def branchClaims : List Claim := [⟨⟨branchForms, true, 1⟩, [branchBox]⟩]
def branchScale : Scale := ⟨2 ^ 32, 2 ^ 35, 96⟩
def branchStep : Step := ⟨⟨127, 1, 24⟩, 0, 0⟩
def branchScript (links : List Relaxation.Link) : Script :=
  .node branchStep
    (.node reluStep (.node branchStep (.conclude (.relaxed ⟨1, 0, 2⟩ 0 2 ⟨58, 6, 1, 5, 1, 0, links⟩))))
/-- Through the sum to slots 2 to 4; then slot 4 alone through the ReLU and on to slot 2, while slot 2
    waits. -/
def forked (join : List Relaxation.Link) : List Relaxation.Link :=
  .through 2 3 5 20 :: .fork 1 2 :: .bend 8 256 171 :: .through 2 1 31 20 :: join

theorem branch_accepted :
    check .plain .real branchGraph branchClaims
      ⟨branchScale, [[branchScript (forked [.join (2 ^ 36) 1 1 22 0 1])]]⟩ = true := by
  decide +kernel
/-- What waits may not be forgotten, and rows that end at the sum do not suffice. -/
theorem branch_refused :
    check .plain .real branchGraph branchClaims ⟨branchScale, [[branchScript (forked [])]]⟩ = false ∧
    check .plain .real branchGraph branchClaims ⟨branchScale, [[branchScript [.through 2 3 5 20]]]⟩ = false :=
  ⟨by decide +kernel, by decide +kernel⟩
/-- What the row proves. -/
theorem branch_sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real branchGraph) branchClaims :=
  PytestTorchLean.sound K branch_accepted

end Example
end PytestTorchLean
