"""The one command of benchmarks/ runs every script there; outputs outside stated bounds are counted."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from benchmark_scripts import FOLDER, script

from pytest_torchlean.checker import BuiltLibrary, LeanInstall

HELPERS = {"any_order.py", "everything.py", "peer_bounds.py"}
MODEL = FOLDER.parent / "example_repo" / "models" / "linear.onnx"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    return script("outside")


def test_one_command_runs_every_script(tmp_path: Path) -> None:
    known = script("everything").benchmarks(tmp_path)
    ran = {command[0] for benchmark in known for command in benchmark.commands}
    assert ran | HELPERS == {path.name for path in FOLDER.glob("*.py")}


def test_the_index_names_every_script_and_table(tmp_path: Path) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    missing = [
        path.name for path in FOLDER.glob("*.py") if path.name not in text and path.stem != "everything"
    ]
    missing += [
        path.name for path in FOLDER.glob("*.md") if path.name != "README.md" and path.name not in text
    ]
    assert missing == []


def test_a_benchmark_that_fails_stops_no_other_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = script("everything")
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        commands.append([Path(part).name for part in command[1:]])
        return subprocess.CompletedProcess(command, int(commands[-1][0] == "cache.py"))

    monkeypatch.setattr(module.subprocess, "run", run)
    monkeypatch.setattr(
        sys, "argv", ["everything.py", "--work", str(tmp_path), "--only", "cache", "lean", "nodes"]
    )
    assert module.main() == 1
    assert [command[0] for command in commands] == ["cache.py", "nodes.py"]
    said = capsys.readouterr().out
    assert "cache: FAILED" in said
    assert "lean: left out, it needs --data" in said


def test_an_unknown_benchmark_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["everything.py", "--work", str(tmp_path), "--only", "leen"])
    with pytest.raises(SystemExit) as stopped:
        script("everything").main()
    assert stopped.value.code == 2


@pytest.mark.parametrize("moved", [False, True])
def test_outputs_outside_bounds_are_counted(
    outside: ModuleType,
    moved: bool,
    monkeypatch: pytest.MonkeyPatch,
    lean: LeanInstall,
    library: BuiltLibrary,
) -> None:
    honest = outside.state

    def state(*arguments: Any) -> Any:
        found = honest(*arguments)
        return replace(found, lower=found.lower + 1, upper=found.upper + 1) if moved else found

    monkeypatch.setattr(outside, "state", state)
    centres = np.full((1, 64), 0.5, dtype=np.float32)
    found = outside.count(MODEL, Fraction(1, 10**6), centres, True, lean, library)
    assert found.accepted == 1
    assert found.outputs == 2 * outside.INPUTS * 10
    assert found.outside == (found.outputs if moved else 0)


def test_one_section_of_a_page_is_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    lean = script("lean")
    page = "# All\n\n## One\n\nold\n\n## Two\n\nkept\n"
    assert (
        lean.with_section(page, "## One", "## One\n\nnew\n") == "# All\n\n## One\n\nnew\n\n## Two\n\nkept\n"
    )
    last = lean.with_section(page, "## Two", "## Two\n\nnew\n")
    assert last == "# All\n\n## One\n\nold\n\n## Two\n\nnew\n"
    with pytest.raises(ValueError, match="no section '## Three'"):
        lean.with_section(page, "## Three", "")
