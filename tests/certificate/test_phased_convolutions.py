"""Certificates of ReLU phases behind convolutions: rows bound what these write, and the proof needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from phase_examples import Example, evaluated, example_of, foreseen, proof, script_of, with_script
from test_convolution import network

from pytest_torchlean.bounds.budget import UNLIMITED
from pytest_torchlean.bounds.phase_tree import PhaseLeaf, PhaseTree, leaves
from pytest_torchlean.bounds.splitting import Leaf
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import Emission, NodeScript, ScriptData, TightenScript
from pytest_torchlean.certificate.phased import Sides
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import AffineData, Semantics
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall
from pytest_torchlean.properties.linear import cases_of, refining, slot_rows

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
    assert foreseen(emission)
    assert ask(emission).accepted
    assert evaluated(emission, library, lean)


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
