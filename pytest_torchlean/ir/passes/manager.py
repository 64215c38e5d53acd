"""Run passes in order and check well-formedness after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.passes.dead_code import remove_dead_code
from pytest_torchlean.ir.passes.identity import remove_identities
from pytest_torchlean.ir.wellformed import STRUCTURE, WellFormedRule, violations

GraphPass = Callable[[Graph], Graph]


def run_passes(
    graph: Graph, passes: Sequence[GraphPass], rules: Sequence[WellFormedRule] = STRUCTURE
) -> Graph:
    """Apply the passes in order. ValueError naming the pass after which a rule is violated."""
    for graph_pass in passes:
        graph = graph_pass(graph)
        found = violations(graph, rules)
        if found:
            raise ValueError(f"after {graph_pass.__name__}: " + "; ".join(found))
    return graph


def simplify(graph: Graph) -> Graph:
    """The graph without identities and dead code."""
    return run_passes(graph, (remove_identities, remove_dead_code))
