"""One queue of parts of a box, the hardest first: cut until every part is proved, or one is broken.

Parts are bounded in rounds of the same size whatever does the bounding, so that a search finds the same tree
alone, on several processes and on a cluster.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.interval import Float64

Cuts = dict[int, tuple[int, float, int]]


@dataclass(frozen=True, eq=False)
class Bounded:
    """least: per part the smallest clause, (parts,). weights: how much of a part's gap each input is thought
    to cause, (parts, inputs); the largest is cut. broken: whether the middle of a part breaks a clause.
    """

    least: Float64
    weights: Float64
    broken: NDArray[np.bool_]


Bound = Callable[[Float64, Float64], Bounded]
"""Bounds parts, (parts, inputs) each. Executors may send it to other processes."""


@dataclass(frozen=True)
class Rounds:
    """How many parts go into one call, and how many calls into one round."""

    batch: int
    calls: int = 4


@dataclass(frozen=True, eq=False)
class Searched:
    """boxes: every part with its children behind it. cuts: of a part its element, value and first child; the
    other child follows. bounded: parts looked at. gap: the lowest bound that was left, infinite where none
    is. broken: a point that breaks a clause in binary64.
    """

    boxes: list[tuple[Float64, Float64]]
    cuts: Cuts
    bounded: int
    gap: float
    broken: Float64 | None = None

    @property
    def proved(self) -> bool:
        """Whether every part is above the slack."""
        return self.gap == np.inf


def cut_hardest_first(
    bound: Bound,
    lower: Float64,
    upper: Float64,
    *,
    most: int,
    rounds: Rounds,
    slack: float = 0.0,
    budget: Budget = UNLIMITED,
    name: str = "parts of the box",
) -> Searched:
    """Cut the box (lower, upper: (inputs,)) until every part's least clause is above `slack`.

    Ends early where a part's middle breaks a clause, where a part is too small to be cut, or where more than
    `most` parts would have to be bounded. Raises OutOfTime.
    """
    boxes, cuts, bounded = [(lower, upper)], Cuts(), 0
    waiting: list[tuple[float, int]] = [(-np.inf, 0)]
    budget.observer.phase(name, 0, "parts")
    while waiting:
        budget.spend()
        if bounded + len(waiting) > most:
            return Searched(boxes, cuts, bounded, waiting[0][0])
        chosen = [heapq.heappop(waiting)[1] for _ in range(min(len(waiting), rounds.batch * rounds.calls))]
        low, high = (np.stack([boxes[index][side] for index in chosen]) for side in (0, 1))
        calls = [slice(first, first + rounds.batch) for first in range(0, len(chosen), rounds.batch)]
        found = budget.each(bound, [(low[own], high[own]) for own in calls])
        least, weights, broken = (
            np.concatenate([getattr(one, part) for one in found]) for part in ("least", "weights", "broken")
        )
        bounded += len(chosen)
        budget.observer.step(bounded)
        if broken.any():
            place = int(np.argmax(broken))
            return Searched(boxes, cuts, bounded, float(least.min()), (low[place] + high[place]) / 2)
        for place in np.flatnonzero(~(least > slack)).tolist():
            element = int(np.argmax(weights[place]))
            middle = float((low[place, element] + high[place, element]) / 2)
            if not low[place, element] < middle < high[place, element]:
                return Searched(boxes, cuts, bounded, float(least[place]))
            below, above = high[place].copy(), low[place].copy()
            below[element] = above[element] = middle
            cuts[chosen[place]] = (element, middle, len(boxes))
            for child in (len(boxes), len(boxes) + 1):
                heapq.heappush(waiting, (float(least[place]), child))
            boxes += [(low[place], below), (above, high[place])]
    return Searched(boxes, cuts, bounded, np.inf)
