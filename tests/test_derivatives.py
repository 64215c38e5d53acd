"""Derivative graphs: against central differences in binary64, on onnxruntime, and where there is none."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import model

from pytest_torchlean.derivatives import differentiated
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.evaluator import run as evaluated
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.wellformed import STRUCTURE, violations
from pytest_torchlean.onnx_export.write import to_onnx
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.runtime import RuntimeSession

Function = Callable[[np.ndarray], np.ndarray]
SMOOTH: dict[str, Function] = {
    "Tanh": np.tanh,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Exp": np.exp,
    "Softplus": lambda x: np.log1p(np.exp(x)),
    "Sin": np.sin,
    "Cos": np.cos,
}
W = np.array([[0.5, -1.0], [0.75, 0.25], [-0.5, 1.5]], dtype=np.float32)
B = np.array([0.25, -0.125, 0.5], dtype=np.float32)
V = np.array([[1.0, -0.5, 0.75]], dtype=np.float32)


def graph_of(proto: onnx.ModelProto) -> Graph:
    return lower(LoadedModel(Path("m.onnx"), proto.SerializeToString(), ""))


def layered(op: str) -> onnx.ModelProto:
    """u = V op(W x + B), two inputs."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1),
        helper.make_node(op, ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "v"], ["u"], transB=1),
    ]
    return model(nodes, {"x": [1, 2]}, {"u": [1, 1]}, {"w": W, "b": B, "v": V})


def mixed() -> onnx.ModelProto:
    """u = sum(tanh(x) * (x - x'/4)) + exp(x0) * x1 / 3, with every kind of rule."""
    nodes = [
        helper.make_node("Tanh", ["x"], ["t"]),
        helper.make_node("Reshape", ["x", "flat"], ["f"]),
        helper.make_node("Gather", ["f", "turned"], ["g"], axis=0),
        helper.make_node("Reshape", ["g", "row"], ["r"]),
        helper.make_node("Div", ["r", "four"], ["q"]),
        helper.make_node("Sub", ["x", "q"], ["s"]),
        helper.make_node("Mul", ["t", "s"], ["p"]),
        helper.make_node("Exp", ["x"], ["e"]),
        helper.make_node("Transpose", ["r"], ["c"]),
        helper.make_node("MatMul", ["e", "c"], ["m"]),
        helper.make_node("Neg", ["m"], ["n"]),
        helper.make_node("Concat", ["p", "n", "one"], ["k"], axis=1),
        helper.make_node("MatMul", ["k", "sum"], ["u"]),
    ]
    constants = {
        "flat": np.array([2], dtype=np.int64),
        "turned": np.array([1, 0], dtype=np.int64),
        "row": np.array([1, 2], dtype=np.int64),
        "four": np.array([4.0], dtype=np.float32),
        "one": np.array([[1.0]], dtype=np.float32),
        "sum": np.array([[1.0], [1.0], [-0.5], [2.0]], dtype=np.float32),
    }
    return model(nodes, {"x": [1, 2]}, {"u": [1, 1]}, constants)


def mixed_exactly(x: np.ndarray) -> float:
    turned = x[::-1]
    return float((np.tanh(x) * (x - turned / 4)).sum() + 0.5 * (np.exp(x) * turned).sum() + 2.0)


def layered_exactly(op: str) -> Callable[[np.ndarray], float]:
    return lambda x: float((V.astype(float) @ SMOOTH[op](W.astype(float) @ x + B.astype(float))).item())


def difference(f: Callable[[np.ndarray], float], x: np.ndarray, direction: tuple[int, ...]) -> float:
    """A central difference, in binary64."""
    if not direction:
        return f(x)
    step = np.zeros(2)
    step[direction[0]] = 1e-3
    rest = direction[1:]
    return (difference(f, x + step, rest) - difference(f, x - step, rest)) / 2e-3


DIRECTIONS = [(0,), (1,), (0, 0), (0, 1), (1, 1)]
points = st.tuples(*[st.floats(-1.5, 1.5, width=32)] * 2)


@cache
def derivatives(op: str) -> Graph:
    jet = differentiated(graph_of(mixed() if op == "mixed" else layered(op)), DIRECTIONS)
    return jet.builder.graph([jet.derivative("u", direction) for direction in DIRECTIONS])


@pytest.mark.parametrize("op", [*SMOOTH, "mixed"])
@given(point=points)
@settings(max_examples=10, deadline=None)
def test_they_are_limits_of_differences(op: str, point: Any) -> None:
    graph = derivatives(op)
    f = mixed_exactly if op == "mixed" else layered_exactly(op)
    x = np.array(point, dtype=np.float32)
    found = evaluated(graph, {"x": x.reshape(1, 2)})
    for value, direction in zip(found, DIRECTIONS, strict=True):
        expected = difference(f, x.astype(float), direction)
        assert abs(value.item() - expected) < 2e-4 * (1 + abs(expected))


@pytest.mark.parametrize("op", [*SMOOTH, "mixed"])
def test_they_are_graphs_as_any_other(op: str) -> None:
    """Well-formed, written as ONNX and computed by onnxruntime."""
    graph = derivatives(op)
    assert not violations(graph, STRUCTURE)
    data = to_onnx(graph, folded=False)
    x = np.array([[0.5, -0.25]], dtype=np.float32)
    ours = evaluated(graph, {"x": x})
    theirs = RuntimeSession(data, optimise=False).run({"x": x})
    for own, value in zip(ours, theirs, strict=True):
        assert np.allclose(value, own, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("op", "direction"), [("Relu", (0, 0)), ("Abs", (0, 0)), ("Floor", (0,))])
def test_what_bends_has_no_second_derivative_and_what_jumps_none(op: str, direction: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedError, match=f"no derivative of {op}") as raised:
        differentiated(graph_of(layered(op)), [direction])
    assert raised.value.code == "TL0205"


def test_a_division_by_what_varies_is_named() -> None:
    nodes = [helper.make_node("Div", ["x", "x"], ["u"], name="ratio")]
    with pytest.raises(UnsupportedError, match="Div 'ratio': it divides by a value that varies"):
        differentiated(graph_of(model(nodes, {"x": [1, 2]}, {"u": [1, 2]}, {})), [(0,)])


def test_a_value_that_does_not_vary_has_derivative_zero() -> None:
    nodes = [helper.make_node("Gemm", ["x", "w"], ["u"])]
    weights = {"w": np.array([[0.0], [2.0]], dtype=np.float32)}
    jet = differentiated(graph_of(model(nodes, {"x": [1, 2]}, {"u": [1, 1]}, weights)), DIRECTIONS)
    graph = jet.builder.graph([jet.derivative("u", direction) for direction in DIRECTIONS])
    found = evaluated(graph, {"x": np.ones((1, 2), dtype=np.float32)})
    assert [value.item() for value in found] == [0, 2, 0, 0, 0]
