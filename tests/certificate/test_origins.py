"""Rows end where the bounds of what they read say as much as those of the inputs."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import onnx
import pytest
from certificate_examples import Network, weights
from onnx import helper
from onnx_models import model
from relaxation_examples import Stage, emission_of, stages, with_rows

from pytest_torchlean.certificate import relaxation
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.origins import end_at_inputs, origins_of
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.checker import CheckResult

MEAN = helper.make_node("Sub", ["x", "mean"], ["s"])
SCALE = helper.make_node("Mul", ["s", "factor"], ["p"])
MIX = helper.make_node("Gemm", ["s", "mix"], ["p"])
TWICE = helper.make_node("Gemm", ["s", "twice"], ["p"])


def network(*before: onnx.NodeProto) -> Network:
    """Two layers behind some nodes that make p of x."""
    rng = np.random.default_rng(2)
    nodes = [
        *before,
        helper.make_node("Gemm", ["p", "w", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["g"], transB=1),
        helper.make_node("Relu", ["g"], ["t"]),
        helper.make_node("Gemm", ["t", "u"], ["z"], transB=1),
    ]
    values = {
        "mean": np.float32([[0.5, -0.25, 1.5]]),
        "factor": np.float32([[2, -0.75, 3]]),
        "mix": np.float32([[1, 0, 1], [0, 1, 0], [0, 0, 1]]),
        "twice": np.float32([[1, 0, 1], [0, 1, 0], [0, 0, 0]]),
        "w": weights(rng, 5, 3), "b": weights(rng, 5), "v": weights(rng, 5, 5), "u": weights(rng, 2, 5),
    }  # fmt: skip
    used = {name for node in nodes for name in node.input}
    return Network(model(nodes, {"x": [1, 3]}, ["z"], {k: v for k, v in values.items() if k in used}), 3, 2)


def last(emission: Emission) -> Stage:
    return list(stages(emission))[-1]


def test_each_slot_of_a_preprocessed_input_depends_on_that_input() -> None:
    passed = last(emission_of(network(MEAN, SCALE))).passed
    origins = origins_of(passed)
    assert origins[:5].tolist() == [-1, -1, 2, 3, 4]
    assert sorted(origins[-3:].tolist()) == [2, 3, 4]
    assert len(origins) == next(node.start for node in passed if getattr(node.node, "rows", 0) == 5)


@pytest.mark.parametrize("semantics", list(Semantics))
def test_they_prove_what_rows_over_the_inputs_prove(
    semantics: Semantics, ask: Callable[[Emission], CheckResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    emission = emission_of(network(MEAN, SCALE), semantics=semantics, radius=Fraction(1, 64))
    stage = last(emission)

    def proved() -> tuple[Emission, np.ndarray]:
        script, _, fine = with_rows(emission)
        goals = np.arange(2 * stage.passed[-1].node.rows)
        assert fine
        return script, relaxation.relax(stage.box, stage.passed, stage.slopes(), goals).bounds

    short, found = proved()
    monkeypatch.setattr(relaxation, "end_at_inputs", lambda origins, rows: False)
    long, expected = proved()
    assert ask(short).accepted
    assert len(repr(short.certificate)) < len(repr(long.certificate))
    assert abs(found - expected).max() < stage.box.scale.unit // 10**4


@pytest.mark.parametrize("mixing", [MIX, TWICE], ids=["two-inputs", "one-input-twice"])
def test_rows_go_on_behind_a_node_that_mixes_inputs(mixing: onnx.NodeProto) -> None:
    """A sum of two inputs ends what is known; an input that is read twice is known and not the end."""
    stage = last(emission_of(network(MEAN, mixing)))
    rows = relaxation.goal_rows(stage.passed[-1], np.arange(2), 64)
    gone, _ = relaxation.go_back(stage.box, stage.passed, stage.slopes(), rows, 16)
    mixed = [node.start for node in stage.passed if getattr(node.node, "rows", 0) == 3][-1]
    assert gone.start < mixed
    if mixing is TWICE:
        assert len(origins_of(stage.passed)) > mixed
        assert not end_at_inputs(origins_of(stage.passed), rows)
