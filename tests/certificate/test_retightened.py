"""Certificates of cases that bound earlier values again: accepted as foreseen, refused once changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from phase_examples import Example, evaluated, example, foreseen, judged, script_of, with_script, without

from pytest_torchlean.bounds.budget import UNLIMITED
from pytest_torchlean.bounds.refined import Halves, RefinedCase
from pytest_torchlean.bounds.retightening import by_conditions, search
from pytest_torchlean.bounds.splitting import Leaf
from pytest_torchlean.bounds.stated import stated
from pytest_torchlean.certificate.binary import decode, document_of, encode
from pytest_torchlean.certificate.boxes import to_float
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import Emission, NodeScript, ScriptData, SplitScript, TightenScript
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.relaxation import digits_for
from pytest_torchlean.certificate.retightened import Resume, hopeless
from pytest_torchlean.certificate.rows import size_of
from pytest_torchlean.certificate.scripts import same
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.substitution import RelaxationData, SkipData
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall
from pytest_torchlean.properties.linear import slot_rows
from pytest_torchlean.properties.refining import resuming

EXAMPLES = {
    "two hidden layers": example(9, 6, 6, share=0.5),
    "three hidden layers": example(4, 6, 5, 5, share=0.6),
    "four hidden layers": example(5, 6, 6, 6, 6, share=0.5),
    "a narrow layer": example(4, 16, 3, 8, share=0.5),
}
BOTH = [Semantics.REAL, Semantics.BINARY32]


def leaf_of(own: Example) -> Leaf:
    program = own.network.program
    rows = slot_rows(program, own.forms)
    low, high = (np.array([to_float(x) for x in side]) for side in (own.box.lower, own.box.upper))
    known = stated(program, low, high, rows, 1)
    found = by_conditions(known.bounds, rows, most=200, slack=1e-3) or search(
        known.bounds, rows, most=200, slack=1e-3
    )
    assert found is not None
    assert found.tree is not None
    return Leaf(low, high, known.slopes, refined=found.tree)


def proof(
    own: Example, semantics: Semantics, leaf: Leaf | None = None, resume: Resume = hopeless
) -> tuple[Emission, bool]:
    account = prepare(own.network.program, [Goal(own.forms, (own.box,))], semantics)
    claim = account.emission.claims[0]
    script, fine, _ = relaxed_script(account, claim, claim.boxes[0], leaf or leaf_of(own), resume=resume)
    return with_script(account.emission, script), fine


def weakened(case: RefinedCase) -> RefinedCase:
    """No bound is stated again, and no ending uses a phase."""
    then = case.then
    if isinstance(then, Halves):
        return RefinedCase((), replace(then, off=weakened(then.off), on=weakened(then.on)))
    return RefinedCase((), replace(then, multipliers={}))


def of_earlier(script: ScriptData) -> Iterator[tuple[RelaxationData, Callable[[RelaxationData], ScriptData]]]:
    """Relaxations of values that later nodes follow, each with the script that has another in its place."""
    if isinstance(script, NodeScript | TightenScript):
        if isinstance(script, TightenScript) and isinstance(script.rows.links[0], SkipData):
            yield script.rows, partial(_with_rows, script)
        for rows, other in of_earlier(script.rest):
            yield rows, partial(_with_rest, script, "rest", other)
    elif isinstance(script, SplitScript):
        for side in ("below", "above"):
            for rows, other in of_earlier(getattr(script, side)):
                yield rows, partial(_with_rest, script, side, other)


def _with_rows(script: TightenScript, rows: RelaxationData) -> ScriptData:
    return replace(script, rows=rows)


def _with_rest(
    script: Any, side: str, other: Callable[[RelaxationData], ScriptData], rows: RelaxationData
) -> ScriptData:
    changed: ScriptData = replace(script, **{side: other(rows)})
    return changed


@pytest.mark.parametrize("semantics", BOTH)
@pytest.mark.parametrize("name", EXAMPLES)
def test_lean_accepts_what_the_search_found(
    name: str, semantics: Semantics, ask: Callable[..., CheckResult], lean: LeanInstall, library: BuiltLibrary
) -> None:
    emission, fine = proof(EXAMPLES[name], semantics)
    assert fine
    assert list(of_earlier(script_of(emission)))
    judged(emission, ask, library, lean)


@pytest.mark.parametrize("semantics", BOTH)
def test_cases_that_integers_refuse_are_searched_further(
    semantics: Semantics, lean: LeanInstall, library: BuiltLibrary
) -> None:
    own = EXAMPLES["three hidden layers"]
    leaf = leaf_of(own)
    assert leaf.refined is not None
    leaf = replace(leaf, refined=weakened(leaf.refined))
    assert not proof(own, semantics, leaf)[1]
    program = own.network.program
    emission, fine = proof(
        own, semantics, leaf, resuming(program, slot_rows(program, own.forms), leaf, UNLIMITED)
    )
    assert fine
    assert foreseen(emission)
    assert evaluated(emission, library, lean)


def test_a_case_may_bound_values_again_as_often_as_it_likes(lean: LeanInstall, library: BuiltLibrary) -> None:
    """A case of a deep tree lies behind thousands of relaxations, more than Python calls may nest."""
    emission, _ = proof(EXAMPLES["two hidden layers"], Semantics.REAL)
    rows, changed = next(of_earlier(script_of(emission)))
    script = changed(rows)

    def repeated(own: Any) -> Any:
        if isinstance(own, TightenScript) and own.rows is rows:
            for _ in range(2 * sys.getrecursionlimit()):
                own = TightenScript(rows, own)
            return own
        return replace(own, rest=repeated(own.rest))

    deep = with_script(emission, repeated(script))
    assert foreseen(deep)
    (read,) = decode(encode(document_of((deep,)))).emissions
    assert same(read, deep)
    assert not same(read, with_script(deep, repeated(script_of(deep))))
    assert evaluated(deep, library, lean)


def test_large_multipliers_get_longer_digits() -> None:
    own = EXAMPLES["three hidden layers"]
    account = prepare(own.network.program, [Goal(own.forms, (own.box,))], Semantics.REAL)
    boxes = account.emission.claims[0].boxes
    state = account.start(boxes)
    for step in account.steps(boxes):
        state = account.node(step, state)
    passed, sizes = state.history_of(0), {0: np.full((1, 4), 300.0)}
    usual, usually = digits_for(passed, {}, sizes, peak=1.0)
    digit, most = digits_for(passed, {}, sizes, peak=300.0)
    assert most == usually + 9
    assert digit >= usual + 16
    assert usual % 8 == digit % 8 == 0
    # beyond all digits they are as without it: one case of one box is no reason to give up the others
    assert digits_for(passed, {}, sizes, peak=2.0**200) == digits_for(passed, {}, sizes)


@pytest.mark.parametrize("semantics", BOTH)
def test_without_its_cases_nothing_is_proved(semantics: Semantics) -> None:
    own = EXAMPLES["three hidden layers"]
    leaf = leaf_of(own)
    assert not proof(own, semantics, replace(leaf, refined=None))[1]


@pytest.mark.parametrize("semantics", BOTH)
def test_dropped_and_exchanged_cases_are_refused(
    semantics: Semantics, lean: LeanInstall, library: BuiltLibrary
) -> None:
    emission, _ = proof(EXAMPLES["three hidden layers"], semantics)
    mutants = [with_script(emission, one) for one in without(script_of(emission))]
    refused = [mutant for mutant in mutants if not foreseen(mutant)]
    assert len(refused) >= len(mutants) // 2
    assert not evaluated(refused[0], library, lean)
    assert not evaluated(refused[-1], library, lean)


@pytest.mark.parametrize("semantics", BOTH)
def test_an_earlier_tightening_is_of_values_that_a_node_wrote(
    semantics: Semantics, ask: Callable[..., CheckResult], lean: LeanInstall, library: BuiltLibrary
) -> None:
    """Of other slots, of slots that are not written, and back through the wrong nodes: all refused."""
    emission, _ = proof(EXAMPLES["three hidden layers"], semantics)
    rows, changed = next(of_earlier(script_of(emission)))
    written = emission.graph.inputs + 2 + sum(size_of(node) for node in emission.graph.nodes)
    wrong = [
        replace(rows, start=rows.start + 1),
        replace(rows, start=written),
        replace(rows, count=rows.count + written),
        replace(rows, links=rows.links[1:]),
        replace(rows, links=(SkipData(), *rows.links)),
    ]
    for mutant in (with_script(emission, changed(one)) for one in wrong):
        assert not foreseen(mutant)
        assert not evaluated(mutant, library, lean)
    assert not ask(with_script(emission, changed(wrong[1]))).accepted
