"""Numbers packed as Lean reads them: words of 32 bits, digits, and binary32 patterns as integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.model import DecodingData
from pytest_torchlean.certificate.statement import AffineData, MaximumData, MinimumData, QuotientData

EXPONENT_OF_SCALED = 149
"""A pattern denotes an integer divided by 2^149."""


def pack_words(words: NDArray[np.unsignedinteger] | NDArray[np.int64]) -> int:
    """32-bit words, least significant first. ValueError where one does not fit."""
    if words.size and (int(words.min()) < 0 or int(words.max()) >= 1 << 32):
        raise ValueError("a word does not fit 32 bits")
    return int.from_bytes(np.ascontiguousarray(words, dtype="<u4").tobytes(), "little")


def unpack_words(packed: int, count: int) -> NDArray[np.uint32]:
    """The first `count` words; ValueError if there are more."""
    if packed.bit_length() > 32 * count:
        raise ValueError("more words than expected")
    return np.frombuffer(packed.to_bytes(4 * count, "little"), dtype="<u4").astype(np.uint32)


def pack_digits(digits: Sequence[int], width: int) -> int:
    """Digits of `width` bits, least significant first. ValueError where one does not fit."""
    if any(digit < 0 or digit.bit_length() > width for digit in digits):
        raise ValueError("a digit does not fit its width")
    if width % 8 == 0:
        return int.from_bytes(b"".join(digit.to_bytes(width // 8, "little") for digit in digits), "little")
    packed = 0
    for digit in reversed(digits):
        packed = packed << width | digit
    return packed


def unpack_digits(packed: int, width: int, count: int) -> list[int]:
    """The first `count` digits of `width` bits."""
    mask = (1 << width) - 1
    return [packed >> (width * index) & mask for index in range(count)]


def scaled(pattern: int) -> int:
    """2^149 times the value of a finite binary32 pattern; ValueError for infinity and NaN."""
    exponent, fraction = pattern >> 23 & 0xFF, pattern & 0x7FFFFF
    if exponent == 0xFF:
        raise ValueError("the pattern is not a number")
    magnitude = fraction if exponent == 0 else (fraction | 0x800000) << (exponent - 1)
    return -magnitude if pattern >> 31 else magnitude


def decoding_of(patterns: NDArray[np.uint32]) -> DecodingData:
    """How a matrix of finite patterns is decoded with the shortest integers."""
    magnitudes = patterns & np.uint32(0x7FFFFFFF)
    used = magnitudes[magnitudes != 0]
    if used.size == 0:
        return DecodingData(base=127, stages=0, bits=1)
    exponents = np.maximum(used >> np.uint32(23), 1).astype(np.int64)
    base = min(int(exponents.min()), EXPONENT_OF_SCALED + 1)
    top = int(exponents.max())
    largest = int(used[exponents == top].max())
    bits = (abs(scaled(largest)) >> (base - 1)).bit_length()
    return DecodingData(base=base, stages=(top - base).bit_length(), bits=bits)


def decodes(own: DecodingData, other: DecodingData, lanes: int) -> bool:
    """Whether `other` surely decodes what `own`, the shortest decoding, does in digits of so many lanes."""
    lower = own.base - other.base
    return (
        other.base >= 1
        and lower >= 0
        and other.bits >= own.bits + lower
        and other.bits < 32 * lanes
        and own.stages <= other.stages <= 8
        and (lower == 0 or lower + (1 << own.stages) <= 1 << other.stages)
        and 23 + (1 << other.stages) <= 32 * lanes
    )


def factor_of(divisor: int, decoding: DecodingData) -> int:
    """What a decoded row is divided by to give the result of a node with this divisor."""
    return divisor << (EXPONENT_OF_SCALED + 1 - decoding.base)


def affine_data(
    patterns: NDArray[np.uint32], sources: NDArray[np.int64], divisor: int, lanes: int
) -> AffineData:
    """Lay out a matrix of patterns (rows, columns) that reads slots (positions, columns).

    Columns are padded with zero weights that read slot 0 until they fill the lanes.
    """
    rows, columns = patterns.shape
    lane_columns = -(-columns // lanes)
    padding = lanes * lane_columns - columns
    patterns = np.pad(patterns, ((0, 0), (0, padding)))
    sources = np.pad(sources, ((0, 0), (0, padding)))
    # word lane + lanes * (row + rows * column) holds column lane_columns * lane + column
    words = patterns.reshape(rows, lanes, lane_columns).transpose(2, 0, 1)
    return AffineData(
        rows=rows,
        lanes=lanes,
        lane_columns=lane_columns,
        weights=pack_words(words.reshape(-1)),
        positions=sources.shape[0],
        sources=pack_words(sources.reshape(-1)),
        divisor=divisor,
    )


def patterns_of(data: AffineData) -> NDArray[np.uint32]:
    """The patterns (rows, columns) of a laid out matrix, padding included."""
    words = unpack_words(data.weights, data.columns * data.rows)
    shaped = words.reshape(data.lane_columns, data.rows, data.lanes)
    return shaped.transpose(1, 2, 0).reshape(data.rows, data.columns)


def sources_of(data: AffineData) -> NDArray[np.int64]:
    """The slots (positions, columns) that a laid out matrix reads, padding included."""
    words = unpack_words(data.sources, data.positions * data.columns)
    return words.astype(np.int64).reshape(data.positions, data.columns)


def pairs_of(data: MaximumData | MinimumData | QuotientData) -> NDArray[np.int64]:
    """The two slots of each result, (count, 2)."""
    return unpack_words(data.sources, 2 * data.count).astype(np.int64).reshape(data.count, 2)


def integers(patterns: NDArray[np.uint32], base: int = 1) -> NDArray[np.object_]:
    """2^149 / 2^(base - 1) times the value of each pattern, as Python integers (dtype object)."""
    result = np.empty(patterns.size, dtype=object)
    result[:] = [scaled(int(pattern)) >> (base - 1) for pattern in patterns.reshape(-1)]
    return result.reshape(patterns.shape)
