"""GitHub annotations: few, on the right line, and never a command of somebody else's making."""

from __future__ import annotations

from dataclasses import replace

from golden_support import assert_golden
from report_examples import AGREED, BROKEN_SPEC, ENVIRONMENT, HOSTILE, PROVED, REFUTED, RESULTS, WARNED

from pytest_torchlean.report.annotations import MOST, render_annotations


def test_annotations_are_as_pinned() -> None:
    assert_golden("annotations.txt", render_annotations(RESULTS, ENVIRONMENT))


def test_a_green_gate_says_nothing() -> None:
    assert render_annotations([PROVED, AGREED], ENVIRONMENT) == ""


def test_place_and_level() -> None:
    first, second = render_annotations([WARNED, REFUTED], ENVIRONMENT).splitlines()
    assert first.startswith(
        "::error file=torchlean.yaml,line=21,col=5,title=REFUTED torchlean.yaml%3A%3Adigits"
    )
    assert second.startswith("::warning file=torchlean.yaml,line=33,col=5,title=UNKNOWN ")


def test_every_error_of_a_spec_is_on_its_line() -> None:
    lines = render_annotations([BROKEN_SPEC], ENVIRONMENT).splitlines()
    assert [line.split("::")[1] for line in lines] == [
        "error file=vision/torchlean.yaml,line=3,col=7,title=TL0304",
        "error file=vision/torchlean.yaml,line=9,col=1,title=TL0306",
    ]
    assert lines[1].endswith("::the property lacks the key `check`%0Afix: add it")


def test_no_more_than_github_shows_and_the_rest_counted() -> None:
    def lines(count: int) -> list[str]:
        results = [replace(REFUTED, id=f"f::m::p{number}") for number in range(count)]
        return render_annotations(results, ENVIRONMENT).splitlines()

    assert len(lines(MOST)) == MOST
    assert "more findings" not in "".join(lines(MOST))
    many = lines(25)
    assert len(many) == MOST
    assert many[-1] == "::error title=torchlean::and 16 more findings: see the table of verdicts"


def test_hostile_text_starts_no_command() -> None:
    text = render_annotations([HOSTILE], ENVIRONMENT)
    assert len(text.splitlines()) == 1
    place, _, message = text.removeprefix("::error ").partition("::")
    assert "file=dir%0A%3A%3Awarning%3A%3A/torchlean.yaml" in place
    assert "\x1b" not in text
    assert "%0A::error file=x::owned" in message


def test_long_text_is_cut_and_counted() -> None:
    long = replace(REFUTED, evidence=replace(REFUTED.evidence, found="x" * 5000))
    text = render_annotations([long], ENVIRONMENT)
    assert len(text) < 2300
    assert "more characters" in text
