"""The step summary: small enough for GitHub, what fails first, and no markup of somebody else's making."""

from __future__ import annotations

import re
from dataclasses import replace

from golden_support import assert_golden
from report_examples import ENVIRONMENT, HOSTILE, PROVED, REFUTED, RESULTS

from pytest_torchlean.report.markdown import MOST_BYTES, render_markdown


def test_markdown_is_as_pinned() -> None:
    assert_golden("summary.md", render_markdown(RESULTS, ENVIRONMENT))


def test_what_fails_comes_first_and_in_full() -> None:
    text = render_markdown([PROVED, REFUTED], ENVIRONMENT)
    assert text.index("| REFUTED |") < text.index("| PROVED |")
    assert "What does not pass" in text
    assert "near input 17 of the data" in text
    assert "What does not pass" not in render_markdown([PROVED], ENVIRONMENT)


def test_nothing_checked_is_a_failure() -> None:
    assert "gate FAILED" in render_markdown([], ENVIRONMENT)


def test_truncated_with_a_visible_count() -> None:
    results = [replace(REFUTED, id=f"torchlean.yaml::digits::p{number}") for number in range(20_000)]
    text = render_markdown(results, ENVIRONMENT)
    assert len(text.encode()) <= MOST_BYTES
    rows = text.count("| REFUTED |")
    sections = text.count("<details>")
    assert f"and {20_000 - rows} more properties" in text
    assert f"and {20_000 - sections} more in the record" in text
    assert text.count("</details>") == sections


def test_hostile_text_is_text() -> None:
    found = "| a | ![x](http://evil) <img src=x> `code` www.evil.org @team #1 </pre><script>"
    result = replace(HOSTILE, evidence=replace(HOSTILE.evidence, found=found, problem=None))
    text = render_markdown([result], ENVIRONMENT)
    (row,) = [line for line in text.splitlines() if "ERROR |" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 6
    assert "<img" not in text
    assert "<script" not in text
    assert "http://" not in row
    assert "www.evil" not in row
    assert "](" not in row
    assert "\x1b" not in text
    assert text.count("</pre>") == 1
