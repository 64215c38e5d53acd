prelude
import PytestTorchLean.Thm.Certified
/-!
# An accepted certificate with multipliers of ReLU phases

Two neurons that read the same input, `r0 = max(x, 0)` and `r1 = max(x + 2, 0)`, on `-1 ≤ x ≤ 1`. One of
`20 r0 - 1` and `21 - 10 r1` is positive, because `x` lies above 1/20 or below 1/10. The certificate
distinguishes `x ≤ 3/40` and `x ≥ 3/40` at the value before the first ReLU. In either case the row that goes
back to `x` forgets what is known of that value; a multiplier tells it.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- `1 0` over `1 2`: the input in slot 2, and slot 1, which holds 1. Six lanes of one column each. -/
def phaseWeights : Nat := 2 ^ 192 * 0x400000003f800000 + 0x3f800000
def phaseGraph : Graph := ⟨1, [.affine ⟨2, 6, 1, phaseWeights, 1, 2 + 2 ^ 32, 1⟩, .relu 3 2]⟩
/-- `20 * slot 5 - slot 1` over `-10 * slot 6 + 21 * slot 1`, in subnormal patterns -/
def phaseForms : Nat := 2 ^ 192 * 0x000000158000000a00000000 + 0x800000010000000000000014
/-- one of the two rows is positive -/
def eitherPhase : Property := ⟨⟨2, 6, 1, phaseForms, 1, 5 + 2 ^ 32 * 6 + 2 ^ 64, 1⟩, true, 2⟩
/-- `-1 ≤ x ≤ 1` -/
def signedBox : Box := ⟨1, 1, 192, 0, 2⟩
def phaseClaims : List Claim := [⟨eitherPhase, [signedBox]⟩]
def phaseScale : Scale := ⟨2 ^ 32, 2 ^ 36, 96⟩
def phaseStep : Step := ⟨⟨127, 1, 25⟩, 0, 0⟩
/-- The fixed-point number of 3/40, rounded down. -/
def threeFortieths : Nat := 2 ^ 36 + 322122547
/-- The rows of the property, carried back through the ReLU, given a multiplier, and carried to the input. -/
def phaseRows (lower upper : Nat) (multipliers : List Relaxation.Multiplier) : Script :=
  .node reluStep (.conclude (.relaxed ⟨1, 0, 5⟩ 0 5
        ⟨60, 6, 2, 5, 2, 0, [.bend 8 lower upper, .multiply multipliers 15, .through 2 1 15 26]⟩))
def phaseScript (below above : List Relaxation.Multiplier) : Script :=
  .node phaseStep
    (.split 3 threeFortieths (phaseRows 0x20000 0x20012 below) (phaseRows 0x20100 0x20100 above))

/-- Below, 10 times `3/40 - x` for the second row; above, 20 times `x - 3/40` for the first. -/
theorem multiplied_accepted :
    check .plain .real phaseGraph phaseClaims
      ⟨phaseScale, [[phaseScript [⟨1, 0, 2560, true⟩] [⟨0, 0, 5120, false⟩]]]⟩ = true := by
  decide +kernel
/-- Without the multiplier of either case the rows do not suffice. -/
theorem unmultiplied_refused :
    check .plain .real phaseGraph phaseClaims ⟨phaseScale, [[phaseScript [] [⟨0, 0, 5120, false⟩]]]⟩ = false ∧
    check .plain .real phaseGraph phaseClaims ⟨phaseScale, [[phaseScript [⟨1, 0, 2560, true⟩] []]]⟩ = false :=
  ⟨by decide +kernel, by decide +kernel⟩
/-- What the two cases prove together. -/
theorem multiplied_sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real phaseGraph) phaseClaims :=
  PytestTorchLean.sound K multiplied_accepted

end Example
end PytestTorchLean
