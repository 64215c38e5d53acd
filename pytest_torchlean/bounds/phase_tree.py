"""The search for a tree of cases by ReLU phases: the case furthest from its goal is split first.

Lean takes far longer over a case than the search does, so the search spends time on few cases: it tries
several ReLUs before it splits one (filtered smart branching: De Palma et al., Improved Branch and Bound for
Neural Network Verification via Lagrangian Decomposition, 2021, after the scores of Bunel et al., 2020), and
it climbs longer at the end to join cases again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.crown import LinearBounds
from pytest_torchlean.bounds.layers import Float64
from pytest_torchlean.bounds.phases import STEPS, Case, Phase, Point, bound_cases
from pytest_torchlean.bounds.slopes import Ascent

LONGER = Ascent(iterations=120, step=0.2, decay=0.97)
"""For cases that would save a split."""
_GLANCE = Ascent(iterations=2, step=0.3)
"""For cases that are only tried."""
_TO_SPARE = 1e-2
"""A climb goes on until its bound is so far above the slack; a row's largest coefficient is 1."""
_BATCH = 16
"""Cases bounded at once."""
_DEEPEST = 150
"""Phases of one case: scripts nest as deeply, for Python and for Lean."""
_TRIED, _MOST_TRIED = 6, 16
"""ReLUs that are tried before one is split, and most of them where many are open."""
_SHARE_TRIED = 1 / 16
"""Of those that are open: behind convolutions trees have fewer cases so, in small networks not."""


@dataclass(frozen=True, eq=False)
class PhaseLeaf:
    """A case that is proved, and what bounds it."""

    case: Case
    point: Point


@dataclass(frozen=True, eq=False)
class PhaseCut:
    """Two cases: the argument of result `place` of ReLU `number` is at most 0, or at least."""

    number: int
    place: int
    off: PhaseTree
    on: PhaseTree


PhaseTree = PhaseLeaf | PhaseCut


@dataclass(frozen=True, eq=False)
class PhaseSearch:
    """tree: None where cases were left. bounded: cases looked at. gap: the lowest bound that was left."""

    tree: PhaseTree | None
    bounded: int
    gap: float

    @property
    def cases(self) -> tuple[Case, ...] | None:
        """The cases of the tree, which together are everything."""
        return None if self.tree is None else tuple(leaf.case for leaf in leaves(self.tree))


