"""The record holds every collected property, whatever happened to it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from gate_project import write_project

from pytest_torchlean.report.read import parse_record
from pytest_torchlean.results import PropertyResult


def read(path: Path) -> dict[str, PropertyResult]:
    results, _ = parse_record(path.read_bytes())
    return {result.name: result for result in results}


def test_record_of_a_plain_run(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a", "refuted-b"], fake=True)
    pytester.runpytest("--torchlean-json=record.json", "--torchlean-junit=junit.xml")
    results = read(pytester.path / "record.json")
    assert [(name, result.outcome) for name, result in results.items()] == [
        ("agreed-a", "passed"),
        ("refuted-b", "failed"),
    ]
    assert results["agreed-a"].id == "torchlean.yaml::tiny::agreed-a"
    assert results["agreed-a"].line == 4
    digest = results["agreed-a"].model_sha256
    assert digest is not None
    assert len(digest) == 64
    cases = ElementTree.parse(pytester.path / "junit.xml").getroot().iter("testcase")
    assert len(list(cases)) == 2


def test_deselected_property_is_recorded_as_not_run(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a", "agreed-b"], fake=True)
    result = pytester.runpytest("-k", "agreed-a", "--torchlean-json=record.json")
    assert result.ret == 0
    results = read(pytester.path / "record.json")
    assert results["agreed-b"].outcome == "failed"
    assert results["agreed-b"].evidence.problem is not None
    assert results["agreed-b"].evidence.problem.code == "TL0903"


def test_property_after_a_stop_is_recorded_as_not_run(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["refuted-a", "agreed-b"], fake=True)
    pytester.runpytest("-x", "--torchlean-json=record.json")
    assert read(pytester.path / "record.json")["agreed-b"].outcome == "failed"


def test_skipped_property_is_recorded_as_not_run(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a"], fake=True)
    pytester.makepyfile(
        """
        import pytest
        from pytest_torchlean import runtime_agreement

        @pytest.mark.skip
        @pytest.mark.certify("models/tiny.onnx", runtime_agreement())
        def test_agreed(): pass
        """
    )
    pytester.runpytest("--torchlean-json=record.json").assert_outcomes(passed=1, skipped=1)
    skipped = read(pytester.path / "record.json")["test_agreed"]
    assert skipped.outcome == "failed"
    assert "skipped" in skipped.evidence.found


def test_unwritable_record_fails_the_run(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a"], fake=True)
    (pytester.path / "file").write_text("")
    result = pytester.runpytest("--torchlean-json=file/record.json")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(["torchlean: TL0802: the JSON record could not be written to*"])


def test_pytest_junit_carries_scalar_properties(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a"], fake=True)
    pytester.runpytest("--junitxml=pytest.xml")
    root = ElementTree.parse(pytester.path / "pytest.xml").getroot()
    values = {item.get("name"): item.get("value") for item in root.iter("property")}
    assert values["torchlean_verdict"] == "AGREED"
    assert values["torchlean_model"] == "models/tiny.onnx"


def test_witness_file_is_written_and_named(pytester: pytest.Pytester) -> None:
    from pytest_torchlean.witness_files import file_stem

    assert file_stem("torchlean.yaml::tiny::refuted-a") == "torchlean.yaml--tiny--refuted-a"
    assert file_stem("t.py::test[a]") != file_stem("t.py::test[b]")
    assert "/" not in file_stem("a/../../b::c")
