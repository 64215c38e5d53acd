"""Where the slots that a convolution reads are put, so that each column's coefficients move by one shift.

A layout gives every slot that an affine node with several positions reads a place: column k reads at
position p what is in place `rows * p + shift[k]`. Any layout will do; Lean looks every slot up. A good one
has few places and long blocks of slots that follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.statement import AffineData
from pytest_torchlean.certificate.substitution import ArrangementData
from pytest_torchlean.certificate.words import pack_words, sources_of

STEADY = (1 << 32) - 1
"""The shift of a column that reads the same slot at every position."""
_FARTHEST = 4
"""Shifts by more than so many times the positions find no room."""
MOST_BLOCKS = 4096
"""Blocks of places that are moved back to their slots."""

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Layout:
    """places: the slot in each place, 0 for none. shifts: one for each column. unique: no slot is in two."""

    places: Index
    shifts: Index
    unique: bool


@lru_cache(maxsize=64)
def layout_of(node: AffineData) -> Layout | None:
    """A layout for a node with several positions; None where a column's slots find no places."""
    sources = sources_of(node)
    steady = (sources == sources[:1]).all(axis=0) & (sources[0] > 0)
    # a line of a square image and one more; that of another image may be longer
    usual = 2 * isqrt(node.positions) + 2
    found = _laid(node, sources, steady, usual)
    reach = _reach(sources[:, ~steady])
    if (found is None or not found.unique) and usual < reach <= _FARTHEST * node.positions:
        wider = _laid(node, sources, steady, reach)
        return found if wider is None or not wider.unique else wider
    return found


def _reach(sources: Index) -> int:
    """By how many positions the columns read at one position lie apart at most, and one more."""
    if not sources.size or len(sources) < 2:
        return 0
    steps = np.abs(np.diff(sources, axis=0))
    step = int(np.median(steps[steps > 0])) if (steps > 0).any() else 1
    least = np.where(sources > 0, sources, sources.max()).min(axis=1)
    return int((sources.max(axis=1) - least).max()) // step + 2


def _laid(node: AffineData, sources: Index, steady: NDArray[np.bool_], apart: int) -> Layout | None:
    """A layout where a channel's places have room for shifts by `apart` positions."""
    board = _Board(node.rows, sources, apart)
    shifts = np.zeros(node.columns, dtype=np.int64)
    middle = np.abs(np.arange(len(sources)) - len(sources) // 2)
    order = sorted(np.flatnonzero(~steady), key=lambda column: _rank(sources[:, column], middle))
    for column in order:
        shift = board.put(sources[:, column])
        if shift is None:
            return None
        shifts[column] = shift
    return board.finished(shifts, steady)


def _rank(sources: Index, middle: Index) -> tuple[int, int]:
    """Columns that are padding nowhere first, then by what they read in the middle."""
    inside = np.flatnonzero(sources)
    if not inside.size:
        return (sources.size, 0)
    place = inside[middle[inside].argmin()]
    return (int(sources.size - inside.size > sources.size // 2), int(sources[place]))


class _Board:
    """Slots in places, while columns are added one after the other."""

    def __init__(self, rows: int, sources: Index, apart: int) -> None:
        positions, columns = sources.shape
        self._step = rows * np.arange(positions)
        self._rows = rows
        self._margin = rows * positions
        self._sheet = rows * (positions + apart)
        self._sheets = columns // max(1, rows) + 2
        self._at = np.zeros(self._sheet * self._sheets + 2 * self._margin, dtype=np.int64)
        self._place = np.full(int(sources.max(initial=0)) + 1 + rows, -1, dtype=np.int64)
        self._first = int(sources[sources > 0].min(initial=0))
        self.unique = True

    def put(self, sources: Index) -> int | None:
        """Places for what a column reads; the shift that it gets."""
        inside = np.flatnonzero(sources)
        if not inside.size:
            return 0
        steps, slots = self._step[inside], sources[inside]
        for unique in (True, False):
            for shift in self._candidates(steps, slots):
                places = steps + shift + self._margin
                if places.min() < 0 or places.max() >= self._at.size:
                    continue
                held, known = self._at[places], self._place[slots]
                if not ((held == 0) | (held == slots)).all():
                    continue
                if unique and not ((known < 0) | (known == places)).all():
                    continue
                if not unique and np.unique(slots).size != slots.size:
                    self.unique = False
                self.unique &= unique
                self._at[places] = slots
                self._place[slots] = places
                return shift
        return None

    def _candidates(self, steps: Index, slots: Index) -> Iterator[int]:
        for pick in (slots.size // 2, 0, slots.size - 1):
            slot, step = int(slots[pick]), int(steps[pick]) + self._margin
            for distance in range(self._rows):
                for other in (slot - distance, slot + distance):
                    if other > 0 and self._place[other] >= 0:
                        yield int(self._place[other]) + slot - other - step
        residue = int(slots[0] - self._first - steps[0]) % self._rows
        for start in range(0, self._sheets * self._sheet, self._sheet):
            yield from (start + (residue + offset) % self._rows for offset in range(self._rows))

    def finished(self, shifts: Index, steady: NDArray[np.bool_]) -> Layout | None:
        moved = shifts[~steady]
        low = int(moved.min(initial=0))
        high = int(moved.max(initial=0)) + self._margin
        used = np.zeros(high - low, dtype=np.int64)
        held = self._at[self._margin + low : self._margin + high]
        used[: held.size] = held
        return Layout(used, np.where(steady, STEADY, shifts - low), self.unique)


def arrangement_of(layout: Layout, first: int, count: int) -> ArrangementData | None:
    """The blocks that bring a layout's places back to the slots `first`, ..., `first + count - 1`.

    None where a slot lies elsewhere or has two places, and where the blocks are too many.
    """
    places = np.flatnonzero(layout.places)
    order = np.argsort(layout.places[places], kind="stable")
    places, slots = places[order], layout.places[places][order]
    if not layout.unique or not slots.size or slots[0] < first or slots[-1] >= first + count:
        return None
    breaks = np.flatnonzero((np.diff(slots) != 1) | (np.diff(places) != 1)) + 1
    starts = np.concatenate([[0], breaks])
    lengths = np.diff(np.concatenate([starts, [slots.size]]))
    ends = np.concatenate([[first], (slots[starts] + lengths)])
    gaps = slots[starts] - ends[:-1]
    blocks = np.stack([gaps, places[starts], lengths], axis=1)
    rest = first + count - int(ends[-1])
    if rest:
        blocks = np.concatenate([blocks, [[rest, 0, 0]]])
    if len(blocks) > MOST_BLOCKS or (gaps < 0).any():
        return None
    return ArrangementData(first, len(blocks), pack_words(blocks.reshape(-1).astype(np.int64)))
