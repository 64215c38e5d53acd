"""Elementary functions in binary64, each with a bound on its relative error.

Every formula takes binary64 arrays that hold finite binary32 numbers and returns (value, margin) with

    |value - f(x)| <= margin * |value|,

or, where it says so, a value that rounds to the same binary32 number as f(x) does. At a binary64 number that
is none of binary32, the value is f at a point within 2^-50 |x|, to the same margin, or NaN. Only +, -, *, /,
square roots and tables are used, so the error follows from |fl(a op b) - (a op b)| <= 2^-53 |a op b| alone,
fused or not; the libm of the machine plays no part. v = 2^-53. A margin is at least twice what the analysis
in the docstring gives. Arguments are cut where the result has overflowed, vanished or reached its limit.

This text and that of `approximation` are compiled twice: as it stands, for arrays, and by numba with the
scalar meaning of the helpers (`compiled.SCALAR`). A formula therefore has no branches and calls only these.
"""

from __future__ import annotations

import numpy as np

from pytest_torchlean.binary32.approximation import (
    Real,
    arc_tangent,
    artanh_series,
    constant,
    cosine_of,
    cut,
    exp,
    expm1,
    index,
    log,
    log1p_near_zero,
    logistic,
    magnitude,
    nearest,
    off_half,
    off_half_margin,
    quarter_turns,
    root,
    sine_of,
    taylor,
    where,
    with_sign,
)
from pytest_torchlean.binary32.tables import (
    ERF_TABLE,
    HALF_PI,
    NEAR_HALF,
    SIXTH,
    STEPS,
    TAIL_TABLE,
    TINY,
    V,
)

Pair = tuple[Real, Real]


def f_exp(x: Real, p: float, q: float) -> Pair:
    return exp(cut(x, -300.0, 300.0)), constant(x, 16.0 * V)


def f_log(x: Real, p: float, q: float) -> Pair:
    positive = x > 0.0
    value = log(where(positive, x, 1.0))
    return where(positive, value, where(x == 0.0, -np.inf, np.nan)), constant(x, 32.0 * V)


def f_tanh(x: Real, p: float, q: float) -> Pair:
    """tanh a = (1 - e^-2a) / (1 + e^-2a); beyond 40 it rounds to 1."""
    m = expm1(-2.0 * where(magnitude(x) > 40.0, 40.0, magnitude(x)))
    return with_sign(-m / (2.0 + m), x), constant(x, 64.0 * V)


def f_sigmoid(x: Real, p: float, q: float) -> Pair:
    return logistic(cut(x, -300.0, 300.0)), constant(x, 32.0 * V)


def f_sinh(x: Real, p: float, q: float) -> Pair:
    m = expm1(where(magnitude(x) > 300.0, 300.0, magnitude(x)))
    return with_sign((m + m / (m + 1.0)) * 0.5, x), constant(x, 64.0 * V)


def f_cosh(x: Real, p: float, q: float) -> Pair:
    large = exp(where(magnitude(x) > 300.0, 300.0, magnitude(x)))
    return (large + 1.0 / large) * 0.5, constant(x, 32.0 * V)


def f_softplus(x: Real, p: float, q: float) -> Pair:
    """max(x, 0) + log(1 + e^-|x|)."""
    small = exp(-where(magnitude(x) > 300.0, 300.0, magnitude(x)))
    return where(x > 0.0, x, 0.0) + log1p_near_zero(small), constant(x, 64.0 * V)


def f_erf(x: Real, p: float, q: float) -> Pair:
    """Beyond 6 it rounds to 1. The Taylor coefficients are at most 4 * 16^-n on a step (Cauchy)."""
    a = where(magnitude(x) > 6.0, 6.0, magnitude(x))
    j = nearest(a * STEPS)
    return with_sign(taylor(ERF_TABLE, index(j), a - j / STEPS), x), constant(x, 64.0 * V)


def normal_tail(a: Real) -> Real:
    """Phi(-a) for 0 <= a <= 15, relative error 20 v; a^2 is exact."""
    j = nearest(a * STEPS)
    return exp(-0.5 * a * a) * taylor(TAIL_TABLE, index(j), a - j / STEPS)


def f_gelu(x: Real, p: float, q: float) -> Pair:
    """x Phi(x); beyond 15, Phi(-|x|) is below 2^-160 and x Phi(-|x|) below 2^-150: it counts as 0."""
    a = magnitude(x)
    tail = where(a > 15.0, 0.0, normal_tail(where(a > 15.0, 15.0, a)))
    return x * off_half(where(x > 0.0, 1.0 - tail, tail), x), off_half_margin(x, 64.0 * V)


