"""Bounds of the error function in exact integers, as lean/PytestTorchLean/Check/ErrorFunction has them."""

from __future__ import annotations

LIMIT_BELOW, LIMIT_ABOVE, LIMIT_UNIT = 974416809381, 974416809385, 1 << 40
"""Check.Gauss.limitBelow, limitAbove, limitUnit: the Gauss integral's limit."""
FURTHEST = 4
"""Check.Gauss.furthest: beyond it the integral is not told from its limit."""


def error_function_bounds(
    unit: int, center: int, bits: int, count: int, lower: int, upper: int
) -> tuple[int, int] | None:
    """Check.Gauss.enclose: None where Lean finds none."""
    if lower >= center:
        least = _least(unit, bits, count, lower - center)
        low = None if least is None else center + least
    else:
        low = _mirrored(center, _most(unit, bits, count, center - lower))
    if low is None:
        return None
    if upper >= center:
        most = _most(unit, bits, count, upper - center)
        high = None if most is None else center + most
    else:
        high = _mirrored(center, _least(unit, bits, count, center - upper))
    return None if high is None else (low, high)


def _mirrored(center: int, value: int | None) -> int | None:
    return None if value is None or value > center else center - value


def _least(unit: int, bits: int, count: int, n: int) -> int | None:
    """Check.Gauss.least."""
    found = below(unit, bits, count, min(n, FURTHEST * unit))
    if found is None or found[1] * LIMIT_ABOVE < 1:
        return None
    return unit * LIMIT_UNIT * found[0] // (found[1] * LIMIT_ABOVE)


def _most(unit: int, bits: int, count: int, n: int) -> int | None:
    """Check.Gauss.most."""
    if n > FURTHEST * unit:
        return unit
    found = above(unit, bits, count, n)
    if found is None or found[1] * LIMIT_BELOW < 1:
        return None
    return unit * LIMIT_UNIT * found[0] // (found[1] * LIMIT_BELOW) + 1


def below(unit: int, bits: int, count: int, n: int) -> tuple[int, int] | None:
    """Check.Gauss.below: numerator and denominator of a fraction at or below the integral up to n / unit."""
    square, one = unit * unit, 1 << bits
    measure = square << 8 * count
    if unit < 1 or n * n >= measure:
        return None
    grown = one * measure // (measure - n * n) + 1
    for _ in range(count):
        grown = (grown**256 >> 255 * bits) + 1
    _, total = _series(0, unit, n, n * one // unit)
    return one * total, grown * one


def above(unit: int, bits: int, count: int, n: int) -> tuple[int, int] | None:
    """Check.Gauss.above."""
    square, one = unit * unit, 1 << bits
    if unit < 1:
        return None
    grown = one + n * n * one // (square << 8 * count)
    for _ in range(count):
        grown = grown**256 >> 255 * bits
    term, total = _series(1, unit, n, n * one // unit + 1)
    rest, every = 2 * n * term, unit * one
    return None if rest >= every else (unit * one * total, (every - rest) * grown)


def _series(extra: int, unit: int, n: int, first: int) -> tuple[int, int]:
    """Check.Gauss.series: the last term and the sum."""
    term = total = first
    for index in range(16 + 3 * n * n // (unit * unit)):
        term = 2 * n * n * term // (unit * unit * (2 * index + 3)) + extra
        total += term
    return term, total
