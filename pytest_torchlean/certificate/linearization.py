"""Products and quotients as rows of their operands, in exact integers: Check/Linearize, step for step.

An entry of a row is a word for the column and two for the weight, raised by 2^bits so that none is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import ONE_SLOT
from pytest_torchlean.certificate.bilinear import factors_of
from pytest_torchlean.certificate.bounding import Integers, Matrix
from pytest_torchlean.certificate.concluding import Unforeseen, decoded
from pytest_torchlean.certificate.model import DecodingData, LinearizationData, ScaleData
from pytest_torchlean.certificate.rows import NotRelaxable
from pytest_torchlean.certificate.statement import BilinearData, QuotientData
from pytest_torchlean.certificate.words import affine_data, decoding_of, integers, pairs_of

_ENTRY = 96
_FINEST = 40
"""Weights of rows are multiples of 2^-_FINEST, or coarser where rectangles are wide."""
_WIDEST = 30
"""A weight is 0 where it is 2^_WIDEST times smaller than the largest."""
_SHARE = 64
"""The largest part of a rectangle's width that a rounded slope may be off."""
_NEGLIGIBLE = 2.0**-24
"""A factor has no slope where it adds no larger share to the width of a sum of products."""
_LARGEST = float(np.finfo(np.float32).max)
_MOST_ADDED = 1 << 32
"""Bits of all sums that Lean adds entries to, each as long as the rows' whole matrix, one for each entry."""
_LONGEST_ENTRY = 62
"""Bits of an entry, which has 8 bytes with its offset."""


@dataclass(frozen=True, eq=False)
class Stated:
    """Rows in the stead of a node. error: radii (rows, boxes). fine: whether Lean accepts them, (boxes,)."""

    matrix: Matrix
    error: Integers
    fine: NDArray[np.bool_]


def linearized(
    scale: ScaleData,
    node: BilinearData | QuotientData,
    start: int,
    how: LinearizationData,
    worst: Integers | None,
    lower: Integers,
    upper: Integers,
) -> Stated:
    """Check.Linearize.products and quotients. start: the node's first slot. worst: the error radius of sums
    of products, (1, boxes); lower, upper: (slots, boxes).

    Raises Unforeseen where Lean refuses the rows whatever the bounds are.
    """
    data, factors = how.rows, _operands(node)
    if (data.positions, data.divisor, data.rows) != (1, 1, node.count) or data.lanes < 1:
        raise Unforeseen("rows of another shape than the node's results")
    if not 1 <= how.decoding.base <= 150:
        raise Unforeseen("a decoding without a unit")
    matrix = decoded(data, how.decoding)
    offset = 1 << how.decoding.bits
    slots = _slots(node)
    each = slots.shape[1]
    columns, weights = _read(how.entries, node.count, each)
    if (columns >= data.columns).any() or (weights > 2 * offset).any():
        raise Unforeseen("an entry outside the rows")
    if (matrix.sources[0][columns] != slots).any():
        raise Unforeseen("an entry of another slot")
    slopes = weights - offset
    total = np.zeros((node.count, data.columns), dtype=object)
    np.add.at(total, (np.arange(node.count)[:, None], columns), slopes)
    if (total != matrix.positive - matrix.negative).any():
        raise Unforeseen("entries of other rows")
    if (node.count * each + 2) * 2 * offset >= 1 << 32 * data.lanes:
        raise Unforeseen("more entries than a digit counts")
    plus = 1 << (150 - how.decoding.base)
    if isinstance(node, BilinearData):
        least, most, fine = _beyond(scale, plus, offset, factors, slopes[:, :-1], lower, upper)
        radius = np.zeros((1, lower.shape[1]), dtype=object) if worst is None else plus * worst
    else:
        least, most, radius, fine = _ratios(scale, plus, factors[:, 0], start, slopes, lower, upper)
    least_one, most_one = _ends(scale, slopes[:, -1], lower[ONE_SLOT], upper[ONE_SLOT])
    size = np.maximum(np.maximum(most + most_one, -(least + least_one)), 0)
    error: Integers = (radius + size) // (2 * scale.unit) + 1
    fine = fine & (error < 1 << 32 * data.lanes).all(axis=0).astype(bool)
    return Stated(matrix, error, fine)


def _operands(node: BilinearData | QuotientData) -> NDArray[np.int64]:
    """The two slots of each product or quotient, (count, terms, 2)."""
    return factors_of(node) if isinstance(node, BilinearData) else pairs_of(node)[:, None, :]


def _slots(node: BilinearData | QuotientData) -> NDArray[np.int64]:
    """The slots of the entries of each row, (count, entries)."""
    ones = np.full((node.count, 1), ONE_SLOT, dtype=np.int64)
    return np.concatenate([_operands(node).reshape(node.count, -1), ones], axis=1)


