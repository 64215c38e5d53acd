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


def accepted_parts(
    emission: Emission, goals: Sequence[Goal], forecasts: Sequence[Forecast], slots: int
) -> tuple[Part, ...]:
    """The parts that hold every accepted box once. ValueError where no box is accepted.

    slots: the size of the graph.
    """
    most = max(1, min(MOST_BOXES_PER_THEOREM, SLOTS_PER_THEOREM // slots))
    pieces = list(_pieces(emission, goals, forecasts, most))
    if not pieces:
        raise ValueError("nothing to prove")
    groups: list[list[_Piece]] = [[]]
    for piece in pieces:
        held = sum(len(other.boxes) for other in groups[-1])
        if groups[-1] and held + len(piece.boxes) > most:
            groups.append([])
        groups[-1].append(piece)
    return tuple(_part(emission, group) for group in groups)


def _pieces(
    emission: Emission, goals: Sequence[Goal], forecasts: Sequence[Forecast], most: int
) -> Iterator[_Piece]:
    scripts = emission.certificate.scripts
    for number, (claim, own, goal, seen) in enumerate(
        zip(emission.claims, scripts, goals, forecasts, strict=True)
    ):
        chosen = [int(index) for index in np.flatnonzero(seen.accepted)]
        for start in range(0, len(chosen), most):
            piece = chosen[start : start + most]
            yield _Piece(
                replace(claim, boxes=tuple(claim.boxes[index] for index in piece)),
                own,
                replace(goal, boxes=tuple(goal.boxes[index] for index in piece)),
                tuple((number, index) for index in piece),
            )


def _part(whole: Emission, group: Sequence[_Piece]) -> Part:
    certificate = replace(whole.certificate, scripts=tuple(piece.scripts for piece in group))
    emission = replace(whole, claims=tuple(piece.claim for piece in group), certificate=certificate)
    return Part(
        emission,
        tuple(piece.goal for piece in group),
        frozenset(box for piece in group for box in piece.boxes),
    )
