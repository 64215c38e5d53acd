"""What a person reads in the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from golden_support import assert_golden
from report_examples import ENVIRONMENT, ERROR, HOSTILE, PROVED, REFUTED, RESULTS, WARNED

from pytest_torchlean.errors import CheckerError, DataError
from pytest_torchlean.report.text import error_text, failure, summary_line, table
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.verdict import Problem


def test_table_is_as_pinned() -> None:
    assert_golden("table.txt", table(RESULTS, ENVIRONMENT) + "\n")


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.name)
def test_failure_text_is_as_pinned(result: PropertyResult) -> None:
    assert_golden(f"failure/{result.name}.txt", failure(result) + "\n")


def test_table_without_environment_starts_with_its_head() -> None:
    assert table(RESULTS).startswith("verdict ")


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.name)
def test_failure_says_claim_finding_reproduction(result: PropertyResult) -> None:
    text = failure(result)
    assert result.evidence.claim in text
    assert result.evidence.found in text
    assert f"reproduce:  {result.reproduce}" in text


def test_nothing_is_said_twice() -> None:
    evidence = replace(ERROR.evidence, found="no file", problem=Problem("TL0101", "no file", "add it"))
    text = failure(replace(ERROR, evidence=replace(evidence, next_steps="add it")))
    assert text.count("no file") == text.count("add it") == 1
    assert "run doctor" in failure(replace(ERROR, evidence=replace(evidence, next_steps="run doctor")))


def test_counts_always_name_all_five() -> None:
    for text in (failure(PROVED), table([PROVED])):
        assert "331 proved, 17 refuted, 1 unknown, 11 misclassified, 360 total" in text


def test_a_partial_proof_has_a_level_and_a_number() -> None:
    text = failure(REFUTED)
    assert "proof:      kernel, for the 90 proved: PytestTorchLean.robust_sound" in text
    untold = replace(REFUTED, evidence=replace(REFUTED.evidence, assurance="evaluated", theorem=None))
    assert "evaluated, for the 90 proved: no theorem, the compiled checker accepted" in failure(untold)
    assert "kernel" not in table([REFUTED])


def test_reproduce_command_is_one_shell_word_per_argument() -> None:
    assert REFUTED.reproduce == "torchlean replay '.torchlean/witness one.json'"
    assert PROVED.reproduce == "pytest torchlean.yaml::digits::robust-8of255"
    assert (
        replace(PROVED, id="tests/test_a.py::test[a b;rm]").reproduce
        == "pytest 'tests/test_a.py::test[a b;rm]'"
    )


def test_no_escape_reaches_the_terminal() -> None:
    for text in (failure(HOSTILE), table([HOSTILE], ENVIRONMENT)):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800\ufffe]", text)
        assert not re.search(r"^\s*::", text, re.MULTILINE)
        assert "##[" not in text


def test_colour_only_if_asked() -> None:
    assert "\x1b" not in table(RESULTS, ENVIRONMENT) + failure(REFUTED)
    plain = re.sub("\x1b\\[[0-9]*m", "", table(RESULTS, ENVIRONMENT, colour=True))
    assert plain == table(RESULTS, ENVIRONMENT)
    assert "\x1b[31mREFUTED" in failure(REFUTED, colour=True)
    assert "\x1b[33mUNKNOWN" in failure(WARNED, colour=True)


def test_summary() -> None:
    assert summary_line([]) == "no property was checked - gate FAILED"
    assert summary_line([PROVED]) == "1 property: 1 PROVED - gate passed"
    assert summary_line([PROVED, REFUTED]) == "2 properties: 1 PROVED, 1 REFUTED - gate FAILED"
    expected = "1 property: 1 UNKNOWN (1 let through by on_unknown: warn) - gate passed"
    assert summary_line([WARNED]) == expected


def test_errors_without_place() -> None:
    assert error_text(DataError("TL0406", "d.npz lists no input", fix="add inputs")) == (
        "TL0406: d.npz lists no input\n  fix: add inputs"
    )
    assert "\x1b" not in error_text(CheckerError("TL0901", "\x1b[2J", fix="\x1b"))