def leaves(tree: PhaseTree) -> Iterator[PhaseLeaf]:
    """The leaves, the lower case of each cut first."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, PhaseLeaf):
            yield node
        else:
            pending += [node.on, node.off]


def over_rows(tree: PhaseTree, chosen: NDArray[np.int64], rows: int) -> PhaseTree:
    """A tree that was found for some of the rows, with no multipliers for the others."""
    if isinstance(tree, PhaseCut):
        off, on = (over_rows(half, chosen, rows) for half in (tree.off, tree.on))
        return replace(tree, off=off, on=on)
    multipliers = np.zeros((len(tree.case), rows))
    multipliers[:, chosen] = tree.point.multipliers
    return replace(tree, point=replace(tree.point, multipliers=multipliers))


@dataclass(eq=False)
class _Node:
    case: Case
    start: Point | None
    least: float = -np.inf
    point: Point | None = None
    split: tuple[_Node, _Node] | None = None
    """The cases off and on."""
    scores: dict[int, Float64] = field(default_factory=dict)
    climbed: bool = False
    """Whether the longer climb was tried."""

    def halves(self, number: int, place: int) -> tuple[_Node, _Node]:
        off, on = (
            _Node((*self.case, Phase(number, place, phase)), self.point, self.least)
            for phase in (False, True)
        )
        return off, on


@dataclass(frozen=True, eq=False)
class _Search:
    bounds: LinearBounds
    rows: Float64
    alternatives: int
    slack: float
    budget: Budget

    def bound(self, nodes: Sequence[_Node], how: Ascent) -> None:
        """Bound these cases from where they start."""
        found = bound_cases(
            self.bounds,
            self.rows,
            [node.case for node in nodes],
            how,
            alternatives=self.alternatives,
            starts=[node.start for node in nodes],
            enough=self.slack + _TO_SPARE,
            budget=self.budget,
        )
        least = found.least.reshape(len(nodes), -1, self.alternatives).max(axis=2).min(axis=1)
        for column, node in enumerate(nodes):
            node.point = found.points[column]
            node.least = float(least[column])
            node.scores = {number: own[:, column] for number, own in found.scores.items()}


def search(
    bounds: LinearBounds,
    rows: Float64,
    alternatives: int = 1,
    *,
    most: int,
    slack: float = 0.0,
    how: Ascent = STEPS,
    within: PhaseLeaf | None = None,
    budget: Budget = UNLIMITED,
) -> PhaseSearch:
    """Split the whole box into cases until in each every clause of `alternatives` rows has one above `slack`.

    At most `most` cases are bounded; those that are only tried do not count. within: a case that is split
    in place of the whole box. Raises OutOfTime.
    """
    own = _Search(bounds, rows, alternatives, slack, budget)
    root = _Node((), None) if within is None else _Node(within.case, within.point)
    waiting: list[tuple[float, int, _Node]] = [(0.0, 0, root)]
    bounded = 0
    while waiting:
        chosen = [heapq.heappop(waiting)[2] for _ in range(min(_BATCH, len(waiting)))]
        own.bound(chosen, how)
        bounded += len(chosen)
        open_nodes = [node for node in chosen if not node.least > slack]
        over = bounded + len(waiting) + 2 * len(open_nodes) > most
        if over or not all(_split(own, open_nodes)):
            gap = min([node.least for node in open_nodes] + [value for value, _, _ in waiting])
            return PhaseSearch(None, bounded, gap)
        for node in open_nodes:
            assert node.split is not None
            for half in node.split:
                bounded_so_far = bounded + len(waiting)
                heapq.heappush(waiting, (node.least, bounded_so_far, half))
    _join(own, root)
    return PhaseSearch(_tree(root), bounded, np.inf)


def _split(own: _Search, nodes: Sequence[_Node]) -> list[bool]:
    """Split every node at the ReLU whose worse case is best at a glance; False where none is left."""
    tried = [[node.halves(*place) for place in _places(node)] for node in nodes]
    halves = [half for pairs in tried for pair in pairs for half in pair]
    for first in range(0, len(halves), 8 * _BATCH):
        own.bound(halves[first : first + 8 * _BATCH], _GLANCE)
    for node, pairs in zip(nodes, tried, strict=True):
        if pairs:
            node.split = max(pairs, key=_worth)
            for half in node.split:
                half.start, half.scores = half.point, {}
        node.scores = {}
    return [bool(pairs) for pairs in tried]


def _worth(halves: tuple[_Node, _Node]) -> tuple[float, float]:
    first, second = (half.least for half in halves)
    return min(first, second), first + second


def _places(node: _Node) -> list[tuple[int, int]]:
    """The results that cost a case most; none where every line is exact, or phases are too many."""
    if len(node.case) >= _DEEPEST:
        return []
    tried = _tried(sum(int((own > 0).sum()) for own in node.scores.values()))
    found = [
        (float(own[place]), number, int(place))
        for number, own in node.scores.items()
        for place in np.argsort(-own)[:tried]
        if own[place] > 0
    ]
    return [(number, place) for _, number, place in sorted(found, reverse=True)[:tried]]


def _tried(open_places: int) -> int:
    """How many of so many open ReLUs are tried."""
    return max(_TRIED, min(_MOST_TRIED, int(_SHARE_TRIED * open_places)))


def _join(own: _Search, root: _Node) -> None:
    """Where a longer climb proves a case that was split into two proved ones, drop the split; bottom up."""
    while True:
        pairs = [
            node
            for node in _inner(root)
            if not node.climbed and node.split is not None and all(half.split is None for half in node.split)
        ]
        if not pairs:
            return
        for first in range(0, len(pairs), _BATCH):
            batch = pairs[first : first + _BATCH]
            before = [node.point for node in batch]
            for node in batch:
                node.start, node.climbed = node.point, True
            own.bound(batch, LONGER)
            for node, point in zip(batch, before, strict=True):
                if node.least > own.slack:
                    node.split = None
                else:
                    node.point = point


def _inner(root: _Node) -> Iterator[_Node]:
    pending = [root]
    while pending:
        node = pending.pop()
        if node.split is not None:
            yield node
            pending += node.split


def _tree(node: _Node) -> PhaseTree:
    if node.split is None:
        assert node.point is not None
        return PhaseLeaf(node.case, node.point)
    off, on = node.split
    phase = off.case[-1]
    return PhaseCut(phase.number, phase.place, _tree(off), _tree(on))
