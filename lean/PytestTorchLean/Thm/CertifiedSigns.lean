prelude
import PytestTorchLean.Thm.CertifiedCurves
/-!
# Accepted certificates with signs and with fused operations

The sign of a number from 1 to 2 is 1; of a number from 0 to 1 nothing is known but that it is from -1 to 1. A
share of a Softmax is composed by nodes before, and its node grants the budget: exactly nothing, in binary32
as much as `Curve.Budget` says.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- `1 ≤ x ≤ 2` -/
def pastOne : Box := ⟨1, 0, 8, 1, 2⟩
/-- `2 y - 1 ≥ 0` -/
def signClaims : List Claim := [⟨curveForm 2 0x80000001, [pastOne]⟩]
theorem sign_accepted : check .smooth .real (curveGraph .sign) signClaims curveCertificate = true := by
  decide +kernel
theorem sign_accepted_binary32 :
    check .smooth .binary32 (curveGraph .sign) signClaims curveCertificate = true := by decide +kernel
/-- The sign of 0 may be less than 1. -/
theorem sign_refused : check .smooth .real (curveGraph .sign) [⟨curveForm 2 0x80000001, [zeroToOne]⟩]
    curveCertificate = false := by decide +kernel
/-- What `sound` says of the sign, in binary32. -/
theorem sign_bounded (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 (curveGraph .sign)) signClaims :=
  PytestTorchLean.sound K sign_accepted_binary32
def signSlots (i : Nat) : Nat := cond (Nat.beq i 0) 0 1
/-- There is such an execution: 1 is the sign of 1. -/
theorem sign_executes (K : Type u) [OrderedRing K] (e : K → K) (he : IsExponential e) :
    Executes .real (curveGraph .sign) (fun i => (natural (signSlots i) : K)) := by
  refine ⟨rfl, rfl, ⟨e, he, fun i hi => ?_⟩, trivial⟩
  have hi : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hi) (Nat.zero_le _)
  subst hi
  have zero := natural_nonneg (K := K) 1
  have one : (natural 1 : K) = 1 := rfl
  show Curve.sign.At e (natural 1) (natural 1)
  rw [one] at zero ⊢
  exact ⟨le_refl 1, le_cert ((ring1 K x, x - -x, x + x) 1) (add_nonneg zero zero), fun _ => rfl,
    fun h => absurd zero h⟩

/-- A share of at most 1 is at most 1, exactly; in binary32 at most 2, and not at most 1. -/
theorem softmax_accepted : check .smooth .real (curveGraph (.fused .softmax))
    [⟨curveForm 0x80000001 1, [zeroToOne]⟩] curveCertificate = true := by decide +kernel
theorem softmax_accepted_binary32 : check .smooth .binary32 (curveGraph (.fused .softmax))
    [⟨curveForm 0x80000001 2, [zeroToOne]⟩] curveCertificate = true := by decide +kernel
theorem softmax_refused : check .smooth .binary32 (curveGraph (.fused .softmax))
    [⟨curveForm 0x80000001 1, [zeroToOne]⟩] curveCertificate = false := by decide +kernel
/-- What `sound` says of a share, in binary32. -/
theorem softmax_bounded (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 (curveGraph (.fused .softmax))) [⟨curveForm 0x80000001 2, [zeroToOne]⟩] :=
  PytestTorchLean.sound K softmax_accepted_binary32

end Example
end PytestTorchLean
