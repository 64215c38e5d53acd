"""Clauses that a sum of rows proves and no row alone: changed weights, and claims that no weights prove."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
from onnx import helper
from onnx_models import lowered, model

from mutants.scripts import with_script
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import ConcludeScript, Emission, NodeScript, WeightedData
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import Semantics

UNIT_BOX = RationalBox((Fraction(-1),) * 2, (Fraction(1),) * 2)


@cache
def ordered_program() -> Program:
    """y0 = max(x0, 0) + 2, y1 = 4 x0 + 4 x1, y2 = -max(x1, 0)."""
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v", "b"], ["y"]),
    ]
    weights = {
        "w": np.array([[1, 0, 1, -1], [0, 1, 1, -1]], dtype=np.float32),
        "v": np.array([[1, 0, 0], [0, 0, -1], [0, 4, 0], [0, -4, 0]], dtype=np.float32),
        "b": np.array([2, 0, 0], dtype=np.float32),
    }
    return lower_to_program(lowered(model(nodes, {"x": [1, 2]}, ["y"], weights)))


def ordered_forms(gap: Fraction, strict: bool = True) -> Forms:
    """y0 - y1 > gap or y1 - y2 > 0: if y0 - y2 > gap, one of them. It is 2 at the least."""
    down = gap.denominator
    rows = np.array([[down, -down, 0], [0, down, -down]], dtype=object)
    return Forms(rows, np.array([-gap.numerator, 0], dtype=object), strict, alternatives=2)


def ordered_emission(gap: Fraction, semantics: Semantics = Semantics.REAL) -> Emission:
    """With the weights that the producer finds, whether they prove it or not."""
    account = prepare(ordered_program(), [Goal(ordered_forms(gap), (UNIT_BOX,))], semantics)
    claim = account.emission.claims[0]
    chosen, _, _ = relaxed_script(account, claim, claim.boxes[0])
    return with_script(account.emission, chosen)


def conclusion_of(emission: Emission) -> WeightedData:
    (script,) = emission.certificate.scripts[0]
    while not isinstance(script, ConcludeScript):
        script = script.rest  # type: ignore[union-attr]
    assert isinstance(script.how, WeightedData)
    return script.how


def with_weights(emission: Emission, how: WeightedData) -> Emission:
    def changed(script: object) -> object:
        if isinstance(script, ConcludeScript):
            return ConcludeScript(how)
        return replace(script, rest=changed(script.rest))  # type: ignore[attr-defined, type-var]

    (script,) = emission.certificate.scripts[0]
    return with_script(emission, changed(script))  # type: ignore[arg-type]


def changed_weights() -> Iterator[Emission]:
    """The same true claim with weights and sizes that do not prove it."""
    for semantics in Semantics:
        emission = ordered_emission(Fraction(1), semantics)
        how = conclusion_of(emission)
        ((first, second),) = how.weights
        for weights in (
            (), ((),), ((0, 0),), ((first, 0),), ((0, second),), ((first,),), ((first, 2 * second // 3),),
            ((first // 2, second),), ((first, second, 1),), ((first, second, 0),), ((first,), (second,)),
            ((first, second), (first, second)), ((first, second), ()), ((first << 20, second << 20),),
        ):  # fmt: skip
            yield with_weights(emission, replace(how, weights=weights))
        for size in (0, how.size - 1, how.size // 2, 32 * emission.claims[0].property.forms.lanes):
            yield with_weights(emission, replace(how, size=size))
        for bits in (0, 40, 4096):
            yield with_weights(emission, replace(how, bits=bits))
        (script,) = emission.certificate.scripts[0]
        assert isinstance(script, NodeScript)
        yield with_script(emission, ConcludeScript(how))


def false_clauses() -> Iterator[Emission]:
    """Gaps that are too large at some input, under both semantics."""
    for gap in (Fraction(17, 8), Fraction(9, 4), Fraction(5, 2), Fraction(3), Fraction(6)):
        for semantics in Semantics:
            yield ordered_emission(gap, semantics)
