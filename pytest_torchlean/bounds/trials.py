"""What trying a split of a case tells (strong branching), see `retightening.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """What the rows gain in the two cases of a ReLU, and how near to empty these are.

    chosen: the ReLU's level and place.
    """

    chosen: tuple[int, int]
    gains: tuple[float, float]
    emptier: tuple[float, float]


def score(cases: tuple[float, float]) -> float:
    """How good a split is: the worse of its two cases counts twice."""
    return min(cases) + max(cases) / 2
