"""A graph as a straight-line program over numbered slots, the form that bounds and certificates share.

Slot 0 holds 0 and slot 1 holds 1; the inputs follow, then the results of the nodes in order. Data
movement disappears into slot numbers. Weights stay the file's binary32 numbers; a bias is a column
that reads slot 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Slots = NDArray[np.int64]

ZERO_SLOT = 0
ONE_SLOT = 1
FIRST_INPUT = 2


@dataclass(frozen=True, eq=False)
class AffineNode:
    """divisor * y = weights @ x at every position.

    start: first slot written; result (position, row) goes to slot start + row + rows * position.
    weights: float32 (rows, columns), finite. sources: int64 (positions, columns), slots below start.
    """

    start: int
    weights: NDArray[np.float32]
    sources: Slots
    divisor: int

    @property
    def size(self) -> int:
        """Number of slots written."""
        return int(self.weights.shape[0] * self.sources.shape[0])


@dataclass(frozen=True)
class ReluNode:
    """y = max(x, 0) for the `size` slots from `first` on."""

    start: int
    first: int
    size: int


@dataclass(frozen=True, eq=False)
class ExtremumNode:
    """y = max(x, x') or y = min(x, x'), one result for each pair of slots below start.

    left, right: int64 (size,).
    """

    start: int
    maximum: bool
    left: Slots
    right: Slots

    @property
    def size(self) -> int:
        """Number of slots written."""
        return int(self.left.size)


@dataclass(frozen=True)
class CurveNode:
    """A smooth activation of the `size` slots from `first` on. function: see `bounds.curves`."""

    start: int
    function: str
    first: int
    size: int


@dataclass(frozen=True, eq=False)
class BilinearNode:
    """y = the sum over k of left[k] * right[k], for each row of slots below start.

    left, right: int64 (size, terms), with at least one term.
    """

    start: int
    left: Slots
    right: Slots

    @property
    def size(self) -> int:
        """Number of slots written."""
        return len(self.left)


@dataclass(frozen=True, eq=False)
class QuotientNode:
    """y = x / x', one result for each pair of slots below start. left, right: int64 (size,)."""

    start: int
    left: Slots
    right: Slots

    @property
    def size(self) -> int:
        """Number of slots written."""
        return int(self.left.size)


ProgramNode = AffineNode | ReluNode | ExtremumNode | CurveNode | BilinearNode | QuotientNode


@dataclass(frozen=True, eq=False)
class Program:
    """Nodes write consecutive slots from FIRST_INPUT + inputs on; `outputs` are the output's slots."""

    inputs: int
    nodes: tuple[ProgramNode, ...]
    outputs: Slots
    size: int
    """Number of all slots."""
    values: Mapping[str, Slots] = field(default_factory=dict)
    """The slots of the graph's inputs and computed values, flat."""

    @property
    def at_positions(self) -> bool:
        """Whether a node has several positions, as a convolution has."""
        return any(isinstance(node, AffineNode) and len(node.sources) > 1 for node in self.nodes)

    @property
    def used_weights(self) -> int:
        """Weights, each as often as there are positions that use it."""
        affine = (node for node in self.nodes if isinstance(node, AffineNode))
        return sum(node.weights.size * len(node.sources) for node in affine)
