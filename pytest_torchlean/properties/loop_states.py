"""States of a region that constraints cut: a claim about a region without states would say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import exact
from pytest_torchlean.certificate.boxes import float_bounds, to_float
from pytest_torchlean.spec.expressions import Binary64, Expression, evaluate
from pytest_torchlean.spec.expressions.piecewise import Linear, Piecewise
from pytest_torchlean.spec.vnnlib import InputBox

_STARTS = 8
_STEPS = 32
_MARGINS = (0.25, 0.05, 1e-3, 1e-6, 0.0)
_LARGEST = np.finfo(np.float32).max

_POINTS = 2000
_BEST = 4
_MOVES = 300

Float64 = NDArray[np.float64]


def state_in(
    box: InputBox, names: Sequence[str], constraints: Sequence[Piecewise], *, rounded: bool
) -> tuple[Fraction, ...] | None:
    """A state of the box in which no constraint is positive, checked exactly; None where none was found.

    rounded: a binary32 number of the box's outward hull.
    """
    for point in _candidates(box, names, constraints):
        if rounded:
            single = np.clip(point, -_LARGEST, _LARGEST).astype(np.float32)
            state = tuple(exact(number) for number in single)
        else:
            pairs = zip(map(Fraction, point.tolist()), box.lower, box.upper, strict=True)
            state = tuple(min(max(value, low), high) for value, low, high in pairs)
        values = dict(zip(names, state, strict=True))
        if all(_most(one, values) <= 0 for one in constraints):
            return state
    return None


def any_state_in(box: InputBox, names: Sequence[str], constraints: Sequence[Expression]) -> bool:
    """Whether a state of the box was found in which no constraint is positive, in binary64."""
    lower, upper = float_bounds(box)
    random = np.random.default_rng(0)

    def over(point: Float64) -> float:
        values = dict(zip(names, point.tolist(), strict=True))
        found = [evaluate(one, values, Binary64()) for one in constraints]
        return np.inf if np.isnan(found).any() else max(found)

    corners = np.where(random.random((_POINTS // 8, len(lower))) < 0.5, lower, upper)
    points = [(lower + upper) / 2, *corners, *random.uniform(lower, upper, (_POINTS, len(lower)))]
    for point in sorted(points, key=over)[:_BEST]:
        best, least, radius = point, over(point), (upper - lower) / 4
        for _ in range(_MOVES):
            if least <= 0:
                return True
            moved = np.clip(best + random.uniform(-radius, radius), lower, upper)
            if (here := over(moved)) < least:
                best, least = moved, here
            else:
                radius = radius * 0.95
    return False


def _candidates(box: InputBox, names: Sequence[str], constraints: Sequence[Piecewise]) -> Iterator[Float64]:
    """Points that steps towards violated constraints lead to, float64 (inputs,)."""
    lower, upper = float_bounds(box)
    random = np.random.default_rng(0)
    for number in range(_STARTS):
        start = (lower + upper) / 2 if number == 0 else random.uniform(lower, upper)
        for margin in _MARGINS:
            point = start.copy()
            for _ in range(_STEPS):
                before = point
                for one in constraints:
                    point = np.clip(_towards(one, names, point, margin), lower, upper)
                if bool((before == point).all()):
                    break
            yield point


def _towards(one: Piecewise, names: Sequence[str], point: Float64, margin: float) -> Float64:
    """The nearest point at which the piece that is active here is at most 0 by a margin."""
    values = {name: Fraction(value) for name, value in zip(names, point.tolist(), strict=True)}
    piece = max(
        (min(group, key=lambda linear: _at(linear, values)) for group in one.groups),
        key=lambda linear: _at(linear, values),
    )
    slopes = dict(piece.terms)
    direction = np.array([to_float(slopes.get(name, Fraction(0))) for name in names])
    size = float(np.linalg.norm(direction))
    over = to_float(_at(piece, values))
    if size == 0 or over <= -margin * size:
        return point
    return point - direction / size * (over / size + margin)


def _at(linear: Linear, values: dict[str, Fraction]) -> Fraction:
    return linear.constant + sum(factor * values[name] for name, factor in linear.terms)


def _most(one: Piecewise, values: dict[str, Fraction]) -> Fraction:
    return max(min(_at(linear, values) for linear in group) for group in one.groups)
