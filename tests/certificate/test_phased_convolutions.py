"""Certificates of ReLU phases behind convolutions: rows bound what these write, and the proof needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from phase_examples import Example, evaluated, example_of, foreseen, judged, proof, script_of, with_script
from test_convolution import network

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.budget import UNLIMITED
from pytest_torchlean.bounds.phase_tree import PhaseLeaf, PhaseTree, leaves
from pytest_torchlean.bounds.splitting import Leaf
from pytest_torchlean.certificate import relaxation
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.linear import bounded_by_rows, relaxed_script
from pytest_torchlean.certificate.lines import in_binary64
from pytest_torchlean.certificate.model import Emission, NodeScript, ScriptData, TightenScript
from pytest_torchlean.certificate.phased import Sides
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import AffineData, Semantics
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall
from pytest_torchlean.properties.linear import cases_of, slot_rows
from pytest_torchlean.properties.proving import forecast
from pytest_torchlean.properties.refining import refining

EXAMPLES = {
    "two channels": example_of(network(3, 5, (1, 2, 2), 2), 3, share=0.1),
    "three channels": example_of(network(2, 6, (1, 3, 3), 2), 2, share=0.1),
}
BOTH = [Semantics.REAL, Semantics.BINARY32]


def at_positions(emission: Emission) -> set[int]:
    """Where the runs begin that nodes with several positions write."""
    found, start = set(), 2 + emission.graph.inputs
    for node in emission.graph.nodes:
        if isinstance(node, AffineData):
            found |= {start} if node.positions > 1 else set()
            start += node.rows * node.positions
        else:
            start += node.count
    return found


def without_rows(script: ScriptData, starts: set[int]) -> ScriptData:
    """The script without what tightens runs that begin at one of these slots."""
    if isinstance(script, TightenScript) and script.rows.start in starts:
        return without_rows(script.rest, starts)
    if isinstance(script, NodeScript | TightenScript):
        return replace(script, rest=without_rows(script.rest, starts))
    return script


@pytest.mark.parametrize("semantics", BOTH)
@pytest.mark.parametrize("name", EXAMPLES)
def test_lean_accepts_rows_of_convolutions_before_phases(
    name: str, semantics: Semantics, ask: Callable[..., CheckResult], lean: LeanInstall, library: BuiltLibrary
) -> None:
    emission = proof(EXAMPLES[name], semantics)
    judged(emission, ask, library, lean)


@pytest.mark.parametrize("semantics", BOTH)
@pytest.mark.parametrize("name", EXAMPLES)
def test_lean_refuses_the_cases_without_these_rows(
    name: str, semantics: Semantics, ask: Callable[..., CheckResult], lean: LeanInstall, library: BuiltLibrary
) -> None:
    emission = proof(EXAMPLES[name], semantics)
    starts = at_positions(emission)
    bare = with_script(emission, without_rows(script_of(emission), starts))
    assert bare != emission
    assert not foreseen(bare)
    assert not ask(bare).accepted
    assert not evaluated(bare, library, lean)


def whole(own: Example) -> Leaf:
    """A leaf with one case, which does not suffice."""
    tree = cases_of(own.network.program, own.forms, own.box, phases=True)
    assert isinstance(tree, Leaf)
    assert tree.phases is not None
    point = next(leaves(tree.phases)).point
    return replace(tree, phases=PhaseLeaf((), replace(point, multipliers=point.multipliers[:0])))


def test_a_case_that_integers_refuse_is_split_by_the_bounds_that_they_give() -> None:
    own, told = EXAMPLES["two channels"], []
    leaf, program = whole(own), own.network.program
    account = prepare(program, [Goal(own.forms, (own.box,))], Semantics.BINARY32)
    claim = account.emission.claims[0]
    finer = refining(slot_rows(program, own.forms), own.forms.alternatives, leaf, UNLIMITED)

    def refine(case: PhaseLeaf, sides: Sides) -> PhaseTree | None:
        told.append(sides)
        return finer(case, sides)

    assert not relaxed_script(account, claim, claim.boxes[0], leaf)[1]
    assert relaxed_script(account, claim, claim.boxes[0], leaf, refine)[1]
    low, high = told[0]
    assert low.shape == high.shape == (program.size,)
    assert leaf.bounds is not None
    assert (low <= np.minimum(leaf.bounds.high[:, 0], high)).all()


@pytest.mark.parametrize("semantics", BOTH)
def test_coefficients_behind_convolutions_are_longer_where_many_slots_are_charged(
    semantics: Semantics, monkeypatch: pytest.MonkeyPatch, library: BuiltLibrary, lean: LeanInstall
) -> None:
    own, told, digits = EXAMPLES["two channels"], [], []
    leaf = whole(own)

    def tell(_: PhaseLeaf, sides: Sides) -> None:
        told.append(sides)

    for many in (4000, 0):
        monkeypatch.setattr(relaxation, "_MANY_SLOTS", many)
        account = prepare(own.network.program, [Goal(own.forms, (own.box,))], semantics)
        claim = account.emission.claims[0]
        script, accepted, _ = relaxed_script(account, claim, claim.boxes[0], leaf, tell)
        assert not accepted
        digits.append(longest(script))
    (low, high), (closer_low, closer_high) = told
    assert digits[1] >= digits[0] + 8
    assert (closer_low >= low).all()
    assert (closer_high <= high).all()
    assert (closer_high - closer_low < high - low).any()
    assert evaluated(proof(own, semantics), library, lean)


@pytest.mark.parametrize("semantics", BOTH)
def test_rows_of_convolutions_serve_a_claim_without_cases(
    semantics: Semantics, ask: Callable[..., CheckResult], lean: LeanInstall, library: BuiltLibrary
) -> None:
    own = example_of(network(2, 6, (1, 3, 3), 2), 2, share=-0.1)
    goal = Goal(own.forms, (own.box,))
    bare, served = (
        forecast(own.network.program, [goal], semantics, UNLIMITED, with_phases=also)
        for also in (False, True)
    )
    assert not bare.forecasts[0].accepted[0]
    assert served.forecasts[0].accepted[0]
    emission = with_script(served.emission, served.scripts[0][0])
    judged(emission, ask, library, lean)
    without = with_script(emission, without_rows(script_of(emission), at_positions(emission)))
    assert without != emission
    assert not ask(without).accepted


def longest(script: ScriptData) -> int:
    """The most bits that a coefficient of a relaxation has."""
    if isinstance(script, TightenScript):
        return max(script.rows.digit, longest(script.rest))
    return longest(script.rest) if isinstance(script, NodeScript) else 0


def test_bounds_of_certificates_without_cases_are_foreseen() -> None:
    program = EXAMPLES["three channels"].network.program
    low, high = np.full(program.inputs, -0.5), np.full(program.inputs, 0.5)
    box = RationalBox(*(tuple(Fraction(value) for value in side.tolist()) for side in (low, high)))
    forms = EXAMPLES["three channels"].forms
    account = prepare(program, [Goal(forms, (box,))], Semantics.REAL)
    _, state = bounded_by_rows(account, account.emission.claims[0].boxes[0])
    known = [in_binary64(account, side[:, 0]) for side in (state.lower, state.upper)]
    alike, tighter = (
        crown.bound(program, low[None], high[None], replace(crown.STATED, at_positions=also))
        for also in (False, True)
    )
    assert np.allclose(alike.low[:, 0], known[0], atol=1e-3)
    assert np.allclose(alike.high[:, 0], known[1], atol=1e-3)
    assert (tighter.high - tighter.low < alike.high - alike.low - 1e-2).any()
