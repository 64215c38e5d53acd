"""Slopes that a certificate can state: of few bits, and shared by the rows that go back together.

A certificate carries rows back in groups, each through lines of its own. One group for each ReLU's arguments
costs Lean no more than the slopes of `crown` do; smaller groups prove more and cost more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.alive import Alive, with_lines
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.crown import (
    SLOPE_BITS,
    STATED,
    LinearBounds,
    argument_bounds,
    both_ways,
    forms_of,
    has_lines,
    start,
    step_interval,
    store,
    tightened,
    undecided,
)
from pytest_torchlean.bounds.layers import Float64, Parts, ReluLayer, prepared
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.slopes import ASCENT, Ascent, ascend
from pytest_torchlean.bounds.sweeps import Lines, go_back, relu_lines

Lower = Mapping[int, NDArray[np.int64]]
"""Slopes below the results of ReLUs in units of 2^-SLOPE_BITS, (n,), by the number of the node."""


_SLACK = 1e-6
"""What a bound must have to spare, of what it improves on, to count before integers confirm it."""

_ENOUGH = 1e-2
"""A property's row need not rise above it; rows are scaled to a largest coefficient of 1."""


@dataclass(frozen=True, eq=False)
class Group:
    """Bounds of one ReLU's arguments that go back together, and slopes of the ReLUs before it.

    goals: 2 * place for a lower bound, 2 * place + 1 for an upper one, increasing. lower: the slopes that are
    not those of `crown`.
    """

    goals: NDArray[np.int64]
    lower: Lower


