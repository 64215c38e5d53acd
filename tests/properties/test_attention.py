"""Softmax, attention, BatchNormalization, an unrolled LSTM cell and a text classifier, up to Lean's word."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import lowered, model, runtime_outputs

from pytest_torchlean.bounds.interval import evaluate, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.evaluator import evaluate_exact
from pytest_torchlean.properties import run_property
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty, RobustnessProperty
from pytest_torchlean.verdict import Verdict


def weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)


def softmax(axis: int = -1) -> onnx.ModelProto:
    return model(
        [helper.make_node("Softmax", ["x"], ["y"], axis=axis)], {"x": [2, 3]}, {"y": [2, 3]}, {}, opset=17
    )


def attention() -> onnx.ModelProto:
    """Two tokens of three numbers: queries and keys, their softmax, values."""
    rng = np.random.default_rng(3)
    nodes = [helper.make_node("MatMul", ["x", f"w{part}"], [part]) for part in "qkv"]
    nodes += [
        helper.make_node("Transpose", ["k"], ["t"], perm=[1, 0]),
        helper.make_node("MatMul", ["q", "t"], ["s"]),
        helper.make_node("Softmax", ["s"], ["a"], axis=-1),
        helper.make_node("MatMul", ["a", "v"], ["o"]),
        helper.make_node("Add", ["o", "x"], ["y"]),
    ]
    values = {f"w{part}": weights(rng, 3, 3) for part in "qkv"}
    return model(nodes, {"x": [2, 3]}, {"y": [2, 3]}, values, opset=17)


def normalized() -> onnx.ModelProto:
    rng = np.random.default_rng(5)
    nodes = [
        helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("Gemm", ["r", "w"], ["y"]),
    ]
    values = {
        "s": np.float32([1.5, -0.5, 2.0]),
        "b": np.float32([0.25, 0, -1]),
        "m": np.float32([0.5, 0, -0.25]),
        "v": np.float32([2.0, 0.3, 1.0]),
        "w": weights(rng, 3, 2),
    }
    return model(nodes, {"x": [1, 3]}, {"y": [1, 2]}, values, opset=17)


SCALE, SHIFT = np.float32([1.5, -0.5, 2.0, 1.0]), np.float32([0.25, 0.0, -1.0, 0.5])


def layer_normalized(op: str = "LayerNormalization") -> onnx.ModelProto:
    """Two rows of four numbers, then a matrix; the operator of ONNX or of a name that is RMS."""
    inputs, more = ["x", "s", "b"], {"b": SHIFT}
    if op == "RMSNormalization":
        inputs, more = ["x", "s"], {}
    nodes = [helper.make_node(op, inputs, ["n"], axis=-1), helper.make_node("MatMul", ["n", "w"], ["y"])]
    values = {"s": SCALE, "w": weights(np.random.default_rng(9), 4, 2), **more}
    opset = 23 if op == "RMSNormalization" else 17
    return model(nodes, {"x": [2, 4]}, {"y": [2, 2]}, values, opset=opset)


def computed_scale() -> onnx.ModelProto:
    """LayerNormalization whose scale the model computes from constants, and whose bias from its input."""
    nodes = [
        helper.make_node("Mul", ["half", "half"], ["s"]),
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=0),
        helper.make_node("LayerNormalization", ["x", "s", "m"], ["n"], axis=-1),
        helper.make_node("MatMul", ["n", "w"], ["y"]),
    ]
    values = {"half": SCALE, "w": weights(np.random.default_rng(9), 4, 2)}
    return model(nodes, {"x": [2, 4]}, {"y": [2, 2]}, values, opset=17)


def grouped(op: str, opset: int = 17) -> onnx.ModelProto:
    """Two images of two or four channels in the place of two rows of four numbers, flat again at the end."""
    channels = 2 if op == "InstanceNormalization" else 4
    each = 2 if opset == 18 else channels
    attributes = {"num_groups": 2} if op == "GroupNormalization" else {}
    nodes = [
        helper.make_node("Reshape", ["x", "split"], ["c"]),
        helper.make_node(op, ["c", "s", "b"], ["n"], **attributes),
        helper.make_node("Reshape", ["n", "flat"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    values = {
        "split": np.array([1, channels, 8 // channels]),
        "flat": np.array([2, 4]),
        "s": SCALE[:each],
        "b": SHIFT[:each],
        "w": weights(np.random.default_rng(9), 4, 2),
    }
    return model(nodes, {"x": [2, 4]}, {"y": [2, 2]}, values, opset=opset)


def spelt_out() -> onnx.ModelProto:
    """LayerNormalization as exporters write it with an older opset."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[-1], keepdims=1),
        helper.make_node("Sub", ["x", "m"], ["d"]),
        helper.make_node("Pow", ["d", "two"], ["q"]),
        helper.make_node("ReduceMean", ["q"], ["v"], axes=[-1], keepdims=1),
        helper.make_node("Add", ["v", "epsilon"], ["e"]),
        helper.make_node("Sqrt", ["e"], ["r"]),
        helper.make_node("Div", ["d", "r"], ["u"]),
        helper.make_node("Mul", ["u", "s"], ["t"]),
        helper.make_node("Add", ["t", "b"], ["n"]),
        helper.make_node("MatMul", ["n", "w"], ["y"]),
    ]
    constants = {"two": np.float32(2), "epsilon": np.float32(1e-5), "s": SCALE, "b": SHIFT}
    values = {"w": weights(np.random.default_rng(9), 4, 2), **constants}
    return model(nodes, {"x": [2, 4]}, {"y": [2, 2]}, values, opset=17)


