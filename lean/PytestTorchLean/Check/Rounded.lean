prelude
import PytestTorchLean.Check.Passed
/-!
# Bounds of an affine node in binary32, for every order of summation
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Affine
/-- Bounds of the outputs of an affine node, and the error radii of its rows. -/
def runRounded (s : Scale) (a : Affine) (step : Step) (direct mirrored start : Nat) (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  false

theorem runRounded_sound {s : Scale} {slots : Nat → K} {a : Affine} {step : Step} {direct mirrored start : Nat} {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots start) (hn : (Node.affine a).Holds .binary32 slots start)
    (h : runRounded s a step direct mirrored start next = true) :
    (Node.affine a).Finite .binary32 slots ∧ ∃ error direct' mirrored', (Passed.mk (.affine a) start step.decoding error).Holds s slots ∧
      (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧
      next error direct' mirrored' (start + (Node.affine a).size) = true :=
  Bool.noConf_tf (Eq.symm h)
end Affine
end PytestTorchLean
