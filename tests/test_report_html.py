"""The HTML report: one file, no request, no script, bounded, with every figure, safe against any text."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from dataclasses import replace
from fractions import Fraction

import pytest
from html_reader import read_page
from hypothesis import example, given, settings
from hypothesis import strategies as st
from report_examples import (
    BROKEN_SPEC,
    CURVE,
    ENVIRONMENT,
    ERROR,
    HOSTILE,
    IMAGE,
    PROVED,
    REFUTED,
    RESULTS,
    UNKNOWN,
    WITNESS,
)

from pytest_torchlean.report.drawings import bounds_plot, histogram_plot, number, share_plot
from pytest_torchlean.report.html import MOST_BYTES, render_html
from pytest_torchlean.report.pictures import layout_of, witness_pictures
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.verdict import Histogram, Radius, Sampled


def page_of(*results: PropertyResult) -> str:
    return render_html(results, ENVIRONMENT)


def test_no_request_and_no_script() -> None:
    text = page_of(*RESULTS, HOSTILE)
    page = read_page(text)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in page.addresses)
    assert {address[1:] for address in page.addresses if address[0] == "#"} <= page.anchors
    style = "".join(page.styles)
    assert "url(" not in style
    assert "@import" not in style
    assert "http://" not in text
    assert "https://" not in text
    assert """content="default-src 'none'; style-src 'unsafe-inline'; img-src data:\"""" in text


def test_hostile_text_is_text() -> None:
    page = read_page(page_of(HOSTILE))
    assert "<script>&\\u202e" in page.text
    assert 'torchlean.yaml::digits::a"<\\x1b[31m>' in page.sections


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(), min_size=1, max_size=30))
@example("<A")
@example('"><img src=x onerror=alert(1)>')
def test_any_text_gives_a_page_of_known_elements(text: str) -> None:
    evidence = replace(
        REFUTED.evidence,
        claim=text, found=text, runtime=text, next_steps=text, details=(text,), trust=(text,), accuracy=text,
        witnesses=(replace(WITNESS, violation=text, input=(text,)),),
        bounds={"lower": (text,), "upper": (text,)},
    )  # fmt: skip
    hostile = replace(
        REFUTED,
        id=f"f::{text}",
        spec_file=text,
        model_path=text,
        check=text,
        evidence=evidence,
        witness_file=text,
    )
    page = read_page(render_html([hostile], replace(ENVIRONMENT, others={text: text}, lean={text: text})))
    assert len(page.sections) == 1
    assert all(address.startswith("#") for address in page.addresses)


def test_figures_of_each_kind() -> None:
    assert "onnxruntime at 32 points" in page_of(UNKNOWN)
    assert page_of(UNKNOWN).count("<svg") == 1
    assert "<h3>Margins</h3>" in page_of(PROVED)
    assert "<h3>Certified share</h3>" in page_of(CURVE)
    assert page_of(IMAGE).count("data:image/png") == 3
    assert "<svg" not in page_of(ERROR)


def test_ledger_names_each_sentence_once() -> None:
    text = page_of(PROVED, replace(CURVE, id="torchlean.yaml::digits::twice"))
    assert text.count("the lowering from ONNX") == 1
    assert '<a href="#t2">2</a> of the ledger' in text
    assert "No verdict on this page" in page_of(ERROR)


def test_errors_of_a_spec_are_listed_with_their_places() -> None:
    page = read_page(page_of(BROKEN_SPEC))
    assert "3:7TL0304unknown key `eps`valid keys: epsilon" in page.text


@pytest.mark.parametrize("count", [1000, 30_000])
def test_a_megabyte_is_enough_and_what_is_left_out_is_counted(count: int) -> None:
    kinds = (PROVED, UNKNOWN, IMAGE, CURVE)
    results = [
        replace(kinds[place % 4], id=f"models/torchlean.yaml::digits::robust-8of255-{place}")
        for place in range(count)
    ]
    text = render_html(results, ENVIRONMENT)
    assert len(text.encode()) <= MOST_BYTES
    page = read_page(text)
    left = re.search(r"and (\d+) more properties in the record", page.text)
    assert len(page.rows) == count - (int(left[1]) if left else 0)
    left = re.search(r"(\d+) more properties have their row in the table only", page.text)
    assert len(page.sections) == count - (int(left[1]) if left else 0)
    assert "the figures of" in page.text
    if count == 1000:
        assert len(page.rows) == 1000


def test_huge_texts_are_cut_and_counted() -> None:
    evidence = replace(
        ERROR.evidence, found="x" * 5_000_000, details=("y" * 5_000_000,) * 50, trust=("z" * 10**6,) * 2
    )
    text = page_of(*(replace(ERROR, id=f"f::m::{place}", evidence=evidence) for place in range(50)))
    assert len(text.encode()) <= MOST_BYTES
    assert "more characters" in text
    assert "and 38 more lines in the record" in text


def test_nothing_checked() -> None:
    assert "No property was checked" in read_page(page_of()).text


