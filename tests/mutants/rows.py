"""Backward rows: a claim that needs them, changed rows, and claims that none prove."""

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
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import (
    ConcludeScript,
    Emission,
    NodeScript,
    RelaxedData,
    ScriptData,
    TightenScript,
)
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.substitution import RelaxationData


@cache
def deep_program() -> Program:
    """y = max(c0, 0) + max(c1, 0) with c = (r0 + r1, r0 - r1), r = (max(x0 + x1, 0), max(x0 - x1, 0))."""
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "v"], ["y"]),
    ]
    weights = {
        "w": np.array([[1, 1], [1, -1]], dtype=np.float32),
        "v": np.ones((2, 1), dtype=np.float32),
    }
    return lower_to_program(lowered(model(nodes, {"x": [1, 2]}, ["y"], weights)))


def deep_emission(bound: Fraction, semantics: Semantics = Semantics.REAL) -> Emission:
    """y at most `bound` on [-1, 1]^2, with backward rows. Intervals prove 6, rows 5; y is 4 at a corner."""
    box = RationalBox((Fraction(-1),) * 2, (Fraction(1),) * 2)
    account = prepare(deep_program(), [Goal(bound_forms(None, [bound], 1, False), (box,))], semantics)
    claim = account.emission.claims[0]
    chosen, _, _ = relaxed_script(account, claim, claim.boxes[0])
    return with_script(account.emission, chosen)


def changed_rows() -> Iterator[Emission]:
    """The claim that y is at most 5 with other slopes, sizes and links that do not prove it."""
    emission = deep_emission(Fraction(5))
    account = Account(emission)
    (own,) = emission.certificate.scripts[0]
    for new in _changed_parts(own):
        if not account.forecast(emission.claims[0], new).accepted.all():
            yield with_script(emission, new)


def _changed_parts(script: ScriptData) -> Iterator[ScriptData]:
    if isinstance(script, NodeScript):
        yield from (replace(script, rest=rest) for rest in _changed_parts(script.rest))
    elif isinstance(script, TightenScript):
        yield script.rest
        yield from (replace(script, rows=rows) for rows in _changed_relaxation(script.rows))
        yield from (replace(script, rest=rest) for rest in _changed_parts(script.rest))
    elif isinstance(script, ConcludeScript) and isinstance(script.how, RelaxedData):
        for rows in _changed_relaxation(script.how.rows):
            yield ConcludeScript(replace(script.how, rows=rows))
        for size in (0, 2):
            yield ConcludeScript(replace(script.how, shift=script.how.shift + 9, size=size))


def _changed_relaxation(rows: RelaxationData) -> Iterator[RelaxationData]:
    for name, by in (
        ("digit", -50),
        ("width", -1),
        ("width", -3),
        ("rows", 1),
        ("start", 1),
        ("start", 40),
        ("goals", 7),
    ):
        yield replace(rows, **{name: getattr(rows, name) + by})
    yield replace(rows, links=rows.links[::-1])
    for place, link in enumerate(rows.links):
        for name in vars(link):
            for by in (-1, 1, 5, 1 << 9):
                value = getattr(link, name) + by
                if value >= 0:
                    changed = replace(link, **{name: value})  # type: ignore[type-var]
                    yield replace(rows, links=(*rows.links[:place], changed, *rows.links[place + 1 :]))


def false_rows() -> Iterator[Emission]:
    """Bounds that y exceeds at a corner, with the best rows."""
    for bound in (Fraction(7, 2), Fraction(31, 8), Fraction(3), Fraction(2), Fraction(0), Fraction(-1)):
        yield deep_emission(bound)
