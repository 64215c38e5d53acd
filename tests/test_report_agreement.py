"""Every form of the report says the same: the same ids, verdicts, outcomes and counts."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from golden_support import assert_golden
from html_reader import read_page
from report_examples import ENVIRONMENT, RESULTS

from pytest_torchlean import cli, plugin
from pytest_torchlean.report.formats import FORMATS
from pytest_torchlean.report.read import parse_record
from pytest_torchlean.report.text import counts_text, summary_line, table
from pytest_torchlean.verdict import Verdict

EXPECTED = {result.id: (result.evidence.verdict.value, result.outcome) for result in RESULTS}
COUNTS = {result.id: counts_text(result.evidence.counts) for result in RESULTS if result.evidence.counts}
TEXTS = {form.name: form.render(RESULTS, ENVIRONMENT) for form in FORMATS}


def unescaped(cell: str) -> str:
    return html.unescape(re.sub(r"\\(.)", r"\1", cell)).strip()


def test_json() -> None:
    results, _ = parse_record(TEXTS["json"].encode())
    assert {result.id: (result.evidence.verdict.value, result.outcome) for result in results} == EXPECTED


def test_junit() -> None:
    found = {}
    for case in ElementTree.fromstring(TEXTS["junit"]).iter("testcase"):
        place, name = case.get("classname") or "", case.get("name") or ""
        identifier = name if place == name else f"{place}::{name}"
        bad = [child for child in case if child.tag in ("failure", "error")]
        text = (bad[0].text if bad else case.findtext("system-out")) or ""
        verdict = text.partition(" ")[0]
        assert COUNTS.get(identifier, "") in text
        if bad:
            assert bad[0].tag == ("error" if verdict == "ERROR" else "failure")
        found[identifier] = (verdict, "failed" if bad else EXPECTED[identifier][1])
    assert found == EXPECTED


def test_sarif() -> None:
    run = json.loads(TEXTS["sarif"])["runs"][0]
    listed = {entry["id"]: (entry["verdict"], entry["outcome"]) for entry in run["properties"]["verdicts"]}
    assert listed == EXPECTED
    alerts = {alert["properties"]["id"]: alert for alert in run["results"]}
    levels = {"error": "failed", "warning": "warned"}
    assert {name: levels[alert["level"]] for name, alert in alerts.items()} == {
        name: outcome for name, (_, outcome) in EXPECTED.items() if outcome != "passed"
    }
    assert run["properties"]["summary"] == summary_line(RESULTS)


def test_html() -> None:
    page = read_page(TEXTS["html"])
    assert page.sections == EXPECTED
    assert page.rows == EXPECTED
    assert all(text in page.text for text in COUNTS.values())
    assert summary_line(RESULTS) in page.text


def test_markdown() -> None:
    found = {}
    for line in TEXTS["markdown"].splitlines():
        cells = [unescaped(cell) for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 7 and cells[2] in {verdict.value for verdict in Verdict}:
            signs = {"\u2705": "passed", "\u26a0\ufe0f": "warned", "\u274c": "failed"}
            found[cells[3]] = (cells[2], signs[cells[1]])
            assert cells[5] == COUNTS.get(cells[3], cells[5])
    assert found == EXPECTED
    assert unescaped(TEXTS["markdown"].splitlines()[2]) == summary_line(RESULTS)


def test_annotations() -> None:
    lines = TEXTS["annotations"].splitlines()
    findings = sum(len(result.evidence.mistakes) or 1 for result in RESULTS if result.outcome != "passed")
    assert len(lines) == min(10, findings)
    shown = {
        title.replace("%3A", ":").split(" ", 1)[1]: title.split(" ", 1)[0]
        for title in re.findall(r"title=([A-Z]+ [^:]*)::", TEXTS["annotations"])
    }
    for identifier, verdict in shown.items():
        assert EXPECTED[identifier][0] == verdict
        assert EXPECTED[identifier][1] != "passed"


def test_intoto() -> None:
    tests: dict[str, str] = {}
    verdicts: dict[str, str] = {}
    for line in TEXTS["intoto"].splitlines():
        predicate = json.loads(line)["predicate"]
        for name in ("passed", "warned", "failed"):
            tests |= dict.fromkeys(predicate.get(f"{name}Tests", ()), name)
        verdicts |= {entry["id"]: entry["verdict"] for entry in predicate.get("properties", ())}
    attested = {result.id for result in RESULTS if result.model_path}
    assert {name: (verdicts[name], tests[name]) for name in tests} == {
        name: answer for name, answer in EXPECTED.items() if name in attested
    }


def test_terminal() -> None:
    text = table(RESULTS, ENVIRONMENT)
    for identifier, (verdict, _) in EXPECTED.items():
        assert re.search(rf"^{verdict} +{re.escape(identifier)}  ", text, re.MULTILINE)
    assert text.endswith(summary_line(RESULTS))


@pytest.mark.parametrize("name", ["html"])
def test_as_pinned(name: str) -> None:
    assert_golden("report.html", TEXTS[name])


def test_both_tops_offer_every_form() -> None:
    offered = {form.name: form.content for form in FORMATS}
    assert offered == cli.REPORTS == plugin.REPORTS
