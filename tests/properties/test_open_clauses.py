"""Clauses of a large model that need no search are asked apart from those of the same box that do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.properties import open_clauses, run_property
from pytest_torchlean.properties.open_clauses import parted
from pytest_torchlean.properties.unsafe import questions
from pytest_torchlean.spec.model import VnnlibProperty
from pytest_torchlean.spec.vnnlib import UnsafeSet, read_unsafe_set
from pytest_torchlean.verdict import Verdict

HEAD = "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const Y_0 Real)\n"
UNIT = "(assert (<= 0 X_0 1))\n(assert (<= 0 X_1 1))\n"
FAR, FARTHER = "(>= Y_0 3)", "(<= Y_0 -2)"
NEAR = "(and (<= (+ X_0 (* 3 X_1)) 0.5) (>= Y_0 0.875))"
"""Excluded by cuts of the box, not by rows over all of it."""


def first_input() -> onnx.ModelProto:
    """y = x0 + 0 x1."""
    node = helper.make_node("Gemm", ["x", "w"], ["y"])
    return model([node], {"x": [1, 2]}, {"y": [1, 1]}, {"w": np.array([[1], [0]], dtype=np.float32)})


def convolution() -> onnx.ModelProto:
    """Differences of neighbours among three."""
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    return model([node], {"x": [1, 1, 3]}, {"y": [1, 1, 2]}, {"w": np.array([[[1, -1]]], dtype=np.float32)})


def unsafe(*cases: str) -> UnsafeSet:
    return read_unsafe_set(f"{HEAD}{UNIT}(assert (or {' '.join(cases)}))".encode(), "p")


@pytest.fixture
def of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_clauses, "_SLOTS", range(1 << 20))


@pytest.mark.usefixtures("of_any_size")
@pytest.mark.parametrize(
    ("cases", "groups"),
    [
        ((FAR, NEAR, FARTHER), [(0, 2), (1,)]),
        ((NEAR, NEAR), [(0,), (1,)]),
        ((NEAR, FAR, NEAR), [(1,), (0,), (2,)]),
        ((FAR, FARTHER), [(0, 1)]),
        ((NEAR,), [(0,)]),
    ],
)
def test_every_case_is_in_one_question(cases: tuple[str, ...], groups: list[tuple[int, ...]]) -> None:
    whole = unsafe(*cases)
    (asked,) = questions(whole)
    found = parted(lower_to_program(lowered(first_input())), whole, (asked,))
    assert [own.cases for own in found] == [tuple(whole.cases[place] for place in own) for own in groups]
    size = asked.forms.alternatives
    for own, places in zip(found, groups, strict=True):
        assert own.box is asked.box
        assert own.forms.strict == asked.forms.strict
        assert own.forms.coefficients.shape[0] == own.forms.alternatives * len(places)
        assert own.forms.alternatives <= size


@pytest.mark.usefixtures("of_any_size")
def test_what_only_rows_behind_convolutions_prove_is_asked_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = {"_reached": [1.0, -1.0, -1.0], "_reached_at_positions": [1.0, 1.0, 1.0]}
    for name, found in reached.items():
        monkeypatch.setattr(open_clauses, name, lambda *_, found=found: np.array(found))
    whole = unsafe(FAR, FARTHER, NEAR)
    program = lower_to_program(lowered(first_input()))
    (asked,) = questions(whole)
    alike = [own.cases for own in parted(program, whole, (asked,))]
    assert alike == [whole.cases[:1], whole.cases[1:2], whole.cases[2:]]
    convolutional = lower_to_program(lowered(convolution()))
    assert convolutional.at_positions
    apart = [own.cases for own in parted(convolutional, whole, (asked,))]
    assert apart == [whole.cases[:1], whole.cases[1:]]


def test_small_models_are_asked_at_once() -> None:
    whole = unsafe(FAR, NEAR)
    asked = questions(whole)
    assert parted(lower_to_program(lowered(first_input())), whole, asked) == asked


@pytest.mark.usefixtures("library", "of_any_size")
@pytest.mark.parametrize(
    ("cases", "verdict"),
    [((FAR, NEAR), Verdict.PROVED), ((FAR, "(>= Y_0 0.875)"), Verdict.REFUTED)],
)
def test_both_questions_count(
    cases: tuple[str, ...], verdict: Verdict, tmp_path: Path, context_for: Any
) -> None:
    file = tmp_path / "prop.vnnlib"
    file.write_text(f"{HEAD}{UNIT}(assert (or {' '.join(cases)}))")
    evidence = run_property(context_for(first_input()), VnnlibProperty(name="p", model="m", file=file))
    assert evidence.verdict is verdict
    if verdict is Verdict.PROVED:
        assert "2 cases in 1 box are excluded" in evidence.found
