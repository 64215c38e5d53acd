"""What a differential run found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


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
    probe: str = ""
    """The probe of the node alone that showed it; empty for a sample of the whole model."""
    label: str = ""
    """The operator that the runtime runs, where a probe took it alone; `op` is the part of it that is off."""
    inputs: Mapping[str, NDArray[np.generic]] = field(default_factory=dict, compare=False, repr=False)
    """The node's inputs that are computed at run time, by name; none where the runtime hides them."""
    level: str = "none"
    """The optimisation level of the session."""
    integers: bool = False
    """Whether a probe replaced the node's constants by small integers."""
    model_inputs: Mapping[str, NDArray[np.generic]] = field(default_factory=dict, compare=False, repr=False)
    """The model's inputs, where a sample of the whole model showed it."""


@dataclass(frozen=True)
class BitEquality:
    """A demand that another execution gives the shipped session's output bits.

    `held` counts the samples on which it did. `failure` is the first place where it did not, or why the
    execution could not be had; None where it never failed.
    """

    what: str
    held: int
    failure: str | None


@dataclass(frozen=True)
class SessionReport:
    """One session: how many node outputs were compared, how closely, and which could not be.

    `nodes` are the operators that really run. `worst` maps an operator to the largest observed share
    of its bound (0 to 1). `unbounded` counts elements where an intermediate may overflow, so that any
    special value is legitimate. `uncovered` names the values without a rule, with the reason. `settings`
    are the options of the session. `bits` says whether its outputs have the bits of the first session's.
    """

    name: str
    nodes: tuple[str, ...]
    samples: int = 0
    exact_outputs: int = 0
    bounded_outputs: int = 0
    unbounded: int = 0
    worst: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Elements by their share of the bound, by operator, in the bins of `histograms.SHARES`."""
    ulps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Elements by their distance from the evaluator, in the bins of `histograms.ULPS`."""
    uncovered: tuple[str, ...] = ()
    outputs_covered: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    rewrites: tuple[str, ...] = ()
    """Operators of the running graph that the stored graph does not have, with their counts."""
    equalities: tuple[BitEquality, ...] = ()
    bits: str = ""


@dataclass(frozen=True)
class ProbeReport:
    """The nodes of one graph alone: how many were probed, by how many runs.

    `weights` counts the elements of constant factors of sums, `weights_read` those that an impulse read
    alone. `limited` names nodes that got fewer probes, `left_out` those that got none, each with the reason.
    `surprises` are the known differences that were met. `known` counts nodes that another graph has too and
    that were probed there.
    """

    session: str
    nodes: int
    runs: int
    weights: int
    weights_read: int
    known: int = 0
    limited: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    surprises: tuple[str, ...] = ()
    finished: bool = True


@dataclass(frozen=True)
class DifferentialResult:
    """All sessions over all samples. `finished` is False where time ran out before the last sample."""

    samples: int
    """Samples that every session has seen, the last of them perhaps not by all."""
    finished: bool
    divergence: Divergence | None
    sessions: tuple[SessionReport, ...]
    rewrites: tuple[str, ...]
    """Those of all sessions."""
    unreached: tuple[str, ...] = ()
    """Sessions for which no time was left."""
    probes: tuple[ProbeReport, ...] = ()
    """The graphs whose nodes were probed alone."""


def joined(results: Sequence[DifferentialResult]) -> DifferentialResult:
    """Several runs, e.g. at several batch sizes, as one: samples and sessions add up."""
    rewrites = dict.fromkeys(name for result in results for name in result.rewrites)
    return DifferentialResult(
        samples=sum(result.samples for result in results),
        finished=all(result.finished for result in results),
        divergence=next((result.divergence for result in results if result.divergence is not None), None),
        sessions=tuple(report for result in results for report in result.sessions),
        rewrites=tuple(rewrites),
        unreached=tuple(name for result in results for name in result.unreached),
        probes=tuple(report for result in results for report in result.probes),
    )
