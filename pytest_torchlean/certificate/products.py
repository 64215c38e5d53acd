"""Products of matrices of Python integers, exact and through binary64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import Integers

_LIMB = 20
_EXACT = 53


def exact_product(left: Integers, right: Integers) -> Integers:
    """left @ right of Python integers, through binary64 products that are exact: limbs of few bits each.

    left: (rows, n). right: (n, columns). Returns dtype object.
    """
    inner = max(1, left.shape[1]).bit_length()
    other_bits = _EXACT - _LIMB - inner
    total: Integers = np.zeros((left.shape[0], right.shape[1]), dtype=object)
    second = _limbs(right, other_bits)
    for power, part in enumerate(_limbs(left, _LIMB)):
        for other, piece in enumerate(second):
            product = (part @ piece).astype(np.int64).astype(object)
            total = total + product * (1 << (_LIMB * power + other_bits * other))
    return total


def _limbs(numbers: Integers, bits: int) -> list[NDArray[np.float64]]:
    """Signed limbs of at most `bits` bits, least significant first."""
    signs = np.where(numbers < 0, -1.0, 1.0)
    rest: Any = np.abs(numbers)
    longest = max((int(value).bit_length() for value in rest.reshape(-1)), default=0)
    limbs = []
    for _ in range(max(1, -(-longest // bits))):
        limbs.append((rest & ((1 << bits) - 1)).astype(np.float64) * signs)
        rest = rest >> bits
    return limbs


def rounded_product(
    rows: Integers, numbers: Integers, size: int, digit: int, stride: int, *, up: bool
) -> Integers | None:
    """rows @ numbers, a little below or (`up`) above it, as Check.Relaxation.rounded computes it; None where
    that says no.

    rows: naturals below 2^size, (rows, n). numbers: naturals below 2^stride, (n,). digit: bits that a row's
    sum may have once the lowest bits of `numbers` are dropped.
    """
    count = len(numbers)
    kept = max(0, digit - size - count.bit_length())
    total = int(numbers.sum()) % ((1 << stride) - 1) if stride else 0
    drop = max(0, max(1, total.bit_length()) - max(0, kept - 1)) + up
    shortened = (numbers >> drop) + int(up)
    longest = int(shortened.max(initial=0)).bit_length()
    fits = (
        count >= 1
        and 1 <= digit <= stride
        and drop <= stride
        and longest <= kept <= stride
        and (count << (size + kept)).bit_length() <= digit
    )
    found: Integers = (exact_product(rows, shortened[:, None])[:, 0]) << drop
    return found if fits else None
