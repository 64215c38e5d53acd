"""Interval bounds in binary64, many boxes at once: fast estimates, never evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.bounds.program import (
    FIRST_INPUT,
    ONE_SLOT,
    AffineNode,
    BilinearNode,
    CurveNode,
    ExtremumNode,
    Program,
    ProgramNode,
    QuotientNode,
    ReluNode,
)

Float64 = NDArray[np.float64]

_GATHERED = 1 << 22
"""Numbers gathered at once."""


def propagate(program: Program, lower: Float64, upper: Float64) -> tuple[Float64, Float64]:
    """Interval bounds of all slots.

    lower, upper: float64 (boxes, inputs). Returns two float64 arrays (boxes, slots), rounded to nearest.
    """
    low, high = _start(program, lower), _start(program, upper)
    for node in program.nodes:
        here = slice(node.start, node.start + node.size)
        if isinstance(node, AffineNode):
            low[:, here], high[:, here] = affine_interval(node, low, high)
        elif isinstance(node, ExtremumNode):
            low[:, here], high[:, here] = extremum_interval(node, low, high)
        elif isinstance(node, CurveNode):
            source = slice(node.first, node.first + node.size)
            between = CURVES[node.function].between
            low[:, here], high[:, here] = between(low[:, source], high[:, source])
        elif isinstance(node, BilinearNode):
            low[:, here], high[:, here] = bilinear_interval(node, low, high)
        elif isinstance(node, QuotientNode):
            x, z = ((low[:, side], high[:, side]) for side in (node.left, node.right))
            low[:, here], high[:, here] = quotient_interval(x, z)
        else:
            source = slice(node.first, node.first + node.size)
            low[:, here] = np.maximum(low[:, source], 0.0)
            high[:, here] = np.maximum(high[:, source], 0.0)
    return low, high


def affine_interval(node: AffineNode, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Bounds of a node's results from those of all slots, (boxes, slots) -> (boxes, results)."""
    positive = np.maximum(node.weights.astype(np.float64), 0.0).T
    negative = np.minimum(node.weights.astype(np.float64), 0.0).T
    least, most = np.empty((len(low), node.size)), np.empty((len(low), node.size))
    for boxes in _batches(len(low), node.sources.size):
        below, above = low[boxes][:, node.sources], high[boxes][:, node.sources]
        lowest, highest = below @ positive + above @ negative, above @ positive + below @ negative
        least[boxes] = lowest.reshape(len(below), -1) / node.divisor
        most[boxes] = highest.reshape(len(below), -1) / node.divisor
    return least, most


