"""Running graphs: inputs are checked, exact runs agree with binary32 ones, steps are complete."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import fractions, lowered, model

from pytest_torchlean.binary32 import ulp
from pytest_torchlean.errors import DataError, UnsupportedError
from pytest_torchlean.evaluator import evaluate, evaluate_exact, prepare_exact, run
from pytest_torchlean.evaluator.exact import integers_of
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.linear import AffineStep, IndexStep, ReluStep
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.certifiability import certifiability


def integer_network(seed: int = 0) -> Graph:
    """Every certifiable operation, with small-integer weights so that binary32 is exact."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-3, 4, shape).astype(np.float32)

    values = {
        "w": weights(4, 1, 2, 2), "b": weights(4), "g": weights(5, 16), "c": weights(5), "m": weights(5, 3),
        "left": weights(2, 2), "half": np.float32([0.5, 2.0, -4.0]), "shift": weights(1, 3),
        "eights": np.float32(8), "starts": np.array([0]), "ends": np.array([2]), "axes": np.array([1]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["h"], group=2, strides=[2, 2], pads=[0, 0, 1, 1]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Flatten", ["r"], ["f"]),
        helper.make_node("Gemm", ["f", "g", "c"], ["y"], transB=1),
        helper.make_node("MatMul", ["y", "m"], ["t"]),
        helper.make_node("Sub", ["t", "shift"], ["u"]),
        helper.make_node("Mul", ["u", "half"], ["v"]),
        helper.make_node("Concat", ["u", "v"], ["k"], axis=0),
        helper.make_node("Slice", ["k", "starts", "ends", "axes"], ["s"]),
        helper.make_node("MatMul", ["left", "s"], ["q"]),
        helper.make_node("Transpose", ["q"], ["p"]),
        helper.make_node("Add", ["p", "q"], ["a"]),
        helper.make_node("Div", ["a", "eights"], ["z"]),
        helper.make_node("GlobalAveragePool", ["h"], ["mean"]),
    ]
    return lowered(model(nodes, {"x": [1, 2, 3, 3]}, ["z", "mean"], values))


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=50)
def test_exact_and_binary32_runs_agree_where_nothing_rounds(seed: int) -> None:
    graph = integer_network(seed)
    x = np.random.default_rng(seed).integers(-8, 9, (1, 2, 3, 3)).astype(np.float32)
    exact = evaluate_exact(graph, {"x": fractions(x)})
    for name, own in zip(graph.outputs, run(graph, {"x": x}), strict=True):
        assert exact[name] == fractions(own)


def test_steps_cover_every_output_element_exactly_once() -> None:
    graph = integer_network()
    for node in graph.nodes:
        step = RULES[node.op].step(node, graph)
        size = graph.types[node.outputs[0]].size
        if isinstance(step, AffineStep):
            reach = sum(graph.types[name].size for name in step.sources)
            covered = np.concatenate([block.scatter.reshape(-1) for block in step.blocks])
            assert sorted(covered.tolist()) == list(range(size)), node.op
            for block in step.blocks:
                rows, columns = block.weights.shape
                assert block.weights.dtype == np.float32
                assert block.gather.dtype == block.scatter.dtype == np.int64
                assert block.gather.shape[1] == columns
                assert block.scatter.shape == (len(block.gather), rows)
                assert block.bias is None or block.bias.shape == (rows,)
                assert block.gather.min() >= -1
                assert block.gather.max() < reach
        elif isinstance(step, IndexStep):
            assert step.index.shape == (size,)
            assert step.index.dtype == np.int64
        else:
            assert isinstance(step, ReluStep)


def test_weights_in_steps_are_the_files_own() -> None:
    graph = integer_network()
    conv = RULES["Conv"].step(graph.nodes[0], graph)
    assert isinstance(conv, AffineStep)
    assert len(conv.blocks) == 2
    assert np.array_equal(conv.blocks[1].weights.reshape(2, 1, 2, 2), graph.constants["w"][2:])


