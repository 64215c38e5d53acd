"""Numbers for a report's pictures: true of what was run, bounded, and no part of a verdict."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import two_layers

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.properties import run_property
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.seen import histogram, sampled_outputs
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty, RobustnessProperty
from pytest_torchlean.verdict import Verdict

UNIT = Bounds(Fraction(0), Fraction(1))


def test_samples_of_a_range_lie_in_its_bounds(context_for: Any) -> None:
    """y = |x0 - x1| is in [0, 1] on the unit box; the corners are among the points."""
    prop = RangeProperty(
        name="r", model="m", input=UNIT, output=OutputBounds(Fraction(1, 2), None), semantics="real"
    )
    evidence = run_property(context_for(two_layers()), prop)
    assert evidence.verdict is Verdict.REFUTED
    assert evidence.claimed == {"lower": ("1/2",)}
    assert evidence.bounds is not None
    assert evidence.sampled is not None
    assert evidence.sampled.points == 32
    (low,), (high,) = (from_hex_all(side) for side in (evidence.sampled.lower, evidence.sampled.upper))
    assert (
        Fraction(evidence.bounds["lower"][0])
        <= 0
        <= low
        <= high
        <= 1
        <= Fraction(evidence.bounds["upper"][0])
    )
    assert (low, high) == (0, 1)


def test_samples_are_the_same_every_time(context_for: Any) -> None:
    context = context_for(two_layers())
    executions = Executions(context.model, context.graph)
    box = RationalBox((Fraction(0),) * 2, (Fraction(1, 3),) * 2)
    assert sampled_outputs(executions, box) == sampled_outputs(executions, box)


def test_no_samples_where_there_is_no_number_or_no_finite_output(context_for: Any) -> None:
    context = context_for(two_layers())
    executions = Executions(context.model, context.graph)
    between = Fraction(1, 3)
    assert sampled_outputs(executions, RationalBox((between,) * 2, (between,) * 2)) is None
    huge = Fraction(2) ** 128 - Fraction(2) ** 104
    assert sampled_outputs(executions, RationalBox((huge, -huge), (huge, -huge))) is None


def test_samples_decide_nothing(context_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a runtime that refuses nor the end of the time is an error of a picture."""
    context = context_for(two_layers())
    executions = Executions(context.model, context.graph)
    box = RationalBox((Fraction(0),) * 2, (Fraction(1),) * 2)
    assert sampled_outputs(executions, box, Budget(0.0)) is None

    def refuse(*_: object) -> None:
        raise RuntimeFailure("TL0703", "refused")

    monkeypatch.setattr(Executions, "runtime", refuse)
    assert sampled_outputs(executions, box) is None


def test_margins_count_the_inputs_classified_right(tmp_path: Path, context_for: Any) -> None:
    from test_range_and_robustness import dense_model

    data = tmp_path / "data.npz"
    inputs = np.array([[1, 0], [0, 1], [0.75, 0.5], [0, 1]], dtype=np.float32)
    np.savez(data, inputs=inputs, labels=np.array([0, 1, 0, 0]))
    context = context_for(dense_model([[1, 0], [0, 1]], [0, 0]))
    assert lower_to_program(context.graph).inputs == 2
    prop = RobustnessProperty(name="r", model="m", epsilon=Fraction(1, 4), data=data, semantics="real")
    evidence = run_property(context, prop)
    assert evidence.counts is not None
    assert evidence.counts.misclassified == 1
    assert evidence.margins is not None
    assert sum(evidence.margins.counts) == 3
    edges = [float(edge) for edge in evidence.margins.edges]
    assert edges[0] <= -0.25 <= 0.5 <= edges[-1]
    assert evidence.margins.counts[0] == 1


class TestHistogram:
    @pytest.mark.parametrize(
        "numbers",
        [[0.0], [1e-300, 2e-300], [-3.0, 7.0, 7.0], [1e30, -1e30], [5.0] * 9, [-0.1, 0.1], [1e-9, 1e9]],
    )
    def test_every_number_is_counted_between_its_edges(self, numbers: list[float]) -> None:
        found = histogram(np.array(numbers))
        assert found is not None
        assert sum(found.counts) == len(numbers)
        assert len(found.edges) == len(found.counts) + 1 <= 45
        edges = [float(edge) for edge in found.edges]
        assert edges == sorted(edges)
        slack = 1e-9 * max(map(abs, edges))
        assert edges[0] <= min(numbers) + slack
        assert max(numbers) <= edges[-1] + slack

    def test_what_is_not_finite_is_left_out(self) -> None:
        found = histogram(np.array([np.inf, 1.0, np.nan]))
        assert found is not None
        assert sum(found.counts) == 1
        assert histogram(np.array([np.inf])) is None
        assert histogram(np.array([])) is None
