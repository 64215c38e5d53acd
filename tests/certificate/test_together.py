"""Parts of a box whose forms the compiled checker carries side by side: it says yes and no as one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from test_forward import SEMANTICS, account_of, answer, best, forward, grid, network

from pytest_torchlean.certificate.binary import document_of
from pytest_torchlean.certificate.model import CutData, CutsData, Emission, LeafData
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.checker import BuiltLibrary, LeanInstall, evaluate
from pytest_torchlean.checker.lean_process import run_lean
from pytest_torchlean.checker.library import OPTIONS

OWN = network(1, (2, 5, 4, 3))
PARTS = 5
"""Halvings of the inputs: enough parts for the compiled checker to take them together."""
LARGER = ("above", "below", "above")
"""Where the part lies that decides how much the smaller ones prove."""

SIDE_BY_SIDE = """prelude
import PytestTorchLean
open PytestTorchLean PytestTorchLean.Forward
def scale : Scale := ⟨1, 1024, 32⟩
def last : Substitution := ⟨1, 0, [⟨3, 0⟩],
  fun c => Compose.weigh scale.stride [⟨3, 0⟩] c.direct c.mirrored, 3072, 0, 0⟩
def layers : List Layer := [.relu 50 50]
def proved (strict : Bool) (magnitude lower upper lower' upper' : Nat) : Bool :=
  columnsBeside scale 3 2 1 1 0 fun columns =>
    partsTogether scale 4 3 strict 1 2 (layersBeside scale 2 layers 1) (last.beside scale 2 1) 1 columns
      [magnitude] [[⟨lower, upper⟩], [⟨lower', upper'⟩]]
"""
"""Three times the positive part of one input, on two parts."""


def judged(lean: LeanInstall, library: BuiltLibrary, folder: Path, statements: list[str]) -> bool:
    """Whether the kernel finds all of these equations to be so."""
    lines = "".join(f"example : {statement} := by decide +kernel\n" for statement in statements)
    (folder / "Parts.lean").write_text(SIDE_BY_SIDE + lines, encoding="utf-8")
    result = run_lean(
        lean,
        [*OPTIONS, "Parts.lean"],
        directory=folder,
        lean_path=[library.olean_directory],
        wall_seconds=100,
        memory_mb=2048,
    )
    return result.code == 0 and not result.stdout


def test_every_part_is_looked_at(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    both = "proved true 6 1034 1044 1054 1064"
    yes = [f"{both} = Bool.true", "proved true 6 1054 1064 1034 1044 = Bool.true"]
    no = [
        "proved true 6 1014 1024 1054 1064",  # the first part is below 0
        "proved true 6 1054 1064 1014 1024",  # the second one
        "proved true 4 1034 1044 1054 1064",  # reaches further than the magnitude
        "proved true 6 1034 1044 1054 1070",
        "proved true 6 1034 1044 9054 9064",  # beyond the largest number
    ]
    assert judged(lean, library, tmp_path, yes + [f"{one} = Bool.false" for one in no])
    assert not judged(lean, library, tmp_path, [f"{both} = Bool.false"])


def accepted(emission: Emission, lean: LeanInstall, library: BuiltLibrary) -> bool:
    document = document_of([emission])
    return evaluate(document, built=library, lean=lean, wall_seconds=120, memory_mb=2048).accepted


def with_larger(cuts: CutsData, path: Sequence[str]) -> CutsData:
    """The cuts but for those of one part."""
    if not path:
        return LeafData()
    assert isinstance(cuts, CutData)
    side, *rest = path
    return replace(cuts, **{side: with_larger(getattr(cuts, side), rest)})


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_the_compiled_checker_proves_what_the_forecast_says(
    semantics: Semantics, lean: LeanInstall, library: BuiltLibrary
) -> None:
    threshold = best(OWN, PARTS, semantics)
    account = account_of(OWN, threshold, semantics)
    cuts = grid(account, PARTS)
    above = account_of(OWN, threshold + 1, semantics)
    assert answer(forward(account, cuts))
    assert accepted(forward(account, cuts), lean, library)
    assert not answer(forward(above, grid(above, PARTS)))
    assert not accepted(forward(above, grid(above, PARTS)), lean, library)


def test_parts_of_several_widths_and_a_part_too_large(lean: LeanInstall, library: BuiltLibrary) -> None:
    """What all the smaller parts prove, the larger one alone does not."""
    answers = []
    for depth in (len(LARGER), PARTS):
        account = account_of(OWN, best(OWN, depth, Semantics.REAL))
        emission = forward(account, with_larger(grid(account, PARTS), LARGER))
        answers.append(answer(emission))
        assert accepted(emission, lean, library) == answers[-1]
    assert answers == [True, False]
