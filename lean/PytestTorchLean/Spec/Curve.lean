prelude
import PytestTorchLean.Spec.Summation
/-!
# The meaning of smooth activations

The exponential function enters by what it obeys, since a ring has no limits: `e (x + y) = e x * e y` and
`1 + x ≤ e x`. Over the real numbers only the exponential function obeys both. The other functions are given
by equations over it, each of which has exactly one solution over the real numbers. Where a ring has no such
function (the integers, the rationals), a graph with a curve has no executions and a claim about it says
nothing; read these claims over the real numbers.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- `e` is an exponential function, and every number from 1 on has an inverse, as real numbers do. -/
def IsExponential (e : K → K) : Prop :=
  (∀ x y, e (x + y) = e x * e y) ∧ (∀ x, 1 + x ≤ e x) ∧ (∀ x : K, 1 ≤ x → ∃ inverse, x * inverse = 1)

/-- Term `n` of the series `x + 2 x^3 / 3 + 4 x^5 / (3 * 5) + 8 x^7 / (3 * 5 * 7) + ...`, and the sum up to
    it. -/
inductive GaussSeries (x : K) : Nat → K → K → Prop where
  | first : GaussSeries x 0 x x
  | next {n : Nat} {term sum term' : K} :
      GaussSeries x n term sum →
      natural (2 * n + 3) * term' = natural 2 * (x * x) * term →
      GaussSeries x (n + 1) term' (sum + term')

/-- `integral x` is the integral of `e^(-t^2)` from 0 to `x`, and `limit` what it tends to: over the real
    numbers, `√π / 2`. It is odd and grows. For positive `x` it is `e^(-x^2)` times the series, of which a sum
    is too small, and becomes too large once it is divided by `1 - 2 x term`; beyond `x` less than
    `e^(-x^2) / (2 x)` is added. -/
def IsGauss (e integral : K → K) (limit : K) : Prop :=
  (∀ x, integral (-x) = -integral x) ∧ (∀ x y, x ≤ y → integral x ≤ integral y) ∧
  (∀ x n term sum, 0 ≤ x → GaussSeries x n term sum →
    e (-(x * x)) * sum ≤ integral x ∧ integral x * (1 - natural 2 * x * term) ≤ e (-(x * x)) * sum) ∧
  (∀ x, 0 ≤ x → integral x ≤ limit ∧ natural 2 * x * (limit - integral x) ≤ e (-(x * x)))

/-- `v` is the value of the error function at `x`: the integral's share of its limit. -/
def ErrorFunction (e : K → K) (x v : K) : Prop :=
  ∃ integral limit, IsGauss e integral limit ∧ v * limit = integral x

/-- Term `x^k / k!` of the series `first + ...` from `x^start / start! = first` on, every second one, with the
    sums of those with a plus and of those with a minus. -/