def lstm_cell(steps: int = 2, width: int = 3, *, batched: bool = False) -> onnx.ModelProto:
    """A cell unrolled: gates of the input and the last output, the cell's state, the output.

    batched: the input is a batch of one sequence, not the sequence.
    """
    rng = np.random.default_rng(7)
    values: dict[str, Any] = {"h0": np.zeros((1, width), np.float32), "c0": np.zeros((1, width), np.float32)}
    nodes = []
    for gate in "ifog":
        values |= {f"w{gate}": weights(rng, 2, width), f"u{gate}": weights(rng, width, width)}
    for step in range(steps):
        values |= {f"at{step}": np.array([step])}
        nodes.append(helper.make_node("Gather", ["x", f"at{step}"], [f"x{step}"], axis=0))
        for gate in "ifog":
            name = f"{gate}{step}"
            nodes += [
                helper.make_node("MatMul", [f"x{step}", f"w{gate}"], [f"{name}x"]),
                helper.make_node("MatMul", [f"h{step}", f"u{gate}"], [f"{name}h"]),
                helper.make_node("Add", [f"{name}x", f"{name}h"], [f"{name}s"]),
                helper.make_node("Tanh" if gate == "g" else "Sigmoid", [f"{name}s"], [name]),
            ]
        nodes += [
            helper.make_node("Mul", [f"f{step}", f"c{step}"], [f"k{step}"]),
            helper.make_node("Mul", [f"i{step}", f"g{step}"], [f"n{step}"]),
            helper.make_node("Add", [f"k{step}", f"n{step}"], [f"c{step + 1}"]),
            helper.make_node("Tanh", [f"c{step + 1}"], [f"t{step}"]),
            helper.make_node("Mul", [f"o{step}", f"t{step}"], [f"h{step + 1}"]),
        ]
    shape = [steps, 2]
    if batched:
        values["axes"] = np.array([0])
        nodes.insert(0, helper.make_node("Squeeze", ["batch", "axes"], ["x"]))
        return model(nodes, {"batch": [1, *shape]}, {f"h{steps}": [1, width]}, values, opset=17)
    return model(nodes, {"x": shape}, {f"h{steps}": [1, width]}, values, opset=17)


def classifier() -> onnx.ModelProto:
    """Four embedded words, their mean, two layers: which of two classes."""
    rng = np.random.default_rng(11)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1], keepdims=0),
        helper.make_node("Gemm", ["m", "w", "b"], ["h"]),
        helper.make_node("Tanh", ["h"], ["t"]),
        helper.make_node("Gemm", ["t", "v"], ["y"]),
    ]
    values = {"w": weights(rng, 5, 6), "b": weights(rng, 6), "v": weights(rng, 6, 2)}
    return model(nodes, {"x": [1, 4, 5]}, {"y": [1, 2]}, values, opset=13)


