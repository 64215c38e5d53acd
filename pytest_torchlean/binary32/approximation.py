"""Building blocks of the binary64 formulas, each with a bound on its relative error; v = 2^-53.

See `formulas` for the rules that this text obeys: no branches, no other functions than those here, so that
it has a meaning for arrays and, compiled by numba with other helpers, for single numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_torchlean.binary32.tables import (
    ATAN_SERIES,
    ATAN_TABLE,
    COSINE_SERIES,
    EXPM1_SERIES,
    HALF_PI,
    LEAST_EXPONENT,
    LOG_SERIES,
    LOG_TWO_HEAD,
    LOG_TWO_TAIL,
    LONG_LOG_SERIES,
    NEAR_HALF,
    ORDER,
    PER_LOG_TWO,
    POWERS,
    ROOT_HALF,
    SINE_SERIES,
    STEPS,
    TINY,
    TURN_FIRST,
    TURN_TABLE,
    WORD,
)

Real = Any
"""float64 array, or one float64 where numba compiles the formula."""

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
