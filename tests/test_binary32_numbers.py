"""Exact values, ranks, rounding and hexadecimal literals of binary32 numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_torchlean.binary32 import format as hexadecimal
from pytest_torchlean.binary32 import ulp

INFINITY = 0x7F800000

finite_bits = st.one_of(
    st.integers(0, INFINITY - 1),
    st.integers(0, 8),
    st.integers(0x007FFFF8, 0x00800008),
    st.integers(INFINITY - 8, INFINITY - 1),
)
signs = st.sampled_from([0, 0x80000000])
finite = st.builds(lambda bits, sign: ulp.from_bits(bits | sign), finite_bits, signs)
exact_numbers = st.one_of(
    st.fractions(),
    st.builds(
        lambda x, y, numerator: ulp.exact(x) + (ulp.exact(y) - ulp.exact(x)) * Fraction(numerator, 8),
        finite,
        finite,
        st.integers(0, 8),
    ),
    st.builds(lambda x, numerator: ulp.exact(x) + Fraction(numerator, 2**152), finite, st.integers(-16, 16)),
    st.builds(
        lambda m, e: Fraction(m) * Fraction(2) ** e, st.integers(-(2**26), 2**26), st.integers(-180, 130)
    ),
)


@given(finite)
def test_a_rank_identifies_a_number(x: np.float32) -> None:
    back = ulp.from_ordinal(ulp.ordinal(x))
    assert back == x
    assert ulp.distance(x, back) == 0


@given(finite)
def test_neighbours_are_one_ulp_apart_and_nothing_lies_between(x: np.float32) -> None:
    up, down = ulp.next_up(x), ulp.next_down(x)
    assert down < x < up
    assert ulp.ordinal(up) == ulp.ordinal(x) + 1
    assert ulp.ordinal(down) == ulp.ordinal(x) - 1


def test_nan_has_no_rank_and_infinity_no_exact_value() -> None:
    with pytest.raises(ValueError, match="NaN"):
        ulp.ordinal(np.float32(np.nan))
    with pytest.raises(ValueError, match="no exact value"):
        ulp.exact(np.float32(np.inf))
    with pytest.raises(ValueError, match="no binary32"):
        ulp.from_ordinal(INFINITY + 1)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20))
def test_array_distances_agree_with_scalar_ones(patterns: list[int]) -> None:
    x = np.array(patterns, dtype=np.uint32).view(np.float32)
    y = x[::-1].copy()
    for a, b, got in zip(x, y, ulp.distances(x, y), strict=True):
        if np.isnan(a) or np.isnan(b):
            assert got == (0 if np.isnan(a) and np.isnan(b) else -1)
        else:
            assert got == ulp.distance(a, b)


@given(exact_numbers)
@example(Fraction(2) ** 128)
@example(-(Fraction(2) ** 128))
@example(ulp.exact(np.float32(ulp.LARGEST)) + Fraction(2) ** 103)
def test_directed_rounding_encloses_tightly(value: Fraction) -> None:
    low, high = ulp.round_down(value), ulp.round_up(value)
    assert not np.isposinf(low)
    assert not np.isneginf(high)
    assert np.isneginf(low) or ulp.exact(low) <= value
    assert np.isposinf(high) or value <= ulp.exact(high)
    assert ulp.distance(low, high) == (0 if ulp.is_binary32(value) else 1)


@given(exact_numbers)
def test_nearest_rounding_agrees_with_mpfr(value: Fraction) -> None:
    gmpy2 = pytest.importorskip("gmpy2")
    context = gmpy2.context(precision=24, emin=-148, emax=128, subnormalize=True)
    with context:
        reference = np.float32(float(gmpy2.mpfr(gmpy2.mpq(value.numerator, value.denominator))))
    got = ulp.round_nearest(value)
    assert got == reference
    if value != 0:
        assert np.signbit(got) == (value < 0)


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        (Fraction(1, 2**150), 0),
        (Fraction(3, 2**151), 1),
        (Fraction(3, 2**150), 2),
        (Fraction(2) ** 128 - Fraction(2) ** 103, INFINITY),
        (Fraction(2) ** 128 - Fraction(2) ** 103 - 1, INFINITY - 1),
        (1 + Fraction(1, 2**24), 0x3F800000),
        (1 + Fraction(3, 2**24), 0x3F800002),
    ],
)
def test_ties_and_the_ends_of_the_range_round_to_even(value: Fraction, bits: int) -> None:
    assert ulp.bits_of(ulp.round_nearest(value)) == bits
    assert ulp.bits_of(ulp.round_nearest(-value)) == bits | 0x80000000


@given(st.integers(0, 2**32 - 1))
def test_literals_round_trip_bit_for_bit(bits: int) -> None:
    x = ulp.from_bits(bits)
    back = hexadecimal.from_hex(hexadecimal.to_hex(x))
    assert np.isnan(back) if np.isnan(x) else ulp.bits_of(back) == bits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "0x1p+0"),
        (-0.0, "-0x0p+0"),
        (0.1875, "0x1.8p-3"),
        (2.0**-149, "0x1p-149"),
        (float("-inf"), "-inf"),
        (float("nan"), "nan"),
    ],
)
def test_literals_are_short(value: float, text: str) -> None:
    assert hexadecimal.to_hex(value) == text


@pytest.mark.parametrize(
    "text",
    ["", "1.5", "0x", "0x1p", "0x1.0000001p+0", "0x1p+128", "0x1p-150", "infinity", "0x1p+0 0", "0x1p9999"],
)
def test_what_is_not_a_binary32_literal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"binary32|hexadecimal"):
        hexadecimal.from_hex(text)


def test_a_number_that_is_not_binary32_has_no_literal() -> None:
    with pytest.raises(ValueError, match="not a binary32"):
        hexadecimal.to_hex(0.1)
