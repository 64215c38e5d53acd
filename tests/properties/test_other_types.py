"""Models with integer or bool ends, and operators without a certificate rule, under every property."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import model

from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.properties import run_property
from pytest_torchlean.spec.model import (
    Bounds,
    OutputBounds,
    RangeProperty,
    RobustnessProperty,
    RuntimeProperty,
)
from pytest_torchlean.verdict import Verdict


def tokens() -> onnx.ModelProto:
    """Class scores of a bag of tokens: int64 input, an embedding, a mean, a product."""
    rng = np.random.default_rng(0)
    weights = {
        "table": rng.standard_normal((4, 3)).astype(np.float32),
        "w": rng.standard_normal((3, 2)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["table", "x"], ["e"]),
        helper.make_node("ReduceMean", ["e"], ["m"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["m", "w"], ["y"]),
    ]
    proto = model(nodes, {"x": [1, 5]}, {"y": [1, 2]}, weights)
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    return proto


def classes() -> onnx.ModelProto:
    """The class itself as the output: float32 input, int64 output."""
    nodes = [helper.make_node("Relu", ["x"], ["h"]), helper.make_node("ArgMax", ["h"], ["y"], axis=1)]
    proto = model(nodes, {"x": [1, 3]}, {"y": [1, 1]})
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    return proto


def attention() -> onnx.ModelProto:
    """Scores through a Softmax, with a mask of minus infinity."""
    weights = {"low": np.float32(-np.inf), "seen": np.array([[True, True, False]])}
    nodes = [
        helper.make_node("Where", ["seen", "x", "low"], ["s"]),
        helper.make_node("Softmax", ["s"], ["y"], axis=1),
    ]
    return model(nodes, {"x": [1, 3]}, {"y": [1, 3]}, weights)


MODELS = {"tokens": tokens, "classes": classes, "attention": attention}


@pytest.mark.parametrize("name", MODELS)
def test_the_runtime_agrees(name: str, context_for: Any) -> None:
    evidence = run_property(
        context_for(MODELS[name]()), RuntimeProperty(name="r", model="m", samples=8, seed=1)
    )
    assert evidence.verdict is Verdict.AGREED, evidence.found


@pytest.mark.parametrize("name", MODELS)
def test_what_needs_a_certificate_is_unsupported_by_name(name: str, context_for: Any, tmp_path: Path) -> None:
    context = context_for(MODELS[name]())
    shape = context.graph.types[context.graph.inputs[0]].shape
    np.savez(tmp_path / "d.npz", inputs=np.zeros(shape, np.float32), labels=np.zeros(1, np.int64))
    box = Bounds(Fraction(0), Fraction(1))
    limits = OutputBounds(Fraction(-1), Fraction(5))
    ranged = RangeProperty(name="r", model="m", input=box, output=limits, semantics="real")
    robust = RobustnessProperty(name="r", model="m", epsilon=Fraction(1, 8), data=tmp_path / "d.npz")
    for prop in (ranged, replace(ranged, semantics="binary32"), robust):
        with pytest.raises(TorchleanError) as caught:
            run_property(context, prop)
        assert caught.value.code == "TL0204"
