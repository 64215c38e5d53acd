"""What a differential run found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Divergence:
    """The first output element outside what its bound allows.

    `runtime` and `expected` are hexadecimal literals of binary32 numbers. `ulps` counts binary32
    numbers between them, None where one is NaN. `allowed` is the largest |runtime - exact value| that
    any schedule can reach, None where IEEE-754 fixes the bits. `element` is a row-major index.
    """

    session: str
    sample: int
    value: str
    op: str
    source: str
    element: int
    runtime: str
    expected: str
    ulps: int | None
    allowed: float | None


@dataclass(frozen=True)
class SessionReport:
    """One session: how many node outputs were compared, how closely, and which could not be.

    `nodes` are the operators that really run. `worst` maps an operator to the largest observed share
    of its bound (0 to 1). `unbounded` counts elements where an intermediate may overflow, so that any
    special value is legitimate. `uncovered` names the values without a rule, with the reason.
    """

    name: str
    nodes: tuple[str, ...]
    exact_outputs: int = 0
    bounded_outputs: int = 0
    unbounded: int = 0
    worst: Mapping[str, float] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()
    outputs_covered: bool = True


@dataclass(frozen=True)
class DifferentialResult:
    """Both sessions over all samples. `finished` is False where time ran out before the last sample."""

    samples: int
    finished: bool
    divergence: Divergence | None
    sessions: tuple[SessionReport, ...]
    rewrites: tuple[str, ...]
    """Operators of the optimised graph that the stored graph does not have, with their counts."""
    versions: Mapping[str, str]
