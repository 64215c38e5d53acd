"""Products of matrices of Python integers, exact and through binary64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[Any]
"""Python integers, dtype object."""

_LIMB = 20
_EXACT = 53
_DIGIT = 40
_WORD = 63


def exact_product(left: Integers, right: Integers) -> Integers:
    """left @ right of Python integers, through binary64 products that are exact: limbs of few bits each.

    left: (rows, n). right: (n, columns). Returns dtype object.
    """
    return product_with(left, limbs_of(right))


def limbs_of(right: Integers) -> tuple[NDArray[np.float64], ...]:
    """The right factor (n, columns) of several products in limbs, see `product_with`."""
    return _limbs(right, _right_bits(len(right)))


def product_with(left: Integers, right: tuple[NDArray[np.float64], ...]) -> Integers:
    """left @ right, where `right` is what `limbs_of` made of it."""
    inner, columns = right[0].shape
    other_bits = _right_bits(inner)
    # digits that 64 bits hold, so that few arrays of Python integers are made
    digits: dict[int, NDArray[np.int64]] = {}
    for power, part in enumerate(_limbs(left, _LIMB)):
        for other, piece in enumerate(right):
            product = (part @ piece).astype(np.int64)
            place, up = divmod(_LIMB * power + other_bits * other, _DIGIT)
            low, high = (product & ((1 << (_DIGIT - up)) - 1)) << up, product >> (_DIGIT - up)
            for where, own in ((place, low), (place + 1, high)):
                digits[where] = digits[where] + own if where in digits else own
    total: Integers = np.zeros((left.shape[0], columns), dtype=object)
    for place, digit in digits.items():
        if digit.any():
            total = total + digit.astype(object) * (1 << (_DIGIT * place))
    return total


def _right_bits(inner: int) -> int:
    return _EXACT - _LIMB - max(1, inner).bit_length()


def _limbs(numbers: Integers, bits: int) -> tuple[NDArray[np.float64], ...]:
    """Signed limbs of at most `bits` bits, least significant first."""
    signs = np.where(numbers < 0, -1.0, 1.0)
    rest: Any = np.abs(numbers)
    longest = int(rest.max(initial=0)).bit_length()
    if longest < _WORD:
        rest = rest.astype(np.int64)
    limbs = []
    for _ in range(max(1, -(-longest // bits))):
        limbs.append((rest & ((1 << bits) - 1)).astype(np.float64) * signs)
        rest = rest >> bits
    return tuple(limbs)


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
