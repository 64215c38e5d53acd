"""Forward and reverse passes of a program in binary64 at many points, with weights converted once.

The reverse pass is written out by hand: the transposed affine map, the step function of a ReLU, the chosen
operand of a maximum or minimum. For searches; nothing here is evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.bounds.interval import add_back, quotient_interval
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
Slots = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Affine:
    """y = x[sources] @ weights, weights: float64 (columns, rows), the divisor included.

    `run`: the slots as a slice where a single position reads neighbours in order. Otherwise adjoints of the
    columns, taken in `order`, are summed from each of `starts` on and belong to the slots `distinct`.
    """

    here: slice
    weights: Float64
    sources: Slots
    run: slice | None
    order: Slots
    starts: Slots
    distinct: Slots


class Passes:
    """The passes of one program. Points are float64 (points, inputs)."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._nodes = tuple(_prepared(node) for node in program.nodes)

    def values(self, points: Float64) -> Float64:
        """Values of all slots, (points, slots)."""
        values = np.zeros((len(points), self._program.size))
        values[:, ONE_SLOT] = 1.0
        values[:, FIRST_INPUT : FIRST_INPUT + self._program.inputs] = points
        for node in self._nodes:
            if isinstance(node, _Affine):
                read = values[:, node.run] if node.run is not None else values[:, node.sources]
                values[:, node.here] = (read @ node.weights).reshape(len(points), -1)
            elif isinstance(node, ReluNode):
                source = values[:, node.first : node.first + node.size]
                np.maximum(source, 0.0, out=values[:, node.start : node.start + node.size])
            elif isinstance(node, CurveNode):
                source = values[:, node.first : node.first + node.size]
                values[:, node.start : node.start + node.size] = CURVES[node.function].value(source)
            elif isinstance(node, BilinearNode):
                products = values[:, node.left] * values[:, node.right]
                values[:, node.start : node.start + node.size] = products.sum(axis=2)
            elif isinstance(node, QuotientNode):
                x, z = values[:, node.left], values[:, node.right]
                values[:, node.start : node.start + node.size] = quotient_interval((x, x), (z, z))[0]
            else:
                choose = np.maximum if node.maximum else np.minimum
                values[:, node.start : node.start + node.size] = choose(
                    values[:, node.left], values[:, node.right]
                )
        return values

    def gradient(self, values: Float64, cotangents: Float64, leak: float = 0.0) -> Float64:
        """Gradient of `sum(cotangents * outputs)` with respect to the inputs, (points, inputs).

        values: from `values`. cotangents: (points, outputs). The derivative of max(x, 0) at 0 is taken as 0;
        of equal operands of a maximum or minimum the first counts. `leak` is what stands for the derivative 0
        of a ReLU: a direction that wakes those that are off, where all are.
        """
        adjoint = np.zeros_like(values)
        rows = np.arange(len(values))[:, None]
        np.add.at(adjoint, (rows, self._program.outputs[None, :]), cotangents)
        for node in reversed(self._nodes):
            if isinstance(node, _Affine):
                arriving = adjoint[:, node.here]
                if node.run is not None:
                    adjoint[:, node.run] += arriving @ node.weights.T
                    continue
                positions = len(node.sources)
                flowing = arriving.reshape(len(values), positions, -1) @ node.weights.T
                ordered = flowing.reshape(len(values), -1)[:, node.order]
                adjoint[:, node.distinct] += np.add.reduceat(ordered, node.starts, axis=1)
                continue
            add_back(node, values, adjoint, leak)
        return adjoint[:, FIRST_INPUT : FIRST_INPUT + self._program.inputs]


def _prepared(
    node: ProgramNode,
) -> _Affine | ReluNode | ExtremumNode | CurveNode | BilinearNode | QuotientNode:
    if not isinstance(node, AffineNode):
        return node
    flat = node.sources.reshape(-1)
    run = None
    if len(node.sources) == 1 and (np.diff(flat) == 1).all():
        run = slice(int(flat[0]), int(flat[0]) + flat.size)
    order = np.argsort(flat, kind="stable")
    distinct, starts = np.unique(flat[order], return_index=True)
    weights = np.ascontiguousarray(node.weights.astype(np.float64).T) / node.divisor
    return _Affine(
        slice(node.start, node.start + node.size), weights, node.sources, run, order, starts, distinct
    )
