"""The axioms of every headline theorem, pinned."""

from __future__ import annotations

import re

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall, axioms_of
from pytest_torchlean.checker.sources import source_directory
from pytest_torchlean.errors import CheckerError

# Full name of each theorem that a reader of a verdict relies on, and the axioms it may rest on.
WITHOUT_CHOICE = ("propext", "Quot.sound")
HEADLINE: dict[str, tuple[str, ...]] = {
    "PytestTorchLean.sound": WITHOUT_CHOICE,
    "PytestTorchLean.Graph.runNodes_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Affine.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relu.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Box.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Compose.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Direct.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.decode_sound": WITHOUT_CHOICE,
    "PytestTorchLean.decode_finite": WITHOUT_CHOICE,
    "PytestTorchLean.NatEquations.div_spec": (),
    "PytestTorchLean.NatEquations.mod_unique": (),
    "PytestTorchLean.NatEquations.gcd_succ": (),
    "PytestTorchLean.NatEquations.land_bit": (),
    "PytestTorchLean.NatEquations.lor_bit": (),
    "PytestTorchLean.NatEquations.xor_bit": (),
    "PytestTorchLean.NatEquations.log2_step": (),
    # the theorems are not vacuous
    "PytestTorchLean.Integers.orderedRing": ("propext",),
    "PytestTorchLean.Example.executes": ("propext",),
    "PytestTorchLean.Example.executes_integers": ("propext",),
}


def test_headline_theorems_rest_on_the_pinned_axioms(lean: LeanInstall, library: BuiltLibrary) -> None:
    assert axioms_of(tuple(HEADLINE), built=library, lean=lean) == HEADLINE


def test_every_theorem_of_the_table_in_the_readme_is_pinned() -> None:
    text = (source_directory() / "README.md").read_text(encoding="utf-8")
    table = text.partition("## Proved theorems")[2].partition("##")[0]
    named = {f"PytestTorchLean.{name}" for name in re.findall(r"^\| \[`([\w.]+)`\]", table, re.MULTILINE)}
    assert named - {"PytestTorchLean.NatEquations"} == {
        name for name in HEADLINE if not name.startswith("PytestTorchLean.NatEquations.")
    }


def test_axioms_are_seen(lean: LeanInstall, library: BuiltLibrary) -> None:
    found = axioms_of(["Classical.em", "Nat.add_comm", "funext"], built=library, lean=lean)
    assert set(found["Classical.em"]) == {"propext", "Classical.choice", "Quot.sound"}
    assert found["Nat.add_comm"] == ()
    assert found["funext"] == ("Quot.sound",)


def test_a_theorem_that_does_not_exist_is_an_error(lean: LeanInstall, library: BuiltLibrary) -> None:
    with pytest.raises(CheckerError) as caught:
        axioms_of(["PytestTorchLean.no_such_theorem"], built=library, lean=lean)
    assert caught.value.code == "TL0514"
