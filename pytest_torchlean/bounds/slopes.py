"""Slopes of the lines below ReLUs that make bounds best (alpha-CROWN), by projected gradient ascent.

Any slope between 0 and 1 gives a sound bound, so a search can only lose time. Layer by layer, every bound of
a ReLU's argument that intervals leave undecided gets slopes of its own for all ReLUs before it; later bounds
stand on the better ones, and no gradient has to pass through bounds of bounds. The steps are Adam's (Kingma
and Ba, 2015), which do not depend on how a form is scaled; slopes are clipped to [0, 1]. Of all slopes seen
the best count, the first being those of `crown`, so that no bound is looser than with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.alive import Alive, with_lines
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.crown import (
    UNROUNDED,
    LinearBounds,
    Method,
    Options,
    argument_bounds,
    batches,
    both_ways,
    forms_of,
    has_lines,
    start,
    step_interval,
    store,
    tightened,
    undecided,
)
from pytest_torchlean.bounds.layers import Float64, Parts, prepared
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.sweeps import Lines, go_back, gradient, relu_lines

_FIRST_MOMENT = 0.8
_SECOND_MOMENT = 0.99
_LEAST = 1e-150
"""Below it a gradient counts as 0."""
_SHARPNESS = 4.0
"""How fast weights of alternatives move, in steps."""


@dataclass(frozen=True)
class Ascent:
    """iterations: gradient steps. step: how far the first moves a slope. decay: from step to step."""

    iterations: int = 20
    step: float = 0.5
    decay: float = 0.9


ASCENT = Ascent()


@dataclass(frozen=True, eq=False)
class Climbed:
    """least: the best lower bounds seen, (boxes, rows). lower: slopes below, (n, boxes, groups), by node:
    those at which a group's sum of bounds was best. weights: of the alternatives of every clause, (boxes,
    clauses, alternatives), where these were sought.
    """

    least: Float64
    lower: Mapping[int, Float64]
    weights: Float64 | None = None


class Adam:
    """Steps of one array."""

    def __init__(self) -> None:
        self._first: Float64 | float = 0.0
        self._second: Float64 | float = 0.0
        self._count = 0

    def step(self, slope: Float64) -> Float64:
        """The direction, each element of size about 1."""
        self._count += 1
        self._first = _FIRST_MOMENT * self._first + (1 - _FIRST_MOMENT) * slope
        self._second = _SECOND_MOMENT * self._second + (1 - _SECOND_MOMENT) * slope * slope
        mean = self._first / (1 - _FIRST_MOMENT**self._count)
        size = np.sqrt(self._second / (1 - _SECOND_MOMENT**self._count))
        # the least normal number of the array's own format: a gradient of 0 gives 0
        found: Float64 = mean / (size + max(_LEAST, float(np.finfo(size.dtype).tiny)))
        return found


class _Slopes:
    """The slopes of one ascent: arrays (n, boxes, groups), and which of them may move."""

    def __init__(self, alive: Alive, boxes: int, groups: NDArray[np.int64], together: int) -> None:
        self._fixed = alive.lines
        self._groups = groups
        self._together = together
        self.membership = np.equal.outer(groups, np.arange(together)).astype(np.float64)
        self._free = {
            number: ((lines.upper > 0) & (lines.upper < 1)).any(axis=2, keepdims=True)
            for number, lines in alive.lines.items()
        }
        self._free = {number: free for number, free in self._free.items() if free.any()}
        self.lower = {
            number: np.repeat(
                np.broadcast_to(lines.lower[:, :, :1], (len(lines.lower), boxes, 1)), together, axis=2
            )
            for number, lines in alive.lines.items()
            if number in self._free
        }
        self._adam = {number: Adam() for number in self.lower}

    def lines(self) -> dict[int, Lines]:
        """The lines as the slopes have them now."""
        found = dict(self._fixed)
        for number, lower in self.lower.items():
            own = lower if self._together in (1, self._groups.size) else lower[:, :, self._groups]
            found[number] = self._fixed[number].with_lower(own)
        return found

    def move(self, slopes: Mapping[int, Float64], step: float) -> None:
        """One step along the sum of the derivatives of each group's rows."""
        for number, own in slopes.items():
            if number not in self.lower:
                continue
            if self._together == 1:
                own = own.sum(axis=2, keepdims=True)
            elif self._together < self._groups.size:
                own = own @ self.membership
            direction = self._adam[number].step(own * self._free[number])
            self.lower[number] = np.clip(self.lower[number] + step * direction, 0.0, 1.0)