inductive CircleSeries (x : K) (start : Nat) (first : K) : Nat → K → K → K → Prop where
  | first : CircleSeries x start first start first first 0
  | next {k : Nat} {term plus minus term' term'' : K} :
      CircleSeries x start first k term plus minus →
      natural ((k + 1) * (k + 2)) * term' = x * x * term →
      natural ((k + 3) * (k + 4)) * term'' = x * x * term' →
      CircleSeries x start first (k + 4) term'' (plus + term'') (minus + term')

/-- For positive `x` the sums are above `v` after a term with a plus, and below it after the next term, which
    has a minus. -/
def Alternates (x : K) (start : Nat) (first v : K) : Prop :=
  ∀ k term plus minus rest, CircleSeries x start first k term plus minus →
    natural ((k + 1) * (k + 2)) * rest = x * x * term →
    v ≤ plus - minus ∧ plus - minus - rest ≤ v

/-- `sine` and `cosine` are odd and even, lie on the circle, obey the theorems of addition, and are enclosed
    by their series. Over the real numbers only the sine and the cosine are. -/
def IsCircle (sine cosine : K → K) : Prop :=
  (∀ x, sine (-x) = -sine x ∧ cosine (-x) = cosine x) ∧ (∀ x, sine x * sine x + cosine x * cosine x = 1) ∧
  (∀ x y, sine (x + y) = sine x * cosine y + cosine x * sine y ∧
      cosine (x + y) = cosine x * cosine y - sine x * sine y) ∧
  (∀ x, 0 ≤ x → Alternates x 1 x (sine x) ∧ Alternates x 0 1 (cosine x))

/-- Operations of which a runtime computes the composition of several nodes at once: the nodes before compose
    the exact value, and this one grants what the runtime's result may be off. -/
inductive Fused where
  | swish
  | elu
  | selu
  | geluTanh
  | gelu
  | mish
  /-- the second factor of HardSwish, `min(max(x / 6 + 1/2, 0), 1)` -/
  | hardSwishGate
  | hardSwish
  | softsign
  /-- a share of a Softmax, `e^x` divided by a sum of such powers -/
  | softmax

/-- A function of one number. -/
inductive Curve where
  | exp
  | sigmoid
  | tanh
  | sqrt
  | log
  | softplus
  /-- the error function -/
  | erf
  | sine
  | cosine
  | sign
  /-- the number itself, with the budget of an operation -/
  | fused (operation : Fused)

namespace Curve
/-! Their names in certificates. -/
@[reducible] def fusedSwish : Curve := .fused .swish
@[reducible] def fusedElu : Curve := .fused .elu
@[reducible] def fusedSelu : Curve := .fused .selu
@[reducible] def fusedGeluTanh : Curve := .fused .geluTanh
@[reducible] def fusedGelu : Curve := .fused .gelu
@[reducible] def fusedMish : Curve := .fused .mish
@[reducible] def fusedHardSwishGate : Curve := .fused .hardSwishGate
@[reducible] def fusedHardSwish : Curve := .fused .hardSwish
@[reducible] def fusedSoftsign : Curve := .fused .softsign
@[reducible] def fusedSoftmax : Curve := .fused .softmax

/-- `v` is the function's value at `x`: `e^x`, `e^x / (1 + e^x)`, `(e^2x - 1) / (e^2x + 1)`, the root that is
    not negative, the number with `e^v = x`, `log (1 + e^x)`, `erf x`, `sin x`, `cos x`, the sign of `x`, `x`.
    The sign of 0 may be any number from -1 to 1, so that half of 1 and the sign is whichever slope a ReLU
    may be said to have where it bends. -/
def At (function : Curve) (e : K → K) (x v : K) : Prop :=
  match function with
  | .exp => v = e x
  | .sigmoid => v * (1 + e x) = e x
  | .tanh => v * (e (x + x) + 1) = e (x + x) - 1
  | .sqrt => 0 ≤ v ∧ v * v = x
  | .log => e v = x
  | .softplus => e v = 1 + e x
  | .erf => ErrorFunction e x v
  | .sine => ∃ sine cosine, IsCircle sine cosine ∧ v = sine x
  | .cosine => ∃ sine cosine, IsCircle sine cosine ∧ v = cosine x
  | .sign => v ≤ 1 ∧ -1 ≤ v ∧ (0 < x → v = 1) ∧ (x < 0 → v = -1)
  | .fused _ => v = x

/-- The function has a value at `x`. -/
def Defined (function : Curve) (x : K) : Prop :=
  match function with
  | .sqrt => 0 ≤ x
  | .log => 0 < x
  | _ => True

/-! What is assumed of a runtime: IEEE-754 fixes no bits of these functions, but those of the square root,
which it rounds to nearest. The table is that of `pytest_torchlean/binary32/budgets.py`, which says where the
numbers come from. That of a share is derived: `pytest_torchlean/ops/softmax.py` adds up the roundings. -/

/-- Eighths of a unit in the last place that a computed result may be off. -/
def eighths : Curve → Nat
  | .exp => 8
  | .sigmoid => 4
  | .tanh => 48
  | .sqrt => 4
  | .log => 32
  | .softplus => 40
  | .erf => 10
  | .sine => 24
  | .cosine => 24
  | .sign => 0
  | .fused .swish => 8
  | .fused .elu => 8
  | .fused .selu => 8
  | .fused .geluTanh => 32
  | .fused .gelu => 16
  | .fused .mish => 72
  | .fused .hardSwishGate => 0
  | .fused .hardSwish => 4
  | .fused .softsign => 17
  | .fused .softmax => 4096
/-- What it may be off besides, in units of `2^-149`: `0.8125 * 2^-22` (that is `2^-22.3`) for the sigmoid,
    `2^-141` for tanh; `0.7072 * 2^-23` for Elu (`2^-23.5`) and `1.75812 * 0.9331 * 2^-23` for Selu
    (`alpha * gamma * 2^-23.1`), `2^-23` for Gelu, `2^-20` and `2^-48` for Gelu with tanh (its factor
    `sqrt (2 / pi)` is a sum of two binary32 numbers), `80 * 2^-122` for Mish, whose values below `2^-99` may
    be off by 80 units in the last place, three roundings of numbers up to 1 for the gate of HardSwish, and
    `2^-125` for a share, of which kernels may flush what is smaller. -/
def absolute : Curve → Nat
  | .sigmoid => 13 * 2 ^ 123
  | .tanh => 2 ^ 8
  | .fused .elu => 5793 * 2 ^ 113
  | .fused .gelu => 2 ^ 126
  | .fused .selu => 13438 * 2 ^ 113
  | .fused .geluTanh => 2 ^ 129 + 2 ^ 101
  | .fused .mish => 80 * 2 ^ 27
  | .fused .hardSwishGate => 3073 * 2 ^ 115
  | .fused .softmax => 2 ^ 24
  | _ => 0

/-- `y` is within the budget of the exact value `v`: a unit in the last place of `v` is at most
    `2^-23 |v| + 2^-149`. (`a` stands for `|v|`; both sides are multiplied by `2^152`.) -/
def Budget (function : Curve) (v y : K) : Prop :=
  ∀ a, AtMost v a → AtMost (natural (2 ^ 152) * (y - v))
    (natural function.eighths * (natural (2 ^ 126) * a + 1) + natural (8 * function.absolute))
end Curve

end PytestTorchLean
