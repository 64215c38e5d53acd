"""Boxes that only many parts prove: which way is taken, and that Lean accepts it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import ball
from test_cutting import ends_of
from test_forward import SEMANTICS, UNIT, Judge, above, account_of, answer, best, network

from pytest_torchlean.bounds import phased_parts
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.splitting import Inequalities, Leaf, Splitting, halved
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.boxes import RationalBox, to_float
from pytest_torchlean.certificate.model import (
    CertificateData,
    ForwardData,
    ScriptData,
    SplitScript,
    TightenScript,
)
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.properties import many_parts
from pytest_torchlean.properties.linear import slot_rows

OWN = network(1, (2, 5, 4, 3))


def region() -> RationalBox:
    return ball([Fraction(index % 3, 4) for index in range(OWN.inputs)], Fraction(1, 2))


def script(account: Account, threshold: int, seconds: float = 60.0) -> ScriptData | None:
    claim, forms = account.emission.claims[0], above(OWN.outputs, threshold)
    rows = slot_rows(OWN.program, forms)
    goal = Goal(forms, (region(),))
    return many_parts.script_of(OWN.program, account, claim, goal, 0, rows, Budget(seconds=seconds))


def uses_forms(found: ScriptData) -> bool:
    return all(isinstance(end.how, ForwardData) and end.how.symbols for end in ends_of(found))


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_parts_get_bounds_of_their_own_where_forms_on_the_whole_box_take_many(
    semantics: Semantics, monkeypatch: pytest.MonkeyPatch, wrongly_judged: Judge
) -> None:
    threshold = best(OWN, 5, Semantics.REAL) - UNIT // 64
    account = account_of(OWN, threshold, semantics)
    assert account.forecasts(0) == (False,)
    whole = script(account, threshold)
    assert whole is not None
    assert not isinstance(whole, SplitScript)
    assert uses_forms(whole)
    monkeypatch.setattr(many_parts, "_AT_ONCE", 1)
    monkeypatch.setattr(many_parts, "_AFTER_ROWS", 1)
    cut = script(account, threshold)
    assert isinstance(cut, SplitScript)
    assert uses_forms(cut)
    assert any(isinstance(one, TightenScript) for one in steps_of(cut))
    scale = account.emission.certificate.scale
    both = [
        replace(account.emission, certificate=CertificateData(scale, ((found,),))) for found in (whole, cut)
    ]
    assert all(map(answer, both))
    assert wrongly_judged(both, True) == []


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_parts_are_proved_by_cases_of_phases_where_nothing_else_does(
    semantics: Semantics, monkeypatch: pytest.MonkeyPatch, wrongly_judged: Judge
) -> None:
    for way in ("carried_script", "split", "_with_forms"):
        monkeypatch.setattr(many_parts, way, without(way))
    monkeypatch.setattr(phased_parts, "_NEARER", 0.3)
    threshold = best(OWN, 5, Semantics.REAL) - UNIT // 64
    account = account_of(OWN, threshold, semantics)
    found = script(account, threshold, seconds=600.0)
    assert found is not None
    scale = account.emission.certificate.scale
    assert any(value == scale.center and slot > OWN.inputs + 1 for slot, value in cuts_of(found))
    emission = replace(account.emission, certificate=CertificateData(scale, ((found,),)))
    assert answer(emission)
    assert wrongly_judged([emission], True) == []
    false = account_of(OWN, 64 * UNIT, semantics)
    assert script(false, 64 * UNIT, seconds=600.0) is None


def without(way: str) -> object:
    """A search in the place of another one that finds nothing."""
    return lambda *_, **__: Splitting(None, 0, -1.0) if way == "split" else None


def cuts_of(found: ScriptData) -> list[tuple[int, int]]:
    """Slots and values of all cuts."""
    pending, cuts = [found], []
    while pending:
        one = pending.pop()
        if isinstance(one, SplitScript):
            cuts.append((one.slot, one.value))
            pending += [one.below, one.above]
        elif hasattr(one, "rest"):
            pending.append(one.rest)
    return cuts


def test_what_is_false_has_no_script(monkeypatch: pytest.MonkeyPatch) -> None:
    threshold = 64 * UNIT
    account = account_of(OWN, threshold)
    assert script(account, threshold, seconds=2.0) is None
    monkeypatch.setattr(many_parts, "_AT_ONCE", 1)
    assert script(account, threshold, seconds=2.0) is None


def test_the_first_cut_of_a_box_is_in_its_middle() -> None:
    forms = above(OWN.outputs, -4 * UNIT)
    inequalities = Inequalities(slot_rows(OWN.program, forms), forms.alternatives)
    low, high = (np.array([to_float(x) for x in side]) for side in (region().lower, region().upper))
    cut = halved(OWN.program, inequalities, low, high)
    assert cut is not None
    assert isinstance(cut.below, Leaf)
    assert isinstance(cut.above, Leaf)
    assert cut.value == (low[cut.element] + high[cut.element]) / 2
    assert cut.below.upper[cut.element] == cut.above.lower[cut.element] == cut.value
    assert (cut.below.lower == low).all()
    assert (cut.above.upper == high).all()
    assert halved(OWN.program, inequalities, low, low) is None


def steps_of(found: ScriptData) -> list[ScriptData]:
    """Every step of a script."""
    steps, pending = [], [found]
    while pending:
        one = pending.pop()
        steps.append(one)
        if isinstance(one, SplitScript):
            pending += [one.below, one.above]
        elif hasattr(one, "rest"):
            pending.append(one.rest)
    return steps
