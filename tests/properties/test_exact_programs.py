"""Compositions of Softmax that bound more closely: under `real` exact, under `binary32` with a budget."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import lowered, model, runtime_outputs

from pytest_torchlean.bounds.interval import evaluate, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import CurveNode, ExtremumNode, Program, QuotientNode
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.budgets import GRANTED
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import CurveFunction
from pytest_torchlean.ops.softmax import GRANTED_ULPS, MOST_DIFFERENCES, MOST_GRANTED
from pytest_torchlean.properties import run_property
from pytest_torchlean.properties.exact import program_on
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty
from pytest_torchlean.verdict import Verdict

CENTER = np.array([0.5, -0.25, 0.125, 1.0])
RADIUS = 1 / 16


def softmax(shape: tuple[int, ...] = (1, 4), axis: int = -1) -> onnx.ModelProto:
    nodes = [helper.make_node("Softmax", ["x"], ["y"], axis=axis)]
    return model(nodes, {"x": list(shape)}, {"y": list(shape)}, {}, opset=17)


def ranged(low: float, high: float, radius: float, semantics: str) -> RangeProperty:
    ends = [tuple(Fraction(float(x)) + side * Fraction(radius) for x in CENTER) for side in (-1, 1)]
    limits = OutputBounds(Fraction(low), Fraction(high))
    return RangeProperty(name="r", model="m", input=Bounds(*ends), output=limits, semantics=semantics)


def maxima(program: Program) -> int:
    return sum(isinstance(node, ExtremumNode) and node.maximum for node in program.nodes)


def reached() -> tuple[np.ndarray, np.ndarray]:
    """The exact range of each share: it rises with its own score and falls with the others."""
    corners = CENTER + RADIUS * np.array(list(product((-1, 1), repeat=4)))
    powers = np.exp(corners)
    shares = powers / powers.sum(axis=1, keepdims=True)
    return shares.min(axis=0), shares.max(axis=0)


@pytest.mark.parametrize(("shape", "axis"), [((1, 4), -1), ((2, 3), 0), ((2, 3, 4), 1)])
def test_the_exact_program_is_the_model(shape: tuple[int, ...], axis: int) -> None:
    proto = softmax(shape, axis)
    program = lower_to_program(lowered(proto), exact=True)
    x = np.random.default_rng(1).uniform(-2, 2, size=shape).astype(np.float32)
    found = evaluate(program, x.reshape(1, -1).astype(np.float64))[0, program.outputs]
    (seen,) = runtime_outputs(proto, {"x": x})
    assert np.allclose(found, seen.reshape(-1), rtol=1e-5, atol=1e-6)


def test_shares_are_bounded_as_closely_as_their_scores_allow() -> None:
    """As wide as they can be, by differences of scores; with the largest score subtracted they are wider."""
    low, high = reached()
    widths = {}
    for exact in (True, False):
        program = lower_to_program(lowered(softmax()), exact=exact)
        least, most = propagate(program, CENTER[None] - RADIUS, CENTER[None] + RADIUS)
        least, most = least[0, program.outputs], most[0, program.outputs]
        assert (least <= low + 1e-12).all()
        assert (high - 1e-12 <= most).all()
        widths[exact] = ((most - least) / (high - low)).max()
    assert widths[True] < 1.001
    assert widths[False] > 1.3 * widths[True]


@pytest.mark.parametrize(("terms", "quotients"), [(1, 1), (MOST_DIFFERENCES, 0), (MOST_DIFFERENCES + 1, 1)])
def test_many_scores_are_divided_by_one_sum(terms: int, quotients: int) -> None:
    """A power for each pair would be too many then; of one score there is no other one."""
    proto = softmax((2, terms))
    program = lower_to_program(lowered(proto), exact=True)
    assert sum(isinstance(node, QuotientNode) for node in program.nodes) == quotients
    x = np.random.default_rng(3).uniform(-2, 2, size=(2, terms)).astype(np.float32)
    found = evaluate(program, x.reshape(1, -1).astype(np.float64))[0, program.outputs]
    assert np.allclose(found, runtime_outputs(proto, {"x": x})[0].reshape(-1), rtol=1e-5, atol=1e-6)


def test_claims_get_it_and_under_binary32_a_budget_with_it(context_for: Any) -> None:
    context = context_for(softmax())
    ends = ([Fraction(float(x)) + side * Fraction(RADIUS) for x in CENTER] for side in (-1, 1))
    box = RationalBox(*(tuple(side) for side in ends))
    for semantics, curves in (("real", 0), ("binary32", 1)):
        program = program_on(context, ranged(0, 1, RADIUS, semantics), context.program, [box])
        assert maxima(program) == 0
        assert granted_curves(program) == curves
    assert maxima(program_on(context, ranged(0, 1, RADIUS, "real"), context.program, [])) > 0


@pytest.mark.parametrize(("reach", "semantics"), [(5, "binary32"), (500, "binary32"), (500, "real")])
def test_scores_that_vary_much_are_compared_with_the_largest(
    reach: int, semantics: str, context_for: Any
) -> None:
    """Then no share is bounded by more than about 1."""
    context, prop = context_for(softmax()), ranged(0, 1, RADIUS, semantics)
    wide = RationalBox((Fraction(-reach),) * 4, (Fraction(reach),) * 4)
    assert maxima(program_on(context, prop, context.program, [wide])) > 0


def steep() -> onnx.ModelProto:
    """A Softmax of scores that follow another Softmax and large weights."""
    nodes = [
        helper.make_node("Softmax", ["x"], ["s"]),
        helper.make_node("MatMul", ["s", "w"], ["t"]),
        helper.make_node("Softmax", ["t"], ["u"]),
        helper.make_node("Mul", ["u", "t"], ["p"]),
        helper.make_node("MatMul", ["p", "w"], ["y"]),
    ]
    values = {"w": np.array([[2000, -2000], [-2000, 2000]], dtype=np.float32)}
    return model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, values, opset=17)


@pytest.mark.usefixtures("library")
def test_powers_that_overflow_at_a_corner_are_not_taken(context_for: Any) -> None:
    """In the middle they are small; elsewhere scores differ by 1800. Intervals prove the plain program."""
    context = context_for(steep())
    prop = replace(
        ranged(-1e7, 1e7, RADIUS, "real"), input=Bounds((Fraction(-1, 2),) * 2, (Fraction(1, 2),) * 2)
    )
    box = RationalBox(prop.input.lower, prop.input.upper)
    assert maxima(program_on(context, prop, context.program, [box])) > 0
    assert run_property(context, prop).verdict is Verdict.PROVED


def test_where_intervals_say_nothing_exact_claims_have_the_exact_program(context_for: Any) -> None:
    """Of a score that follows another Softmax and large weights; rows bound what intervals do not."""
    context, prop = context_for(steep()), replace(ranged(-1e6, 1e6, RADIUS, "real"), input=None)
    box = RationalBox((Fraction(-1, 16),) * 2, (Fraction(1, 16),) * 2)
    assert maxima(context.program) > 0
    program = program_on(context, prop, context.program, [box])
    assert maxima(program) == 0
    ends = (np.array([[float(bound) for bound in side]]) for side in (box.lower, box.upper))
    assert propagate(program, *ends)[1].max() > 2.0**100
    # and numbers with room for the values that rows are about, not for those of intervals
    scale = build_emission(program, [Goal(margin_forms(0, 2), (box,))]).certificate.scale
    assert 16 * np.abs(evaluate(program, np.zeros((1, 2)))).max() < scale.center / scale.unit < 2.0**40


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("assurance", ["kernel", "evaluated"])
def test_what_is_true_is_proved_and_what_is_false_is_refuted(assurance: str, context_for: Any) -> None:
    low, high = (float(side) for side in (reached()[0].min(), reached()[1].max()))
    spread = high - low
    proto = softmax()
    for semantics, (margin, verdict) in product(
        ("real", "binary32"), ((0.5, Verdict.PROVED), (-0.05, Verdict.REFUTED))
    ):
        prop = ranged(low - margin * spread, high + margin * spread, RADIUS, semantics)
        evidence = run_property(context_for(proto), replace(prop, assurance=assurance))
        assert evidence.verdict is verdict, evidence.found


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("scores", "radius"), [((-9.3, 10.1, 9.7), 0.003), ((-52.0, -52.0, -52.0), 0.1)], ids=["far apart", "low"]
)
def test_scores_far_from_zero_are_no_error(
    scores: tuple[float, ...], radius: float, context_for: Any
) -> None:
    """A runtime rounds scores less the largest one; powers of low ones vanish in fixed point."""
    ends = [tuple(Fraction(str(x)) + side * Fraction(str(radius)) for x in scores) for side in (-1, 1)]
    limits = OutputBounds(Fraction(-1, 10), Fraction(11, 10))
    prop = RangeProperty(name="r", model="m", input=Bounds(*ends), output=limits, semantics="real")
    narrow = replace(prop, output=OutputBounds(Fraction(1, 10), Fraction(2, 5)))
    context = context_for(softmax((1, 3)))
    evidence = run_property(context, prop if scores[0] > -50 else narrow)
    assert evidence.verdict is Verdict.PROVED, evidence.found


@pytest.mark.parametrize("terms", [2, 17, 896])
@pytest.mark.parametrize("reach", [1.0, 30.0, 100.0])
def test_shares_of_a_runtime_are_within_the_granted_budget(terms: int, reach: float) -> None:
    """Far within it: the budget is for the worst order of summation and the worst roundings."""
    x = np.random.default_rng(4).uniform(-reach, reach, size=(32, terms)).astype(np.float32)
    (seen,) = runtime_outputs(softmax((32, terms)), {"x": x})
    scores = x.astype(np.longdouble)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    granted = GRANTED[CurveFunction.FUSED_SOFTMAX]
    assert granted.eighths == 8 * GRANTED_ULPS
    assert (np.abs(seen - shares) <= 0.25 * granted.of(shares.astype(np.float64))).all()


def granted_curves(program: Program) -> int:
    return sum(isinstance(node, CurveNode) and node.function == "fused_softmax" for node in program.nodes)


def test_more_summands_than_the_budget_is_for_stay_a_sequence() -> None:
    for terms, curves in ((MOST_GRANTED, 1), (MOST_GRANTED + 1, 0)):
        graph = lowered(softmax((1, terms)))
        assert granted_curves(lower_to_program(graph, granted=True)) == curves
        assert granted_curves(lower_to_program(graph)) == 0
        assert granted_curves(lower_to_program(graph, exact=True)) == 0
