"""What trying a split of a case tells, see `retightening.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """What the rows gain in the two cases of a ReLU, and how near to empty these are."""

    chosen: tuple[int, int]
    gains: tuple[float, float]
    emptier: tuple[float, float]


def together(cases: tuple[float, float]) -> float:
    """The worse of two cases counts twice."""
    return min(cases) + max(cases) / 2
