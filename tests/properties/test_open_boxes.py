"""Boxes that intervals do not prove, one after the other."""

from __future__ import annotations

from typing import Any

import pytest
from phase_examples import example

from pytest_torchlean.bounds.budget import UNLIMITED
from pytest_torchlean.bounds.work import Work
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.rows import NotRelaxable
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.properties import linear


def test_a_box_without_rows_leaves_the_later_ones_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    own = example(9, 6, 6, share=-0.1)
    goal = Goal(own.forms, (own.box, own.box, own.box))
    account = prepare(own.network.program, [goal], Semantics.REAL)
    claim, (script,) = account.emission.claims[0], account.emission.certificate.scripts[0]
    seen = account.forecast(claim, script)
    assert not seen.accepted.any()
    right, tried = linear.relaxed_script, []

    def sometimes(*given: Any) -> Any:
        tried.append(given)
        if len(tried) == 2:
            raise NotRelaxable("nothing goes back here")
        return right(*given)

    monkeypatch.setattr(linear, "relaxed_script", sometimes)
    found, scripts = linear.improved(
        own.network.program, account, claim, goal, seen, script, UNLIMITED, [None] * 3, Work()
    )
    assert found.accepted.tolist() == [True, False, True]
    assert scripts[1] is script
    assert scripts[2] is not script