MODELS = {
    "softmax": softmax,
    "softmax along the first axis": lambda: softmax(0),
    "attention": attention,
    "normalized": normalized,
    "lstm": lstm_cell,
    "classifier": classifier,
}


@pytest.mark.parametrize("name", MODELS)
def test_the_program_is_the_model(name: str) -> None:
    proto = MODELS[name]()
    graph = lowered(proto)
    program = lower_to_program(graph)
    (source,) = graph.inputs
    shape = graph.types[source].shape
    x = np.random.default_rng(1).uniform(-2, 2, size=shape).astype(np.float32)
    found = evaluate(program, x.reshape(1, -1).astype(np.float64))[0, program.outputs]
    (seen,) = runtime_outputs(proto, {source: x})
    assert np.allclose(found, seen.reshape(-1), rtol=1e-5, atol=1e-6)
    exact = evaluate_exact(graph, {source: [Fraction(float(value)) for value in x.reshape(-1)]})
    (own,) = exact.values()
    assert np.allclose([float(value) for value in own], found, rtol=1e-9, atol=1e-9)


def test_shares_lie_between_0_and_1_whatever_the_scores() -> None:
    program = lower_to_program(lowered(softmax()))
    low, high = propagate(program, np.full((1, 6), -50.0), np.full((1, 6), 50.0))
    assert (low[0, program.outputs] >= 0).all()
    assert (high[0, program.outputs] <= 1.002).all()


def by_points(proto: onnx.ModelProto, middle: float, radius: float) -> tuple[float, float]:
    program = lower_to_program(lowered(proto))
    points = np.random.default_rng(2).uniform(middle - radius, middle + radius, size=(400, program.inputs))
    values = evaluate(program, points)[:, program.outputs]
    return float(values.min()), float(values.max())


def ranged(low: float, high: float, middle: float, radius: float, semantics: str) -> RangeProperty:
    box = Bounds(Fraction(middle) - Fraction(radius), Fraction(middle) + Fraction(radius))
    limits = OutputBounds(Fraction(low), Fraction(high))
    return RangeProperty(name="r", model="m", input=box, output=limits, semantics=semantics)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", ["softmax", "attention", "normalized", "lstm", "classifier"])
@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_true_ranges_are_proved_and_false_ones_are_not(name: str, semantics: str, context_for: Any) -> None:
    """The range that points show and as much again is proved; a quarter of it is not."""
    proto, radius = MODELS[name](), 1 / 64
    low, high = by_points(proto, 0.25, radius)
    spread = high - low
    true = ranged(low - spread / 2 - 1e-3, high + spread / 2 + 1e-3, 0.25, radius, semantics)
    assert run_property(context_for(proto), true).verdict is Verdict.PROVED
    false = ranged(low + spread / 4, high - spread / 4, 0.25, radius, semantics)
    assert run_property(context_for(proto), false).verdict is not Verdict.PROVED


NORMALIZED = {
    "LayerNormalization": layer_normalized(),
    "RMSNormalization": layer_normalized("RMSNormalization"),
    "spelt out": spelt_out(),
    "computed scale": computed_scale(),
    "InstanceNormalization": grouped("InstanceNormalization"),
    "GroupNormalization 18": grouped("GroupNormalization", 18),
    "GroupNormalization 21": grouped("GroupNormalization", 21),
}


@pytest.mark.parametrize("op", NORMALIZED)
def test_normalizations_mean_what_the_runtime_computes(op: str) -> None:
    """Where nothing cancels, to 1e-5."""
    program = lower_to_program(lowered(NORMALIZED[op]))
    points = np.random.default_rng(8).normal(size=(20, 8)).astype(np.float32)
    found = evaluate(program, points.astype(np.float64))[:, program.outputs]
    for point, values in zip(points, found, strict=True):
        (ran,) = runtime_outputs(NORMALIZED[op], {"x": point.reshape(2, 4)})
        np.testing.assert_allclose(ran.reshape(-1), values, atol=1e-5)


