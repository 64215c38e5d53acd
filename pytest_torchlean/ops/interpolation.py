"""Interpolate: weighted sums of elements along one axis; what Resize in its linear and cubic modes consists
of.

Output o along the axis adds weights[o, k] * x[index[o, k]] over k ascending. The weights are real numbers
that the geometry fixes, here rounded to binary32; runtimes compute their coordinates in binary32
themselves, so the error bound grants every weight the attribute `doubt`, and eight roundings of subnormals
to every term. Nearest neighbours are plain
Gather nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.error_bounds import ETA
from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.indexed import axis_in
from pytest_torchlean.ops.rule import ShapeError, Types, float_type, integer, real, typed


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = float_type(types[0], "the operand")
    index, weights = typed(types[1], "the index", "int64"), float_type(types[2], "the weights")
    axis = axis_in(node, x)
    if len(index.shape) != 2 or weights.shape != index.shape or index.shape[1] < 1:
        raise ShapeError(f"index {index.shape} and weights {weights.shape} differ in shape")
    return (ValueType("float32", (*x.shape[:axis], index.shape[0], *x.shape[axis + 1 :])),)


def _formula(node: Node, operands: Sequence[Any]) -> list[Any]:
    x, index, weights = operands
    axis = integer(node, "axis")
    shape = (-1, *(1,) * (len(x.shape) - axis - 1))
    doubt = float(real(node, "doubt"))
    if isinstance(weights, Enclosed):
        weights = Enclosed(weights.center, weights.radius + np.where(weights.center == 0, 0.0, doubt))
    taken = [x.moved(lambda v, at=at: np.take(v, index[:, at], axis=axis)) for at in range(index.shape[1])]
    parts = [part * weights.moved(lambda v, at=at: v[:, at].reshape(shape)) for at, part in enumerate(taken)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    if isinstance(total, Enclosed):
        total = Enclosed(total.center, total.radius + 8.0 * len(parts) * ETA)
    return [total]


RULES = {"Interpolate": rule_of(_infer, _formula)}
