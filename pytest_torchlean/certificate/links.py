"""Rows through one node in exact integers: lean/PytestTorchLean/Check/Relaxation's links, one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import ONE_SLOT
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.choosing import choose
from pytest_torchlean.certificate.convolution import (
    arranged,
    convolved,
    needed_at_positions,
    shortened,
    shortening,
)
from pytest_torchlean.certificate.curves import Chain
from pytest_torchlean.certificate.products import product_with, rounded_product
from pytest_torchlean.certificate.reframing import last_width
from pytest_torchlean.certificate.rows import LONGEST, Box, NotRelaxable, PassedNode, Rows, require
from pytest_torchlean.certificate.statement import AffineData, CurveData, ReluData
from pytest_torchlean.certificate.substitution import (
    BendData,
    ChooseData,
    ConvolveData,
    LinkData,
    RelaxationData,
    SettleData,
    SkipData,
    SlideData,
    ThroughData,
)
from pytest_torchlean.certificate.words import factor_of, unpack_digits

DEEPEST = 12
"""Halvings of an interval, and stages, beyond which a link is not followed."""
_LARGEST_WHOLE = 1 << 18
_ONE_TILE = 64

Product = tuple[Integers, int, int, NDArray[np.bool_]]
"""Coefficients of the columns, the run of slots that columns read in increasing order, and which do."""


def follow(box: Box, node: PassedNode, link: LinkData, rows: Rows) -> Rows:
    """The rows behind a link that passes `node`. Raises NotRelaxable."""
    if isinstance(link, SkipData):
        return rows
    require(rows.places is None)
    if isinstance(link, ThroughData):
        return through(box, node, link, rows, product_of(node, rows))
    if isinstance(link, ConvolveData | SettleData):
        rows = convolved(box, node, link.layout, rows)
        if isinstance(link, ConvolveData):
            rows = arranged(link.layout, link.arrangement, rows)
        return shortened(box, rows, link.shift, link.size)
    if isinstance(link, ChooseData):
        return choose(box, node, link, rows)
    if isinstance(link, SlideData):
        return slide(box, node, link, rows)
    if not isinstance(link, BendData):
        raise NotRelaxable("a link that passes no node")
    return bend(box, node, link, rows)


def product_of(node: PassedNode, rows: Rows) -> Product:
    """The rows times the weights of an affine node. Raises NotRelaxable."""
    data, matrix = node.node, node.matrix
    if not isinstance(data, AffineData) or matrix is None or data.positions != 1:
        raise NotRelaxable("a node with several positions")
    if rows.start != node.start or rows.count != data.rows:
        raise NotRelaxable("a node that is read in part")
    sources = matrix.sources[0]
    # columns of zeros need no place: what rows do not read they need not go back to
    placed = (sources > ONE_SLOT) & matrix.read
    table = product_with(rows.form, matrix.limbs)
    if not placed.any() or not table[:, placed].any():
        # constants are replaced by their bounds; the rows go on with a slot that they do not read
        return table, node.start - 1, 1, np.zeros_like(placed)
    first = int(sources[placed].min())
    count = int(sources[placed].max()) - first + 1
    reached = -1
    for column in np.flatnonzero(placed):
        placed[column] = sources[column] > reached
        reached = max(reached, int(sources[column]))
    return table, first, count, placed


def chosen_link(product: Product, most: int) -> ThroughData:
    table, first, count, placed = product
    return ThroughData(first, count, *shortening(table[:, placed], most))


def through(
    box: Box,
    node: PassedNode,
    link: ThroughData,
    rows: Rows,
    product: Product,
    factor: int | None = None,
) -> Rows:
    """The rows over what an affine node reads; `factor` times its results are its decoded rows."""
    table, _, _, placed = product
    data, matrix = node.node, node.matrix
    if not isinstance(data, AffineData) or matrix is None:
        raise NotRelaxable("a link of another kind of node")
    scale, sources = box.scale, matrix.sources[0]
    first, count = link.first, link.count
    require(int(sources.max(initial=0)) < len(box.lower))
    require(0 <= first <= first + count <= len(box.lower) and max(link.shift, link.size) <= LONGEST)
    whole = _is_whole(data, sources, first, count)
    if whole:
        placed = np.arange(data.columns) < count
    placed = placed & (first <= sources) & (sources < first + count)
    if factor is None:
        factor = factor_of(data.divisor, node.decoding)
    gain, loss = factor * rows.gain, factor * rows.loss
    if node.error is not None and node.error.any():
        loss = loss + rows.weight * _charged(data, rows, node.error, whole=whole)
    form = np.zeros((len(table), count), dtype=object)
    form[:, sources[placed] - first] = table[:, placed]
    for column in np.flatnonzero(~placed & (table != 0).any(axis=0)):
        values = table[:, column]
        low, mirrored = box.lower[sources[column]], scale.top - box.upper[sources[column]]
        gain = gain + rows.weight * (low * np.maximum(values, 0) + mirrored * np.maximum(-values, 0))
        loss = loss + rows.weight * scale.center * np.abs(values)
    require(rows.size < rows.digit <= 32 * data.lanes and link.size < rows.digit and link.shift <= rows.digit)
    limit = factor * rows.limit
    if whole:
        require(rows.digit >= bits_needed(node, rows.size))
        limit += rows.weight * data.rows << (rows.size + 2 + 32 * data.lanes)
        limit += ((data.columns - count) * rows.weight << rows.digit) * scale.top
        width = max(data.columns, data.rows if data.rows <= _ONE_TILE else _tiled(data.rows, 32))
    else:
        step = 3 * data.rows << (rows.size + node.decoding.bits)
        require(rows.digit > step.bit_length())
        limit += rows.weight * data.columns * step * 2 * scale.top
        limit += rows.weight * data.rows << (rows.size + 1 + 32 * data.lanes)
        width = _tiled(data.rows, 32)
    substituted = Rows(
        scale=factor * rows.scale,
        weight=rows.weight,
        limit=limit,
        start=first,
        size=0,
        form=form,
        gain=gain,
        loss=loss,
        digit=rows.digit,
        width=max(rows.width, count, width),
    )
    return shortened(box, substituted, link.shift, link.size)


def bend(box: Box, node: PassedNode, link: BendData, rows: Rows) -> Rows:
    relu = node.node
    if not isinstance(relu, ReluData) or rows.start != node.start or rows.count != relu.count:
        raise NotRelaxable("a ReLU that is read in part")
    require(link.bits <= LONGEST and max(link.lower, link.upper) >> (link.bits + 1) * relu.count == 0)
    lowest, highest = (
        np.array(unpack_digits(part, link.bits + 1, relu.count), dtype=object)
        for part in (link.lower, link.upper)
    )
    unit = 1 << link.bits
    if (lowest > unit).any() or (highest > unit).any():
        raise NotRelaxable("a slope above 1")
    down, up = box.reaches(slice(relu.first, relu.first + relu.count))
    offsets = np.maximum(highest * down, (unit - highest) * up)
    positive, negative = np.maximum(rows.form, 0), np.maximum(-rows.form, 0)
    size = rows.size + link.bits + 1
    room = relu.count << (rows.size + 2 * box.scale.half + 1)
    require(size < rows.digit and link.bits + 2 <= rows.digit)
    offset = rounded(box, rows, negative, offsets, up=True)
    return replace(
        rows,
        scale=unit * rows.scale,
        limit=unit * rows.limit + rows.weight * room,
        start=relu.first,
        size=size,
        form=positive * lowest - negative * highest,
        gain=unit * rows.gain,
        loss=unit * rows.loss + rows.weight * offset,
        width=max(rows.width, relu.count),
    )


def slide(box: Box, node: PassedNode, link: SlideData, rows: Rows) -> Rows:
    """Rows through a smooth activation: Check.Relaxation.slideCurve."""
    curve, scale = node.node, box.scale
    if not isinstance(curve, CurveData) or rows.start != node.start or rows.count != curve.count:
        raise NotRelaxable("a smooth activation that is read in part")
    require(max(link.bits, link.size, link.precision) <= LONGEST and link.depth <= DEEPEST)
    require(link.slopes >> 2 * link.size * curve.count == 0 and link.stages <= DEEPEST)
    chain = Chain(scale, link.stages, link.precision)
    unit, span = 1 << link.bits, 1 << link.size
    raised = (unit + span) * scale.center
    stride = 1 << 2 * scale.half
    require((chain.fits or curve.function.fused) and link.size < rows.digit and raised <= stride)
    require(rows.count << (rows.size + 1) < 1 << rows.digit)
    digits = unpack_digits(link.slopes, link.size, 2 * curve.count)
    low, mirrored = np.zeros(curve.count, dtype=object), np.zeros(curve.count, dtype=object)
    for place, (rise, fall) in enumerate(zip(digits[: curve.count], digits[curve.count :], strict=True)):
        slot = curve.first + place
        own = chain.residual(
            curve.function, unit, rise, fall, link.depth, int(box.lower[slot]), int(box.upper[slot])
        )
        if own is None:
            raise NotRelaxable("a smooth activation that is not bounded")
        require(rise + fall <= span)
        low[place] = own[0] + (span - rise - fall) * scale.center
        mirrored[place] = (2 * unit + rise + fall + span) * scale.center - own[1]
        require(0 <= mirrored[place] < stride and low[place] < stride)
    rises, falls = (np.array(part, dtype=object) for part in (digits[: curve.count], digits[curve.count :]))
    positive, negative = np.maximum(rows.form, 0), np.maximum(-rows.form, 0)
    least = rounded(box, rows, positive, low) + rounded(box, rows, negative, mirrored)
    mass = (positive + negative).sum(axis=1)
    return replace(
        rows,
        scale=unit * rows.scale,
        limit=unit * rows.limit + (rows.weight * rows.count << (rows.size + 1 + 2 * scale.half)),
        start=curve.first,
        size=rows.size + link.size,
        form=rows.form * (rises - falls),
        gain=unit * rows.gain + rows.weight * least,
        loss=unit * rows.loss + rows.weight * raised * mass,
        width=max(rows.width, rows.count),
    )


def rounded(box: Box, rows: Rows, part: Integers, numbers: Integers, *, up: bool = False) -> Integers:
    """A row's sums of products with numbers of slots. Raises NotRelaxable where the digits are too short."""
    found = rounded_product(part, numbers, rows.size, rows.digit, 2 * box.scale.half, up=up)
    if found is None:
        raise NotRelaxable("digits too short for a row's sum")
    return found


