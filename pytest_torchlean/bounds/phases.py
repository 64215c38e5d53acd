"""Cases of a box by the signs of ReLUs' arguments, with multipliers (beta-CROWN), in binary64.

In a case some arguments are known not to be negative, others not to be positive. A multiple of such an
argument may be taken from a form, or added to it, without making the form larger there; multipliers and
slopes climb together (Wang et al., Beta-CROWN, 2021). Bounds of arguments stay those of the whole box, cut at
0. The result is a tree of cases, never evidence.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.crown import LinearBounds
from pytest_torchlean.bounds.layers import Float64, Parts, ReluLayer, picked
from pytest_torchlean.bounds.slopes import Adam, Ascent
from pytest_torchlean.bounds.sweeps import Lines, go_back, gradient, relu_lines

STEPS = Ascent(iterations=12, step=0.3)
_BATCH = 32
"""Cases bounded at once."""


@dataclass(frozen=True, order=True)
class Phase:
    """The argument of result `place` of ReLU `number` is at least 0 where `on`, at most 0 where not."""

    number: int
    place: int
    on: bool


Case = tuple[Phase, ...]


@dataclass(frozen=True, eq=False)
class BoundedCases:
    """least: (cases, rows). scores: by ReLU how much its results cost the bounds, (n, cases)."""

    least: Float64
    scores: dict[int, Float64]


@dataclass(frozen=True, eq=False)
class PhaseSearch:
    """cases: those that are proved and together are everything; None where some were left. bounded: cases
    looked at. gap: the lowest bound that was left.
    """

    cases: tuple[Case, ...] | None
    bounded: int
    gap: float


def bound_cases(
    bounds: LinearBounds,
    rows: Float64,
    cases: Sequence[Case],
    how: Ascent = STEPS,
    *,
    enough: float = np.inf,
    budget: Budget = UNLIMITED,
) -> BoundedCases:
    """Lower bounds of forms of the slots (rows, slots) in every case of one box. Raises OutOfTime.

    bounds: of one box, with lines for every ReLU. Stops where all bounds are above `enough`.
    """
    layers, count = bounds.layers, len(cases)
    low, high = (np.repeat(side, count, axis=1) for side in (bounds.low, bounds.high))
    fixed, signs = case_lines(bounds, cases)
    forms, constant = forms_over(bounds, rows)
    shape = (count, len(rows))
    lower = {
        number: np.repeat(line.lower, shape[1], axis=2)
        for number, line in fixed.items()
        if ((line.upper > 0) & (line.upper < 1)).any()
    }
    free = {number: (fixed[number].upper > 0) & (fixed[number].upper < 1) for number in lower}
    multipliers = {number: np.zeros((*sign.shape, shape[1])) for number, sign in signs.items()}
    moving = {number: Adam() for number in lower}
    pushing = {number: Adam() for number in multipliers}
    least = np.full(shape, -np.inf)
    scores: dict[int, Float64] = {}
    for iteration in range(how.iterations + 1):
        budget.spend()
        lines = {
            number: Lines(
                lower.get(number, line.lower),
                line.upper,
                line.intercept,
                signs[number][:, :, None] * multipliers[number] if number in signs else None,
            )
            for number, line in fixed.items()
        }
        swept = go_back(layers, list(forms), constant, low, high, lines, keep=True)
        least = np.maximum(least, swept.least)
        if iteration == 0:
            scores = {
                number: np.abs(form).max(axis=2) * fixed[number].intercept[:, :, 0]
                for number, form in swept.met.items()
                if number in fixed
            }
        if iteration == how.iterations or (least > enough).all():
            break
        found = gradient(layers, swept, low, high, lines, -1)
        step = how.step * how.decay**iteration
        for number, own in found.slopes.items():
            if number in lower:
                direction = moving[number].step(own * free[number])
                lower[number] = np.clip(lower[number] + step * direction, 0.0, 1.0)
        for number, own in found.pushes.items():
            size = np.abs(swept.met[number]).max(axis=(0, 2))[None, :, None]
            direction = pushing[number].step(own * signs[number][:, :, None])
            multipliers[number] = np.maximum(multipliers[number] + step * size * direction, 0.0)
    return BoundedCases(least, scores)


def case_lines(bounds: LinearBounds, cases: Sequence[Case]) -> tuple[dict[int, Lines], dict[int, Float64]]:
    """Lines of all ReLUs in every case, and -1 for arguments that are on, 1 for those that are off."""
    layers, lines, signs = bounds.layers, {}, {}
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
        lines[number] = relu_lines(np.minimum(least, most), most)
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


def search(
    bounds: LinearBounds,
    rows: Float64,
    alternatives: int = 1,
    *,
    most: int,
    slack: float = 0.0,
    how: Ascent = STEPS,
    budget: Budget = UNLIMITED,
) -> PhaseSearch:
    """Split the whole box into cases until in each every clause of `alternatives` rows has one above `slack`.

    The case that is furthest from it is split first, at the undecided ReLU whose line above costs its form
    most. At most `most` cases are bounded. Raises OutOfTime.
    """
    waiting: list[tuple[float, int, Case]] = [(0.0, 0, ())]
    proved: list[Case] = []
    bounded = 0
    while waiting:
        chosen = [heapq.heappop(waiting)[2] for _ in range(min(_BATCH, len(waiting)))]
        found = bound_cases(bounds, rows, chosen, how, enough=slack, budget=budget)
        bounded += len(chosen)
        least = found.least.reshape(len(chosen), -1, alternatives).max(axis=2).min(axis=1)
        for column, case in enumerate(chosen):
            if least[column] > slack:
                proved.append(case)
                continue
            place = _worst(found.scores, column)
            if place is None or bounded + len(waiting) + 2 > most:
                gap = min([float(least.min()), *(value for value, _, _ in waiting)])
                return PhaseSearch(None, bounded, gap)
            for on in (True, False):
                half = (*case, Phase(*place, on))
                heapq.heappush(waiting, (float(least[column]), bounded + len(waiting), half))
    return PhaseSearch(tuple(proved), bounded, np.inf)


def _worst(scores: dict[int, Float64], column: int) -> tuple[int, int] | None:
    """The ReLU and the result that cost a case most; None where every line is exact."""
    found = None
    largest = 0.0
    for number, own in scores.items():
        place = int(np.argmax(own[:, column]))
        if own[place, column] > largest:
            found, largest = (number, place), float(own[place, column])
    return found
