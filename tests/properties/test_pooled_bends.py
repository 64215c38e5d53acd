"""Derivatives of MaxPool, GlobalMaxPool, ReduceMax and ReduceMin: the rules, and specs up to Lean's word."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from exact_differences import assert_slopes_are_differences
from onnx import helper
from onnx_models import model

from pytest_torchlean import gradient, residual
from pytest_torchlean.derivatives import differentiated, gradient_graph, pools
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.evaluator.exact import prepare_exact
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.properties import run_property
from pytest_torchlean.spec.model import PropertySpec
from pytest_torchlean.verdict import Verdict

POOLED: dict[str, tuple[str, dict[str, Any], list[int]]] = {
    "overlapping": ("MaxPool", {"kernel_shape": [2, 2]}, [1, 1, 2, 2]),
    "padded": ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 1, 0, 0]}, [1, 1, 2, 2]),
    "global": ("GlobalMaxPool", {}, [1, 1, 1, 1]),
    "largest": ("ReduceMax", {"axes": [2], "keepdims": 0}, [1, 1, 3]),
    "smallest": ("ReduceMin", {"axes": [3]}, [1, 1, 3, 1]),
    "one": ("ReduceMax", {"axes": [1]}, [1, 1, 3, 3]),
}
"""Operator, attributes and the result's shape, of a map of 3 by 3."""


def pooled(kind: str, inputs: int = 2) -> onnx.ModelProto:
    """A layer of 9 at random, a choice among them, and a sum of its results with random weights."""
    op, attributes, shape = POOLED[kind]
    rng = np.random.default_rng(4)
    size = int(np.prod(shape))
    weights = {
        "w": rng.normal(size=(9, inputs)).astype(np.float32),
        "b": rng.normal(size=9).astype(np.float32),
        "v": rng.normal(size=(1, size)).astype(np.float32),
        "map": np.array([1, 1, 3, 3], dtype=np.int64),
        "row": np.array([1, size], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1),
        helper.make_node("Reshape", ["z", "map"], ["m"]),
        helper.make_node(op, ["m"], ["p"], name="chosen", **attributes),
        helper.make_node("Reshape", ["p", "row"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["u"], transB=1),
    ]
    return model(nodes, {"x": [1, inputs]}, {"u": [1, 1]}, weights, opset=13)


def larger() -> onnx.ModelProto:
    """max(x, -2x) as a MaxPool with padding: the slope is 1 or -2."""
    weights = {"w": np.array([[1.0], [-2.0]], np.float32), "map": np.array([1, 1, 2], np.int64)}
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["z"], transB=1),
        helper.make_node("Reshape", ["z", "map"], ["m"]),
        helper.make_node("MaxPool", ["m"], ["u"], kernel_shape=[4], pads=[1, 1]),
    ]
    return model(nodes, {"x": [1, 1]}, {"u": [1, 1, 1]}, weights)


def graph_of(proto: onnx.ModelProto) -> Graph:
    return lower(LoadedModel(Path("m.onnx"), proto.SerializeToString(), ""))


def differences(kind: str, *, back: bool) -> None:
    assert_slopes_are_differences(graph_of(pooled(kind)), "u", back=back)


@pytest.mark.parametrize("kind", POOLED)
@pytest.mark.parametrize("back", [True, False])
def test_derivatives_are_differences(kind: str, back: bool) -> None:
    differences(kind, back=back)


@pytest.mark.parametrize("back", [True, False])
def test_a_rule_that_errs_is_told_from_the_function(monkeypatch: pytest.MonkeyPatch, back: bool) -> None:
    monkeypatch.setattr(pools, "gathered", _turned)
    with pytest.raises(AssertionError):
        differences("overlapping", back=back)


def _turned(builder: Any, flat: str, places: Any, right: Any = pools.gathered) -> str:
    """The elements in another order."""
    found: str = right(builder, flat, np.ascontiguousarray(places[::-1]))
    return found


