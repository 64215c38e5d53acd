"""Products and quotients of computed values: the graph is the model, and no execution leaves the forecast."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from certificate_examples import (
    Network,
    accepted,
    ball,
    binary32_slots,
    centers,
    points_of,
    quadratic,
    rational,
    slots_of,
)
from onnx import helper
from onnx_models import lowered, model
from test_guard import guard
from test_nodewise import compare

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.interval import evaluate, gradient, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.passes import Passes
from pytest_torchlean.bounds.program import BilinearNode, Program
from pytest_torchlean.bounds.side_by_side import side_by_side
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import BilinearData, QuotientData, Semantics
from pytest_torchlean.certificate.text import parse, render
from pytest_torchlean.errors import CertificateError, DataError, UnsupportedError
from pytest_torchlean.evaluator import evaluate_exact

SEEDS = (0, 1, 2)


def emission(network: Network, seed: int, semantics: Semantics, reach: int = 1000) -> Emission:
    (center,) = centers(network, seed)
    limits = [Fraction(reach)] * network.outputs
    forms = bound_forms([-limit for limit in limits], limits, network.outputs, False)
    return build_emission(network.program, [Goal(forms, (ball(center, Fraction(1, 8)),))], semantics)


def products(program: Program) -> list[tuple[int, BilinearNode]]:
    return [(index, node) for index, node in enumerate(program.nodes) if isinstance(node, BilinearNode)]


BUILDERS = [quadratic, rational]


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("semantics", Semantics)
def test_no_execution_leaves_the_bounds(build: Any, seed: int, semantics: Semantics) -> None:
    made = emission(build(seed), seed, semantics)
    assert accepted(made) == [[True]]
    (claim,) = made.claims
    scale, rng = made.certificate.scale, np.random.default_rng(seed)
    lower, upper = Account(made).all_bounds(claim.boxes, made.certificate.scripts[0][0])
    for point in points_of(claim.boxes[0], made.graph.inputs, seed):
        if semantics is Semantics.REAL:
            slots = slots_of(made.graph, point)
        else:
            slots = binary32_slots(made.graph, [np.float32(float(x)) for x in point], rng)
        for value, low, high in zip(slots, lower[:, 0], upper[:, 0], strict=True):
            assert low <= scale.unit * value + scale.center <= high


def test_a_claim_that_is_too_tight_is_not_forecast() -> None:
    assert accepted(emission(quadratic(0), 0, Semantics.REAL, 0)) == [[False]]


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_graph_is_the_models(build: Any, seed: int) -> None:
    network = build(seed)
    assert guard(network.program, network) < 1
    assert compare(network) > 0


def test_a_product_of_other_values_is_noticed() -> None:
    network = quadratic(0)
    for index, node in products(network.program):
        wrong = replace(node, right=node.left.copy(), left=np.full_like(node.left, 2))
        if (wrong.left == node.left).all() and (wrong.right == node.right).all():
            continue
        nodes = (*network.program.nodes[:index], wrong, *network.program.nodes[index + 1 :])
        other = replace(network.program, nodes=nodes)
        with pytest.raises(CertificateError) as caught:
            compare(network, other)
        assert caught.value.code == "TL0610"


def test_text_and_bytes_come_back() -> None:
    made = emission(rational(0), 0, Semantics.BINARY32)
    assert {BilinearData, QuotientData} < {type(node) for node in made.graph.nodes}
    assert parse(render([made])) == (made,)


@pytest.mark.parametrize(
    ("nodes", "weights"),
    [
        ([("Mul", "x x")], {}),
        ([("Pow", "x e")], {"e": np.float32(2)}),
        ([("Pow", "x e")], {"e": np.float32([3])}),
        ([("Pow", "x e")], {"e": np.float32(1)}),
        ([("ReduceSumSquare", "x")], {}),
        ([("ReduceSumSquare", "x"), ("Div", "x a0")], {}),
        ([("ReduceSumSquare", "x"), ("Reciprocal", "a0")], {}),
        ([("Transpose", "x"), ("MatMul", "x a0")], {}),
        ([("Transpose", "x"), ("Gemm", "x a0")], {}),
    ],
)
def test_each_operator_means_its_exact_value(
    nodes: list[tuple[str, str]], weights: dict[str, np.ndarray]
) -> None:
    names = [f"a{index}" for index in range(len(nodes) - 1)] + ["z"]
    made = [helper.make_node(op, own.split(), [out]) for (op, own), out in zip(nodes, names, strict=True)]
    graph = lowered(model(made, {"x": [2, 3]}, ["z"], weights, 13))
    x = np.arange(-2, 4, dtype=np.float32).reshape(2, 3) / 4
    exact = evaluate_exact(graph, {"x": [Fraction(float(value)) for value in x.reshape(-1)]})["z"]
    program = lower_to_program(graph)
    values = evaluate(program, x.reshape(1, -1).astype(np.float64))[:, program.outputs]
    assert [float(value) for value in exact] == values.reshape(-1).tolist()
    op, exponent = nodes[-1][0], float(weights.get("e", np.float32(0)).reshape(-1)[0])
    expected = {
        "Mul": x * x,
        "Pow": x**exponent,
        "ReduceSumSquare": (x * x).sum(),
        "Div": x.astype(np.float64) / (x * x).sum(),
        "Reciprocal": 1 / np.float64((x * x).sum()),
        "MatMul": x @ x.T,
        "Gemm": x @ x.T,
    }[op]
    assert values.reshape(-1).tolist() == np.asarray(expected, dtype=np.float64).reshape(-1).tolist()


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_estimates_agree_with_each_other(build: Any, seed: int) -> None:
    program = build(seed).program
    rng = np.random.default_rng(seed)
    lower = rng.uniform(-1, 1, (3, program.inputs))
    upper = lower + rng.uniform(0, 1, lower.shape)
    low, high = propagate(program, lower, upper)
    bounds = crown.bound(program, lower, upper)
    points = lower + rng.uniform(0, 1, lower.shape) * (upper - lower)
    values = evaluate(program, points)
    near = 1e-9
    for least, most in ((low, high), (bounds.low.T, bounds.high.T)):
        assert (least - near <= values).all()
        assert (values <= most + near).all()
    np.testing.assert_allclose(Passes(program).values(points), values)
    other = side_by_side(program)
    np.testing.assert_allclose(evaluate(other, points)[:, other.outputs], values[:, program.outputs])


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_are_those_of_differences(build: Any, seed: int) -> None:
    program = build(seed).program
    rng = np.random.default_rng(seed)
    points, step = rng.uniform(-1, 1, (4, program.inputs)), 1e-6
    cotangents = rng.normal(size=(4, program.outputs.size))
    values = evaluate(program, points)
    own = gradient(program, values, cotangents)
    np.testing.assert_allclose(Passes(program).gradient(values, cotangents), own)
    for column in range(program.inputs):
        moved = np.zeros_like(points)
        moved[:, column] = step
        ends = [evaluate(program, points + sign * moved)[:, program.outputs] for sign in (1, -1)]
        slope = ((ends[0] - ends[1]) * cotangents).sum(axis=1) / (2 * step)
        np.testing.assert_allclose(own[:, column], slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("exponent", [np.float32(4), np.float32(0.5), np.full((2, 3), 2, np.float32)])
def test_powers_that_runtimes_do_not_multiply_out_are_refused(exponent: np.ndarray) -> None:
    """One exponent for each element goes to a function whose results are not the rounded products."""
    graph = lowered(
        model([helper.make_node("Pow", ["x", "e"], ["z"])], {"x": [2, 3]}, ["z"], {"e": exponent}, 13)
    )
    with pytest.raises(UnsupportedError, match="exponent is one constant 1, 2 or 3") as caught:
        lower_to_program(graph)
    assert caught.value.code == "TL0204"


def test_a_divisor_that_may_be_zero_is_not_forecast() -> None:
    """Neither is what follows it, and nothing fails on the way."""
    nodes = [helper.make_node("Div", ["y", "x"], ["q"]), helper.make_node("Mul", ["q", "q"], ["z"])]
    network = Network(model(nodes, {"x": [2], "y": [2]}, ["z"], {}), 4, 2)
    limits = [Fraction(1000)] * 2
    forms = bound_forms([-limit for limit in limits], limits, 2, False)
    for low, high, answer in ((1, 2, True), (-2, -1, True), (0, 1, False), (-1, 0, False), (-1, 1, False)):
        box = RationalBox((Fraction(low),) * 4, (Fraction(high),) * 4)
        for semantics in Semantics:
            made = build_emission(network.program, [Goal(forms, (box,))], semantics)
            assert accepted(made) == [[answer]]


def test_exact_evaluation_says_where_it_divides_by_zero() -> None:
    graph = lowered(model([helper.make_node("Reciprocal", ["x"], ["z"])], {"x": [2]}, ["z"], {}))
    with pytest.raises(DataError, match="divided by 0") as caught:
        evaluate_exact(graph, {"x": [Fraction(1), Fraction(0)]})
    assert caught.value.code == "TL0450"
