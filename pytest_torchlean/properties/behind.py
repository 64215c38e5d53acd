"""A runtime check of a system: its preprocessing alone, then the shipped model on what that gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from pytest_torchlean.differential import DifferentialResult, compare
from pytest_torchlean.differential.samples import Box, Float32, Sample, samples
from pytest_torchlean.evaluator import run as run_evaluator
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.preprocessing import Front
from pytest_torchlean.runtime import SessionSettings

SUFFIX = ", of the preprocessing"
"""Behind the name of the session that runs the preprocessing alone."""


def compare_behind(
    model: LoadedModel,
    front: Front,
    count: int,
    seed: int,
    *,
    data: Float32 | None,
    box: Box | None,
    sampling: Sequence[str] = (),
    sessions: Sequence[SessionSettings],
    deadline: float | None,
    suffix: str = "",
) -> DifferentialResult:
    """Both comparisons in one result; `samples` counts the model's. data, box: of raw inputs.

    The preprocessing is run without optimisation, so that its operations are the stated ones; the model in
    every session of the matrix.
    """
    raw = _Raw(front, count, seed, data, box, tuple(sampling))
    ahead = compare(
        front.alone,
        front.alone_graph,
        raw,
        sessions=(SessionSettings("none"),),
        deadline=deadline,
        suffix=SUFFIX + suffix,
    )
    if ahead.divergence is not None or not ahead.finished:
        return ahead
    given = _Given(raw, max(1, count // 4))
    behind = compare(model, front.model_graph, given, sessions=sessions, deadline=deadline, suffix=suffix)
    return replace(behind, sessions=(*ahead.sessions, *behind.sessions))


@dataclass(frozen=True, eq=False)
class _Raw:
    """Raw samples, drawn anew for every session."""

    front: Front
    count: int
    seed: int
    data: Float32 | None
    box: Box | None
    sampling: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Sample]:
        integers = self.front.integers
        drawn = samples(
            self.front.alone_graph,
            self.count,
            self.seed,
            data=self.data,
            box=self.box,
            sampling=self.sampling,
        )
        for sample in drawn:
            yield sample if integers is None else {n: integers.nearest(x) for n, x in sample.items()}


@dataclass(frozen=True, eq=False)
class _Given:
    """The model's samples: exact probes of its own input, to which no raw input may lead, and then what the
    preprocessing makes of raw ones."""

    raw: _Raw
    probes: int

    def __iter__(self) -> Iterator[Sample]:
        graph = self.raw.front.model_graph
        own = samples(graph, self.probes, self.raw.seed)
        return islice(chain(own, self._behind(graph.inputs[0])), self.raw.count)

    def _behind(self, name: str) -> Iterator[Sample]:
        for sample in self.raw:
            (value,) = run_evaluator(self.raw.front.alone_graph, sample)
            yield {name: value}
