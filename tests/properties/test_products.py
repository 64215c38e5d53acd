"""Models that multiply computed values, from their bytes to Lean's word."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean.properties import run_property
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty
from pytest_torchlean.verdict import Verdict

pytestmark = pytest.mark.usefixtures("library")


def controlled() -> onnx.ModelProto:
    """A ReLU controller's output times a state, and the square of the state."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["u"]),
        helper.make_node("Mul", ["u", "x"], ["p"]),
        helper.make_node("Pow", ["x", "two"], ["s"]),
        helper.make_node("Add", ["p", "s"], ["y"]),
    ]
    weights = {
        "w": rng.normal(size=(2, 4)).astype(np.float32),
        "v": rng.normal(size=(4, 2)).astype(np.float32),
        "two": np.float32(2),
    }
    return model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, weights)


def matrices() -> onnx.ModelProto:
    """x times its own transpose."""
    nodes = [helper.make_node("Transpose", ["x"], ["t"]), helper.make_node("MatMul", ["x", "t"], ["y"])]
    return model(nodes, {"x": [2, 3]}, {"y": [2, 2]}, {})


def claim(low: Fraction | int, high: Fraction | int, **more: Any) -> RangeProperty:
    box = Bounds(Fraction(-1), Fraction(1))
    limits = OutputBounds(Fraction(low), Fraction(high))
    return RangeProperty(name="r", model="m", input=box, output=limits, **more)


@pytest.mark.parametrize("build", [controlled, matrices])
@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_true_bounds_are_proved_and_false_ones_refuted(build: Any, semantics: str, context_for: Any) -> None:
    evidence = run_property(context_for(build()), claim(-30, 30, semantics=semantics))
    assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "kernel")
    refuted = run_property(context_for(build()), claim(Fraction(-1, 9), Fraction(1, 9), semantics=semantics))
    assert refuted.verdict is Verdict.REFUTED


def test_exact_arithmetic_reaches_the_end_of_the_range_and_rounding_does_not(context_for: Any) -> None:
    """Each result is at most 3, which binary32 may exceed by its roundings in the checker's account."""
    assert run_property(context_for(matrices()), claim(-3, 3, semantics="real")).verdict is Verdict.PROVED
    rounded = run_property(context_for(matrices()), claim(-3, 3, semantics="binary32"))
    assert rounded.verdict is Verdict.UNKNOWN


def test_the_compiled_checker_says_the_same(context_for: Any) -> None:
    evidence = run_property(context_for(controlled()), claim(-30, 30, assurance="evaluated"))
    assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "evaluated")


def quotient() -> onnx.ModelProto:
    """x / (1 + x^2)"""
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["s"]),
        helper.make_node("Add", ["s", "one"], ["d"]),
        helper.make_node("Div", ["x", "d"], ["y"]),
    ]
    return model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, {"one": np.float32([1])})


@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_a_quotient_is_bounded(semantics: str, context_for: Any) -> None:
    evidence = run_property(context_for(quotient()), claim(-2, 2, semantics=semantics))
    assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "kernel")
    refuted = run_property(
        context_for(quotient()), claim(Fraction(-1, 9), Fraction(1, 9), semantics=semantics)
    )
    assert refuted.verdict is Verdict.REFUTED


def test_a_divisor_that_may_be_zero_leaves_the_question_open(context_for: Any) -> None:
    nodes = [helper.make_node("Reciprocal", ["x"], ["r"]), helper.make_node("Clip", ["r", "l", "h"], ["y"])]
    limits = {"l": np.float32(-1), "h": np.float32(1)}
    proto = model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, limits)
    assert run_property(context_for(proto), claim(-2, 2)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("semantics", ["real", "binary32"])
@pytest.mark.parametrize("exponent", [33, 62])
def test_products_too_large_for_rows_end_without_a_fault(
    exponent: int, semantics: str, context_for: Any
) -> None:
    """Intervals fail on a square of both signs; planes of such factors have no weights in binary32."""
    square = model([helper.make_node("Mul", ["x", "x"], ["y"])], {"x": [1]}, {"y": [1]}, {})
    low, high = Fraction(-(2**exponent)), Fraction(3 * 2**exponent)
    prop = RangeProperty(
        name="r",
        model="m",
        input=Bounds(low, high),
        output=OutputBounds(low, high * high * 1001 / 1000),
        semantics=semantics,
    )
    assert run_property(context_for(square), prop).verdict in (Verdict.PROVED, Verdict.UNKNOWN)
