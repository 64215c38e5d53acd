"""Small ONNX models for tests, and the comparison of a lowered graph with onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pytest_torchlean.evaluator import evaluate, evaluate_exact
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.ops import RULES

Shape = Sequence[int | str]


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Shape],
    outputs: Sequence[str] | Mapping[str, Shape],
    weights: Mapping[str, Any] | None = None,
    opset: int = 13,
) -> onnx.ModelProto:
    """A model with float32 inputs of the given shapes; outputs have no shape unless one is given."""
    shapes = outputs if isinstance(outputs, Mapping) else dict.fromkeys(outputs)
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def two_layers() -> onnx.ModelProto:
    """y = |x0 - x1| through two ReLUs: exactly in [0, 1] on the unit box, [0, 2] by intervals."""
    nodes = [
        helper.make_node("Gemm", ["x", "w1"], ["z"]),
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "w2"], ["y"]),
    ]
    weights = {
        "w1": np.array([[1, -1], [-1, 1]], dtype=np.float32),
        "w2": np.array([[1], [1]], dtype=np.float32),
    }
    return model(nodes, {"x": [1, 2]}, {"y": [1, 1]}, weights)


def random_layers(seed: int) -> onnx.ModelProto:
    """z = v relu(w x + b), 4 inputs, 8 neurons, 3 outputs."""
    rng = np.random.default_rng(seed)
    weights = {
        "w": rng.normal(size=(8, 4)).astype(np.float32),
        "b": rng.normal(size=8).astype(np.float32),
        "v": rng.normal(size=(3, 8)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["z"], transB=1),
    ]
    return model(nodes, {"x": [1, 4]}, ["z"], weights)


def loaded(proto: onnx.ModelProto) -> LoadedModel:
    """The model as if it had been read from a file."""
    return LoadedModel(Path("test.onnx"), proto.SerializeToString(), "")


def lowered(proto: onnx.ModelProto) -> Graph:
    """The graph of a model."""
    return lower(loaded(proto))


def runtime_outputs(proto: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """onnxruntime's answer without graph optimisation."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return list(session.run(None, dict(inputs)))


def fractions(array: np.ndarray) -> list[Fraction]:
    """Exact values of a finite float32 array."""
    return [Fraction(float(value)) for value in array.reshape(-1)]


def assert_agrees(proto: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> Graph:
    """A model of one node: onnxruntime, the evaluator and exact arithmetic within the node's bound."""
    graph = lowered(proto)
    values = evaluate(graph, inputs)
    answers = runtime_outputs(proto, inputs)
    for name, answer in zip(graph.outputs, answers, strict=True):
        assert answer.shape == graph.types[name].shape == values[name].shape
    if not graph.nodes:
        for name, answer in zip(graph.outputs, answers, strict=True):
            assert answer.tobytes() == values[name].tobytes()
        return graph
    (node,) = graph.nodes
    own, answer = values[node.outputs[0]], answers[0]
    operands = [values[name] if name else None for name in node.inputs]
    (bound,) = RULES[node.op].error_bound(node, operands)
    if bound is None:
        assert_same_bits(own, answer)
    else:
        assert bound.shape == own.shape
        finite = np.isfinite(bound)
        difference = np.abs(own.astype(np.float64) - answer.astype(np.float64))
        assert (difference[finite] <= 2 * bound[finite]).all(), difference.max()
    if not isinstance(RULES[node.op].step(node, graph), str):
        exact = evaluate_exact(graph, {name: fractions(inputs[name]) for name in graph.inputs})
        for result in (own, answer):
            assert_within(result, exact[node.outputs[0]], bound)
    return graph


def assert_same_bits(left: np.ndarray, right: np.ndarray) -> None:
    """Equal bit patterns, except that every NaN equals every other."""
    both_nan = np.isnan(left) & np.isnan(right)
    assert (both_nan | (left.view(np.uint32) == right.view(np.uint32))).all()


def assert_within(result: np.ndarray, exact: Sequence[Fraction], bound: np.ndarray | None) -> None:
    """Every element within its bound of the exact value; where there is none, correctly rounded."""
    radii = [Fraction(0)] * len(exact) if bound is None else None
    for index, (got, value) in enumerate(zip(result.reshape(-1), exact, strict=True)):
        if radii is not None:
            assert abs(Fraction(float(got)) - value) <= abs(value) * Fraction(1, 2**24) + Fraction(1, 2**150)
        else:
            radius = float(np.asarray(bound).reshape(-1)[index])
            assert radius == np.inf or abs(Fraction(float(got)) - value) <= Fraction(radius)
