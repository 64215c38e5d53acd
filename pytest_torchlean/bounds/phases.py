"""Cases of a box by the signs of ReLUs' arguments, with multipliers (beta-CROWN), in binary64.

In a case some arguments are known not to be negative, others not to be positive. A multiple of such an
argument may be taken from a form, or added to it, without making the form larger there; multipliers and
slopes climb together (Wang et al., Beta-CROWN, 2021). Bounds of arguments stay those of the whole box, cut at
0. Every case has one set of slopes, of few bits, for all rows, as a certificate states it. The result is a
tree of cases, never evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.crown import SLOPE_BITS, LinearBounds
from pytest_torchlean.bounds.layers import Float64, Parts, ReluLayer, picked
from pytest_torchlean.bounds.slopes import Adam, Ascent
from pytest_torchlean.bounds.sweeps import Lines, Swept, go_back, gradient, relu_lines

STEPS = Ascent(iterations=40, step=0.25, decay=0.95)
"""Lean takes far longer over a case than these steps do, and half as many leave several times the cases."""
MULTIPLIER_BITS = 12
"""Multipliers are multiples of 2^-MULTIPLIER_BITS of the power of two next above a case's largest."""


@dataclass(frozen=True, order=True)
class Phase:
    """The argument of result `place` of ReLU `number` is at least 0 where `on`, at most 0 where not."""

    number: int
    place: int
    on: bool


Case = tuple[Phase, ...]


@dataclass(frozen=True, eq=False)
class Point:
    """What bounds a case. lower: slopes below by the number of the ReLU, float64 (n,), of SLOPE_BITS bits.

    multipliers: float64 (phases of the case, rows), not negative.
    """

    lower: Mapping[int, Float64]
    multipliers: Float64


@dataclass(frozen=True, eq=False)
class BoundedCases:
    """least: (cases, rows), with these points. scores: by ReLU how much its results cost, (n, cases)."""

    least: Float64
    points: tuple[Point, ...]
    scores: dict[int, Float64]


def bound_cases(
    bounds: LinearBounds,
    rows: Float64,
    cases: Sequence[Case],
    how: Ascent = STEPS,
    *,
    alternatives: int = 1,
    starts: Sequence[Point | None] | None = None,
    enough: float = np.inf,
    budget: Budget = UNLIMITED,
) -> BoundedCases:
    """Lower bounds of forms of the slots (rows, slots) in every case of one box. Raises OutOfTime.

    bounds: of one box, with lines for every ReLU. starts: where the ascent begins, for each case. Of
    each clause of `alternatives` rows the best one counts. Stops where all clauses are above `enough`.
    """
    layers, count = bounds.layers, len(cases)
    low, high = (np.repeat(side, count, axis=1) for side in (bounds.low, bounds.high))
    fixed, signs = case_lines(bounds, cases)
    forms, constant = forms_over(bounds, rows)
    free = {number: (line.upper > 0) & (line.upper < 1) for number, line in fixed.items()}
    lower = {number: fixed[number].lower.copy() for number, own in free.items() if own.any()}
    multipliers = {number: np.zeros((*sign.shape, len(rows))) for number, sign in signs.items()}
    _begin(cases, starts, lower, free, multipliers)
    moving = {number: Adam() for number in lower}
    pushing = {number: Adam() for number in multipliers}
    best = np.full(count, -np.inf)
    kept, kept_multipliers = dict(lower), dict(multipliers)

    def swept(
        lower: Mapping[int, Float64], multipliers: Mapping[int, Float64]
    ) -> tuple[Swept, dict[int, Lines]]:
        lines = {
            number: Lines(
                lower.get(number, line.lower),
                line.upper,
                line.intercept,
                signs[number][:, :, None] * multipliers[number] if number in signs else None,
            )
            for number, line in fixed.items()
        }
        return go_back(layers, list(forms), constant, low, high, lines, keep=True), lines

    for iteration in range(how.iterations + 1):
        budget.spend()
        now, lines = swept(lower, multipliers)
        value, active = _clauses(now.least, alternatives, enough)
        better = value > best
        best = np.where(better, value, best)
        kept = {n: np.where(better[None, :, None], own, kept[n]) for n, own in lower.items()}
        kept_multipliers = {
            n: np.where(better[None, :, None], own, kept_multipliers[n]) for n, own in multipliers.items()
        }
        if iteration == how.iterations or not active.any():
            break
        found = gradient(layers, now, low, high, lines, -1)
        step = how.step * how.decay**iteration
        for number, own in found.slopes.items():
            if number in lower:
                direction = moving[number].step((own * active).sum(axis=2, keepdims=True) * free[number])
                lower[number] = np.clip(lower[number] + step * direction, 0.0, 1.0)
        for number, own in found.pushes.items():
            size = np.abs(now.met[number]).max(axis=(0, 2))[None, :, None]
            direction = pushing[number].step(own * signs[number][:, :, None])
            multipliers[number] = np.maximum(multipliers[number] + step * size * direction * active, 0.0)
    kept, kept_multipliers = _rounded(kept, kept_multipliers)
    last, _ = swept(kept, kept_multipliers)
    _, active = _clauses(last.least, alternatives, np.inf)
    scores = {
        number: (np.abs(form) * active).max(axis=2) * fixed[number].intercept[:, :, 0]
        for number, form in last.met.items()
        if number in fixed and isinstance(layers.layers[number], ReluLayer)
    }
    return BoundedCases(last.least, _points(cases, kept, kept_multipliers, len(rows)), scores)


