"""`torchlean baseline write|check`, and the baseline that `check` and pytest find beside a spec."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from gate_project import write_project
from golden_support import assert_golden

from pytest_torchlean import properties
from pytest_torchlean.cli import main
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.ratchet.files import read_baseline
from pytest_torchlean.spec import PropertySpec
from pytest_torchlean.verdict import Counts, Evidence, Radius, Verdict

FILE = "torchlean.baseline.yaml"
WAIVERS = "torchlean.waivers.yaml"
answers: dict[str, Evidence] = {}


def answer(context: PropertyContext, prop: PropertySpec) -> Evidence:
    usual = Evidence(Verdict.AGREED, claim="the claim", found="found", samples=8)
    return answers.get(prop.name, usual)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two properties that pass, as the current folder."""
    (tmp_path / "pyproject.toml").touch()
    write_project(tmp_path, ["a", "b"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(properties, "run_property", answer)
    answers.clear()
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def words(text: str) -> str:
    """What was printed, without times and versions."""
    return re.sub(r"\d+\.\ds", "0.0s", re.sub(r"^torchlean 0.*\n\n", "", text))


def test_write_then_check(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "check"]) == 2
    assert "TL1108" in capsys.readouterr().err
    assert main(["baseline", "write"]) == 0
    assert f"wrote {FILE}: 2 properties, 2 added" in capsys.readouterr().out
    text = (here / FILE).read_text()
    assert set(read_baseline(text.encode(), FILE).entries) == {
        f"torchlean.yaml::tiny::{name}" for name in "ab"
    }
    assert main(["baseline", "check"]) == main(["check"]) == 0
    assert main(["baseline", "write"]) == 0
    assert (here / FILE).read_text() == text


def test_words_of_a_step_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["baseline", "write"])
    edit(here / "torchlean.yaml", "name: b, model: tiny, check: runtime, samples: 8", "name: c, model: tiny, "
         "check: runtime, samples: 8")  # fmt: skip
    edit(here / "torchlean.yaml", "samples: 8", "samples: 7, seed: 3")
    answers["a"] = Evidence(Verdict.AGREED, claim="the claim", found="found", samples=7)
    capsys.readouterr()
    assert main(["check"]) == 1
    assert_golden("ratchet/check_failed.txt", words(capsys.readouterr().out))
    assert main(["check", "--no-baseline"]) == 0
    assert main(["check", "torchlean.yaml::tiny::a"]) == 1


def test_waivers_beside_the_baseline(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["baseline", "write"])
    edit(here / "torchlean.yaml", "samples: 8}\n  - {name: b", "samples: 7}\n  - {name: b")
    (here / WAIVERS).write_text(
        "version: 1\nwaivers:\n  - property: torchlean.yaml::tiny::a\n"
        "    waives: {samples: 7}\n    owner: Kim\n    reason: time\n    expires: 2199-01-01\n"
    )
    assert main(["check"]) == 1
    assert "TL1107" in capsys.readouterr().out
    from datetime import UTC, datetime, timedelta

    soon = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()
    edit(here / WAIVERS, "2199-01-01", soon)
    assert main(["check"]) == 0
    assert f"(waived by Kim, until {soon}: time)" in capsys.readouterr().out
    assert main(["baseline", "write"]) == 0
    assert "weakened  torchlean.yaml::tiny::a: `samples` was 8" in capsys.readouterr().out
    assert main(["check"]) == 1
    assert f"{WAIVERS}:4:14: TL1106" in capsys.readouterr().out


def test_waiver_without_any_baseline_waives_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / WAIVERS).write_text(
        "version: 1\nwaivers:\n  - {property: torchlean.yaml::tiny::a, waives: {samples: 7}, owner: Kim, "
        "reason: time, expires: 2026-01-01}\n"
    )
    assert main(["check"]) == 1
    assert "TL1105" in capsys.readouterr().out


