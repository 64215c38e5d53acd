"""Programs of graphs: same values as exact arithmetic, bounds that hold, gradients that fit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import fractions, lowered, model

from pytest_torchlean.bounds import interval, lowering
from pytest_torchlean.bounds.interval import evaluate, gradient, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import (
    FIRST_INPUT,
    ONE_SLOT,
    ZERO_SLOT,
    AffineNode,
    ExtremumNode,
    Program,
    ReluNode,
)
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.evaluator import evaluate_exact
from pytest_torchlean.ir.graph import Graph

RNG = np.random.default_rng(11)


def random(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def node(op: str, inputs: str, outputs: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


GRAPHS: dict[str, onnx.ModelProto] = {
    "gemm": model(
        [node("Gemm", "x w b", "z", transB=1)], {"x": [1, 4]}, ["z"], {"w": random(3, 4), "b": random(3)}
    ),
    "matmul-of-a-matrix": model([node("MatMul", "m x", "z")], {"x": [3, 2]}, ["z"], {"m": random(4, 3)}),
    "conv-with-pads-and-groups": model(
        [
            node("Conv", "x w b", "h", group=2, pads=[1, 0, 1, 1], strides=[1, 2], dilations=[1, 1]),
            node("Relu", "h", "z"),
        ],
        {"x": [1, 4, 3, 4]}, ["z"], {"w": random(6, 2, 2, 2), "b": random(6)},
    ),
    "averages-of-several-counts": model(
        [node("AveragePool", "x", "z", kernel_shape=[3, 2], pads=[1, 0, 1, 1])], {"x": [1, 2, 3, 3]}, ["z"]
    ),
    "averages-that-count-padding": model(
        [node("AveragePool", "x", "z", kernel_shape=[3], pads=[1, 1], count_include_pad=1)],
        {"x": [1, 1, 5]}, ["z"],
    ),
    "global-average": model([node("GlobalAveragePool", "x", "z")], {"x": [1, 3, 2, 4]}, ["z"]),
    "concat-of-two-inputs": model(
        [node("Concat", "x y x", "k", axis=1), node("Relu", "k", "z")], {"x": [2, 2], "y": [2, 3]}, ["z"]
    ),
    "relu-of-a-transpose": model(
        [node("Transpose", "x", "t", perm=[1, 0]), node("Relu", "t", "r"), node("MatMul", "r w", "z")],
        {"x": [3, 4]}, ["z"], {"w": random(3, 2)},
    ),
    "relu-of-scattered-elements": model(
        [
            node("Slice", "x starts ends axes steps", "s"), node("Relu", "s", "r"),
            node("Slice", "r starts ends axes", "z"),
        ],
        {"x": [2, 7]}, ["z"],
        {"starts": np.array([1]), "ends": np.array([7]), "axes": np.array([1]), "steps": np.array([2])},
    ),
    "sum-of-two-values": model(
        [node("Relu", "x", "r"), node("Add", "r x", "s"), node("Sub", "s y", "z")],
        {"x": [2, 3], "y": [1, 3]}, ["z"],
    ),
    "raised-to-the-largest-number": model(
        [node("Clip", "x low", "z")], {"x": [3]}, ["z"], {"low": np.float32(np.finfo(np.float32).max)}
    ),
    "sum-with-itself": model([node("Add", "x x", "z")], {"x": [3]}, ["z"]),
    "constants-as-sources": model(
        [node("Add", "x c", "s"), node("Concat", "s c", "k", axis=0), node("Relu", "k", "z")],
        {"x": [3]}, ["z"], {"c": random(3)},
    ),
    "constant-minus-value": model([node("Sub", "c x", "z")], {"x": [3]}, ["z"], {"c": random(3)}),
    "scaled-and-divided": model(
        [node("Mul", "x c", "m"), node("Div", "m d", "z")], {"x": [2, 3]}, ["z"],
        {"c": random(2, 1), "d": np.float32([3, -0.75, 1e-3])},
    ),
    "several-outputs": model(
        [node("Relu", "x", "r"), node("Gemm", "r w", "g"), node("Transpose", "g", "t", perm=[1, 0])],
        {"x": [2, 3]}, ["t", "r", "g"], {"w": random(3, 2)},
    ),
    "an-input-as-output": model([node("Identity", "x", "z")], {"x": [2, 2]}, ["z"]),
    "extrema-of-several-values": model(
        [node("Max", "x y c", "m"), node("Min", "m x y x", "n"), node("Relu", "n", "z")],
        {"x": [2, 3], "y": [1, 3]}, ["z"], {"c": random(2, 1)},
    ),
    "bent-and-clipped": model(
        [node("Gemm", "x w", "g"), node("LeakyRelu", "g", "l", alpha=0.3), node("PRelu", "l s", "p"),
         node("Clip", "p low high", "c"), node("Abs", "c", "a"), node("Neg", "a", "z")],
        {"x": [2, 3]}, ["z"],
        {"w": random(3, 4), "s": np.float32([-0.5, 0.5, 1, 3]), "low": np.float32(-0.75),
         "high": np.float32(1)},
    ),
    "largest-of-windows": model(
        [node("Conv", "x w", "h"), node("MaxPool", "h", "z", kernel_shape=[2, 3], pads=[1, 0, 0, 1])],
        {"x": [1, 2, 4, 4]}, ["z"], {"w": random(3, 2, 2, 2)},
    ),
    "parts-and-picks": model(
        [node("Split", "x", "a b", axis=1), node("Sub", "a b", "d"), node("Gather", "d i", "z", axis=1)],
        {"x": [2, 4]}, ["z"], {"i": np.array([1, 0, 1])},
    ),
    "reshapes": model(
        [node("Flatten", "x", "f"), node("Relu", "f", "r"), node("Reshape", "r shape", "q"),
         node("Unsqueeze", "q axes", "u"), node("Squeeze", "u axes", "z")],
        {"x": [2, 3, 2]}, ["z"], {"shape": np.array([3, 4]), "axes": np.array([0])},
    ),
}  # fmt: skip


def points(program: Program, count: int = 6) -> np.ndarray:
    return np.random.default_rng(3).uniform(-2, 2, (count, program.inputs)).astype(np.float32)


def inputs_of(graph: Graph, point: np.ndarray) -> dict[str, list[Fraction]]:
    """The flat point cut into the graph's inputs."""
    result, start = {}, 0
    for name in graph.inputs:
        size = graph.types[name].size
        result[name] = fractions(point[start : start + size])
        start += size
    assert start == point.size
    return result


