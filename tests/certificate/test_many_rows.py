"""Properties with more rows than the graph has slots, by backward rows: Lean says what is forecast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from certificate_examples import Network
from relaxation_examples import Stage, chain, emission_of

from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.binary import document_of
from pytest_torchlean.certificate.bounding import matrix_of
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.model import (
    CertificateData,
    ConcludeScript,
    Emission,
    NodeScript,
    ScriptData,
    SplitScript,
    StepData,
)
from pytest_torchlean.certificate.relaxation import conclude
from pytest_torchlean.certificate.rows import Box, PassedNode
from pytest_torchlean.certificate.statement import PropertyData, ReluData, Semantics
from pytest_torchlean.certificate.states import State, cut
from pytest_torchlean.certificate.words import decoding_of, patterns_of
from pytest_torchlean.checker import BuiltLibrary, LeanInstall, Outcome
from pytest_torchlean.checker.evaluate import evaluate

Judge = Callable[[Sequence[Emission], bool], list[int]]
UNIT = 1 << 16
SHAPES = tuple((rows, alternatives) for rows in range(17, 25) for alternatives in (2, 3, 4))


@lru_cache
def small() -> Network:
    return chain(3, 2, 3, 2)


def forms_of(rows: int, alternatives: int, threshold: int) -> Forms:
    """Each row is some combination of the outputs, less a threshold in units of 2^-16."""
    rng = np.random.default_rng(1000 * rows + alternatives)
    coefficients = UNIT * rng.integers(-3, 4, (rows, 2)).astype(object)
    constants = np.array([-threshold] * rows, dtype=object)
    return Forms(coefficients, constants, strict=True, alternatives=alternatives)


def concluded(account: Account, about: PropertyData, state: State) -> ScriptData:
    """Backward rows for all rows of the property."""
    scale, history = account.emission.certificate.scale, state.history_of(0)
    own = decoding_of(patterns_of(about.forms))
    forms = PassedNode(about.forms, 0, own, matrix_of(about.forms, own))
    box = Box(scale, state.lower[:, 0], state.upper[:, 0])
    how, _ = conclude(box, history, Stage(history, box).slopes(), forms)
    return ConcludeScript(how)


def by_rows(emission: Emission) -> Emission:
    """Rows back from the property's forms, on the whole box."""
    account, claim = Account(emission), emission.claims[0]
    steps, state = account.steps(claim.boxes), account.start(claim.boxes)
    for step in steps:
        state = account.node(step, state)
    script = nodes(steps, concluded(account, claim.property, state))
    certificate = CertificateData(emission.certificate.scale, ((script,),))
    return replace(emission, certificate=certificate)


def with_script(
    rows: int, alternatives: int, threshold: int, semantics: Semantics, *, split: bool
) -> Emission:
    """split: into two halves of an input, one of them by the phase of a ReLU, too."""
    emission = emission_of(small(), forms_of(rows, alternatives, threshold), semantics=semantics)
    account, claim = Account(emission), emission.claims[0]
    steps = account.steps(claim.boxes)

    def behind(state: State, phase: bool) -> ScriptData:
        for step in steps:
            state = account.node(step, state)
        slot = next(node.first for node in emission.graph.nodes if isinstance(node, ReluData))
        rest = halves(state, slot, False) if phase else concluded(account, claim.property, state)
        return nodes(steps, rest)

    def halves(state: State, slot: int, before: bool) -> ScriptData:
        value = int(state.lower[slot, 0] + state.upper[slot, 0]) // 2
        parts = [cut(state, slot, value, below=below) for below in (True, False)]
        if before:
            below, above = behind(parts[0], False), behind(parts[1], True)
        else:
            below, above = (concluded(account, claim.property, part) for part in parts)
        return SplitScript(slot, value, below, above)

    start = account.start(claim.boxes)
    script = halves(start, 2, True) if split else behind(start, False)
    certificate = CertificateData(emission.certificate.scale, ((script,),))
    return replace(emission, certificate=certificate)


def nodes(steps: Sequence[StepData], rest: ScriptData) -> ScriptData:
    for step in reversed(steps):
        rest = NodeScript(step, rest)
    return rest


def edge(rows: int, alternatives: int, semantics: Semantics, *, split: bool) -> tuple[Emission, Emission]:
    """Emissions with the largest threshold that the forecast accepts, and with the next one."""

    def asked(threshold: int) -> Emission:
        return with_script(rows, alternatives, threshold, semantics, split=split)

    low, high = -64 * UNIT, 64 * UNIT
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if Account(asked(middle)).forecasts(0) == (True,) else (low, middle)
    return asked(low), asked(high)


@pytest.mark.parametrize("split", [False, True])
def test_lean_says_what_is_forecast(split: bool, wrongly_judged: Judge) -> None:
    """The rows are a batch of their own: that there are but 12 slots does not matter."""
    fine, wrong = [], []
    for number, (rows, alternatives) in enumerate(SHAPES):
        semantics = (Semantics.REAL, Semantics.BINARY32)[number % 2]
        yes, no = edge(rows, alternatives, semantics, split=split)
        assert Account(yes).forecasts(0) == (True,)
        assert Account(no).forecasts(0) == (False,)
        assert yes.claims[0].property.forms.rows == rows
        fine.append(yes)
        wrong.append(no)
    assert wrongly_judged(fine, True) == []
    assert wrongly_judged(wrong, False) == []


@pytest.mark.parametrize("late", [False, True])
def test_the_compiled_checker_decides_many_clauses(
    late: bool, lean: LeanInstall, library: BuiltLibrary
) -> None:
    """What follows a row is computed once, whichever row of a clause passes: twice would be 2^60 times."""
    clauses, alternatives = 15, 6
    coefficients = np.zeros((clauses * alternatives, 2), dtype=object)
    coefficients[:, 0] = UNIT
    constants = np.array([-64 * UNIT] * len(coefficients), dtype=object)
    constants[alternatives - 1 if late else 0 :: alternatives] = 64 * UNIT
    forms = Forms(coefficients, constants, strict=True, alternatives=alternatives)
    for about, answer in ((forms, True), (replace(forms, constants=constants - 128 * UNIT), False)):
        emission = by_rows(emission_of(small(), about, semantics=Semantics.BINARY32))
        assert Account(emission).forecasts(0) == (answer,)
        result = evaluate(
            document_of((emission,)), built=library, lean=lean, wall_seconds=200, memory_mb=3072
        )
        assert result.outcome is (Outcome.ACCEPTED if answer else Outcome.REFUSED), result.detail
