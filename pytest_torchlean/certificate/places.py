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
from pytest_torchlean.certificate.model import AffineData, GraphData
from pytest_torchlean.certificate.words import patterns_of

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_MODEL_GRAPH, _GRAPH_NODE, _GRAPH_INITIALIZER = 7, 1, 5
_NODE_ATTRIBUTE, _ATTRIBUTE_TENSOR = 5, 5
_TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_RAW = 2, 4, 9
_FLOAT = 1
_WORD_BYTES = 4


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
    for number, node in enumerate(graph.nodes):
        if isinstance(node, AffineData):
            found.extend(_of_node(number, patterns_of(node), tensors))
    return tuple(found)


def _of_node(
    number: int, patterns: NDArray[np.uint32], tensors: tuple[StoredTensor, ...]
) -> Iterator[BlockData]:
    """Blocks from the first column on, each as wide as a tensor allows; columns in no tensor are skipped."""
    columns = patterns.shape[1]
    column = 0
    while column < columns:
        block = None
        if patterns[:, column].any():
            wide = sorted(tensors, key=lambda tensor: -tensor.words.size)
            block = next((b for t in wide if (b := _match(number, patterns, column, t)) is not None), None)
        if block is not None:
            yield block
        column += 1 if block is None else block.columns


def _match(number: int, patterns: NDArray[np.uint32], column: int, tensor: StoredTensor) -> BlockData | None:
    """The block of all of a tensor's words from a column on, by rows or by columns."""
    rows, columns = patterns.shape
    width, rest = divmod(tensor.words.size, rows)
    if rest or not 0 < width <= columns - column:
        return None
    wanted = patterns[:, column : column + width]
    strides = None
    if tensor.words[0] == wanted[0, 0]:
        if np.array_equal(tensor.words.reshape(rows, width), wanted):
            strides = (_WORD_BYTES * width, _WORD_BYTES)
        elif np.array_equal(tensor.words.reshape(width, rows), wanted.T):
            strides = (_WORD_BYTES, _WORD_BYTES * rows)
    if strides is None:
        return None
    sizes = (number, 0, rows, column, width, tensor.offset, *strides)
    return BlockData(*(Word(size) for size in sizes))


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
