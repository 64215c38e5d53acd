"""The limits of normalized values that Lean is told: reached, and never passed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean.bounds.interval import evaluate, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.onnx_import import LoadedModel, lower


def program(op: str, terms: int, *, exact: bool) -> Program:
    shape = [1, terms] if op != "InstanceNormalization" else [1, 1, terms]
    ones = np.ones(1 if op == "InstanceNormalization" else terms, np.float32)
    weights = {"s": ones, "b": 0 * ones} if op == "InstanceNormalization" else {"s": ones}
    nodes = [helper.make_node(op, ["x", *weights], ["y"], epsilon=1e-5)]
    opset = 23 if op == "RMSNormalization" else 17
    proto = model(nodes, {"x": shape}, {"y": shape}, weights, opset=opset)
    graph = lower(LoadedModel(Path("m.onnx"), proto.SerializeToString(), ""))
    return lower_to_program(graph, exact=exact)


@pytest.mark.parametrize("op", ["LayerNormalization", "InstanceNormalization"])
@pytest.mark.parametrize("terms", [1, 2, 4, 9])
def test_a_centered_value_is_within_the_root_of_its_length_less_one(op: str, terms: int) -> None:
    """In exact arithmetic; rounded distances need not sum to 0, and are allowed the root of the length."""
    exact, rounded = (program(op, terms, exact=way) for way in (True, False))
    rng = np.random.default_rng(terms)
    points = np.concatenate([1e4 * np.eye(terms), -1e4 * np.eye(terms), rng.normal(size=(50, terms))])
    found, wanted = (evaluate(own, points)[:, own.outputs] for own in (exact, rounded))
    assert np.allclose(found, wanted, rtol=0, atol=1e-6)
    limit = np.sqrt(max(terms - 1, 1))
    if terms > 1:
        assert np.abs(found).max() == pytest.approx(limit, abs=1e-5)
    wide = np.full((1, terms), 8.0)
    low, high = propagate(exact, -wide, wide)
    assert np.abs(high[:, exact.outputs]).max() <= limit * (1 + 1e-6)
    low, high = propagate(rounded, -wide, wide)
    assert np.abs(high[:, rounded.outputs]).max() >= np.sqrt(terms)
    assert (low <= high).all()


def test_what_keeps_its_mean_may_reach_the_root_of_its_length() -> None:
    own = program("RMSNormalization", 4, exact=True)
    found = evaluate(own, np.array([[1e4, 0, 0, 0]]))[:, own.outputs]
    assert found.max() == pytest.approx(2.0, abs=1e-5)
