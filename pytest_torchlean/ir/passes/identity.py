"""Remove Identity nodes, and Reshape nodes that keep the shape."""

from __future__ import annotations

from dataclasses import replace

from pytest_torchlean.ir.graph import Graph, Node


def remove_identities(graph: Graph) -> Graph:
    """The graph whose readers read the copied value; a node that defines an output stays."""
    instead: dict[str, str] = {}
    kept = []
    for node in graph.nodes:
        renamed = replace(node, inputs=tuple(instead.get(name, name) for name in node.inputs))
        if _copies(renamed, graph) and renamed.outputs[0] not in graph.outputs:
            instead[renamed.outputs[0]] = renamed.inputs[0]
        else:
            kept.append(renamed)
    types = {name: kind for name, kind in graph.types.items() if name not in instead}
    return replace(graph, nodes=tuple(kept), types=types)


def _copies(node: Node, graph: Graph) -> bool:
    if node.op == "Identity":
        return True
    return node.op == "Reshape" and graph.types[node.inputs[0]] == graph.types[node.outputs[0]]