def test_results_that_get_worse(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def evidence(proved: int, radius: str, upper: str) -> Evidence:
        from fractions import Fraction

        return Evidence(
            Verdict.PROVED,
            claim="the claim",
            found="found",
            assurance="kernel",
            counts=Counts(proved, 0, 4 - proved, 0, 4),
            accuracy="3/4",
            radii=(Radius(0, Fraction(radius)),),
            bounds={"lower": ("-1/3",), "upper": (upper,)},
        )

    answers["a"] = evidence(3, "1/10", "2/3")
    main(["baseline", "write"])
    result = read_baseline((here / FILE).read_bytes(), FILE).entries["torchlean.yaml::tiny::a"].result
    assert result["bounds"] == {"lower": ("-0.33334",), "upper": ("0.66667",)}  # rounded outward
    answers["a"] = evidence(3, "1/10", "200001/300000")
    assert main(["check"]) == 0  # worse by less than a unit of the last digit that is kept
    answers["a"] = evidence(2, "1/20", "3/4")
    assert main(["check", "--json", "record.json"]) == 1
    record = json.loads((here / "record.json").read_bytes())
    assert {one["key"] for one in record["ratchet"]["changes"]} == {"proved", "radii", "bounds"}
    capsys.readouterr()


def test_a_baseline_is_not_written_while_the_gate_is_red(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers["b"] = Evidence(Verdict.REFUTED, claim="c", found="f")
    assert main(["baseline", "write"]) == 2
    assert "TL1111" in capsys.readouterr().err
    assert not (here / FILE).exists()


def test_a_chosen_file_serves_several_specs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "sub").mkdir()
    text = (here / "torchlean.yaml").read_text().replace("models/", "../models/")
    (here / "sub" / "torchlean.yaml").write_text(text)
    assert main(["baseline", "write", ".", "sub", "--baseline", "all.yaml"]) == 0
    assert main(["baseline", "check", ".", "sub", "--baseline", "all.yaml"]) == 0
    assert main(["baseline", "check", ".", "--baseline", "all.yaml"]) == 1  # the others are gone
    assert main(["baseline", "check", ".", "--baseline", "none.yaml"]) == 2
    capsys.readouterr()


def test_a_baseline_with_errors_is_told_with_its_place(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / FILE).write_text("version: 1\nproperties:\n  - {id: a, clam: {}}\n")
    assert main(["check"]) == 2
    assert f"{FILE}:3:13: TL0304: unknown key `clam`" in capsys.readouterr().err


SOURCE = """
import pytest_torchlean.properties as properties
from pytest_torchlean.verdict import Evidence, Verdict

def run_property(context, prop):
    return Evidence(Verdict.AGREED, claim="c", found="f", samples=prop.samples)

properties.run_property = run_property
"""


def write_inner(pytester: pytest.Pytester) -> None:
    """A project whose properties pass at once, with its baseline."""
    write_project(pytester.path, ["a", "b"])
    pytester.makeconftest(SOURCE)
    pytester.makeini("[pytest]\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(properties, "run_property", answer)
        assert main(["baseline", "write", str(pytester.path)]) == 0


def test_pytest_fails_on_a_step_back(pytester: pytest.Pytester) -> None:
    write_inner(pytester)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "torchlean.yaml")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["ratchet kept: no difference; compared with torchlean.baseline.yaml*"])
    edit(pytester.path / "torchlean.yaml", "samples: 8", "samples: 7")
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-n", "2", "--torchlean-json=r.json", "torchlean.yaml"
    )
    assert result.ret == 1
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*TL1102: torchlean.yaml::tiny::a: `samples` was 8*", "*gate FAILED"])
    assert not json.loads((pytester.path / "r.json").read_bytes())["ratchet"]["passes"]
    for option in ("--torchlean-no-baseline", "--collect-only"):
        assert pytester.runpytest_subprocess("-p", "no:cacheprovider", option, "torchlean.yaml").ret == 0


def test_pytest_names_errors_of_the_baseline(pytester: pytest.Pytester) -> None:
    write_inner(pytester)
    (pytester.path / FILE).write_text("version: 3\nproperties: []\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "torchlean.yaml")
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"torchlean: {FILE}:1:10: TL0316*"])
