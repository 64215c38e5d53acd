"""A clause by a sum of its rows: what it proves, where it ends, and that Lean says the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from certificate_examples import accepted, false_at
from mutants.weighted import changed_weights, conclusion_of, false_clauses, ordered_emission, with_weights
from onnx import helper
from onnx_models import model

from pytest_torchlean.bounds.weights import clause_weights, lower_bounds, weighted_clauses
from pytest_torchlean.certificate.binary import decode, document_of, encode
from pytest_torchlean.certificate.model import Emission, WeightedData
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.text import parse, render
from pytest_torchlean.checker import BuiltLibrary, LeanInstall, Outcome
from pytest_torchlean.checker.evaluate import evaluate
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.properties import PropertyContext, run_property
from pytest_torchlean.spec.model import VnnlibProperty
from pytest_torchlean.verdict import Verdict

Judge = Callable[[Sequence[Emission], bool], list[int]]


class TestSearch:
    def test_a_row_that_is_positive_alone_is_taken(self) -> None:
        rows = np.array([[1.0, 0.0], [0.0, 1.0]])
        weights, least = clause_weights(rows, np.array([-5.0, 2.0]), np.array([5.0, 3.0]))
        assert weights.tolist() == [0.0, 1.0]
        assert least == 2.0

    def test_what_cancels_is_found(self) -> None:
        """x - 3 y + 1 and 2 y - x / 3 - 0.3: only the ratio 2 to 3 leaves no y, and x > -2."""
        rows = np.array([[1.0, -3.0, 1.0], [0.0, 2.0, -0.3]])
        low, high = np.array([0.0, -100.0, 1.0]), np.array([1.0, 100.0, 1.0])
        weights, least = clause_weights(rows, low, high)
        assert least > -3.0
        assert weights[0] * 3 == pytest.approx(weights[1] * 2, rel=0.05)
        assert lower_bounds(weights[None], rows, low, high)[0] == least

    def test_every_clause_has_its_own(self) -> None:
        rows = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
        low, high = np.array([2.0, -9.0, 0.5]), np.array([3.0, 9.0, 1.0])
        weights, least = weighted_clauses(rows, 2, low, high)
        assert [own.tolist() for own in weights] == [[1.0, 1.0], [1.0, 0.0]]
        assert least == 0.5


@pytest.mark.parametrize("semantics", Semantics)
def test_a_sum_proves_what_no_row_does(semantics: Semantics, wrongly_judged: Judge) -> None:
    emission = ordered_emission(Fraction(1), semantics)
    how = conclusion_of(emission)
    alone = [
        with_weights(emission, WeightedData(how.forms, how.bits, how.size, (own,)))
        for own in ((1, 0), (0, 1))
    ]
    assert accepted(emission) == [[True]]
    assert [accepted(one) for one in alone] == [[[False]]] * 2
    assert wrongly_judged([emission], True) == []
    assert wrongly_judged(alone, False) == []


@pytest.mark.parametrize("semantics", Semantics)
def test_the_forecast_ends_where_lean_does(semantics: Semantics, wrongly_judged: Judge) -> None:
    grid = 1 << 22
    low, high = grid, 4 * grid
    while high - low > 1:
        middle = (low + high) // 2
        fine = accepted(ordered_emission(Fraction(middle, grid), semantics)) == [[True]]
        low, high = (middle, high) if fine else (low, middle)
    assert Fraction(low, grid) < 2
    assert Fraction(low, grid) > 2 - Fraction(1, 1000)
    assert wrongly_judged([ordered_emission(Fraction(low, grid), semantics)], True) == []
    assert wrongly_judged([ordered_emission(Fraction(high, grid), semantics)], False) == []


def test_text_and_document_come_back(lean: LeanInstall, library: BuiltLibrary) -> None:
    emission = ordered_emission(Fraction(1))
    assert parse(render([emission])) == (emission,)
    document = document_of([emission])
    assert decode(encode(document)).emissions == (emission,)
    result = evaluate(document, built=library, lean=lean, wall_seconds=60, memory_mb=2048)
    assert result.outcome is Outcome.ACCEPTED


def test_changed_weights_and_false_clauses_are_refused(wrongly_judged: Judge) -> None:
    true, false = list(changed_weights()), list(false_clauses())
    truths = [ordered_emission(Fraction(1), semantics) for semantics in Semantics]
    assert all(mutant not in truths for mutant in (*true, *false))
    assert all(accepted(mutant) == [[False]] for mutant in (*true, *false))
    assert all(false_at(mutant) is not None for mutant in false)
    assert wrongly_judged([*true, *false], False) == []


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("bound", "verdict"), [("1.0", Verdict.PROVED), ("3.5", Verdict.REFUTED)])
def test_from_a_file_to_the_verdict(tmp_path: Path, bound: str, verdict: Verdict) -> None:
    """Unsafe: y0 <= y1 + bound and y1 <= y2. y1 is anything; y0 >= y2 + 2."""
    weights = {
        "w": np.array([[0, 8, 0], [0, 8, 0]], dtype=np.float32),
        "b": np.array([3, 0, 1], dtype=np.float32),
    }
    path, file = tmp_path / "model.onnx", tmp_path / "order.vnnlib"
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"])
    path.write_bytes(model([node], {"x": [1, 2]}, {"y": [1, 3]}, weights).SerializeToString())
    names = [f"(declare-const {name} Real)" for name in ("X_0", "X_1", "Y_0", "Y_1", "Y_2")]
    box = "(assert (<= X_0 1))(assert (>= X_0 -1))(assert (<= X_1 1))(assert (>= X_1 -1))"
    asserts = f"(assert (<= Y_0 (+ Y_1 {bound})))(assert (<= Y_1 Y_2))"
    file.write_text("\n".join([*names, box, asserts]))
    loaded = load_model(path, root=tmp_path)
    context = PropertyContext(loaded, lower(loaded), tmp_path, time.monotonic() + 120)
    evidence = run_property(context, VnnlibProperty(name="p", model="m", file=file))
    assert evidence.verdict is verdict
