"""A graph as text for people: one line per value, names escaped, stable across runs."""

from __future__ import annotations

from pytest_torchlean.binary32.format import to_hex
from pytest_torchlean.ir.graph import Attribute, Graph, Node, ValueType
from pytest_torchlean.ir.names import printable


def print_graph(graph: Graph) -> str:
    """The whole graph, newline-terminated: inputs, constants with their types, nodes, outputs.

    %name = Op(%operands) {attributes} : type; an absent operand prints as "-". Nothing in a name can
    leave its line or send a terminal escape.
    """
    lines = ["graph" + (" (first dimension free, fixed to 1)" if graph.free_batch else "")]
    lines += [f"  input    {value(name)} : {type_text(graph.types[name])}" for name in graph.inputs]
    lines += [f"  constant {value(name)} : {type_text(graph.types[name])}" for name in graph.constants]
    lines += [f"  {print_node(node, graph)}" for node in graph.nodes]
    lines += [f"  output   {value(name)} : {type_text(graph.types[name])}" for name in graph.outputs]
    return "\n".join(lines) + "\n"


def print_node(node: Node, graph: Graph) -> str:
    """One node on one line."""
    results = ", ".join(value(name) for name in node.outputs)
    operands = ", ".join(value(name) if name else "-" for name in node.inputs)
    attributes = ", ".join(f"{name}={_attribute(item)}" for name, item in node.attributes)
    types = ", ".join(type_text(graph.types[name]) for name in node.outputs)
    return f"{results} = {node.op}({operands})" + (f" {{{attributes}}}" if attributes else "") + f" : {types}"


def type_text(kind: ValueType) -> str:
    """Such as float32[1, 10]."""
    return f"{kind.dtype}{list(kind.shape)}"


def value(name: str) -> str:
    """A value's name with a leading %, escaped."""
    return "%" + printable(name)


def _attribute(item: Attribute) -> str:
    if isinstance(item, float):
        return to_hex(item)
    if isinstance(item, tuple):
        return "[" + ", ".join(_attribute(part) for part in item) + "]"
    return printable(str(item))