def test_averages_keep_their_divisor() -> None:
    node = helper.make_node("AveragePool", ["x"], ["z"], kernel_shape=[3], pads=[1, 1])
    graph = lowered(model([node], {"x": [1, 1, 4]}, ["z"]))
    step = RULES["AveragePool"].step(graph.nodes[0], graph)
    assert isinstance(step, AffineStep)
    assert sorted(block.divisor for block in step.blocks) == [2, 3]
    exact = evaluate_exact(graph, {"x": [Fraction(1), Fraction(2), Fraction(4), Fraction(1, 3)]})
    assert exact["z"] == [Fraction(3, 2), Fraction(7, 3), Fraction(19, 9), Fraction(13, 6)]


@given(st.integers(1, 2**32 - 1).map(ulp.from_bits).filter(lambda c: np.isfinite(c) and c != 0))
@settings(deadline=None, max_examples=200)
def test_a_quotient_by_a_constant_is_exact(constant: np.float32) -> None:
    graph = lowered(model([helper.make_node("Div", ["x", "c"], ["z"])], {"x": [1]}, ["z"], {"c": constant}))
    step = RULES["Div"].step(graph.nodes[0], graph)
    reciprocal = 1 / ulp.exact(constant)
    if isinstance(step, str):
        assert abs(reciprocal) > 2**103
        return
    assert evaluate_exact(graph, {"x": [Fraction(7, 11)]})["z"] == [Fraction(7, 11) * reciprocal]


def test_what_has_no_linear_form_is_listed_with_reasons() -> None:
    weights = {"one": np.ones(2, dtype=np.float32), "m": np.ones((2, 2), dtype=np.float32)}
    nodes = [
        helper.make_node("Tan", ["x"], ["b"]),
        helper.make_node("Mul", ["b", "x"], ["s"]),
        helper.make_node("Div", ["one", "s"], ["d"]),
        helper.make_node("Gemm", ["d", "m"], ["g"], alpha=0.5),
        helper.make_node("MatMul", ["g", "g"], ["p"]),
        helper.make_node("Relu", ["p"], ["z"]),
    ]
    graph = lowered(model(nodes, {"x": [2, 2]}, ["z"], weights))
    verdicts = certifiability(graph)
    assert [ok for _, ok, _ in verdicts] == [False, True, True, False, True, True]
    assert all(bool(reason) != ok for _, ok, reason in verdicts)
    with pytest.raises(UnsupportedError) as caught:
        prepare_exact(graph)
    assert caught.value.code == "TL0204"
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"x": np.zeros((1, 2, 3, 3))},
        {"x": np.zeros((2, 2, 3, 3), dtype=np.float32)},
        {"x": np.zeros(18, dtype=np.float32)},
        {"x": np.zeros((1, 2, 3, 3), dtype=np.float32), "y\n": np.zeros(1, dtype=np.float32)},
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError) as caught:
        evaluate(integer_network(), inputs)
    assert caught.value.code == "TL0450"
    assert str(caught.value).isprintable()


def test_exact_inputs_that_do_not_fit_are_refused() -> None:
    program = prepare_exact(integer_network())
    for inputs in ({}, {"x": [Fraction(1)]}):
        with pytest.raises(DataError) as caught:
            program.run(inputs)
        assert caught.value.code == "TL0450"


def test_evaluate_returns_every_value_and_leaves_the_inputs_alone() -> None:
    graph = integer_network()
    x = np.ones((1, 2, 3, 3), dtype=np.float32)
    x.flags.writeable = False
    values = evaluate(graph, {"x": x})
    assert set(values) == set(graph.types)
    assert all(values[name].shape == kind.shape for name, kind in graph.types.items())


@given(st.lists(st.integers(0, 2**32 - 1).map(ulp.from_bits).filter(np.isfinite), max_size=12))
def test_integers_of_weights_are_exact_and_small(values: list[np.float32]) -> None:
    numbers, exponent = integers_of(np.array(values, dtype=np.float32))
    assert [Fraction(int(n), 1 << exponent) for n in numbers] == [ulp.exact(v) for v in values]
    if exponent:
        assert any(int(n) % 2 for n in numbers)


def test_intermediate_values_can_be_asked_for() -> None:
    graph = integer_network()
    program = prepare_exact(graph)
    x = np.ones((1, 2, 3, 3), dtype=np.float32)
    found = program.run({"x": fractions(x)}, ["h", "b"])
    assert set(found) == {"h", "b"}
    assert found["h"] == fractions(evaluate(graph, {"x": x})["h"])