def ascend(
    alive: Alive,
    forms: Parts,
    constant: Float64,
    low: Float64,
    high: Float64,
    how: Ascent,
    *,
    groups: NDArray[np.int64] | None = None,
    enough: float = np.inf,
    budget: Budget = UNLIMITED,
) -> Climbed:
    """The best lower bounds of forms. Arguments as of `go_back`.

    groups: of every row the number of the slopes that it uses, from 0 on; None gives each row its own. What
    a bound is above `enough` does not count; where all are there, the ascent stops. Raises OutOfTime.
    """
    boxes, rows = low.shape[1], constant.shape[1]
    groups = np.arange(rows) if groups is None else groups
    together = int(groups.max(initial=0)) + 1
    slopes = _Slopes(alive, boxes, groups, together)
    best, best_sum = np.full((boxes, rows), -np.inf), np.full((boxes, together), -np.inf)
    kept: dict[int, Float64] = dict(slopes.lower)
    for iteration in range(how.iterations + 1):
        budget.spend()
        lines = slopes.lines()
        swept = go_back(alive.layers, list(forms), constant, low, high, lines, keep=True)
        best = np.maximum(best, swept.least)
        counted = np.minimum(swept.least, enough)
        sums = counted if together == rows else counted @ slopes.membership
        better = sums > best_sum
        best_sum = np.where(better, sums, best_sum)
        kept = {number: np.where(better[None], lower, kept[number]) for number, lower in slopes.lower.items()}
        if iteration == how.iterations or not slopes.lower or (swept.least >= enough).all():
            break
        found = gradient(alive.layers, swept, low, high, lines, -1).slopes
        if together < rows:
            found = {number: own * (swept.least < enough) for number, own in found.items()}
        slopes.move(found, how.step * how.decay**iteration)
    return Climbed(best, kept)


def ascend_clauses(
    alive: Alive,
    forms: Parts,
    constant: Float64,
    low: Float64,
    high: Float64,
    how: Ascent,
    *,
    alternatives: int,
    enough: float = np.inf,
    budget: Budget = UNLIMITED,
) -> Climbed:
    """The best lower bound of every clause's weighted sum of rows, least: (boxes, clauses).

    One of a clause's rows is positive wherever a sum of them with weights that are not negative is. Weights
    and slopes climb together. Raises OutOfTime.
    """
    boxes, clauses = low.shape[1], constant.shape[1] // alternatives
    slopes = _Slopes(alive, boxes, np.arange(clauses), clauses)
    logits = np.zeros((boxes, clauses, alternatives))
    best = np.full((boxes, clauses), -np.inf)
    best_weights = np.full(logits.shape, 1.0 / alternatives)
    kept: dict[int, Float64] = dict(slopes.lower)
    last = max((part - 1 for part, form in enumerate(forms) if form is not None), default=-1)
    for iteration in range(how.iterations + 1):
        budget.spend()
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        weights = weights / weights.sum(axis=2, keepdims=True)
        lines = slopes.lines()
        summed = [None if form is None else _weighted(form, weights) for form in forms]
        swept = go_back(
            alive.layers, summed, _weighted(constant[None], weights)[0], low, high, lines, keep=True
        )
        better = swept.least > best
        best = np.where(better, swept.least, best)
        best_weights = np.where(better[:, :, None], weights, best_weights)
        kept = {number: np.where(better[None], lower, kept[number]) for number, lower in slopes.lower.items()}
        if iteration == how.iterations or (best > enough).all():
            break
        found = gradient(alive.layers, swept, low, high, lines, last)
        step = how.step * how.decay**iteration
        rows = _values(forms, constant, found.values, clauses, alternatives)
        rows = rows - rows.mean(axis=2, keepdims=True)
        logits = logits + _SHARPNESS * step * rows / (np.abs(rows).max(axis=2, keepdims=True) + _LEAST)
        slopes.move(found.slopes, step)
    return Climbed(best, kept, best_weights)


