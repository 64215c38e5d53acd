"""Witnesses as small PNG pictures, where the input is an image of 1 or 3 channels."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_torchlean.report.drawings import number
from pytest_torchlean.verdict import Witness

MOST_PIXELS = 1 << 20
"""Inputs with more numbers are not drawn."""
_MOST_SIDE = 96
"""Larger pictures are thinned out to it."""
_LEAST_SIDE = 4


@dataclass(frozen=True)
class Layout:
    """Where the pixels of an image lie in a flat input."""

    height: int
    width: int
    channels: int
    last: bool
    """Whether the channel is the last axis."""

    def place(self, row: int, column: int, channel: int) -> int:
        """The position of one number."""
        if self.last:
            return (row * self.width + column) * self.channels + channel
        return (channel * self.height + row) * self.width + column


@dataclass(frozen=True)
class Pictures:
    """PNG files as `data:` addresses, how much one pixel stands for, and the largest difference."""

    original: str
    changed: str
    difference: str
    layout: Layout
    stride: int
    largest: float


def layout_of(shape: Sequence[int]) -> Layout | None:
    """The layout of an image of 1 or 3 channels, None for any other shape. One leading 1 is the batch."""
    sizes = list(shape[1:] if len(shape) >= 3 and shape[0] == 1 else shape)
    if len(sizes) == 2:
        found = Layout(sizes[0], sizes[1], 1, False)
    elif len(sizes) == 3 and sizes[0] in (1, 3):
        found = Layout(sizes[1], sizes[2], sizes[0], False)
    elif len(sizes) == 3 and sizes[2] in (1, 3):
        found = Layout(sizes[0], sizes[1], sizes[2], True)
    else:
        return None
    large = min(found.height, found.width) >= _LEAST_SIDE
    return found if large and found.height * found.width * found.channels <= MOST_PIXELS else None


def witness_pictures(witness: Witness) -> Pictures | None:
    """Original, witness and difference side by side; None where the input is no image or has no original."""
    layout = layout_of(witness.shape)
    if layout is None or witness.reference is None:
        return None
    size = layout.height * layout.width * layout.channels
    if len(witness.input) != size or len(witness.reference) != size:
        return None
    before, after = [number(text) for text in witness.reference], [number(text) for text in witness.input]
    if not all(map(math.isfinite, (*before, *after))):
        return None
    low, high = min(*before, *after), max(*before, *after)
    largest = max(abs(new - old) for new, old in zip(after, before, strict=True))
    stride = -(-max(layout.height, layout.width) // _MOST_SIDE)

    def shade(values: Sequence[float]) -> Callable[[int], int]:
        return lambda place: round(255 * (values[place] - low) / (high - low)) if high > low else 128

    def change(place: int) -> int:
        return 128 + round(127 * (after[place] - before[place]) / largest) if largest > 0 else 128

    original, changed, difference = (
        _png(layout, stride, value) for value in (shade(before), shade(after), change)
    )
    return Pictures(original, changed, difference, layout, stride, largest)


def _png(layout: Layout, stride: int, value: Callable[[int], int]) -> str:
    """A PNG of 8 bits a channel (ISO 15948), every `stride`-th pixel of the image."""
    rows, columns = range(0, layout.height, stride), range(0, layout.width, stride)
    lines = b"".join(
        b"\0"
        + bytes(
            value(layout.place(row, column, channel))
            for column in columns
            for channel in range(layout.channels)
        )
        for row in rows
    )
    colour = 2 if layout.channels == 3 else 0
    head = struct.pack(">IIBBBBB", len(columns), len(rows), 8, colour, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(lines, 9))
    return "data:image/png;base64," + base64.b64encode(data + _chunk(b"IEND", b"")).decode("ascii")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
