"""Which nodes of a graph certificates can speak about, and why not."""

from __future__ import annotations

from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ops import RULES


def certifiability(graph: Graph) -> list[tuple[Node, bool, str]]:
    """Every node in order with whether it has a certificate step, and the reason where it has none."""
    found = []
    for node in graph.nodes:
        step = RULES[node.op].step(node, graph)
        reason = step if isinstance(step, str) else ""
        found.append((node, not reason, reason))
    return found
