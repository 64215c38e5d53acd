"""Drop nodes and constants that no output depends on."""

from __future__ import annotations

from dataclasses import replace

from pytest_torchlean.ir.graph import Graph


def remove_dead_code(graph: Graph) -> Graph:
    """The graph without unused nodes and constants; inputs and outputs stay."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(name for name in node.inputs if name)
    kept.reverse()
    constants = {name: value for name, value in graph.constants.items() if name in needed}
    defined = {*graph.inputs, *constants, *(name for node in kept for name in node.outputs)}
    types = {name: kind for name, kind in graph.types.items() if name in defined}
    return replace(graph, nodes=tuple(kept), constants=constants, types=types)
