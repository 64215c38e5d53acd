prelude
import PytestTorchLean.Thm.CertifiedCurves
/-!
# Accepted certificates with roots, logarithms, error functions, sines and cosines, and executions of them

One input and one activation, as in Thm/CertifiedCurves. Bounds that do not hold are refused, and so are roots
and logarithms of numbers that may have none.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- `1 ≤ x ≤ 2` -/
def oneToTwo : Box := ⟨1, 0, 8, 1, 2⟩
/-- `15/16 ≤ x ≤ 1` -/
def nearOne : Box := ⟨16, 0, 8, 15, 16⟩
/-- `-1 ≤ x ≤ 1` -/
def aroundZero : Box := ⟨1, 1, 8, 0, 2⟩

/-- `√x ≤ 1.0001` up to 1, `√x ≤ 1.4143` up to 2, and not `√x ≤ 1.41`; nothing is said of an `x` that may be
    negative. -/
theorem sqrt_accepted :
    check .smooth .real (curveGraph .sqrt) [⟨curveForm 0x80002710 10001, [zeroToOne]⟩] curveCertificate =
    true := by
  decide +kernel
theorem sqrt_accepted_binary32 :
    check .smooth .binary32 (curveGraph .sqrt) [⟨curveForm 0x80002710 14143, [oneToTwo]⟩] curveCertificate =
    true := by
  decide +kernel
theorem sqrt_refused :
    check .smooth .binary32 (curveGraph .sqrt) [⟨curveForm 0x80000064 141, [oneToTwo]⟩] curveCertificate =
    false := by
  decide +kernel
theorem sqrt_of_negative_refused :
    check .smooth .real (curveGraph .sqrt) [⟨curveForm 0x80000001 9, [aroundZero]⟩] curveCertificate =
    false := by
  decide +kernel

/-- `log x ≤ 7/10` up to 2, and not `log x ≤ 2/3`; nothing is said of an `x` that may be 0. -/
theorem log_accepted :
    check .smooth .binary32 (curveGraph .log) [⟨curveForm 0x8000000A 7, [oneToTwo]⟩] curveCertificate =
    true := by
  decide +kernel
theorem log_refused :
    check .smooth .binary32 (curveGraph .log) [⟨curveForm 0x80000003 2, [oneToTwo]⟩] curveCertificate =
    false := by
  decide +kernel
theorem log_of_zero_refused :
    check .smooth .binary32 (curveGraph .log) [⟨curveForm 0x80000001 9, [zeroToOne]⟩] curveCertificate =
    false := by
  decide +kernel

/-- `log (1 + e^x) ≤ 4/3` up to 1, and not `≤ 13/10`. -/
theorem softplus_accepted :
    check .smooth .binary32 (curveGraph .softplus) [⟨curveForm 0x80000003 4, [aroundZero]⟩] curveCertificate =
    true := by
  decide +kernel
theorem softplus_refused :
    check .smooth .binary32 (curveGraph .softplus) [⟨curveForm 0x8000000A 13, [aroundZero]⟩]
      curveCertificate = false := by
  decide +kernel

/-- `erf x ≤ 17/20` up to 1, and not `≤ 21/25`. -/
theorem erf_accepted :
    check .smooth .binary32 (curveGraph .erf) [⟨curveForm 0x80000014 17, [zeroToOne]⟩] curveCertificate =
    true := by
  decide +kernel
theorem erf_refused :
    check .smooth .binary32 (curveGraph .erf) [⟨curveForm 0x80000019 21, [zeroToOne]⟩] curveCertificate =
    false := by
  decide +kernel

/-- Between 15/16 and 1 `sin x ≤ 17/20` and not `≤ 21/25`, `cos x ≤ 3/5` and not `≤ 29/50`. -/
theorem sine_accepted :
    check .smooth .binary32 (curveGraph .sine) [⟨curveForm 0x80000014 17, [nearOne]⟩] curveCertificate =
    true := by
  decide +kernel
