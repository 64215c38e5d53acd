"""Forms carried through every part of a box that is cut: the smallest row, as Lean bounds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.certificate import forward_words
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.concluding import Unforeseen
from pytest_torchlean.certificate.forward import Layers, prepared, property_rows
from pytest_torchlean.certificate.forward_words import InWords, TooLong, in_words
from pytest_torchlean.certificate.model import CutData, CutsData, ForwardData, LeafData, ScaleData
from pytest_torchlean.certificate.rows import Box, PassedNode
from pytest_torchlean.certificate.statement import PropertyData

_PARTS, _PARTS_IN_WORDS = 128, 32
"""Parts bounded at once."""
_CALLS = 4
"""How many times so many, where an executor takes them."""


def parts_of(cuts: CutsData, low: Integers, high: Integers) -> Iterator[tuple[Integers, Integers]]:
    """The parts of a box, the lower case of each cut first."""
    pending = [(cuts, low, high)]
    while pending:
        node, low, high = pending.pop()
        if not isinstance(node, CutData):
            yield low, high
            continue
        below, above = high.copy(), low.copy()
        if node.input < len(low):
            below[node.input] = above[node.input] = node.value
        pending += [(node.above, above, high), (node.below, low, below)]


def least(
    box: Box,
    history: Sequence[PassedNode],
    about: PropertyData,
    how: ForwardData,
    budget: Budget = UNLIMITED,
) -> int:
    """The smallest clause's largest row on any part, scaled, as Lean bounds it.

    Raises Unforeseen where Lean refuses whatever the bounds are, OutOfTime.
    """
    ready = prepared(box, history, about, how)
    scale = box.scale
    if 1 << how.fraction > scale.center or about.alternatives < 1:
        raise Unforeseen("coefficients without room")
    smallest: list[int] = []
    parts = list(parts_of(how.cuts, ready.low, ready.high))
    uncut = replace(how, cuts=LeafData())
    words = in_words(scale, ready, how)
    together = _PARTS if words is None else _PARTS_IN_WORDS
    for start in range(0, len(parts), together * _CALLS):
        budget.spend()
        calls = []
        for first in range(start, min(start + together * _CALLS, len(parts)), together):
            some = parts[first : first + together]
            low, high = (np.stack([part[side] for part in some], axis=1) for side in (0, 1))
            calls.append((scale, ready, words, uncut, about.alternatives, low, high))
        smallest += budget.each(_least, calls)
    return min(smallest)


def _least(
    scale: ScaleData,
    ready: Layers,
    words: InWords | None,
    how: ForwardData,
    alternatives: int,
    low: Integers,
    high: Integers,
) -> int:
    """The smallest clause's largest row on some parts. Raises Unforeseen."""
    rows = _rows(scale, ready, words, how, low, high)
    groups = range(0, len(rows), alternatives)
    clauses = [rows[place : place + alternatives].max(axis=0) for place in groups]
    return int(np.min(clauses)) if clauses else 1


def _rows(
    scale: ScaleData, ready: Layers, words: InWords | None, how: ForwardData, low: Integers, high: Integers
) -> Integers:
    """The rows of the property on some parts, in words where they fit. Raises Unforeseen."""
    if words is not None:
        try:
            return forward_words.property_rows(scale, words, how, low, high)
        except TooLong:
            pass
    return property_rows(scale, ready, how, low, high)
