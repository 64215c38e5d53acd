"""Parts of a box, each proved by rows or by a few cases of ReLU phases.

Where a model bends sharply along a surface, cuts of inputs alone have to be as fine as its margin is small. A
phase is exact there, and far fewer parts do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.interval import Float64
from pytest_torchlean.bounds.phase_tree import leaves as phase_leaves
from pytest_torchlean.bounds.phase_tree import search as phases_of
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.queue import Cuts
from pytest_torchlean.bounds.splitting import Inequalities, Leaf, Tree, halved, tree_of
from pytest_torchlean.bounds.stated import stated

SLACK = 1e-4
"""By how much a row must be positive in binary64; rows are scaled to a largest coefficient of 1."""
_NEAR, _NEARER = 1.0, 0.03
"""How far a part may be from its goal for better slopes to be sought, and then for phases to be tried."""
_MOST_PHASES = 64
"""Cases that are bounded for one part."""
_CASES = 8
"""So many cases take Lean as long as the rows of a part."""
_TOGETHER, _CALLS = 4, 4
"""Parts in one call, and calls in one round."""


@dataclass(frozen=True)
class CutAt:
    """A part that is to be cut at this value of an input element."""

    element: int
    value: float


def phased_parts(
    program: Program,
    inequalities: Inequalities,
    lower: Float64,
    upper: Float64,
    *,
    most: int,
    slack: float = SLACK,
    budget: Budget = UNLIMITED,
) -> Tree | None:
    """Cut the box (lower, upper: float64 (inputs,)) until every part has a leaf.

    None where a part cannot be cut or its middle breaks a clause, and where Lean would take longer than for
    the rows of `most` parts. The first cuts are followed to their ends first, so that what is hopeless ends
    soon. Raises OutOfTime.
    """
    boxes, cuts, found = [(lower, upper)], Cuts(), dict[int, Leaf]()
    waiting, cost = [0], 0.0
    budget.observer.phase("parts by phases", most, "parts")
    while waiting:
        budget.spend()
        if cost + len(waiting) > most:
            return None
        chosen = [waiting.pop() for _ in range(min(len(waiting), _TOGETHER * _CALLS))]
        groups = [chosen[first : first + _TOGETHER] for first in range(0, len(chosen), _TOGETHER)]
        calls = [(program, inequalities, [boxes[index] for index in group], slack) for group in groups]
        answers = [answer for call in budget.each(bounded_parts, calls) for answer in call]
        for index, answer in zip(chosen, answers, strict=True):
            if answer is None:
                return None
            if isinstance(answer, Leaf):
                found[index] = answer
                cost += 1 + (sum(1 for _ in phase_leaves(answer.phases)) / _CASES if answer.phases else 0)
                continue
            low, high = boxes[index]
            below, above = high.copy(), low.copy()
            below[answer.element] = above[answer.element] = answer.value
            cuts[index] = (answer.element, answer.value, len(boxes))
            waiting += [len(boxes), len(boxes) + 1]
            boxes += [(low, below), (above, high)]
        budget.observer.step(len(found))
    return tree_of(boxes, cuts, found)


def bounded_parts(
    program: Program, inequalities: Inequalities, boxes: list[tuple[Float64, Float64]], slack: float
) -> list[Leaf | CutAt | None]:
    """For every part its leaf, or where to cut it; None where it cannot be, or its middle breaks a clause."""
    lower, upper = (np.stack([box[side] for box in boxes]) for side in (0, 1))
    rows = crown.minimum(crown.bound(program, lower, upper), inequalities.rows)
    least = inequalities.least(rows)
    return [
        _answer(program, inequalities, *box, float(own), slack) for box, own in zip(boxes, least, strict=True)
    ]


def _answer(
    program: Program, inequalities: Inequalities, lower: Float64, upper: Float64, least: float, slack: float
) -> Leaf | CutAt | None:
    """The answer for one part, of which the slopes of `crown` promise `least`."""
    if least > slack:
        return Leaf(lower, upper)
    if least > -_NEAR:
        rows, alternatives = inequalities.rows, inequalities.alternatives
        better = stated(program, lower, upper, rows, alternatives)
        least = float(inequalities.least(better.least[None])[0])
        if least > slack:
            return Leaf(lower, upper, better.slopes)
        if least > -_NEARER:
            cases = phases_of(better.bounds, rows, alternatives, most=_MOST_PHASES, slack=slack)
            if cases.tree is not None:
                return Leaf(lower, upper, better.slopes, cases.tree)
    cut = halved(program, inequalities, lower, upper)
    return None if cut is None else CutAt(cut.element, cut.value)
