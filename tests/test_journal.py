"""A run that is killed leaves a record that says so, and a journal with all that was reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from gate_project import write_project

from pytest_torchlean.cli import main
from pytest_torchlean.errors import RecordError
from pytest_torchlean.journal import SUFFIX, Journal, read_journal, unfinished
from pytest_torchlean.report.read import parse_record
from pytest_torchlean.results import gate_passes
from pytest_torchlean.verdict import Verdict

DIE = """
import os, signal, pytest_torchlean.properties as properties
from pytest_torchlean.verdict import Evidence, Verdict
def run_property(context, prop):
    if prop.name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return Evidence(Verdict.AGREED, claim="c", found="f")
properties.run_property = run_property
"""


def killed(folder: Path, *command: str) -> int:
    return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, timeout=120).returncode


def found(folder: Path) -> dict[str, Verdict]:
    results, _ = read_journal((folder / f"out.json{SUFFIX}").read_bytes())
    assert not gate_passes(results)
    return {result.id: result.evidence.verdict for result in results}


def test_a_killed_command_leaves_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(tmp_path, ["agreed", "die", "later"])
    (tmp_path / "out.json").write_text('{"schema": "torchlean.report/1", "results": "of an earlier run"}')
    script = DIE + "from pytest_torchlean.cli import main\nmain(['check', '.', '--json', 'out.json'])"
    assert killed(tmp_path, "-c", script) == -signal.SIGKILL
    results, _ = parse_record((tmp_path / "out.json").read_bytes())
    assert {result.evidence.verdict for result in results} == {Verdict.ERROR}
    assert not gate_passes(results)
    verdicts = found(tmp_path)
    assert verdicts.pop("torchlean.yaml::tiny::agreed") is Verdict.AGREED
    assert set(verdicts.values()) == {Verdict.ERROR}
    assert len(verdicts) == 3  # the run itself, and two that it did not get to
    assert main(["report", str(tmp_path / f"out.json{SUFFIX}")]) == 0
    assert "gate FAILED" in capsys.readouterr().out


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_killed_pytest_leaves_what_it_found(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Of several processes the controller writes, so it is the one that is killed."""
    write_project(tmp_path, ["agreed", "die", "later"])
    (tmp_path / "out.json").write_text('{\n "schema": "torchlean.report/1", "results": "of an earlier run"}')
    die = DIE.replace("os.getpid()", "os.getppid()" if workers else "os.getpid()")
    (tmp_path / "conftest.py").write_text(die)
    code = killed(
        tmp_path, "-m", "pytest", "-p", "no:cacheprovider", *workers, "--torchlean-json", "out.json"
    )
    assert code == -signal.SIGKILL
    verdicts = found(tmp_path)
    assert verdicts.pop("torchlean.yaml::tiny::agreed") is Verdict.AGREED
    results, _ = parse_record((tmp_path / "out.json").read_bytes())
    assert not gate_passes(results)


def test_a_run_that_ends_leaves_a_record_and_no_journal(tmp_path: Path) -> None:
    write_project(tmp_path, ["agreed", "later"])
    (tmp_path / "conftest.py").write_text(DIE)
    code = killed(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "--torchlean-json", "out.json")
    assert code == 0
    assert not (tmp_path / f"out.json{SUFFIX}").exists()
    results, _ = parse_record((tmp_path / "out.json").read_bytes())
    assert gate_passes(results)


def test_no_record_of_an_earlier_run_stays_and_no_other_file_goes(tmp_path: Path) -> None:
    """Where no property is met no record is written; a file that is no record was not meant."""
    old, other = tmp_path / "old.json", tmp_path / "test_mine.py"
    old.write_text('{\n "schema": "torchlean.report/1"}')
    other.write_text("def test_nothing(): pass\n")
    for target in (old, other):
        killed(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "--torchlean-json", target.name)
    assert not old.exists()
    assert other.exists()


def test_a_cut_line_is_left_out_and_a_wrong_one_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.json")
    whole = (tmp_path / f"out.json{SUFFIX}").read_bytes()
    for cut in range(len(whole) - 1, len(whole) - 200, -17):
        results, _ = read_journal(whole[:cut])
        assert results == ()
        assert not gate_passes(results)
    with pytest.raises(RecordError, match="not JSON"):
        read_journal(whole + b"{\n")
    with pytest.raises(RecordError, match=r"no journal|not a journal"):
        read_journal(json.dumps({}).encode())
    journal.end()
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_place_that_cannot_be_written_is_left_to_the_record(tmp_path: Path) -> None:
    text = "a file where a folder would have to be"
    (tmp_path / "blocked").write_text(text)
    journal = Journal(tmp_path / "blocked" / "out.json")
    journal.add(unfinished())
    journal.end()
    assert os.listdir(tmp_path) == ["blocked"]
    assert (tmp_path / "blocked").read_text() == text


def test_a_journal_that_vanished_is_not_begun_anew(tmp_path: Path) -> None:
    """Without its heading a file is no journal: results go into the record alone."""
    journal = Journal(tmp_path / "out.json")
    partial = tmp_path / f"out.json{SUFFIX}"
    partial.unlink()
    journal.add(unfinished())
    assert not partial.exists()
    journal.end()
    assert os.listdir(tmp_path) == ["out.json"]
