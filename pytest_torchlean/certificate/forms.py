"""Linear inequalities on outputs and inputs, and the binary32 patterns that state them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import UnsupportedError


@dataclass(frozen=True, eq=False)
class Forms:
    """Rows `coefficients @ outputs + on_inputs @ inputs + constants`: of every `alternatives` rows that
    follow one another, one is positive (strict) or not negative.

    coefficients: Python integers (rows, outputs), dtype object. constants: (rows,), dtype object. on_inputs:
    (rows, inputs), dtype object; None where no row reads an input.
    """

    coefficients: NDArray[np.object_]
    constants: NDArray[np.object_]
    strict: bool
    alternatives: int = 1
    on_inputs: NDArray[np.object_] | None = None


@dataclass(frozen=True, eq=False)
class Columns:
    """Binary32 patterns (rows, columns), and what each column is multiplied by.

    reads: int64 (columns,); k for output k, `outputs + i` for input i, CONSTANT for 1. The outputs come
    first, each once; a number of more than 24 bits continues in a further column.
    """

    patterns: NDArray[np.uint32]
    reads: NDArray[np.int64]


CONSTANT = -1
_EXACT_BITS = 24
_LARGEST = 127
_LEAST_EXPONENT = -149


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


def form_columns(forms: Forms) -> Columns:
    """The forms in binary32 numbers; any common positive factor leaves the claim as it is.

    Integers below 2^23 are subnormal patterns, which decode to themselves. Larger ones become normal
    numbers, one with more than 24 bits as a sum of several columns. Raises UnsupportedError TL0601 where the
    numbers of the property are too far apart for binary32.
    """
    outputs = forms.coefficients.shape[1]
    table, reads = forms.coefficients, np.arange(outputs)
    if forms.on_inputs is not None:
        read = np.flatnonzero((forms.on_inputs != 0).any(axis=0))
        table = np.concatenate([table, forms.on_inputs[:, read]], axis=1)
        reads = np.concatenate([reads, outputs + read])
    if any(forms.constants):
        table = np.concatenate([table, forms.constants.reshape(-1, 1)], axis=1)
        reads = np.append(reads, CONSTANT)
    if all(abs(number) < 1 << 23 for number in table.reshape(-1)):
        words = [abs(number) | (number < 0) << 31 for number in table.reshape(-1)]
        return Columns(np.array(words, dtype=np.uint32).reshape(table.shape), reads)
    shift = max(0, max(int(abs(number)).bit_length() for number in table.reshape(-1)) - _LARGEST)
    patterns, places = [], []
    rest, left = table, reads
    while left.size:
        part = np.empty(rest.shape, dtype=object)
        part.reshape(-1)[:] = [_leading(number) for number in rest.reshape(-1)]
        patterns.append(_scaled_down(part, shift))
        places.append(left)
        rest = rest - part
        open_columns = np.flatnonzero((rest != 0).any(axis=0))
        rest, left = rest[:, open_columns], left[open_columns]
    return Columns(np.concatenate(patterns, axis=1), np.concatenate(places))


def _leading(number: int) -> int:
    """The number with all but its 24 leading bits cleared."""
    drop = max(0, abs(number).bit_length() - _EXACT_BITS)
    magnitude = abs(number) >> drop << drop
    return -magnitude if number < 0 else magnitude


def _scaled_down(numbers: NDArray[np.object_], shift: int) -> NDArray[np.uint32]:
    """Patterns of the numbers, each of at most 24 bits, divided by 2^shift."""
    least = min((number & -number for number in numbers.reshape(-1) if number), default=1)
    if least.bit_length() - 1 - shift < _LEAST_EXPONENT:
        raise UnsupportedError(
            "TL0601",
            "the property's coefficients are too far apart for binary32 numbers",
            fix="use numbers of similar size in each inequality, with fewer digits",
        )
    floats = np.array([math.ldexp(int(number), -shift) for number in numbers.reshape(-1)])
    return floats.astype(np.float32).view(np.uint32).reshape(numbers.shape)
