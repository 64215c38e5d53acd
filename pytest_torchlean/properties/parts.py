"""The boxes that a forecast accepts, cut into theorems of a bounded number of boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_torchlean.certificate.account import Forecast
from pytest_torchlean.certificate.model import ClaimData, Emission, ScriptData
from pytest_torchlean.certificate.plan import Goal

MOST_BOXES_PER_THEOREM = 40
SLOTS_PER_THEOREM = 2200
"""One theorem takes fewer boxes of a larger graph: the kernel keeps what it computes until its end."""
BOXES_OF_ONE_WITH_ROWS = 8
"""A box with backward rows costs about as much as so many with intervals."""


@dataclass(frozen=True, eq=False)
class Part:
    """One theorem: what Lean is given, the goals beside its claims, and which boxes they are.

    boxes: pairs of a goal's number and a box's number in it.
    """

    emission: Emission
    goals: tuple[Goal, ...]
    boxes: frozenset[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class _Piece:
    claim: ClaimData
    scripts: tuple[ScriptData, ...]
    goal: Goal
    boxes: tuple[tuple[int, int], ...]
    cost: int
    """In boxes with intervals."""


def accepted_parts(
    emission: Emission,
    goals: Sequence[Goal],
    forecasts: Sequence[Forecast],
    scripts: Sequence[Sequence[ScriptData]],
    slots: int,
) -> tuple[Part, ...]:
    """The parts that hold every accepted box once. ValueError where no box is accepted.

    scripts: for every goal one for each of its boxes. slots: the size of the graph.
    """
    most = max(1, min(MOST_BOXES_PER_THEOREM, SLOTS_PER_THEOREM // slots))
    pieces = list(_pieces(emission, goals, forecasts, scripts, most))
    if not pieces:
        raise ValueError("nothing to prove")
    groups: list[list[_Piece]] = [[]]
    for piece in pieces:
        if groups[-1] and sum(other.cost for other in groups[-1]) + piece.cost > most:
            groups.append([])
        groups[-1].append(piece)
    return tuple(_part(emission, group) for group in groups)


def _pieces(
    emission: Emission,
    goals: Sequence[Goal],
    forecasts: Sequence[Forecast],
    scripts: Sequence[Sequence[ScriptData]],
    most: int,
) -> Iterator[_Piece]:
    claims = zip(emission.claims, emission.certificate.scripts, scripts, goals, forecasts, strict=True)
    for number, (claim, (common, *_), own, goal, seen) in enumerate(claims):
        chosen = [int(index) for index in np.flatnonzero(seen.accepted)]
        chosen.sort(key=lambda index: own[index] is common)
        while chosen:
            each = 1 if own[chosen[0]] is common else BOXES_OF_ONE_WITH_ROWS
            count = max(1, most // each)
            piece, chosen = chosen[:count], chosen[count:]
            yield _Piece(
                replace(claim, boxes=tuple(claim.boxes[index] for index in piece)),
                _shared(tuple(own[index] for index in piece)),
                replace(goal, boxes=tuple(goal.boxes[index] for index in piece)),
                tuple((number, index) for index in piece),
                each * len(piece),
            )


def _shared(scripts: tuple[ScriptData, ...]) -> tuple[ScriptData, ...]:
    """Without scripts at the end that are the one before them: the last one serves all that follow."""
    last = len(scripts)
    while last > 1 and scripts[last - 1] is scripts[last - 2]:
        last -= 1
    return scripts[:last]


def _part(whole: Emission, group: Sequence[_Piece]) -> Part:
    certificate = replace(whole.certificate, scripts=tuple(piece.scripts for piece in group))
    emission = replace(whole, claims=tuple(piece.claim for piece in group), certificate=certificate)
    return Part(
        emission,
        tuple(piece.goal for piece in group),
        frozenset(box for piece in group for box in piece.boxes),
    )