@pytest.fixture(params=GRAPHS)
def graph(request: pytest.FixtureRequest) -> Graph:
    return lowered(GRAPHS[request.param])


def test_values_are_those_of_exact_arithmetic(graph: Graph) -> None:
    program = lower_to_program(graph)
    samples = points(program)
    values = evaluate(program, samples.astype(np.float64))
    for point, slots in zip(samples, values, strict=True):
        exact = evaluate_exact(graph, inputs_of(graph, point))
        expected = np.array([float(x) for name in graph.outputs for x in exact[name]])
        assert slots[program.outputs].shape == expected.shape
        assert np.allclose(slots[program.outputs], expected, rtol=1e-9, atol=1e-9)


def test_slots_are_written_once_in_order_and_read_after(graph: Graph) -> None:
    program = lower_to_program(graph)
    expected = FIRST_INPUT + program.inputs
    for step in program.nodes:
        assert step.start == expected
        if isinstance(step, AffineNode):
            assert step.weights.dtype == np.float32
            assert step.sources.dtype == np.int64
            assert step.weights.shape[1] == step.sources.shape[1]
            assert step.divisor >= 1
            assert step.sources.min() >= ZERO_SLOT
            assert step.sources.max() < step.start
        elif isinstance(step, ExtremumNode):
            assert step.left.shape == step.right.shape == (step.size,)
            assert (step.left != step.right).all()
            assert max(step.left.max(), step.right.max()) < step.start
        else:
            assert isinstance(step, ReluNode)
            assert step.first >= ONE_SLOT
            assert step.first + step.size <= step.start
        expected += step.size
    assert program.size == expected
    assert program.outputs.max() < expected


def test_bounds_contain_samples(graph: Graph) -> None:
    program = lower_to_program(graph)
    center = points(program, 3).astype(np.float64)
    lower, upper = center - 0.25, center + 0.5
    low, high = propagate(program, lower, upper)
    assert low.shape == high.shape == (3, program.size)
    assert (low <= high).all()
    rng = np.random.default_rng(4)
    for _ in range(20):
        corner = rng.random(lower.shape) < 0.5
        inner = rng.uniform(lower, upper)
        for samples in (np.where(corner, lower, upper), inner):
            values = evaluate(program, samples)
            assert (values >= low - 1e-9).all()
            assert (values <= high + 1e-9).all()
    assert np.array_equal(low[:, :FIRST_INPUT], [[0.0, 1.0]] * 3)


