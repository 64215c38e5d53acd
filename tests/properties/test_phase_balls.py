"""Balls and ranges that rows prove only case by case, by ReLU phases."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from phase_examples import HALF, INPUTS, example

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.splitting import Leaf
from pytest_torchlean.properties import linear, run_property
from pytest_torchlean.properties import robustness as robustness_check
from pytest_torchlean.properties.linear import cases_by_phases, seconds_per_case
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty, RobustnessProperty
from pytest_torchlean.verdict import Verdict

EXAMPLE = example(9, 6, 6, share=0.5)


def shifted() -> onnx.ModelProto:
    """The example's model, with class 0 ahead of class 1 in the ball where the example's form is positive."""
    proto = onnx.ModelProto()
    proto.CopyFrom(EXAMPLE.network.proto)
    bias = next(value for value in proto.graph.initializer if value.name == "b2")
    numbers = numpy_helper.to_array(bias).copy()
    numbers[0] += np.float32(int(EXAMPLE.forms.constants[0]) / 4096)
    bias.CopyFrom(numpy_helper.from_array(numbers, "b2"))
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 2]))
    return proto


def ball(folder: Path, epsilon: Fraction = HALF, **more: Any) -> RobustnessProperty:
    path = folder / "data.npz"
    np.savez(path, inputs=np.zeros((1, INPUTS), np.float32), labels=np.zeros(1, np.int64))
    return RobustnessProperty(name="r", model="m", epsilon=epsilon, data=path, **more)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_a_ball_is_proved_case_by_case(context_for: Any, semantics: str) -> None:
    context = context_for(shifted())
    evidence = run_property(context, ball(context.root, semantics=semantics))
    assert evidence.verdict is Verdict.PROVED
    assert evidence.counts is not None
    assert evidence.counts.proved == 1


def difference() -> onnx.ModelProto:
    """The example's model with the difference of its outputs as the only one."""
    proto = onnx.ModelProto()
    proto.CopyFrom(EXAMPLE.network.proto)
    for name in ("w2", "b2"):
        value = next(value for value in proto.graph.initializer if value.name == name)
        numbers = numpy_helper.to_array(value)
        value.CopyFrom(numpy_helper.from_array(numbers[:1] - numbers[1:], name))
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 1]))
    return proto


@pytest.mark.usefixtures("library")
def test_a_range_is_proved_case_by_case(context_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lower = Fraction(-int(EXAMPLE.forms.constants[0]), 4096)
    prop = RangeProperty(
        name="r",
        model="m",
        input=Bounds(-HALF, HALF),
        output=OutputBounds(lower, None),
    )
    evidence = run_property(context_for(difference()), prop)
    assert evidence.verdict is Verdict.PROVED
    assert evidence.theorem is not None
    monkeypatch.setattr(linear, "_FEWEST_PHASES", linear.MOST_PHASES + 1)
    assert run_property(context_for(difference()), prop).verdict is Verdict.UNKNOWN


def test_without_time_for_cases_it_stays_unknown(context_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "_FEWEST_PHASES", linear.MOST_PHASES + 1)
    context = context_for(shifted())
    assert run_property(context, ball(context.root)).verdict is Verdict.UNKNOWN


def test_cases_are_left_out_where_they_cannot_decide_the_property(
    context_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that needs no further ball, and one that a misclassified input puts out of reach."""
    asked: list[float] = []
    genuine = robustness_check._by_phases
    monkeypatch.setattr(robustness_check, "_by_phases", lambda *given: asked.append(1.0) or genuine(*given))
    context = context_for(shifted())
    run_property(context, ball(context.root, at_least=Fraction(0)))
    assert asked == []
    path = context.root / "wrong.npz"
    np.savez(path, inputs=np.zeros((2, INPUTS), np.float32), labels=np.array([0, 1]))
    evidence = run_property(context, replace(ball(context.root), data=path))
    assert evidence.verdict is Verdict.REFUTED
    assert asked == []
    run_property(context, replace(ball(context.root), data=path, at_least=HALF))
    assert asked == [1.0]


def test_a_ball_with_another_class_in_it_is_not_proved(context_for: Any) -> None:
    context = context_for(shifted())
    evidence = run_property(context, ball(context.root, epsilon=Fraction(4)))
    assert evidence.verdict is not Verdict.PROVED


def test_lean_is_granted_a_share_of_the_time() -> None:
    """The first ball takes its cases from what is left for the second."""
    program = EXAMPLE.network.program
    goals = {row: (EXAMPLE.forms, EXAMPLE.box) for row in range(2)}
    assert sorted(cases_by_phases(program, goals, UNLIMITED, 2)) == [0, 1]
    assert sorted(cases_by_phases(program, goals, UNLIMITED, 1)) == [0]
    each = seconds_per_case(program)
    few = Budget(seconds=each * (linear._FEWEST_PHASES / 2 + 2) / linear.SHARE_OF_WORK)
    found = cases_by_phases(program, goals, few, 2)
    assert len(found) < 2
    assert all(isinstance(tree, Leaf) and tree.phases is not None for tree in found.values())


def test_models_with_few_inputs_are_cut_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "_FEW_INPUTS", INPUTS)
    assert cases_by_phases(EXAMPLE.network.program, {0: (EXAMPLE.forms, EXAMPLE.box)}, UNLIMITED, 1) == {}
