"""Growing a tree of cases by ReLU phases in which bounds are tightened again, for dense networks.

Where many ReLUs are undecided, multipliers alone take too many cases. So every case bounds again the later
arguments that are still undecided, with the multipliers of its phases, by slopes that they share. A case may
also prove to be empty: a value lies beyond its bound. Several splits are tried before one is taken (strong
branching), in the case furthest from its goal. A certificate states what is found, and Lean checks it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.chains import Carried, Chain, Level, carry, restated
from pytest_torchlean.bounds.layers import Float64
from pytest_torchlean.bounds.refined import (
    Decided,
    Ending,
    Halves,
    RefinedCase,
    RefinedSearch,
    Tightening,
    behind,
)
from pytest_torchlean.bounds.slopes import Ascent
from pytest_torchlean.bounds.trials import Trial, score

_ROOT = Ascent(iterations=30, step=0.25, decay=0.95)
"""For the whole box, whose bounds all cases start from."""
_FULL = Ascent(iterations=12, step=0.25, decay=0.9)
_LONG = Ascent(iterations=150, step=0.25, decay=0.98)
_GLANCE = Ascent(iterations=3, step=0.25, decay=0.95)
"""For cases that are only tried."""
_TRIED = 3
"""ReLUs of one level that are tried before one is split, of a level with more than _FEW."""
_FEW = 8
_FEW_LEFT = 16
"""Undecided ReLUs of a level that may each be decided by a case of its own that is empty."""
_LEAST_GAIN = 1e-3
"""A case that gains less counts as if it gained so much."""
_WORTH = 0.005
"""A bound is stated again where it moves by so much of what lies between both, or decides a ReLU."""
_TO_SPARE = 1e-2
"""A climb goes on until its bound is so far above the slack."""
_EMPTY_SLACK = 1e-3
"""By how much of the whole box's interval a value of an empty case lies beyond its bound."""
_MORE = 1.25
"""Of the multiple that would show that a case is empty."""
_STUCK = 0.02
"""Where the worse case gains less, of what is missing, rows alone lead nowhere."""
_DEEPEST = 60
"""Splits of one case: scripts nest as deeply, for Python and for Lean."""


@dataclass(eq=False)
class Node:
    """A case, and what was done in it."""

    levels: tuple[Level, ...]
    depth: int
    least: float
    found: dict[tuple[int, int], Carried]
    """Where an ascent begins, by level and sign; sign 0 is for all values with a phase, and those beside."""
    steps: tuple[Tightening | Decided, ...] = ()
    ending: Ending | None = None
    empty: float = -np.inf
    """By how much a value with a phase lies beyond its bound, of the whole box's interval."""
    costs: list[tuple[Float64, ...]] = field(default_factory=list)
    """What each result costs, by level: the property's rows, then those that may show emptiness."""
    split: tuple[int, int, Node, Node] | None = None


