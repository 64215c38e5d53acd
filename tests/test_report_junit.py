"""JUnit XML: pinned, well-formed for every text, and counting what the gate counts."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from golden_support import assert_golden
from hypothesis import given
from hypothesis import strategies as st
from report_examples import (
    AGREED,
    DIGEST,
    ENVIRONMENT,
    ERROR,
    HOSTILE,
    IMAGE,
    PROVED,
    REFUTED,
    RESULTS,
    UNKNOWN,
    WARNED,
)

from pytest_torchlean.report.junit import render_junit
from pytest_torchlean.results import PropertyResult


def only_case(result: PropertyResult) -> ElementTree.Element:
    case = ElementTree.fromstring(render_junit([result], ENVIRONMENT)).find("testsuite/testcase")
    assert case is not None
    return case


def test_junit_is_as_pinned() -> None:
    assert_golden("junit.xml", render_junit(RESULTS, ENVIRONMENT))


def test_counts() -> None:
    suites = ElementTree.fromstring(render_junit(RESULTS, ENVIRONMENT))
    keys = ("name", "tests", "failures", "errors", "skipped")
    assert [tuple(suite.get(key) for key in keys) for suite in suites] == [
        ("torchlean.yaml::digits", "9", "4", "1", "0"),
        ("torchlean.yaml::images", "1", "1", "0", "0"),
        ("vision/torchlean.yaml", "1", "0", "1", "0"),
    ]


def test_kinds_of_outcome() -> None:
    for good in (PROVED, AGREED, WARNED):
        case = only_case(good)
        assert case.find("failure") is None
        assert case.find("error") is None
        assert good.evidence.claim in (case.findtext("system-out") or "")
    for bad in (REFUTED, UNKNOWN):
        failed = only_case(bad).find("failure")
        assert failed is not None
        assert failed.get("type") == bad.evidence.verdict.value
        assert bad.evidence.claim in (failed.text or "")
    broken = only_case(ERROR).find("error")
    assert broken is not None
    assert broken.get("type") == "TL0103"


def test_one_suite_per_model_of_a_spec() -> None:
    other = replace(PROVED, spec_file="sub/torchlean.yaml", id="sub/torchlean.yaml::digits::robust-8of255")
    root = ElementTree.fromstring(render_junit([PROVED, other, REFUTED, IMAGE], ENVIRONMENT))
    assert [(suite.get("name"), suite.get("file"), suite.get("tests")) for suite in root] == [
        ("torchlean.yaml::digits", "torchlean.yaml", "2"),
        ("sub/torchlean.yaml::digits", "sub/torchlean.yaml", "1"),
        ("torchlean.yaml::images", "torchlean.yaml", "1"),
    ]
    digests = root.findall("testsuite/properties/property[@name='model.sha256']")
    assert [entry.get("value") for entry in digests] == [DIGEST, DIGEST, "cd" * 32]


def test_no_results_is_still_a_document() -> None:
    assert ElementTree.fromstring(render_junit([], ENVIRONMENT)).tag == "testsuites"


def test_hostile_text_stays_text() -> None:
    case = only_case(HOSTILE)
    assert case.get("name") == 'a"<\\x1b[31m>'
    assert "<script>&\\u202e" in (case.findtext("error") or "")


@given(st.text(alphabet=st.characters(), max_size=30))
def test_any_text_gives_well_formed_xml(text: str) -> None:
    evidence = replace(ERROR.evidence, claim=text, found=text, details=(text,))
    hostile = replace(ERROR, id=f"f::m::{text}", spec_file=text or "f", evidence=evidence)
    root = ElementTree.fromstring(render_junit([hostile], replace(ENVIRONMENT, others={text: text})))
    assert root.find("testsuite/testcase/error") is not None


def test_the_library_stays_behind_one_file() -> None:
    code = "import sys, pytest_torchlean.report.text as _; print('junit_xml' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
