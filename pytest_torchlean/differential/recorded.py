"""Outputs that another framework recorded, against everything that the stored graph may give.

Comparing a runtime with the graph cannot see a graph that says the wrong thing: a wrong axis, a swapped
approximation, a dropped bias. Recorded outputs can, without a tolerance: each must be where some binary32
execution of the stored graph may lie, sums in any order, elementary functions within their budgets.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.differential import nodes
from pytest_torchlean.differential.result import Divergence, SessionReport
from pytest_torchlean.evaluator.enclosing import Undecided, enclose
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.names import printable

Array = NDArray[np.generic]

RECORDED = "recorded outputs"
"""The session's name in reports."""


def compare_recorded(
    graph: Graph, rows: NDArray[np.float32], outputs: NDArray[np.float32]
) -> tuple[SessionReport, Divergence | None]:
    """Compare the graph's first output, row by row; stops at the first divergence.

    rows: float32 (rows, *shape of the only input); outputs: float32 (rows, *shape of the first output).
    """
    name = graph.outputs[0]
    done, bounded, unbounded, worst, why = 0, 0, 0, 0.0, ""
    divergence = None
    for number, (row, recorded) in enumerate(zip(rows, outputs, strict=True)):
        done += 1
        found = _enclosed(graph, {graph.inputs[0]: row})
        if isinstance(found, str):
            why = found
            continue
        expected = found.center.astype(np.float32)
        outcome = nodes.compare_bounded(
            recorded, found.center.reshape(-1), expected, found.radius.reshape(-1)
        )
        bounded += 1
        unbounded += outcome.unbounded
        worst = max(worst, outcome.worst)
        if outcome.unbounded == outcome.wrong.size:
            why = "nothing is claimed about any of its elements"
        if outcome.wrong.any():
            itself = Node("Identity", (name,), (name,))
            node = next((node for node in graph.nodes if name in node.outputs), itself)
            divergence = nodes.divergence(outcome, recorded, node, RECORDED, number)
            break
    report = SessionReport(
        name=RECORDED,
        nodes=("the framework that recorded them",),
        samples=done,
        bounded_outputs=bounded,
        unbounded=unbounded,
        worst={"whole graph": worst} if bounded else {},
        uncovered=(f"{printable(name)}: {why}",) if why else (),
        outputs_covered=not why,
    )
    return report, divergence


def _enclosed(graph: Graph, inputs: Mapping[str, Array]) -> Enclosed | str:
    """Where the first output of every execution lies, or why that is not known."""
    try:
        found = enclose(graph, inputs)[graph.outputs[0]]
    except Undecided as problem:
        return f"a choice depends on rounding: {problem}"
    return found if isinstance(found, Enclosed) else "it is no float32 value"
