"""The steps of Lean's check in exact integers, on many boxes at once.

Each function mirrors one of lean/PytestTorchLean/Check: `input_bounds` Box.run and Box.runHull,
`affine_bounds` Affine.run and Affine.runRounded. Bounds are fixed-point integers, (slots, boxes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import FIRST_INPUT, ONE_SLOT
from pytest_torchlean.certificate.boxes import hull_bits
from pytest_torchlean.certificate.model import DecodingData, ScaleData, StepData
from pytest_torchlean.certificate.products import Integers as Integers
from pytest_torchlean.certificate.products import limbs_of
from pytest_torchlean.certificate.statement import AffineData, BoxData, Semantics
from pytest_torchlean.certificate.words import factor_of, integers, patterns_of, sources_of, unpack_digits

ZERO_SPREAD = 251
"""Check.Box.run bounds slot 0 by less than this many fixed-point steps, different from box to box."""
OVERFLOW_THRESHOLD = (1 << 277) - (1 << 252)
"""Spec.overflowThreshold: where rounding to nearest reaches infinity, in units of 2^-149."""
_HULL = 1 << 23
"""A binary32 number lies within 2^-23 of every number, relatively, or one unit."""

MOST_CHARGED = 4096
"""Columns that Lean applies once more for a node's rounding errors, all boxes together."""
FEW_BOXES = 4
"""With more boxes to a claim the decoding of the weights costs little, and that would be felt."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """A decoded matrix: positive and negative parts (rows, columns), the slots read (positions, columns)."""

    positive: Integers
    negative: Integers
    sources: NDArray[np.int64]

    @cached_property
    def limbs(self) -> tuple[NDArray[np.float64], ...]:
        """The weights as a right factor of products."""
        return limbs_of(self.positive - self.negative)

    @cached_property
    def read(self) -> NDArray[np.bool_]:
        """Columns with a weight, (columns,)."""
        return np.asarray(((self.positive != 0) | (self.negative != 0)).any(axis=0), dtype=np.bool_)

    @property
    def mass(self) -> Integers:
        """Per row the sum of the absolute weights."""
        total: Integers = (self.positive + self.negative).sum(axis=1)
        return total


def matrix_of(data: AffineData, decoding: DecodingData) -> Matrix:
    """The decoded weights of a matrix."""
    numbers = integers(patterns_of(data), decoding.base)
    return Matrix(np.maximum(numbers, 0), np.maximum(-numbers, 0), sources_of(data))


def input_bounds(
    semantics: Semantics, scale: ScaleData, boxes: Sequence[BoxData], inputs: int
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Slots 0, 1 and the inputs of every box, rounded outward; whether all of them fit."""
    lower = np.empty((FIRST_INPUT + inputs, len(boxes)), dtype=object)
    upper = np.empty_like(lower)
    spread = np.array([(box.lower + box.upper) % ZERO_SPREAD for box in boxes], dtype=object)
    lower[0], upper[0] = scale.center - spread, scale.center + spread
    lower[1], upper[1] = scale.unit + scale.center, scale.unit + scale.center
    fine = np.ones(len(boxes), dtype=bool)
    for column, box in enumerate(boxes):
        below, above, divisor = _digits(semantics, scale, box, inputs)
        shift = divisor * scale.center
        for row, (low, high) in enumerate(zip(below, above, strict=True)):
            least, most = (low + shift) // divisor, (high + shift + divisor - 1) // divisor
            lower[FIRST_INPUT + row, column], upper[FIRST_INPUT + row, column] = least, most
            fine[column] &= 0 <= least <= most <= scale.top
        if semantics is Semantics.BINARY32:
            fine[column] &= hull_in_range(scale, box)
    return lower, upper, fine


def _digits(
    semantics: Semantics, scale: ScaleData, box: BoxData, inputs: int
) -> tuple[list[int], list[int], int]:
    """Bounds of the inputs times the unit, over one divisor; under binary32 those of the hull."""
    lows = unpack_digits(box.lower, box.width, inputs)
    highs = unpack_digits(box.upper, box.width, inputs)
    unit, offset, denominator = scale.unit, box.offset, box.denominator
    if semantics is Semantics.REAL:
        return (
            [unit * (digit - offset) for digit in lows],
            [unit * (digit - offset) for digit in highs],
            denominator,
        )
    down, up = unit * (_HULL - 1), unit * (_HULL + 1)
    mass = up * offset + denominator
    extra = 2 * (unit * offset + denominator)
    return (
        [down * digit - mass for digit in lows],
        [up * digit + extra - mass for digit in highs],
        _HULL * denominator,
    )