class TestDrawings:
    @pytest.mark.parametrize(
        ("text", "value"), [("0x1.8p+1", 3.0), ("-0x1p-1", -0.5), ("1/4", 0.25), ("-3", -3.0)]
    )
    def test_numbers(self, text: str, value: float) -> None:
        assert number(text) == value

    def test_what_is_no_number_is_not_drawn(self) -> None:
        assert bounds_plot({"lower": ("x",), "upper": ("1",)}, None, None) is None
        assert bounds_plot({"lower": ("1",)}, None, None) is None
        assert bounds_plot({"lower": ("0",), "upper": ("9" * 400,)}, None, None) is None
        assert histogram_plot(Histogram(("0", "1"), (0,))) is None
        assert share_plot([Radius(0, Fraction(0))]) is None

    def test_rows_beyond_the_most_are_counted(self) -> None:
        drawing = bounds_plot({"lower": ("0",) * 100, "upper": ("1",) * 100}, None, None)
        assert drawing is not None
        assert drawing.left_out == "and 76 more outputs in the record"

    def test_samples_lie_inside_their_bounds_in_the_drawing(self) -> None:
        drawing = bounds_plot(
            {"lower": ("-2",), "upper": ("2",)}, None, Sampled(4, ("-0x1p+0",), ("0x1p+0",))
        )
        assert drawing is not None
        spans = [tuple(map(float, pair)) for pair in re.findall(r'd="M([\d.]+) 8H([\d.]+)"', drawing.svg)]
        (left, right), (first, last) = spans
        assert left < first < last < right
        assert abs((first - left) - (right - last)) < 0.2

    def test_a_claim_far_away_is_an_arrow(self) -> None:
        drawing = bounds_plot({"lower": ("0",), "upper": ("1",)}, {"upper": ("1000000",)}, None)
        assert drawing is not None
        assert "▸" in drawing.svg

    def test_equal_bounds_and_bounds_of_any_size_are_drawn(self) -> None:
        for low, high in (
            ("0", "0"),
            ("1", "1"),
            ("-1" + "0" * 300, "1" + "0" * 300),
            ("0", "1/1" + "0" * 300),
        ):
            drawing = bounds_plot({"lower": (low,), "upper": (high,)}, None, None)
            assert drawing is not None
            assert "nan" not in drawing.svg
            assert "inf" not in drawing.svg

    def test_share_falls_from_the_share_proved_at_all(self) -> None:
        drawing = share_plot([Radius(0, Fraction(1, 10)), Radius(1, Fraction(1, 5)), Radius(2, Fraction(0))])
        assert drawing is not None
        path = re.search(r'class="seen" stroke-width="2" d="M[\d.]+ ([\d.]+)([^"]*)"', drawing.svg)
        assert path is not None
        heights = [float(path[1]), *map(float, re.findall(r"V([\d.]+)", path[2]))]
        assert heights == sorted(heights)
        assert heights[0] == pytest.approx(144 - 124 * 2 / 3, abs=0.1)


class TestPictures:
    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ((1, 1, 8, 8), (8, 8, 1)),
            ((1, 3, 5, 7), (5, 7, 3)),
            ((3, 5, 7), (5, 7, 3)),
            ((1, 5, 7, 3), (5, 7, 3)),
            ((8, 8), (8, 8, 1)),
            ((1, 64), None),
            ((1, 2, 8, 8), None),
            ((64,), None),
            ((1, 1, 2, 2), None),
            ((), None),
            ((1, 3, 4096, 4096), None),
        ],
    )
    def test_layout(self, shape: tuple[int, ...], expected: tuple[int, int, int] | None) -> None:
        found = layout_of(shape)
        assert (found and (found.height, found.width, found.channels)) == expected

    def test_pixels(self) -> None:
        pictures = witness_pictures(IMAGE.evidence.witnesses[0])
        assert pictures is not None
        original = pixels(pictures.original, 4, 1)
        changed = pixels(pictures.changed, 4, 1)
        difference = pixels(pictures.difference, 4, 1)
        assert [row[0] for row in original] == [0, 0, 136, 204]
        assert changed[0] == [0, 17, 34, 51]
        assert difference[0] == [128, 146, 164, 182]
        assert difference[2] == [128] * 4
        assert pictures.largest == 7 / 16

    def test_large_images_are_thinned_out(self) -> None:
        size = 3 * 200 * 120
        witness = replace(
            WITNESS, shape=(1, 3, 200, 120), input=("0x1p+0",) * size, reference=("0x0p+0",) * size
        )
        pictures = witness_pictures(witness)
        assert pictures is not None
        assert pictures.stride == 3
        assert len(pixels(pictures.original, 40, 3)) == 67

    def test_no_picture_without_an_original_or_of_what_is_no_number(self) -> None:
        witness = IMAGE.evidence.witnesses[0]
        assert witness_pictures(replace(witness, reference=None)) is None
        assert witness_pictures(replace(witness, input=("nan",) * 16)) is None
        assert witness_pictures(replace(witness, input=("0x1p+0",))) is None


def pixels(address: str, width: int, channels: int) -> list[list[int]]:
    """The rows of a PNG, its check sums verified."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, {}
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        chunks[kind] = body
        place += 12 + length
    found_width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (found_width, depth, colour) == (width, 8, 2 if channels == 3 else 0)
    lines = zlib.decompress(chunks[b"IDAT"])
    step = 1 + width * channels
    assert len(lines) == height * step
    return [list(lines[row * step + 1 : (row + 1) * step]) for row in range(height)]
