"""Bounds of sine and cosine in exact integers, as lean/PytestTorchLean/Check/Turn computes them."""

from __future__ import annotations

FURTHEST = 32
"""Check.Circle.furthest: beyond it only that the values are between -1 and 1 is known."""
Bounds = tuple[int, int]


def circle_bounds(sine: bool, unit: int, center: int, bits: int, lower: int, upper: int) -> Bounds | None:
    """Check.Circle.encloseSine or encloseCosine: None where Lean finds none."""
    middle = (lower + upper) // 2
    radius = max(upper - middle, 0)
    if radius > unit or abs(middle - center) > FURTHEST * unit:
        return max(center - unit, 0), center + unit
    at = (sine_at, cosine_at) if sine else (cosine_at, sine_at)
    own, other = (find(unit, center, bits, middle) for find in at)
    return None if own is None or other is None else _spread(unit, center, radius, own, other)


def sine_at(unit: int, center: int, bits: int, m: int) -> Bounds | None:
    """Check.Circle.sineAt."""
    n = abs(m - center)
    first = (n << bits) // unit
    found = _point(1, unit, center, bits, n, (first, first + 1))
    if found is None or m >= center:
        return found
    low, high = found
    return None if high > 2 * center else (2 * center - high, max(2 * center - low, 0))


def cosine_at(unit: int, center: int, bits: int, m: int) -> Bounds | None:
    """Check.Circle.cosineAt."""
    return _point(0, unit, center, bits, abs(m - center), (1 << bits, 1 << bits))


def _point(start: int, unit: int, center: int, bits: int, n: int, first: Bounds) -> Bounds | None:
    """Check.Circle.point, with Check.Circle.series."""
    square, area, k = unit * unit, n * n, start
    (low, high), plus, minus = first, first, (0, 0)
    for _ in range(4 + 3 * n // (4 * unit)):
        divisor = square * (k + 1) * (k + 2)
        less, more = area * low // divisor, area * high // divisor + 1
        divisor = square * (k + 3) * (k + 4)
        low, high = area * less // divisor, area * more // divisor + 1
        plus = plus[0] + low, plus[1] + high
        minus = minus[0] + less, minus[1] + more
        k += 4
    rest = area * high // (square * (k + 1) * (k + 2)) + 1
    least = (center << bits) + unit * plus[0] - unit * (minus[1] + rest)
    most = (center << bits) + unit * plus[1] - unit * minus[0]
    return None if least < 0 or most < 0 else (least >> bits, (most >> bits) + 1)


def _spread(unit: int, center: int, radius: int, own: Bounds, other: Bounds) -> Bounds | None:
    """Check.Circle.spread."""
    (a, b), (c, d) = own, other
    size = max(d - center, 0) + max(center - c, 0)
    far = (2 * size * radius + radius * radius) // (2 * unit) + 1
    return None if far > a else (max(a - far, center - unit, 0), min(b + far, center + unit))
