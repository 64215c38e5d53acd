"""Real numbers enclosed between integers over a power of two: slow, of any precision, and never wrong.

An `Enclosure` is low / 2^bits <= value <= high / 2^bits. Every operation rounds its lower end down and its
upper end up, and every series adds a bound on what it leaves out, so correctness rests on Python's integers
alone. Sources of the series: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.1.27 (logarithm),
4.2.1 (exponential), 4.3.65-66 (sine, cosine), 4.4.42 (arc tangent), 7.1.6 (error function).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Ends = tuple[int, int]


class MorePrecision(Exception):
    """The enclosure is too wide to go on; the caller starts again with more bits."""


@dataclass(frozen=True)
class Enclosure:
    """low / 2^bits <= value <= high / 2^bits."""

    low: int
    high: int
    bits: int

    def __add__(self, other: Enclosure) -> Enclosure:
        return Enclosure(self.low + other.low, self.high + other.high, self.bits)

    def __sub__(self, other: Enclosure) -> Enclosure:
        return Enclosure(self.low - other.high, self.high - other.low, self.bits)

    def __neg__(self) -> Enclosure:
        return Enclosure(-self.high, -self.low, self.bits)

    def __mul__(self, other: Enclosure) -> Enclosure:
        products = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Enclosure(min(products) >> self.bits, _up(max(products), self.bits), self.bits)

    def __truediv__(self, other: Enclosure) -> Enclosure:
        if other.low <= 0 <= other.high:
            raise MorePrecision
        pairs = [(a << self.bits, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Enclosure(min(a // b for a, b in pairs), max(-(-a // b) for a, b in pairs), self.bits)

    def ends(self) -> tuple[Fraction, Fraction]:
        """Both ends as exact numbers."""
        return Fraction(self.low, 1 << self.bits), Fraction(self.high, 1 << self.bits)


def number(value: Fraction | int, bits: int) -> Enclosure:
    """The narrowest enclosure of an exact number."""
    scaled = Fraction(value) * (1 << bits)
    return Enclosure(math.floor(scaled), math.ceil(scaled), bits)


def square_root(x: Enclosure) -> Enclosure:
    """The square root of a non-negative number."""
    if x.high < 0:
        raise ValueError("the square root of a negative number")
    low = math.isqrt(max(x.low, 0) << x.bits)
    high = math.isqrt(x.high << x.bits)
    return Enclosure(low, high + 1, x.bits)


def exponential(x: Enclosure) -> Enclosure:
    """e^x, for x <= 2^12."""
    return _increasing(_exponential, x)


def logarithm(x: Enclosure) -> Enclosure:
    """The natural logarithm of a positive number."""
    if x.low <= 0:
        raise MorePrecision
    return _increasing(_logarithm, x)


def arc_tangent(x: Enclosure) -> Enclosure:
    """The arc tangent."""
    return _increasing(_odd(_arc_tangent), x)


def error_function(x: Enclosure) -> Enclosure:
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x. Its slope is below 2."""
    low, high = _odd(_error_function)(x.low, x.bits)
    return Enclosure(low, high + 2 * (x.high - x.low), x.bits)


def sine_and_cosine(x: Fraction, bits: int) -> tuple[Enclosure, Enclosure]:
    """Sine and cosine of an exact number of any size."""
    if x == 0:
        return number(0, bits), number(1, bits)
    extra = max(0, x.numerator.bit_length() - x.denominator.bit_length()) + 8
    half = pi(bits + extra)
    half = Enclosure(half.low, half.high, half.bits + 1)
    quarter_turns = round(x / Fraction(half.low, 1 << half.bits))
    given = number(x, half.bits)
    turned = quarter_turns * half.low, quarter_turns * half.high
    low, high = given.low - max(turned), given.high - min(turned)
    if low < 0 < high:
        raise MorePrecision
    negative = high <= 0
    if negative:
        low, high = -high, -low
    shift = half.bits - bits
    low, high = low >> shift, _up(high, shift)
    sine = Enclosure(_sine(low, bits)[0], _sine(high, bits)[1], bits)
    cosine = Enclosure(_cosine(high, bits)[0], _cosine(low, bits)[1], bits)
    if negative:
        sine = -sine
    return [(sine, cosine), (cosine, -sine), (-sine, -cosine), (-cosine, sine)][quarter_turns % 4]


