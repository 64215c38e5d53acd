"""How far apart the rows of a relaxation are, link after link: Check.Relaxation.Reframe.

Every link goes over all digits from one row to the next. Where the widest link demands many times what most
do, rows are kept close together and are moved apart where that is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_torchlean.certificate.rows import Rows, require
from pytest_torchlean.certificate.substitution import LinkData, ReframeData

_WIDE = 1024
"""Digits of a row below which one frame serves all links."""
_REFRAMING = 2
"""What moving the rows takes, in links."""
_STACK = 64
"""Digits that a frame may always have: see `links.fits_frame`."""


@dataclass(frozen=True)
class Span:
    """What a link demands. width: digits of a row. count: slots behind it. whole: whether nothing waits."""

    width: int
    count: int
    whole: bool


def reframed(link: ReframeData, rows: Rows, width: int, *, waits: bool) -> Rows:
    """The rows in a frame of another width. width: of the frame so far. Raises NotRelaxable."""
    require(not waits and rows.places is None and rows.size <= rows.digit)
    require(rows.limit.bit_length() <= rows.digit * width and rows.width <= width <= 4 * rows.width + _STACK)
    require(rows.count <= link.width)
    return replace(rows, width=rows.count)


def last_width(width: int, links: Sequence[LinkData]) -> int:
    """Digits of a row behind all links. width: at the start."""
    return next((link.width for link in reversed(links) if isinstance(link, ReframeData)), width)


def with_frames(
    links: Sequence[LinkData], before: Span, spans: Sequence[Span], least: int, end: int
) -> tuple[int, tuple[LinkData, ...]]:
    """The width of the first frame, and the links with others where these save more than half of the work.

    before: what the rows demand at the start. spans: one for each link. least: digits that every frame must
    have. end: digits that the last one must have.
    """
    known = (before, *spans)
    single = max(end, *(span.width for span in known))
    if not links or single < _WIDE or least > _STACK:
        return single, tuple(links)
    last = len(links)
    starts = [0, *(place for place in range(1, last) if known[place].whole), last]
    # from the end: the least work from a start on, the frame's width there, and the next start
    best: dict[int, tuple[int, int, int]] = {last: (0, 0, last)}
    for at in range(len(starts) - 2, -1, -1):
        first, width = starts[at], least
        width = max(width, known[first].width if first == 0 else known[first].count)
        choices, done = [], first
        for stop in starts[at + 1 :]:
            width = max(width, *(span.width for span in known[done + 1 : stop + 1]))
            width = max(width, end) if stop == last else width
            choices.append(((stop - first + _REFRAMING) * width + best[stop][0], width, stop))
            done = stop
        best[first] = min(choices)
    if 2 * best[0][0] > last * single:
        return single, tuple(links)
    found: list[LinkData] = []
    place = 0
    while place < last:
        _, width, stop = best[place]
        if place:
            found.append(ReframeData(width))
        found += links[place:stop]
        place = stop
    return best[0][1], tuple(found)
