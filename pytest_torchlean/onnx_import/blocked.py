"""Values that onnxruntime's blocked kernels hold under names of their own, brought back to the file's names.

A kernel of the domain com.microsoft.nchwc is named after the value whose node it replaced, and may have taken
up the addition and the activation behind that. Its output lies in blocks of channels; a ReorderOutput node
copies it to where ONNX has it. Which value an output is, is told only where the name and the stored graph
leave one answer; the others stay unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import onnx

from pytest_torchlean.ir.graph import Graph, Node

BLOCKED_DOMAIN = "com.microsoft.nchwc"
_NAMED_AFTER = re.compile(r"(.+)_nchwc(_token_\d+)?", re.DOTALL)
_POOLS = ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool")
_SUMS = ("Add", "Sum")


def with_blocked_values(running: bytes, graph: Graph) -> bytes:
    """The optimised graph with a plain copy of every blocked value that is one of the stored graph's.

    running: the graph as onnxruntime wrote it. graph: the lowering of the stored one.
    """
    model = onnx.ModelProto.FromString(running)
    known = {value.name for value in model.graph.input}
    known |= {name for node in model.graph.node for name in node.output}
    for blocked, value in blocked_values(model, graph).items():
        if value in known:
            continue
        known.add(value)
        model.graph.node.append(
            onnx.helper.make_node(
                "ReorderOutput",
                [blocked],
                [value],
                domain=BLOCKED_DOMAIN,
                channels=graph.types[value].shape[1],
            )
        )
    return bytes(model.SerializeToString())


def blocked_values(model: onnx.ModelProto, graph: Graph) -> dict[str, str]:
    """From names of blocked values to the stored graph's values that they hold."""
    stored = _Stored(graph)
    found: dict[str, str] = {}
    for node in model.graph.node:
        output = node.output[0] if node.output else ""
        if node.domain == BLOCKED_DOMAIN and node.op_type == "ReorderInput":
            if node.input[0] in graph.types:
                found[output] = node.input[0]
            continue
        if node.domain == BLOCKED_DOMAIN and node.op_type == "ReorderOutput":
            continue
        value = stored.value_of(node, found)
        if value is not None and output not in graph.types and len(graph.types[value].shape) == 4:
            found[output] = value
    return found


class _Stored:
    """The stored graph, to be asked which of its values a node of the running graph gives."""

    def __init__(self, graph: Graph) -> None:
        self._producers: dict[str, Node] = {name: node for node in graph.nodes for name in node.outputs}
        self._readers: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for name in dict.fromkeys(node.inputs):
                self._readers.setdefault(name, []).append(node)
        self._outputs = set(graph.outputs)
        self._types = graph.types

    def value_of(self, node: onnx.NodeProto, blocked: Mapping[str, str]) -> str | None:
        """The value of the node's first output; None where it is not sure."""
        if node.domain != BLOCKED_DOMAIN:
            return self._moved(node, blocked)
        match = _NAMED_AFTER.fullmatch(node.name)
        if match is None or match[1] not in self._producers:
            return None
        value: str | None = match[1]
        if node.op_type in _POOLS:
            return value if self._op(value) == node.op_type else None
        if node.op_type != "Conv":
            return None
        if len(node.input) > 3 and node.input[3]:
            value = self._behind(value, _SUMS)
        activation = next(
            (item.s.decode("utf-8", "replace") for item in node.attribute if item.name == "activation"), ""
        )
        if activation and self._op(value) != activation:
            value = self._behind(value, (activation,))
        return value

    def _moved(self, node: onnx.NodeProto, blocked: Mapping[str, str]) -> str | None:
        """The output of the one stored node with the same operator on the same values."""
        if node.domain not in ("", "ai.onnx") or not any(name in blocked for name in node.input):
            return None
        inputs = tuple(blocked.get(name, name) for name in node.input)
        same = [
            reader
            for reader in self._readers.get(inputs[0], [])
            if reader.op == node.op_type and reader.inputs == inputs
        ]
        return same[0].outputs[0] if len(same) == 1 else None

    def _op(self, value: str | None) -> str:
        return self._producers[value].op if value in self._producers else ""

    def _behind(self, value: str | None, operators: tuple[str, ...]) -> str | None:
        """The output of the only node that reads the value, where it is one of these operators."""
        readers = self._readers.get(value or "", [])
        if value is None or value in self._outputs or len(readers) != 1 or readers[0].op not in operators:
            return None
        return readers[0].outputs[0]
