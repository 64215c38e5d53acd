"""Sets of rules: a certificate names the smallest that it needs, and is refused under a smaller one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from certificate_examples import Network, ball, centers, conv, mlp, quadratic, rational, residual
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.certificate.binary import document_of, encode
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.rules import Rules, rules_of
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.text import parse, render
from pytest_torchlean.checker import BuiltLibrary, LeanInstall, Outcome
from pytest_torchlean.checker.evaluate import evaluate_bytes
from pytest_torchlean.checker.sources import (
    EVALUATED,
    PARTS,
    ROOT,
    read_sources,
    restricted,
    source_directory,
)
from pytest_torchlean.properties.levels import parts_of_library

SMOOTH = f"{ROOT}.Smooth"


def bounded(network: Network, semantics: Semantics) -> Emission:
    """Every output of a small box is between -1000 and 1000."""
    outputs = network.outputs
    forms = bound_forms((Fraction(-1000),) * outputs, (Fraction(1000),) * outputs, outputs, strict=False)
    return build_emission(
        network.program, [Goal(forms, (ball(centers(network, 1)[0], Fraction(1, 256)),))], semantics
    )


def sigmoid() -> Emission:
    nodes = [helper.make_node("Sigmoid", ["x"], ["y"])]
    program = lower_to_program(lowered(model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, {})))
    forms = bound_forms((Fraction(0),) * 2, (Fraction(1),) * 2, 2, strict=False)
    return build_emission(program, [Goal(forms, (ball((Fraction(0), Fraction(1)), Fraction(1)),))])


def smooth(semantics: Semantics = Semantics.BINARY32) -> list[Emission]:
    return [sigmoid(), bounded(quadratic(1), semantics), bounded(rational(1), semantics)]


def test_the_smallest_set_is_named() -> None:
    for make in (mlp, conv, residual):
        emission = bounded(make(1), Semantics.REAL)
        assert rules_of(emission.graph) is Rules.PLAIN
        assert "Smooth" not in render([emission])
    for emission in smooth():
        text = render([emission])
        assert rules_of(emission.graph) is Rules.SMOOTH
        assert text.startswith(f"prelude\nimport {ROOT}\nimport {SMOOTH}\n")
        assert f"check Rules.smooth {emission.semantics.value} graph" in text
        assert parse(text) == (emission,)


@pytest.mark.parametrize("semantics", Semantics)
def test_smooth_nodes_are_refused_without_their_rules(wrongly_judged: Any, semantics: Semantics) -> None:
    assert wrongly_judged(smooth(semantics), True) == []
    assert wrongly_judged(smooth(semantics), False, Rules.PLAIN) == []


def test_more_rules_than_needed_do_no_harm(wrongly_judged: Any) -> None:
    plain = [bounded(make(1), Semantics.BINARY32) for make in (mlp, conv)]
    assert wrongly_judged(plain, True) == []
    assert wrongly_judged(plain, True, Rules.SMOOTH) == []


def test_the_program_refuses_them_too(lean: LeanInstall, library: BuiltLibrary) -> None:
    for emission in (*smooth(), bounded(mlp(1), Semantics.REAL)):
        needed = rules_of(emission.graph)
        for rules in Rules:
            result = evaluate_bytes(
                encode(document_of((emission,))),
                expected=(1, 0),
                rules=rules,
                built=library,
                lean=lean,
                wall_seconds=60,
                memory_mb=2048,
            )
            fits = rules in (needed, Rules.SMOOTH)
            assert result.outcome is (Outcome.ACCEPTED if fits else Outcome.REFUSED), result.detail


def test_what_is_built_for_a_network() -> None:
    plain, curved = bounded(mlp(1), Semantics.REAL).graph, sigmoid().graph
    assert parts_of_library("kernel", plain) == ()
    assert parts_of_library("evaluated", plain) == (EVALUATED,)
    assert parts_of_library("kernel", curved) == (SMOOTH,)
    assert set(parts_of_library("evaluated", curved)) == set(PARTS)


def test_the_root_and_the_program_need_no_smooth_module() -> None:
    """A user of ReLU networks builds none of the modules that only smooth nodes need."""
    whole = read_sources(source_directory(), ROOT, *PARTS)
    smooth_only = {
        f"{ROOT}.{name}"
        for name in (
            "Smooth",
            "Check.Bilinear",
            "Check.BilinearSum",
            "Check.CircleLaws",
            "Check.Concave",
            "Check.Curve",
            "Check.Exponential",
            "Check.Linearize.Product",
            "Check.Linearize.Ratio",
            "Check.Logarithm",
            "Check.Quotient",
            "Check.QuotientBounds",
            "Check.Relaxation.Slide",
            "Check.Residual",
            "Check.Rise",
            "Check.Root",
            "Check.Sign",
            "Check.Stepwise",
        )
    }
    assert smooth_only <= set(restricted(whole, SMOOTH).modules)
    for roots in ((ROOT,), (ROOT, EVALUATED)):
        assert not smooth_only & set(restricted(whole, *roots).modules)
