prelude
import PytestTorchLean.Thm.CertifiedMultipliers
/-!
# An accepted certificate whose rows change their distance

The claim of [CertifiedMultipliers](CertifiedMultipliers.lean) once more. Rows start six digits apart, and are
moved before they go back to the input.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- The rows of the property, as `phaseRows` carries them back, at the end `width` digits apart. -/
def framedRows (width lower upper : Nat) (multipliers : List Relaxation.Multiplier) : Script :=
  .node reluStep (.conclude (.relaxed ⟨1, 0, 5⟩ 0 5 ⟨60, 6, 2, 5, 2, 0,
    [.bend 8 lower upper, .multiply multipliers 15, .reframe width, .through 2 1 15 26]⟩))
def framedScript (width : Nat) : Script :=
  .node phaseStep (.split 3 threeFortieths
    (framedRows width 0x20000 0x20012 [⟨1, 0, 2560, true⟩])
    (framedRows width 0x20100 0x20100 [⟨0, 0, 5120, false⟩]))

/-- Rows are moved apart. -/
theorem framed_accepted :
    check .plain .real phaseGraph phaseClaims ⟨phaseScale, [[framedScript 9]]⟩ = true := by
  decide +kernel
/-- Neither rows of two slots nor the sums of the link that follows fit a frame that is too narrow. -/
theorem framed_too_narrow :
    check .plain .real phaseGraph phaseClaims ⟨phaseScale, [[framedScript 1]]⟩ = false ∧
    check .plain .real phaseGraph phaseClaims ⟨phaseScale, [[framedScript 5]]⟩ = false :=
  ⟨by decide +kernel, by decide +kernel⟩
/-- What the moved rows prove. -/
theorem framed_sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real phaseGraph) phaseClaims :=
  PytestTorchLean.sound K framed_accepted

end Example
end PytestTorchLean
