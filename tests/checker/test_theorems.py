"""The axioms of every headline theorem, pinned."""

from __future__ import annotations

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall, axioms_of, ensure_built
from pytest_torchlean.errors import CheckerError

# Full name of each theorem that a reader of a verdict relies on, and the axioms it may rest on.
HEADLINE: dict[str, tuple[str, ...]] = {
    "PytestTorchLean.NatEquations.div_spec": (),
    "PytestTorchLean.NatEquations.mod_unique": (),
    "PytestTorchLean.NatEquations.gcd_succ": (),
    "PytestTorchLean.NatEquations.land_bit": (),
    "PytestTorchLean.NatEquations.lor_bit": (),
    "PytestTorchLean.NatEquations.xor_bit": (),
    "PytestTorchLean.NatEquations.log2_step": (),
}


@pytest.fixture(scope="module")
def library(lean: LeanInstall) -> BuiltLibrary:
    return ensure_built(lean)


def test_headline_theorems_rest_on_the_pinned_axioms(lean: LeanInstall, library: BuiltLibrary) -> None:
    assert axioms_of(tuple(HEADLINE), built=library, lean=lean) == HEADLINE


def test_axioms_are_seen(lean: LeanInstall, library: BuiltLibrary) -> None:
    found = axioms_of(["Classical.em", "Nat.add_comm", "funext"], built=library, lean=lean)
    assert set(found["Classical.em"]) == {"propext", "Classical.choice", "Quot.sound"}
    assert found["Nat.add_comm"] == ()
    assert found["funext"] == ("Quot.sound",)


def test_a_theorem_that_does_not_exist_is_an_error(lean: LeanInstall, library: BuiltLibrary) -> None:
    with pytest.raises(CheckerError) as caught:
        axioms_of(["PytestTorchLean.no_such_theorem"], built=library, lean=lean)
    assert caught.value.code == "TL0514"
