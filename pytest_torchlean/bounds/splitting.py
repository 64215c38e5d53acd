"""Proving linear inequalities over a box by cutting it into smaller ones, in binary64.

The result is a tree of cuts for a certificate, never evidence: every leaf is proved again by Lean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.crown import LinearBounds
from pytest_torchlean.bounds.interval import Float64, evaluate
from pytest_torchlean.bounds.phase_tree import PhaseTree
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.queue import Bounded, Cuts, Rounds, Searched, cut_hardest_first
from pytest_torchlean.bounds.refined import RefinedCase
from pytest_torchlean.bounds.stated import StatedSlopes

_BATCH = 64
"""Boxes bounded at once."""
_Made = TypeVar("_Made")


@dataclass(frozen=True, eq=False)
class Inequalities:
    """Clauses of linear forms of the slots: in every clause at least one form must be positive.

    rows: float64 (rows, slots); a constant stands at slot 1. alternatives: rows per clause.
    """

    rows: Float64
    alternatives: int = 1

    def least(self, rows: Float64) -> Float64:
        """Per box the smallest clause's best row, (boxes, rows) -> (boxes,)."""
        return smallest_clause(rows, self.alternatives)


def smallest_clause(rows: Float64, alternatives: int) -> Float64:
    """Per box the smallest clause's best row, (boxes, rows) -> (boxes,); clauses of so many rows."""
    smallest: Float64 = rows.reshape(len(rows), -1, alternatives).max(axis=2).min(axis=1)
    return smallest


@dataclass(frozen=True, eq=False)
class Leaf:
    """A box that is proved without another cut: its bounds, float64 (inputs,), and slopes that do it, where
    those of `crown` do not. phases: the cases of ReLUs in which it is proved, where it takes any.
    bounds: what they were found with. refined: cases that bound earlier values again, in place of phases.
    """

    lower: Float64
    upper: Float64
    slopes: StatedSlopes | None = None
    phases: PhaseTree | None = None
    bounds: LinearBounds | None = None
    refined: RefinedCase | None = None


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
    """tree: the cuts, or None. bounded: boxes looked at. gap: the lowest bound that was left. broken: a point
    that breaks a clause in binary64, float64 (inputs,), where one was met.
    """

    tree: Tree | None
    bounded: int
    gap: float
    broken: Float64 | None = None


@dataclass(frozen=True, eq=False)
class ByRows:
    """Bounds parts by backward rows through the whole program."""

    program: Program
    inequalities: Inequalities

    def __call__(self, low: Float64, high: Float64) -> Bounded:
        """Parts (parts, inputs) each."""
        rows, inequalities = self.inequalities.rows, self.inequalities
        swept = crown.sweep(crown.bound(self.program, low, high), rows)
        steepest = np.broadcast_to(np.abs(swept.inputs).max(axis=2).T, low.shape)
        middle = inequalities.least(evaluate(self.program, (low + high) / 2) @ rows.T)
        return Bounded(inequalities.least(swept.least), steepest * (high - low), middle <= 0)


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
    bound = ByRows(program, inequalities)
    rounds = Rounds(_BATCH)
    return splitting_of(
        cut_hardest_first(bound, lower, upper, most=most_boxes, rounds=rounds, slack=slack, budget=budget)
    )


def halved(program: Program, inequalities: Inequalities, lower: Float64, upper: Float64) -> Cut | None:
    """The cut that `split` makes first; None where the box is too small, or its middle breaks a clause."""
    bounded = ByRows(program, inequalities)(lower[None], upper[None])
    element = int(np.argmax(bounded.weights[0]))
    value = float((lower[element] + upper[element]) / 2)
    if bounded.broken[0] or not lower[element] < value < upper[element]:
        return None
    below, above = upper.copy(), lower.copy()
    below[element] = above[element] = value
    return Cut(element, value, Leaf(lower, below), Leaf(above, upper))


def splitting_of(searched: Searched) -> Splitting:
    """The tree of a search that came to its end."""
    tree = tree_of(searched.boxes, searched.cuts) if searched.proved else None
    return Splitting(tree, searched.bounded, searched.gap, searched.broken)


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The leaves, the lower case of each cut first."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Leaf):
            yield node
        else:
            pending += [node.above, node.below]


def folded(tree: Tree, leaf: Callable[[Leaf], _Made], joined: Callable[[Cut, _Made, _Made], _Made]) -> _Made:
    """What a tree is made into from its leaves on, the lower case of each cut first, however deep it is."""
    finished: list[_Made] = []
    pending: list[tuple[Tree, bool]] = [(tree, False)]
    while pending:
        node, ready = pending.pop()
        if isinstance(node, Leaf):
            finished.append(leaf(node))
        elif ready:
            above, below = finished.pop(), finished.pop()
            finished.append(joined(node, below, above))
        else:
            pending += [(node, True), (node.above, False), (node.below, False)]
    return finished[0]


def with_leaves(tree: Tree, others: Mapping[int, Tree]) -> Tree:
    """The tree with others in the places of some leaves, by their `id`; the other leaves stay as they are."""

    def joined(cut: Cut, below: Tree, above: Tree) -> Tree:
        return Cut(cut.element, cut.value, below, above)

    return folded(tree, lambda leaf: others.get(id(leaf), leaf), joined)


def tree_of(
    boxes: list[tuple[Float64, Float64]], cuts: Cuts, found: Mapping[int, Leaf] | None = None
) -> Tree:
    """The tree of numbered boxes, where a cut part has a larger number than the box it was cut from.

    found: leaves by their numbers; the others have a box and nothing else.
    """
    built: dict[int, Tree] = {}
    for index in range(len(boxes) - 1, -1, -1):
        if index in cuts:
            element, value, first = cuts[index]
            built[index] = Cut(element, value, built.pop(first), built.pop(first + 1))
        else:
            known = None if found is None else found.get(index)
            built[index] = known or Leaf(*boxes[index])
    return built[0]
