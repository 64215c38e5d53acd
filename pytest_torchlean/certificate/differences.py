"""Bounds of differences of slots by backward rows: Check/Relaxation/Differ in exact integers.

Where a property is about two copies of a network, rows use what is known of the differences of what their
ReLUs read (`pairing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.following import followed
from pytest_torchlean.certificate.links import fits_frame
from pytest_torchlean.certificate.relaxation import DIFFERENCE_BITS, digits_for, go_back, margins
from pytest_torchlean.certificate.rows import (
    Box,
    Difference,
    NotRelaxable,
    PassedNode,
    Rows,
    Slopes,
    require,
    size_of,
)
from pytest_torchlean.certificate.statement import AffineData, ReluData
from pytest_torchlean.certificate.substitution import RelaxationData
from pytest_torchlean.certificate.words import pack_words, unpack_words

_ALIKE = 1 / 8
"""How far weights of two copies may be apart, relative to the largest: models may be quantised."""


def differed(
    box: Box, passed: Sequence[PassedNode], data: RelaxationData, left: int, right: int, count: int
) -> tuple[Difference, bool]:
    """What a relaxation proves of differences, and whether it is accepted: Check.Relaxation.differ."""
    try:
        require(bool(passed) and data.start == passed[-1].start and data.count == size_of(passed[-1].node))
        require(data.rows <= 4 * data.count and data.goals.bit_length() <= 32 * data.rows)
        require(max(left, right) + count <= data.count <= 1 << 31)
        goals = unpack_words(data.goals, data.rows).astype(np.int64)
        require(int(goals.max(initial=0)) < 2 * count and bool((np.diff(goals) > 0).all()))
        rows = pair_rows(passed[-1], goals, left, right, data.digit)
        rows = followed(box, passed, data, rows)
        fits = fits_frame(box, rows, data) and 2 * box.scale.top < 1 << box.scale.half
    except NotRelaxable:
        nothing = np.zeros(count, dtype=object)
        return Difference(data.start + left, data.start + right, nothing, nothing), False
    return _found(box, data.start, left, right, count, goals, rows), fits


def relax_differences(
    box: Box,
    passed: Sequence[PassedNode],
    slopes: Mapping[int, Slopes],
    places: tuple[int, int, int],
    goals: NDArray[np.int64],
) -> RelaxationData:
    """Rows for differences of the last node's results. places: left, right, count. Raises NotRelaxable."""
    last, (left, right, _) = passed[-1], places
    digit, most = digits_for(passed, slopes, {}, DIFFERENCE_BITS)
    rows = pair_rows(last, goals, left, right, digit)
    rows, width, links = go_back(box, passed, slopes, rows, most)
    return RelaxationData(digit, width, len(goals), last.start, size_of(last.node), pack_words(goals), links)


def pair_rows(last: PassedNode, goals: NDArray[np.int64], left: int, right: int, digit: int) -> Rows:
    """Rows that are differences of a node's slots, or their opposites: Check.Relaxation.beginPairs."""
    form = np.zeros((len(goals), size_of(last.node)), dtype=object)
    sign, number = np.where(goals % 2 == 0, 1, -1), np.arange(len(goals))
    form[number, right + goals // 2] += sign
    form[number, left + goals // 2] -= sign
    zeros = np.zeros(len(goals), dtype=object)
    return Rows(1, 1, 0, last.start, 2, form, zeros, zeros, digit, form.shape[1])


def copies(last: PassedNode, relu: ReluData) -> int:
    """How many of the first results of an affine node have a copy among the next ones; 0 for none.

    Rows of the two copies hold the same weights, or nearly, whatever they read.
    """
    node, matrix = last.node, last.matrix
    if not isinstance(node, AffineData) or matrix is None or node.positions != 1 or node.rows < 2:
        return 0
    if relu.first != last.start or relu.count != node.rows:
        return 0
    ordered = np.sort((matrix.positive - matrix.negative).astype(np.float64), axis=1)
    near = _ALIKE * np.abs(ordered).max(initial=0)
    for count in range(node.rows // 2, 0, -1):
        if (np.abs(ordered[:count] - ordered[count : 2 * count]) <= near).all():
            return count
    return 0


def _found(
    box: Box, start: int, left: int, right: int, count: int, goals: NDArray[np.int64], rows: Rows
) -> Difference:
    values: Integers = np.maximum(margins(box, rows) + rows.scale * box.scale.top, 0) // rows.scale
    low, high = np.zeros(count, dtype=object), np.zeros(count, dtype=object)
    below = goals % 2 == 0
    low[goals[below] // 2], high[goals[~below] // 2] = values[below], values[~below]
    return Difference(start + left, start + right, low, high)
