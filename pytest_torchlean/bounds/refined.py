"""Trees of cases by ReLU phases that bound earlier values again, as a certificate states them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.layers import Float64


@dataclass(frozen=True, eq=False)
class Tightening:
    """Bounds of what ReLU `relu` reads. goals: 2 * place for a lower bound, 2 * place + 1 for an upper one,
    increasing. lower: slopes below by the number of the ReLU, float64 (n,). multipliers: by ReLU, float64
    (goals, n); positive ones of (value - its upper bound), negative ones of (value - its lower bound).
    """

    relu: int
    goals: NDArray[np.int64]
    lower: Mapping[int, Float64]
    multipliers: Mapping[int, Float64]


@dataclass(frozen=True, eq=False)
class Ending:
    """What proves a case. lower, multipliers: as above, for the property's rows."""

    lower: Mapping[int, Float64]
    multipliers: Mapping[int, Float64]


@dataclass(frozen=True, eq=False)
class Decided:
    """Of the two cases of a ReLU the one that is not `on` is empty, which `ending` shows."""

    relu: int
    place: int
    on: bool
    ending: Ending


@dataclass(frozen=True, eq=False)
class Halves:
    """Two cases: what ReLU `relu` reads at `place` is at most 0, or at least."""

    relu: int
    place: int
    off: RefinedCase
    on: RefinedCase


@dataclass(frozen=True, eq=False)
class RefinedCase:
    """What is tightened first, and how it goes on."""

    tightenings: tuple[Tightening, ...]
    then: Ending | Halves


@dataclass(frozen=True)
class RefinedSearch:
    """tree: None where cases were left. gap: the lowest bound that was left. bounded: cases."""

    tree: RefinedCase | None
    gap: float
    bounded: int = 0


def behind(steps: Sequence[Tightening | Decided], then: Ending | Halves) -> RefinedCase:
    """What is done behind all steps."""
    tightenings: list[Tightening] = []
    found = then
    for step in reversed(steps):
        if isinstance(step, Tightening):
            tightenings.insert(0, step)
            continue
        kept, empty = RefinedCase(tuple(tightenings), found), RefinedCase((), step.ending)
        off, on = (empty, kept) if step.on else (kept, empty)
        found, tightenings = Halves(step.relu, step.place, off, on), []
    return RefinedCase(tuple(tightenings), found)
