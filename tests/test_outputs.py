"""Reports from both tops: whole files or none, no verdict changed, every failure an error exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gate_project import write_project
from report_examples import ENVIRONMENT, RESULTS

from pytest_torchlean import outputs
from pytest_torchlean.cli import main
from pytest_torchlean.errors import RecordError
from pytest_torchlean.report import sarif
from pytest_torchlean.report.formats import FORMATS
from pytest_torchlean.report.record import render_json

NAMES = [form.name for form in FORMATS]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_form_is_written_by_the_command_line(here: Path) -> None:
    write_project(here, ["agrees"])
    arguments = [part for name in NAMES for part in (f"--{name}", f"out/{name}")]
    assert main(["check", *arguments]) == 0
    assert sorted(path.name for path in (here / "out").iterdir()) == sorted(NAMES)
    assert (here / "out" / "annotations").read_text() == ""
    assert "AGREED" in (here / "out" / "html").read_text()


def test_a_record_renders_to_the_same_reports(here: Path) -> None:
    (here / "record.json").write_text(render_json(RESULTS, ENVIRONMENT))
    arguments = [part for name in NAMES for part in (f"--{name}", f"again/{name}")]
    assert main(["report", "record.json", *arguments]) == 0
    for form in FORMATS:
        assert (here / "again" / form.name).read_text() == form.render(RESULTS, ENVIRONMENT)


def test_report_without_options_prints_the_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "record.json").write_text(render_json(RESULTS, ENVIRONMENT))
    assert main(["report", "record.json"]) == 0
    assert "gate FAILED" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_what_is_no_record_is_refused(
    here: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (here / "record.json").write_bytes(content)
    assert main(["report", "record.json", "--html", "out.html"]) == 2
    assert "TL0801" in capsys.readouterr().err
    assert not (here / "out.html").exists()


def test_a_dash_is_standard_output(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "record.json").write_text(render_json(RESULTS, ENVIRONMENT))
    assert main(["report", "record.json", "--annotations", "-"]) == 0
    assert capsys.readouterr().out.startswith("::error file=torchlean.yaml,line=21")
    assert not (here / "-").exists()


def test_errors_of_a_spec_reach_every_report(here: Path) -> None:
    (here / "torchlean.yaml").write_text(
        "version: 1\nmodels: {m: {path: m.onnx}}\nproperties:\n  - {chek: range}\n"
    )
    (here / "m.onnx").touch()
    arguments = [part for name in NAMES for part in (f"--{name}", name)]
    assert main(["check", *arguments]) == 2
    assert "line=4,col=" in (here / "annotations").read_text()
    (run,) = json.loads((here / "sarif").read_text())["runs"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region["startLine"] == 4
    assert "the spec cannot be read" in (here / "html").read_text()
    assert (here / "intoto").read_text() == ""


def test_one_that_cannot_be_written_stops_no_other_and_is_an_error(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(here, ["agrees"])
    (here / "file").write_text("")
    assert main(["check", "--json", "file/record.json", "--html", "page.html"]) == 2
    output = capsys.readouterr()
    assert "gate passed" in output.out
    assert "TL0802" in output.err
    assert "file/record.json" in output.err
    assert (here / "page.html").exists()


def test_a_defect_of_a_renderer_is_an_internal_error(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> str:
        raise ValueError("a defect")

    monkeypatch.setattr(sarif, "render_sarif", broken)
    write_project(here, ["agrees"])
    assert main(["check", "--sarif", "out.sarif", "--junit", "junit.xml"]) == 3
    assert "TL0901" in capsys.readouterr().err
    assert (here / "junit.xml").exists()
    assert not (here / "out.sarif").exists()


def test_an_old_report_stays_whole_where_the_new_one_fails(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "page.html").write_text("the old page")
    monkeypatch.setattr("os.replace", _fail)
    with pytest.raises(RecordError, match="could not be written"):
        outputs.write_reports(RESULTS, {"html": "page.html"}, ENVIRONMENT)
    assert (here / "page.html").read_text() == "the old page"
    assert list(here.glob(".page*")) == []


def _fail(*_: object) -> None:
    raise OSError("no space")


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_pytest_writes_every_form(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    if workers:
        pytest.importorskip("xdist")
    write_project(pytester.path, ["agreed-a", "refuted-b"], fake=True)
    arguments = [f"--torchlean-{name}=out/{name}" for name in NAMES]
    result = pytester.runpytest_subprocess(*workers, *arguments)
    result.assert_outcomes(passed=1, failed=1)
    assert sorted(path.name for path in (pytester.path / "out").iterdir()) == sorted(NAMES)
    assert "::error file=torchlean.yaml,line=5" in (pytester.path / "out" / "annotations").read_text()


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_pytest_reports_the_places_of_a_specs_errors(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    if workers:
        pytest.importorskip("xdist")
    spec = write_project(pytester.path, ["agreed-a"], fake=True)
    spec.write_text(spec.read_text() + "  - {name: b, model: tiny, check: rang}\n")
    pytester.runpytest_subprocess(*workers, "--torchlean-annotations=a.txt", "--torchlean-json=record.json")
    assert (
        (pytester.path / "a.txt").read_text().startswith("::error file=torchlean.yaml,line=5,col=35,title=TL")
    )
    (result,) = json.loads((pytester.path / "record.json").read_text())["results"]
    assert [(one["line"], one["code"]) for one in result["mistakes"]] == [(5, result["mistakes"][0]["code"])]
