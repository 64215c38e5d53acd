"""Elementary operators: every opset lowered, onnxruntime within its budgets, and budgets that say no."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import assert_same_bits, loaded, lowered, model, runtime_outputs
from test_onnx_lowering_runtime import NEWEST_RUNTIME_OPSET, opsets

from pytest_torchlean.binary32 import budgets, elementary
from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.differential import compare
from pytest_torchlean.differential.nodes import compare_node
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.evaluator import evaluate, run
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import.elementary import LOWERINGS
from pytest_torchlean.ops import RULES

CASES = [(op, opset) for op in LOWERINGS if op != "Pow" for opset in opsets(op)]
ATTRIBUTES = {
    "Celu": [{}, {"alpha": 0.3}],
    "Elu": [{}, {"alpha": 1.7}],
    "Gelu": [{}, {"approximate": "tanh"}],
    "HardSigmoid": [{}, {"alpha": 0.5, "beta": 0.1}],
    "Selu": [{}, {"alpha": 0.5, "gamma": 2.0}],
    "Swish": [{}, {"alpha": 1.702}],
}


def numbers(seed: int, count: int = 4000) -> np.ndarray:
    """Ordinary numbers, small and large ones, all bit patterns that are finite, and special values."""
    rng = np.random.default_rng(seed)
    ordinary = rng.standard_normal(count) * 10.0 ** rng.integers(-2, 2, count)
    unit = rng.uniform(-1, 1, count)
    patterns = rng.integers(0, 2**32, count, dtype=np.uint32).view(np.float32)
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.0**-149, -(2.0**-149), 3e38, -3e38, 2.0**-126]
    every = np.concatenate(
        [ordinary.astype(np.float32), unit.astype(np.float32), patterns, np.float32(special)]
    )
    return np.where(np.isnan(every), np.float32(np.nan), every)


def shares(graph: Graph, values: dict[str, np.ndarray], answer: np.ndarray) -> np.ndarray:
    """Each element's distance from the real value as a share of what is allowed; 0 without a claim."""
    (node,) = graph.nodes
    operands = [values[name] for name in node.inputs]
    (bound,) = RULES[node.op].error_bound(node, operands)
    reference = RULES[node.op].reference
    assert bound is not None
    assert reference is not None
    center, own = reference(node, operands)
    with np.errstate(all="ignore"):
        share = np.abs(answer.astype(np.float64) - center) / (bound + own)
    return np.where(np.isfinite(bound) & np.isfinite(center), share, 0.0)


@pytest.mark.parametrize(("op", "opset"), CASES)
def test_every_operator_and_opset_is_within_its_budget(op: str, opset: int) -> None:
    x = numbers(len(op))
    for attributes in ATTRIBUTES.get(op, [{}]):
        proto = model([helper.make_node(op, ["x"], ["z"], **attributes)], {"x": x.shape}, ["z"], opset=opset)
        graph = lowered(proto)
        values, (answer,) = evaluate(graph, {"x": x}), runtime_outputs(proto, {"x": x})
        own = values["z"]
        if op in ("Sqrt", "Reciprocal"):
            assert_same_bits(own, answer)
            continue
        assert shares(graph, values, answer).max() <= 1.0
        assert shares(graph, values, own).max() <= 1.0
        outcome = compare_node(graph.nodes[0], graph, {**values, "z": answer}, None)
        assert not outcome.wrong.any()
        assert 0.0 < outcome.worst <= 1.0
        ordinary = (np.abs(x) < 1e30) & np.isfinite(own)
        assert np.isfinite(answer[ordinary]).all()


