"""Certificates of ReLU phases, from the search to Lean: accepted as foreseen, refused once changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from phase_examples import (
    evaluated,
    example,
    foreseen,
    judged,
    proof,
    script_of,
    with_other_multipliers,
    with_script,
    without,
)

from pytest_torchlean.bounds.splitting import Leaf
from pytest_torchlean.certificate.apart import apart
from pytest_torchlean.certificate.costs import decoding_cost, script_cost
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.scripts import children
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.substitution import MultiplyData
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall
from pytest_torchlean.properties.linear import cases_of

EXAMPLES = {
    "two hidden layers": example(9, 6, 6, share=0.5),
    "deeper phases": example(7, 6, 6, share=0.6),
    "one of two alternatives": example(6, 6, 6, share=0.6, alternatives=2),
    "three hidden layers": example(4, 6, 5, 5, share=0.4),
}
BOTH = [Semantics.REAL, Semantics.BINARY32]


@pytest.mark.parametrize("semantics", BOTH)
@pytest.mark.parametrize("name", EXAMPLES)
def test_lean_accepts_what_the_search_found(
    name: str, semantics: Semantics, ask: Callable[..., CheckResult], lean: LeanInstall, library: BuiltLibrary
) -> None:
    emission = proof(EXAMPLES[name], semantics)
    judged(emission, ask, library, lean)


@pytest.mark.parametrize("semantics", BOTH)
def test_without_its_cases_nothing_is_proved(semantics: Semantics) -> None:
    own = EXAMPLES["two hidden layers"]
    account = prepare(own.network.program, [Goal(own.forms, (own.box,))], semantics)
    tree = cases_of(own.network.program, own.forms, own.box, phases=True)
    assert isinstance(tree, Leaf)
    assert tree.phases is not None
    claim = account.emission.claims[0]
    whole = Leaf(tree.lower, tree.upper, tree.slopes)
    assert not relaxed_script(account, claim, claim.boxes[0], whole)[1]


@pytest.mark.parametrize("semantics", BOTH)
def test_dropped_and_exchanged_cases_are_refused(semantics: Semantics) -> None:
    emission = proof(EXAMPLES["deeper phases"], semantics)
    assert not any(foreseen(with_script(emission, one)) for one in without(script_of(emission)))


@pytest.mark.parametrize("semantics", BOTH)
def test_a_multiplier_needs_its_sign_and_its_phase(semantics: Semantics) -> None:
    """Turned round, or of a slot that no split is about: where the bound needs it, both are refused."""
    emission = proof(EXAMPLES["deeper phases"], semantics)
    seen = [foreseen(with_script(emission, one)) for one in with_other_multipliers(script_of(emission))]
    pairs = list(zip(seen[::2], seen[1::2], strict=True))
    assert (False, False) in pairs


@pytest.mark.parametrize("semantics", BOTH)
def test_lean_refuses_changed_certificates(
    semantics: Semantics, ask: Callable[..., CheckResult], lean: LeanInstall, library: BuiltLibrary
) -> None:
    emission = proof(EXAMPLES["deeper phases"], semantics)
    script = script_of(emission)
    refused = [
        [one for one in (with_script(emission, changed) for changed in own) if not foreseen(one)]
        for own in (without(script), with_other_multipliers(script))
    ]
    assert all(refused)
    for mutant in (*refused[0][:4], *refused[1][:2]):
        assert not ask(mutant).accepted
    assert not evaluated(refused[0][-1], library, lean)
    assert not evaluated(refused[1][0], library, lean)


def test_a_tree_in_several_theorems(ask: Callable[..., CheckResult]) -> None:
    emission = proof(EXAMPLES["deeper phases"], Semantics.BINARY32)
    whole = script_cost(emission.graph, script_of(emission), 1) + decoding_cost(emission.graph)
    pieces = apart(emission, whole.megabytes / 2)
    assert len(pieces.apart) > 1
    assert foreseen(pieces)
    assert ask(pieces).accepted


def test_multipliers_are_used() -> None:
    pending = [script_of(proof(EXAMPLES["deeper phases"], Semantics.REAL))]
    used = 0
    while pending:
        script = pending.pop()
        pending += children(script)
        rows = getattr(getattr(script, "how", None), "rows", None)
        used += sum(isinstance(link, MultiplyData) for link in getattr(rows, "links", ()))
    assert used
