"""The JSON record: pinned, valid by its schema, and readable back without loss or trust."""

from __future__ import annotations

import copy
import json
from dataclasses import fields
from typing import Any

import pytest
from golden_support import assert_golden
from hypothesis import given
from hypothesis import strategies as st
from report_examples import ENVIRONMENT, HOSTILE, PROVED, RESULTS

from pytest_torchlean.errors import RecordError
from pytest_torchlean.report.fields import Group
from pytest_torchlean.report.read import parse_record, read_record
from pytest_torchlean.report.record import dumps, record, without_timings
from pytest_torchlean.report.schema import COMMITTED, schema_text
from pytest_torchlean.report.table import (
    COUNTS,
    HISTOGRAM,
    MISTAKE,
    PROBLEM,
    RADIUS,
    RESULT,
    SAMPLED,
    THEOREM,
    WITNESS,
)
from pytest_torchlean.results import Environment, PropertyResult, gate_passes
from pytest_torchlean.verdict import Evidence, Verdict

SCHEMA = json.loads(COMMITTED.read_text())


def test_record_is_as_pinned() -> None:
    assert_golden("record.json", dumps(record(RESULTS, ENVIRONMENT)))


def test_record_names_what_the_design_names() -> None:
    found = record([PROVED], ENVIRONMENT)
    assert found["schema"] == "torchlean.report/1"
    assert found["tool"]["lean"] == {"version": "4.35.0", "sha256": "ab" * 32, "origin": "wheel"}
    entry = found["results"][0]
    assert entry["spec"] == {"file": "torchlean.yaml", "sha256": None, "line": 14, "column": 5}
    assert entry["counts"] == {"proved": 331, "refuted": 17, "unknown": 1, "misclassified": 11, "total": 360}
    assert (entry["verdict"], entry["assurance"], entry["semantics"]) == ("PROVED", "kernel", "real")
    assert entry["theorem"] == {"name": "PytestTorchLean.robust_sound", "axioms": ["propext", "Quot.sound"]}
    assert entry["witness"] is None


