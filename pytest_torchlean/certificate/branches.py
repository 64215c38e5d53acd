"""Rows through a node that reads the results of several others, as Check/Relaxation/Branch does it.

Behind such a node rows speak of a run of slots from the first of these results to the last. They fork: the
coefficients of the later slots go on, the others wait until those have come to where they stand, and join.
"""

from __future__ import annotations

from dataclasses import replace
from math import gcd

import numpy as np

from pytest_torchlean.certificate.convolution import shortened, shortening
from pytest_torchlean.certificate.pairing import paired
from pytest_torchlean.certificate.reframing import Span
from pytest_torchlean.certificate.rows import LONGEST, Box, NotRelaxable, PassedNode, Rows, require, size_of
from pytest_torchlean.certificate.substitution import (
    BranchData,
    ForkData,
    JoinData,
    LinkData,
    PairData,
    WidenData,
)

_WIDEST = 1 << 24
"""Slots of a run beyond which a link is not followed."""

Waiting = tuple[Rows, ...]
"""Rows that wait, the last one last: of these, scale, weight, start, size and form count."""


def widened(link: WidenData, rows: Rows) -> Rows:
    """The rows over a longer run of slots: Check.Relaxation.widen."""
    before = rows.start - link.first
    after = link.count - before - rows.count
    require(rows.places is None and before >= 0 and after >= 0 and link.count <= _WIDEST)
    form = np.zeros((len(rows.form), link.count), dtype=object)
    form[:, before : before + rows.count] = rows.form
    return replace(rows, start=link.first, form=form, width=max(rows.width, link.count))


def forked(link: ForkData, rows: Rows) -> tuple[Rows, Rows]:
    """The rows that go on, and those that wait: Check.Relaxation.fork."""
    require(rows.places is None and rows.size < rows.digit and link.keep <= link.cut <= rows.count)
    require(not rows.form[:, link.keep : link.cut].any())
    later = replace(rows, scale=1, start=rows.start + link.cut, form=rows.form[:, link.cut :])
    return later, replace(rows, form=rows.form[:, : link.keep])


def joined(box: Box, link: JoinData, rows: Rows, waiting: Rows) -> Rows:
    """The rows with what waited for them: Check.Relaxation.join and reduce."""
    require(max(link.size, link.own.bit_length(), link.other.bit_length()) <= LONGEST)
    require(rows.places is None and link.size < rows.digit)
    require(link.weight * link.own == rows.weight)
    require(link.weight * link.other == rows.scale * waiting.weight)
    require((link.own << rows.size) + (link.other << waiting.size) < 1 << link.size)
    require(rows.start <= waiting.start and waiting.start + waiting.count <= rows.start + rows.count)
    form = link.own * rows.form
    first = waiting.start - rows.start
    form[:, first : first + waiting.count] += link.other * waiting.form
    scale = rows.scale * waiting.scale
    made = replace(rows, scale=scale, weight=link.weight, size=link.size, form=form)
    return shortened(box, made, link.shift, link.short)


def follow_branch(box: Box, link: BranchData, rows: Rows, waiting: Waiting) -> tuple[Rows, Waiting]:
    """The rows, and those that wait, behind a link that passes no node."""
    if isinstance(link, WidenData):
        return widened(link, rows), waiting
    if isinstance(link, ForkData):
        rows, low = forked(link, rows)
        return rows, (*waiting, low)
    require(bool(waiting))
    return joined(box, link, rows, waiting[-1]), waiting[:-1]


class Branches:
    """Rows on their way back, with the links chosen so far and what waits.

    most: bits that coefficients may have after a join.
    """

    def __init__(self, box: Box, rows: Rows, most: int) -> None:
        self._box = box
        self._most = most
        self.rows = rows
        self.links: list[LinkData] = []
        self.spans: list[Span] = []
        self._waiting: Waiting = ()

    @property
    def whole(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def reach(self, node: PassedNode) -> bool:
        """Have the rows speak of just the slots that a node wrote; false where they read none of them.

        No later node may be read any more. Raises NotRelaxable where they cannot.
        """
        first, end = node.start, node.start + size_of(node.node)
        while self._waiting and _end(self._waiting[-1]) > first:
            self.join()
        if _end(self.rows) <= first:
            return False
        start = min(first, self.rows.start)
        if (start, end) != (self.rows.start, _end(self.rows)):
            self._take(WidenData(start, end - start))
        if start < first:
            while not self.whole:
                self.join()
            start = self.rows.start
            used = np.flatnonzero(self.rows.form[:, : first - start].any(axis=0))
            self._take(ForkData(int(used[-1]) + 1 if used.size else 0, first - start))
        return True

    def pair(self, node: PassedNode, link: PairData) -> None:
        """Let lines over differences of what a ReLU reads wait. Raises NotRelaxable."""
        rows, lines = paired(self._box, node, link, self.rows)
        self._waiting = (*self._waiting, lines)
        self.add(link, rows)

    def join(self) -> None:
        """What waited last does no more. Raises NotRelaxable where numbers get too long."""
        if not self._waiting:
            return
        low, rows = self._waiting[-1], self.rows
        start, end = min(low.start, rows.start), max(_end(low), _end(rows))
        if (start, end) != (rows.start, _end(rows)):
            self._take(WidenData(start, end - start))
            rows = self.rows
        own, other = rows.weight, rows.scale * low.weight
        weight = gcd(own, other)
        own, other = own // weight, other // weight
        size = ((own << rows.size) + (other << low.size)).bit_length()
        first = low.start - start
        form = own * rows.form
        form[:, first : first + low.count] += other * low.form
        self._take(JoinData(weight, own, other, size, *shortening(form, self._most)))

    def add(self, link: LinkData, rows: Rows) -> None:
        """A link, and the rows behind it."""
        self.links.append(link)
        self.spans.append(Span(rows.width, rows.count, self.whole))
        # so that the next link's demand is its own
        self.rows = replace(rows, width=rows.count)

    def _take(self, link: BranchData) -> None:
        if isinstance(link, JoinData) and link.size >= self.rows.digit:
            raise NotRelaxable("coefficients longer than a digit")
        rows, self._waiting = follow_branch(self._box, link, self.rows, self._waiting)
        self.add(link, rows)


def _end(rows: Rows) -> int:
    return rows.start + rows.count
