"""Linear inequalities on outputs, and the binary32 patterns that state them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import UnsupportedError


@dataclass(frozen=True, eq=False)
class Forms:
    """Rows `coefficients @ outputs + constants`: of every `alternatives` rows that follow one another, one
    is positive (strict) or not negative.

    coefficients: Python integers (rows, outputs), dtype object. constants: (rows,), dtype object.
    """

    coefficients: NDArray[np.object_]
    constants: NDArray[np.object_]
    strict: bool
    alternatives: int = 1


def margin_forms(label: int, classes: int) -> Forms:
    """output[label] - output[k] > 0 for every other class k."""
    others = [k for k in range(classes) if k != label]
    coefficients = np.zeros((len(others), classes), dtype=object)
    for row, k in enumerate(others):
        coefficients[row, label] = 1
        coefficients[row, k] = -1
    return Forms(coefficients, np.zeros(len(others), dtype=object), strict=True)


def bound_forms(
    lower: Sequence[Fraction] | None, upper: Sequence[Fraction] | None, outputs: int, strict: bool
) -> Forms:
    """lower <= outputs <= upper element by element (or < where strict), each row scaled to integers."""
    rows, constants = [], []
    for bounds, sign in ((lower, 1), (upper, -1)):
        for index, bound in enumerate(bounds or ()):
            row = [0] * outputs
            row[index] = sign * bound.denominator
            rows.append(row)
            constants.append(-sign * bound.numerator)
    coefficients = np.empty((len(rows), outputs), dtype=object)
    column = np.empty(len(rows), dtype=object)
    if rows:
        coefficients[:] = rows
        column[:] = constants
    return Forms(coefficients, column, strict)


def form_patterns(forms: Forms) -> NDArray[np.uint32]:
    """Patterns (rows, outputs + constant columns); any common positive factor leaves the claim as it is.

    Integers below 2^23 are subnormal patterns, which decode to themselves. Larger ones become normal
    numbers, a constant as a sum of several columns. Raises UnsupportedError TL0601 where a coefficient is
    no binary32 number.
    """
    columns = [forms.coefficients]
    if any(forms.constants):
        columns.append(forms.constants.reshape(-1, 1))
    table = np.concatenate(columns, axis=1)
    if all(abs(number) < 1 << 23 for number in table.reshape(-1)):
        words = [abs(number) | (number < 0) << 31 for number in table.reshape(-1)]
        return np.array(words, dtype=np.uint32).reshape(table.shape)
    normal = [_exact_float(forms.coefficients)]
    rest = forms.constants.copy()
    while any(rest):
        part = np.empty_like(rest)
        part[:] = [_leading(number) for number in rest]
        normal.append(_exact_float(part.reshape(-1, 1)))
        rest = rest - part
    return np.concatenate(normal, axis=1)


def _leading(number: int) -> int:
    """The number with all but its 24 leading bits cleared."""
    drop = max(0, abs(number).bit_length() - 24)
    magnitude = abs(number) >> drop << drop
    return -magnitude if number < 0 else magnitude


def _exact_float(numbers: NDArray[np.object_]) -> NDArray[np.uint32]:
    for number in numbers.reshape(-1):
        if _leading(number) != number or abs(number).bit_length() > 127:
            raise UnsupportedError(
                "TL0601",
                f"the property's coefficient {number} is not a binary32 number",
                fix="use bounds whose denominators are below 2^24",
            )
    return numbers.astype(np.float64).astype(np.float32).view(np.uint32).reshape(numbers.shape)
