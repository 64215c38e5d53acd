"""Searches for witnesses in balls that short descents left open, as long as they can decide a property."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from pytest_torchlean.binary32.format import to_hex_all
from pytest_torchlean.bounds.attack import Effort, Wish
from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.program import AffineNode, Program
from pytest_torchlean.bounds.work import Work
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.progress import counted
from pytest_torchlean.properties.balls import Search, breaking
from pytest_torchlean.properties.executions import Executions, Violation
from pytest_torchlean.properties.listed import Listed
from pytest_torchlean.properties.proving import points_of
from pytest_torchlean.properties.searching import FIRST_EFFORT, Ground, Sought, later_efforts, seek
from pytest_torchlean.spec.model import RobustnessProperty

_SHARE_OF_WORK = 0.1
"""Of what a property is granted, for the searches before ReLU phases are tried, and for those after them."""
_SHARE_OF_TIME = 0.3
"""Of the time that is left: what is proved needs the rest."""
_RIVALS = 2
"""Classes of a row that are tried, those first to which short descents came nearest."""
_ALWAYS, _PER_WEIGHT, _PER_SLOT = 1e-2, 3e-10, 5e-9
"""Seconds of a search, and of a pass for each point and weight, and each point and slot: estimates, 0.6 to
0.8 of what evaluation takes on one thread of an Intel Xeon (784-4x256-10, 5-6x50-5, 64-32-10; 256 points)."""
_ROUND = 12
"""Points of a round of random moves, for each descent."""


@dataclass(frozen=True, eq=False)
class Balls:
    """The balls of one property. misclassified: how many listed inputs have no ball."""

    program: Program
    executions: Executions
    prop: RobustnessProperty
    listed: Listed
    boxes: Mapping[int, RationalBox]
    misclassified: int
    budget: Budget

    def undecided(self, proved: int, refuted: int) -> bool:
        """Whether the demanded share is neither proved nor out of reach."""
        total = len(self.listed.labels)
        needed: Fraction = self.prop.required_share * total
        return proved < needed <= total - refuted - self.misclassified


def sooner(balls: Balls, search: Search, rows: Collection[int], proved: int) -> Search:
    """The search with witnesses of quick searches for each of some rows.

    proved: how many rows are, as far as is known.
    """
    return _sought(balls, search, rows, proved, (FIRST_EFFORT,), 0)


def later(balls: Balls, search: Search, rows: Collection[int], proved: int) -> Search:
    """The same with all that is done for an unsafe output of `vnnlib`."""
    return _sought(balls, search, rows, proved, later_efforts(balls.program), 1)


def _sought(
    balls: Balls, search: Search, rows: Collection[int], proved: int, efforts: Sequence[Effort], seed: int
) -> Search:
    witnesses, disagreeing = dict(search.witnesses), set(search.disagreeing)
    work = Work(_SHARE_OF_WORK * balls.budget.seconds)
    budget = replace(balls.budget, deadline=time.monotonic() + _SHARE_OF_TIME * balls.budget.left)
    open_rows = [row for row in search.nearest if row in rows and row not in witnesses]
    each = [(effort, seed + number, row) for number, effort in enumerate(efforts) for row in open_rows]
    try:
        for effort, own_seed, row in counted(each, balls.budget.observer, "search", len(each), "balls"):
            if not balls.undecided(proved, len(witnesses)):
                break
            rivals = search.nearest[row][:_RIVALS]
            if row in witnesses or not work.take(len(rivals) * _cost(balls.program, effort)):
                continue
            found = _one(balls, row, rivals, effort, own_seed, budget)
            if found.witness is not None:
                given = to_hex_all(balls.listed.inputs[row])
                witnesses[row] = replace(found.witness, index=balls.listed.positions[row], reference=given)
            elif found.disagreeing is not None:
                disagreeing.add(row)
    except OutOfTime:
        balls.budget.spend()
    left = tuple(sorted(row for row in disagreeing if row not in witnesses))
    return replace(search, witnesses=witnesses, disagreeing=left)


def _one(balls: Balls, row: int, rivals: Sequence[int], effort: Effort, seed: int, budget: Budget) -> Sought:
    inside = points_of(balls.prop, balls.boxes[row], balls.executions.integers)
    if inside is None:
        return Sought()
    broken: Violation = breaking(balls.prop, balls.listed, row)
    rounded = balls.prop.chosen_semantics == "binary32"
    ground = Ground(balls.program, balls.executions, lambda _: broken, rounded)
    wishes = []
    for number, rival in enumerate(rivals, start=1):
        form = np.zeros((1, balls.program.outputs.size))
        form[0, balls.listed.labels[row]], form[0, rival] = 1.0, -1.0
        wishes.append((number, Wish(*inside, form, None, np.zeros(1))))
    return seek(ground, wishes, effort, seed, budget)


def _cost(program: Program, effort: Effort) -> float:
    """Estimated seconds of a search for one wish."""
    points = effort.samples + effort.descents * (3 * effort.steps + _ROUND * effort.rounds)
    weights = sum(
        node.weights.size * len(node.sources) for node in program.nodes if isinstance(node, AffineNode)
    )
    return _ALWAYS + points * (_PER_WEIGHT * weights + _PER_SLOT * program.size)
