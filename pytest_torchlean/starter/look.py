"""What a graph looks like to someone who sees it for the first time: its operators, its size, its kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ops.certifiability import certifiability, uncertifiable_ends

_DENSE = ("Gemm", "MatMul")
_RECURRENT = ("LSTM", "GRU", "RNN")
_MOST_CLASSES = 10_000
_CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class OperatorRow:
    """One operator of a graph. `reasons` say why nodes of it cannot be in a proof; each once."""

    op: str
    count: int
    certifiable: int
    reasons: tuple[str, ...]


def operators(graph: Graph) -> tuple[OperatorRow, ...]:
    """The graph's operators by name, with what keeps their nodes out of proofs. All of them can be run."""
    nodes: dict[str, list[str]] = {}
    for node, _fine, reason in certifiability(graph):
        nodes.setdefault(node.op, []).append(reason)
    rows = []
    for op, reasons in sorted(nodes.items()):
        told = tuple(dict.fromkeys(filter(None, reasons)))
        rows.append(OperatorRow(op, len(reasons), sum(not reason for reason in reasons), told))
    return tuple(rows)


def obstacles(graph: Graph) -> tuple[str, ...]:
    """One line for each operator, input or output that keeps the graph out of proofs; none where it is in."""
    lines = [f"{row.op}: {reason}" for row in operators(graph) for reason in row.reasons]
    return (*lines, *uncertifiable_ends(graph))


def multiplications(graph: Graph) -> int:
    """How many multiplications one run takes, about: what the time of a runtime check grows with."""
    return sum(_multiplications(node, graph) for node in graph.nodes)


def _multiplications(node: Node, graph: Graph) -> int:
    written = sum(graph.types[name].size for name in node.outputs if name)
    shapes = [graph.types[name].shape if name else () for name in node.inputs]
    if node.op in _DENSE and shapes[0]:
        transposed = node.op == "Gemm" and dict(node.attributes).get("transA") == 1
        return written * shapes[0][0 if transposed else -1]
    if node.op == "Conv":
        return written * int(np.prod(shapes[1][1:], dtype=np.int64))
    if node.op == "ConvTranspose":
        return graph.types[node.inputs[0]].size * int(np.prod(shapes[1][1:], dtype=np.int64))
    if node.op in _RECURRENT:
        steps = int(np.prod(shapes[0][:2], dtype=np.int64))
        return steps * sum(int(np.prod(shape, dtype=np.int64)) for shape in shapes[1:3])
    return written


def weights(graph: Graph) -> int:
    """The stored floating-point numbers."""
    return sum(value.size for value in graph.constants.values() if value.dtype.kind == "f")


def is_picture(graph: Graph) -> bool:
    """Whether the only input looks like one image: four dimensions with a number of channels."""
    shape = graph.types[graph.inputs[0]].shape
    square = len(shape) == 4 and shape[0] == 1
    return (
        len(graph.inputs) == 1
        and square
        and (
            (shape[1] in _CHANNELS and min(shape[2:]) >= 4)
            or (shape[3] in _CHANNELS and min(shape[1:3]) >= 4)
        )
    )


def classes(graph: Graph) -> int:
    """The number of classes where the graph looks like a classifier, else 0."""
    if len(graph.outputs) != 1 or len(graph.inputs) != 1:
        return 0
    kind = graph.types[graph.outputs[0]]
    flat = kind.dtype == "float32" and kind.size == max(kind.shape, default=0)
    return kind.size if flat and 2 <= kind.size <= _MOST_CLASSES else 0


def plausible_input(graph: Graph) -> tuple[str, str]:
    """Bounds that raw inputs of such a model usually lie in: of pixels where it sees images."""
    if not is_picture(graph):
        return "-1", "1"
    first = next((node for node in graph.nodes if graph.inputs[0] in node.inputs), None)
    scale = _scalar(first, graph.constants) if first is not None else None
    divided = first is not None and first.op == "Div" and scale == 255
    multiplied = first is not None and first.op == "Mul" and scale is not None and 0 < scale < 0.004
    return ("0", "255") if divided or multiplied else ("0", "1")


def _scalar(node: Node, constants: Mapping[str, np.ndarray]) -> float | None:
    """The number that a node's constant operand holds, if it is one number."""
    found = [constants[name] for name in node.inputs if name in constants]
    return float(found[0].reshape(-1)[0]) if len(found) == 1 and found[0].size == 1 else None


def stored_operators(data: bytes, message: str) -> tuple[set[str], dict[str, int]]:
    """The ONNX operators that a refusal names, and how often each operator stands in the file."""
    graph = onnx.ModelProto.FromString(data).graph
    counts = Counter(node.op_type for node in graph.node)
    refused = set(re.findall(r"\((?:[\w.]+\.)?(\w+), opset", message))
    return refused, dict(sorted(counts.items()))