def _weighted(forms: Float64, weights: Float64) -> Float64:
    """(slots, boxes or 1, clauses * alternatives) -> (slots, boxes, clauses)."""
    apart = forms.reshape(*forms.shape[:2], *weights.shape[1:])
    found: Float64 = (apart * weights[None]).sum(axis=3)
    return found


def _values(forms: Parts, constant: Float64, values: Parts, clauses: int, alternatives: int) -> Float64:
    """Each row's value at its clause's corner, (boxes, clauses, alternatives)."""
    found: Float64 = constant.reshape(-1, clauses, alternatives)
    for form, value in zip(forms, values, strict=True):
        if form is not None and value is not None:
            apart = form.reshape(*form.shape[:2], clauses, alternatives)
            found = found + (apart * value[:, :, :, None]).sum(axis=0)
    return found


def bound(
    program: Program,
    lower: Float64,
    upper: Float64,
    how: Ascent = ASCENT,
    options: Options = UNROUNDED,
    budget: Budget = UNLIMITED,
) -> LinearBounds:
    """Bounds of all slots as `crown.bound` has them, every undecided argument's made best.

    Raises OutOfTime.
    """
    layers = prepared(program)
    low, high = start(layers, lower, upper)
    lines: dict[int, Lines] = {}
    alive = Alive(layers, {}, {})
    for number, layer in enumerate(layers.layers):
        if has_lines(layer, extrema=options.extrema):
            known = argument_bounds(layers, number, low, high)
            if lines and options.method is Method.CROWN:
                known = tightened(number, known, (low, high), alive, options)
                known = _climbed(number, known, (low, high), alive, how, budget)
                store(layers, number, known, (low, high))
            lines[number] = relu_lines(*known, options.bits)
            alive = with_lines(alive, number, lines[number])
        step_interval(layers, number, low, high)
    return LinearBounds(layers, low, high, lines, alive)


def _climbed(
    number: int,
    known: tuple[Float64, Float64],
    all_bounds: tuple[Float64, Float64],
    alive: Alive,
    how: Ascent,
    budget: Budget,
) -> tuple[Float64, Float64]:
    least, most = (side.copy() for side in known)
    open_places = undecided(least, most)
    chosen = np.flatnonzero(open_places.any(axis=1))
    for part in batches(alive.layers, chosen.size * 2, least.shape[1]):
        own = chosen[part.start // 2 : part.stop // 2]
        forms, constant = both_ways(alive.layers, number, own)
        found = ascend(alive, forms, constant, *all_bounds, how, budget=budget).least.T
        lowest = np.maximum(found[: own.size], least[own])
        highest = np.minimum(-found[own.size :], most[own])
        least[own] = np.where(open_places[own], lowest, least[own])
        most[own] = np.where(open_places[own], highest, most[own])
    return least, most


def minimum(bounds: LinearBounds, rows: Float64, how: Ascent = ASCENT, budget: Budget = UNLIMITED) -> Float64:
    """Lower bounds of linear forms of the slots, each with slopes of its own, (boxes, rows)."""
    count = bounds.low.shape[1]
    found = [np.zeros((count, 0))]
    for part in batches(bounds.layers, len(rows), count):
        alive, forms, constant = forms_of(bounds, rows[part])
        found.append(ascend(alive, forms, constant, bounds.low, bounds.high, how, budget=budget).least)
    return np.concatenate(found, axis=1)


def clauses(
    bounds: LinearBounds,
    rows: Float64,
    alternatives: int,
    how: Ascent = ASCENT,
    *,
    enough: float = np.inf,
    budget: Budget = UNLIMITED,
) -> Climbed:
    """For clauses of `alternatives` rows (rows, slots) each: lower bounds of sums of a clause's rows."""
    alive, forms, constant = forms_of(bounds, rows)
    sides = bounds.low, bounds.high
    return ascend_clauses(
        alive, forms, constant, *sides, how, alternatives=alternatives, enough=enough, budget=budget
    )
