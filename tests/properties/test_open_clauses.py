"""Clauses of a large model that need no search are asked apart from those of the same box that do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.stated import stated
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
    """Two layers of ReLUs behind a convolution of a map of 5 by 5, and one number."""
    rng = np.random.default_rng(5)
    shapes = {"k": (3, 1, 2, 2), "kb": (3,), "v": (48, 8), "vb": (8,), "w": (8, 1)}
    weights = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    nodes = [
        helper.make_node("Conv", ["x", "k", "kb"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Flatten", ["b"], ["c"]),
        helper.make_node("Gemm", ["c", "v", "vb"], ["d"]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "w"], ["y"]),
    ]
    return model(nodes, {"x": [1, 1, 5, 5]}, {"y": [1, 1]}, weights)


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
def test_clauses_are_parted_by_what_proves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    program = lower_to_program(lowered(convolution()))
    low, high = np.full(25, -0.5), np.full(25, 0.5)
    rows = np.zeros((1, program.size))
    rows[0, program.outputs] = 1
    without = replace(crown.STATED, at_positions=False)
    quick = float(crown.minimum(crown.bound(program, low[None], high[None], without), rows)[0, 0])
    known = stated(program, low, high, rows, 1)
    served = float(known.least[0])
    assert quick < served - 0.1
    box = "".join(f"(declare-const X_{i} Real)\n(assert (<= -0.5 X_{i} 0.5))\n" for i in range(25))

    def groups(*bounds: float) -> list[list[int]]:
        cases = " ".join(f"(<= Y_0 {bound:.6f})" for bound in bounds)
        text = f"{box}(declare-const Y_0 Real)\n(assert (or {cases}))"
        whole = read_unsafe_set(text.encode(), "p")
        (asked,) = questions(whole)
        return [[whole.cases.index(case) for case in own.cases] for own in parted(program, whole, (asked,))]

    easy, middle, hard = quick - 0.1, served - 0.05, served + 0.4
    assert groups(hard, easy, middle, easy - 1) == [[1, 3], [2], [0]]
    assert groups(hard, hard + 0.001) == [[0, 1]]
    monkeypatch.setattr(open_clauses, "_FEW_CASES", 1)
    assert groups(hard, middle, hard + 0.001) == [[1], [0], [2]]


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
