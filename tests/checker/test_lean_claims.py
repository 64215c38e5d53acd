"""Small certificates written by hand in Lean: what the checker accepts, and where it says no.

Each file states both as theorems: `check ... = true`, and `check ... = false` for every change that
makes a claim false or a certificate insufficient.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End, run_lean
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.messages import parse_messages

CLAIMS = sorted((Path(__file__).parents[1] / "lean" / "claims").glob("*.lean"))


@pytest.mark.parametrize("source", CLAIMS, ids=lambda path: path.stem)
def test_every_answer_is_as_stated(
    source: Path, lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    result = run_lean(
        lean,
        ["--json", *OPTIONS, str(source)],
        directory=tmp_path,
        lean_path=[library.olean_directory],
        wall_seconds=120,
        memory_mb=2048,
    )
    assert [message.text for message in parse_messages(result.stdout)] == []
    assert (result.end, result.code) == (End.EXITED, 0)


@pytest.mark.parametrize("source", CLAIMS, ids=lambda path: path.stem)
def test_each_file_states_refusals(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    assert text.count("= .true := by decide +kernel") >= 1
    assert text.count("= .false := by decide +kernel") >= 1
