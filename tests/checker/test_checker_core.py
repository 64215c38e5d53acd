"""The Lean core: what its tactics prove, what must fail, its axioms, and that it is what it says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End, ProcessResult, run_lean
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.messages import parse_messages
from pytest_torchlean.checker.sources import source_directory

LEAN_TESTS = Path(__file__).parents[1] / "lean"
ACCEPTED = sorted((LEAN_TESTS / "accepted").glob("*.lean"))
REFUSED = sorted((LEAN_TESTS / "refused").glob("*.lean"))

AXIOMS = {
    "lcErased", "lcAny", "lcVoid", "lcProof", "lcUnreachable", "lcCast",
    "sorryAx", "propext", "Quot.sound", "Classical.choice",
}  # fmt: skip


def compile_file(source: Path, lean: LeanInstall, core: BuiltLibrary, folder: Path) -> ProcessResult:
    return run_lean(
        lean,
        ["--json", *OPTIONS, str(source)],
        directory=folder,
        lean_path=[core.olean_directory],
        wall_seconds=120,
        memory_mb=2048,
    )


@pytest.mark.parametrize("source", ACCEPTED, ids=lambda path: path.stem)
def test_accepted(source: Path, lean: LeanInstall, core: BuiltLibrary, tmp_path: Path) -> None:
    result = compile_file(source, lean, core, tmp_path)
    assert [message.text for message in parse_messages(result.stdout)] == []
    assert (result.end, result.code) == (End.EXITED, 0)


@pytest.mark.parametrize("source", REFUSED, ids=lambda path: path.stem)
def test_refused(source: Path, lean: LeanInstall, core: BuiltLibrary, tmp_path: Path) -> None:
    result = compile_file(source, lean, core, tmp_path)
    assert (result.end, result.code) == (End.EXITED, 1)
    assert any(message.severity == "error" for message in parse_messages(result.stdout))


def test_there_are_examples_of_both() -> None:
    assert len(ACCEPTED) >= 6
    assert len(REFUSED) >= 10


def test_accelerated_functions_agree_with_their_clones(
    lean: LeanInstall, core: BuiltLibrary, tmp_path: Path
) -> None:
    result = compile_file(
        source_directory() / "PytestTorchLean" / "Core" / "Clones.lean", lean, core, tmp_path
    )
    assert parse_messages(result.stdout) == ()
    assert (result.end, result.code) == (End.EXITED, 0)


def test_programs_read_bytes(lean: LeanInstall, core: BuiltLibrary, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"x" + (2**63 + 5).to_bytes(8, "little") + b"yz")
    result = run_lean(
        lean,
        ["--run", str(LEAN_TESTS / "programs" / "read_bytes.lean"), str(data)],
        directory=tmp_path,
        lean_path=[core.olean_directory],
        wall_seconds=60,
        memory_mb=1024,
    )
    assert (result.end, result.code, result.stdout) == (End.EXITED, 4, b"11\n9223372036854775813\n")


def test_every_axiom_is_on_the_list_and_in_one_file() -> None:
    declared: dict[str, str] = {}
    for source in sorted(source_directory().rglob("*.lean")):
        for name in re.findall(
            r"^\s*(?:@\[[^\]]*\]\s*)?(?:unsafe\s+)?axiom\s+(\S+)", source.read_text(), re.MULTILINE
        ):
            declared[name] = source.name
    assert declared == dict.fromkeys(AXIOMS, "Prelude.lean")


def test_the_generated_module_is_up_to_date(lean: LeanInstall) -> None:
    if lean.kind != "wheel":
        pytest.skip("the symbols are read from the wheel's library")
    path = source_directory() / "tools" / "generate_tactic.py"
    spec = importlib.util.spec_from_file_location("generate_tactic", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    written = (source_directory() / "PytestTorchLean" / "Core" / "Tactic.lean").read_text(encoding="utf-8")
    assert tool.generate(tool.dynamic_symbols(lean.path)) == written