@pytest.mark.parametrize("name", elementary.NAMES)
def test_a_budget_says_no_to_more_than_it_allows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result three quarters into its budget passes; with half the budget, or at 5/4 of it, it does not."""
    attributes = {key: 0.5 for key in ("alpha", "beta", "gamma")}
    op, extra = ("Gelu", {"approximate": "tanh"}) if name == "GeluTanh" else (name, {})
    extra |= {key: value for key, value in attributes.items() if key in _attribute_names(name)}
    x = np.float32([0.3, 0.7, -0.4]) if name != "Acosh" else np.float32([1.3, 7.0, 2.5])
    x = np.abs(x) if name == "Log" else x
    proto = model([helper.make_node(op, ["x"], ["z"], **extra)], {"x": [3]}, ["z"], opset=24)
    graph = lowered(proto)
    (node,) = graph.nodes
    center, _ = RULES[node.op].reference(node, [x])
    (bound,) = RULES[node.op].error_bound(node, [x])

    def wrong(share: float) -> bool:
        values = {"x": x, "z": center + share * bound}
        outcome = compare_node(node, graph, {"x": x, "z": _nearest_inside(values["z"], center)}, None)
        return bool(outcome.wrong.any())

    scale = max(1.0, float(np.max(np.spacing(np.abs(center).astype(np.float32)) / bound)))
    assert not wrong(0.75)
    assert wrong(1.0 + 1.5 * scale)
    if name in budgets.BUDGETS:
        budget = budgets.BUDGETS[name]
        tight = replace(
            budget, ulps=budget.ulps / 64, absolute=budget.absolute / 64, of_input=budget.of_input / 64
        )
        monkeypatch.setitem(budgets.BUDGETS, name, tight)  # type: ignore[arg-type]
        assert wrong(0.75)


def _attribute_names(name: str) -> tuple[str, ...]:
    from pytest_torchlean.ops.elementary import ATTRIBUTES as names

    return names.get(name, ())


def _nearest_inside(values: np.ndarray, center: np.ndarray) -> np.ndarray:
    """binary32 numbers next to `values`, rounded towards the center."""
    rounded = values.astype(np.float32)
    outside = np.abs(rounded - center) > np.abs(values - center)
    return np.where(outside, np.nextafter(rounded, center.astype(np.float32)), rounded)


@pytest.mark.parametrize("opset", opsets("Pow"))
def test_powers(opset: int) -> None:
    rng = np.random.default_rng(5)
    x = np.concatenate([np.abs(numbers(6, 300)), np.float32([-2, -3, -0.0, 0])])[:900].reshape(-1, 1)
    y = np.float32([0.5, 1, 2, 3, -1, 0, 1.7, -0.3, 4, 10])
    node = helper.make_node("Pow", ["x", "y"], ["z"])
    proto = model([node], {"x": x.shape, "y": y.shape}, ["z"], opset=opset)
    graph = lowered(proto)
    values, (answer,) = evaluate(graph, {"x": x, "y": y}), runtime_outputs(proto, {"x": x, "y": y})
    assert shares(graph, values, answer).max() <= 1.0
    assert shares(graph, values, values["z"]).max() <= 1.0
    for exponent in (2.0, 3.0, 0.5, rng.uniform(-3, 3)):
        constant = model([node], {"x": x.shape}, ["z"], {"y": np.float32(exponent)}, opset=opset)
        graph = lowered(constant)
        values, (answer,) = evaluate(graph, {"x": x}), runtime_outputs(constant, {"x": x})
        assert shares(graph, values | graph.constants, answer).max() <= 1.0
        if exponent == 2.0:
            assert_same_bits(values["z"], answer)


def test_integer_exponents_are_constants_that_binary32_holds() -> None:
    node = helper.make_node("Pow", ["x", "y"], ["z"])
    x = np.float32([-1.5, 2, 0.1])
    graph = lowered(model([node], {"x": [3]}, ["z"], {"y": np.array([3, -2, 2])}, opset=13))
    assert run(graph, {"x": x})[0].tolist() == [-3.375, 0.25, float(np.float32(0.1) * np.float32(0.1))]
    with pytest.raises(UnsupportedError, match="is not a binary32 number"):
        lowered(model([node], {"x": [1]}, ["z"], {"y": np.array([2**24 + 1])}, opset=13))
    with pytest.raises(UnsupportedError, match="the base is int64"):
        lowered(model([node], {"y": [1]}, ["z"], {"x": np.array([2])}, opset=13))


def test_unknown_attributes_and_types_are_refused() -> None:
    gelu = helper.make_node("Gelu", ["x"], ["z"], approximate="quick")
    with pytest.raises(UnsupportedError, match="approximation 'quick' is not known"):
        lowered(model([gelu], {"x": [1]}, ["z"], opset=20))
    celu = helper.make_node("Celu", ["x"], ["z"], alpha=0.0)
    with pytest.raises(UnsupportedError, match="alpha is zero"):
        lowered(model([celu], {"x": [1]}, ["z"], opset=12))
    early = helper.make_node("Gelu", ["x"], ["z"])
    with pytest.raises(UnsupportedError, match="not supported"):
        lowered(model([early], {"x": [1]}, ["z"], opset=19))
    cast = helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT32)
    with pytest.raises(UnsupportedError, match="the operand is int32"):
        lowered(model([cast, helper.make_node("Exp", ["i"], ["z"])], {"x": [1]}, ["z"]))


def activation_network(op: str, opset: int = 22, **attributes: object):
    rng = np.random.default_rng(9)
    weights = {"w": rng.standard_normal((8, 16)).astype(np.float32), "b": np.float32(rng.standard_normal(16))}
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node(op, ["h"], ["y"], name="activation", **attributes),
    ]
    return model(nodes, {"x": [1, 8]}, ["y"], weights, opset=min(opset, NEWEST_RUNTIME_OPSET))


@pytest.mark.parametrize("op", ["Tanh", "Sigmoid", "Gelu", "Softplus", "Elu", "HardSwish"])
def test_a_network_with_activations_agrees_in_both_sessions(op: str) -> None:
    proto = activation_network(op)
    rng = np.random.default_rng(3)
    samples = [{"x": rng.standard_normal((1, 8)).astype(np.float32)} for _ in range(6)]
    result = compare(loaded(proto), lowered(proto), samples)
    assert result.divergence is None
    assert result.sessions[0].outputs_covered
    assert 0.0 < result.sessions[0].worst[op if op in result.sessions[0].worst else "Gelu"] <= 1.0


def test_the_other_approximation_of_gelu_is_a_divergence() -> None:
    exact, swapped = activation_network("Gelu"), activation_network("Gelu", approximate="tanh")
    rng = np.random.default_rng(4)
    samples = [{"x": rng.standard_normal((1, 8)).astype(np.float32)} for _ in range(4)]
    result = compare(loaded(swapped), lowered(exact), samples)
    assert result.divergence is not None
    assert result.divergence.op == "Gelu"
    assert result.divergence.source == "activation"


@pytest.mark.parametrize("exponent", [2.0, 3.0, 0.5, -1.0, 1.7, 0.0, 5.0])
def test_powers_of_an_interval_stay_in_their_radius(exponent: float) -> None:
    rng = np.random.default_rng(7)
    center = rng.standard_normal(2000) * 3
    radius = np.abs(rng.standard_normal(2000)) * 2.0 ** rng.integers(-20, 1, 2000)
    by = np.array(np.float32(exponent))
    node = lowered(
        model([helper.make_node("Pow", ["x", "y"], ["z"])], {"x": [2000]}, ["z"], {"y": by})
    ).nodes[0]
    rule = RULES["Pow"]
    assert rule.enclose is not None
    (found,) = rule.enclose(node, [Enclosed(center, radius), Enclosed.exact(by)])
    assert isinstance(found, Enclosed)
    claimed = np.isfinite(found.radius)
    assert claimed.any()
    assert claimed.all() == (exponent >= 0 and exponent == int(exponent))
    for _ in range(6):
        x = (center + radius * rng.uniform(-1, 1, 2000)).astype(np.float32)
        inside = np.abs(x.astype(np.float64) - center) <= radius
        with np.errstate(invalid="ignore"):
            off = np.abs(elementary.power(x, by).astype(np.float64) - found.center)
        assert (off[inside & claimed] <= found.radius[inside & claimed]).all()
    (unknown,) = rule.enclose(node, [Enclosed(center, radius), Enclosed(by.astype(float), np.array(1e-3))])
    assert isinstance(unknown, Enclosed)
    assert np.isinf(unknown.radius).all()


def test_the_unit_in_the_last_place() -> None:
    values = np.array([1.0, -1.5, 2.0, 1.999, 2.0**-126, 2.0**-130, 2.0**-149, 1e-60, 0.0, 3.4e38])
    expected = [-23, -23, -22, -23, -149, -149, -149, -149, -149, 104]
    assert np.log2(budgets.ulp(values)).tolist() == expected
