"""How certificates see normalizations by statistics of the input: the rounded operations they are made of.

LayerNormalization, RMSNormalization, InstanceNormalization and GroupNormalization.

mean = sum / n, d = x - mean (RMSNormalization: d = x), v = sum(d * d) / n + epsilon, d * (1 / sqrt(v)), times
scale, plus bias. Sums are in any order, and leaving out a rounding is one of the executions: a kernel that
divides by the root, sums in binary64 or multiplies and adds at once computes one of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import (
    AffineBlock,
    AffineStep,
    BilinearStep,
    CurveStep,
    IndexStep,
    LinearStep,
    OperandStep,
    PickStep,
    QuotientStep,
    Step,
)
from pytest_torchlean.ops.elementwise import combination, product, repeated
from pytest_torchlean.ops.extremum import extremum
from pytest_torchlean.ops.rule import integer, positions, real

Positions = NDArray[np.int64]

_MOST_ELEMENTS = 4096
"""Squares whose rounding is far below 2^-10."""
_LEAST_EPSILON = 2.0**-60
"""Far above what is lost where squares underflow."""


def normalized_step(node: Node, graph: Graph, *, exact: bool = False) -> Step | str:
    """Of LayerNormalization and RMSNormalization: rows are what lies behind an axis. exact: for claims about
    exact arithmetic.
    """
    kind = graph.types[node.inputs[0]]
    terms = math.prod(kind.shape[integer(node, "axis") :])
    places = [
        np.broadcast_to(positions(graph.types[name].shape), kind.shape).reshape(-1)
        for name in node.inputs[1:]
        if name
    ]
    centered = node.op == "LayerNormalization"
    return _step(node, graph, terms, places, centered=centered, exact=exact)


def grouped_step(node: Node, graph: Graph, *, exact: bool = False) -> Step | str:
    """Of InstanceNormalization and GroupNormalization: rows are channels, or groups of them, of a batch."""
    kind = graph.types[node.inputs[0]]
    channels, size = kind.shape[1], math.prod(kind.shape[2:])
    groups = integer(node, "groups") or channels
    own = groups if integer(node, "per_group") else channels
    if kind.size == 0:
        return "it has no elements"
    owners = np.arange(kind.size, dtype=np.int64) // (channels // own * size) % own
    return _step(node, graph, channels // groups * size, [owners, owners], centered=True, exact=exact)


def _step(
    node: Node, graph: Graph, terms: int, places: Sequence[Positions], *, centered: bool, exact: bool
) -> Step | str:
    """Of rows of so many terms; places: the number of scale, and of bias, that is each element's.

    Selections that change nothing say that up to rounding no d * (1 / sqrt(v)) is beyond sqrt(n): its square
    is at most n * d * d / sum(d * d). Where the sum of all d is exactly 0, none is beyond sqrt(n - 1): d is
    then the sum of the others up to its sign, and their squares sum to d * d / (n - 1) at least.
    """
    size, epsilon = graph.types[node.inputs[0]].size, float(real(node, "epsilon"))
    if size == 0:
        return "it has no elements"
    if terms > _MOST_ELEMENTS:
        return f"it has more than {_MOST_ELEMENTS} summands"
    if epsilon < _LEAST_EPSILON:
        return "its epsilon is not above 2^-60"
    names = [name for name in node.inputs[1:] if name]
    scale, *bias = (IndexStep((name,), own) for name, own in zip(names, places, strict=True))
    most = np.float32(math.sqrt(terms) * (1 + 2.0**-9))
    if exact and centered:
        most = np.nextafter(np.float32(math.sqrt(max(terms - 1, 1))), np.float32(np.inf))
    unit = _unit(node.inputs[0], size // terms, terms, epsilon, most, centered=centered)
    scaled: OperandStep = product(unit, scale, size)
    return combination([(scaled, 1.0), *((value, 1.0) for value in bias)], size)


def _unit(
    name: str, rows: int, terms: int, epsilon: float, most: np.float32, *, centered: bool
) -> OperandStep:
    """The input's rows, of mean 0 where `centered`, divided by the roots of their mean squares; none of them
    is beyond `most`."""
    size = rows * terms
    places, owners = np.arange(size, dtype=np.int64), np.arange(rows, dtype=np.int64)
    gather, owner = places.reshape(rows, terms), places // terms
    ones = np.ones((1, terms), np.float32)
    distance: OperandStep = IndexStep((name,), places)
    if centered:
        mean = AffineStep((name,), (AffineBlock(ones, None, gather, owners[:, None], terms),))
        distance = combination([(distance, 1.0), (PickStep(mean, owner), -1.0)], size)
    squares = BilinearStep(distance, distance, terms, rows)
    average = AffineBlock(np.ones((1, 1), np.float32), None, owners[:, None], owners[:, None], terms)
    raised = combination([(LinearStep((squares,), (average,)), 1.0)], rows, epsilon)
    inverse = QuotientStep(repeated(name, np.float32(1), rows), CurveStep(raised, "sqrt"))
    share = product(distance, PickStep(inverse, owner), size)
    below = extremum((share, repeated(name, most, size)), False, size)
    return extremum((below, repeated(name, -most, size)), True, size)
