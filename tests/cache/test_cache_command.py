"""The cache as users meet it: the command, doctor, the options, xdist."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmark_scripts import script

from pytest_torchlean.cache.store import FOLDER, Store, default_store
from pytest_torchlean.checker import BuiltLibrary
from pytest_torchlean.cli import main
from pytest_torchlean.report.read import parse_record
from pytest_torchlean.verdict import Verdict

OWN_STORE = """
import pathlib, pytest_torchlean.cache.store as store
store.default_store = lambda: store.Store(pathlib.Path(__file__).parent / "kept", 1 << 24)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TORCHLEAN_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCHLEAN_CACHE_MB", "5")
    return Store(tmp_path / "pytest-torchlean" / FOLDER, 5 << 20)


def test_the_command_shows_and_clears(cache: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache"]) == 0
    assert "0 entries, 0.0 of at most 5 MB" in capsys.readouterr().out
    assert not cache.folder.exists()
    cache.write(b"k" * 32, b"content")
    main(["cache"])
    assert f"1 entry, 0.0 of at most 5 MB, in {cache.folder}" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert "removed 1 entry" in capsys.readouterr().out
    assert cache.state.entries == 0


def test_a_cache_that_is_switched_off_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCHLEAN_CACHE_MB", "0")
    assert default_store() is None
    assert main(["cache"]) == 0
    assert main(["cache", "--clear"]) == 2
    assert "switched off" in capsys.readouterr().out


@pytest.mark.parametrize("private", [True, False])
def test_doctor_shows_the_state(
    private: bool,
    cache: Store,
    library: BuiltLibrary,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cache.write(b"k" * 32, b"content")
    if not private:
        cache.folder.chmod(0o777)
    monkeypatch.setattr("pytest_torchlean.checker.ensure_built", lambda *_, **__: library)
    main(["doctor"])
    shown = capsys.readouterr().out
    assert ("1 entry" in shown) is private
    assert ("TL0506" in shown) is not private


def test_the_option_switches_it_off_for_a_run(
    tmp_path: Path, library: BuiltLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("kills").write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "kept", 1 << 24)
    monkeypatch.setattr("pytest_torchlean.commands.caching.default_store", lambda: store)
    arguments = ["check", "torchlean.yaml::tiny::bounded", "--json", "r.json"]
    assert main([*arguments, "--no-cache"]) == 0
    assert not store.folder.exists()
    assert main(arguments) == 0
    assert store.state.entries == 1


def test_workers_of_xdist_share_it(pytester: pytest.Pytester, library: BuiltLibrary) -> None:
    script("kills").write_project(pytester.path)
    pytester.makeconftest(OWN_STORE)
    for expected in ("miss", "hit"):
        pytester.runpytest_subprocess("-n", "2", "--torchlean-json", "r.json")
        results, _ = parse_record((pytester.path / "r.json").read_bytes())
        verdicts = {result.name: result.evidence.verdict for result in results}
        assert verdicts == {name: Verdict[word] for name, word in script("kills").TRUE.items()}
        assert {result.evidence.effort["cache"] for result in results} == {expected}


def test_pytest_can_do_without_it(pytester: pytest.Pytester, library: BuiltLibrary) -> None:
    script("kills").write_project(pytester.path)
    pytester.makeconftest(OWN_STORE)
    pytester.runpytest_inprocess("-k", "bounded", "--torchlean-no-cache")
    assert not (pytester.path / "kept").exists()
