"""Mutants of true, accepted claims: Lean refuses every one.

Most are put before the kernel together, each as a theorem that the check of its certificate gives *false*:
that is more than a refusal, and cheap. Some of every kind are refused for themselves, as a user's would be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from certificate_examples import accepted, broken_by, false_at, meaning
from mutants.data import KINDS, RELU_SEEDS, SEEDS, relu_dropped, some_false
from mutants.integers import (
    CLAIM_FALSE,
    CLAIM_OPEN,
    CLAIM_STANDS,
    INTEGERS,
    Change,
    forms,
    more_integers,
    of_property,
    scale,
)
from mutants.phases import changed_multipliers, false_phases, phases_truth
from mutants.piecewise import (
    PIECEWISE_SEEDS,
    QUADRATIC_SEEDS,
    RESIDUAL_SEEDS,
    connection_changed,
    extremum_rewired,
    extremum_turned,
    factor_rewired,
    slope_changed,
)
from mutants.rounded import Rounded, rounded_falsehoods
from mutants.rows import changed_rows, deep_emission, false_rows
from mutants.scripts import spine
from mutants.trees import changed_trees, false_trees, tree_truth, with_tree
from mutants.truths import Truth, margin_truth, range_truth
from mutants.weighted import changed_weights, false_clauses, ordered_emission

from pytest_torchlean.certificate.model import ComposedData, Emission
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.text import render
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, Outcome
from pytest_torchlean.checker.lean_process import run_lean
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.messages import parse_messages

Ask = Callable[..., CheckResult]
Judge = Callable[[Sequence[Emission], bool], list[int]]


Mutation = tuple[Truth, Truth]
"""A true claim, and the same with other data that make it false."""


@cache
def data_mutations() -> tuple[Mutation, ...]:
    """Truths, and mutants with an exact counterexample."""
    found: list[Mutation] = []
    made: Counter[str] = Counter()

    def add(kind: str, truth: Truth, mutants: list[Truth]) -> None:
        own = some_false(mutants)
        made[kind] += len(own)
        found.extend((truth, mutant) for mutant in own)

    for claim, kinds in KINDS.items():
        for name, seed in SEEDS.items():
            truth = claim(name, seed)
            for kind in kinds:
                add(kind.__name__, truth, kind(truth))
        for seed in PIECEWISE_SEEDS:
            truth = claim("piecewise", seed)
            add("slope", truth, slope_changed(seed)(truth))
            add("turned", truth, extremum_turned(truth))
            add("rewired", truth, extremum_rewired(truth))
        for seed in QUADRATIC_SEEDS:
            truth = claim("quadratic", seed)
            add("factor", truth, factor_rewired(truth))
            for kind in kinds:
                add(kind.__name__, truth, kind(truth))
        for seed in RESIDUAL_SEEDS:
            truth = claim("residual", seed)
            add("connection", truth, connection_changed(truth))
    for name, seeds in RELU_SEEDS.items():
        truths = [make(name, seed) for seed in seeds for make in KINDS]
        add("relu", truths[0], [mutant for truth in truths for mutant in relu_dropped(truth)])
    names = {kind.__name__ for kinds in KINDS.values() for kind in kinds}
    assert set(+made) == {*names, "slope", "turned", "rewired", "factor", "connection", "relu"}
    return tuple(found)


@cache
def data_mutants() -> tuple[tuple[Emission, Emission], ...]:
    """The same as emissions, with trees and backward rows; every sixth also about binary32.

    The exact counterexample is a binary32 execution too, the one whose rounding errors are all 0.
    """
    found = [(truth.emission, mutant.emission) for truth, mutant in data_mutations()]
    found += [tuple(one.under(Semantics.BINARY32) for one in pair) for pair in data_mutations()[::6]]
    tree = tree_truth().emission
    for truth in false_trees():
        assert false_at(truth.emission) is not None
        found.append((with_tree(tree), with_tree(truth.emission)))
    for mutant in false_rows():
        assert false_at(mutant) is not None
        found.append((deep_emission(Fraction(5)), mutant))
    for mutant in false_phases():
        assert false_at(mutant) is not None
        found.append((phases_truth(mutant.semantics), mutant))
    return tuple(found)


@cache
def rounded_mutants() -> tuple[Rounded, ...]:
    return tuple(rounded_falsehoods())


@cache
def integer_mutants() -> tuple[tuple[Emission, Emission], ...]:
    """Truths, and emissions with changed numbers."""
    found = []
    for name, (change, category) in INTEGERS.items():
        truth = truth_for(name).emission
        mutant = change(truth)
        if category is CLAIM_FALSE:
            assert false_at(mutant) is not None
        if category is CLAIM_STANDS:
            assert meaning(mutant) == meaning(truth)
        if category is CLAIM_OPEN:
            with pytest.raises((IndexError, ZeroDivisionError)):
                false_at(mutant)
        found.append((truth, mutant))
    truth = margin_truth("conv", SEEDS["conv"]).emission
    for _name, change in more_integers():
        mutant = change(truth)
        assert meaning(mutant) == meaning(truth)
        found.append((truth, mutant))
    tree = with_tree(tree_truth().emission)
    found += [(tree, mutant) for mutant in changed_trees()]
    return tuple(found)


def truth_for(name: str) -> Truth:
    """A claim on a network where the change has something to change."""
    if name.startswith("relu"):
        return margin_truth("mlp", SEEDS["mlp"])
    if name in ("half-zero", "fewer-inputs"):
        return margin_truth("linear", SEEDS["linear"])
    return (range_truth if name.startswith("average") else margin_truth)("conv", SEEDS["conv"])


def semantics_mutants() -> list[tuple[Emission, Emission]]:
    """Certificates for exact arithmetic that leave out the last node, under a claim about binary32."""
    made = [make(name, seed).emission for name, seed in SEEDS.items() for make in KINDS]
    truths = [truth for truth in made if isinstance(spine(truth.certificate.scripts[0][0])[1], ComposedData)]
    assert truths
    return [(truth, replace(truth, semantics=Semantics.BINARY32)) for truth in truths]


def test_there_are_at_least_600_mutants_and_half_are_made_before_encoding() -> None:
    data = (*data_mutants(), *((own.truth, own.mutant) for own in rounded_mutants()))
    data += tuple((ordered_emission(Fraction(1)), mutant) for mutant in false_clauses())
    encoded = (*integer_mutants(), *semantics_mutants(), *((rows_truth(), m) for m in changed_rows()))
    encoded += tuple((ordered_emission(Fraction(1)), mutant) for mutant in changed_weights())
    encoded += tuple((phases_truth(mutant.semantics), mutant) for mutant in changed_multipliers())
    assert all(truth != mutant for truth, mutant in (*data, *encoded))
    assert len({id(mutant) for _, mutant in data}) == len(data)
    assert len(data) + len(encoded) >= 600
    assert len(data) >= len(encoded)


def rows_truth() -> Emission:
    return deep_emission(Fraction(5))


def test_the_truths_are_accepted(wrongly_judged: Judge) -> None:
    made = [make(name, seed) for name, seed in SEEDS.items() for make in KINDS]
    truths = [truth.under(semantics) for truth in made for semantics in Semantics]
    assert wrongly_judged([*truths, with_tree(tree_truth().emission)], True) == []


def test_claims_about_binary32_have_an_execution_that_breaks_them() -> None:
    """Of the overflowing ones a partial sum is beyond every binary32 number."""
    kinds = {"broken": 0, "overflow": 0}
    for own in rounded_mutants():
        assert accepted(own.truth) == [[True]]
        assert own.mutant.semantics is Semantics.BINARY32
        (claim,) = own.mutant.claims
        if own.overflow:
            kinds["overflow"] += 1
            assert own.overflow >= 2**128 - 2**103
        else:
            kinds["broken"] += 1
            assert broken_by(claim, own.slots)
    assert kinds["broken"] >= 60
    assert kinds["overflow"] == 3


def test_what_holds_exactly_and_not_in_binary32_is_refused_for_binary32(wrongly_judged: Judge) -> None:
    found = rounded_mutants()
    assert wrongly_judged([own.mutant for own in found], False) == []
    assert wrongly_judged([own.truth for own in found[::6]], True) == []


def test_the_tree_is_needed(wrongly_judged: Judge) -> None:
    assert wrongly_judged([tree_truth().emission], False) == []


def test_true_claims_made_false_are_refused(wrongly_judged: Judge) -> None:
    assert wrongly_judged([mutant for _, mutant in data_mutants()], False) == []


def test_backward_rows_prove_what_intervals_do_not(wrongly_judged: Judge) -> None:
    rows = deep_emission(Fraction(5))
    assert wrongly_judged([rows], True) == []
    assert wrongly_judged([next(changed_rows())], False) == []


def test_changed_rows_are_refused(wrongly_judged: Judge) -> None:
    mutants = list(changed_rows())
    assert len(mutants) >= 40
    assert wrongly_judged(mutants, False) == []


def test_changed_multipliers_are_refused(wrongly_judged: Judge) -> None:
    assert wrongly_judged([phases_truth(semantics) for semantics in Semantics], True) == []
    mutants = list(changed_multipliers())
    assert len(mutants) >= 40
    assert wrongly_judged(mutants, False) == []


def test_changed_integers_are_refused(wrongly_judged: Judge) -> None:
    names = [*INTEGERS, *(name for name, _ in more_integers())]
    wrong = wrongly_judged([mutant for _, mutant in integer_mutants()], False)
    assert [names[index] if index < len(names) else index - len(names) for index in wrong] == []


def test_certificates_for_exact_arithmetic_prove_nothing_about_binary32(wrongly_judged: Judge) -> None:
    assert wrongly_judged([mutant for _, mutant in semantics_mutants()], False) == []


def test_the_judge_notices_what_is_accepted(wrongly_judged: Judge) -> None:
    truth = margin_truth("linear", SEEDS["linear"]).emission
    mutant = next(mutant for _, mutant in data_mutants())
    assert wrongly_judged([mutant, truth, mutant], False) == [1]
    assert wrongly_judged([mutant, truth, mutant], True) == [0, 2]


def test_a_sample_is_refused_as_a_users_certificate_would_be(ask: Ask) -> None:
    data, integers = data_mutants(), integer_mutants()
    sample = [*data[:: len(data) // 5], *integers[:: len(integers) // 4], *semantics_mutants()[:1]]
    for _, mutant in sample:
        assert ask(mutant).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(scale(lambda s: replace(s, unit=1)), id="coarse-bounds"),
        pytest.param(forms(lambda a: replace(a, divisor=0)), id="a-field-that-no-property-has"),
        pytest.param(of_property(alternatives=lambda _: 2), id="one-of-two-rows-suffices"),
    ],
)
def test_a_change_that_leaves_the_claim_true_may_pass(change: Change, ask: Ask) -> None:
    """Not counted as refused: what is stated is true, and what Lean says of it is right."""
    mutant = change(margin_truth("conv", SEEDS["conv"]).emission)
    assert ask(mutant).outcome in (Outcome.ACCEPTED, Outcome.REFUSED)


# --- the text of the theorem ------------------------------------------------------------------------

_ABOUT = "theorem t (K : Type) [OrderedRing K] : Every (Claim.Holds K"
_FORMS = "⟨⟨part0_claim0_forms,"
_FIRST = "part0_claim0"
OTHER_THEOREMS = {
    "another-semantics": f"{_ABOUT} .binary32 graph) part0_claims := sound K part0_accepted",
    "no-nodes": f"{_ABOUT} .real ⟨graph.inputs, []⟩) part0_claims := sound K part0_accepted",
    "more-inputs": f"{_ABOUT} .real ⟨nat_lit 5, graph.nodes⟩) part0_claims := sound K part0_accepted",
    "another-box": f"{_ABOUT} .real graph) [{_FORMS} Bool.true, nat_lit 1⟩, "
    "[⟨nat_lit 1, nat_lit 0, nat_lit 8, nat_lit 0, nat_lit 5⟩]⟩] := sound K part0_accepted",
    "not-strict": f"{_ABOUT} .real graph) [{_FORMS} Bool.not {_FIRST}.property.strict, nat_lit 1⟩, "
    f"{_FIRST}.boxes⟩] := sound K part0_accepted",
    "no-alternatives": f"{_ABOUT} .real graph) [{_FORMS} Bool.true, nat_lit 0⟩, "
    f"{_FIRST}.boxes⟩] := sound K part0_accepted",
    "claim-twice": f"{_ABOUT} .real graph) [{_FIRST}, {_FIRST}] := sound K part0_accepted",
    "no-ring": "theorem t (K : Type) [LE K] : Every (Claim.Holds K .real graph) part0_claims := "
    "sound K part0_accepted",
    "accepted-by-reflexivity": f"{_ABOUT} .real graph) part0_claims := sound K rfl",
    "another-certificate": "theorem t : check Rules.plain .real graph part0_claims "
    "⟨⟨nat_lit 1, nat_lit 1, nat_lit 1⟩, []⟩ = Bool.true := part0_accepted",
    "not-accepted": "theorem t : check Rules.plain .real graph part0_claims part0_certificate = "
    "Bool.false := by decide +kernel",
    "false-by-decision": "theorem t : False := by decide +kernel",
    "false-from-acceptance": "theorem t : False := Bool.noConf_tf part0_accepted",
    "no-proof": f"{_ABOUT} .binary32 graph) part0_claims := sorry",
    "circular": "theorem t : False := t",
    "no-overflow-for-free": "theorem t (slots : Nat → Int) : NodesFinite .binary32 slots graph.nodes := "
    "part0_accepted",
}


def test_other_theorems_do_not_follow(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    """Every other statement is refused beside an accepted certificate, and nothing else is wrong there."""
    text = render((margin_truth("linear", SEEDS["linear"]).emission,)).splitlines()
    end = text.index("end PytestTorchLean.Emitted")
    wrong = [f"namespace Other{n}\n{line}\nend Other{n}" for n, line in enumerate(OTHER_THEOREMS.values())]
    # Statements are compared as they stand: unfolding both sides would end in the same refusal, slowly.
    wrong[0] = f"attribute [local irreducible] check Claim.Holds\n{wrong[0]}"
    (tmp_path / "Text.lean").write_text(
        "\n".join([*text[:end], *wrong, *text[end:]]) + "\n", encoding="utf-8"
    )
    result = run_lean(
        lean,
        ["--json", *OPTIONS, "Text.lean"],
        directory=tmp_path,
        lean_path=[library.olean_directory],
        wall_seconds=100,
        memory_mb=3072,
    )
    refused = {message.line for message in parse_messages(result.stdout) if message.severity == "error"}
    assert refused == {end + 3 + 3 * n for n in range(len(wrong))}
