"""Convolutions of which few inputs move: a few parts of a box prove what the whole box does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from test_convolution import network

from pytest_torchlean.bounds.budget import UNLIMITED
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import SplitScript
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.checker import CheckResult
from pytest_torchlean.properties import linear
from pytest_torchlean.properties.linear import cases_of
from pytest_torchlean.properties.proving import Prospect, forecast

OWN = network(2, 6, (1, 3, 3, 3), 1)
MOVING = (14, 21)


def box(moving: tuple[int, ...] = MOVING) -> RationalBox:
    ends = [Fraction(2) if place in moving else Fraction(0) for place in range(OWN.inputs)]
    return RationalBox(tuple(-end for end in ends), tuple(ends))


def goal(least: Fraction, region: RationalBox) -> Goal:
    """The first output is above `least`, in units of 1/64."""
    forms = Forms(np.array([[64, 0]], dtype=object), np.array([-int(64 * least)], dtype=object), True, 1)
    return Goal(forms, (region,))


def foreseen(own: Goal, semantics: Semantics = Semantics.BINARY32) -> Prospect:
    return forecast(OWN.program, [own], semantics, UNLIMITED)


@pytest.mark.parametrize("semantics", [Semantics.REAL, Semantics.BINARY32])
def test_parts_prove_what_the_whole_box_does_not(
    semantics: Semantics, ask: Callable[..., CheckResult]
) -> None:
    own = goal(Fraction(-17, 2), box())
    account = prepare(OWN.program, [own], semantics)
    claim = account.emission.claims[0]
    whole = cases_of(OWN.program, own.forms, own.boxes[0])
    assert not relaxed_script(account, claim, claim.boxes[0], whole)[1]
    prospect = foreseen(own, semantics)
    assert prospect.forecasts[0].accepted.all()
    (script,) = prospect.scripts[0]
    assert isinstance(script, SplitScript)
    certificate = replace(prospect.emission.certificate, scripts=((script,),))
    assert ask(replace(prospect.emission, certificate=certificate)).accepted
    one_part = replace(certificate, scripts=((script.below,),))
    assert not ask(replace(prospect.emission, certificate=one_part)).accepted


def test_what_is_false_is_not_foreseen() -> None:
    lower, upper = (np.array([[float(x) for x in side]]) for side in (box().lower, box().upper))
    middle = evaluate(OWN.program, (lower + upper) / 2)[0, OWN.program.outputs[0]]
    reached = Fraction(int(64 * middle) + 1, 64)
    assert not foreseen(goal(reached, box())).forecasts[0].accepted.any()


def test_more_moving_inputs_than_few_are_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "_FEW_INPUTS", len(MOVING) - 1)
    assert not foreseen(goal(Fraction(-17, 2), box())).forecasts[0].accepted.any()