def width_for(box: Box, rows: Rows) -> int:
    """Digits of a row."""
    most = rows.limit + (rows.weight * rows.count << (rows.size + 1)) * box.scale.top
    return max(rows.width, -(-most.bit_length() // rows.digit))


def fits_frame(box: Box, rows: Rows, data: RelaxationData) -> bool:
    """Whether a relaxation's frame is large enough, and not much larger: Lean would run out of its stack."""
    width, last = width_for(box, rows), last_width(data.width, data.links)
    first = width_for(box, replace(rows, width=0))
    return data.digit % 2 == 0 and first <= data.width and width <= last <= 4 * width + 64


def bits_needed(node: PassedNode, size: int) -> int:
    """Bits of a digit that an affine node asks of coefficients of `size` bits."""
    if isinstance(node.node, AffineData) and node.node.positions != 1:
        return needed_at_positions(node.node, size + node.decoding.bits)
    rows = node.node.rows if isinstance(node.node, AffineData) else 1
    return int((2 * rows << (size + node.decoding.bits)).bit_length()) + 2


def _is_whole(data: AffineData, sources: NDArray[np.int64], first: int, count: int) -> bool:
    """Whether the first columns read just the run and one number holds a lane: Relaxation.substitute."""
    if count > len(sources) or data.rows * data.lane_columns * data.lanes > _LARGEST_WHOLE:
        return False
    return bool((sources[:count] == first + np.arange(count)).all())


def _charged(data: AffineData, rows: Rows, error: Integers, *, whole: bool) -> Integers:
    """What the node's rounding errors amount to in every row."""
    sizes = np.abs(rows.form)
    if not whole:
        return np.asarray(sizes @ error, dtype=object)
    found = rounded_product(sizes, error, rows.size + 1, rows.digit, 32 * data.lanes, up=True)
    if found is None:
        raise NotRelaxable("digits too short for a row's errors")
    return found


def _tiled(columns: int, most: int) -> int:
    """Columns with room for whole tiles, which Lean multiplies at once."""
    tiles = -(-columns // most)
    return tiles * -(-columns // tiles)
