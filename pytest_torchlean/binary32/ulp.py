"""Exact values of binary32 numbers, neighbours, distances, and rounding of exact numbers.

Source: IEEE Std 754-2019, sections 3.4 (binary32), 4.3 (rounding), 5.3.1 (nextUp, nextDown).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float32).max)
"""The largest finite binary32 number, (2 - 2^-23) * 2^127."""

_SIGN = 0x80000000
_INFINITY = 0x7F800000


def bits_of(x: np.float32 | float) -> int:
    """The 32-bit pattern of a binary32 number."""
    return int(np.float32(x).view(np.uint32))


def from_bits(bits: int) -> np.float32:
    """The binary32 number with this pattern (0 <= bits < 2^32), NaN payloads included."""
    return np.float32(np.uint32(bits).view(np.float32))


def exact(x: np.float32 | float) -> Fraction:
    """The exact value of a finite binary32 number. ValueError for NaN and infinities."""
    value = float(x)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} has no exact value")
    return Fraction(value)


def ordinal(x: np.float32 | float) -> int:
    """Rank of a number: adjacent numbers differ by one; -0 and +0 both have rank 0.

    ValueError for NaN. Infinities rank just beyond the largest finite numbers.
    """
    bits = bits_of(x)
    magnitude = bits & ~_SIGN
    if magnitude > _INFINITY:
        raise ValueError("NaN has no rank")
    return -magnitude if bits & _SIGN else magnitude


def from_ordinal(rank: int) -> np.float32:
    """Inverse of `ordinal`; rank 0 gives +0. ValueError beyond the infinities."""
    if abs(rank) > _INFINITY:
        raise ValueError("no binary32 number has this rank")
    return from_bits(rank if rank >= 0 else _SIGN | -rank)


def distance(x: np.float32 | float, y: np.float32 | float) -> int:
    """How many steps of one ulp lie between two numbers (0 for -0 against +0). ValueError for NaN."""
    return abs(ordinal(x) - ordinal(y))


def distances(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.int64]:
    """Element-wise `distance` of equal-shaped float32 arrays; -1 where exactly one is NaN, 0 where both."""
    x_nan, y_nan = np.isnan(x), np.isnan(y)
    result: NDArray[np.int64] = np.abs(_ranks(x) - _ranks(y))
    result[x_nan | y_nan] = -1
    result[x_nan & y_nan] = 0
    return result


def _ranks(x: NDArray[np.float32]) -> NDArray[np.int64]:
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32).astype(np.int64)
    magnitude = bits & ~_SIGN
    return np.asarray(np.where(bits & _SIGN, -magnitude, magnitude), dtype=np.int64)


def next_up(x: np.float32 | float) -> np.float32:
    """The least binary32 number above x (nextUp): -0 and +0 both give the smallest subnormal."""
    with np.errstate(all="ignore"):
        return np.float32(np.nextafter(np.float32(x), np.float32(np.inf)))


def next_down(x: np.float32 | float) -> np.float32:
    """The greatest binary32 number below x (nextDown)."""
    with np.errstate(all="ignore"):
        return np.float32(np.nextafter(np.float32(x), np.float32(-np.inf)))


def round_down(value: Fraction) -> np.float32:
    """The greatest binary32 number <= value: -inf below the finite range, never +inf. Zero is +0."""
    if value >= 0:
        return from_bits(_truncate(value))
    bits = _truncate(-value)
    exact_hit = bits != _INFINITY and exact(from_bits(bits)) == -value
    return from_bits(_SIGN | (bits if exact_hit else bits + 1))


def round_up(value: Fraction) -> np.float32:
    """The least binary32 number >= value: +inf above the finite range, never -inf."""
    if value == 0:
        return np.float32(0.0)
    return -round_down(-value)


def round_nearest(value: Fraction) -> np.float32:
    """Round to nearest, ties to even, with gradual underflow; overflow gives an infinity.

    A value of exactly zero gives +0; a negative value that underflows gives -0.
    """
    sign = _SIGN if value < 0 else 0
    magnitude = abs(value)
    low = _truncate(magnitude)
    low_value = exact(from_bits(low))
    if low_value == magnitude:
        return from_bits(sign | low)
    high = low + 1
    high_value = Fraction(2) ** 128 if high == _INFINITY else exact(from_bits(high))
    below, above = magnitude - low_value, high_value - magnitude
    upwards = above < below or (above == below and high % 2 == 0)
    return from_bits(sign | (high if upwards else low))


def _truncate(value: Fraction) -> int:
    """Pattern of the greatest finite binary32 number <= value, for value >= 0."""
    numerator, denominator = value.numerator, value.denominator
    if numerator == 0:
        return 0
    exponent = numerator.bit_length() - denominator.bit_length()
    if value < (Fraction(2) ** exponent):
        exponent -= 1
    if exponent > 127:
        return _INFINITY - 1
    quantum = max(exponent - 23, -149)
    steps = (numerator << -quantum) // denominator if quantum < 0 else numerator // (denominator << quantum)
    if exponent < -126:
        return steps
    return ((exponent + 127) << 23) + (steps - (1 << 23))


def is_binary32(value: Fraction) -> bool:
    """Whether a number is exactly a finite binary32 number."""
    nearest = round_nearest(value)
    return bool(np.isfinite(nearest)) and exact(nearest) == value


def pack_bits(values: NDArray[np.float32]) -> bytes:
    """Little-endian bytes of a float32 array in row-major order."""
    flat = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
    return flat.astype("<f4", copy=False).tobytes()
