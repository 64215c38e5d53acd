"""Lower bounds of linear forms in binary64, formed in the last affine node where there is one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import AffineNode, Program

Float64 = NDArray[np.float64]


def least_margins(program: Program, low: Float64, high: Float64, labels: NDArray[np.int64]) -> Float64:
    """Lower bounds of outputs[label] - outputs[k] for every k, float64 (boxes, outputs).

    low, high: bounds of all slots (boxes, slots). labels: (boxes,). The label's own entry is infinite.
    """
    outputs = program.outputs
    last = program.nodes[-1] if program.nodes else None
    margins = np.empty((len(low), outputs.size))
    composed = (
        isinstance(last, AffineNode)
        and len(last.sources) == 1
        and np.array_equal(outputs, np.arange(last.start, last.start + last.size))
    )
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if composed and isinstance(last, AffineNode):
            weights = last.weights.astype(np.float64)
            difference = (weights[label] - weights) / last.divisor
            below, above = low[rows][:, last.sources[0]], high[rows][:, last.sources[0]]
            margins[rows] = below @ np.maximum(difference, 0).T + above @ np.minimum(difference, 0).T
        else:
            margins[rows] = low[rows][:, outputs[[label]]] - high[rows][:, outputs]
        margins[rows, label] = np.inf
    return margins


def least_rows(program: Program, rows: Float64, low: Float64, high: Float64) -> Float64:
    """Lower bounds of linear forms of the slots by intervals.

    rows: float64 (rows, slots). low, high: bounds of all slots (boxes, slots). Returns (boxes, rows): the
    better of what bounds of the outputs and bounds of what the last node reads give, if that node is affine
    with a single position.
    """
    found = low @ np.maximum(rows, 0).T + high @ np.minimum(rows, 0).T
    last = program.nodes[-1] if program.nodes else None
    if not isinstance(last, AffineNode) or len(last.sources) != 1:
        return found
    here = slice(last.start, last.start + last.size)
    rest = rows.copy()
    rest[:, here] = 0.0
    composed = np.zeros_like(rows.T)
    weights = rows[:, here] @ last.weights.astype(np.float64) / last.divisor
    np.add.at(composed, last.sources[0], weights.T)
    parts = (composed, rest.T)
    least = sum(low @ np.maximum(part, 0) + high @ np.minimum(part, 0) for part in parts)
    return np.maximum(found, least)