@pytest.mark.parametrize("results", [RESULTS, (HOSTILE,), ()])
def test_records_are_valid_by_the_schema(results: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(record(results, ENVIRONMENT))
    assert list(errors) == []


def test_the_schema_refuses_what_is_no_record() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for path, value in WRONG:
        changed = altered(path, value)
        if path[-1] not in ("outcome", "total", "counts", "sampled"):
            assert not validator.is_valid(changed), path


def test_the_committed_schema_is_current() -> None:
    assert COMMITTED.read_text() == schema_text(), (
        "run `python -m pytest_torchlean.report.schema > pytest_torchlean/report/record.schema.json`"
    )


def test_every_fact_about_a_property_is_in_the_table() -> None:
    """A field that is added to the dataclasses and forgotten in the table would be lost between processes."""
    attributes = {inner.attribute for inner in RESULT}
    for group in (inner.type for inner in RESULT if isinstance(inner.type, Group)):
        attributes |= {inner.attribute for inner in group.fields}
    expected = {f"evidence.{inner.name}" for inner in fields(Evidence)} - {
        "evidence.witnesses",
        "evidence.claimed_set",
    }
    expected |= {inner.name for inner in fields(PropertyResult)} - {"evidence"}
    assert expected - attributes == set()
    for described in (COUNTS, THEOREM, PROBLEM, RADIUS, SAMPLED, HISTOGRAM, MISTAKE, WITNESS):
        assert {inner.attribute for inner in described.fields} == {
            inner.name for inner in fields(described.kind)
        }


def test_the_schema_knows_every_verdict_and_key() -> None:
    result = SCHEMA["$defs"]["result"]
    assert result["properties"]["verdict"]["enum"] == [verdict.value for verdict in Verdict]
    assert set(result["properties"]) == set(record([PROVED], ENVIRONMENT)["results"][0])


@pytest.mark.parametrize("results", [RESULTS, (HOSTILE,), ()])
def test_reading_gives_back_what_was_written(results: Any) -> None:
    text = dumps(record(results, ENVIRONMENT))
    assert text.isascii()
    again, environment = parse_record(text.encode())
    assert again == tuple(results)
    assert environment == ENVIRONMENT
    assert dumps(record(again, environment)) == text


def test_timings_are_the_only_volatile_fields() -> None:
    found = without_timings(record(RESULTS, ENVIRONMENT))
    assert [entry["seconds"] for entry in found["results"]] == [{}] * len(RESULTS)
    assert record(RESULTS, ENVIRONMENT)["results"][0]["seconds"] == {"runtime": 1.5}


def test_no_lean_and_no_runtime() -> None:
    text = dumps(record([], Environment("0.1.0")))
    assert parse_record(text.encode()) == ((), Environment("0.1.0"))


WRONG: list[tuple[tuple[str | int, ...], Any]] = [
    (("schema",), "torchlean.report/2"),
    (("tool",), None),
    (("tool", "lean"), "4.35.0"),
    (("results",), {}),
    (("results", 0), 3),
    (("results", 0, "verdict"), "PASSED"),
    (("results", 0, "outcome"), "failed"),
    (("results", 0, "on_unknown"), "pass"),
    (("results", 0, "counts", "total"), 361),
    (("results", 0, "counts", "proved"), -1),
    (("results", 0, "counts", "proved"), True),
    (("results", 0, "counts", "proved"), "331"),
    (("results", 0, "claim"), None),
    (("results", 0, "seconds"), {"lean": "1"}),
    (("results", 0, "seconds"), {"lean": -1.0}),
    (("results", 0, "bounds"), []),
    (("results", 0, "radii"), None),
    (("results", 0, "radii"), [{"index": 0, "radius": "-1/2"}]),
    (("results", 0, "radii"), [{"index": 0, "radius": "1/0"}]),
    (("results", 0, "bounds"), {"lower": [1]}),
    (("results", 0, "witness"), {}),
    (("results", 0, "trust"), "all"),
    (("results", 0, "margins", "counts"), [1, 2]),
    (("results", 0, "margins", "edges"), ["a", "b", "c", "d"]),
    (("results", 0, "sampled"), {"points": 1, "lower": ["0x0.0p+0"], "upper": []}),
    (("results", 0, "mistakes"), [{"line": 1, "column": 1, "code": "E1", "message": "", "fix": ""}]),
    (("results", 0, "spec", "sha256"), "0"),
    (("results", 0, "spec", "line"), 1.5),
]


def altered(path: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(record([PROVED], ENVIRONMENT))
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_wrong_records_are_refused_with_their_place(path: tuple[str | int, ...], value: Any) -> None:
    with pytest.raises(RecordError) as caught:
        read_record(altered(path, value))
    assert caught.value.code == "TL0801"
    assert str(path[-1] if isinstance(path[-1], str) else "results[0]") in str(caught.value)


def test_no_key_may_be_missing() -> None:
    whole = record([PROVED], ENVIRONMENT)
    for key in set(whole["results"][0]) - {"reproduce"}:
        changed = copy.deepcopy(whole)
        del changed["results"][0][key]
        with pytest.raises(RecordError, match=f"lacks `{key}`"):
            read_record(changed)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff", b"NaN", b"[" * 100_000, b'{"schema": 1e999}', b"1" * 5000]
)
def test_what_is_no_json_record_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        parse_record(data)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)
       | st.dictionaries(st.sampled_from(["schema", "tool", "results", "id"]), inner)))  # fmt: skip
def test_any_json_is_refused_and_never_crashes(value: Any) -> None:
    with pytest.raises(RecordError):
        read_record(value)


def test_a_gate_over_nothing_fails() -> None:
    assert not gate_passes([])
    assert gate_passes([PROVED])
    assert not gate_passes(RESULTS)


def test_only_unknown_is_softened_by_on_unknown() -> None:
    for entry in RESULTS:
        soft = entry.__class__(**{**vars(entry), "on_unknown": "warn"})
        expected = "warned" if entry.evidence.verdict is Verdict.UNKNOWN else entry.outcome
        assert soft.outcome == expected
