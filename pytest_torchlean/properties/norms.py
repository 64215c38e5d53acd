"""Distances of inputs in linear inequalities: a norm is the largest product with vectors of the dual ball."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product

from pytest_torchlean.errors import UnsupportedError

ONE = Fraction(1)


def sloped(first: int, direction: Sequence[Fraction], slope: Fraction) -> list[tuple[int, Fraction]]:
    """Terms of slope * (direction, step); the steps are the outputs from `first` on."""
    return [(first + place, slope * value) for place, value in enumerate(direction) if value]


MOST_SIGNED = 5
"""Inputs along which all directions with equal sizes are taken."""


def directions_of(norm: str, count: int) -> list[tuple[Fraction, ...]]:
    """Vectors u, of each pair u and -u one: |(u, d)| is at most the norm of d, whatever d is.

    Those of linf and l1 give the norm as their maximum. For l2 they are rational vectors of length 1 or less,
    whose maximum is a little below the norm: what is proved is then a little stronger than what is claimed.
    Raises UnsupportedError TL0290 where l1 has too many.
    """
    units = [tuple(Fraction(place == one) for place in range(count)) for one in range(count)]
    if norm == "linf" or count == 1:
        return units
    if norm == "l1" and count > MOST_SIGNED:
        message = f"`norm: l1` is for steps along at most {MOST_SIGNED} inputs, not {count}"
        raise UnsupportedError("TL0290", message, fix="name fewer inputs with `along`")
    signs = [(ONE, *rest) for rest in product((ONE, -ONE), repeat=count - 1)] if count <= MOST_SIGNED else []
    if norm == "l1":
        return signs
    below = Fraction(math.isqrt(10**12 // count), 10**6)
    slanted = []
    for one, other in combinations(range(count), 2):
        for first, second in ((3, 4), (4, 3), (3, -4), (4, -3)):
            vector = [Fraction(0)] * count
            vector[one], vector[other] = Fraction(first, 5), Fraction(second, 5)
            slanted.append(tuple(vector))
    return [*units, *slanted, *(tuple(below * sign for sign in one) for one in signs)]


def length(norm: str, steps: Sequence[Fraction]) -> Fraction:
    """The norm; that of l2 rounded up, by less than 2^-40 of itself."""
    if norm == "linf":
        return max(map(abs, steps))
    if norm == "l1":
        return sum(map(abs, steps), Fraction(0))
    square = sum((step * step for step in steps), Fraction(0))
    if not square:
        return square
    size = 2 * (80 + max(0, square.denominator.bit_length()))
    return Fraction(math.isqrt(math.floor(square * 2**size)) + 1, 2 ** (size // 2))