def extremum_interval(node: ExtremumNode, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Bounds of a node's results from those of all slots, (boxes, slots) -> (boxes, results)."""
    choose = np.maximum if node.maximum else np.minimum
    return choose(low[:, node.left], low[:, node.right]), choose(high[:, node.left], high[:, node.right])


def bilinear_interval(node: BilinearNode, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Bounds of a node's results from those of all slots, (boxes, slots) -> (boxes, results).

    A product lies between the least and the largest product of its factors' bounds, and no square is
    negative.
    """
    least, most = np.empty((len(low), node.size)), np.empty((len(low), node.size))
    for boxes in _batches(len(low), 4 * node.left.size):
        sides = [(side[boxes][:, node.left], side[boxes][:, node.right]) for side in (low, high)]
        (below, other_below), (above, other_above) = sides
        corners = np.stack([x * z for x in (below, above) for z in (other_below, other_above)])
        smallest, largest = corners.min(axis=0), corners.max(axis=0)
        smallest = np.where(node.left == node.right, np.maximum(smallest, 0.0), smallest)
        least[boxes], most[boxes] = smallest.sum(axis=2), largest.sum(axis=2)
    return least, most


FURTHEST = 2.0**64
"""What stands for a quotient whose divisor may be 0 or nearly so: a bound that proves nothing."""


def quotient_interval(x: tuple[Float64, Float64], z: tuple[Float64, Float64]) -> tuple[Float64, Float64]:
    """Bounds of x / z from least and largest values of both; +-FURTHEST where z may be 0."""
    zero = (z[0] <= 0.0) & (z[1] >= 0.0)
    ends = [np.where(zero, 1.0, end) for end in z]
    corners = np.stack([a / b for a in x for b in ends])
    least, most = corners.min(axis=0), corners.max(axis=0)
    least = np.where(zero, -FURTHEST, np.maximum(least, -FURTHEST))
    return least, np.where(zero, FURTHEST, np.minimum(most, FURTHEST))


def evaluate(program: Program, points: Float64) -> Float64:
    """Values of all slots at points, float64 (points, inputs) -> (points, slots)."""
    return propagate(program, points, points)[0]


def rounding_radius(program: Program, points: Float64) -> Float64:
    """How far the outputs of `evaluate` may be from their exact values, (points, outputs).

    The sum of absolute terms of every path, times twice the unit roundoff of binary64 for each operation
    on it (Higham, Accuracy and Stability, section 3.1); 2^-200 covers underflow. Infinite on overflow.
    A maximum or minimum is no further off than the worse of its operands; a smooth activation multiplies by
    its slope and adds a few roundings of its own.
    """
    nodes = tuple(_absolute(node) for node in program.nodes)
    operations = 0.0
    for node in nodes:
        if isinstance(node, AffineNode):
            operations += 2 * node.weights.shape[1] + 4
        elif isinstance(node, BilinearNode):
            # both factors bring their errors along
            operations = 2 * operations + 2 * node.left.shape[1] + 4
        elif isinstance(node, QuotientNode):
            operations = 4 * operations + 8
        elif isinstance(node, CurveNode):
            operations += 8
    with np.errstate(over="ignore", invalid="ignore"):
        values = evaluate(program, points)
        terms = _terms(replace(program, nodes=nodes), np.abs(points), values)[:, program.outputs]
        radius = (operations + 1) * 2.0**-52 * terms + 2.0**-200
    return np.where(np.isnan(radius), np.inf, radius)


def gradient(program: Program, values: Float64, cotangents: Float64) -> Float64:
    """Gradient with respect to the inputs of `sum(cotangents * outputs)` at each point.

    values: float64 (points, slots) from `evaluate`. cotangents: float64 (points, outputs).
    Returns float64 (points, inputs). The derivative of max(x, 0) at 0 is taken as 0; of equal operands of
    a maximum or minimum the first counts.
    """
    adjoint = np.zeros_like(values)
    rows = np.arange(len(values))[:, None]
    np.add.at(adjoint, (rows, program.outputs[None, :]), cotangents)
    for node in reversed(program.nodes):
        here = slice(node.start, node.start + node.size)
        if isinstance(node, AffineNode):
            weights = node.weights.astype(np.float64)
            for batch in _batches(len(values), node.sources.size):
                part = adjoint[batch]
                flowing = part[:, here].reshape(len(part), len(node.sources), -1) / node.divisor @ weights
                np.add.at(
                    part, (rows[: len(part)], node.sources.reshape(1, -1)), flowing.reshape(len(part), -1)
                )
        else:
            add_back(node, values, adjoint)
    return adjoint[:, FIRST_INPUT : FIRST_INPUT + program.inputs]


def _terms(program: Program, points: Float64, values: Float64) -> Float64:
    """The sums of absolute terms, by nodes with absolute weights; values: those of the program itself."""
    terms = _start(program, points)
    for node in program.nodes:
        here = slice(node.start, node.start + node.size)
        if isinstance(node, AffineNode):
            terms[:, here] = affine_interval(node, terms, terms)[0]
        elif isinstance(node, ExtremumNode):
            terms[:, here] = extremum_interval(node, terms, terms)[0]
        elif isinstance(node, BilinearNode):
            terms[:, here] = bilinear_interval(node, terms, terms)[0]
        elif isinstance(node, QuotientNode):
            terms[:, here] = terms[:, node.left] * terms[:, node.right] / values[:, node.right] ** 2
        else:
            source = slice(node.first, node.first + node.size)
            own = terms[:, source]
            if isinstance(node, CurveNode):
                own = CURVES[node.function].grown(own, values[:, source])
            terms[:, here] = own
    return terms


def add_back(node: ProgramNode, values: Float64, adjoint: Float64, leak: float = 0.0) -> None:
    """Add to the adjoints of what a node other than an affine one reads what those of its results give.

    values, adjoint: float64 (points, slots). leak: stands for the derivative 0 of a ReLU.
    """
    here, rows = slice(node.start, node.start + node.size), np.arange(len(values))[:, None]
    arriving = adjoint[:, here]
    if isinstance(node, ReluNode):
        source = slice(node.first, node.first + node.size)
        adjoint[:, source] += arriving * np.where(values[:, source] > 0, 1.0, leak)
    elif isinstance(node, CurveNode):
        source = slice(node.first, node.first + node.size)
        adjoint[:, source] += arriving * CURVES[node.function].slope(values[:, source])
    elif isinstance(node, BilinearNode):
        for own, other in ((node.left, node.right), (node.right, node.left)):
            flowing = (arriving[:, :, None] * values[:, other]).reshape(len(values), -1)
            np.add.at(adjoint, (rows, own.reshape(1, -1)), flowing)
    elif isinstance(node, QuotientNode):
        divisor = values[:, node.right]
        flowing = arriving / np.where(divisor == 0.0, 1.0, divisor)
        np.add.at(adjoint, (rows, node.left[None, :]), flowing)
        np.add.at(adjoint, (rows, node.right[None, :]), -flowing * values[:, here])
    elif isinstance(node, ExtremumNode):
        left, right = values[:, node.left], values[:, node.right]
        first = left >= right if node.maximum else left <= right
        np.add.at(adjoint, (rows, node.left[None, :]), arriving * first)
        np.add.at(adjoint, (rows, node.right[None, :]), arriving * ~first)


def _absolute(node: ProgramNode) -> ProgramNode:
    if isinstance(node, AffineNode):
        return replace(node, weights=np.abs(node.weights))
    return replace(node, maximum=True) if isinstance(node, ExtremumNode) else node


def _batches(count: int, elements: int) -> Iterator[slice]:
    """Slices of `count` rows of which each gathers `elements` numbers, so that memory stays bounded."""
    step = max(1, _GATHERED // max(1, elements))
    return (slice(start, start + step) for start in range(0, count, step))


def _start(program: Program, inputs: Float64) -> Float64:
    state = np.zeros((len(inputs), program.size))
    state[:, ONE_SLOT] = 1.0
    state[:, FIRST_INPUT : FIRST_INPUT + program.inputs] = inputs
    return state
