"""Under xdist the controller writes one record with every property in it."""

from __future__ import annotations

import pytest
from gate_project import write_project
from test_plugin_record import read

pytest.importorskip("xdist")


def test_two_workers_give_one_record(pytester: pytest.Pytester) -> None:
    names = ["agreed-a", "refuted-b", "unknown-c", "agreed-d"]
    write_project(pytester.path, names, fake=True)
    result = pytester.runpytest_subprocess("-n2", "--torchlean-json=record.json", "-k", "not agreed-d")
    result.assert_outcomes(passed=1, failed=2)
    results = read(pytester.path / "record.json")
    assert sorted(results) == sorted(names)
    assert [results[name].evidence.verdict.value for name in names[:3]] == ["AGREED", "REFUTED", "UNKNOWN"]
    assert results["agreed-d"].evidence.found.startswith("not run")
    assert results["refuted-b"].evidence.witnesses
    result.stdout.fnmatch_lines(["*torchlean verdicts*", "AGREED *", "*gate FAILED*"])


def test_property_of_a_crashed_worker_is_recorded(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, ["agreed-a", "die-b", "agreed-c"], fake=True)
    result = pytester.runpytest_subprocess("-n1", "--torchlean-json=record.json")
    assert result.ret == 1
    results = read(pytester.path / "record.json")
    assert results["die-b"].outcome == "failed"
    assert results["agreed-a"].outcome == "passed"
    assert results["agreed-c"].outcome == "passed"