@dataclass(frozen=True, eq=False)
class Refining:
    """Cases of a box (middle, radius). forms: rows over the last level and 1, float64 (rows, size + 1).
    decides: whether phases that follow from others are noted, each with an ending of its own for the forms.
    """

    chain: Chain
    box: tuple[Float64, Float64]
    levels: tuple[Level, ...]
    forms: Float64
    slack: float
    budget: Budget
    decides: bool = True

    @cached_property
    def widths(self) -> list[Float64]:
        """Of the intervals at the start."""
        return [np.maximum(level.high - level.low, 1e-9) for level in self.levels]

    def run(self, most: int, done: int = 0) -> RefinedSearch:
        """Split until all forms are above the slack in every case; at most `most` cases are bounded.

        done: cases that the observer heard of before. Raises OutOfTime.
        """
        root, gap, bounded = self.grow(most, done)
        if root is None:
            return RefinedSearch(None, gap, bounded)
        return RefinedSearch(self.tree(root, _ended), np.inf, bounded)

    def grow(self, most: int, done: int = 0) -> tuple[Node | None, float, int]:
        """As `run`: the whole box, None where cases were left; the lowest bound that was left; cases."""
        root = Node(self.levels, 0, -np.inf, {})
        self._conclude(root, _FULL)
        if root.ending is None:
            self._retighten(root, 1, _ROOT)
            self._conclude(root, _ROOT)
        waiting: list[tuple[float, int, Node]] = [] if root.ending else [(root.least, 0, root)]
        bounded = 1
        while waiting:
            _, _, node = heapq.heappop(waiting)
            if bounded + 2 + len(waiting) > most or node.depth >= _DEEPEST:
                return None, node.least, bounded
            chosen = self._choice(node)
            if chosen is None:
                self._retry(node)
                if node.ending is not None:
                    continue
                return None, node.least, bounded
            halves = [self._half(node, *chosen, on, _FULL) for on in (False, True)]
            node.split = (*chosen, halves[0], halves[1])
            for half in halves:
                bounded += 1
                if half.ending is None:
                    heapq.heappush(waiting, (half.least, bounded, half))
            self.budget.observer.step(done + bounded)
        return root, np.inf, bounded

    def ended(self, node: Node) -> Iterator[Node]:
        """The cases that were not split, below one."""
        if node.split is None:
            yield node
        else:
            for half in node.split[2:]:
                yield from self.ended(half)

    def tree(self, node: Node, finish: Callable[[Node], RefinedCase]) -> RefinedCase:
        """What was done below a case. finish: how a case that was not split goes on."""
        if node.split is None:
            own = finish(node)
            return behind((*node.steps, *own.tightenings), own.then)
        number, place, off, on = node.split
        halves = Halves(self.chain.relus[number], place, self.tree(off, finish), self.tree(on, finish))
        return behind(node.steps, halves)

    def _retry(self, node: Node) -> None:
        """Climb longer."""
        for number in range(1, self.chain.depth):
            if self._emptied(node, number, _LONG):
                return
        self._conclude(node, _LONG)

    def _half(self, parent: Node, number: int, place: int, on: bool, how: Ascent) -> Node:
        """One of two cases, bounded."""
        levels = self._with_phase(parent.levels, number, place, on)
        node = Node(levels, parent.depth + 1, parent.least, dict(parent.found))
        self._conclude(node, how)
        if node.ending is not None or self._emptied(node, number, how):
            return node
        self._decide(node, number, how)
        self._retighten(node, number + 1, how)
        if node.ending is None:
            self._conclude(node, how)
        return node

    def _retighten(self, node: Node, first: int, how: Ascent) -> None:
        """Bound again what the ReLUs from level `first` on read, until the case proves to be empty."""
        for number in range(first, self.chain.depth):
            for sign in (1.0, -1.0):
                node.steps = (*node.steps, *self._tighten(node, number, sign, how))
                if node.ending is not None:
                    return
            if self._emptied(node, number, how):
                return
            self._decide(node, number, how)

    def _tighten(self, node: Node, number: int, sign: float, how: Ascent) -> list[Tightening]:
        """New lower bounds, or with sign -1 upper ones, of what ReLU `number` leaves undecided."""
        level = node.levels[number]
        places = np.flatnonzero(level.free)
        if not places.size:
            return []
        rows = self.chain.units(number, places, np.full(places.size, sign))
        found = self._carry(node, number, rows, places, int(sign), how)
        old = level.low[places] if sign > 0 else -level.high[places]
        gained = found.least - old
        other = level.high[places] if sign > 0 else -level.low[places]
        beyond = (found.least - other) / self.widths[number][places]
        if beyond.max() > _EMPTY_SLACK:
            best = int(beyond.argmax())
            rows[best, -1] = -other[best]
            node.ending = self._end_empty(node.levels, node.levels, number, found, best, rows[best])
            return []
        width = (level.high - level.low)[places]
        chosen = np.flatnonzero((gained > _WORTH * width) | ((found.least > 0) & (gained > 0)))
        chosen = chosen[found.least[chosen] < other[chosen]]
        side = (level.low if sign > 0 else level.high).copy()
        side[places[chosen]] = sign * found.least[chosen]
        ends = (side, level.high) if sign > 0 else (level.low, side)
        before = node.levels
        node.levels = (*before[:number], Level(*ends, level.known), *before[number + 1 :])
        goals = 2 * places[chosen] + (sign < 0)
        lower, pushes = self._lower(found.slopes), self._pushes(before, found, chosen)
        return [Tightening(self.chain.relus[number], goals, lower, pushes)] if goals.size else []

    def _emptied(self, node: Node, number: int, how: Ascent) -> bool:
        """Whether a value with a phase lies beyond its bound; the node then has an ending."""
        level = node.levels[number]
        places = level.phases
        if number == 0 or not places.size:
            return False
        rows = self.chain.units(number, places, signs := level.known[places].astype(np.float64))
        bound = np.where(signs > 0, level.high[places], -level.low[places])
        width = self.widths[number][places]
        names = 2 * places + (signs < 0)
        found = node.found[number, 0] = carry(
            self.chain, self.box, node.levels[:number], rows, how,
            names=names, own=level, begun=node.found.get((number, 0)), budget=self.budget,
        )  # fmt: skip
        beyond = (found.least - bound) / width
        best = which = int(beyond.argmax())
        if how is not _GLANCE:
            alone = carry(
                self.chain, self.box, node.levels[:number], rows[best : best + 1], how,
                names=names[best : best + 1], own=level, begun=found, budget=self.budget,
            )  # fmt: skip
            if alone.least[0] > found.least[best]:
                found, best, beyond = alone, 0, (alone.least - bound[best]) / width[best]
        if number < max(2, self.chain.depth - 1):
            # a value of the last level may be all but constant: it leads nowhere
            node.costs.append(tuple(own[best] / float(width.max()) for own in found.costs))
            node.empty = max(node.empty, float(beyond[best]))
        if beyond[best] > _EMPTY_SLACK:
            rows[which, -1] = -bound[which]
            node.ending = self._end_empty(node.levels, node.levels, number, found, best, rows[which])
        return node.ending is not None

    def _decide(self, node: Node, number: int, how: Ascent) -> None:
        """Phases that follow from others of the same level, where few ReLUs are left there."""
        before = node.levels
        level = before[number]
        places = np.flatnonzero(level.free)
        if not self.decides or number == 0 or not level.phases.size or not 0 < places.size <= _FEW_LEFT:
            return
        signs = np.repeat([1.0, -1.0], places.size)
        places = np.tile(places, 2)
        rows = self.chain.units(number, places, signs)
        found = carry(
            self.chain, self.box, before[:number], rows, how,
            names=2 * places + (signs < 0), own=level, begun=node.found.get((number, 0)), budget=self.budget,
        )  # fmt: skip
        for best in np.flatnonzero(found.least > _EMPTY_SLACK * self.widths[number][places]).tolist():
            place, on = int(places[best]), bool(signs[best] > 0)
            empty = self._with_phase(node.levels, number, place, not on)
            ending = self._end_empty(empty, before, number, found, best, rows[best])
            if ending is not None:
                node.levels = self._with_phase(node.levels, number, place, on)
                node.steps = (*node.steps, Decided(self.chain.relus[number], place, on, ending))

    def _with_phase(self, levels: tuple[Level, ...], number: int, place: int, on: bool) -> tuple[Level, ...]:
        old = levels[number]
        low, high, known = old.low.copy(), old.high.copy(), old.known.copy()
        known[place] = -1.0 if on else 1.0
        if on:
            low[place] = max(low[place], 0.0)
        else:
            high[place] = min(high[place], 0.0)
        return (*levels[:number], Level(low, high, known), *levels[number + 1 :])

    def _end_empty(
        self,
        levels: tuple[Level, ...],
        before: tuple[Level, ...],
        number: int,
        found: Carried,
        best: int,
        row: Float64,
    ) -> Ending | None:
        """An ending by a large multiple of what shows that the case is empty.

        row: (size + 1,), a value of the level less its upper bound or its lower bound less the value, which
        can not be positive; found.least is that of the value alone. before: what it was found with.
        """
        slopes = (*found.slopes, *(level.lines.lower[:, 0, 0] for level in levels[number:]))
        relu = self.chain.relus[number]
        every = np.arange(len(self.forms))
        pushes = self._pushes(before, found, np.full(every.size, best))
        pushes[relu] = pushes.get(relu, np.zeros((every.size, row.size - 1))) + row[:-1]
        without = restated(self.chain, self.box, levels, self.forms, slopes, {})
        missing = self.slack + _TO_SPARE - without
        times = np.maximum(missing, 1.0) / float(found.least[best] + row[-1]) * _MORE
        pushed = {number: times[:, None] * sizes for number, sizes in pushes.items()}
        by_level = {self.chain.relus.index(relu): sizes for relu, sizes in pushed.items()}
        forms = self.forms.copy()
        forms[:, -1] += times * row[-1]
        least = restated(self.chain, self.box, levels, forms, slopes, by_level)
        return Ending(self._lower(slopes), pushed) if least.min(initial=np.inf) > self.slack else None

    def _conclude(self, node: Node, how: Ascent) -> None:
        """Bound the property's rows."""
        every = np.arange(len(self.forms))
        found = self._carry(node, self.chain.depth, self.forms, every, 1, how, self.slack + _TO_SPARE)
        least = float(found.least.min(initial=np.inf))
        bad = found.least <= self.slack
        node.costs = [tuple(own[bad].sum(axis=0) for own in found.costs)]
        node.least = max(node.least, least)
        if least > self.slack:
            node.ending = Ending(self._lower(found.slopes), self._pushes(node.levels, found, every))

    def _carry(
        self,
        node: Node,
        number: int,
        rows: Float64,
        names: NDArray[np.int64],
        sign: int,
        how: Ascent,
        enough: float = np.inf,
    ) -> Carried:
        found = node.found[number, sign] = carry(
            self.chain, self.box, node.levels[:number], rows, how,
            names=names, begun=node.found.get((number, sign)), enough=enough, budget=self.budget,
        )  # fmt: skip
        return found

    def _lower(self, slopes: tuple[Float64, ...]) -> dict[int, Float64]:
        return dict(zip(self.chain.relus, slopes, strict=False))

    def _pushes(
        self, levels: tuple[Level, ...], found: Carried, chosen: NDArray[np.int64]
    ) -> dict[int, Float64]:
        """Multipliers of some rows as a certificate states them."""
        pushes = {}
        for number, sizes in found.multipliers.items():
            level = levels[number]
            own = np.zeros((chosen.size, len(level.low)))
            own[:, level.phases] = level.known[level.phases] * sizes[chosen]
            if own.any():
                pushes[self.chain.relus[number]] = own
        return pushes

    def _choice(self, node: Node) -> tuple[int, int] | None:
        """The ReLU whose two cases gain most together, of those that cost most. Where the rows gain nothing
        in one of them, what shows that cases are empty counts.
        """
        gained = self._gains(node, node.costs[:1])
        best = max(gained, key=lambda trial: score(trial.gains), default=None)
        if best is not None and min(best.gains) > _STUCK * -node.least:
            return best.chosen
        others = self._gains(node, node.costs[1:])
        emptier = max(others, key=lambda trial: score(trial.emptier), default=best)
        return None if emptier is None else emptier.chosen

    def _gains(self, node: Node, all_costs: list[tuple[Float64, ...]]) -> list[Trial]:
        """The ReLUs that cost most, each tried."""
        tried: set[tuple[int, int]] = set()
        for costs in all_costs:
            for number, own in enumerate(costs):
                places = np.flatnonzero(node.levels[number].free)
                few = places.size <= _FEW
                order = places[np.argsort(-own[places])][: _FEW if few else _TRIED].tolist()
                tried |= {(number, place) for place in order if few or own[place] > 0}
        found = []
        for chosen in sorted(tried):
            halves = [self._half(node, *chosen, on, _GLANCE) for on in (False, True)]
            done = [half.ending is not None for half in halves]
            gains = [
                max((self.slack if fine else half.least) - node.least, _LEAST_GAIN)
                for half, fine in zip(halves, done, strict=True)
            ]
            emptier = [0.0 if fine else half.empty for half, fine in zip(halves, done, strict=True)]
            found.append(Trial(chosen, (gains[0], gains[1]), (emptier[0], emptier[1])))
        return found


def _ended(node: Node) -> RefinedCase:
    assert node.ending is not None
    return RefinedCase((), node.ending)
