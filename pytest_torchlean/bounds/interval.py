"""Interval bounds in binary64, many boxes at once: fast estimates, never evidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import FIRST_INPUT, ONE_SLOT, AffineNode, Program

Float64 = NDArray[np.float64]


def propagate(program: Program, lower: Float64, upper: Float64) -> tuple[Float64, Float64]:
    """Interval bounds of all slots.

    lower, upper: float64 (boxes, inputs). Returns two float64 arrays (boxes, slots), rounded to nearest.
    """
    low, high = _start(program, lower), _start(program, upper)
    for node in program.nodes:
        here = slice(node.start, node.start + node.size)
        if isinstance(node, AffineNode):
            positive = np.maximum(node.weights.astype(np.float64), 0.0).T
            negative = np.minimum(node.weights.astype(np.float64), 0.0).T
            below, above = low[:, node.sources], high[:, node.sources]
            low[:, here] = (below @ positive + above @ negative).reshape(len(low), -1) / node.divisor
            high[:, here] = (above @ positive + below @ negative).reshape(len(low), -1) / node.divisor
        else:
            source = slice(node.first, node.first + node.size)
            low[:, here] = np.maximum(low[:, source], 0.0)
            high[:, here] = np.maximum(high[:, source], 0.0)
    return low, high


def evaluate(program: Program, points: Float64) -> Float64:
    """Values of all slots at points, float64 (points, inputs) -> (points, slots)."""
    return propagate(program, points, points)[0]


def gradient(program: Program, values: Float64, cotangents: Float64) -> Float64:
    """Gradient with respect to the inputs of `sum(cotangents * outputs)` at each point.

    values: float64 (points, slots) from `evaluate`. cotangents: float64 (points, outputs).
    Returns float64 (points, inputs). The derivative of max(x, 0) at 0 is taken as 0.
    """
    adjoint = np.zeros_like(values)
    rows = np.arange(len(values))[:, None]
    np.add.at(adjoint, (rows, program.outputs[None, :]), cotangents)
    for node in reversed(program.nodes):
        here = slice(node.start, node.start + node.size)
        if isinstance(node, AffineNode):
            incoming = adjoint[:, here].reshape(len(values), len(node.sources), -1) / node.divisor
            flowing = incoming @ node.weights.astype(np.float64)
            np.add.at(adjoint, (rows, node.sources.reshape(1, -1)), flowing.reshape(len(values), -1))
        else:
            source = slice(node.first, node.first + node.size)
            adjoint[:, source] += adjoint[:, here] * (values[:, source] > 0)
    return adjoint[:, FIRST_INPUT : FIRST_INPUT + program.inputs]


def _start(program: Program, inputs: Float64) -> Float64:
    state = np.zeros((len(inputs), program.size))
    state[:, ONE_SLOT] = 1.0
    state[:, FIRST_INPUT : FIRST_INPUT + program.inputs] = inputs
    return state
