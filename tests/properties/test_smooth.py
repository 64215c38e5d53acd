"""Models with smooth activations, from their bytes to Lean's word."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.binary32 import elementary
from pytest_torchlean.bounds.interval import evaluate, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.properties import run_property
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty, RobustnessProperty
from pytest_torchlean.verdict import Verdict

pytestmark = pytest.mark.usefixtures("library")


def network(activation: str, seed: int = 0) -> onnx.ModelProto:
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], name="first"),
        helper.make_node(activation, ["h"], ["a"], name="bend"),
        helper.make_node("Gemm", ["a", "v"], ["y"], name="second"),
    ]
    weights = {
        "w": rng.normal(size=(2, 6)).astype(np.float32),
        "b": rng.normal(size=6).astype(np.float32),
        "v": rng.normal(size=(6, 2)).astype(np.float32),
    }
    return model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, weights)


OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Sqrt": ("Sqrt", {}),
    "Log": ("Log", {}),
    "Softplus": ("Softplus", {}),
    "Softsign": ("Softsign", {}),
    "Elu": ("Elu", {"alpha": 0.5}),
    "Celu": ("Celu", {}),
    "Selu": ("Selu", {}),
    "HardSwish": ("HardSwish", {}),
    "Mish": ("Mish", {}),
    "Swish": ("Swish", {"alpha": 1.5}),
    "Gelu": ("Gelu", {"approximate": "tanh"}),
    "GeluErf": ("Gelu", {}),
    "Erf": ("Erf", {}),
}


def single(name: str) -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    """Two neurons, arguments around 3/2: the model, and its exact least and greatest outputs."""
    op, attributes = OTHERS[name]
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node(op, ["h"], ["y"], name="bend", **attributes),
    ]
    weights = {"w": np.eye(2, dtype=np.float32), "b": np.full(2, 1.5, np.float32)}
    opset = 24 if op == "Swish" else 22
    proto = model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, weights, opset=opset)
    named = "GeluTanh" if name == "Gelu" else op
    parameters = {"Elu": (0.5,), "Celu": (1.0,), "Swish": (1.5,), "Selu": (1.6732632, 1.050701)}.get(op, ())
    ends = np.array([1.25, 1.75], dtype=np.float32)
    if op == "Sqrt":
        return proto, *np.sqrt(ends.astype(np.float64))
    return proto, *elementary.reference(named, ends, *parameters)[0]


@pytest.mark.parametrize("name", OTHERS)
def test_true_ranges_are_proved_and_false_ones_are_not(name: str, context_for: Any) -> None:
    """All of these grow from 5/4 to 7/4: the true range and a little, and less than it."""
    proto, least, most = single(name)
    # products of intervals are not tight
    slack = (
        Fraction(1, 4)
        if name in ("Swish", "Mish", "HardSwish", "Gelu", "GeluErf", "Softsign")
        else Fraction(1, 10**4)
    )
    box = Bounds(Fraction(-1, 4), Fraction(1, 4))

    def verdict(lower: Fraction, upper: Fraction, **more: Any) -> Verdict:
        output = OutputBounds(lower, upper)
        prop = RangeProperty(name="r", model="m", input=box, output=output, **more)
        return run_property(context_for(proto), prop).verdict

    low, high = Fraction(float(least)), Fraction(float(most))
    assert verdict(low - slack, high + slack) is Verdict.PROVED
    if name == "Gelu":
        with pytest.raises(UnsupportedError, match="under `semantics: real`"):
            verdict(low - slack, high + slack, semantics="real")
    else:
        assert verdict(low - slack, high + slack, semantics="real") is Verdict.PROVED
    assert verdict(low - slack, high + slack, assurance="evaluated") is Verdict.PROVED
    assert verdict(low - slack, high - Fraction(1, 1000)) is Verdict.REFUTED
    assert verdict(low + Fraction(1, 1000), high + slack) is Verdict.REFUTED


@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_gelu_is_proved_as_exporters_write_it(semantics: str, context_for: Any) -> None:
    nodes = [
        helper.make_node("Add", ["x", "b"], ["h"]),
        helper.make_node("Div", ["h", "root"], ["d"]),
        helper.make_node("Erf", ["d"], ["e"]),
        helper.make_node("Add", ["e", "one"], ["g"]),
        helper.make_node("Mul", ["h", "g"], ["p"]),
        helper.make_node("Mul", ["p", "half"], ["y"]),
    ]
    constants = {"b": np.float32(1.5), "root": np.float32(np.sqrt(2)), "one": np.float32(1)}
    proto = model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, {**constants, "half": np.float32(0.5)})
    ends = elementary.reference("Gelu", np.array([1.25, 1.75], dtype=np.float32))[0]
    low, high, slack = Fraction(float(ends[0])), Fraction(float(ends[1])), Fraction(1, 8)
    box = Bounds(Fraction(-1, 4), Fraction(1, 4))
    for upper, verdict in ((high + slack, Verdict.PROVED), (high - Fraction(1, 1000), Verdict.REFUTED)):
        output = OutputBounds(low - slack, upper)
        prop = RangeProperty(name="r", model="m", input=box, output=output, semantics=semantics)
        assert run_property(context_for(proto), prop).verdict is verdict


@pytest.mark.parametrize("op", ["Sin", "Cos"])
@pytest.mark.parametrize("assurance", ["kernel", "evaluated"])
def test_sine_and_cosine_are_proved_where_true(op: str, assurance: str, context_for: Any) -> None:
    """Of arguments from 11/16 to 13/16 and from -13/16 to -11/16."""
    nodes = [helper.make_node("Mul", ["x", "s"], ["m"]), helper.make_node("Add", ["m", "b"], ["h"])]
    nodes.append(helper.make_node(op, ["h"], ["y"]))
    weights = {"s": np.float32([[1, -1]]), "b": np.float32([[0.75, -0.75]])}
    proto = model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, weights)
    ends = np.array([11 / 16, 13 / 16])
    if op == "Sin":
        least, most = -np.sin(ends[1]), np.sin(ends[1])
    else:
        least, most = np.cos(ends[::-1])
    low, high, slack = Fraction(float(least)), Fraction(float(most)), Fraction(1, 128)
    box = Bounds(Fraction(-1, 16), Fraction(1, 16))
    for semantics in ("real", "binary32"):
        for bounds, verdict in (
            ((low - slack, high + slack), Verdict.PROVED),
            ((low - slack, high - slack / 8), Verdict.REFUTED),
            ((low + slack / 8, high + slack), Verdict.REFUTED),
        ):
            prop = RangeProperty(
                name="r",
                model="m",
                input=box,
                output=OutputBounds(*bounds),
                semantics=semantics,
                assurance=assurance,
            )
            assert run_property(context_for(proto), prop).verdict is verdict


@pytest.mark.parametrize(
    ("op", "attributes", "reason"),
    [
        ("Elu", {"alpha": 2.0}, "alpha between 0 and 1"),
        ("Celu", {"alpha": 0.5}, "only for alpha = 1"),
        ("Selu", {"alpha": 1.0}, "the alpha and gamma of the standard"),
        ("Tan", {}, "no bounds of it are proved"),
    ],
)
def test_what_has_no_rule_is_unsupported_by_name(
    op: str, attributes: dict[str, Any], reason: str, context_for: Any
) -> None:
    proto = model(
        [helper.make_node(op, ["x"], ["y"], **attributes)], {"x": [1, 2]}, {"y": [1, 2]}, {}, opset=22
    )
    with pytest.raises(UnsupportedError, match=reason) as raised:
        run_property(context_for(proto), claim(40))
    assert raised.value.code == "TL0204"
    assert f"{op} giving" in str(raised.value)


@pytest.mark.parametrize("op", ["Sqrt", "Log"])
def test_nothing_is_proved_of_numbers_without_a_root_or_logarithm(op: str, context_for: Any) -> None:
    proto = model([helper.make_node(op, ["x"], ["y"])], {"x": [1, 2]}, {"y": [1, 2]}, {})
    assert run_property(context_for(proto), claim(400)).verdict is not Verdict.PROVED


def claim(bound: int | Fraction, **more: Any) -> RangeProperty:
    box, reach = Bounds(Fraction(-1, 4), Fraction(1, 4)), Fraction(bound)
    return RangeProperty(name="r", model="m", input=box, output=OutputBounds(-reach, reach), **more)


@pytest.mark.parametrize("activation", ["Sigmoid", "Tanh", "Exp"])
@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_true_bounds_are_proved_and_false_ones_refuted(
    activation: str, semantics: str, context_for: Any
) -> None:
    proto = network(activation)
    evidence = run_property(context_for(proto), claim(40, semantics=semantics))
    assert evidence.verdict is Verdict.PROVED
    assert evidence.assurance == "kernel"
    assert any(f"every result of {activation} is within the budget" in line for line in evidence.trust)
    lower = run_property(context_for(proto), claim(Fraction(1, 100), semantics=semantics))
    assert lower.verdict is Verdict.REFUTED


@pytest.mark.parametrize("op", ["Swish", "HardSwish"])
def test_lean_takes_rows_through_composed_activations(op: str, context_for: Any) -> None:
    """Two layers on a small box, bounds that intervals do not give."""
    rng, nodes, weights, here = np.random.default_rng(1), [], {}, "x"
    for index in range(3):
        made = "y" if index == 2 else f"h{index}"
        shape = (2 if index == 0 else 4, 1 if index == 2 else 4)
        weights[f"w{index}"] = (rng.normal(size=shape) / 2).astype(np.float32)
        nodes.append(helper.make_node("Gemm", [here, f"w{index}"], [made]))
        if index < 2:
            here = f"a{index}"
            nodes.append(helper.make_node(op, [made], [here]))
    proto = model(nodes, {"x": [1, 2]}, {"y": [1, 1]}, weights, opset=24)
    program = lower_to_program(lowered(proto))
    ends = np.full((1, 2), 0.25)
    low, high = (side[0, program.outputs] for side in propagate(program, -ends, ends))
    points = evaluate(program, rng.uniform(-0.25, 0.25, size=(500, 2)))[:, program.outputs]
    outside = Fraction(float((low + points.min())[0] / 2)), Fraction(float((high + points.max())[0] / 2))
    box = Bounds(Fraction(-1, 4), Fraction(1, 4))
    prop = RangeProperty(name="r", model="m", input=box, output=OutputBounds(*outside), assurance="kernel")
    evidence = run_property(context_for(proto), prop)
    assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "kernel")


def test_no_bounds_are_shown_where_intervals_divide_by_zero(context_for: Any) -> None:
    """1 / (x^2 - x + 1/2) on [0, 1]: intervals see a divisor that may be 0, parts do not."""
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["s"]),
        helper.make_node("Sub", ["s", "x"], ["t"]),
        helper.make_node("Add", ["t", "c"], ["d"]),
        helper.make_node("Reciprocal", ["d"], ["y"]),
    ]
    proto = model(nodes, {"x": [1, 1]}, {"y": [1, 1]}, {"c": np.array([[0.5]], dtype=np.float32)})
    box = Bounds(Fraction(0), Fraction(1))
    wide = RangeProperty(name="r", model="m", input=box, output=OutputBounds(Fraction(1), Fraction(8)))
    evidence = run_property(context_for(proto), replace(wide, assurance="evaluated"))
    assert (evidence.verdict, evidence.bounds) == (Verdict.PROVED, None)
    assert evidence.found == "the outputs stay within the claimed bounds"


def test_the_compiled_checker_says_the_same(context_for: Any) -> None:
    evidence = run_property(context_for(network("Tanh")), claim(40, assurance="evaluated"))
    assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "evaluated")


def test_a_class_is_robust(tmp_path: Path, context_for: Any) -> None:
    proto = network("Tanh", seed=2)
    point = np.array([[0.5, -0.5]], dtype=np.float32)
    values = {item.name: onnx.numpy_helper.to_array(item) for item in proto.graph.initializer}
    scores = np.tanh(point @ values["w"] + values["b"]) @ values["v"]
    path = tmp_path / "data.npz"
    np.savez(path, inputs=point, labels=scores.argmax(axis=1))
    prop = RobustnessProperty(name="r", model="m", epsilon=Fraction(1, 500), data=path)
    evidence = run_property(context_for(proto), prop)
    assert evidence.verdict is Verdict.PROVED
    assert evidence.assurance == "kernel"


def test_without_an_activation_nothing_is_assumed_of_one(context_for: Any) -> None:
    evidence = run_property(context_for(network("Relu")), claim(40))
    assert evidence.verdict is Verdict.PROVED
    assert not any("budget" in line for line in evidence.trust)


@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_lines_of_an_exponential_are_as_steep_as_it_is(semantics: str, context_for: Any) -> None:
    """e^(x + 3) - e^(x + 3.1) lies between -2.34 and -1.91 for |x| <= 0.1; intervals say -6.2 to 2. The box
    of as many inputs as add up to x is not cut."""
    weights = {
        "w": np.full((32, 2), 1 / 32, np.float32),
        "b": np.float32([3, 3.1]),
        "v": np.float32([[1], [-1]]),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node("Exp", ["h"], ["e"]),
        helper.make_node("MatMul", ["e", "v"], ["y"]),
    ]
    context = context_for(model(nodes, {"x": [1, 32]}, {"y": [1, 1]}, weights))
    box = Bounds(Fraction(-1, 10), Fraction(1, 10))
    for low, high, verdict in ((-2.8, -1.4, Verdict.PROVED), (-2.3, -1.4, Verdict.REFUTED)):
        limits = OutputBounds(Fraction(low), Fraction(high))
        prop = RangeProperty(name="r", model="m", input=box, output=limits, semantics=semantics)
        evidence = run_property(context, prop)
        assert evidence.verdict is verdict, evidence.found
