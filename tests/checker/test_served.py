"""Modules compiled by forks of one loaded Lean: the same answers, the same files, the same limits."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall, lean_process, served
from pytest_torchlean.checker.lean_process import End, run_lean
from pytest_torchlean.checker.served import ServedLean
from pytest_torchlean.errors import CheckerError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lean is forked on Linux only")

FINE = "prelude\nimport PytestTorchLean.Core\ntheorem fine (n : Nat) : n = n := rfl\n"
ENDLESS = (
    "prelude\nimport PytestTorchLean.Core\ntheorem t : Nat.beq (Nat.rec (motive := fun _ => Nat) 0 "
    "(fun _ r => r) 1000000000) 0 = true := by decide +kernel\n"
)


@pytest.fixture
def one(lean: LeanInstall, core: BuiltLibrary) -> Iterator[ServedLean]:
    if lean.kind != "wheel":
        pytest.skip("this Lean is a program")
    with ServedLean(lean, lean_path=[core.olean_directory], memory_mb=2048) as made:
        yield made


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that needed a process of their own."""
    runs = list[str]()

    def noting(*arguments: object, directory: Path, **named: object) -> object:
        runs.append(directory.name)
        return run_lean(*arguments, directory=directory, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(served, "run_lean", noting)
    return runs


@pytest.fixture
def place(tmp_path: Path) -> Callable[[str, str], Path]:
    def make(name: str, text: str) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        (directory / "M.lean").write_text(text)
        return directory

    return make


Place = Callable[[str, str], Path]


def test_the_file_is_the_one_of_a_process_of_its_own(
    one: ServedLean, lean: LeanInstall, core: BuiltLibrary, place: Place, alone: list[str]
) -> None:
    for name in ("first", "second\nline"):
        result = one.run(["--json", "-o", "M.olean", "M.lean"], directory=place(name, FINE), wall_seconds=60)
        assert (result.end, result.code, result.stdout, result.stderr) == (End.EXITED, 0, b"", b"")
        assert result.peak_memory_mb > 10
    own = place("own", FINE)
    run_lean(
        lean,
        ["--json", "-o", "M.olean", "M.lean"],
        directory=own,
        lean_path=[core.olean_directory],
        wall_seconds=60,
        memory_mb=2048,
    )
    files = {(own.parent / name / "M.olean").read_bytes() for name in ("first", "second\nline", "own")}
    assert len(files) == 1
    assert alone == []


def test_what_lean_refuses_is_told(one: ServedLean, place: Place, alone: list[str]) -> None:
    text = "prelude\nimport PytestTorchLean.Core\ntheorem wrong (n : Nat) : n = n := n\n"
    result = one.run(["--json", "M.lean"], directory=place("wrong", text), wall_seconds=60)
    assert (result.end, result.code) == (End.EXITED, 1)
    assert b"mismatch" in result.stdout
    assert alone == []


def test_a_run_after_the_deadline_is_killed_with_its_launcher(
    one: ServedLean, place: Place, alone: list[str]
) -> None:
    result = one.run(["M.lean"], directory=place("endless", ENDLESS), wall_seconds=0.5)
    assert result.end is End.DEADLINE
    assert alone == ["endless"]
    after = one.run(["--json", "M.lean"], directory=place("after", FINE), wall_seconds=60)
    assert (after.end, after.code) == (End.EXITED, 0)
    assert alone == ["endless"]


def test_a_run_that_takes_too_much_memory_is_killed(
    one: ServedLean, place: Place, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "anonymous_mb", lambda pid: 4096.0)
    monkeypatch.setattr(lean_process, "anonymous_mb", lambda pid: 4096.0)
    result = one.run(["M.lean"], directory=place("large", ENDLESS), wall_seconds=60)
    assert result.end is End.MEMORY
    assert alone == ["large"]


def test_the_child_has_limits_and_a_session_of_its_own(
    one: ServedLean, place: Place, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = dict[str, str]()

    def look(pid: int) -> float:
        seen["limits"] = Path(f"/proc/{pid}/limits").read_text()
        seen["status"] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        seen["pid"] = str(pid)
        seen["environment"] = Path(f"/proc/{pid}/environ").read_text()
        return 4096.0

    monkeypatch.setenv("SECRET_OF_THE_USER", "1")
    monkeypatch.setattr(served, "anonymous_mb", look)
    one.run(["M.lean"], directory=place("limits", ENDLESS), wall_seconds=1)
    limits = {line[:25].strip(): line[26:].split()[0] for line in seen["limits"].splitlines()}
    assert limits["Max data size"] == str((2048 + 4096) << 20)
    assert limits["Max file size"] == str(256 << 20)
    assert limits["Max core file size"] == "0"
    assert seen["status"].split()[3] == seen["pid"]
    assert "SECRET" not in seen["environment"]


def test_the_child_dies_with_its_launcher(
    one: ServedLean, place: Place, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    children = list[int]()

    def kill(pid: int) -> float:
        children.append(pid)
        os.kill(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
        return 0.0

    monkeypatch.setattr(served, "anonymous_mb", kill)
    result = one.run(["M.lean"], directory=place("orphan", ENDLESS), wall_seconds=1)
    assert result.end is End.DEADLINE
    assert alone == ["orphan"]
    assert set(children) == {children[0]}
    # what is left is a process that nobody has reaped yet, or nothing
    state = Path(f"/proc/{children[0]}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_a_library_that_cannot_be_initialised_is_started_anew(
    lean: LeanInstall, core: BuiltLibrary, place: Place, alone: list[str], tmp_path: Path
) -> None:
    missing = LeanInstall("wheel", tmp_path / "missing.so", "4.35.0", "0" * 64, verified=False)
    with ServedLean(missing, lean_path=[core.olean_directory], memory_mb=2048) as broken:
        with pytest.raises(CheckerError) as caught:
            broken.run(["M.lean"], directory=place("missing", FINE), wall_seconds=60)
        assert caught.value.code == "TL0503"
    assert alone == ["missing"]
