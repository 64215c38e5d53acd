"""Numbers of a spec are read exactly, and nothing that only looks like a number is read at all."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_torchlean.spec import exact


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8/255", Fraction(8, 255)),
        ("8 / 255", Fraction(8, 255)),
        ("-1.5/3", Fraction(-1, 2)),
        ("1e-3", Fraction(1, 1000)),
        ("1E+3", Fraction(1000)),
        ("0.1", Fraction(1, 10)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("+7", Fraction(7)),
        ("-0", Fraction(0)),
        ("0x1.8p-3", Fraction(3, 16)),
        ("-0x0.8p0", Fraction(-1, 2)),
        ("0x10", Fraction(16)),
        ("1e-45", Fraction(1, 10**45)),
        ("0e1000", Fraction(0)),
    ],
)
def test_accepted_notations(text: str, value: Fraction) -> None:
    assert exact.number(text) == value
    assert re.search(exact.NUMBER_PATTERN, text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "1/0",
            "1/-2",
            "1/2/3",
            "1/2.5",
            "/2",
            "1/",
            "nan",
            "inf",
            "1e",
            "e3",
            "1e1101",
            "1e-1101",
        ),
        *("--1", "0x", "0x1p", "0x1p1201", "0xg", "1 2", "1,5", "1_0", "07", "0o7", "1:2", "true", "5%"),
        *("0b1", "1f", "1\n", "\u0663", "\u00bd", "1e\u0663"),
    ],
)
def test_refused_notations(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        exact.number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_hexadecimal_floats_keep_their_value(value: float) -> None:
    assert exact.number(value.hex()) == Fraction(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimals_are_not_rounded_to_floats(value: float) -> None:
    assert exact.number(repr(value)) == Fraction(repr(value))


@given(st.fractions())
def test_fractions_keep_their_value(value: Fraction) -> None:
    assert exact.number(f"{value.numerator}/{value.denominator}") == value


@given(st.text(alphabet="0123456789abcdefxXpPeE+-./%_: ", max_size=20))
def test_any_text_gives_a_value_that_python_agrees_with_or_an_error(text: str) -> None:
    try:
        value = exact.number(text)
    except ValueError:
        return
    if "/" not in text and "x" not in text.lower():
        assert value == Fraction(text.strip(" "))


@pytest.mark.parametrize(
    ("text", "value"),
    [("90%", Fraction(9, 10)), ("33.3 %", Fraction(333, 1000)), ("9/10", Fraction(9, 10)), ("0", Fraction(0)),
     ("1", Fraction(1)), ("100%", Fraction(1)), ("0.9", Fraction(9, 10))],
)  # fmt: skip
def test_shares(text: str, value: Fraction) -> None:
    assert exact.share(text) == value


@pytest.mark.parametrize("text", ["90", "-1%", "100.1%", "%", "1e-3/2%", "0x1%", "2"])
def test_refused_shares(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        exact.share(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("60s", Fraction(60)), ("500ms", Fraction(1, 2)), ("2m", Fraction(120)), ("1.5h", Fraction(5400))],
)
def test_durations(text: str, value: Fraction) -> None:
    assert exact.duration(text) == value


@pytest.mark.parametrize("text", ["60", "s", "1 s", "-1s", "1d", "1e3s", "1:30", "\u0661s"])
def test_refused_durations(text: str) -> None:
    with pytest.raises(ValueError, match="needs a unit"):
        exact.duration(text)


@pytest.mark.parametrize(("text", "value"), [("512MiB", 512 << 20), ("2GB", 2 * 10**9), ("1KiB", 1024)])
def test_memory(text: str, value: int) -> None:
    assert exact.memory(text) == value


@pytest.mark.parametrize("text", ["512", "1.5GB", "2gb", "MB", "-1MB"])
def test_refused_memory(text: str) -> None:
    with pytest.raises(ValueError, match="with a unit"):
        exact.memory(text)


@pytest.mark.parametrize("text", ["1.0", "1e3", "0x10", "010", "1_000", "1:30", "", "\u0663", "9" * 41])
def test_refused_integers(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        exact.integer(text)


def test_integers() -> None:
    assert [exact.integer(text) for text in ("0", "-3", "+256", "9223372036854775807")] == [
        0, -3, 256, 2**63 - 1,
    ]  # fmt: skip