def f_gelu_tanh(x: Real, p: float, q: float) -> Pair:
    """x/2 (1 + tanh u) = x / (1 + e^-2u), u = sqrt(2/pi) (x + 0.044715 x^3); |2u| <= 300, error 3 v each."""
    c = cut(x, -15.0, 15.0)
    doubled = 2.0 * root(1.0 / HALF_PI) * (c + 0.044715 * (c * c * c))
    return x * off_half(logistic(doubled), x), off_half_margin(x, 4096.0 * V)


def f_swish(x: Real, p: float, q: float) -> Pair:
    """x / (1 + e^(-p x)); p x is exact."""
    slope = p * x
    return x * off_half(logistic(cut(slope, -350.0, 350.0)), slope), off_half_margin(slope, 32.0 * V)


def f_mish(x: Real, p: float, q: float) -> Pair:
    """x tanh(log(1 + e^x)) = x n / (n + 2), n = e^x (e^x + 2)."""
    grown = exp(cut(x, -350.0, 100.0))
    n = grown * (grown + 2.0)
    return x * (n / (n + 2.0)), constant(x, 64.0 * V)


def scaled_expm1(factor: Real, x: Real) -> Real:
    """factor (e^x - 1), for |x| < 2^-46 a number below factor x, which may be a tie, as is the result."""
    return factor * where(magnitude(x) < TINY, x * (1.0 - NEAR_HALF), expm1(cut(x, -350.0, 350.0)))


def f_elu(x: Real, p: float, q: float) -> Pair:
    """x, or p (e^x - 1) where x < 0."""
    negative = x < 0.0
    value = scaled_expm1(p, where(negative, x, -1.0))
    margin = where(magnitude(x) < TINY, TINY, 64.0 * V)
    return where(negative, value, x), where(negative, margin, 0.0)


def f_selu(x: Real, p: float, q: float) -> Pair:
    """q x, which is exact, or q p (e^x - 1) where x < 0."""
    negative = x < 0.0
    value = scaled_expm1(q * p, where(negative, x, -1.0))
    margin = where(magnitude(x) < TINY, TINY, 64.0 * V)
    return where(negative, value, q * x), where(negative, margin, 0.0)


def f_celu(x: Real, p: float, q: float) -> Pair:
    """x, or p (e^(x / p) - 1) where x < 0; |x / p| <= 350 has the relative error v."""
    negative = x < 0.0
    value = p * expm1(cut(where(negative, x, 0.0) / p, -350.0, 350.0))
    return where(negative, value, x), where(negative, 1024.0 * V, 0.0)


def f_softsign(x: Real, p: float, q: float) -> Pair:
    return x / (1.0 + magnitude(x)), constant(x, 8.0 * V)


def f_hard_sigmoid(x: Real, p: float, q: float) -> Pair:
    """p x + q between 0 and 1; p x is exact, and a sum without error has the margin 0."""
    product = p * x
    total = product + q
    virtual = total - product
    exact = (product - (total - virtual)) + (q - virtual) == 0.0
    return cut(total, 0.0, 1.0), where(exact | (total < 0.0) | (total > 1.0), 0.0, 2.0 * V)


def f_hard_swish(x: Real, p: float, q: float) -> Pair:
    """x (x/6 + 1/2) with the binary32 number nearest to 1/6, 0 below -3, x from 3 on."""
    slope = SIXTH * x
    linear = off_half(slope + 0.5, slope)
    saturated = magnitude(slope) >= 0.5
    value = where(slope <= -0.5, 0.0, where(slope >= 0.5, 1.0, linear))
    return x * value, where(saturated, 0.0, off_half_margin(slope, 8.0 * V))


def f_sin(x: Real, p: float, q: float) -> Pair:
    quarter, r, error = quarter_turns(x)
    t = r * HALF_PI
    odd = (quarter == 1.0) | (quarter == 3.0)
    value = where(odd, cosine_of(t), sine_of(t))
    return where(quarter >= 2.0, -value, value), error + 32.0 * V


def f_cos(x: Real, p: float, q: float) -> Pair:
    quarter, r, error = quarter_turns(x)
    t = r * HALF_PI
    odd = (quarter == 1.0) | (quarter == 3.0)
    value = where(odd, sine_of(t), cosine_of(t))
    return where((quarter == 1.0) | (quarter == 2.0), -value, value), error + 32.0 * V


