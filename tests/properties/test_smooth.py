"""Models with smooth activations, from their bytes to Lean's word."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean.properties import run_property
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty, RobustnessProperty
from pytest_torchlean.verdict import Verdict

pytestmark = pytest.mark.usefixtures("library")


def network(activation: str, seed: int = 0) -> onnx.ModelProto:
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], name="first"),
        helper.make_node(activation, ["h"], ["a"], name="bend"),
        helper.make_node("Gemm", ["a", "v"], ["y"], name="second"),
    ]
    weights = {
        "w": rng.normal(size=(2, 6)).astype(np.float32),
        "b": rng.normal(size=6).astype(np.float32),
        "v": rng.normal(size=(6, 2)).astype(np.float32),
    }
    return model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, weights)


def claim(bound: int | Fraction, **more: Any) -> RangeProperty:
    box, reach = Bounds(Fraction(-1, 4), Fraction(1, 4)), Fraction(bound)
    return RangeProperty(name="r", model="m", input=box, output=OutputBounds(-reach, reach), **more)


@pytest.mark.parametrize("activation", ["Sigmoid", "Tanh", "Exp"])
@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_true_bounds_are_proved_and_false_ones_refuted(
    activation: str, semantics: str, context_for: Any
) -> None:
    proto = network(activation)
    evidence = run_property(context_for(proto), claim(40, semantics=semantics))
    assert evidence.verdict is Verdict.PROVED
    assert evidence.assurance == "kernel"
    assert any(f"every result of {activation} is within the budget" in line for line in evidence.trust)
    lower = run_property(context_for(proto), claim(Fraction(1, 100), semantics=semantics))
    assert lower.verdict is Verdict.REFUTED


def test_no_bounds_are_shown_where_intervals_divide_by_zero(context_for: Any) -> None:
    """1 / (x^2 - x + 1/2) on [0, 1]: intervals see a divisor that may be 0, parts do not."""
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["s"]),
        helper.make_node("Sub", ["s", "x"], ["t"]),
        helper.make_node("Add", ["t", "c"], ["d"]),
        helper.make_node("Reciprocal", ["d"], ["y"]),
    ]
    proto = model(nodes, {"x": [1, 1]}, {"y": [1, 1]}, {"c": np.array([[0.5]], dtype=np.float32)})
    box = Bounds(Fraction(0), Fraction(1))
    wide = RangeProperty(name="r", model="m", input=box, output=OutputBounds(Fraction(1), Fraction(8)))
    evidence = run_property(context_for(proto), replace(wide, assurance="evaluated"))
    assert (evidence.verdict, evidence.bounds) == (Verdict.PROVED, None)
    assert evidence.found == "the outputs stay within the claimed bounds"


def test_the_compiled_checker_says_the_same(context_for: Any) -> None:
    evidence = run_property(context_for(network("Tanh")), claim(40, assurance="evaluated"))
    assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "evaluated")


def test_a_class_is_robust(tmp_path: Path, context_for: Any) -> None:
    proto = network("Tanh", seed=2)
    point = np.array([[0.5, -0.5]], dtype=np.float32)
    values = {item.name: onnx.numpy_helper.to_array(item) for item in proto.graph.initializer}
    scores = np.tanh(point @ values["w"] + values["b"]) @ values["v"]
    path = tmp_path / "data.npz"
    np.savez(path, inputs=point, labels=scores.argmax(axis=1))
    prop = RobustnessProperty(name="r", model="m", epsilon=Fraction(1, 500), data=path)
    evidence = run_property(context_for(proto), prop)
    assert evidence.verdict is Verdict.PROVED
    assert evidence.assurance == "kernel"


def test_without_an_activation_nothing_is_assumed_of_one(context_for: Any) -> None:
    evidence = run_property(context_for(network("Relu")), claim(40))
    assert evidence.verdict is Verdict.PROVED
    assert not any("budget" in line for line in evidence.trust)