def _begin(
    cases: Sequence[Case],
    starts: Sequence[Point | None] | None,
    lower: dict[int, Float64],
    free: Mapping[int, NDArray[np.bool_]],
    multipliers: Mapping[int, Float64],
) -> None:
    """Put slopes and multipliers where the starts have them; a start may know fewer phases than its case."""
    for column, point in enumerate(starts or ()):
        if point is None:
            continue
        for number, own in point.lower.items():
            if number in lower:
                chosen = free[number][:, column, 0]
                lower[number][chosen, column, 0] = own[chosen]
        for phase, sizes in zip(cases[column], point.multipliers, strict=False):
            multipliers[phase.number][phase.place, column] = sizes


def _clauses(least: Float64, alternatives: int, enough: float) -> tuple[Float64, NDArray[np.bool_]]:
    """For each case the sum of what its clauses reach of `enough`; the rows that are worth moving for."""
    apart = least.reshape(len(least), -1, alternatives)
    chosen = apart == apart.max(axis=2, keepdims=True)
    reached = apart.max(axis=2)
    active = chosen & (reached < enough)[:, :, None]
    return np.minimum(reached, enough).sum(axis=1), active.reshape(least.shape)


def _rounded(
    lower: Mapping[int, Float64], multipliers: Mapping[int, Float64]
) -> tuple[dict[int, Float64], dict[int, Float64]]:
    unit = float(1 << SLOPE_BITS)
    slopes = {number: np.rint(own * unit) / unit for number, own in lower.items()}
    if not multipliers:
        return slopes, {}
    largest = np.max([own.max(axis=(0, 2)) for own in multipliers.values()], axis=0)
    step = 2.0 ** (np.ceil(np.log2(np.maximum(largest, 1e-300))) - MULTIPLIER_BITS)[None, :, None]
    return slopes, {number: np.rint(own / step) * step for number, own in multipliers.items()}


def _points(
    cases: Sequence[Case], lower: Mapping[int, Float64], multipliers: Mapping[int, Float64], rows: int
) -> tuple[Point, ...]:
    found = []
    for column, case in enumerate(cases):
        sizes = [multipliers[phase.number][phase.place, column] for phase in case]
        own = np.array(sizes).reshape(len(case), rows)
        found.append(Point({number: slopes[:, column, 0].copy() for number, slopes in lower.items()}, own))
    return tuple(found)


def case_lines(bounds: LinearBounds, cases: Sequence[Case]) -> tuple[dict[int, Lines], dict[int, Float64]]:
    """Lines of all ReLUs in every case, and -1 for arguments that are on, 1 for those that are off."""
    layers, signs = bounds.layers, {}
    lines = {
        number: Lines(
            *(np.repeat(part, len(cases), axis=1) for part in (own.lower, own.upper, own.intercept))
        )
        for number, own in bounds.lines.items()
        if not isinstance(layers.layers[number], ReluLayer)
    }
    for number, layer in enumerate(layers.layers):
        if not isinstance(layer, ReluLayer):
            continue
        sides = []
        for side in (bounds.low, bounds.high):
            values: Parts = [side[layers.here(part)][:, :, None] for part in range(len(layers.sizes))]
            sides.append(np.repeat(picked(values, layer.source, layer.size)[:, :, 0], len(cases), axis=1))
        least, most = sides
        sign = np.zeros(least.shape)
        for column, case in enumerate(cases):
            for phase in case:
                if phase.number == number:
                    sign[phase.place, column] = -1.0 if phase.on else 1.0
        least, most = (
            np.where(sign < 0, np.maximum(least, 0.0), least),
            np.where(sign > 0, np.minimum(most, 0.0), most),
        )
        # a case that contradicts the bounds is empty: any lines will do
        lines[number] = relu_lines(np.minimum(least, most), most, SLOPE_BITS)
        if sign.any():
            signs[number] = sign
    return lines, signs


def forms_over(bounds: LinearBounds, rows: Float64) -> tuple[Parts, Float64]:
    layers = bounds.layers
    parts: Parts = []
    for part in range(len(layers.sizes)):
        own = rows[:, layers.here(part)]
        parts.append(np.ascontiguousarray(own.T)[:, None, :] if own.any() else None)
    return parts, rows[None, :, 1].copy()
