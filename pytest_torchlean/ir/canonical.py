"""The one byte form of a graph, its digest, and reading it back.

Layout: the line "torchlean graph 1", a line of JSON with sorted keys and no spaces, then the constants'
elements, little-endian, in order. Values are numbered: inputs, then constants in the order of their
first use, then node outputs; names and unused constants do not enter. Floats are hexadecimal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.format import from_hex, to_hex
from pytest_torchlean.errors import ModelError
from pytest_torchlean.ir.graph import Attribute, Graph, Node, ValueType
from pytest_torchlean.ir.wellformed import DTYPES, STRUCTURE, violations

_MAGIC = b"torchlean graph 1\n"
_MOST_HEADER_BYTES = 2**26
_ABSENT = -1


def digest(graph: Graph) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(to_bytes(graph)).hexdigest()


def to_bytes(graph: Graph) -> bytes:
    """The canonical form: equal graphs up to value names and node labels give equal bytes.

    The order of nodes and of their attributes matters. KeyError when the graph is not well-formed.
    """
    constants = _used_constants(graph)
    number: dict[str, int] = {}
    for name in [*graph.inputs, *constants]:
        number[name] = len(number)
    nodes = []
    for node in graph.nodes:
        operands = [number[name] if name else _ABSENT for name in node.inputs]
        for name in node.outputs:
            number[name] = len(number)
        attributes = [[name, _encode(value)] for name, value in node.attributes]
        nodes.append([node.op, operands, [_type(graph.types[name]) for name in node.outputs], attributes])
    header = {
        "constants": [_type(graph.types[name]) for name in constants],
        "free_batch": graph.free_batch,
        "inputs": [_type(graph.types[name]) for name in graph.inputs],
        "nodes": nodes,
        "outputs": [number[name] for name in graph.outputs],
    }
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return b"".join(
        [_MAGIC, text.encode("ascii"), b"\n", *(_elements(graph.constants[n]) for n in constants)]
    )


def from_bytes(data: bytes) -> Graph:
    """The graph with values named v0, v1, ... in canonical order.

    ModelError TL0108 when the bytes are not a well-formed canonical graph; never another exception.
    """
    try:
        graph = _read(data)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, OverflowError) as problem:
        raise ModelError("TL0108", f"the stored graph is not readable: {problem}") from None
    if violations(graph, STRUCTURE) or to_bytes(graph) != data:
        raise ModelError("TL0108", "the stored graph is not in canonical form")
    return graph


def _used_constants(graph: Graph) -> list[str]:
    reads = [name for node in graph.nodes for name in node.inputs] + list(graph.outputs)
    return [name for name in dict.fromkeys(reads) if name in graph.constants]


def _type(kind: ValueType) -> list[Any]:
    return [kind.dtype, list(kind.shape)]


def _encode(value: Attribute) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return {"float": to_hex(value)}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return int(value)


def _elements(array: NDArray[np.generic]) -> bytes:
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.astype(flat.dtype.newbyteorder("<"), copy=False).tobytes()


def _read(data: bytes) -> Graph:
    end = data.find(b"\n", len(_MAGIC), len(_MAGIC) + _MOST_HEADER_BYTES)
    if not data.startswith(_MAGIC) or end < 0:
        raise ValueError("it does not start as one")
    header = json.loads(data[len(_MAGIC) : end])
    names: list[str] = []
    types: dict[str, ValueType] = {}

    def define(kind: Any) -> str:
        name = f"v{len(names)}"
        names.append(name)
        types[name] = _decode_type(kind)
        return name

    inputs = tuple(define(kind) for kind in header["inputs"])
    constants: dict[str, NDArray[np.generic]] = {}
    at = end + 1
    for kind in header["constants"]:
        name = define(kind)
        dtype = np.dtype(types[name].dtype).newbyteorder("<")
        stop = at + types[name].size * dtype.itemsize
        if stop > len(data):
            raise ValueError("its constants are cut short")
        array = np.frombuffer(data[at:stop], dtype=dtype).reshape(types[name].shape)
        constants[name] = array.astype(types[name].dtype)
        at = stop
    nodes = []
    for op, operands, results, attributes in header["nodes"]:
        read = tuple("" if index == _ABSENT else _name(names, index) for index in operands)
        outputs = tuple(define(kind) for kind in results)
        decoded = tuple((_text(name), _decode(value)) for name, value in attributes)
        nodes.append(Node(_text(op), read, outputs, decoded))
    outputs = tuple(_name(names, index) for index in header["outputs"])
    if at != len(data) or not isinstance(header["free_batch"], bool):
        raise ValueError("it has a wrong length or flag")
    return Graph(inputs, outputs, tuple(nodes), constants, types, header["free_batch"])


def _name(names: Sequence[str], index: Any) -> str:
    if not isinstance(index, int) or not 0 <= index < len(names):
        raise ValueError("a value number is out of range")
    return names[index]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a name is not text")
    return value


def _decode_type(kind: Any) -> ValueType:
    dtype, shape = kind
    if dtype not in DTYPES or not all(type(extent) is int and 0 <= extent < 2**40 for extent in shape):
        raise ValueError("a type is not known")
    return ValueType(dtype, tuple(shape))


def _decode(value: Any) -> Attribute:
    if isinstance(value, list):
        items = [_decode(item) for item in value]
        integers = tuple(item for item in items if type(item) is int)
        floats = tuple(item for item in items if type(item) is float)
        if len(integers) + len(floats) != len(items) or (integers and floats):
            raise ValueError("an attribute mixes kinds")
        return floats or integers
    if isinstance(value, dict):
        return float(from_hex(value["float"]))
    if value is None or isinstance(value, str) or type(value) is int:
        return value
    raise ValueError("an attribute is not known")
