"""Small certificates written by hand in Lean: what the checker accepts, and where it says no.

Each file states both as theorems: `check ... = true`, and `check ... = false` for every change that
makes a claim false or a certificate insufficient.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End, ProcessResult, run_lean
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.messages import parse_messages

LEAN_TESTS = Path(__file__).parents[1] / "lean"
CLAIMS = sorted((LEAN_TESTS / "claims").glob("*.lean"))
GAPS = sorted((LEAN_TESTS / "claims_refused").glob("*.lean"))


def compiled(source: Path, lean: LeanInstall, library: BuiltLibrary, folder: Path) -> ProcessResult:
    return run_lean(
        lean,
        ["--json", *OPTIONS, str(source)],
        directory=folder,
        lean_path=[library.olean_directory],
        wall_seconds=120,
        memory_mb=2048,
    )


@pytest.mark.parametrize("source", CLAIMS, ids=lambda path: path.stem)
def test_every_answer_is_as_stated(
    source: Path, lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    result = compiled(source, lean, library, tmp_path)
    assert [message.text for message in parse_messages(result.stdout)] == []
    assert (result.end, result.code) == (End.EXITED, 0)


@pytest.mark.parametrize("source", GAPS, ids=lambda path: path.stem)
def test_joined_parts_with_a_gap_are_refused(
    source: Path, lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    """Each part is proved; what joins them is not a proof, and nothing else is wrong."""
    result = compiled(source, lean, library, tmp_path)
    (message,) = parse_messages(result.stdout)
    assert message.severity == "error"
    assert "type mismatch" in message.text
    assert (result.end, result.code) == (End.EXITED, 1)


@pytest.mark.parametrize("source", CLAIMS, ids=lambda path: path.stem)
def test_each_file_states_refusals(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    assert text.count("= .true := by decide +kernel") >= 1
    assert text.count("= .false := by decide +kernel") >= 1
