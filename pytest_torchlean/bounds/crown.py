"""Backward linear bounds (CROWN) in binary64, many boxes at once: fast estimates, never evidence.

A linear form of the slots is bounded from below by replacing, from the last node to the first, every
node's result by what bounds it: an affine node by its equation, a ReLU by a line below or above it. What
remains stands over the inputs and is bounded by their box (Zhang et al., Efficient Neural Network
Robustness Certification with General Activation Functions, 2018; Xu et al., Automatic Perturbation
Analysis, 2020). Slopes are rounded to few bits, because that is how a certificate states them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_torchlean.bounds.interval import Float64, affine_interval, extremum_interval
from pytest_torchlean.bounds.program import (
    FIRST_INPUT,
    ONE_SLOT,
    ZERO_SLOT,
    AffineNode,
    ExtremumNode,
    Program,
    ReluNode,
)

SLOPE_BITS = 8
"""Slopes are multiples of 2^-SLOPE_BITS."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines around one ReLU node: lower * x <= max(x, 0) <= upper * x + intercept, float64 (boxes, n)."""

    lower: Float64
    upper: Float64
    intercept: Float64


@dataclass(frozen=True, eq=False)
class LinearBounds:
    """Bounds of all slots, float64 (boxes, slots), and the lines used, by the ReLU node's first slot."""

    low: Float64
    high: Float64
    lines: dict[int, Lines]


def relu_lines(low: Float64, high: Float64) -> Lines:
    """Lines for inputs between `low` and `high`, (boxes, n).

    The upper line is the chord, its slope rounded up; the lower one is 0 or x, whichever leaves the smaller
    triangle (the adaptive choice of CROWN).
    """
    unit = 2.0**-SLOPE_BITS
    width = np.maximum(high - low, 1e-300)
    chord = np.clip(np.ceil(np.maximum(high, 0.0) / width / unit) * unit, 0.0, 1.0)
    upper = np.where(low >= 0, 1.0, np.where(high <= 0, 0.0, chord))
    lower = np.where(low >= 0, 1.0, np.where(high <= 0, 0.0, (high > -low).astype(np.float64)))
    intercept = np.maximum(upper * np.maximum(-low, 0.0), (1.0 - upper) * np.maximum(high, 0.0))
    return Lines(lower, upper, intercept)


def minimum(
    program: Program, count: int, rows: Float64, low: Float64, high: Float64, lines: dict[int, Lines]
) -> Float64:
    """Lower bounds of linear forms of the slots written by the inputs and the first `count` nodes.

    rows: float64 (boxes or 1, rows, slots). low, high: bounds of the slots, (boxes, slots). Returns float64
    (boxes, rows), rounded to nearest.
    """
    return minimum_with_inputs(program, count, rows, low, high, lines)[0]


def minimum_with_inputs(
    program: Program, count: int, rows: Float64, low: Float64, high: Float64, lines: dict[int, Lines]
) -> tuple[Float64, Float64]:
    """`minimum`, and the coefficients of the inputs in the form that was bounded, (boxes, rows, inputs)."""
    form = np.repeat(rows, len(low), axis=0) if len(rows) != len(low) else rows.copy()
    constant = np.zeros(form.shape[:2])
    for node in reversed(program.nodes[:count]):
        here = slice(node.start, node.start + node.size)
        part = form[:, :, here]
        if not part.any():
            continue
        if isinstance(node, AffineNode):
            _through_affine(node, part, form)
        elif isinstance(node, ReluNode) and node.start in lines:
            line = lines[node.start]
            positive, negative = np.maximum(part, 0.0), np.minimum(part, 0.0)
            form[:, :, node.first : node.first + node.size] += (
                positive * line.lower[:, None] + negative * line.upper[:, None]
            )
            constant += np.einsum("brn,bn->br", negative, line.intercept)
        else:
            constant += _box_minimum(part, low[:, here], high[:, here])
    inputs = slice(FIRST_INPUT, FIRST_INPUT + program.inputs)
    over_inputs = form[:, :, inputs]
    least = constant + form[:, :, ONE_SLOT] + _box_minimum(over_inputs, low[:, inputs], high[:, inputs])
    return least, over_inputs


def bound(program: Program, lower: Float64, upper: Float64) -> LinearBounds:
    """Bounds of all slots: intervals, tightened by backward rows wherever a ReLU reads them.

    lower, upper: float64 (boxes, inputs).
    """
    low, high = np.zeros((len(lower), program.size)), np.zeros((len(lower), program.size))
    low[:, ONE_SLOT] = high[:, ONE_SLOT] = 1.0
    inputs = slice(FIRST_INPUT, FIRST_INPUT + program.inputs)
    low[:, inputs], high[:, inputs] = lower, upper
    lines: dict[int, Lines] = {}
    for index, node in enumerate(program.nodes):
        here = slice(node.start, node.start + node.size)
        if isinstance(node, AffineNode):
            low[:, here], high[:, here] = affine_interval(node, low, high)
        elif isinstance(node, ExtremumNode):
            low[:, here], high[:, here] = extremum_interval(node, low, high)
        else:
            source = slice(node.first, node.first + node.size)
            if lines:
                _tighten(program, index, source, low, high, lines)
            lines[node.start] = relu_lines(low[:, source], high[:, source])
            low[:, here] = np.maximum(low[:, source], 0.0)
            high[:, here] = np.maximum(high[:, source], 0.0)
    return LinearBounds(low, high, lines)


def _tighten(
    program: Program, count: int, source: slice, low: Float64, high: Float64, lines: dict[int, Lines]
) -> None:
    """Bounds of the unstable slots of `source` by rows, where they are better."""
    unstable = source.start + np.flatnonzero(((low[:, source] < 0) & (high[:, source] > 0)).any(axis=0))
    if not unstable.size:
        return
    rows = np.zeros((1, 2 * unstable.size, program.size))
    rows[0, np.arange(unstable.size), unstable] = 1.0
    rows[0, unstable.size + np.arange(unstable.size), unstable] = -1.0
    found = minimum(program, count, rows, low, high, lines)
    low[:, unstable] = np.maximum(low[:, unstable], found[:, : unstable.size])
    high[:, unstable] = np.minimum(high[:, unstable], -found[:, unstable.size :])


def _through_affine(node: AffineNode, part: Float64, form: Float64) -> None:
    """Add the coefficients of a node's results to those of what it reads."""
    positions, rows = len(node.sources), len(node.weights)
    weights = node.weights.astype(np.float64) / node.divisor
    flowing = part.reshape(*part.shape[:2], positions, rows) @ weights
    for column in range(weights.shape[1]):
        sources, arriving = node.sources[:, column], flowing[:, :, :, column]
        if (sources == sources[0]).all():
            form[:, :, sources[0]] += arriving.sum(axis=2)
            continue
        inside = np.flatnonzero(sources != ZERO_SLOT)
        if np.unique(sources[inside]).size == inside.size:
            form[:, :, sources[inside]] += arriving[:, :, inside]
        else:
            for position in inside:
                form[:, :, sources[position]] += arriving[:, :, position]


def _box_minimum(coefficients: Float64, low: Float64, high: Float64) -> Float64:
    least: Float64 = np.einsum("brn,bn->br", np.maximum(coefficients, 0.0), low)
    least += np.einsum("brn,bn->br", np.minimum(coefficients, 0.0), high)
    return least
