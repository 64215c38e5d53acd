"""Rows back through nodes with several positions, in integers: Check.Relaxation.Convolve and Arrange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import ONE_SLOT
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.layouts import STEADY, Layout, arrangement_of, layout_of
from pytest_torchlean.certificate.products import exact_product
from pytest_torchlean.certificate.rows import LONGEST, Box, NotRelaxable, PassedNode, Rows, require, size_of
from pytest_torchlean.certificate.statement import AffineData
from pytest_torchlean.certificate.substitution import (
    ArrangementData,
    ConvolveData,
    LayoutData,
    LinkData,
    SettleData,
)
from pytest_torchlean.certificate.words import factor_of, pack_words, unpack_words


def layout_data(layout: Layout, node: PassedNode) -> LayoutData:
    """The layout as the certificate states it, with the largest error radius of the node's results."""
    radius = 0 if node.error is None else int(max(node.error, default=0))
    places, shifts = (pack_words(part.astype(np.int64)) for part in (layout.places, layout.shifts))
    return LayoutData(len(layout.places), places, shifts, radius)


def convolved(box: Box, node: PassedNode, data: LayoutData, rows: Rows) -> Rows:
    """The rows over the places of what an affine node with several positions reads. Raises NotRelaxable."""
    affine, matrix, top = node.node, node.matrix, box.scale.top
    if not isinstance(affine, AffineData) or matrix is None or rows.places is not None:
        raise NotRelaxable("a link of another kind of node")
    results = affine.rows * affine.positions
    if rows.start != node.start or rows.count != results:
        raise NotRelaxable("a node that is read in part")
    places, shifts = _words(data, affine)
    require(int(places.max(initial=0)) < len(box.lower))
    require(int(matrix.sources.max(initial=0)) < len(box.lower))
    digit = 32 * affine.lanes
    errors = [0] if node.error is None else [int(radius) for radius in node.error]
    require(data.radius.bit_length() < digit and max(errors) <= data.radius)
    weights = matrix.positive - matrix.negative
    shape = (len(rows.form), affine.positions, affine.columns)
    table = exact_product(rows.form.reshape(-1, affine.rows), weights).reshape(shape)
    factor = factor_of(affine.divisor, node.decoding)
    mass = np.abs(rows.form).sum(axis=1)
    gain, loss = factor * rows.gain, factor * rows.loss + rows.weight * (data.radius * mass)
    form = np.zeros((len(rows.form), data.count), dtype=object)
    steps = affine.rows * np.arange(affine.positions)
    for column, shift in enumerate(shifts.tolist()):
        sources = matrix.sources[:, column]
        if shift == STEADY:
            slot, total = int(sources[0]), table[:, :, column].sum(axis=1)
            require(bool((sources == slot).all()))
            positive, negative = np.maximum(total, 0), np.maximum(-total, 0)
            gain = gain + rows.weight * (box.lower[slot] * positive + (top - box.upper[slot]) * negative)
            loss = loss + rows.weight * box.scale.center * (positive + negative)
            continue
        require(shift + results <= data.count)
        inside = np.flatnonzero(sources)
        here = steps[inside] + shift
        require(bool((places[here] == sources[inside]).all()))
        form[:, here] += table[:, inside, column]
    step = 3 * results << (rows.size + node.decoding.bits)
    require(needed_at_positions(affine, rows.size + node.decoding.bits) <= rows.digit <= digit)
    require(rows.size < rows.digit)
    limit = factor * rows.limit + rows.weight * data.radius * (results << (rows.size + 1))
    return Rows(
        scale=factor * rows.scale,
        weight=rows.weight,
        limit=limit + affine.columns * rows.weight * step * 2 * top,
        start=0,
        size=0,
        form=form,
        gain=gain,
        loss=loss,
        digit=rows.digit,
        width=max(rows.width, results, data.count),
        places=places,
    )


def needed_at_positions(affine: AffineData, size: int) -> int:
    """Bits of a digit that a node with several positions asks of products of `size` bits."""
    most = 3 * affine.rows * max(affine.positions, affine.columns)
    return (most << size).bit_length() + 1


