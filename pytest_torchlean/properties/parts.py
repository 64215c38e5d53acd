"""The boxes that a forecast accepts, cut into theorems of a bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from pytest_torchlean.certificate.costs import NOTHING, decoding_cost, script_cost
from pytest_torchlean.certificate.model import Emission, ScriptData
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.states import Forecast

MOST_BOXES_PER_THEOREM = 30
"""So that not all is lost where one theorem takes too long."""
MEGABYTES_PER_THEOREM = 30.0
"""Besides as much as the weights take. The kernel keeps what it computes until a theorem ends, and slows."""


@dataclass(frozen=True, eq=False)
class Part:
    """One theorem: what Lean is given, the goals beside its claims, and which boxes they are.

    boxes: pairs of a goal's number and a box's number in it.
    """

    emission: Emission
    goals: tuple[Goal, ...]
    boxes: frozenset[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class _Chosen:
    goal: int
    box: int
    script: ScriptData


def accepted_parts(
    emission: Emission,
    goals: Sequence[Goal],
    forecasts: Sequence[Forecast],
    scripts: Sequence[Sequence[ScriptData]],
) -> tuple[Part, ...]:
    """The parts that hold every accepted box once. ValueError where no box is accepted.

    scripts: for every goal one for each of its boxes.
    """
    groups: list[list[_Chosen]] = [[]]
    total = NOTHING
    most = MEGABYTES_PER_THEOREM + decoding_cost(emission.graph).megabytes
    for chosen in _accepted(emission, forecasts, scripts):
        rows = emission.claims[chosen.goal].property.forms.rows
        cost = script_cost(emission.graph, chosen.script, rows)
        full = len(groups[-1]) == MOST_BOXES_PER_THEOREM
        if groups[-1] and (full or (total + cost).megabytes > most):
            groups.append([])
            total = NOTHING
        groups[-1].append(chosen)
        total += cost
    if not groups[-1]:
        raise ValueError("nothing to prove")
    return tuple(_part(emission, goals, group) for group in groups)


def _accepted(
    emission: Emission, forecasts: Sequence[Forecast], scripts: Sequence[Sequence[ScriptData]]
) -> list[_Chosen]:
    """Goal after goal; in each, first the boxes with scripts of their own."""
    found = []
    common = emission.certificate.scripts
    for number, (seen, own, (shared, *_)) in enumerate(zip(forecasts, scripts, common, strict=True)):
        boxes = [int(index) for index in np.flatnonzero(seen.accepted)]
        boxes.sort(key=lambda index: own[index] is shared)
        found += [_Chosen(number, index, own[index]) for index in boxes]
    return found


def _shared(scripts: Sequence[ScriptData]) -> tuple[ScriptData, ...]:
    """Without scripts at the end that are the one before them: the last one serves all that follow."""
    last = len(scripts)
    while last > 1 and scripts[last - 1] is scripts[last - 2]:
        last -= 1
    return tuple(scripts[:last])


def _part(whole: Emission, goals: Sequence[Goal], group: Sequence[_Chosen]) -> Part:
    claims, scripts, own_goals = [], [], []
    for number, members in groupby(group, key=lambda chosen: chosen.goal):
        own = list(members)
        claim, goal = whole.claims[number], goals[number]
        claims.append(replace(claim, boxes=tuple(claim.boxes[one.box] for one in own)))
        own_goals.append(replace(goal, boxes=tuple(goal.boxes[one.box] for one in own)))
        scripts.append(_shared([one.script for one in own]))
    certificate = replace(whole.certificate, scripts=tuple(scripts))
    emission = replace(whole, claims=tuple(claims), certificate=certificate)
    return Part(emission, tuple(own_goals), frozenset((one.goal, one.box) for one in group))
