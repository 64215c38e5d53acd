"""in-toto statements: about the bytes that were judged, and never greener than the gate."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from golden_support import assert_golden
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
    WARNED,
)

from pytest_torchlean.report.intoto import CERTIFICATE, TEST_RESULT, render_intoto
from pytest_torchlean.results import PropertyResult


def statements(*results: PropertyResult) -> list[Any]:
    return [json.loads(line) for line in render_intoto(results, ENVIRONMENT).splitlines()]


def test_statements_are_as_pinned() -> None:
    assert_golden("intoto.jsonl", render_intoto(RESULTS, ENVIRONMENT))


def test_two_statements_per_model_with_its_digest_as_subject() -> None:
    found = statements(PROVED, IMAGE)
    assert [(one["subject"], one["predicateType"]) for one in found] == [
        ([{"name": "models/digits.onnx", "digest": {"sha256": DIGEST}}], TEST_RESULT),
        ([{"name": "models/digits.onnx", "digest": {"sha256": DIGEST}}], CERTIFICATE),
        ([{"name": "models/images.onnx", "digest": {"sha256": "cd" * 32}}], TEST_RESULT),
        ([{"name": "models/images.onnx", "digest": {"sha256": "cd" * 32}}], CERTIFICATE),
    ]
    assert all(one["_type"] == "https://in-toto.io/Statement/v1" for one in found)


def test_result_and_lists() -> None:
    def predicate(*results: PropertyResult) -> Any:
        return statements(*results)[0]["predicate"]

    assert predicate(PROVED, AGREED)["result"] == "PASSED"
    assert predicate(PROVED, WARNED)["result"] == "WARNED"
    mixed = predicate(PROVED, WARNED, REFUTED)
    assert mixed["result"] == "FAILED"
    assert (mixed["passedTests"], mixed["warnedTests"], mixed["failedTests"]) == (
        [PROVED.id], [WARNED.id], [REFUTED.id],
    )  # fmt: skip


def test_a_property_that_never_ran_fails_its_model() -> None:
    """It has no digest of its own, so it counts for every digest seen under its path."""
    predicate = statements(PROVED, ERROR)[0]["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["failedTests"] == [ERROR.id]


def test_a_model_that_was_never_read_has_no_statement() -> None:
    assert statements(ERROR) == []


def test_a_model_swapped_between_properties_gives_two_subjects() -> None:
    other = replace(AGREED, model_sha256="ee" * 32)
    found = statements(PROVED, other, ERROR)
    assert {one["subject"][0]["digest"]["sha256"] for one in found} == {DIGEST, "ee" * 32}
    assert all(one["predicate"]["result"] == "FAILED" for one in found if one["predicateType"] == TEST_RESULT)


def test_configuration_names_the_spec_and_its_digest() -> None:
    (entry,) = statements(replace(PROVED, spec_sha256="12" * 32))[0]["predicate"]["configuration"]
    assert entry == {"name": "torchlean.yaml", "uri": "torchlean.yaml", "digest": {"sha256": "12" * 32}}


def test_certificate_says_what_was_proved_by_what() -> None:
    (found,) = statements(PROVED)[1]["predicate"]["properties"]
    assert found["theorem"]["name"] == "PytestTorchLean.robust_sound"
    assert found["assurance"] == "kernel"
    assert found["lean"]["version"] == "4.35.0"
    assert found["trust"]


def test_hostile_text_stays_on_its_line() -> None:
    assert len(render_intoto([HOSTILE], ENVIRONMENT).splitlines()) == 2
