"""The ratchet in every form of the report: the same changes, and a red gate where one of them fails."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from golden_support import assert_golden
from html_reader import read_page
from report_examples import AGREED, ENVIRONMENT, PROVED

from pytest_torchlean.changes import KINDS, Change, Comparison
from pytest_torchlean.errors import RecordError
from pytest_torchlean.report.formats import FORMATS
from pytest_torchlean.report.read import parse_record
from pytest_torchlean.report.schema import record_schema
from pytest_torchlean.report.text import summary_line, table
from pytest_torchlean.results import Environment, gate_passes

RESULTS = (PROVED, AGREED)
ID = PROVED.id
CHANGES = (
    Change(
        "weakened", ID, "epsilon", "`epsilon` was 8/255 in the baseline and is 4/255: the claim is weaker",
        "TL1102", "restore the value", "torchlean.yaml", 14, 5, "8/255", "4/255",
    ),
    Change(
        "removed", "torchlean.yaml::digits::gone", "removed", "the property is in the baseline and is gone",
        "TL1101", "put it back", "torchlean.baseline.yaml", 40, 9,
    ),
    Change(
        "waiver", ID, "expired", "the waiver of Kim expired on 2026-01-01", "TL1105", "remove it",
        "torchlean.waivers.yaml", 3, 15,
    ),
    Change(
        "worse", ID, "proved", "`proved` was 340 in the baseline and is 331: worse", "TL1104", "find out why",
        "torchlean.yaml", 14, 5, "340", "331", "Kim <b>, until 2026-12-31: ::error::`new` | sensor",
    ),
    Change(
        "better", ID, "accuracy", "`accuracy` was 340/360 in the baseline and is 349/360: better", "", "",
        "torchlean.yaml", 14, 5, "340/360", "349/360",
    ),
    Change(
        "added", AGREED.id, "added", "the property is not in the baseline", "", "", "torchlean.yaml", 9, 5,
    ),
)  # fmt: skip
FAILED = replace(
    ENVIRONMENT, ratchet=Comparison(("torchlean.baseline.yaml (3 properties)",), CHANGES, "ab" * 20)
)
KEPT = replace(ENVIRONMENT, ratchet=Comparison(("torchlean.baseline.yaml (3 properties)",), CHANGES[3:]))
NOTHING = replace(ENVIRONMENT, ratchet=Comparison(("torchlean.baseline.yaml (3 properties)",)))
FAILING = {(change.id, change.key) for change in CHANGES if change.fails}


def render(name: str, environment: Environment) -> str:
    return next(form for form in FORMATS if form.name == name).render(RESULTS, environment)


def test_a_step_back_fails_a_gate_of_proved_properties() -> None:
    assert gate_passes(RESULTS)
    assert not gate_passes(RESULTS, FAILED.ratchet)
    assert gate_passes(RESULTS, KEPT.ratchet)
    assert summary_line(RESULTS, FAILED.ratchet).endswith("1 PROVED, 1 AGREED, 3 steps back - gate FAILED")
    assert len(FAILING) == 3


@pytest.mark.parametrize("environment", [FAILED, KEPT, NOTHING, ENVIRONMENT])
def test_record_is_read_back_and_valid(environment: Environment) -> None:
    text = render("json", environment)
    assert parse_record(text.encode())[1] == environment
    jsonschema.validate(json.loads(text), record_schema())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("passes",), True),
        (("changes", 0, "fails"), False),
        (("changes", 3, "fails"), True),
        (("changes", 0, "kind"), "fine"),
        (("changes", 0, "code"), "TL1"),
        (("changes", 0, "waived_by"), 3),
        (("changes", 0, "line"), -1),
        (("against",), "x"),
    ],
)
def test_record_that_contradicts_itself_is_refused(path: tuple[Any, ...], value: object) -> None:
    record = json.loads(render("json", FAILED))
    place = record["ratchet"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(RecordError, match="ratchet"):
        parse_record(json.dumps(record).encode())


@pytest.mark.parametrize(("name", "environment"), [("failed", FAILED), ("kept", KEPT), ("nothing", NOTHING)])
def test_terminal(name: str, environment: Environment) -> None:
    assert_golden(f"ratchet/terminal_{name}.txt", table(RESULTS, environment) + "\n")


def test_markdown() -> None:
    text = render("markdown", FAILED)
    assert_golden("ratchet/summary.md", text)
    assert "<b>" not in text
    assert "\u274c torchlean" in text
    assert "\u2705 torchlean" in render("markdown", KEPT)


def test_annotations() -> None:
    text = render("annotations", FAILED)
    assert_golden("ratchet/annotations.txt", text)
    assert len(text.splitlines()) == len(FAILING)
    assert render("annotations", KEPT) == ""


def test_junit() -> None:
    suites = ElementTree.fromstring(render("junit", FAILED))
    (suite,) = [suite for suite in suites if suite.get("name") == "torchlean ratchet"]
    failed = {case.get("name") for case in suite if case.find("failure") is not None}
    assert failed == {f"{key} of {name}" for name, key in FAILING}
    assert len(suite.findall("testcase")) == len(CHANGES)
    suites = ElementTree.fromstring(render("junit", NOTHING))
    assert [case.get("name") for case in suites[-1].iter("testcase")] == ["kept"]
    assert suites.get("failures") == "0"


def test_sarif() -> None:
    run = json.loads(render("sarif", FAILED))["runs"][0]
    alerts = [alert for alert in run["results"] if alert["ruleId"] == "torchlean/ratchet"]
    assert {(alert["properties"]["id"], alert["properties"]["key"]) for alert in alerts} == FAILING
    assert all(
        run["tool"]["driver"]["rules"][alert["ruleIndex"]]["id"] == alert["ruleId"] for alert in alerts
    )
    prints = [alert["partialFingerprints"]["torchleanProperty/v1"] for alert in alerts]
    assert len(set(prints)) == len(prints)
    moved = replace(FAILED, ratchet=Comparison((), tuple(replace(one, line=99) for one in CHANGES)))
    again = json.loads(render("sarif", moved))["runs"][0]["results"]
    assert [alert["partialFingerprints"]["torchleanProperty/v1"] for alert in again] == prints
    assert json.loads(render("sarif", KEPT))["runs"][0]["results"] == []


def test_html() -> None:
    text = render("html", FAILED)
    page = read_page(text)
    assert summary_line(RESULTS, FAILED.ratchet) in page.text
    assert all(change.message in page.text for change in CHANGES)
    assert "<b>," not in text
    assert "gate FAILED" in page.text
    assert "gate passed" in read_page(render("html", KEPT)).text


def test_intoto() -> None:
    for line in render("intoto", FAILED).splitlines():
        predicate = json.loads(line)["predicate"]
        if "result" in predicate:
            assert predicate["result"] == "FAILED"
            assert set(predicate["failedTests"]) == {f"ratchet::{key}::{name}" for name, key in FAILING}
    results = [json.loads(line)["predicate"].get("result") for line in render("intoto", KEPT).splitlines()]
    assert "FAILED" not in results


def test_many_changes_stay_within_the_limits_of_each_form() -> None:
    many = tuple(
        replace(CHANGES[0], id=f"torchlean.yaml::m::p{number}", message="x" * 3000) for number in range(3000)
    )
    environment = replace(ENVIRONMENT, ratchet=Comparison(("a",), many))
    assert len(render("html", environment).encode()) <= 1_000_000
    assert len(render("markdown", environment).encode()) <= 1024 * 1024
    assert len(render("annotations", environment).splitlines()) == 10


def test_every_kind_of_change_either_fails_or_does_not() -> None:
    failing = {kind for kind in KINDS if replace(CHANGES[0], kind=kind).fails}
    assert failing == {"removed", "weakened", "changed", "worse", "waiver"}
    assert not any(replace(CHANGES[0], kind=kind, waived_by="Kim").fails for kind in KINDS)