@dataclass(frozen=True, eq=False)
class StatedSlopes:
    """arguments: groups of arguments by the number of the ReLU that reads them. last: slopes for the rows of
    the property.
    """

    arguments: Mapping[int, tuple[Group, ...]]
    last: Lower

    @property
    def optimised(self) -> int:
        """How many arguments are bounded with slopes that are not those of `crown`."""
        groups = (group for own in self.arguments.values() for group in own if group.lower)
        return sum(group.goals.size // 2 for group in groups)


@dataclass(frozen=True, eq=False)
class Stated:
    """Slopes, the bounds of all slots and the lower bounds (rows,) of the property's rows with them."""

    slopes: StatedSlopes
    bounds: LinearBounds
    least: Float64


def stated(
    program: Program,
    lower: Float64,
    upper: Float64,
    rows: Float64,
    alternatives: int,
    *,
    together: int | None = None,
    how: Ascent = ASCENT,
    budget: Budget = UNLIMITED,
) -> Stated:
    """Slopes for one box, lower and upper: (inputs,), and clauses of `alternatives` rows (rows, slots).

    together: how many arguments share their slopes, None for all of a ReLU. Raises OutOfTime.
    """
    layers = prepared(program)
    low, high = start(layers, lower[None], upper[None])
    lines: dict[int, Lines] = {}
    alive = Alive(layers, {}, {})
    arguments: dict[int, tuple[Group, ...]] = {}
    for number, layer in enumerate(layers.layers):
        if has_lines(layer, extrema=STATED.extrema):
            known = argument_bounds(layers, number, low, high)
            if lines and not isinstance(layer, ReluLayer):
                known = tightened(number, known, (low, high), alive, STATED)
            elif lines:
                groups, known = _bounded(number, known, (low, high), alive, together, how, budget)
                arguments[number] = groups
                store(layers, number, known, (low, high))
            lines[number] = relu_lines(*known, SLOPE_BITS)
            alive = with_lines(alive, number, lines[number])
        step_interval(layers, number, low, high)
    bounds = LinearBounds(layers, low, high, lines, alive)
    last, least = _last(bounds, rows, alternatives, how, budget)
    return Stated(StatedSlopes(arguments, last), bounds, least)


def _bounded(
    number: int,
    known: tuple[Float64, Float64],
    sides: tuple[Float64, Float64],
    alive: Alive,
    together: int | None,
    how: Ascent,
    budget: Budget,
) -> tuple[tuple[Group, ...], tuple[Float64, Float64]]:
    """Groups for a ReLU's arguments that intervals leave undecided, and the bounds that they give.

    Where the slopes of `crown` decide, one bound is enough, and no other slopes are needed.
    """
    least, most = (side[:, 0].copy() for side in known)
    first_least, first_most = (side[:, 0] for side in tightened(number, known, sides, alive, STATED))
    slack = _SLACK * (most - least)
    was_open = undecided(least, most)
    on, off = was_open & (first_least > slack), was_open & (first_most < -slack)
    goals = np.sort(np.concatenate([2 * np.flatnonzero(on), 2 * np.flatnonzero(on | off) + 1]))
    groups = [Group(goals, {})] if goals.size else []
    least[on], most[on | off] = first_least[on], first_most[on | off]
    rest = np.flatnonzero(was_open & ~on & ~off)
    if rest.size:
        forms, constant = both_ways(alive.layers, number, rest)
        which = np.arange(rest.size) // (together or rest.size)
        lowers, found = _climbed(alive, forms, constant, sides, how, np.tile(which, 2), np.inf, budget)
        least[rest] = np.maximum(found[: rest.size], least[rest])
        most[rest] = np.minimum(-found[rest.size :], most[rest])
        for group, lower in enumerate(lowers):
            own = rest[which == group]
            groups.append(Group(np.stack([2 * own, 2 * own + 1], axis=1).reshape(-1), lower))
    return tuple(groups), (least[:, None], most[:, None])


def _climbed(
    alive: Alive,
    forms: Parts,
    constant: Float64,
    sides: tuple[Float64, Float64],
    how: Ascent,
    groups: NDArray[np.int64],
    enough: float,
    budget: Budget,
) -> tuple[list[Lower], Float64]:
    """The best slopes of every group, rounded, and the bounds that they give."""
    found = ascend(alive, forms, constant, *sides, how, groups=groups, enough=enough, budget=budget)
    unit = float(1 << SLOPE_BITS)
    rounded = {number: np.rint(lower * unit) for number, lower in found.lower.items()}
    lines = {
        number: line.with_lower(rounded[number][:, :, groups] / unit) if number in rounded else line
        for number, line in alive.lines.items()
    }
    least = go_back(alive.layers, list(forms), constant, *sides, lines).least[0]
    apart: list[Lower] = [
        {number: _spread(alive, number, lower[:, 0, group]) for number, lower in rounded.items()}
        for group in range(int(groups.max(initial=0)) + 1)
    ]
    return apart, np.asarray(least)


def _spread(alive: Alive, number: int, lower: Float64) -> NDArray[np.int64]:
    """Slopes of all results of a ReLU; those that were left out are 0 throughout."""
    own = lower.astype(np.int64)
    kept = alive.kept.get(number + 1)
    if kept is None:
        return own
    found = np.zeros(alive.layers.program.nodes[number].size, dtype=np.int64)
    found[kept] = own
    return found


def _last(
    bounds: LinearBounds, rows: Float64, alternatives: int, how: Ascent, budget: Budget
) -> tuple[Lower, Float64]:
    """Slopes for the rows of which a clause each needs one: those that alone come furthest."""
    alive, forms, constant = forms_of(bounds, rows)
    sides = bounds.low, bounds.high
    chosen = np.arange(len(rows))
    if alternatives > 1:
        alone = ascend(alive, forms, constant, *sides, how, budget=budget).least[0]
        chosen = chosen.reshape(-1, alternatives)[
            np.arange(len(rows) // alternatives), alone.reshape(-1, alternatives).argmax(axis=1)
        ]
    some: Parts = [None if form is None else form[:, :, chosen] for form in forms]
    one = np.zeros(chosen.size, dtype=np.int64)
    lowers, found = _climbed(alive, some, constant[:, chosen], sides, how, one, _ENOUGH, budget)
    least = np.full(len(rows), -np.inf)
    least[chosen] = found
    return lowers[0], least
