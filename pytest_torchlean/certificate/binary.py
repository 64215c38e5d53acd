"""Emissions as bytes for the evaluated level, and back; lean/PytestTorchLean/Evaluated reads the same.

Words of 8 bytes, the least significant byte first. A natural number is the count of its words, then the
words, the last one not 0. A list is the count of its items, then the items; a structure is its fields in
their order; a constructor is its number, then the fields; a truth value is the word 0 or 1.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, NewType, get_args, get_origin, get_type_hints

from pytest_torchlean.certificate.model import (
    CertificateData,
    ComposedData,
    ConcludeScript,
    CutData,
    DifferScript,
    DirectData,
    Emission,
    ForwardData,
    KnownScript,
    LeafData,
    LinearizeScript,
    NodeScript,
    RelaxedData,
    SplitScript,
    TightenScript,
    WeightedData,
)
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    ClaimData,
    CurveData,
    GraphData,
    MaximumData,
    MinimumData,
    QuotientData,
    ReluData,
    Semantics,
)
from pytest_torchlean.certificate.substitution import (
    BendData,
    ChooseData,
    ConvolveData,
    ForkData,
    JoinData,
    MultiplyData,
    PairData,
    ReframeData,
    SettleData,
    SkipData,
    SlideData,
    ThroughData,
    WidenData,
)

MAGIC = b"tlcert01"
NUMBERS: dict[type[Any], int] = {
    AffineData: 0,
    ReluData: 1,
    MaximumData: 2,
    MinimumData: 3,
    CurveData: 4,
    BilinearData: 5,
    QuotientData: 6,
    ThroughData: 0,
    BendData: 1,
    SkipData: 2,
    ConvolveData: 3,
    SettleData: 4,
    MultiplyData: 5,
    WidenData: 6,
    ForkData: 7,
    JoinData: 8,
    SlideData: 9,
    PairData: 10,
    ChooseData: 11,
    ReframeData: 12,
    DirectData: 0,
    ComposedData: 1,
    RelaxedData: 2,
    WeightedData: 3,
    ForwardData: 4,
    LeafData: 0,
    CutData: 1,
    NodeScript: 0,
    SplitScript: 1,
    TightenScript: 2,
    ConcludeScript: 3,
    KnownScript: 4,
    DifferScript: 5,
    LinearizeScript: 6,
}
"""The place of each constructor in its inductive type in Lean."""
_WORD = 8
Word = NewType("Word", int)
"""A number below 2^64 that is written as one word."""


@dataclass(frozen=True)
class BlockData:
    """Evaluated.Block: where weights of a node stand in one of the model's files.

    The pattern of row r and column `first_column + k`, for r < `rows` and k < `columns`, is the little-endian
    word at byte `offset + row_stride * r + column_stride * k` of file number `file`.
    """

    node: Word
    file: Word
    rows: Word
    first_column: Word
    columns: Word
    offset: Word
    row_stride: Word
    column_stride: Word


@dataclass(frozen=True)
class PartData:
    """Evaluated.Part."""

    claims: tuple[ClaimData, ...]
    certificate: CertificateData


@dataclass(frozen=True)
class DocumentData:
    """Evaluated.Document."""

    semantics: Semantics
    graph: GraphData
    parts: tuple[PartData, ...]
    blocks: tuple[BlockData, ...]

    @property
    def emissions(self) -> tuple[Emission, ...]:
        """The parts, each with the graph."""
        return tuple(
            Emission(self.semantics, self.graph, part.claims, part.certificate) for part in self.parts
        )

    @property
    def boxes(self) -> int:
        """Number of boxes of all claims."""
        return sum(len(claim.boxes) for part in self.parts for claim in part.claims)

    @property
    def compared(self) -> int:
        """Number of weights that the blocks speak of."""
        return sum(block.rows * block.columns for block in self.blocks)


class UnreadableDocument(ValueError):
    """The bytes are not a document."""


def document_of(parts: Sequence[Emission], blocks: Sequence[BlockData] = ()) -> DocumentData:
    """One document of parts about one graph. ValueError for no part, for several graphs or semantics,
    and for trees in parts."""
    if not parts or any(
        (part.semantics, part.graph) != (parts[0].semantics, parts[0].graph) for part in parts
    ):
        raise ValueError("a document is about one graph and one semantics")
    if any(part.apart for part in parts):
        raise ValueError("a document holds whole trees")
    own = tuple(PartData(part.claims, part.certificate) for part in parts)
    return DocumentData(parts[0].semantics, parts[0].graph, own, tuple(blocks))


def encode(document: DocumentData) -> bytes:
    """The bytes of a document. ValueError for a negative number and a word that is too long."""
    return MAGIC + encode_as(DocumentData, document)


def encode_as(own: type[Any], value: Any, most_bytes: int | None = None) -> bytes:
    """The bytes of a structure of these kinds, without a first word. ValueError as for `encode`, and where
    they become more than `most_bytes` (scripts that share parts are written out)."""
    chunks: list[bytes] = []
    pending: list[tuple[Any, Any]] = [(value, own)]
    size = 0
    while pending:
        if most_bytes is not None and chunks:
            size += len(chunks[-1])
            if size > most_bytes:
                raise ValueError("the data are too long")
        value, kind = pending.pop()
        if kind is int:
            chunks.append(_number(value))
        elif kind is Word or kind is bool:
            chunks.append(_word(int(value)))
        elif isinstance(kind, type) and issubclass(kind, Enum):
            chunks.append(_word(list(kind).index(value)))
        elif get_origin(kind) is tuple:
            chunks.append(_word(len(value)))
            pending.extend((item, get_args(kind)[0]) for item in reversed(value))
        elif is_dataclass(kind) and isinstance(kind, type):
            parts = [getattr(value, field.name) for field in fields(kind)]
            pending.extend(reversed(list(zip(parts, _fields(kind), strict=True))))
        else:
            chunks.append(_word(NUMBERS[type(value)]))
            pending.append((value, type(value)))
    return b"".join(chunks)


def decode(data: bytes) -> DocumentData:
    """The document whose bytes these are. Raises UnreadableDocument for all that `encode` does not write."""
    if data[: len(MAGIC)] != MAGIC:
        raise UnreadableDocument("the first word differs")
    document: DocumentData = decode_as(DocumentData, data, len(MAGIC))
    return document


def decode_as(own: type[Any], data: bytes, start: int = 0) -> Any:
    """The structure whose bytes stand from `start` to the end. Raises UnreadableDocument for all that
    `encode_as` does not write."""
    reader = _Reader(data, start)
    # every frame is a list or structure whose items are still to come
    root = _Frame(None, [own])
    frames = [root]
    while root.kinds or len(frames) > 1:
        frame = frames[-1]
        if not frame.kinds:
            frames.pop()
            frames[-1].values.append(frame.result())
            continue
        kind = frame.kinds.pop()
        if get_origin(kind) is not tuple and not is_dataclass(kind) and get_args(kind):
            kind = reader.choice({NUMBERS[one]: one for one in get_args(kind)})
        if get_origin(kind) is tuple:
            frames.append(_Frame(tuple, [get_args(kind)[0]] * reader.count()))
        elif is_dataclass(kind) and isinstance(kind, type):
            frames.append(_Frame(kind, list(reversed(_fields(kind)))))
        else:
            frame.values.append(reader.plain(kind))
    if reader.position != len(data):
        raise UnreadableDocument("more bytes than expected")
    return root.values[0]


@dataclass
class _Frame:
    """Values read so far, and the types of those to come, the next one last."""

    build: Any
    kinds: list[Any]

    def __post_init__(self) -> None:
        self.values: list[Any] = []

    def result(self) -> Any:
        return tuple(self.values) if self.build is tuple else self.build(*self.values)


@dataclass
class _Reader:
    data: bytes
    position: int

    def word(self) -> int:
        stop = self.position + _WORD
        if stop > len(self.data):
            raise UnreadableDocument("the bytes end early")
        value = int.from_bytes(self.data[self.position : stop], "little")
        self.position = stop
        return value

    def count(self) -> int:
        """The length of a list; every item takes at least a word."""
        count = self.word()
        if count > (len(self.data) - self.position) // _WORD:
            raise UnreadableDocument("a list is longer than the bytes")
        return count

    def choice(self, kinds: Mapping[int, Any]) -> Any:
        number = self.word()
        if number not in kinds:
            raise UnreadableDocument("an unknown constructor")
        return kinds[number]

    def plain(self, kind: Any) -> Any:
        if kind is int:
            count = self.count()
            stop = self.position + _WORD * count
            value = int.from_bytes(self.data[self.position : stop], "little")
            if value.bit_length() <= 64 * (count - 1):
                raise UnreadableDocument("the last word of a number is 0")
            self.position = stop
            return value
        if kind is bool:
            return bool(self.choice({0: False, 1: True}))
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self.choice(dict(enumerate(kind)))
        return self.word()


@cache
def _fields(kind: Hashable) -> tuple[Any, ...]:
    """The types of a dataclass's fields, in their order."""
    own: Any = kind
    hints = get_type_hints(own)
    return tuple(hints[field.name] for field in fields(own))


def _word(value: int) -> bytes:
    if not 0 <= value < 1 << 64:
        raise ValueError("a word is negative or too long")
    return value.to_bytes(_WORD, "little")


def _number(value: int) -> bytes:
    if value < 0:
        raise ValueError("a natural number is negative")
    count = -(-value.bit_length() // 64)
    return _word(count) + value.to_bytes(_WORD * count, "little")