def test_an_element_read_twice_is_no_bend() -> None:
    """Of four places that the window has two are padding; one sign decides between the others."""
    jet = differentiated(graph_of(larger()), [(0,)])
    slope = jet.builder.graph([jet.derivative("u", (0,))])
    signs = [node.outputs[0] for node in slope.nodes if node.op == "Sign"]
    found = prepare_exact(replace(slope, outputs=(*slope.outputs, *signs)))
    for x, wanted in ((Fraction(1), 1), (Fraction(-1), -2)):
        (own, *sides) = found.run({"x": [x]}).values()
        assert own == [wanted]
        assert len(sides) == 3
        assert all(abs(side[0]) == 1 for side in sides)


@pytest.fixture
def judged(context_for: Any) -> Any:
    def judge(prop: PropertySpec, proto: onnx.ModelProto) -> Any:
        return run_property(context_for(proto), replace(prop, name="p", model="m"))

    return judge


@pytest.mark.usefixtures("library")
class TestVerdicts:
    def test_the_slope_of_either_side_and_every_number_between(self, judged: Any) -> None:
        evidence = judged(gradient(input=(-1, 1), bounds=(-2, 1)), larger())
        assert evidence.verdict is Verdict.PROVED
        assert any("MaxPool" in line and "at a bend" in line for line in evidence.trust)
        assert judged(gradient(input=("1/8", 1), bounds=(1, 1)), larger()).verdict is Verdict.PROVED
        assert judged(gradient(input=(-1, "-1/8"), bounds=(-2, -2)), larger()).verdict is Verdict.PROVED

    @pytest.mark.parametrize("bounds", [(-2, "7/8"), ("-15/8", 1)])
    def test_a_slope_that_is_there_refutes(self, judged: Any, bounds: Any) -> None:
        assert judged(gradient(input=(-1, 1), bounds=bounds), larger()).verdict is Verdict.REFUTED

    def test_at_a_tie_nothing_tighter_is_proved_and_nothing_refuted(self, judged: Any) -> None:
        assert judged(gradient(input=(0, 0), bounds=("-1", "1/2")), larger()).verdict is Verdict.UNKNOWN
        assert judged(gradient(input=(0, 0), bounds=(-2, 1)), larger()).verdict is Verdict.PROVED

    @pytest.mark.parametrize("kind", ["padded", "smallest"])
    def test_four_inputs_go_back_in_one_pass(self, judged: Any, kind: str) -> None:
        proto = pooled(kind, 4)
        assert judged(gradient(input=("-1/8", "1/8"), bounds=(-20, 20)), proto).verdict is Verdict.PROVED
        assert judged(gradient(input=(-1, 1), bounds=(0, 20)), proto).verdict is Verdict.REFUTED

    def test_a_first_order_residual(self, judged: Any) -> None:
        right = residual(input=("1/4", "3/4"), inputs=["x"], residual="u_x - 1", within="1/100")
        assert judged(right, larger()).verdict is Verdict.PROVED
        wrong = residual(input=("1/4", "3/4"), inputs=["x"], residual="u_x - 2", within="1/100")
        assert judged(wrong, larger()).verdict is Verdict.REFUTED


def test_there_is_no_second_derivative(judged: Any) -> None:
    prop = residual(input=(0, 1), inputs=["x"], residual="u_xx", within=1)
    with pytest.raises(UnsupportedError, match=r"MaxPool.*it bends, so that it has no second") as raised:
        judged(prop, larger())
    assert raised.value.code == "TL0205"


def test_places_have_no_derivative() -> None:
    """A MaxPool that also says where its elements lie."""
    nodes = [helper.make_node("MaxPool", ["x"], ["u", "where"], name="both", kernel_shape=[2])]
    proto = model(nodes, {"x": [1, 1, 4]}, {"u": [1, 1, 3], "where": [1, 1, 3]}, {})
    proto.graph.output[1].type.tensor_type.elem_type = onnx.TensorProto.INT64
    graph = graph_of(proto)
    with pytest.raises(UnsupportedError, match="MaxPool 'both': what it chooses from is not known"):
        differentiated(graph, [(0,)])
    with pytest.raises(UnsupportedError, match="no reverse rule for MaxPool"):
        gradient_graph(graph, 0)
