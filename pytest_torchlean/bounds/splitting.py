"""Proving linear inequalities over a box by cutting it into smaller ones, in binary64.

The result is a tree of cuts for a certificate, never evidence: every leaf is proved again by Lean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.crown import LinearBounds
from pytest_torchlean.bounds.interval import Float64
from pytest_torchlean.bounds.phase_tree import PhaseTree
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.stated import StatedSlopes

_BATCH = 64
"""Boxes bounded at once."""


@dataclass(frozen=True, eq=False)
class Inequalities:
    """Clauses of linear forms of the slots: in every clause at least one form must be positive.

    rows: float64 (rows, slots); a constant stands at slot 1. alternatives: rows per clause.
    """

    rows: Float64
    alternatives: int = 1

    def least(self, rows: Float64) -> Float64:
        """Per box the smallest clause's best row, (boxes, rows) -> (boxes,)."""
        clauses = rows.reshape(len(rows), -1, self.alternatives)
        worst: Float64 = clauses.max(axis=2).min(axis=1)
        return worst


@dataclass(frozen=True, eq=False)
class Leaf:
    """A box that is proved without another cut: its bounds, float64 (inputs,), and slopes that do it, where
    those of `crown` do not. phases: the cases of ReLUs in which it is proved, where it takes any.
    bounds: what they were found with.
    """

    lower: Float64
    upper: Float64
    slopes: StatedSlopes | None = None
    phases: PhaseTree | None = None
    bounds: LinearBounds | None = None


@dataclass(frozen=True, eq=False)
class Cut:
    """Two cases: the input element is at most `value`, or at least."""

    element: int
    value: float
    below: Tree
    above: Tree


Tree = Leaf | Cut


@dataclass(frozen=True, eq=False)
class Splitting:
    """tree: the cuts, or None. bounded: boxes looked at. gap: the lowest bound that was left."""

    tree: Tree | None
    bounded: int
    gap: float


def split(
    program: Program,
    inequalities: Inequalities,
    lower: Float64,
    upper: Float64,
    *,
    most_boxes: int,
    slack: float = 0.0,
    budget: Budget = UNLIMITED,
) -> Splitting:
    """Cut the box (lower, upper: float64 (inputs,)) until every part has its forms above `slack`.

    The widest element, weighted by how much the forms depend on it, is cut in the middle. Raises OutOfTime.
    """
    boxes: list[tuple[Float64, Float64]] = [(lower, upper)]
    cuts: dict[int, tuple[int, float, int, int]] = {}
    waiting, bounded = [0], 0
    while waiting:
        budget.spend()
        if bounded + len(waiting) > most_boxes:
            gap = _worst(program, inequalities, boxes, waiting[:_BATCH])
            return Splitting(None, bounded, gap)
        chosen, waiting = waiting[:_BATCH], waiting[_BATCH:]
        low = np.stack([boxes[index][0] for index in chosen])
        high = np.stack([boxes[index][1] for index in chosen])
        least, weights = _forms(program, inequalities, low, high)
        bounded += len(chosen)
        for place, index in enumerate(chosen):
            if least[place] > slack:
                continue
            element = int(np.argmax(weights[place] * (high[place] - low[place])))
            middle = float((low[place, element] + high[place, element]) / 2)
            if not low[place, element] < middle < high[place, element]:
                return Splitting(None, bounded, float(least[place]))
            first = len(boxes)
            boxes += _halves(low[place], high[place], element, middle)
            cuts[index] = (element, middle, first, first + 1)
            waiting += [first, first + 1]
    return Splitting(_tree(boxes, cuts), bounded, np.inf)


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The leaves, the lower case of each cut first."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Leaf):
            yield node
        else:
            pending += [node.above, node.below]


def _forms(
    program: Program, inequalities: Inequalities, low: Float64, high: Float64
) -> tuple[Float64, Float64]:
    """Per box the least clause and how strongly each input element moves the forms, (boxes, inputs)."""
    swept = crown.sweep(crown.bound(program, low, high), inequalities.rows)
    weights = np.broadcast_to(np.abs(swept.inputs).max(axis=2).T, low.shape)
    return inequalities.least(swept.least), weights


def _worst(
    program: Program, inequalities: Inequalities, boxes: list[tuple[Float64, Float64]], chosen: list[int]
) -> float:
    low = np.stack([boxes[index][0] for index in chosen])
    high = np.stack([boxes[index][1] for index in chosen])
    return float(_forms(program, inequalities, low, high)[0].min())


def _halves(low: Float64, high: Float64, element: int, middle: float) -> list[tuple[Float64, Float64]]:
    below, above = high.copy(), low.copy()
    below[element] = above[element] = middle
    return [(low, below), (above, high)]


def _tree(boxes: list[tuple[Float64, Float64]], cuts: dict[int, tuple[int, float, int, int]]) -> Tree:
    """Parts have larger numbers than the box they were cut from, so they are built first."""
    built: dict[int, Tree] = {}
    for index in range(len(boxes) - 1, -1, -1):
        if index in cuts:
            element, value, below, above = cuts[index]
            built[index] = Cut(element, value, built.pop(below), built.pop(above))
        else:
            built[index] = Leaf(*boxes[index])
    return built[0]
