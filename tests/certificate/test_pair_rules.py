"""Rows of two copies: differences of ReLUs by differences of what they read, in Lean as forecast."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from certificate_examples import points_of, slots_of
from copy_examples import copies, rising
from relaxation_examples import with_rows

from pytest_torchlean.certificate import linear
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.model import (
    ConcludeScript,
    DifferScript,
    Emission,
    NodeScript,
    ScriptData,
    TightenScript,
)
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.states import State
from pytest_torchlean.certificate.substitution import JoinData, PairData, RelaxationData
from pytest_torchlean.checker import CheckResult

WIDTHS = ((3, 4, 1), (3, 5, 4, 2))
SLACKS = (Fraction(1, 16), Fraction(1, 256))


@pytest.fixture(scope="module")
def proved() -> Emission:
    emission, _, forecast = with_rows(rising(copies(0, 3, 5, 4, 2), SLACKS[0], Semantics.BINARY32))
    assert forecast
    return emission


def spine(script: ScriptData) -> Iterator[ScriptData]:
    while isinstance(script, NodeScript | TightenScript | DifferScript):
        yield script
        script = script.rest
    yield script


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("semantics", Semantics)
def test_a_rising_network_is_proved_without_cases(
    widths: tuple[int, ...], semantics: Semantics, monkeypatch: pytest.MonkeyPatch
) -> None:
    emission = rising(copies(1, *widths), SLACKS[1], semantics)
    assert with_rows(emission)[2]

    def without(account: Account, node: Any, state: State, *_: Any) -> State:
        return state

    monkeypatch.setattr(linear, "_differ", without)
    assert not with_rows(emission)[2]


@pytest.mark.parametrize("seed", range(3))
def test_differences_lie_within_their_bounds(seed: int) -> None:
    emission, _, _ = with_rows(rising(copies(seed, 3, 5, 4, 2), SLACKS[0]))
    claim, account = emission.claims[0], Account(emission)
    state, narrow = account.start(claim.boxes), 0
    for script in spine(emission.certificate.scripts[0][0]):
        if isinstance(script, NodeScript):
            state = account.node(script.step, state)
        elif isinstance(script, TightenScript):
            state = account.tighten(script.rows, state)
        elif isinstance(script, DifferScript):
            state = account.differ(script.rows, (script.left, script.right, script.count), state)
    assert state.bounded.all()
    assert state.differences
    scale = emission.certificate.scale
    for point in points_of(claim.boxes[0], emission.graph.inputs, seed):
        values = slots_of(emission.graph, point)
        for own in state.differences:
            for place, (low, high) in enumerate(zip(own.low[:, 0], own.high[:, 0], strict=True)):
                gap = scale.unit * (values[own.right + place] - values[own.left + place])
                assert low - scale.top <= gap <= scale.top - high
                narrow += bool(2 * scale.top - low - high < scale.unit)
    assert narrow


# --- Lean -------------------------------------------------------------------------------------------

Change = Callable[[ScriptData], ScriptData]


@pytest.mark.parametrize("semantics", Semantics)
def test_the_forecast_is_leans_answer(semantics: Semantics, ask: Callable[..., CheckResult]) -> None:
    """Down to the smallest slack on a grid that is proved, and at the next one, which is not."""
    network = copies(2, 3, 5, 4, 2)

    def asked(power: int) -> tuple[Emission, bool]:
        emission, _, forecast = with_rows(rising(network, Fraction(1, 1 << power), semantics))
        return emission, forecast

    last = next(power for power in itertools.count(4) if not asked(power + 1)[1])
    assert last < 40
    for power in (4, last, last + 1):
        emission, forecast = asked(power)
        assert ask(emission).accepted is forecast is (power <= last)


def _rows_of(script: ScriptData) -> RelaxationData | None:
    if isinstance(script, ConcludeScript):
        return getattr(script.how, "rows", None)
    return getattr(script, "rows", None)


def _with_rows(script: ScriptData, rows: RelaxationData) -> ScriptData:
    if isinstance(script, ConcludeScript):
        return replace(script, how=replace(script.how, rows=rows))  # type: ignore[type-var]
    return replace(script, rows=rows)  # type: ignore[call-arg]


def first(kind: type, change: Callable[[Any], tuple[Any, ...]]) -> Callable[[Emission], Emission]:
    """The first link of a kind replaced, in the last rows that have one."""

    def changed(script: ScriptData) -> tuple[ScriptData, bool]:
        rest = getattr(script, "rest", None)
        if rest is not None:
            new, done = changed(rest)
            if done:
                return replace(script, rest=new), True  # type: ignore[call-arg]
        rows = _rows_of(script)
        places = [index for index, link in enumerate(rows.links) if isinstance(link, kind)] if rows else []
        if rows is None or not places:
            return script, False
        links = (*rows.links[: places[0]], *change(rows.links[places[0]]), *rows.links[places[0] + 1 :])
        return _with_rows(script, replace(rows, links=links)), True

    def of(emission: Emission) -> Emission:
        script, done = changed(emission.certificate.scripts[0][0])
        assert done
        return replace(emission, certificate=replace(emission.certificate, scripts=((script,),)))

    return of


def differ(change: Callable[[DifferScript], ScriptData]) -> Callable[[Emission], Emission]:
    """The first step that bounds differences replaced."""

    def changed(script: ScriptData) -> ScriptData:
        if isinstance(script, DifferScript):
            return change(script)
        return replace(script, rest=changed(script.rest))  # type: ignore[union-attr, call-arg]

    def of(emission: Emission) -> Emission:
        script = changed(emission.certificate.scripts[0][0])
        return replace(emission, certificate=replace(emission.certificate, scripts=((script,),)))

    return of


REFUSED: dict[str, Callable[[Emission], Emission]] = {
    "no such differences": first(PairData, lambda link: (replace(link, fact=link.fact + 7),)),
    "other differences": first(PairData, lambda link: (replace(link, fact=link.fact + 1),)),
    "a slope above 1": first(PairData, lambda link: (replace(link, slopes=link.slopes | 257),)),
    "too many slopes": first(PairData, lambda link: (replace(link, slopes=link.slopes | 1 << 400),)),
    "too many places": first(PairData, lambda link: (replace(link, chosen=link.chosen | 1 << 40),)),
    "no places": first(PairData, lambda link: (replace(link, chosen=0),)),
    "no lines": first(PairData, lambda link: ()),
    "lines twice": first(PairData, lambda link: (link, link)),
    "what waits is forgotten": first(JoinData, lambda link: ()),
    "another factor": first(JoinData, lambda link: (replace(link, other=link.other + 1),)),
    "the differences are not bounded": differ(lambda script: script.rest),
    "of other places": differ(lambda script: replace(script, left=script.left + 1)),
    "of places that overlap": differ(lambda script: replace(script, right=script.left + 1)),
    "of the opposite": differ(lambda script: replace(script, left=script.right, right=script.left)),
    "of too many places": differ(lambda script: replace(script, count=100)),
    "of too few places": differ(lambda script: replace(script, count=script.count - 1)),
    "of one goal less": differ(
        lambda script: replace(
            script,
            rows=replace(script.rows, rows=script.rows.rows - 1, goals=script.rows.goals % (1 << 32)),
        )
    ),
    "in narrower rows": differ(lambda script: replace(script, rows=replace(script.rows, width=2))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_lean_refuses_other_differences_and_lines(
    name: str, proved: Emission, ask: Callable[..., CheckResult]
) -> None:
    changed = REFUSED[name](proved)
    assert changed != proved
    assert ask(changed).accepted is False
    account = Account(changed)
    assert account.forecasts(0) == (False,)


def test_lean_accepts_the_unchanged_one(proved: Emission, ask: Callable[..., CheckResult]) -> None:
    assert ask(proved).accepted


@pytest.mark.parametrize("sign", [1, -1])
def test_a_false_claim_is_refused(sign: int, ask: Callable[..., CheckResult]) -> None:
    """That outputs fall by a slack, or rise by more than they do, with the certificate of the true claim."""
    network = copies(0, 3, 5, 4, 2)
    truth, _, forecast = with_rows(rising(network, SLACKS[0]))
    assert forecast
    half = network.outputs // 2
    rows = np.concatenate([sign * np.eye(half, dtype=int), -sign * np.eye(half, dtype=int)], axis=1)
    offset = -1 if sign > 0 else -100
    forms = Forms(rows.astype(object), np.full(half, offset, dtype=object), strict=True, alternatives=1)
    box = truth.claims[0].boxes[0]
    false = build_emission(network.program, [Goal(forms, ())], Semantics.REAL)
    claim = replace(false.claims[0], boxes=(box,))
    mutant = replace(truth, claims=(claim,))
    assert mutant != truth
    assert ask(mutant).accepted is False
