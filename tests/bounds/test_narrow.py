"""Conditions where a dense chain is narrow, and the search that shows them first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from phase_examples import INPUTS, Example, example

from pytest_torchlean.bounds import retightening
from pytest_torchlean.bounds.chains import Chain, Level, chain_of
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.bounds.layers import Float64
from pytest_torchlean.bounds.narrow import Conditions, conditions
from pytest_torchlean.bounds.program import ReluNode
from pytest_torchlean.bounds.refined import RefinedSearch
from pytest_torchlean.bounds.retightening import by_conditions
from pytest_torchlean.bounds.stated import stated
from pytest_torchlean.properties.linear import slot_rows

OWN = example(4, 16, 3, 8, share=0.5)
LOW, HIGH = np.full(INPUTS, -0.5), np.full(INPUTS, 0.5)
BOX = ((LOW + HIGH) / 2, (HIGH - LOW) / 2)
SLACK = 1e-3


def parts(own: Example) -> tuple[Chain, tuple[Level, ...], Float64]:
    program = own.network.program
    rows = slot_rows(program, own.forms)
    chain = chain_of(program)
    assert chain is not None
    forms = chain.outputs(program, rows)
    assert forms is not None
    bounds, levels = stated(program, LOW, HIGH, rows, 1).bounds, []
    for relu in chain.relus:
        node = program.nodes[relu]
        assert isinstance(node, ReluNode)
        here = slice(node.first, node.first + node.size)
        levels.append(Level(bounds.low[here, 0], bounds.high[here, 0], np.zeros(node.size, dtype=np.float32)))
    return chain, tuple(levels), forms


def found_in(own: Example) -> Conditions | None:
    chain, levels, forms = parts(own)
    return conditions(chain, BOX, levels, forms, SLACK)


def test_nearly_all_that_breaks_the_property_is_left_out() -> None:
    chain, levels, forms = parts(OWN)
    found = found_in(OWN)
    assert found is not None
    assert found.number == 1
    low, high = levels[1].low, levels[1].high
    read = low + (high - low) * np.random.default_rng(5).random((5000, 3))
    later = np.maximum(read, 0) @ chain.weights[2].T + chain.biases[2]
    outputs = np.maximum(later, 0) @ chain.weights[3].T + chain.biases[3]
    breaks = (outputs @ forms[:, :-1].T + forms[:, -1]).min(axis=1) <= 0
    inside = (read @ found.rows[:, :-1].T + found.rows[:, -1] > 0).all(axis=1)
    assert breaks.any()
    assert inside.any()
    assert (inside & breaks).sum() <= 0.02 * breaks.sum()


def test_conditions_are_one_in_the_middle() -> None:
    chain, _, _ = parts(OWN)
    found = found_in(OWN)
    assert found is not None
    first = chain.weights[0] @ BOX[0] + chain.biases[0]
    read = chain.weights[1] @ np.maximum(first, 0) + chain.biases[1]
    assert found.rows[:, :-1] @ read + found.rows[:, -1] == pytest.approx(1.0)


def test_a_level_is_narrow_next_to_wider_ones() -> None:
    """Where earlier levels have few values too, cuts lead as far."""
    assert found_in(example(4, 6, 5, 5, share=0.6)) is None


def test_what_is_broken_in_the_middle_has_none() -> None:
    chain, levels, forms = parts(OWN)
    forms = forms.copy()
    forms[:, -1] -= 1e3
    assert conditions(chain, BOX, levels, forms, SLACK) is None


def test_what_holds_everywhere_behind_the_level_has_none() -> None:
    chain, levels, forms = parts(OWN)
    forms = forms.copy()
    forms[:, -1] += 1e3
    assert conditions(chain, BOX, levels, forms, SLACK) is None


def searched(own: Example, most: int = 200) -> RefinedSearch | None:
    program = own.network.program
    rows = slot_rows(program, own.forms)
    return by_conditions(stated(program, LOW, HIGH, rows, 1).bounds, rows, most=most, slack=SLACK)


def test_cases_are_found_by_conditions_and_no_more_than_may_be() -> None:
    found = searched(OWN)
    assert found is not None
    assert found.tree is not None
    for most in (1, 4, found.bounded - 1):
        less = searched(OWN, most)
        assert less is not None
        assert less.tree is None
    assert searched(example(4, 6, 5, 5, share=0.6)) is None


def test_conditions_that_do_not_hold_are_not_taken_for_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    right = found_in(OWN)
    assert right is not None
    false = replace(right, rows=-right.rows)
    monkeypatch.setattr(retightening, "conditions", lambda *_: false)
    found = searched(OWN)
    assert found is not None
    assert found.tree is None


@pytest.mark.parametrize("idle", [False, True], ids=["its own", "conditions that hold anywhere"])
def test_what_is_not_so_is_not_shown(idle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases behind conditions have all of the rows to show."""
    program = OWN.network.program
    points = np.random.default_rng(0).choice([-0.5, 0.5], (20000, INPUTS))
    rows = slot_rows(program, OWN.forms)
    rows[0, 1] -= float((evaluate(program, points) @ rows.T).min()) + 0.02
    if idle:
        anywhere = Conditions(1, np.eye(4)[-1:])
        monkeypatch.setattr(retightening, "conditions", lambda *_: anywhere)
    bounds = stated(program, LOW, HIGH, rows, 1).bounds
    found = by_conditions(bounds, rows, most=60, slack=1e-4)
    assert found is not None
    assert found.tree is None