def _ratios(
    scale: ScaleData,
    plus: int,
    pairs: NDArray[np.int64],
    start: int,
    slopes: Integers,
    lower: Integers,
    upper: Integers,
) -> tuple[Integers, Integers, Integers, NDArray[np.bool_]]:
    """Twice what quotients are beyond their rows but for the constants, what rounding adds, and whether Lean
    takes it: divisors are positive."""
    unit, center = scale.unit, scale.center
    x, z = pairs.T
    here = slice(start, start + len(pairs))
    own, other = slopes[:, 0, None], slopes[:, 1, None]
    ys, zs = ([side[place] - center for side in (lower, upper)] for place in (here, z))
    corners = [2 * (-own * y * w + unit * (plus * y - other * w)) for y in ys for w in zs]
    least = np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))
    most = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
    size = np.maximum(np.maximum(upper[x] - center, center - lower[x]), 0)
    rounded = (unit * size >> 24) + 1 + (unit * np.maximum(upper[z] - center, 0) >> 150) + 1
    fine = (lower[z] > center).all(axis=0).astype(bool)
    return least, most, 2 * np.abs(own) * rounded, fine


def _read(entries: int, count: int, each: int) -> tuple[NDArray[np.int64], Integers]:
    """Columns, and raised weights as Python integers, (count, each)."""
    raw = (entries & ((1 << _ENTRY * count * each) - 1)).to_bytes(_ENTRY // 8 * count * each, "little")
    words = np.frombuffer(raw, dtype="<u4").reshape(count, each, 3)
    weights = words[:, :, 1].astype(object) + (words[:, :, 2].astype(object) << 32)
    return words[:, :, 0].astype(np.int64), weights


def _beyond(
    scale: ScaleData,
    plus: int,
    offset: int,
    factors: NDArray[np.int64],
    slopes: Integers,
    lower: Integers,
    upper: Integers,
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Twice what the sums of products are beyond their rows, (count, boxes), and whether Lean takes it."""
    unit, center = scale.unit, scale.center
    left, right = factors[:, :, 0], factors[:, :, 1]
    own, other = (slopes[:, side::2, None] for side in (0, 1))
    xs = [side[left] - center for side in (lower, upper)]
    zs = [side[right] - center for side in (lower, upper)]
    corners = [2 * (plus * x * z - unit * (own * x + other * z)) for x in xs for z in zs]
    least = np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))
    most = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
    square = (left == right)[:, :, None]
    sag = (unit * (own + other)) ** 2 // (2 * plus) + 1
    base = plus * 2 * center**2 + unit * 4 * offset * center
    least = np.where(square, np.maximum(least, -sag), least)
    fine = np.full(lower.shape[1], not (square & (sag > base)).any())
    return least.sum(axis=1), most.sum(axis=1), fine


def _ends(scale: ScaleData, slopes: Integers, low: Integers, high: Integers) -> tuple[Integers, Integers]:
    """The same of the constants, which are weights of slot 1."""
    ends = [-2 * scale.unit * slopes[:, None] * (side - scale.center)[None] for side in (low, high)]
    return np.minimum(*ends), np.maximum(*ends)


# --- rows that a producer chooses -------------------------------------------------------------------


def planes(
    scale: ScaleData, node: BilinearData, lower: Integers, upper: Integers, lanes: int
) -> LinearizationData:
    """Planes through the middle of each rectangle of one box, and constants in the middle of what is beyond.

    lower, upper: fixed-point bounds of all slots, (slots,).
    """
    factors = factors_of(node)
    low, high = (in_units(scale, side[factors]) for side in (lower, upper))
    middle, width = (low + high) / 2, high - low
    square = factors[:, :, 0] == factors[:, :, 1]
    slopes = middle[:, :, ::-1].copy()
    slopes[_negligible(np.maximum(np.abs(low), np.abs(high)), width) & ~square[:, :, None]] = 0.0
    spread = np.where(square, (width[:, :, 0] / 2) ** 2 / 2, 0.0)
    constants = spread - slopes[:, :, 0] * middle[:, :, 0] - slopes[:, :, 1] * middle[:, :, 1]
    # the plane meets the product at the middle; without a slope the other factor's middle is no constant
    constants = (constants + middle[:, :, 0] * middle[:, :, 1]).sum(axis=1)
    beyond = (width[:, :, 0] * width[:, :, 1]).sum(axis=1) / 4
    slopes = slopes.reshape(node.count, -1)
    weights = np.concatenate([slopes, constants[:, None]], axis=1)
    middles = (in_units(scale, lower) + in_units(scale, upper)) / 2
    return stated(node, weights, middles, _least(width, beyond), lanes)


def _negligible(size: NDArray[np.float64], width: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which factors add next to nothing to the width of a sum of products, (count, terms, 2): constants that
    the model computes. A plane without them lets rows end there.
    """
    moved = width * size[:, :, ::-1]
    return np.asarray(moved <= _NEGLIGIBLE * moved.sum(axis=(1, 2), keepdims=True))


def tangents(
    scale: ScaleData, node: QuotientData, start: int, lower: Integers, upper: Integers, lanes: int
) -> LinearizationData:
    """Planes that touch quotients x / z at the middle of z and of the results, from slot `start` on."""
    left, right = pairs_of(node).T
    here = slice(start, start + node.count)
    low, high = (in_units(scale, side[here]) for side in (lower, upper))
    least, most = (in_units(scale, side[right]) for side in (lower, upper))
    result, divisor = (low + high) / 2, (least + most) / 2
    weights = np.stack([1.0 / divisor, -result / divisor, result], axis=1)
    width = in_units(scale, upper[left]) - in_units(scale, lower[left])
    beyond = (high - low) * (most - least) / divisor / 4
    middles = (in_units(scale, lower) + in_units(scale, upper)) / 2
    return stated(node, weights, middles, _least(most - least, width, beyond), lanes)


def _least(*widths: NDArray[np.float64]) -> float:
    """The least that is not 0."""
    return min((float(own[own > 0].min()) for own in widths if (own > 0).any()), default=0.0)


def in_units(scale: ScaleData, numbers: Integers) -> NDArray[np.float64]:
    """Fixed-point numbers as the nearest binary64 numbers."""
    return np.asarray((numbers - scale.center) / scale.unit, dtype=np.float64)


def stated(
    node: BilinearData | QuotientData,
    slopes: NDArray[np.float64],
    middles: NDArray[np.float64],
    finest: float,
    lanes: int,
) -> LinearizationData:
    """Rows with about these weights: for each operand, then a constant; (count, entries).

    middles: of each slot's interval, (slots,): constants make up there for what slopes are rounded by.
    finest: the least width of an operand, or of what is to be charged to a row anyway. Raises NotRelaxable
    where a weight is no binary32 number, an entry too long, or there are too many for Lean.
    """
    if not np.isfinite(slopes).all() or np.abs(slopes).max(initial=0.0) > _LARGEST:
        raise NotRelaxable("weights larger than any binary32 number")
    slots = _slots(node)
    largest = float(np.abs(slopes).max(initial=0.0)) or 1.0
    step = max(finest / _SHARE, largest * 2.0**-_WIDEST, 2.0**-_FINEST)
    step = float(2.0 ** np.floor(np.log2(step)))
    distinct = np.unique(slots)
    order = np.concatenate([distinct[distinct != ONE_SLOT], [ONE_SLOT]])
    rank = np.empty(len(distinct), dtype=np.int64)
    rank[np.searchsorted(distinct, order)] = np.arange(len(distinct))
    columns = rank[np.searchsorted(distinct, slots)]
    wanted = np.zeros((node.count, len(order)))
    rows = np.broadcast_to(np.arange(node.count)[:, None], columns.shape)
    np.add.at(wanted, (rows, columns), slopes)
    weights = _rounded(wanted, step)
    wanted[:, -1] -= (weights[:, :-1] - wanted[:, :-1]) @ middles[order[:-1]]
    weights[:, -1:] = _rounded(wanted[:, -1:], step)
    patterns = weights.astype(np.float32).view(np.uint32)
    if not np.isfinite(weights).all():
        raise NotRelaxable("weights larger than any binary32 number")
    decoding = decoding_of(patterns)
    if decoding.bits > _LONGEST_ENTRY:
        raise NotRelaxable("entries longer than their places")
    data = affine_data(patterns, order[None], 1, lanes)
    if slots.size * data.rows * data.columns * 32 * lanes > _MOST_ADDED:
        raise NotRelaxable("more entries than Lean adds up in good time and memory")
    unit = 2.0 ** (decoding.base - 150)
    entries = np.rint(slopes / unit).tolist()
    packed = _entries(entries, integers(patterns, decoding.base), columns, decoding)
    return LinearizationData(data, decoding, packed)


def _rounded(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Multiples of `step`, a power of two, or the nearest numbers of 24 bits where these are longer."""
    coarse = np.rint(values / step) * step
    return np.asarray(coarse.astype(np.float32).astype(np.float64))


def _entries(
    entries: list[list[float]], weights: Integers, columns: NDArray[np.int64], decoding: DecodingData
) -> int:
    """Entries packed, the last of each row and column so that they add up to the weight."""
    offset = 1 << decoding.bits
    packed = bytearray()
    for row in range(len(entries)):
        last = {int(column): place for place, column in enumerate(columns[row])}
        left = {column: int(weights[row, column]) for column in last}
        for place, column in enumerate(columns[row].tolist()):
            own = int(entries[row][place])
            if last[column] == place:
                own = left[column]
            own = min(max(own, -offset), offset)
            left[column] -= own
            packed += column.to_bytes(4, "little") + (own + offset).to_bytes(8, "little")
    return int.from_bytes(bytes(packed), "little")