def test_batches_change_nothing(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    program = lower_to_program(graph)
    samples = points(program, 7).astype(np.float64)
    cotangents = np.random.default_rng(5).normal(size=(7, program.outputs.size))

    def everything() -> list[np.ndarray]:
        bounds = propagate(program, samples, samples + 0.5)
        return [*bounds, gradient(program, bounds[0], cotangents)]

    whole = everything()
    monkeypatch.setattr(interval, "_GATHERED", 1)
    for first, second in zip(whole, everything(), strict=True):
        assert np.allclose(first, second, rtol=1e-12, atol=1e-12)


def test_bounds_of_one_node_are_reached() -> None:
    """For a single affine node intervals are exact."""
    program = lower_to_program(lowered(GRAPHS["gemm"]))
    low, high = propagate(program, np.full((1, 4), -1.0), np.full((1, 4), 2.0))
    corners = np.array(np.meshgrid(*[[-1.0, 2.0]] * 4)).reshape(4, -1).T
    values = evaluate(program, corners)[:, program.outputs]
    assert np.allclose(low[0, program.outputs], values.min(axis=0), rtol=1e-12)
    assert np.allclose(high[0, program.outputs], values.max(axis=0), rtol=1e-12)


def test_gradients_are_finite_differences(graph: Graph) -> None:
    program = lower_to_program(graph)
    samples = points(program, 4).astype(np.float64)
    cotangents = np.random.default_rng(5).normal(size=(4, program.outputs.size))
    found = gradient(program, evaluate(program, samples), cotangents)
    assert found.shape == samples.shape
    step = 1e-6
    for index in range(program.inputs):
        moved = np.zeros_like(samples)
        moved[:, index] = step
        above = evaluate(program, samples + moved)[:, program.outputs]
        below = evaluate(program, samples - moved)[:, program.outputs]
        slope = (cotangents * (above - below)).sum(axis=1) / (2 * step)
        assert np.allclose(found[:, index], slope, rtol=1e-5, atol=1e-5)


def test_padding_reads_the_slot_of_zero_and_a_bias_the_slot_of_one() -> None:
    program = lower_to_program(lowered(GRAPHS["conv-with-pads-and-groups"]))
    convolutions = [step for step in program.nodes if isinstance(step, AffineNode)]
    assert len(convolutions) == 2
    for step in convolutions:
        assert (step.sources[:, -1] == ONE_SLOT).all()
        assert (step.sources[:, :-1] != ONE_SLOT).all()
        assert (step.sources == ZERO_SLOT).any()


def test_averages_keep_their_counts() -> None:
    program = lower_to_program(lowered(GRAPHS["averages-of-several-counts"]))
    assert {step.divisor for step in program.nodes if isinstance(step, AffineNode)} == {2, 3, 4, 6}


def test_results_of_element_wise_steps_follow_each_other() -> None:
    """What Lean gathers in one step: each operand of an extremum is a run of slots."""
    proto = model(
        [node("Conv", "x w", "h"), node("LeakyRelu", "h", "z")],
        {"x": [1, 2, 4, 4]},
        ["z"],
        {"w": random(3, 2, 2, 2)},
    )
    (found,) = (step for step in lower_to_program(lowered(proto)).nodes if isinstance(step, ExtremumNode))
    assert (np.diff(found.left) == 1).all()
    assert (np.diff(found.right) == 1).all()


def test_a_maximum_of_a_value_with_itself_needs_no_node() -> None:
    program = lower_to_program(lowered(model([node("Max", "x x", "z")], {"x": [3]}, ["z"])))
    assert program.nodes == ()
    assert program.outputs.tolist() == [FIRST_INPUT, FIRST_INPUT + 1, FIRST_INPUT + 2]


def test_a_steep_slope_is_a_minimum() -> None:
    proto = model([node("PRelu", "x s", "z")], {"x": [3]}, ["z"], {"s": np.float32([0.5, 2.0, 1.0])})
    kinds = {
        step.maximum: step.size
        for step in lower_to_program(lowered(proto)).nodes
        if isinstance(step, ExtremumNode)
    }
    assert kinds == {True: 2, False: 1}


def test_weights_are_the_files_own() -> None:
    graph = lowered(GRAPHS["gemm"])
    (step,) = lower_to_program(graph).nodes
    assert isinstance(step, AffineNode)
    assert np.array_equal(step.weights[:, :-1], graph.constants["w"])
    assert np.array_equal(step.weights[:, -1], graph.constants["b"])


def test_all_nodes_without_a_step_are_listed() -> None:
    ones = np.ones(2, dtype=np.float32)
    proto = model(
        [node("LpNormalization", "x", "b"), node("ReduceProd", "b", "s"), node("Relu", "s", "z")],
        {"x": [2, 2]}, ["z"], {"o": ones},
    )  # fmt: skip
    with pytest.raises(UnsupportedError) as caught:
        lower_to_program(lowered(proto))
    assert caught.value.code == "TL0204"
    assert "LpNormalization" in str(caught.value)
    assert "ReduceProd" in str(caught.value)
    assert "Relu" not in str(caught.value)


def test_a_constant_summand_becomes_the_bias() -> None:
    weights, bias = random(3, 4), random(4)
    program = lower_to_program(
        lowered(
            model(
                [node("MatMul", "x w", "h"), node("Add", "h b", "z")],
                {"x": [1, 3]},
                ["z"],
                {"w": weights, "b": bias},
            )
        )
    )
    (only,) = program.nodes
    assert isinstance(only, AffineNode)
    np.testing.assert_array_equal(only.weights[:, -1], bias)
    assert only.sources[0, -1] == ONE_SLOT


def test_a_summed_value_that_is_read_twice_stays() -> None:
    program = lower_to_program(
        lowered(
            model(
                [node("MatMul", "x w", "h"), node("Add", "h b", "s"), node("Add", "s h", "z")],
                {"x": [1, 3]},
                ["z"],
                {"w": random(3, 4), "b": random(4)},
            )
        )
    )
    assert len(program.nodes) > 2
    points = RNG.normal(size=(2, 3))
    values = evaluate(program, points)
    assert values[:, program.outputs].shape == (2, 4)


def test_columns_of_a_layer_follow_the_slots_however_a_value_is_ordered() -> None:
    weights = random(2, 12)
    graph = lowered(
        model(
            [
                node("Conv", "x k", "h"), node("Flatten", "h", "f"), node("Gemm", "f w", "z", transB=1),
            ],
            {"x": [1, 1, 3, 4]}, ["z"], {"k": random(3, 1, 2, 3), "w": weights},
        )
    )  # fmt: skip
    program = lower_to_program(graph)
    last = program.nodes[-1]
    assert isinstance(last, AffineNode)
    assert (np.diff(last.sources[0]) == 1).all()
    # the convolution writes position by position, the layer reads channel by channel
    assert not np.array_equal(last.weights, weights)
    assert np.array_equal(last.weights, weights.reshape(2, 3, 4).transpose(0, 2, 1).reshape(2, 12))


@pytest.mark.parametrize(("op", "one"), [("Log", False), ("Tanh", False), ("Sqrt", True)])
def test_equal_arguments_of_a_smooth_function_have_results_of_their_own(op: str, one: bool) -> None:
    """Vectorised kernels give equal arguments different bits in different places; IEEE-754 fixes the root."""
    twice = model([node("Concat", "x x", "c", axis=1), node(op, "c", "z")], {"x": [1, 3]}, ["z"])
    slots = lower_to_program(lowered(twice)).outputs
    assert len(set(slots.tolist())) == (3 if one else 6)


NORMALIZED = {
    "a mean for each group": ((1, 24, 32), node("LayerNormalization", "x s b", "z")),
    "a shift for each channel": ((1, 32, 5, 5), node("BatchNormalization", "x s b m v", "z")),
}


@pytest.mark.parametrize("name", NORMALIZED)
def test_many_elements_are_one_node_with_few_positions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shape, only = NORMALIZED[name]
    least = {"s": 0.5, "b": 0.25, "m": 0.0, "v": 1.0}
    constants = {key: np.abs(random(32)) + np.float32(least[key]) for key in least if key in only.input}
    graph = lowered(model([only], {"x": list(shape)}, ["z"], constants, opset=17))
    together = lower_to_program(graph)
    monkeypatch.setattr(lowering, "_MANY_ELEMENTS", 1 << 30)
    apart = lower_to_program(graph)
    assert len(together.nodes) < len(apart.nodes)
    points = RNG.normal(size=(3, together.inputs))
    expected = evaluate(apart, points)[:, apart.outputs]
    assert np.allclose(evaluate(together, points)[:, together.outputs], expected, rtol=0, atol=1e-9)
    low, high = propagate(together, points - 0.01, points + 0.01)
    assert (low[:, together.outputs] <= expected).all()
    assert (expected <= high[:, together.outputs]).all()