@lru_cache(maxsize=32)
def pi(bits: int) -> Enclosure:
    """Machin's formula, 16 atan(1/5) - 4 atan(1/239)."""
    first, second = _inverse_series(5, bits, -1), _inverse_series(239, bits, -1)
    return Enclosure(16 * first[0] - 4 * second[1], 16 * first[1] - 4 * second[0], bits)


@lru_cache(maxsize=32)
def _log_of_two(bits: int) -> Ends:
    """18 artanh(1/26) - 2 artanh(1/4801) + 8 artanh(1/8749)."""
    first, second, third = (_inverse_series(n, bits, 1) for n in (26, 4801, 8749))
    return (
        18 * first[0] - 2 * second[1] + 8 * third[0],
        18 * first[1] - 2 * second[0] + 8 * third[1],
    )


def _inverse_series(n: int, bits: int, sign: int) -> Ends:
    """sum of sign^k / ((2k + 1) n^(2k + 1)): artanh(1/n) for sign 1, atan(1/n) for sign -1."""
    total, power, k = 0, (1 << bits) // n, 0
    while power:
        total += (power // (2 * k + 1)) * (sign if k % 2 else 1)
        power //= n * n
        k += 1
    # each term is off by less than 2, and what is left out is less than 1
    return total - 2 * k - 1, total + 2 * k + 1


def _up(value: int, shift: int) -> int:
    return -(-value >> shift)


def _increasing(point: Callable[[int, int], Ends], x: Enclosure) -> Enclosure:
    low, high = point(x.low, x.bits)
    if x.high != x.low:
        high = point(x.high, x.bits)[1]
    return Enclosure(low, high, x.bits)


def _odd(point: Callable[[int, int], Ends]) -> Callable[[int, int], Ends]:
    def either(n: int, bits: int) -> Ends:
        if n >= 0:
            return point(n, bits)
        low, high = point(-n, bits)
        return -high, -low

    return either


_HALVINGS = 8


def _exponential(n: int, bits: int) -> Ends:
    """e^(n / 2^bits) = 2^k e^r, and e^r is the 2^8-th power of e^(r / 2^8)."""
    if n >> bits < -bits:
        return 0, 1
    if n >> bits > 2**12:
        raise OverflowError("too large an exponent")
    work = bits + 40 + max(0, 2 * (n >> bits))
    low_two, high_two = _log_of_two(work)
    shifted = n << (work - bits)
    k = shifted // high_two
    low, high = shifted - max(k * low_two, k * high_two), shifted - min(k * low_two, k * high_two)
    low, high = max(low, 0) >> _HALVINGS, _up(high, _HALVINGS)
    one = 1 << work
    lower, term, i = one, one, 1
    while term:
        term = (term * low >> work) // i
        lower += term
        i += 1
    upper, term, i = one, one, 1
    while term > 1:
        term = -(-_up(term * high, work) // i)
        upper += term
        i += 1
    upper += 2
    for _ in range(_HALVINGS):
        lower, upper = lower * lower >> work, _up(upper * upper, work)
    shift = work - bits - k
    if shift >= 0:
        return lower >> shift, _up(upper, shift)
    return lower << -shift, upper << -shift


def _logarithm(n: int, bits: int) -> Ends:
    """log(2^k m) = k log 2 + 2 artanh((m - 1) / (m + 1)), 1 <= m < 2."""
    work = bits + 32
    k = n.bit_length() - 1 - bits
    exponent = n.bit_length() - 1
    top, bottom = n - (1 << exponent), n + (1 << exponent)
    low, high = (top << work) // bottom, -((-top << work) // bottom)
    lower = upper = 0
    square, power, i = low * low >> work, low, 1
    while power:
        lower += power // i
        power = power * square >> work
        i += 2
    square, power, i = _up(high * high, work), high, 1
    while power > 1:
        upper += -(-power // i)
        power = _up(power * square, work)
        i += 2
    upper += 3
    low_two, high_two = _log_of_two(work)
    lower = 2 * lower + min(k * low_two, k * high_two)
    upper = 2 * upper + max(k * low_two, k * high_two)
    return lower >> 32, _up(upper, 32)


def _arc_tangent(n: int, bits: int) -> Ends:
    """atan v = pi/2 - atan(1/v), and atan v = 2 atan(v / (1 + sqrt(1 + v^2))), then the series."""
    if n > 1 << bits:
        inverse = Enclosure((1 << 2 * bits) // n, -((-1 << 2 * bits) // n), bits)
        rest, half = _increasing(_arc_tangent, inverse), pi(bits + 1)
        return (half.low >> 2) - rest.high, _up(half.high, 2) - rest.low
    work = bits + 32
    v = Enclosure(n << 32, n << 32, work)
    one = number(1, work)
    for _ in range(3):
        v = v / (one + square_root(one + v * v))
    lower = _alternating(v.low, work, lambda i: 2 * i + 1)[0]
    upper = _alternating(v.high, work, lambda i: 2 * i + 1)[1]
    return lower >> 29, _up(upper, 29)


def _alternating(v: int, work: int, divisor: Callable[[int], int]) -> Ends:
    """sum of (-1)^i v^(2i+1) / divisor(i), for 0 <= v < 1 and terms that shrink."""
    total, power, i = 0, v, 0
    while power:
        total += power // divisor(i) * (-1 if i % 2 else 1)
        power = (power * v >> work) * v >> work
        i += 1
    return total - 4 * i - 2, total + 4 * i + 2


def _sine(n: int, bits: int) -> Ends:
    work = bits + 32
    return _factorial_series(n << 32, work, 1)


def _cosine(n: int, bits: int) -> Ends:
    work = bits + 32
    return _factorial_series(n << 32, work, 0)


def _factorial_series(v: int, work: int, first: int) -> Ends:
    """sum of (-1)^i v^(2i+first) / (2i+first)! for 0 <= v < 1, v over 2^work; the ends over 2^(work-32)."""
    total, term, i = 0, v if first else 1 << work, 0
    while term:
        total += -term if i % 2 else term
        i += 1
        term = ((term * v >> work) * v >> work) // ((2 * i + first - 1) * (2 * i + first))
    error = 4 * i + 2
    return (total - error) >> 32, _up(total + error, 32)


def _error_function(n: int, bits: int) -> Ends:
    """2/sqrt(pi) x e^(-x^2) sum of (2 x^2)^k / (1 * 3 * ... * (2k + 1)): no term is negative."""
    if (n >> bits) ** 2 > bits:
        # 1 - erf x < e^(-x^2) < 2^-bits for x >= 1
        return (1 << bits) - 1, 1 << bits
    work = bits + 40
    x = Enclosure(n << 40, n << 40, work)
    square = x * x
    total = []
    for end, up in ((square.low, False), (square.high, True)):
        term, k, value = 1 << work, 1, 1 << work
        while term > 1 or (2 * end >> work) >= 2 * k + 1:
            term = 2 * end * term
            term = -(-_up(term, work) // (2 * k + 1)) if up else (term >> work) // (2 * k + 1)
            value += term
            k += 1
        # from here on the terms at least halve every second step
        total.append(value + (8 * k if up else 0))
    factor = x * Enclosure(total[0], total[1], work) / exponential(square)
    whole = (factor + factor) / square_root(pi(work))
    return whole.low >> 40, min(_up(whole.high, 40), 1 << bits)
