"""A claim that two phases prove with a multiplier each: changed multipliers, and false claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
from certificate_examples import Network
from onnx import helper
from onnx_models import model
from relaxation_examples import emission_of

from mutants.scripts import with_script
from pytest_torchlean.bounds.program import FIRST_INPUT
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import matrix_of
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.model import (
    NO_STEP,
    ConcludeScript,
    Emission,
    NodeScript,
    RelaxedData,
    ScriptData,
    SplitScript,
)
from pytest_torchlean.certificate.relaxation import conclude
from pytest_torchlean.certificate.rows import Box, PassedNode, Slopes
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.states import State, cut
from pytest_torchlean.certificate.substitution import MultiplierData, MultiplyData
from pytest_torchlean.certificate.words import decoding_of, patterns_of

NUMBERS = (10.0, -20.0)
"""The multiplier of each phase: what the sum of the inputs counts for in the row that is positive there."""


def phases() -> Network:
    """y0 = max(x0 + x1, 0), y1 = -x0 - x1, through neurons that hide what they have in common."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v", "c"], ["y"]),
    ]
    weights = {
        "w": np.array([[1, 1, 0], [1, 0, 1]], np.float32),
        "b": np.array([0, 2, 2], np.float32),
        "v": np.array([[1, 0], [0, -1], [0, -1]], np.float32),
        "c": np.array([0, 4], np.float32),
    }
    return Network(model(nodes, {"x": [1, 2]}, ["y"], weights), 2, 2)


EITHER = Forms(
    np.array([[20, 0], [0, 10]], dtype=object), np.array([-1, 1], dtype=object), strict=True, alternatives=2
)
"""y0 > 1/20 or y1 > -1/10: true, because x0 + x1 is above 1/20 or below 1/10."""


def proof(emission: Emission, *numbers: float) -> tuple[Emission, bool]:
    """The two phases of the first neuron, cut a little above 0, with a multiplier in each."""
    account, claim = Account(emission), emission.claims[0]
    own = decoding_of(patterns_of(claim.property.forms))
    forms = PassedNode(claim.property.forms, 0, own, matrix_of(claim.property.forms, own))
    scale, steps = emission.certificate.scale, account.steps(claim.boxes)
    neuron = FIRST_INPUT + emission.graph.inputs
    value = scale.center + scale.unit * 3 // 40
    start = account.node(steps[0], account.start(claim.boxes))

    def case(state: State, row: int, number: float) -> tuple[ScriptData, bool]:
        box = Box(scale, state.lower[:, 0], state.upper[:, 0])
        low, high = box.reaches(slice(neuron, neuron + 3))
        lower = np.where(high > low, 256, 0).astype(np.int64)
        chord = np.array(
            [-(-int(u) * 256 // max(1, int(u) + int(d))) for d, u in zip(low, high, strict=True)]
        )
        chord = np.where(low == 0, 256, chord).astype(np.int64)
        relu_slot = len(state.lower)
        step_relu, step_affine = NO_STEP, steps[2]
        after = account.node(step_affine, account.node(step_relu, state))
        slopes = {relu_slot: Slopes(8, lower, chord)}
        table = np.zeros((2, 3))
        table[row, 0] = number
        chosen = {relu_slot: table} if number else {}
        how, _ = conclude(
            Box(scale, after.lower[:, 0], after.upper[:, 0]), after.history_of(0), slopes, forms, chosen
        )
        seen = account.conclude(how, claim.property, after)
        return NodeScript(step_relu, NodeScript(step_affine, ConcludeScript(how))), bool(seen.accepted[0])

    below, fine = case(cut(start, neuron, value, below=True), 1, numbers[0])
    above, also = case(cut(start, neuron, value, below=False), 0, numbers[1])
    script = NodeScript(steps[0], SplitScript(neuron, value, below, above))
    forecast = account.forecast(claim, script)
    assert bool(forecast.accepted[0]) == (fine and also)
    certificate = replace(emission.certificate, scripts=((script,),))
    return replace(emission, certificate=certificate), fine and also


def phases_truth(semantics: Semantics = Semantics.REAL) -> Emission:
    """The claim with a certificate that proves it."""
    emission, fine = proof(emission_of(phases(), EITHER, Fraction(1), semantics), *NUMBERS)
    assert fine
    return emission


def changed_multipliers() -> Iterator[Emission]:
    """The same true claim with multipliers that do not prove it, or that do not fit the rows."""
    for semantics in Semantics:
        emission = phases_truth(semantics)
        (script,) = emission.certificate.scripts[0]
        account, claim = Account(emission), emission.claims[0]
        for changed in _changed(script):
            if not account.forecast(claim, changed).accepted.all():
                yield with_script(emission, changed)


def _changed(script: ScriptData) -> Iterator[ScriptData]:
    if isinstance(script, NodeScript):
        yield from (replace(script, rest=rest) for rest in _changed(script.rest))
    elif isinstance(script, SplitScript):
        yield from (replace(script, below=below) for below in _changed(script.below))
        yield from (replace(script, above=above) for above in _changed(script.above))
    elif isinstance(script, ConcludeScript) and isinstance(script.how, RelaxedData):
        rows = script.how.rows
        for place, link in enumerate(rows.links):
            if isinstance(link, MultiplyData):
                for new in _changed_link(link):
                    links = (*rows.links[:place], *new, *rows.links[place + 1 :])
                    yield ConcludeScript(replace(script.how, rows=replace(rows, links=links)))


def _changed_link(link: MultiplyData) -> Iterator[tuple[MultiplyData, ...]]:
    (one,) = link.multipliers
    others: tuple[MultiplierData, ...] = (
        replace(one, row=1 - one.row),
        replace(one, row=2),
        replace(one, place=one.place + 1),
        replace(one, place=3),
        replace(one, amount=one.amount // 2),
        replace(one, amount=one.amount + one.amount // 2),
        replace(one, amount=one.amount << 24),
        replace(one, upper=not one.upper),
    )
    yield ()
    yield from ((replace(link, multipliers=(other,)),) for other in others)
    yield (replace(link, multipliers=(one, one)),)
    yield (replace(link, size=link.size - 4),)
    yield (replace(link, size=link.size + 64),)
    yield (link, link)


def false_phases() -> Iterator[Emission]:
    """y0 > a/20 or y1 > b/10 where a corner makes both wrong, with the same multipliers."""
    for a, b in (
        (5, 0),
        (5, 1),
        (6, 0),
        (9, -1),
        (19, 0),
        (12, 5),
        (0, 18),
        (1, 20),
        (45, -20),
        (0, 19),
        (3, 18),
        (50, -22),
        (5, -2),
    ):
        constants = np.array([-a, -b], dtype=object)
        for semantics in Semantics:
            claim = replace(EITHER, constants=constants)
            yield proof(emission_of(phases(), claim, Fraction(1), semantics), *NUMBERS)[0]
