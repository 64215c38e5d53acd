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
from pytest_torchlean.certificate.bilinear import factors_of
from pytest_torchlean.certificate.goals import factors_read
from pytest_torchlean.certificate.model import NO_STEP, Emission
from pytest_torchlean.certificate.origins import constants_of, end_at_inputs, origins_of
from pytest_torchlean.certificate.rows import PassedNode
from pytest_torchlean.certificate.statement import BilinearData, ReluData, Semantics
from pytest_torchlean.certificate.words import pack_words
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
    gone, *_ = relaxation.go_back(stage.box, stage.passed, stage.slopes(), rows, 16)
    mixed = [node.start for node in stage.passed if getattr(node.node, "rows", 0) == 3][-1]
    assert gone.start < mixed
    if mixing is TWICE:
        assert len(origins_of(stage.passed)) > mixed
        assert not end_at_inputs(origins_of(stage.passed), rows)


def test_what_inputs_do_not_change_is_constant() -> None:
    """A scale that the model computes: the product with it is exact, and its other factor needs no rows."""
    nodes = [
        helper.make_node("Sqrt", ["variance"], ["d"]),
        helper.make_node("Div", ["one", "d"], ["f"]),
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Mul", ["r", "f"], ["s"]),
        helper.make_node("Mul", ["s", "s"], ["z"]),
    ]
    rng = np.random.default_rng(2)
    values = {
        "variance": np.float32([[2, 3]]), "one": np.float32([[1, 1]]),
        "w": weights(rng, 2, 3), "b": weights(rng, 2),
    }  # fmt: skip
    emission = emission_of(Network(model(nodes, {"x": [1, 3]}, ["z"], values), 3, 2))
    constant = constants_of(emission.graph)
    assert constant[[0, 1]].all()
    assert not constant[2:5].any()
    read = [node for node in emission.graph.nodes if isinstance(node, BilinearData)]
    scaled, squared = (factors_of(node) for node in read)
    assert constant[scaled].any(axis=2).all()
    assert not constant[scaled].all(axis=2).any()
    assert not constant[squared].any()


@pytest.mark.parametrize("constant", [True, False])
def test_factors_of_constants_are_no_goals(constant: bool) -> None:
    node = BilinearData(1, 1, pack_words(np.array([2, 3])))
    passed = PassedNode(ReluData(0, 2), 2, NO_STEP.decoding, None)
    known = np.array([True, True, False, constant])
    assert factors_read(passed, node, known).tolist() == ([] if constant else [0, 1, 2, 3])
