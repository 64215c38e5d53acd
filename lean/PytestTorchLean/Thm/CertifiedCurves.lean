prelude
import PytestTorchLean.Smooth
import PytestTorchLean.Thm.Certified
/-!
# Accepted certificates with smooth activations, and executions of them

One input between 0 and 1 and one activation. That the sigmoid is at least 1/2 and at most 3/4 there, that
tanh is at least 0 and that `e^x` is at most 3 follows in both semantics (in binary32 with a little room);
bounds that do not hold are refused. Executions exist wherever there is an exponential function, as over the
real numbers.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

def curveGraph (function : Curve) : Graph := ⟨1, [.curve function 2 1]⟩
/-- `0 ≤ x ≤ 1` -/
def zeroToOne : Box := ⟨1, 0, 8, 0, 1⟩
/-- `first * slot 3 + second * slot 1 ≥ 0`, in four lanes -/
def curveForm (first second : Nat) : Property :=
  ⟨⟨1, 4, 1, first + 2 ^ 32 * second, 1, 3 + 2 ^ 32, 1⟩, false, 1⟩
def curveScale : Scale := ⟨2 ^ 32, 2 ^ 36, 64⟩
/-- Four stages of 66 bits. -/
def curveStep : Step := ⟨⟨1, 0, 0⟩, 4, 66⟩
def curveCertificate : Certificate := ⟨curveScale, [[.node curveStep (.conclude (.direct ⟨1, 0, 16⟩))]]⟩
/-- In subnormal patterns: `20001 y - 10000`, which is not negative from 1/2 on, rounding included; `3 - 4 y`
    of the sigmoid. -/
def sigmoidClaims : List Claim :=
  [⟨curveForm 20001 0x80002710, [zeroToOne]⟩, ⟨curveForm 0x80000004 3, [zeroToOne]⟩]
def curveCertificates : Certificate :=
  ⟨curveScale, [[.node curveStep (.conclude (.direct ⟨1, 0, 16⟩))],
        [.node curveStep (.conclude (.direct ⟨1, 0, 16⟩))]]⟩

theorem sigmoid_accepted :
    check .smooth .real (curveGraph .sigmoid) sigmoidClaims curveCertificates = true := by
  decide +kernel
theorem sigmoid_accepted_binary32 :
    check .smooth .binary32 (curveGraph .sigmoid) sigmoidClaims curveCertificates = true := by
  decide +kernel
/-- `y ≤ 7/10` is not true at 1. -/
theorem sigmoid_refused :
    check .smooth .real (curveGraph .sigmoid) [⟨curveForm 0x8000000A 7, [zeroToOne]⟩] curveCertificate =
    false := by
  decide +kernel
/-- `e^x ≤ 3`, and not `e^x ≤ 2`. -/
theorem exp_accepted :
    check .smooth .binary32 (curveGraph .exp) [⟨curveForm 0x80000001 3, [zeroToOne]⟩] curveCertificate =
    true := by
  decide +kernel
theorem exp_refused :
    check .smooth .binary32 (curveGraph .exp) [⟨curveForm 0x80000001 2, [zeroToOne]⟩] curveCertificate =
    false := by
  decide +kernel
/-- `tanh x ≤ 4/5`, and not `tanh x ≤ 3/4`. -/
theorem tanh_accepted :
    check .smooth .binary32 (curveGraph .tanh) [⟨curveForm 0x80000005 4, [zeroToOne]⟩] curveCertificate =
    true := by
  decide +kernel
theorem tanh_refused :
    check .smooth .binary32 (curveGraph .tanh) [⟨curveForm 0x80000004 3, [zeroToOne]⟩] curveCertificate =
    false := by
  decide +kernel

/-- What is accepted by the rules for curves is refused without them. -/
theorem sigmoid_without_rules :
    check .plain .real (curveGraph .sigmoid) sigmoidClaims curveCertificates = false ∧
    check .plain .binary32 (curveGraph .sigmoid) sigmoidClaims curveCertificates = false :=
  ⟨by decide +kernel, by decide +kernel⟩
/-- Without stages nothing is near the exponential function, and the checker says no. -/
theorem no_stages :
    check .smooth .real (curveGraph .exp) [⟨curveForm 0x80000001 3, [zeroToOne]⟩]
      ⟨curveScale, [[.node ⟨⟨1, 0, 0⟩, 0, 66⟩ (.conclude (.direct ⟨1, 0, 16⟩))]]⟩ = false := by
  decide +kernel

theorem curve_bounded (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 (curveGraph .sigmoid)) sigmoidClaims :=
  PytestTorchLean.sound K sigmoid_accepted_binary32

variable {K : Type u} [OrderedRing K]

/-- The input, then the result. -/
def inputThenResult (x y : K) : Nat → K
  | 0 => x
  | _ + 1 => y
/-- 1, the input, the result. -/
def oneThenInput (x y : K) : Nat → K
  | 0 => 1
  | i + 1 => inputThenResult x y i
/-- 0, 1, the input, the result. -/
def curveSlots (x y : K) : Nat → K
  | 0 => 0
  | i + 1 => oneThenInput x y i

/-- Where there is an exponential function and `1 + e x` has an inverse, the sigmoid has an execution. -/
theorem sigmoid_executes {e : K → K} (he : IsExponential e) {x inverse : K} (h : inverse * (1 + e x) = 1) :
    Executes .real (curveGraph .sigmoid) (curveSlots x (e x * inverse)) := by
  refine ⟨rfl, rfl, ⟨e, he, fun i hi => ?_⟩, trivial⟩
  have i0 : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hi) (Nat.zero_le i)
  subst i0
  show e x * inverse * (1 + e x) = e x
  rw [mul_assoc, h, mul_on]

/-- There the sigmoid of a number between 0 and 1 is at most 3/4: the claim speaks of something. -/
theorem sigmoid_below {e : K → K} (he : IsExponential e) {x inverse : K} (h : inverse * (1 + e x) = 1)
    (h0 : 0 ≤ x) (h1 : x ≤ 1) :
    (curveForm 0x80000004 3).Holds (curveSlots x (e x * inverse)) := by
  have whole : Every (Claim.Holds K .real (curveGraph .sigmoid)) sigmoidClaims :=
    PytestTorchLean.sound K sigmoid_accepted
  refine (whole.2.1.1 _ (sigmoid_executes he h) ?_).1
  intro i hi
  have i0 : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hi) (Nat.zero_le i)
  subst i0
  have l : digit 8 0 0 = 0 := by decide +kernel
  have u : digit 8 1 0 = 1 := by decide +kernel
  show natural (digit 8 0 0) ≤ natural 1 * x + natural 0 ∧ natural 1 * x + natural 0 ≤ natural (digit 8 1 0)
  have e1 : (natural 1 : K) * x + natural 0 = x := by
    have one : (natural 1 : K) * x = x := one_mul x
    rw [one]; exact add_zer x
  rw [l, u, e1]
  exact ⟨h0, h1⟩
end Example
end PytestTorchLean
