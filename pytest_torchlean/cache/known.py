"""The content of a cache entry: scripts that Lean accepted, and inputs that broke a property.

Neither the graph nor the boxes nor the inequalities are in it. They are written anew from the model and the
spec in every run, so an entry can only say how something is to be proved, never what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.binary import UnreadableDocument, Word, decode_as, encode_as
from pytest_torchlean.certificate.model import ScaleData, ScriptData

FORMAT = b"tlknown1"
MOST_BYTES = 1 << 26
"""The longest entry that is written or read."""
_MOST_SMALL = 1 << 20
_FIXED_POINT = ("unit", "center", "lower", "upper", "radius", "value", "amount")
_PACKED = frozenset((*_FIXED_POINT, "goals", "places", "shifts", "blocks", "weights", "point"))
"""Fields that hold packed or fixed-point numbers; every other number counts something or is a shift."""


@dataclass(frozen=True)
class KnownBox:
    """A box that Lean accepted: which one, and by their numbers the script for intervals and its own.

    place: the row of the data, or the number of the box among all boxes of all goals. radius: the place of
    the radius among those that are tried, 0 where there is one.
    """

    place: Word
    radius: Word
    common: Word
    own: Word


@dataclass(frozen=True)
class KnownProof:
    """Scripts, each once, for digits of one scale."""

    scale: ScaleData
    scripts: tuple[ScriptData, ...]
    boxes: tuple[KnownBox, ...]


@dataclass(frozen=True)
class KnownPoint:
    """An input that broke the property: binary32 patterns in one number, the first one lowest."""

    place: Word
    size: Word
    point: int


@dataclass(frozen=True)
class Known:
    """All that is known about one property. proofs: none or one."""

    proofs: tuple[KnownProof, ...] = ()
    points: tuple[KnownPoint, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.proofs or self.points)

    @property
    def boxes(self) -> dict[int, KnownBox]:
        """Accepted boxes by their place."""
        return {int(box.place): box for proof in self.proofs for box in proof.boxes}


def point_of(known: KnownPoint, size: int) -> NDArray[np.float32]:
    """The input, float32 (size,). Raises ValueError where it has another size or a number is not finite."""
    if known.size != size or known.point >> (32 * size):
        raise ValueError("a point has another size than the model's input")
    point = np.frombuffer(known.point.to_bytes(4 * size, "little"), dtype="<f4").astype(np.float32)
    if not np.isfinite(point).all():
        raise ValueError("a point is not finite")
    return point


def known_point(place: int, point: NDArray[np.float32]) -> KnownPoint:
    """The inverse of `point_of`."""
    data = np.ascontiguousarray(point, dtype="<f4").tobytes()
    return KnownPoint(Word(place), Word(point.size), int.from_bytes(data, "little"))


def pack(known: Known) -> bytes:
    """The bytes of an entry's content. ValueError where they are too many."""
    return encode_as(Known, known, MOST_BYTES)


def unpack(data: bytes) -> Known:
    """The content that `pack` wrote. Raises UnreadableDocument for anything else."""
    known: Known = decode_as(Known, data)
    if len(known.proofs) > 1:
        raise UnreadableDocument("there is more than one proof")
    for proof in known.proofs:
        if any(max(box.common, box.own) >= len(proof.scripts) for box in proof.boxes):
            raise UnreadableDocument("a box names a script that is not there")
        if len({box.place for box in proof.boxes}) != len(proof.boxes):
            raise UnreadableDocument("a box is there twice")
        for name, number in _numbers([proof.scale, *proof.scripts]):
            if number > _MOST_SMALL and name not in _PACKED:
                raise UnreadableDocument(f"`{name}` is too large")
    return known


def _numbers(roots: list[Any]) -> Iterator[tuple[str, int]]:
    """Every number with the name of its field. Not recursive: scripts are deep."""
    pending: list[tuple[str, Any]] = [("", root) for root in roots]
    while pending:
        name, value = pending.pop()
        if isinstance(value, int):
            yield name, value
        elif isinstance(value, tuple):
            pending += [(name, item) for item in value]
        elif is_dataclass(value):
            pending += [(field.name, getattr(value, field.name)) for field in fields(value)]
