prelude
import PytestTorchLean.Spec.Summation
/-!
# The meaning of smooth activations

The exponential function enters by what it obeys, since a ring has no limits: `e (x + y) = e x * e y` and
`1 + x ≤ e x`. Over the real numbers only the exponential function obeys both. The other functions are given by
equations over it, each of which has exactly one solution over the real numbers. Where a ring has no such
function (the integers, the rationals), a graph with a curve has no executions and a claim about it says nothing;
read these claims over the real numbers.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- `e` is an exponential function, and every number from 1 on has an inverse, as real numbers do. -/
def IsExponential (e : K → K) : Prop :=
  (∀ x y, e (x + y) = e x * e y) ∧ (∀ x, 1 + x ≤ e x) ∧ (∀ x : K, 1 ≤ x → ∃ inverse, x * inverse = 1)

/-- A function of one number. -/
inductive Curve where
  | exp
  | sigmoid
  | tanh

namespace Curve
/-- `v` is the function's value at `x`: `e^x`, `e^x / (1 + e^x)`, `(e^2x - 1) / (e^2x + 1)`. -/
def At (function : Curve) (e : K → K) (x v : K) : Prop :=
  match function with
  | .exp => v = e x
  | .sigmoid => v * (1 + e x) = e x
  | .tanh => v * (e (x + x) + 1) = e (x + x) - 1

/-! What is assumed of a runtime: IEEE-754 fixes no bits of these functions. The table is that of
`pytest_torchlean/binary32/budgets.py`, which says where the numbers come from. -/

/-- Eighths of a unit in the last place that a computed result may be off. -/
def eighths : Curve → Nat
  | .exp => 8
  | .sigmoid => 4
  | .tanh => 48
/-- What it may be off besides, in units of `2^-149`: `0.8125 * 2^-22` (that is `2^-22.3`) for the sigmoid, `2^-141` for tanh. -/
def absolute : Curve → Nat
  | .exp => 0
  | .sigmoid => 13 * 2 ^ 123
  | .tanh => 2 ^ 8

/-- `y` is within the budget of the exact value `v`: a unit in the last place of `v` is at most
    `2^-23 |v| + 2^-149`. (`a` stands for `|v|`; both sides are multiplied by `2^152`.) -/
def Budget (function : Curve) (v y : K) : Prop :=
  ∀ a, AtMost v a → AtMost (natural (2 ^ 152) * (y - v))
    (natural function.eighths * (natural (2 ^ 126) * a + 1) + natural (8 * function.absolute))
end Curve

end PytestTorchLean
