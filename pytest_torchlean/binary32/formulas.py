"""Elementary functions in binary64, each with a bound on its relative error.

Every formula takes binary64 arrays that hold finite binary32 numbers and returns (value, margin) with

    |value - f(x)| <= margin * |value|,

or, where it says so, a value that rounds to the same binary32 number as f(x) does. At a binary64 number that
is none of binary32, the value is f at a point within 2^-50 |x|, to the same margin, or NaN. Only +, -, *, /,
square roots and tables are used, so the error follows from |fl(a op b) - (a op b)| <= 2^-53 |a op b| alone,
fused or not; the libm of the machine plays no part. v = 2^-53. A margin is at least twice what the analysis
in the docstring gives. Arguments are cut where the result has overflowed, vanished or reached its limit.

The text below is compiled twice: as it stands, for arrays, and by numba with the scalar meaning of the
helpers in `SCALAR`. A formula therefore has no branches and calls nothing but its neighbours here.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import enclosure

Real = Any
"""float64 array, or one float64 where numba compiles the formula."""
Pair = tuple[Real, Real]

# --- helpers: the meaning for arrays ------------------------------------------------------------------

where: Any = np.where
magnitude = np.abs
root = np.sqrt
nearest = np.rint
with_sign = np.copysign
parts = np.frexp


def index(x: Real) -> Real:
    """An integral binary64 number as an integer."""
    return x.astype(np.int64)


def real(n: Real) -> Real:
    """An integer as a binary64 number."""
    return n.astype(np.float64)


def constant(x: Real, value: float) -> Real:
    """A margin that is the same for every element."""
    return np.full_like(x, value)


# --- constants ----------------------------------------------------------------------------------------


def _rounded(value: enclosure.Enclosure) -> float:
    """The nearest binary64 number to an enclosed one."""
    return math.ldexp(float(value.low + value.high), -value.bits - 1)


_BITS = 256


def _log_two() -> tuple[float, float]:
    """log 2 as a number of 40 bits, so that its product with an exponent is exact, and the rest."""
    low, high = enclosure.logarithm(enclosure.number(2, _BITS)).ends()
    head = Fraction(math.floor(low * 2**40), 2**40)
    return float(head), float((low + high) / 2 - head)


LOG_TWO_HEAD, LOG_TWO_TAIL = _log_two()
PER_LOG_TWO = 1.0 / (LOG_TWO_HEAD + LOG_TWO_TAIL)
HALF_PI = _rounded(enclosure.pi(_BITS)) / 2.0
PI = 2.0 * HALF_PI
POWERS = np.ldexp(1.0, np.arange(-1074, 1024))
ROOT_HALF = math.sqrt(0.5)
LEAST_EXPONENT = -1074

EXPM1_SERIES = tuple(1.0 / math.factorial(n) for n in range(14, 0, -1))
LOG_SERIES = tuple(1.0 / (2 * n + 1) for n in range(12, -1, -1))
LONG_LOG_SERIES = tuple(1.0 / (2 * n + 1) for n in range(17, -1, -1))
SINE_SERIES = tuple((-1.0) ** n / math.factorial(2 * n + 1) for n in range(8, -1, -1))
COSINE_SERIES = tuple((-1.0) ** n / math.factorial(2 * n) for n in range(9, -1, -1))
ATAN_SERIES = tuple((-1.0) ** n / (2 * n + 1) for n in range(7, -1, -1))

STEPS = 8.0
"""Tables are at multiples of 1/8, so a remainder is at most 1/16."""


def _atan_table() -> NDArray[np.float64]:
    points = [enclosure.number(Fraction(j, 8), _BITS) for j in range(9)]
    return np.array([_rounded(enclosure.arc_tangent(point)) for point in points])


ATAN_TABLE = _atan_table()
ORDER = 15


def _erf_table() -> NDArray[np.float64]:
    """Taylor coefficients of erf at j/8, highest first: f' = 2/sqrt(pi) e^(-x^2), f'' = -2 x f'."""
    scale = enclosure.number(2, _BITS) / enclosure.square_root(enclosure.pi(_BITS))
    rows = []
    for j in range(49):
        x = enclosure.number(Fraction(j, 8), _BITS)
        row = [enclosure.error_function(x), scale * enclosure.exponential(-(x * x))]
        for n in range(1, ORDER):
            # f^(n+1) = -2 x f^(n) - 2 (n - 1) f^(n-1), divided by (n + 1)!
            following = -(x * row[n]) * enclosure.number(Fraction(2, n + 1), _BITS)
            if n > 1:
                factor = enclosure.number(Fraction(2 * (n - 1), n * (n + 1)), _BITS)
                following = following - row[n - 1] * factor
            row.append(following)
        rows.append([_rounded(value) for value in reversed(row)])
    return np.array(rows)


def _tail_table() -> NDArray[np.float64]:
    """Taylor coefficients at j/8, highest first, of M(x) = e^(x^2/2) Phi(-x): M' = x M - 1/sqrt(2 pi)."""
    bits = 320
    one, two = enclosure.number(1, bits), enclosure.number(2, bits)
    root_two = enclosure.square_root(two)
    density = one / enclosure.square_root(two * enclosure.pi(bits))
    shares = [enclosure.number(Fraction(1, n), bits) for n in range(1, ORDER + 1)]
    rows = []
    for j in range(121):
        x = enclosure.number(Fraction(j, 8), bits)
        upper = (one - enclosure.error_function(x / root_two)) * shares[1]
        row = [upper * enclosure.exponential(x * x * shares[1])]
        row.append(x * row[0] - density)
        for n in range(1, ORDER):
            # M^(n+1) = x M^(n) + n M^(n-1), divided by (n + 1)!
            row.append((x * row[n] + row[n - 1]) * shares[n])
        rows.append([_rounded(value) for value in reversed(row)])
    return np.array(rows)


