"""Well-formedness of a graph including its operations."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.ir.wellformed import STRUCTURE, WellFormedRule, violations
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.rule import ShapeError


def _known_operations(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        if node.op not in RULES:
            yield quoted(node.op)


def _inferred_types(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        if node.op not in RULES:
            continue
        try:
            inferred = RULES[node.op].infer(
                node, [graph.types[name] if name else None for name in node.inputs]
            )
        except (ShapeError, KeyError, TypeError, IndexError) as problem:
            yield f"{node.op} giving {quoted(node.outputs[0])}: {problem}"
            continue
        declared = tuple(graph.types.get(name) for name in node.outputs)
        if declared != inferred:
            yield f"{node.op} giving {quoted(node.outputs[0])}: declared {declared}, inferred {inferred}"


OPERATIONS: tuple[WellFormedRule, ...] = (
    WellFormedRule("every operation is known", _known_operations),
    WellFormedRule("every node's declared types follow from its inputs", _inferred_types),
)
"""The rules that need the table of operations."""


def require_well_formed(graph: Graph) -> Graph:
    """The graph itself. ValueError naming every violation."""
    found = violations(graph, STRUCTURE) or violations(graph, OPERATIONS)
    if found:
        raise ValueError("; ".join(found))
    return graph
