"""The real functions behind the elementary operators, enclosed at any precision: the meaning of the table.

`DEFINITIONS[name](x, p, q, bits)` encloses f(x) for a rational x and parameters p and q. This text is what
"correctly rounded" refers to; `formulas` only finds the same numbers faster. Arguments beyond +-400 are cut
where the binary32 result has overflowed, vanished or reached its limit before.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from pytest_torchlean.binary32.enclosure import (
    Enclosure,
    MorePrecision,
    arc_tangent,
    error_function,
    exponential,
    logarithm,
    number,
    pi,
    sine_and_cosine,
    square_root,
)
from pytest_torchlean.binary32.ulp import round_nearest

Definition = Callable[[Fraction, Fraction, Fraction, int], Enclosure]

_FAR = Fraction(400)
_SIXTH = Fraction(11184811, 2**26)
"""The binary32 number nearest to 1/6."""
_CUBIC = Fraction(44715, 10**6)


def _cut(x: Fraction, low: Fraction = -_FAR, high: Fraction = _FAR) -> Fraction:
    return min(max(x, low), high)


def _exp(x: Fraction, bits: int) -> Enclosure:
    return exponential(number(_cut(x), bits))


def _expm1(x: Fraction, bits: int) -> Enclosure:
    return _exp(x, bits) - number(1, bits)


def _log1p_exp(x: Fraction, bits: int) -> Enclosure:
    """log(1 + e^x) for x <= 0."""
    return logarithm(number(1, bits) + _exp(x, bits))


def _logistic(t: Enclosure) -> Enclosure:
    one = number(1, t.bits)
    return one / (one + exponential(-t))


def _tanh(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    grown = _exp(2 * x, bits)
    one = number(1, bits)
    if x > 0:
        return one - (one + one) / (grown + one)
    return (grown - one) / (grown + one)


def _softplus(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    return number(max(x, Fraction(0)), bits) + _log1p_exp(-abs(x), bits)


def _sinh(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    return (_exp(x, bits) - _exp(-x, bits)) * number(Fraction(1, 2), bits)


def _cosh(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    return (_exp(x, bits) + _exp(-x, bits)) * number(Fraction(1, 2), bits)


def _gelu(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    ratio = number(_cut(x), bits) / square_root(number(2, bits))
    return number(x, bits) * (number(1, bits) + error_function(ratio)) * number(Fraction(1, 2), bits)


def _gelu_tanh(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    inner = _cut(x, Fraction(-15), Fraction(15))
    slope = square_root(number(8, bits) / pi(bits))
    return number(x, bits) * _logistic(slope * number(inner + _CUBIC * inner**3, bits))


def _swish(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    if p == 0:
        return number(x / 2, bits)
    return number(x, bits) * _logistic(number(_cut(p * x), bits))


def _mish(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    grown = _exp(x, bits)
    n = grown * (grown + number(2, bits))
    return number(x, bits) * (n / (n + number(2, bits)))


def _elu(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    return number(x, bits) if x >= 0 else number(p, bits) * _expm1(x, bits)


def _selu(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    return number(q * x, bits) if x >= 0 else number(q * p, bits) * _expm1(x, bits)


def _celu(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    return number(x, bits) if x >= 0 else number(p, bits) * _expm1(x / p, bits)


def _rational(function: Callable[[Fraction, Fraction, Fraction], Fraction]) -> Definition:
    def enclosed(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
        return number(function(x, p, q), bits)

    return enclosed


def _between(x: Fraction) -> Fraction:
    return _cut(x, Fraction(0), Fraction(1))


RATIONAL: dict[str, Callable[[Fraction, Fraction, Fraction], Fraction]] = {
    "HardSigmoid": lambda x, p, q: _between(p * x + q),
    "HardSwish": lambda x, p, q: x * _between(_SIXTH * x + Fraction(1, 2)),
    "Softsign": lambda x, p, q: x / (1 + abs(x)),
}
"""Functions whose value at a rational number is rational, so that ties are found exactly."""


def _tan(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    sine, cosine = sine_and_cosine(x, bits)
    return sine / cosine


def _asin(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    if abs(x) == 1:
        half = pi(bits) * number(Fraction(1, 2), bits)
        return half if x > 0 else -half
    return arc_tangent(number(x, bits) / square_root(number(1 - x * x, bits)))


def _acos(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    if x == -1:
        return pi(bits)
    angle = arc_tangent(square_root(number((1 - x) / (1 + x), bits)))
    return angle + angle


def _asinh(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    value = logarithm(number(abs(x), bits) + square_root(number(x * x + 1, bits)))
    return value if x >= 0 else -value


def _acosh(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    return logarithm(number(x, bits) + square_root(number(x * x - 1, bits)))


def _atanh(x: Fraction, p: Fraction, q: Fraction, bits: int) -> Enclosure:
    return logarithm(number((1 + x) / (1 - x), bits)) * number(Fraction(1, 2), bits)


DEFINITIONS: dict[str, Definition] = {
    "Acos": _acos,
    "Acosh": _acosh,
    "Asin": _asin,
    "Asinh": _asinh,
    "Atan": lambda x, p, q, bits: arc_tangent(number(x, bits)),
    "Atanh": _atanh,
    "Celu": _celu,
    "Cos": lambda x, p, q, bits: sine_and_cosine(x, bits)[1],
    "Cosh": _cosh,
    "Elu": _elu,
    "Erf": lambda x, p, q, bits: error_function(number(_cut(x), bits)),
    "Exp": lambda x, p, q, bits: _exp(x, bits),
    "Gelu": _gelu,
    "GeluTanh": _gelu_tanh,
    "HardSigmoid": _rational(RATIONAL["HardSigmoid"]),
    "HardSwish": _rational(RATIONAL["HardSwish"]),
    "Log": lambda x, p, q, bits: logarithm(number(x, bits)),
    "Mish": _mish,
    "Selu": _selu,
    "Sigmoid": lambda x, p, q, bits: _logistic(number(_cut(x), bits)),
    "Sin": lambda x, p, q, bits: sine_and_cosine(x, bits)[0],
    "Sinh": _sinh,
    "Softplus": _softplus,
    "Softsign": _rational(RATIONAL["Softsign"]),
    "Swish": _swish,
    "Tan": _tan,
    "Tanh": _tanh,
}

FIRST_BITS = 320
"""Enough for 90 bits of a result near the least subnormal number, so one round nearly always decides."""
MOST_BITS = 2**15


def rounded(name: str, x: Fraction, p: Fraction = Fraction(0), q: Fraction = Fraction(0)) -> float:
    """f(x) rounded to nearest, ties to even. x inside the domain; a result of zero is +0."""
    if name in RATIONAL:
        return float(round_nearest(RATIONAL[name](x, p, q)))
    return _decide(lambda bits: DEFINITIONS[name](x, p, q, bits))


def rounded_power(x: Fraction, y: Fraction) -> float:
    """x^y rounded to nearest, for x > 0."""
    known = _rational_power(x, y)
    if known is not None:
        return float(round_nearest(known))

    def power(bits: int) -> Enclosure:
        exponent = number(y, bits) * logarithm(number(x, bits))
        edge = number(_FAR, bits)
        if exponent.low > edge.low:
            exponent = edge
        return exponential(exponent)

    return _decide(power)


def _rational_power(x: Fraction, y: Fraction) -> Fraction | None:
    """x^y where it may lie midway between two binary32 numbers; None where it cannot.

    A tie has an odd part below 2^25. With y = n / 2^j, x^y is rational only if x is a square j times over;
    the odd part of root^n is below 2^25 only for n <= 25 or a power of two; n < 0 needs a power of two.
    """
    base, exponent = x, y
    while exponent.denominator > 1:
        root = _exact_root(base)
        if root is None:
            return None
        base, exponent = root, exponent * 2
    if base == 1 or exponent == 0:
        return Fraction(1)
    odd = base.numerator >> ((base.numerator & -base.numerator).bit_length() - 1)
    if odd != 1:
        return base**exponent.numerator if 0 < exponent <= 32 else None
    power = (base.numerator.bit_length() - base.denominator.bit_length()) * exponent
    return Fraction(2) ** int(_cut(power))


def _exact_root(x: Fraction) -> Fraction | None:
    """The square root of a positive number where it is rational."""
    from math import isqrt

    top, bottom = isqrt(x.numerator), isqrt(x.denominator)
    return Fraction(top, bottom) if Fraction(top * top, bottom * bottom) == x else None


def _decide(enclose: Callable[[int], Enclosure]) -> float:
    """Raise the precision until both ends round alike."""
    bits = FIRST_BITS
    while bits <= MOST_BITS:
        try:
            low, high = enclose(bits).ends()
        except MorePrecision:
            pass
        else:
            down, up = round_nearest(low), round_nearest(high)
            if down == up:
                return float(down)
        bits *= 2
    raise ArithmeticError("no precision decides this rounding")
