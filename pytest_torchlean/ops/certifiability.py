"""Which nodes of a graph certificates can speak about, and why not."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import Step
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.ops import RULES


def step_of(node: Node, graph: Graph, *, exact: bool = False, granted: bool = False) -> Step | str:
    """How certificates see a node, or the reason why they cannot.

    exact: whether claims are about exact arithmetic alone. granted: whether a composition that grants a
    budget for rounding is taken where there is one.

    Certificates speak of finite binary32 numbers: a node that computes anything else has no step.
    """
    if len(node.outputs) != 1:
        return "it has several outputs"
    for name in (*(name for name in node.inputs if name not in graph.constants), *node.outputs):
        if name and graph.types[name].dtype != "float32":
            return f"it works on {graph.types[name].dtype} values at run time"
    for name in node.inputs:
        value = graph.constants.get(name)
        if value is not None and value.dtype == np.float32 and not np.isfinite(value).all():
            return "it reads a constant that is infinite"
    rule = RULES[node.op]
    other = rule.exact_step if exact else rule.granted_step if granted else None
    return (other or rule.step)(node, graph)


def certifiability(graph: Graph) -> list[tuple[Node, bool, str]]:
    """Every node in order with whether it has a certificate step, and the reason where it has none."""
    found = []
    for node in graph.nodes:
        step = step_of(node, graph)
        reason = step if isinstance(step, str) else ""
        found.append((node, not reason, reason))
    return found


def uncertifiable_ends(graph: Graph) -> list[str]:
    """One line for every input and output of the graph that certificates cannot speak about."""
    lines = []
    for role, names in (("input", graph.inputs), ("output", graph.outputs)):
        for name in names:
            value = graph.constants.get(name)
            if graph.types[name].dtype != "float32":
                lines.append(f"{role} {quoted(name)} is {graph.types[name].dtype}, not float32")
            elif value is not None and not np.isfinite(value.astype(np.float32)).all():
                lines.append(f"{role} {quoted(name)} is an infinite constant")
    return lines
