"""Constants and tables of the binary64 formulas, each the binary64 number nearest to an enclosed real one.

They are computed at import from integers (`enclosure`), so no digit is copied from anywhere.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import enclosure


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

V = 2.0**-53
"""The unit roundoff of binary64."""
NEAR_HALF = 2.0**-45
TINY = 2.0**-46
SIXTH = float(np.float32(1.0 / 6.0))
