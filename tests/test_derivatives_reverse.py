"""Reverse mode against forward mode, and forward over reverse against second derivatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean.derivatives import differentiated
from pytest_torchlean.derivatives.reverse import gradient_graph
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.wellformed import STRUCTURE, violations
from pytest_torchlean.onnx_export.write import to_onnx
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.runtime import RuntimeSession

X = np.array([[0.25, -0.5, 0.75]], dtype=np.float32)


def graph_of(proto: onnx.ModelProto) -> Graph:
    return lower(LoadedModel(Path("m.onnx"), proto.SerializeToString(), ""))


def network(op: str = "Tanh") -> onnx.ModelProto:
    """Two outputs of x op(W x + b) / 4 - W x: values that are read twice, and a bias that is broadcast."""
    random = np.random.default_rng(0)
    weights = {
        "w": random.normal(size=(3, 3)).astype(np.float32),
        "b": random.normal(size=3).astype(np.float32),
        "v": random.normal(size=(3, 2)).astype(np.float32),
        "four": np.array(4, dtype=np.float32),
        "flat": np.array([3], dtype=np.int64),
        "row": np.array([1, 3], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["z"], transB=1),
        helper.make_node("Add", ["z", "b"], ["y"]),
        helper.make_node(op, ["y"], ["h"]),
        helper.make_node("Mul", ["h", "x"], ["p"]),
        helper.make_node("Div", ["p", "four"], ["q"]),
        helper.make_node("Sub", ["q", "z"], ["s"]),
        helper.make_node("Neg", ["s"], ["n"]),
        helper.make_node("Reshape", ["n", "flat"], ["f"]),
        helper.make_node("Reshape", ["f", "row"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["u"]),
    ]
    return model(nodes, {"x": [1, 3]}, {"u": [1, 2]}, weights)


def values(graph: Graph) -> list[np.ndarray]:
    session = RuntimeSession(to_onnx(graph, folded=False))
    return [np.asarray(one) for one in session.run(dict.fromkeys(session.inputs, X))]


@pytest.mark.parametrize("op", ["Tanh", "Sigmoid", "Exp", "Sin", "Cos", "Softplus"])
def test_it_is_what_forward_mode_gives(op: str) -> None:
    graph = graph_of(network(op))
    jet = differentiated(graph, [(0,), (1,), (2,)])
    forward = values(jet.builder.graph([jet.derivative("u", (place,)) for place in range(3)]))
    for output in range(2):
        reverse = gradient_graph(graph, output)
        assert not violations(reverse, STRUCTURE)
        (found,) = values(reverse)
        assert found.reshape(-1) == pytest.approx([one[0, output] for one in forward], abs=1e-5)


def test_forward_over_reverse_is_a_row_of_the_hessian() -> None:
    graph = graph_of(network())
    inner = lower(LoadedModel(Path("g.onnx"), to_onnx(gradient_graph(graph, 1), folded=False), ""))
    over = differentiated(inner, [(1,)])
    (row,) = values(over.builder.graph([over.derivative(inner.outputs[0], (1,))]))
    second = differentiated(graph, [(0, 1), (1, 1), (1, 2)])
    wanted = values(second.builder.graph([second.derivative("u", way) for way in ((0, 1), (1, 1), (1, 2))]))
    assert row.reshape(-1) == pytest.approx([one[0, 1] for one in wanted], abs=1e-5)


def test_what_is_broadcast_is_summed() -> None:
    nodes = [helper.make_node("Mul", ["w", "x"], ["u"])]
    proto = model(nodes, {"x": [1, 3]}, {"u": [2, 3]}, {"w": np.array([[1, 2, 3], [4, 5, 6]], np.float32)})
    graph = graph_of(proto)
    for output, wanted in ((1, [0, 2, 0]), (5, [0, 0, 6])):
        assert values(gradient_graph(graph, output))[0].reshape(-1).tolist() == wanted


def test_an_output_that_does_not_vary_has_zeros() -> None:
    nodes = [helper.make_node("Sub", ["x", "x"], ["u"])]
    graph = graph_of(model(nodes, {"x": [1, 3]}, {"u": [1, 3]}, {}))
    assert values(gradient_graph(graph, 2))[0].reshape(-1).tolist() == [0, 0, 0]


def test_what_jumps_has_no_rule_and_what_is_not_there_no_derivative() -> None:
    with pytest.raises(UnsupportedError, match="no reverse rule for Floor") as error:
        gradient_graph(graph_of(network("Floor")), 0)
    assert error.value.code == "TL0205"
    with pytest.raises(IndexError):
        gradient_graph(graph_of(network()), 2)