def hull_in_range(scale: ScaleData, box: BoxData) -> bool:
    """Check.Box.inRange: bounds stay far below the largest binary32 number."""
    aligned = box.width == 2 * scale.half and scale.unit % box.denominator == 0
    bits = hull_bits(scale, box.denominator) if aligned else box.width
    most = box.denominator << 127
    return 1 << bits <= most and box.offset <= most and scale.unit <= 1 << 126


def sums(
    scale: ScaleData, matrix: Matrix, position: int, lower: Integers, upper: Integers
) -> tuple[Integers, Integers]:
    """Low and high halves of every row at one position, (rows, boxes)."""
    low, high = lower[matrix.sources[position]], upper[matrix.sources[position]]
    below = matrix.positive @ low + matrix.negative @ (scale.top - high)
    above = matrix.positive @ high + matrix.negative @ (scale.top - low)
    return below, above


def affine_bounds(
    scale: ScaleData,
    node: AffineData,
    matrix: Matrix,
    step: StepData,
    lower: Integers,
    upper: Integers,
    error: Integers | None = None,
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Bounds of a node's results (positions * rows, boxes), and whether they stay in range.

    error: the radii of all results under binary32, see `row_errors`.
    """
    factor = factor_of(node.divisor, step.decoding)
    shift = factor * scale.center
    mass = (scale.center * matrix.mass)[:, None]
    lows, highs = [], []
    for position in range(node.positions):
        below, above = sums(scale, matrix, position, lower, upper)
        radius = 0 if error is None else error[position * node.rows : (position + 1) * node.rows]
        lows.append((below + shift - mass - radius) // factor)
        highs.append(np.maximum(above + shift + factor - 1 - mass + radius, 0) // factor)
    low, high = np.concatenate(lows), np.concatenate(highs)
    fine = ((low >= 0) & (low <= high) & (high <= scale.top)).all(axis=0)
    return low, high, fine.astype(bool)


# --- rounding ---------------------------------------------------------------------------------------


def reading(scale: ScaleData, matrix: Matrix, lower: Integers, upper: Integers) -> tuple[int, int]:
    """The first slot that a matrix reads beyond slots 0 and 1, and the smallest radius that Lean accepts."""
    read = matrix.sources[matrix.sources > ONE_SLOT]
    first = int(read.min()) if read.size else len(lower)
    radius = max(scale.unit, ZERO_SPREAD)
    if first < len(lower) and lower.shape[1]:
        below, above = scale.center - lower[first:].min(), upper[first:].max() - scale.center
        radius = max(radius, int(below), int(above))
    return first, radius


def rounding_step(
    scale: ScaleData,
    node: AffineData,
    matrix: Matrix,
    decoding: DecodingData,
    lower: Integers,
    upper: Integers,
) -> StepData:
    """How a node is bounded under binary32: by sums of each row's products above 0 and below where that is
    quick, otherwise with one radius of all slots that serves all boxes."""
    boxes = lower.shape[1]
    if boxes <= FEW_BOXES and node.positions * node.columns * boxes <= MOST_CHARGED:
        return StepData(decoding, consecutive(matrix), 0)
    return StepData(decoding, *reading(scale, matrix, lower, upper))


def consecutive(matrix: Matrix) -> int:
    """How many of the first columns read consecutive slots, if there is one position and these are most of
    the columns; otherwise 0, and all columns are counted as products."""
    if len(matrix.sources) != 1:
        return 0
    (read,) = matrix.sources
    breaks = np.flatnonzero(np.diff(read) != 1)
    run = int(breaks[0]) + 1 if breaks.size else len(read)
    return run if 2 * run >= len(read) else 0


def products(
    scale: ScaleData, node: AffineData, matrix: Matrix, step: StepData, lower: Integers, upper: Integers
) -> NDArray[np.int64]:
    """Check.Affine.products: how many products of a row may be other than 0, (boxes,)."""
    run = step.first
    whole = np.full(lower.shape[1], node.columns, dtype=np.int64)
    if not run or node.positions != 1 or run > node.columns or run + 2 > 1 << 2 * scale.half:
        return whole
    (read,) = matrix.sources
    first = int(read[0])
    if first + run > len(lower) or (read[:run] != first + np.arange(run)).any():
        return whole
    here = slice(first, first + run)
    apart = np.maximum(upper[here], scale.center) != np.minimum(lower[here], scale.center)
    found: NDArray[np.int64] = apart.sum(axis=0).astype(np.int64) + int(matrix.read[run:].sum())
    return found


def row_errors(
    scale: ScaleData, node: AffineData, matrix: Matrix, step: StepData, lower: Integers, upper: Integers
) -> Integers:
    """Check.Affine.runRounded: the error radius of every result, (positions * rows, boxes)."""
    factor, loss = _error_terms(scale, node, step)
    if step.radius:
        radii = np.tile(factor * matrix.mass + loss, node.positions)
        return np.repeat(radii[:, None], lower.shape[1], axis=1)
    up, down = np.maximum(upper - scale.center, 0), np.maximum(scale.center - lower, 0)
    count = products(scale, node, matrix, step, lower, upper).astype(object)
    own = []
    for here in matrix.sources:
        above = matrix.positive @ up[here] + matrix.negative @ down[here]
        below = matrix.positive @ down[here] + matrix.negative @ up[here]
        error = signed_error(node, count, above + below, np.maximum(above, below))
        own.append((error + (1 << 48) - 1 >> 48) + loss)
    return np.concatenate(own)


def signed_error(node: AffineData, count: Integers, weight: Integers, larger: Integers) -> Integers:
    """Check.Affine.signedError: errors in units of 2^-48 from how many products are not 0, the sum of a row's
    absolute products, and the larger of the sums of those above 0 and those below.

    count: (boxes,). weight, larger: (rows, boxes), as the result.
    """
    share = (1 << 24) + 2 * count
    error: Integers = share * (weight + np.maximum(count - 1, 0) * larger) + _dividing(node) * weight
    return error


def _signed_limit(node: AffineData, count: int, reach: int) -> int:
    """The same where both sums are `reach` at most."""
    share = (1 << 24) + 2 * count
    return (share * (2 + max(count - 1, 0)) + 2 * _dividing(node)) * reach


def _dividing(node: AffineData) -> int:
    """Check.Affine.dividing."""
    return 0 if node.divisor == 1 else 6 << 24


def _relative(node: AffineData) -> int:
    """Check.Affine.relativeError: the relative error of a row, in units of 2^-48."""
    return growth(node.columns) + _dividing(node)


def _error_terms(scale: ScaleData, node: AffineData, step: StepData) -> tuple[int, int]:
    """The most that a unit of weight may be charged, and Check.Affine.errorLoss."""
    columns, divisor = node.columns, node.divisor
    underflow = 2 * columns + (0 if divisor == 1 else columns + divisor)
    factor = (_relative(node) * (step.radius or scale.top) >> 48) + 1
    loss = (underflow * scale.unit >> (step.decoding.base - 1)) + 1
    return factor, loss


def growth(columns: int) -> int:
    """Check.growth: the relative error of a sum of so many products, in units of 2^-48."""
    return (columns << 24) + columns * columns


def roundable(
    scale: ScaleData, node: AffineData, matrix: Matrix, step: StepData, lower: Integers, upper: Integers
) -> NDArray[np.bool_]:
    """Check.Affine.runRounded, per box: sources within the radius, room for the errors, no overflow."""
    factor, loss = _error_terms(scale, node, step)
    bits = step.decoding.bits
    reach = node.columns * (scale.top << (bits + 1))
    largest = ((1 << 48) + growth(node.columns)) * (reach << (step.decoding.base - 1))
    largest += (2 * node.columns * scale.unit) << 48
    fits = (
        node.columns <= 1 << 22
        and step.radius <= scale.center
        and largest < (scale.unit * OVERFLOW_THRESHOLD) << 48
    )
    if not step.radius:
        digit = 32 * node.lanes
        counts = products(scale, node, matrix, step, lower, upper).tolist()
        limits = [_signed_limit(node, count, reach) for count in counts]
        fits = fits and digit >= 48 and scale.half < digit
        return np.array(
            [
                fits
                and limit + (1 << 48) <= 1 << digit
                and reach + 2 * ((limit >> 48) + 1 + loss) < 1 << scale.half
                for limit in limits
            ],
            dtype=np.bool_,
        )
    most = factor * (node.columns << (bits + 1)) + loss
    inside = np.full(lower.shape[1], fits and reach + 2 * most < 1 << scale.half)
    for first, stop in ((0, FIRST_INPUT), (step.first, len(lower))):
        if first < stop:
            below = lower[first:stop] >= scale.center - step.radius
            above = upper[first:stop] <= scale.center + step.radius
            inside &= (below & above).all(axis=0).astype(bool)
    return inside


def rounding_limit(scale_unit: int, center: int, columns: int, divisor: int, decoding: DecodingData) -> int:
    """A number below which 2 to the half digit's bits must not be, for a matrix of so many columns."""
    node = AffineData(1, 1, columns, 0, 1, 0, divisor)
    scale = ScaleData(scale_unit, center, 0)
    factor, loss = _error_terms(scale, node, StepData(decoding, 0, 0))
    reach = columns * (scale.top << (decoding.bits + 1))
    return 2 * (
        max(factor * (columns << (decoding.bits + 1)), (_signed_limit(node, columns, reach) >> 48) + 1) + loss
    )
