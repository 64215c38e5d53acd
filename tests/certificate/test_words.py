"""Packing, and the meaning of 32-bit patterns."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_torchlean.certificate.words import (
    affine_data,
    decoding_of,
    integers,
    pack_digits,
    pack_words,
    patterns_of,
    scaled,
    sources_of,
    unpack_digits,
    unpack_words,
)

PATTERNS = st.integers(0, 2**32 - 1)
FINITE = PATTERNS.filter(lambda pattern: pattern >> 23 & 255 != 255)
SUBNORMAL = st.builds(
    lambda sign, fraction: sign << 31 | fraction, st.integers(0, 1), st.integers(0, 2**23 - 1)
)


def float_of(pattern: int) -> float:
    return float(np.uint32(pattern).view(np.float32))


@given(st.lists(PATTERNS, max_size=9))
def test_words_come_back(words: list[int]) -> None:
    packed = pack_words(np.array(words, dtype=np.uint32))
    assert packed == sum(word << 32 * index for index, word in enumerate(words))
    assert unpack_words(packed, len(words)).tolist() == words
    assert unpack_words(packed, len(words) + 2).tolist() == [*words, 0, 0]


def test_words_that_do_not_fit_are_refused() -> None:
    for word in (-1, 2**32):
        with pytest.raises(ValueError, match="32 bits"):
            pack_words(np.array([0, word]))
    with pytest.raises(ValueError, match="more words"):
        unpack_words(1 << 64, 2)


@given(
    st.integers(1, 70).flatmap(
        lambda w: st.tuples(st.just(w), st.lists(st.integers(0, 2**w - 1), max_size=9))
    )
)
def test_digits_come_back(example: tuple[int, list[int]]) -> None:
    width, digits = example
    packed = pack_digits(digits, width)
    assert packed == sum(digit << width * index for index, digit in enumerate(digits))
    assert unpack_digits(packed, width, len(digits)) == digits


@pytest.mark.parametrize("width", [7, 8])
def test_digits_that_do_not_fit_are_refused(width: int) -> None:
    for digit in (-1, 1 << width):
        with pytest.raises(ValueError, match="digit"):
            pack_digits([0, digit], width)


@given(st.one_of(FINITE, SUBNORMAL))
def test_a_pattern_is_its_float_times_a_power_of_two(pattern: int) -> None:
    assert scaled(pattern) == Fraction(float_of(pattern)) * 2**149


@pytest.mark.parametrize("pattern", [0x7F800000, 0xFF800000, 0x7FC00000, 0xFF800001])
def test_infinity_and_nan_have_no_integer(pattern: int) -> None:
    with pytest.raises(ValueError, match="not a number"):
        scaled(pattern)


@given(st.lists(st.one_of(FINITE, SUBNORMAL), max_size=8))
def test_a_decoding_covers_its_patterns(words: list[int]) -> None:
    """The conditions of `decode` in lean/PytestTorchLean/Check/Decode.lean."""
    patterns = np.array(words, dtype=np.uint32)
    found = decoding_of(patterns)
    assert 1 <= found.base <= 150
    for pattern in words:
        exponent, fraction = pattern >> 23 & 255, pattern & (2**23 - 1)
        if exponent:
            assert 0 <= exponent - found.base < 2**found.stages
        else:
            assert fraction == 0 or found.base == 1
        assert abs(scaled(pattern)) % 2 ** (found.base - 1) == 0
        assert abs(scaled(pattern)) >> (found.base - 1) < 2**found.bits
    numbers = integers(patterns, found.base)
    assert [int(n) << (found.base - 1) for n in numbers] == [scaled(pattern) for pattern in words]


@given(st.data())
def test_a_matrix_comes_back_from_its_layout(data: st.DataObject) -> None:
    rows, columns, lanes = (data.draw(st.integers(1, n)) for n in (4, 9, 7))
    positions = data.draw(st.integers(1, 3))
    words = st.lists(PATTERNS, min_size=rows * columns, max_size=rows * columns)
    slots = st.lists(st.integers(0, 2**31), min_size=positions * columns, max_size=positions * columns)
    patterns = np.array(data.draw(words), dtype=np.uint32).reshape(rows, columns)
    sources = np.array(data.draw(slots), dtype=np.int64).reshape(positions, columns)
    laid = affine_data(patterns, sources, 3, lanes)
    assert (laid.rows, laid.positions, laid.divisor, laid.lanes) == (rows, positions, 3, lanes)
    assert columns <= laid.columns < columns + lanes
    assert np.array_equal(patterns_of(laid)[:, :columns], patterns)
    assert np.array_equal(sources_of(laid)[:, :columns], sources)
    assert not patterns_of(laid)[:, columns:].any()
    assert not sources_of(laid)[:, columns:].any()
    # where Spec.Affine.pattern and Spec.Affine.source look for a weight and its slot
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    lane, inner = divmod(column, laid.lane_columns)
    assert laid.weights >> 32 * (lane + lanes * (row + rows * inner)) & 0xFFFFFFFF == patterns[row, column]
    position = positions - 1
    place = inner + laid.lane_columns * (lane + lanes * position)
    assert laid.sources >> 32 * place & 0xFFFFFFFF == sources[position, column]