def arranged(data: LayoutData, arrangement: ArrangementData, rows: Rows) -> Rows:
    """Rows over places as rows over consecutive slots. Raises NotRelaxable."""
    require(
        arrangement.count <= 4 * data.count + 4 and arrangement.blocks.bit_length() <= 96 * arrangement.count
    )
    places = rows.places if rows.places is not None else np.zeros(0, dtype=np.int64)
    blocks = unpack_words(arrangement.blocks, 3 * arrangement.count).astype(np.int64).reshape(-1, 3)
    covered = np.zeros(len(places), dtype=bool)
    pieces: list[Integers] = []
    cursor = 0
    for gap, start, length in blocks.tolist():
        require(start + length <= len(places) and cursor + gap + length <= 1 << 24)
        here = slice(start, start + length)
        require(not covered[here].any())
        wanted = arrangement.first + cursor + gap + np.arange(length)
        require(bool((places[here] == wanted).all()))
        covered[here] = True
        pieces += [np.zeros((len(rows.form), gap), dtype=object), rows.form[:, here]]
        cursor += gap + length
    require(not places[~covered].any())
    form = np.concatenate([np.zeros((len(rows.form), 0), dtype=object), *pieces], axis=1)
    return replace(rows, start=arrangement.first, form=form, width=max(rows.width, cursor), places=None)


def shortened(box: Box, rows: Rows, shift: int, size: int) -> Rows:
    """Coefficients divided by 2^shift, the rest charged: Check.Relaxation.reduce. Raises NotRelaxable."""
    require(max(shift, size) <= LONGEST and rows.start >= 0)
    require(rows.places is not None or rows.start + rows.count <= len(box.lower))
    require(size < rows.digit and shift <= rows.digit)
    form = np.where(rows.form < 0, -1, 1) * (np.abs(rows.form) >> shift)
    if int(np.abs(form).max(initial=0)).bit_length() > size:
        raise NotRelaxable("coefficients longer than the link says")
    weight = rows.weight << shift
    down, up = box.reaches(rows.slots)
    charge = (weight - rows.weight) * int((down + up).sum())
    limit = rows.limit + charge
    return replace(rows, form=form, weight=weight, size=size, loss=rows.loss + charge, limit=limit)


def chosen_layout(
    box: Box, earlier: Sequence[PassedNode], node: PassedNode, rows: Rows, most: int, *, settle: bool = True
) -> tuple[LinkData, Rows]:
    """Through a convolution: on to the nodes that it reads, or (`settle`) to the bounds of what it reads."""
    layout = layout_of(node.node) if isinstance(node.node, AffineData) else None
    if layout is None:
        raise NotRelaxable("slots that find no places")
    data = layout_data(layout, node)
    rows = convolved(box, node, data, rows)
    shift, size = shortening(rows.form, most)
    read = layout.places[layout.places > ONE_SLOT]
    if read.size:
        first, last = int(read.min()), int(read.max())
        for other in earlier:
            here, end = other.start, other.start + size_of(other.node)
            first = here if here <= first < end else first
            last = end - 1 if here <= last < end else last
        arrangement = arrangement_of(layout, first, last + 1 - first) if earlier or not settle else None
        if arrangement is not None:
            rows = shortened(box, arranged(data, arrangement, rows), shift, size)
            return ConvolveData(data, arrangement, shift, size), rows
    if not settle:
        raise NotRelaxable("a node behind which nothing can wait")
    return SettleData(data, shift, size), shortened(box, rows, shift, size)


def shortening(table: Integers, most: int) -> tuple[int, int]:
    """By how many bits coefficients are shortened, and how many they keep."""
    longest = int(np.abs(table).max(initial=0)).bit_length()
    shift = max(0, longest - most)
    return shift, max(1, longest - shift)


def _words(data: LayoutData, affine: AffineData) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    require(data.count <= 64 * (affine.rows + affine.columns) * affine.positions)
    require(data.places.bit_length() <= 32 * data.count and data.shifts.bit_length() <= 32 * affine.columns)
    places = unpack_words(data.places, data.count).astype(np.int64)
    return places, unpack_words(data.shifts, affine.columns).astype(np.int64)
