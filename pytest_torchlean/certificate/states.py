"""How far a forecast has come: bounds of the slots written so far, and what its end says about the boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.concluding import Unforeseen
from pytest_torchlean.certificate.model import CaseData
from pytest_torchlean.certificate.rows import Difference, PassedNode
from pytest_torchlean.certificate.statement import PropertyData


@dataclass(frozen=True, eq=False)
class Forecast:
    """Boxes that share a script. accepted: bool (boxes,). least: per box the smallest clause, scaled;
    a clause counts by its largest row.

    `least[i] > 0` (or >= 0 where not strict) and a bounded run make box i acceptable; with splits it is
    the least of all cases. lower, upper: fixed-point bounds of all slots before the conclusion in any
    case, (slots, boxes).
    """

    accepted: NDArray[np.bool_]
    least: Integers
    lower: Integers
    upper: Integers


@dataclass(frozen=True, eq=False)
class State:
    """Bounds of all slots written so far, (slots, boxes), and the nodes passed."""

    lower: Integers
    upper: Integers
    bounded: NDArray[np.bool_]
    history: tuple[PassedNode, ...] = ()
    path: tuple[CaseData, ...] = ()
    """The cases that a part of a proof assumes."""
    differences: tuple[Difference, ...] = ()
    """Bounds of differences, (count, boxes), the last found first."""

    @property
    def passed(self) -> int:
        """Number of nodes passed."""
        return len(self.history)

    @property
    def error(self) -> Integers | None:
        """Error radii of the last node's results under binary32, (results, boxes)."""
        return self.history[-1].error if self.history else None

    def differences_of(self, place: int) -> tuple[Difference, ...]:
        """The differences of one box."""
        return tuple(replace(own, low=own.low[:, place], high=own.high[:, place]) for own in self.differences)

    def history_of(self, place: int) -> tuple[PassedNode, ...]:
        """The nodes passed, with the error radii of one box."""
        return tuple(
            node if node.error is None else replace(node, error=node.error[:, place]) for node in self.history
        )


def signed(about: PropertyData, rows: Integers, state: State, complete: bool) -> Forecast:
    """Which boxes have the property, from lower bounds of its rows (rows, boxes)."""
    size = max(1, about.alternatives)
    clauses = [rows[start : start + size].max(axis=0) for start in range(0, len(rows), size)]
    least = np.min(clauses, axis=0) if clauses else np.ones(rows.shape[1], dtype=object)
    signs = np.array([bool(value > 0 or (value == 0 and not about.strict)) for value in least])
    fits = complete and about.alternatives >= 1
    return Forecast(signs & state.bounded & fits, least, state.lower, state.upper)


def cut(state: State, slot: int, value: int, *, below: bool) -> State:
    """One case of a split; unbounded where the value does not lie between the slot's bounds.

    Raises Unforeseen where the slot is not written yet.
    """
    if slot >= len(state.lower):
        raise Unforeseen("a split of a slot that is not written")
    inside = (state.lower[slot] <= value) & (value <= state.upper[slot])
    lower, upper = state.lower.copy(), state.upper.copy()
    (upper if below else lower)[slot] = value
    return replace(state, lower=lower, upper=upper, bounded=state.bounded & inside.astype(bool))


def assumed(state: State, place: int) -> State:
    """A case of the path. Raises Unforeseen where there is none, or the bounds exclude it."""
    if place >= len(state.path) or state.path[place].slot >= len(state.lower):
        raise Unforeseen("a case that is not assumed")
    case = state.path[place]
    lower, upper = state.lower.copy(), state.upper.copy()
    if case.below:
        upper[case.slot] = np.minimum(upper[case.slot], case.value)
    else:
        lower[case.slot] = np.maximum(lower[case.slot], case.value)
    if (lower[case.slot] > upper[case.slot]).any():
        raise Unforeseen("a case that the bounds exclude")
    return replace(state, lower=lower, upper=upper)