@pytest.mark.parametrize("assurance", ["kernel", "evaluated"])
@pytest.mark.parametrize("op", [op for op in NORMALIZED if not op.endswith("18")])  # deprecated by ONNX
@pytest.mark.usefixtures("library")
def test_layer_normalizations_are_proved_where_true(op: str, assurance: str, context_for: Any) -> None:
    """On a small box; what single points reach is not proved away."""
    proto = NORMALIZED[op]
    point = np.random.default_rng(2).normal(size=8).astype(np.float32)
    center = tuple(Fraction(float(value)) for value in point)
    radius = Fraction(1, 64)
    box = Bounds(tuple(value - radius for value in center), tuple(value + radius for value in center))
    program = lower_to_program(lowered(proto))
    moved = np.random.default_rng(3).choice([-1, 1], size=(400, 8)) * float(radius)
    points = evaluate(program, point + moved)[:, program.outputs]
    reach = Fraction(float(np.ptp(points, axis=0).max()))
    low, high = Fraction(float(points.min())), Fraction(float(points.max()))

    def verdict(lower: Fraction, upper: Fraction, semantics: str) -> Verdict:
        prop = RangeProperty(
            name="r",
            model="m",
            input=box,
            output=OutputBounds(lower, upper),
            semantics=semantics,
            assurance=assurance,
        )
        return run_property(context_for(proto), prop).verdict

    for semantics in ("real", "binary32"):
        assert verdict(low - 3 * reach, high + 3 * reach, semantics) is Verdict.PROVED
        assert verdict(low - reach, high - reach / 8, semantics) is Verdict.REFUTED


@pytest.mark.parametrize("op", ["LayerNormalization", "RMSNormalization"])
def test_a_normalized_row_is_bounded_whatever_the_box(op: str) -> None:
    """By the root of its length, up to what rounding does."""
    program = lower_to_program(lowered(layer_normalized(op)))
    ends = np.full((1, 8), 1e6)
    low, high = (side[0, program.outputs] for side in propagate(program, -ends, ends))
    reach = np.abs(weights(np.random.default_rng(9), 4, 2)).T @ (2.01 * np.abs(SCALE) + 0.5)
    assert (np.abs(low) <= 1.1 * np.tile(reach + 1, 2)).all()
    assert (np.abs(high) <= 1.1 * np.tile(reach + 1, 2)).all()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", ["classifier", "lstm"])
def test_a_text_classifier_and_a_cell_are_robust(name: str, context_for: Any, tmp_path: Path) -> None:
    """Around sequences of words, and of inputs of an unrolled cell whose largest output is the class."""
    proto, shape = (classifier(), (4, 5)) if name == "classifier" else (lstm_cell(batched=True), (2, 2))
    (source,) = lowered(proto).inputs
    rows = np.random.default_rng(4).uniform(-1, 1, size=(3, *shape)).astype(np.float32)
    labels = [int(runtime_outputs(proto, {source: one[None]})[0].argmax()) for one in rows]
    np.savez(tmp_path / "d.npz", inputs=rows, labels=np.array(labels))
    prop = RobustnessProperty(name="r", model="m", epsilon=Fraction(1, 200), data=tmp_path / "d.npz")
    evidence = run_property(context_for(proto), prop)
    assert evidence.verdict is Verdict.PROVED, evidence.found
    wide = RobustnessProperty(name="r", model="m", epsilon=Fraction(4), data=tmp_path / "d.npz")
    assert run_property(context_for(proto), wide).verdict is Verdict.REFUTED


def test_the_ledger_names_the_assumed_sequences(context_for: Any) -> None:
    cases = ((normalized(), "BatchNormalization"), (softmax(), "Softmax"))
    layers = ((NORMALIZED[op], op) for op in ("LayerNormalization", "InstanceNormalization"))
    for proto, op in (*cases, *layers):
        low, high = by_points(proto, 0.5, 0.1)
        margin = high - low + 1
        prop = ranged(low - margin, high + margin, 0.5, 0.1, "binary32")
        evidence = run_property(context_for(proto), prop)
        assert evidence.verdict is Verdict.PROVED
        assert any(f"{op} is computed as the sequence" in line for line in evidence.trust)
        assert not any("within the budget of Spec/Curve" in line and op in line for line in evidence.trust)
        assert any("an exponential function" in line for line in evidence.trust)
