"""Claims about every binary32 execution: what rounding breaks, what the hull adds, what runs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.properties import PropertyContext, proving, run_property
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty, RobustnessProperty
from pytest_torchlean.verdict import Evidence, Verdict

pytestmark = pytest.mark.usefixtures("library")

THIRD = Fraction(1, 3)


def range_of(
    context: PropertyContext,
    box: tuple[Fraction | int, Fraction | int],
    output: tuple[Fraction | int | None, Fraction | int | None],
    **more: Any,
) -> Evidence:
    low, high = (None if bound is None else Fraction(bound) for bound in output)
    prop = RangeProperty(
        name="r", model="m",
        input=Bounds(Fraction(box[0]), Fraction(box[1])), output=OutputBounds(low, high), **more,
    )  # fmt: skip
    return run_property(context, prop)


def copy() -> onnx.ModelProto:
    """y = 1.0 * x"""
    node = helper.make_node("Gemm", ["x", "w"], ["y"])
    return model([node], {"x": [1, 1]}, {"y": [1, 1]}, {"w": np.ones((1, 1), dtype=np.float32)})


def shifted(by: float) -> onnx.ModelProto:
    """y = x + by - by"""
    nodes = [helper.make_node("Add", ["x", "c"], ["a"]), helper.make_node("Sub", ["a", "c"], ["y"])]
    return model(nodes, {"x": [1, 1]}, {"y": [1, 1]}, {"c": np.array([by], dtype=np.float32)})


def test_it_is_the_default_and_says_so(context_for: Any) -> None:
    context = context_for(copy())
    evidence = range_of(context, (0, 1), (-1, 2))
    assert evidence.verdict is Verdict.PROVED
    assert evidence.semantics == "binary32"
    assert evidence.runtime == "covered"
    assert evidence.bounds is not None
    low, high = (Fraction(evidence.bounds[side][0]) for side in ("lower", "upper"))
    assert -Fraction(1, 2**20) < low <= 0
    assert 1 <= high < 1 + Fraction(1, 2**20)
    exact = range_of(context, (0, 1), (0, 1), semantics="real")
    assert exact.verdict is Verdict.PROVED
    assert exact.semantics == "real"
    assert exact.runtime.startswith("not claimed")


def test_what_only_rounding_breaks_is_refuted(context_for: Any) -> None:
    context = context_for(shifted(2.0**24))
    claim = ((1, 1), (Fraction(1, 2), Fraction(3, 2)))
    assert range_of(context, *claim, semantics="real").verdict is Verdict.PROVED
    evidence = range_of(context, *claim)
    assert evidence.verdict is Verdict.REFUTED
    (witness,) = evidence.witnesses
    assert from_hex_all(witness.runtime_output).tolist() == [0.0]
    assert "below the lower bound 1/2" in witness.violation


def test_rounding_that_may_matter_is_not_proved_away(context_for: Any) -> None:
    """Room for the roundings of x + 16 - 16 is enough, less is not."""
    context = context_for(shifted(16.0))
    enough, little = Fraction(1, 2**10), Fraction(1, 2**20)
    assert range_of(context, (0, 1), (-enough, 1 + enough)).verdict is Verdict.PROVED
    assert range_of(context, (0, 1), (-little, 1 + little), semantics="real").verdict is Verdict.PROVED
    assert range_of(context, (0, 1), (-little, 1 + little)).verdict is Verdict.UNKNOWN


def test_a_region_without_binary32_numbers_is_not_vacuous(context_for: Any) -> None:
    context = context_for(copy())
    assert range_of(context, (THIRD, THIRD), (THIRD, None), semantics="real").verdict is Verdict.PROVED
    evidence = range_of(context, (THIRD, THIRD), (THIRD, None))
    assert evidence.verdict is Verdict.REFUTED
    (point,) = from_hex_all(evidence.witnesses[0].input)
    assert point == np.nextafter(np.float32(1 / 3), np.float32(0))
    wider = THIRD - Fraction(1, 2**20)
    assert range_of(context, (THIRD, THIRD), (wider, None)).verdict is Verdict.PROVED


def test_what_may_overflow_is_not_proved(context_for: Any) -> None:
    node = helper.make_node("Gemm", ["x", "w"], ["y"])
    least = (-(Fraction(2) ** 120), None)

    def heavy(weight: float) -> onnx.ModelProto:
        values = {"w": np.full((2, 1), weight, dtype=np.float32)}
        return model([node], {"x": [1, 2]}, {"y": [1, 1]}, values)

    context = context_for(heavy(1.5e38))
    assert range_of(context, (0, 1), least, semantics="real").verdict is Verdict.PROVED
    assert range_of(context, (0, 1), least).verdict is Verdict.UNKNOWN
    assert range_of(context, (0, 2), least).verdict is Verdict.UNKNOWN
    assert range_of(context_for(heavy(1e15)), (0, 1), least).verdict is Verdict.PROVED


def test_a_rewrite_that_the_theorem_does_not_cover_is_named(context_for: Any) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Mul", ["h", "c"], ["y"])]
    values = {"w": np.ones((2, 1), dtype=np.float32), "c": np.array([0.1], dtype=np.float32)}
    evidence = range_of(context_for(model(nodes, {"x": [1, 2]}, {"y": [1, 1]}, values)), (0, 1), (-1, 2))
    assert evidence.verdict is Verdict.PROVED
    assert evidence.runtime.startswith("unoptimised session only: ")


def robust(context: PropertyContext, inputs: Any, labels: Any, epsilon: Fraction, **more: Any) -> Evidence:
    path = context.root / "data.npz"
    np.savez(path, inputs=np.asarray(inputs, dtype=np.float32), labels=np.asarray(labels, dtype=np.int64))
    prop = RobustnessProperty(name="r", model="m", epsilon=epsilon, data=path, **more)
    return run_property(context, prop)


def two_classes(by: float) -> onnx.ModelProto:
    """y = (x + by - by, 1/2)"""
    nodes = [
        helper.make_node("Add", ["x", "c"], ["a"]),
        helper.make_node("Sub", ["a", "c"], ["d"]),
        helper.make_node("Gemm", ["d", "w", "b"], ["y"]),
    ]
    weights = {
        "c": np.array([by], dtype=np.float32),
        "w": np.array([[1, 0]], dtype=np.float32),
        "b": np.array([0, 0.5], dtype=np.float32),
    }
    return model(nodes, {"x": ["N", 1]}, {"y": ["N", 2]}, weights)


def test_a_class_is_what_the_binary32_executions_say(context_for: Any) -> None:
    """At 1 the first class is right exactly; both executions round it to 0 and give the second."""
    context = context_for(two_classes(2.0**66))
    evidence = robust(context, [[1.0], [1.0]], [0, 1], Fraction(1, 10))
    assert evidence.counts is not None
    assert (evidence.counts.misclassified, evidence.counts.proved) == (1, 0)
    assert evidence.accuracy == "1/2"
    assert robust(context, [[1.0]], [0], Fraction(1, 10), semantics="real").accuracy == "1"
    refuted = robust(context, [[1.0]], [0], Fraction(1, 10))
    assert refuted.verdict is Verdict.REFUTED
    assert from_hex_all(refuted.witnesses[0].runtime_output).tolist() == [0.0, 0.5]


def test_counts_keep_a_rounding_away_from_the_margin(context_for: Any) -> None:
    context = context_for(two_classes(2.0**10))
    inputs, labels = [[1.0], [0.75], [0.5 + 2**-12]], [0, 0, 0]
    evidence = robust(context, inputs, labels, Fraction(1, 2**13), at_least=Fraction(1, 3))
    assert evidence.counts is not None
    assert evidence.counts.proved == 2
    assert evidence.verdict is Verdict.PROVED
    exactly = robust(
        context, inputs, labels, Fraction(1, 2**13), at_least=Fraction(1, 3), semantics="real"
    ).counts
    assert exactly is not None
    assert exactly.proved == 3


def test_a_theorem_about_other_executions_is_no_proof(
    context_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = proving.prepare

    def exactly(program: Any, goals: Any, semantics: Any, budget: Any) -> Any:
        return genuine(program, goals, proving.Semantics.REAL, budget)

    monkeypatch.setattr(proving, "prepare", exactly)
    with pytest.raises(CertificateError, match="other executions"):
        range_of(context_for(copy()), (0, 1), (-1, 2))


def test_a_lowering_that_is_wrong_behind_zeros_stops_at_the_guard(
    context_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["y"]),
    ]
    values = {"w": -np.ones((1, 1), dtype=np.float32), "v": np.ones((1, 1), dtype=np.float32)}
    context = context_for(model(nodes, {"x": [1, 1]}, {"y": [1, 1]}, values))
    assert range_of(context, (1, 2), (-1, 1)).verdict is Verdict.PROVED
    genuine = proving.prepare

    def doubled(program: Any, goals: Any, *more: Any) -> Any:
        last = replace(program.nodes[-1], weights=program.nodes[-1].weights * np.float32(2))
        return genuine(replace(program, nodes=(*program.nodes[:-1], last)), goals, *more)

    monkeypatch.setattr(proving, "prepare", doubled)
    with pytest.raises(CertificateError, match="alone on random inputs"):
        range_of(context, (1, 2), (-1, 1))
