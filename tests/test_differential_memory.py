"""The differential test streams over the nodes: what it holds does not grow with the depth of a model."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import loaded, lowered, model

from pytest_torchlean.differential import DifferentialResult, compare, sessions
from pytest_torchlean.differential.sessions import prepare
from pytest_torchlean.runtime import RuntimeSession, SessionSettings

LIMIT = 2**20
SHAPE = (1, 16, 48, 48)
VALUE = 4 * 16 * 48 * 48
"""Bytes of one value of the models here."""


def chain(layers: int) -> onnx.ModelProto:
    """Convolutions and ReLUs, `2 * layers` values of 147456 bytes."""
    generator = np.random.default_rng(0)
    nodes, weights, last = [], {}, "x"
    for layer in range(layers):
        weights[f"w{layer}"] = generator.standard_normal((16, 16, 3, 3)).astype(np.float32) / 12
        nodes += [
            helper.make_node("Conv", [last, f"w{layer}"], [f"c{layer}"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"]),
        ]
        last = f"r{layer}"
    return model(nodes, {"x": list(SHAPE)}, [last], weights)


class Watched:
    """A session that notes how many bytes each fetch gives."""

    def __init__(self, inner: RuntimeSession, sizes: list[int]) -> None:
        self.inner, self.sizes = inner, sizes
        self.outputs = inner.outputs

    def fetch(self, names: Sequence[str], inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        values = self.inner.fetch(names, inputs)
        self.sizes.append(sum(value.nbytes for value in values))
        return values


def run(layers: int, sizes: list[int]) -> DifferentialResult:
    proto = chain(layers)
    x = np.random.default_rng(1).random(SHAPE, dtype=np.float32)

    def open_session(data: bytes, settings: SessionSettings) -> Watched:
        return Watched(RuntimeSession(data, settings=settings), sizes)

    return compare(loaded(proto), lowered(proto), [{"x": x}], open_session=open_session)


def test_values_beyond_the_limit_are_fetched_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_MOST_BYTES", LIMIT)
    layers = 12
    assert 2 * layers * VALUE > 3 * LIMIT
    sizes: list[int] = []
    result = run(layers, sizes)
    assert result.divergence is None
    assert all(report.outputs_covered and not report.uncovered for report in result.sessions)
    assert sum(sizes) > 2 * layers * VALUE
    assert max(sizes) <= LIMIT


def test_memory_does_not_grow_with_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_MOST_BYTES", LIMIT)
    monkeypatch.setattr(sessions, "_MOST_PREPARED", LIMIT)
    run(1, [])
    peaks = []
    for layers in (3, 12):
        tracemalloc.start()
        try:
            assert run(layers, []).divergence is None
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] - peaks[0] < 6 * VALUE


def test_steps_beyond_the_limit_are_prepared_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = lowered(chain(3))
    kept = prepare(graph)
    assert kept["c1"] is kept["c1"]
    monkeypatch.setattr(sessions, "_MOST_PREPARED", 0)
    dropped = prepare(graph)
    assert dropped["c1"] is not dropped["c1"]
    assert set(dropped) == {name for node in graph.nodes for name in node.outputs}
