"""Rows through a maximum or a minimum of two slots in exact integers: Check/Relaxation/Choose.

A result's coefficient is spread over the two slots that it reads. What a row loses by the line above a
maximum or below a minimum is computed from the bounds of these. Slots that hold constants, such as those of a
Clip, are replaced by their bounds at once, so that the rows go on with a short run of slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import ONE_SLOT
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.convolution import shortened, shortening
from pytest_torchlean.certificate.rows import (
    LONGEST,
    Box,
    NotRelaxable,
    PassedNode,
    Rows,
    Slopes,
    require,
    size_of,
)
from pytest_torchlean.certificate.statement import MaximumData, MinimumData, NodeData
from pytest_torchlean.certificate.substitution import ChooseData
from pytest_torchlean.certificate.words import pack_digits, unpack_digits, unpack_words


def choose(box: Box, node: PassedNode, link: ChooseData, rows: Rows) -> Rows:
    """The rows over what a maximum or a minimum reads. Raises NotRelaxable."""
    return shortened(box, _chosen(box, node, link, rows), link.shift, link.size)


def chosen_choice(
    box: Box, earlier: Sequence[PassedNode], node: PassedNode, slopes: Slopes, rows: Rows, most: int
) -> tuple[ChooseData, Rows]:
    """The link through a maximum or a minimum, and the rows behind it. Raises NotRelaxable."""
    sources = sources_of_choice(node.node)
    lower, upper = (pack_digits(part.tolist(), slopes.bits + 1) for part in (slopes.lower, slopes.upper))
    read = np.unique(sources)
    open_slots = read[~_constant(earlier, read)]
    if not open_slots.size:
        raise NotRelaxable("a choice between constants")
    first = int(open_slots[0])
    link = ChooseData(slopes.bits, lower, upper, first, int(open_slots[-1]) + 1 - first, 0, 0)
    made = _chosen(box, node, link, rows)
    shift, size = shortening(made.form, most)
    link = replace(link, shift=shift, size=size)
    return link, shortened(box, made, shift, size)


def sources_of_choice(data: NodeData) -> NDArray[np.int64]:
    """The two slots of every result, (results, 2). Raises NotRelaxable for another kind of node."""
    if not isinstance(data, MaximumData | MinimumData):
        raise NotRelaxable("a link of another kind of node")
    return unpack_words(data.sources, 2 * data.count).astype(np.int64).reshape(-1, 2)


def holds_constants(passed: PassedNode) -> bool:
    """Whether a node reads nothing but slots 0 and 1."""
    return passed.matrix is not None and int(passed.matrix.sources.max(initial=0)) <= ONE_SLOT


def bits_of_choice(count: int, bits: int) -> int:
    """By how many bits coefficients grow at most."""
    return bits + (3 * count).bit_length()


def _chosen(box: Box, node: PassedNode, link: ChooseData, rows: Rows) -> Rows:
    sources, maximum = sources_of_choice(node.node), isinstance(node.node, MaximumData)
    n, scale = len(sources), box.scale
    if rows.start != node.start or rows.count != n:
        raise NotRelaxable("a choice that is read in part")
    require(rows.places is None and max(link.bits, link.shift, link.size) <= LONGEST)
    require(max(link.lower, link.upper) >> (link.bits + 1) * n == 0)
    low, high = (
        np.array(unpack_digits(part, link.bits + 1, n), dtype=object) for part in (link.lower, link.upper)
    )
    unit = 1 << link.bits
    if (low > unit).any() or (high > unit).any():
        raise NotRelaxable("a slope above 1")
    require(int(sources.max()) < len(box.lower) and link.first + link.count <= len(box.lower))
    size = rows.size + bits_of_choice(n, link.bits)
    require(rows.size < rows.digit and size < rows.digit)
    positive, negative = np.maximum(rows.form, 0), np.maximum(-rows.form, 0)
    form = np.zeros((len(rows.form), link.count), dtype=object)
    gain, loss = unit * rows.gain, unit * rows.loss
    for side, (more, fewer) in enumerate(((low, high), (unit - low, unit - high))):
        slots, raised, lowered = sources[:, side], positive * more, negative * fewer
        inside = (link.first <= slots) & (slots < link.first + link.count)
        np.add.at(form.T, slots[inside] - link.first, (raised - lowered).T[inside])
        known = slots[~inside]
        least = raised[:, ~inside] @ box.lower[known] + lowered[:, ~inside] @ (scale.top - box.upper[known])
        gain = gain + rows.weight * least
        loss = loss + rows.weight * scale.center * (raised + lowered)[:, ~inside].sum(axis=1)
    offsets = _offsets(box, sources, high if maximum else unit - low, unit)
    loss = loss + rows.weight * ((negative if maximum else positive) @ offsets)
    return replace(
        rows,
        scale=unit * rows.scale,
        limit=unit * rows.limit + rows.weight * (6 * n * unit << rows.size) * scale.top,
        start=link.first,
        size=size,
        form=form,
        gain=gain,
        loss=loss,
        width=max(rows.width, link.count, n),
    )


def _offsets(box: Box, sources: NDArray[np.int64], slope: Integers, unit: int) -> Integers:
    """What the lines above maxima or below minima lack at most; slope: of the first slot above, or of the
    second one below."""
    left, right = sources[:, 0], sources[:, 1]
    down = np.maximum(box.upper[right] - box.lower[left], 0)
    up = np.maximum(box.upper[left] - box.lower[right], 0)
    offsets: Integers = np.maximum(slope * down, (unit - slope) * up)
    return offsets


def _constant(earlier: Sequence[PassedNode], slots: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which slots have been written by nodes that read nothing but slots 0 and 1."""
    found = slots <= ONE_SLOT
    for passed in earlier:
        if holds_constants(passed):
            found |= (passed.start <= slots) & (slots < passed.start + size_of(passed.node))
    return found