theorem sine_refused :
    check .smooth .binary32 (curveGraph .sine) [⟨curveForm 0x80000019 21, [nearOne]⟩] curveCertificate =
    false := by
  decide +kernel
theorem cosine_accepted :
    check .smooth .binary32 (curveGraph .cosine) [⟨curveForm 0x80000005 3, [nearOne]⟩] curveCertificate =
    true := by
  decide +kernel
theorem cosine_refused :
    check .smooth .binary32 (curveGraph .cosine) [⟨curveForm 0x80000032 29, [nearOne]⟩] curveCertificate =
    false := by
  decide +kernel

/-- What a fused operation is granted is added: `y ≤ 1` does not follow from `x ≤ 1`, but `y ≤ 1.0001`
    does. -/
theorem fused_accepted :
    check .smooth .binary32 (curveGraph .fusedMish) [⟨curveForm 0x80002710 10001, [zeroToOne]⟩]
      curveCertificate = true := by
  decide +kernel
theorem fused_refused :
    check .smooth .binary32 (curveGraph .fusedMish) [⟨curveForm 0x80000001 1, [zeroToOne]⟩] curveCertificate =
    false := by
  decide +kernel
theorem fused_exact :
    check .smooth .real (curveGraph .fusedMish) [⟨curveForm 0x80000001 1, [zeroToOne]⟩] curveCertificate =
    true := by
  decide +kernel

variable {K : Type u} [OrderedRing K]

/-- Whatever its function, a graph of one activation is executed by an argument and the function's value
    there. -/
theorem curve_executes {function : Curve} {e : K → K} (he : IsExponential e) {x v : K}
    (h : function.At e x v) :
    Executes .real (curveGraph function) (curveSlots x v) := by
  refine ⟨rfl, rfl, ⟨e, he, fun i hi => ?_⟩, trivial⟩
  have i0 : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hi) (Nat.zero_le i)
  subst i0
  exact h
/-- Squares have roots, values of the exponential function have logarithms, and a number with `e^v = 1 + e^x`
    is the softplus of `x`. -/
theorem sqrt_executes {e : K → K} (he : IsExponential e) {v : K} (h : 0 ≤ v) :
    Executes .real (curveGraph .sqrt) (curveSlots (v * v) v) :=
  curve_executes he ⟨h, rfl⟩
theorem log_executes {e : K → K} (he : IsExponential e) (v : K) :
    Executes .real (curveGraph .log) (curveSlots (e v) v) :=
  curve_executes he rfl
theorem softplus_executes {e : K → K} (he : IsExponential e) {x v : K} (h : e v = 1 + e x) :
    Executes .real (curveGraph .softplus) (curveSlots x v) :=
  curve_executes he h
theorem erf_executes {e : K → K} (he : IsExponential e) {x v : K} (h : ErrorFunction e x v) :
    Executes .real (curveGraph .erf) (curveSlots x v) :=
  curve_executes he h
theorem sine_executes {e sine cosine : K → K} (he : IsExponential e) (h : IsCircle sine cosine) (x : K) :
    Executes .real (curveGraph .sine) (curveSlots x (sine x)) := curve_executes he ⟨sine, cosine, h, rfl⟩
theorem cosine_executes {e sine cosine : K → K} (he : IsExponential e) (h : IsCircle sine cosine) (x : K) :
    Executes .real (curveGraph .cosine) (curveSlots x (cosine x)) := curve_executes he ⟨sine, cosine, h, rfl⟩
/-- A number within its budget is a result of a fused operation. -/
theorem fused_executes {e : K → K} (he : IsExponential e) {operation : Fused} {x y : K}
    (h : (Curve.fused operation).Budget x y) :
    Executes .binary32 (curveGraph (.fused operation)) (curveSlots x y) := by
  refine ⟨rfl, rfl, ⟨e, he, fun i hi => ?_⟩, trivial⟩
  have i0 : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hi) (Nat.zero_le i)
  subst i0
  exact ⟨x, rfl, h⟩
end Example
end PytestTorchLean