def f_tan(x: Real, p: float, q: float) -> Pair:
    quarter, r, error = quarter_turns(x)
    t = r * HALF_PI
    odd = (quarter == 1.0) | (quarter == 3.0)
    sine, cosine = sine_of(t), cosine_of(t)
    return where(odd, -cosine / sine, sine / cosine), 2.0 * error + 32.0 * V


def f_atan(x: Real, p: float, q: float) -> Pair:
    return with_sign(arc_tangent(magnitude(x)), x), constant(x, 64.0 * V)


def f_asin(x: Real, p: float, q: float) -> Pair:
    """atan(a / sqrt((1 - a) (1 + a)))."""
    a = where(magnitude(x) <= 1.0, magnitude(x), 0.0)
    angle = with_sign(arc_tangent(a / root((1.0 - a) * (1.0 + a))), x)
    return where(magnitude(x) <= 1.0, angle, np.nan), constant(x, 64.0 * V)


def f_acos(x: Real, p: float, q: float) -> Pair:
    """2 atan(sqrt((1 - x) / (1 + x)))."""
    u = where(magnitude(x) <= 1.0, x, 0.0)
    angle = 2.0 * arc_tangent(root((1.0 - u) / (1.0 + u)))
    return where(magnitude(x) <= 1.0, angle, np.nan), constant(x, 64.0 * V)


def f_asinh(x: Real, p: float, q: float) -> Pair:
    """log(a + sqrt(a^2 + 1)), near zero log(1 + (a + a^2 / (1 + sqrt(a^2 + 1))))."""
    a = magnitude(x)
    hypotenuse = root(a * a + 1.0)
    small = a <= 0.75
    near = where(small, a, 0.0)
    value = where(small, log1p_near_zero(near + near * near / (1.0 + hypotenuse)), log(a + hypotenuse))
    return with_sign(value, x), constant(x, 64.0 * V)


def f_acosh(x: Real, p: float, q: float) -> Pair:
    """log(1 + w), w = t + sqrt(t (t + 2)), t = x - 1."""
    u = where(x >= 1.0, x, 1.0)
    t = u - 1.0
    w = t + root(t * (t + 2.0))
    value = where(w <= 1.0, log1p_near_zero(where(w <= 1.0, w, 0.0)), log(1.0 + w))
    return where(x >= 1.0, value, np.nan), constant(x, 64.0 * V)


def f_atanh(x: Real, p: float, q: float) -> Pair:
    """log((1 + a) / (1 - a)) / 2, up to 1/3 by its series."""
    a = where(magnitude(x) < 1.0, magnitude(x), 0.0)
    small = a <= 1.0 / 3.0
    value = 0.5 * where(small, artanh_series(where(small, a, 0.0)), log((1.0 + a) / (1.0 - a)))
    value = where(magnitude(x) == 1.0, np.inf, value)
    return where(magnitude(x) > 1.0, np.nan, with_sign(value, x)), constant(x, 64.0 * V)


def f_power(x: Real, y: Real) -> Pair:
    """x^y = e^(y log x) for x > 0; squares, square roots and inverses by themselves. |y log x| <= 700."""
    t = cut(y * log(x), -700.0, 700.0)
    value = where(y == 2.0, x * x, where(y == 0.5, root(x), where(y == -1.0, 1.0 / x, exp(t))))
    value = where(y == 1.0, x, where(y == 0.0, 1.0, value))
    plain = (y == 2.0) | (y == 0.5) | (y == -1.0)
    exact = (y == 2.0) | (y == 1.0) | (y == 0.0)
    return value, where(exact, 0.0, where(plain, 2.0 * V, (64.0 + 32.0 * magnitude(t)) * V))


FORMULAS = {
    "Acos": f_acos,
    "Acosh": f_acosh,
    "Asin": f_asin,
    "Asinh": f_asinh,
    "Atan": f_atan,
    "Atanh": f_atanh,
    "Celu": f_celu,
    "Cos": f_cos,
    "Cosh": f_cosh,
    "Elu": f_elu,
    "Erf": f_erf,
    "Exp": f_exp,
    "Gelu": f_gelu,
    "GeluTanh": f_gelu_tanh,
    "HardSigmoid": f_hard_sigmoid,
    "HardSwish": f_hard_swish,
    "Log": f_log,
    "Mish": f_mish,
    "Selu": f_selu,
    "Sigmoid": f_sigmoid,
    "Sin": f_sin,
    "Sinh": f_sinh,
    "Softplus": f_softplus,
    "Softsign": f_softsign,
    "Swish": f_swish,
    "Tan": f_tan,
    "Tanh": f_tanh,
}