ERF_TABLE = _erf_table()
TAIL_TABLE = _tail_table()


def _turn_table() -> NDArray[np.int64]:
    """2^e * 2/pi modulo 4 for e = -32 .. 104, as three words of 32 bits: 2 before and 94 after the point."""
    rows = []
    for e in range(-32, 105):
        low, high = (enclosure.number(2, 400) / enclosure.pi(400)).ends()
        scaled = math.floor(low * Fraction(2) ** (e + 94))
        assert scaled == math.floor(high * Fraction(2) ** (e + 94))
        words = scaled % 2**96
        rows.append([words >> 64, words >> 32 & 0xFFFFFFFF, words & 0xFFFFFFFF])
    return np.array(rows, dtype=np.int64)


TURN_TABLE = _turn_table()
TURN_FIRST = -32
WORD = 0xFFFFFFFF

# --- building blocks ----------------------------------------------------------------------------------


def horner(x: Real, coefficients: Any) -> Real:
    """A polynomial, coefficients highest first."""
    total = x * 0.0
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


def taylor(table: Any, j: Real, h: Real) -> Real:
    """The polynomial of row j at h."""
    total = h * 0.0
    for n in range(ORDER + 1):
        total = total * h + table[j, n]
    return total


def two_to(k: Real) -> Real:
    """2^k for an integral binary64 number k."""
    return POWERS[index(k) - LEAST_EXPONENT]


def exponent_of(t: Real) -> Real:
    """k with |t - k log 2| <= 0.3466."""
    return nearest(t * PER_LOG_TWO)


def expm1_near_zero(t: Real, k: Real) -> Real:
    """e^r - 1 for r = t - k log 2, relative error 6 v plus the absolute error v of r for k != 0.

    k times the head is exact, and so is the first difference up to v |r|; the tail is below 2^-40. The
    series leaves out less than 2^-61 of its value.
    """
    r = (t - k * LOG_TWO_HEAD) - k * LOG_TWO_TAIL
    return r * horner(r, EXPM1_SERIES)


def exp(t: Real) -> Real:
    """e^t for |t| <= 700, relative error 6 v."""
    k = exponent_of(t)
    return two_to(k) * (1.0 + expm1_near_zero(t, k))


def expm1(t: Real) -> Real:
    """e^t - 1 for |t| <= 700, relative error 16 v: for k != 0 the result is at least 0.29 * 2^k."""
    k = exponent_of(t)
    scale = two_to(k)
    return scale * expm1_near_zero(t, k) + (scale - 1.0)


def artanh_series(s: Real) -> Real:
    """2 artanh(s) for |s| <= 1/3, relative error 4 v: 18 terms leave out less than 2^-62."""
    return 2.0 * s * horner(s * s, LONG_LOG_SERIES)


def log1p_near_zero(w: Real) -> Real:
    """log(1 + w) for 0 <= w <= 1, relative error 8 v."""
    return artanh_series(w / (2.0 + w))


