"""Certified radii, on models whose radii are known by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean.properties import run_property
from pytest_torchlean.properties.radius import radii_tried
from pytest_torchlean.spec.builders import certified_radius
from pytest_torchlean.spec.model import Bounds, RadiusProperty
from pytest_torchlean.verdict import Evidence, Verdict

EIGHTH = Fraction(1, 8)


def sign_model() -> onnx.ModelProto:
    """Class 0 where x > 0, class 1 where x < 0: the radius of x is just below |x|."""
    weights = np.array([[1.0, -1.0]], dtype=np.float32)
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"])
    return model([node], {"x": [1, 1]}, {"y": [1, 2]}, {"w": weights, "b": np.zeros(2, np.float32)})


def folded_model() -> onnx.ModelProto:
    """y0 = relu(x0 + 1) - relu(x0) + 1/4 against y1 = 1/2: intervals lose that both terms read x0."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["a"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Gemm", ["r", "v", "c"], ["y"]),
    ]
    weights = {
        "w": np.array([[1.0, 1.0]], np.float32),
        "b": np.array([1.0, 0.0], np.float32),
        "v": np.array([[1.0, 0.0], [-1.0, 0.0]], np.float32),
        "c": np.array([0.25, 0.5], np.float32),
    }
    return model(nodes, {"x": [1, 1]}, {"y": [1, 2]}, weights)


def prop(folder: Path, inputs: Any, labels: Any, **more: Any) -> RadiusProperty:
    path = folder / "data.npz"
    np.savez(path, inputs=np.asarray(inputs, dtype=np.float32), labels=np.asarray(labels, dtype=np.int64))
    given = {"name": "r", "model": "m", "epsilon": EIGHTH, "up_to": Fraction(1), "steps": 3, "data": path}
    return RadiusProperty(**(given | more))


def radii(evidence: Evidence) -> dict[int, Fraction]:
    return {found.index: found.radius for found in evidence.radii}


def test_the_radii_tried_are_equal_steps_and_the_claimed_one() -> None:
    tried = radii_tried(certified_radius(epsilon="1/10", up_to="1/2", steps=2, data="d.npz"))
    assert tried == tuple(Fraction(text) for text in ("1/10", "1/8", "1/4", "3/8", "1/2"))


@pytest.mark.usefixtures("library")
class TestRadius:
    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_each_input_gets_the_largest_radius_below_its_true_one(
        self, context_for: Any, tmp_path: Path, semantics: str
    ) -> None:
        claimed = prop(tmp_path, [[0.5], [-0.8], [0.3], [2.0]], [0, 1, 0, 0], semantics=semantics)
        evidence = run_property(context_for(sign_model()), claimed)
        assert evidence.verdict is Verdict.PROVED
        assert evidence.assurance == "kernel"
        assert radii(evidence) == {0: Fraction(3, 8), 1: Fraction(3, 4), 2: Fraction(1, 4), 3: Fraction(1)}
        assert evidence.counts is not None
        assert evidence.counts.proved == 4

    def test_an_input_whose_radius_is_too_small_is_refuted(self, context_for: Any, tmp_path: Path) -> None:
        context = context_for(sign_model())
        claimed = prop(tmp_path, [[0.5], [0.2], [-1.0]], [0, 0, 0], epsilon=Fraction(1, 4))
        evidence = run_property(context, claimed)
        assert evidence.verdict is Verdict.REFUTED
        assert evidence.counts is not None
        assert (evidence.counts.proved, evidence.counts.refuted, evidence.counts.misclassified) == (1, 1, 1)
        assert radii(evidence) == {0: Fraction(3, 8), 1: EIGHTH, 2: 0}
        assert [witness.index for witness in evidence.witnesses] == [1]

    def test_a_share_of_the_inputs_may_be_enough(self, context_for: Any, tmp_path: Path) -> None:
        claimed = prop(tmp_path, [[0.5], [0.01]], [0, 0], at_least=Fraction(1, 2), indices=(1, 0))
        evidence = run_property(context_for(sign_model()), claimed)
        assert evidence.verdict is Verdict.PROVED
        assert radii(evidence) == {1: 0, 0: Fraction(3, 8)}

    def test_the_ball_is_cut_to_the_domain(self, context_for: Any, tmp_path: Path) -> None:
        domain = Bounds(EIGHTH, Fraction(2))
        claimed = prop(tmp_path, [[0.5]], [0], domain=domain)
        evidence = run_property(context_for(sign_model()), claimed)
        assert radii(evidence) == {0: 1}

    def test_rows_serve_where_intervals_do_not_reach_the_claim(
        self, context_for: Any, tmp_path: Path
    ) -> None:
        claimed = prop(tmp_path, [[0.0]], [0], epsilon=Fraction(1, 2))
        evidence = run_property(context_for(folded_model()), claimed)
        assert evidence.verdict is Verdict.PROVED
        assert radii(evidence)[0] >= Fraction(1, 2)

    def test_what_lean_does_not_accept_has_no_radius(
        self, context_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pytest_torchlean.errors import CheckerError
        from pytest_torchlean.properties import tally

        def refuse(*_: object, **__: object) -> None:
            raise CheckerError("TL0603", "Lean refused")

        monkeypatch.setattr(tally, "prove", refuse)
        evidence = run_property(context_for(sign_model()), prop(tmp_path, [[0.5]], [0]))
        assert evidence.verdict is Verdict.ERROR
        assert radii(evidence) == {0: 0}
