"""Where the weights of an emitted graph stand in the bytes of an ONNX file.

The file's tensors are found by walking its protobuf fields, and matched with the graph's matrices by
content, so nothing depends on how a graph was lowered. Every place that is found is true of these
bytes; weights that stand nowhere (padding, folded constants, external data) get no place.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.binary import BlockData, Word
from pytest_torchlean.certificate.statement import AffineData, GraphData
from pytest_torchlean.certificate.words import patterns_of

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_MODEL_GRAPH, _GRAPH_NODE, _GRAPH_INITIALIZER = 7, 1, 5
_NODE_ATTRIBUTE, _ATTRIBUTE_TENSOR = 5, 5
_TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_RAW = 2, 4, 9
_FLOAT = 1
_WORD_BYTES = 4
_CANDIDATES = 4
"""Equal columns are told apart by what follows them, for this many."""


class _Malformed(ValueError):
    """The bytes are not protobuf."""


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """The little-endian 32-bit words of a float32 tensor, uint32 (n,), and the byte they start at."""

    words: NDArray[np.uint32]
    offset: int


def stored_tensors(data: bytes) -> tuple[StoredTensor, ...]:
    """The float32 initialisers and constants of an ONNX model. Empty for bytes that are not protobuf."""
    try:
        return tuple(_tensors(data))
    except _Malformed:
        return ()


def places(graph: GraphData, data: bytes) -> tuple[BlockData, ...]:
    """Blocks of the graph's weights that stand in the file `data`, which is file number 0."""
    tensors = stored_tensors(data)
    found: list[BlockData] = []
    known: dict[int, _Columns] = {}
    for number, node in enumerate(graph.nodes):
        if isinstance(node, AffineData):
            patterns = patterns_of(node)
            rows = len(patterns)
            if rows not in known:
                known[rows] = _columns(tensors, rows)
            found.extend(_of_node(number, patterns, known[rows]))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _View:
    """A tensor as columns of a matrix, uint32 (columns, rows), and where the words stand."""

    columns: NDArray[np.uint32]
    offset: int
    row_stride: int
    column_stride: int


_Columns = dict[int, list[tuple[_View, int]]]
"""Where the columns of one length stand, by their hash."""


def _columns(tensors: tuple[StoredTensor, ...], rows: int) -> _Columns:
    views = [view for tensor in tensors if tensor.words.size % rows == 0 for view in _views(tensor, rows)]
    known: _Columns = {}
    for view in views:
        for index, column in enumerate(view.columns):
            known.setdefault(hash(column.tobytes()), []).append((view, index))
    return known


def _of_node(number: int, patterns: NDArray[np.uint32], known: _Columns) -> Iterator[BlockData]:
    """Runs of columns that lie evenly spaced in a tensor; columns that lie in none are skipped."""
    rows = patterns.shape[0]
    wanted = np.ascontiguousarray(patterns.T)
    hashes = [hash(column.tobytes()) if column.any() else None for column in wanted]
    first = 0
    while first < len(wanted):
        key = hashes[first]
        count = 0
        for view, index in known.get(key, [])[:_CANDIDATES] if key is not None else []:
            for step in _steps(known, hashes, first, view, index):
                length = _run(wanted[first:], view, index, step)
                if length > count:
                    count, start, stride = (
                        length,
                        view.offset + index * view.column_stride,
                        step * view.column_stride,
                    )
                    row_stride = view.row_stride
        if count:
            sizes = (number, 0, rows, first, count, start, row_stride, stride)
            yield BlockData(*(Word(size) for size in sizes))
        first += max(count, 1)


def _views(tensor: StoredTensor, rows: int) -> Iterator[_View]:
    """The tensor's words as rows of a matrix, and as its columns."""
    width = tensor.words.size // rows
    by_rows = np.ascontiguousarray(tensor.words.reshape(rows, width).T)
    yield _View(by_rows, tensor.offset, _WORD_BYTES * width, _WORD_BYTES)
    yield _View(tensor.words.reshape(width, rows), tensor.offset, _WORD_BYTES, _WORD_BYTES * rows)


def _steps(
    known: dict[int, list[tuple[_View, int]]], hashes: list[int | None], first: int, view: _View, index: int
) -> list[int]:
    """Distances at which the next column may lie in the view; 1 where it is not there."""
    key = hashes[first + 1] if first + 1 < len(hashes) else None
    later = known.get(key, []) if key is not None else []
    steps = [place - index for other, place in later[:_CANDIDATES] if other is view and place > index]
    return steps or [1]


def _run(wanted: NDArray[np.uint32], view: _View, index: int, step: int) -> int:
    """How many columns agree with those of the view from `index` on, `step` apart."""
    there = view.columns[index::step]
    shared = min(len(there), len(wanted))
    differs = (there[:shared] != wanted[:shared]).any(axis=1)
    return int(differs.argmax()) if differs.any() else shared


def _tensors(data: bytes) -> Iterator[StoredTensor]:
    whole = (0, len(data))
    for graph in _inside(data, whole, _MODEL_GRAPH):
        for tensor in _inside(data, graph, _GRAPH_INITIALIZER):
            yield from _stored(data, tensor)
        for node in _inside(data, graph, _GRAPH_NODE):
            for attribute in _inside(data, node, _NODE_ATTRIBUTE):
                for tensor in _inside(data, attribute, _ATTRIBUTE_TENSOR):
                    yield from _stored(data, tensor)


def _stored(data: bytes, tensor: tuple[int, int]) -> Iterator[StoredTensor]:
    kind, content = 0, None
    for field, wire, start, stop in _fields(data, *tensor):
        if field == _TENSOR_TYPE and wire == _VARINT:
            kind = start
        elif field in (_TENSOR_FLOATS, _TENSOR_RAW) and wire == _BYTES:
            content = (start, stop)
    if kind == _FLOAT and content is not None:
        start, stop = content
        if stop > start and (stop - start) % _WORD_BYTES == 0:
            words = np.frombuffer(data, dtype="<u4", count=(stop - start) // _WORD_BYTES, offset=start)
            yield StoredTensor(words, start)


def _inside(data: bytes, span: tuple[int, int], number: int) -> Iterator[tuple[int, int]]:
    """The spans of the messages in a field."""
    for field, wire, start, stop in _fields(data, *span):
        if field == number and wire == _BYTES:
            yield start, stop


def _fields(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Field number, wire type, and the span of the content; for a varint its value in place of the start."""
    while position < end:
        key, position = _varint(data, position, end)
        wire = key & 7
        if wire == _VARINT:
            value, position = _varint(data, position, end)
            yield key >> 3, wire, value, position
            continue
        if wire == _BYTES:
            length, position = _varint(data, position, end)
        elif wire in (_FIXED64, _FIXED32):
            length = struct.calcsize("<q" if wire == _FIXED64 else "<i")
        else:
            raise _Malformed("a wire type that ONNX does not use")
        if length > end - position:
            raise _Malformed("a field is longer than its message")
        yield key >> 3, wire, position, position + length
        position += length


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    value = 0
    for count in range(_LONGEST_VARINT):
        if position >= end:
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, position
    raise _Malformed("a number does not end")