def log(u: Real) -> Real:
    """log u for normal u > 0, relative error 12 v: where k = 0, m - 1 is exact, elsewhere |log u| >= 0.34.

    |s| <= 0.1716, so 13 terms leave out less than 2^-70.
    """
    m, k = parts(u)
    low = m < ROOT_HALF
    m = where(low, 2.0 * m, m)
    exponent = real(k) - where(low, 1.0, 0.0)
    s = (m - 1.0) / (m + 1.0)
    return exponent * LOG_TWO_HEAD + (2.0 * s * horner(s * s, LOG_SERIES) + exponent * LOG_TWO_TAIL)


def cut(x: Real, low: float, high: float) -> Real:
    """x, not below low and not above high."""
    return where(x < low, low, where(x > high, high, x))


def logistic(t: Real) -> Real:
    """1 / (1 + e^-t), relative error 10 v."""
    small = exp(-magnitude(t))
    return where(t >= 0.0, 1.0, small) / (1.0 + small)


def arc_tangent(a: Real) -> Real:
    """atan a for 0 <= a <= inf, relative error 12 v.

    Below 1, atan a = atan c + atan((a - c) / (1 + a c)) with c = j/8 nearest to a; above 1 from 1/a.
    """
    large = a > 1.0
    u = where(large, 1.0 / a, a)
    j = nearest(u * STEPS)
    c = j / STEPS
    w = (u - c) / (1.0 + u * c)
    angle = ATAN_TABLE[index(j)] + w * horner(w * w, ATAN_SERIES)
    return where(large, HALF_PI - angle, angle)


def quarter_turns(x: Real) -> tuple[Real, Real, Real]:
    """(q, r, e): x = (q + r) pi/2 up to whole turns, q in 0..3, |r| <= 1/2; r has relative error e.

    Up to 3/4 nothing is done. Beyond, x = n 2^e with n below 2^24, and n times 2^e * 2/pi modulo 4 is formed
    in integers: the 94 bits after the point are off by less than 2^-70. What a binary64 number has beyond
    24 bits is added to r; NaN where that is more than 1/8, or x is beyond the binary32 range.
    """
    a = magnitude(x)
    small = a < 0.75
    within = a < 2.0**128
    m, k = parts(where(small, 1.0, where(within, a, 1.0)))
    n = index(m * 16777216.0)
    beyond = (m * 16777216.0 - real(n)) * two_to(real(k) - 24.0)
    row = index(real(k)) - 24 - TURN_FIRST
    low = n * TURN_TABLE[row, 2]
    middle = n * TURN_TABLE[row, 1] + (low >> 32)
    high = (n * TURN_TABLE[row, 0] + (middle >> 32)) & WORD
    q = (high + (1 << 29)) >> 30
    rest = (high - (q << 30)) * (1 << 32) + (middle & WORD)
    r = (real(rest) + real(low & WORD) * 2.0**-32) * 2.0**-62 + beyond / HALF_PI
    r = where(within, where(beyond <= 0.125, r, np.nan), np.nan)
    sign = where(x < 0.0, -1.0, 1.0)
    error = where(small, 2.0**-52, 2.0**-52 + 2.0**-70 / magnitude(r))
    quarter = where(small, 0.0, sign * real(q))
    quarter = where(quarter < 0.0, quarter + 4.0, quarter)
    quarter = where(quarter > 3.5, 0.0, quarter)
    return quarter, where(small, x / HALF_PI, sign * r), error


def sine_of(t: Real) -> Real:
    """sin t for |t| <= 0.79, relative error 4 v."""
    return t * horner(t * t, SINE_SERIES)


def cosine_of(t: Real) -> Real:
    """cos t for |t| <= 0.79, relative error 4 v."""
    return horner(t * t, COSINE_SERIES)


NEAR_HALF = 2.0**-45
TINY = 2.0**-46


def off_half(value: Real, slope: Real) -> Real:
    """`value`, or where |slope| < 2^-46 a number that is beyond 1/2 on the side of the slope.

    For factors 1/2 + slope * (between 0 and 1): x/2 may lie exactly between two binary32 numbers, and only
    the side matters. With margin 2^-46 the rounding is that of the exact product; a slope of 0 is exact.
    """
    tiny = magnitude(slope) < TINY
    return where(tiny, 0.5 + where(slope == 0.0, 0.0, with_sign(0.5 * NEAR_HALF, slope)), value)


def off_half_margin(slope: Real, margin: float) -> Real:
    """The margin that goes with `off_half`."""
    return where(slope == 0.0, 0.0, where(magnitude(slope) < TINY, TINY, margin))


# --- the functions: f(x, p, q) with up to two parameters ------------------------------------------------

V = 2.0**-53


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


SIXTH = float(np.float32(1.0 / 6.0))


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
