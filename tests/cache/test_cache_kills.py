"""Runs that are killed while they write files: benchmarks/kills.py, fewer of them, at seeded operations."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmark_scripts import FOLDER, script

from pytest_torchlean.checker import BuiltLibrary

KILLS = 20


def test_nothing_is_false_or_lost_after_kills_at_files(tmp_path: Path, library: BuiltLibrary) -> None:
    built = library.olean_directory.parent
    place = tmp_path / "pytest-torchlean" / "lean"
    for folder in (place.parent, place):
        folder.mkdir(mode=0o700)
    shutil.copytree(built, place / built.name)
    command = [sys.executable, str(FOLDER / "kills.py"), "--at-files", "--work", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parent)}
    done = subprocess.run(
        [*command, "--kills", str(KILLS)], env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rounds = script("kills").rounds_in(tmp_path)
    assert sum(entry["killed"] for entry in rounds) == KILLS
    assert all(entry["at_file"] for entry in rounds)
    for entry in rounds:
        assert entry["unreadable"] == entry["broken_records"] == 0
        assert entry["false"] == entry["lost"] == []
    assert any(entry["reported"] for entry in rounds)


def test_a_lost_or_false_result_would_be_seen(tmp_path: Path) -> None:
    """The examination says no: nothing was written, and a terminal showed proofs."""
    shown = "PROVED      torchlean.yaml::tiny::bounded\nPROVED      torchlean.yaml::tiny::too-tight\n"
    found = script("kills").examine(tmp_path, tmp_path / "none", shown)
    assert found["lost"] == ["bounded", "too-tight"]
    assert found["false"] == ["too-tight"]
    (tmp_path / "record.json").write_text("{")
    assert script("kills").examine(tmp_path, tmp_path / "none", "")["broken_records"] == 1
