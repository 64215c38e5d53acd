"""Rows through a ReLU of two copies, differences first, in exact integers: Check/Relaxation/Pair.

Of a row that holds a multiple of y' - y, the results of the two copies, this part is replaced by a line over
x' - x, what they read; the rest goes through the ReLUs one by one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.products import rounded_product
from pytest_torchlean.certificate.rows import Box, Difference, NotRelaxable, PassedNode, Rows, require
from pytest_torchlean.certificate.statement import ReluData
from pytest_torchlean.certificate.substitution import PairData
from pytest_torchlean.certificate.words import pack_digits, unpack_digits

SLOPE_BITS = 8


def paired(box: Box, node: PassedNode, link: PairData, rows: Rows) -> tuple[Rows, Rows]:
    """The rows that go on, over the node's results, and those that wait, over what it reads."""
    relu = node.node
    if not isinstance(relu, ReluData) or rows.start != node.start or rows.count != relu.count:
        raise NotRelaxable("a ReLU that is read in part")
    require(rows.places is None and 0 <= link.fact < len(box.differences))
    fact, half = box.differences[link.fact], box.scale.half
    count, left, right = fact.count, fact.left - relu.first, fact.right - relu.first
    require(left >= 0 and left + count <= right and right + count <= relu.count)
    require(half + link.bits + 2 <= 2 * half and link.bits + 2 <= rows.digit and rows.size < rows.digit)
    require(link.slopes >> (link.bits + 1) * count == 0 and link.chosen >> count == 0)
    unit = 1 << link.bits
    slopes = np.array(unpack_digits(link.slopes, link.bits + 1, count), dtype=object)
    require(bool((slopes <= unit).all()))
    risen, fallen = _parts(rows, left, right, count, unpack_digits(link.chosen, 1, count))
    offsets = _offsets(box, fact, slopes, unit)
    charge = rounded_product(risen + fallen, offsets, rows.size + 1, rows.digit, 2 * half, up=True)
    if charge is None:
        raise NotRelaxable("digits too short for a row's sum")
    here, there = slice(right, right + count), slice(left, left + count)
    form = rows.form.copy()
    form[:, here] += fallen - risen
    form[:, there] += risen - fallen
    lines = np.zeros_like(form)
    lines[:, here] = risen * (unit - slopes) - fallen * slopes
    lines[:, there] = -lines[:, here]
    room = count << (rows.size + 1 + 2 * half + 1)
    own = replace(
        rows,
        scale=1,
        weight=unit * rows.weight,
        limit=unit * rows.limit + rows.weight * room,
        form=form,
        gain=unit * rows.gain,
        loss=unit * rows.loss + rows.weight * charge,
    )
    scale, size = unit * rows.scale, rows.size + link.bits + 2
    return own, replace(rows, scale=scale, start=relu.first, size=size, form=lines)


def chosen_pairs(box: Box, node: PassedNode, rows: Rows) -> list[PairData]:
    """A link for each run of differences that the rows hold and that is narrow enough to be used."""
    relu, links = node.node, []
    assert isinstance(relu, ReluData)
    for number, fact in enumerate(box.differences):
        left, right, count = fact.left - relu.first, fact.right - relu.first, fact.count
        if not 0 <= left <= left + count <= right <= relu.count - count:
            continue
        chosen = closer(box, fact)
        risen, fallen = _parts(rows, left, right, count, chosen.astype(int).tolist())
        if not (risen.any() or fallen.any()):
            continue
        down, up = _reaches(box, fact)
        unit = 1 << SLOPE_BITS
        slopes = [-(-u * unit // max(1, u + d)) for d, u in zip(down.tolist(), up.tolist(), strict=True)]
        bits = pack_digits(chosen.astype(int).tolist(), 1)
        links.append(PairData(number, SLOPE_BITS, pack_digits(slopes, SLOPE_BITS + 1), bits))
    return links


def closer(box: Box, fact: Difference) -> NDArray[np.bool_]:
    """Where a difference keeps its sign or is narrower than the values, and its ReLUs are undecided."""
    center, undecided = box.scale.center, np.zeros(fact.count, dtype=bool)
    widest = np.zeros(fact.count, dtype=object)
    for first in (fact.left, fact.right):
        low, high = box.lower[first : first + fact.count], box.upper[first : first + fact.count]
        undecided |= ((low < center) & (high > center)).astype(bool)
        widest = np.maximum(widest, high - low)
    down, up = _reaches(box, fact)
    signed = (fact.low >= box.scale.top) | (fact.high >= box.scale.top)
    return np.asarray(undecided & (signed | (down + up <= widest)).astype(bool))


def _parts(rows: Rows, left: int, right: int, count: int, chosen: list[int]) -> tuple[Integers, Integers]:
    """What the rows hold of y' - y, and of y - y', place by place."""
    later, earlier = rows.form[:, right : right + count], rows.form[:, left : left + count]
    mask = np.array(chosen, dtype=object)
    risen = np.minimum(np.maximum(later, 0) * mask, np.maximum(-earlier, 0))
    fallen = np.minimum(np.maximum(-later, 0) * mask, np.maximum(earlier, 0))
    return risen, fallen


def _reaches(box: Box, fact: Difference) -> tuple[Integers, Integers]:
    top = box.scale.top
    return np.maximum(top - fact.low, 0), np.maximum(top - fact.high, 0)


def _offsets(box: Box, fact: Difference, slopes: Integers, unit: int) -> Integers:
    down, up = _reaches(box, fact)
    offsets: Integers = np.maximum(slopes * down, (unit - slopes) * up)
    return offsets
