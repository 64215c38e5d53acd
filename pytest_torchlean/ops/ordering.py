"""TopK, ArgMax, ArgMin: choices by order, so no rounding.

ONNX TopK, ArgMax and ArgMin since 1. Of equal elements TopK takes the one with the smaller index first;
ArgMax and ArgMin take the first, or the last with `select_last`. NaN counts as larger than every number in
TopK, and is what ArgMax and ArgMin find.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.indexed import axis_in
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    OpRule,
    ShapeError,
    Types,
    array,
    exactly_rounded,
    integer,
    no_step,
    number_type,
)

_NO_STEP = no_step("which element it chooses depends on the input")


def _infer_top(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, k = number_type(types[0], "the operand"), integer(node, "k")
    axis = axis_in(node, x)
    if not 0 <= k <= x.shape[axis]:
        raise ShapeError(f"k is {k}, the axis has {x.shape[axis]} elements")
    shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
    return (ValueType(x.dtype, shape), ValueType("int64", shape))


def _top(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x: Any = array(inputs[0])
    axis, k = integer(node, "axis"), integer(node, "k")
    if integer(node, "largest"):
        backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
        order = x.shape[axis] - 1 - np.flip(backwards, axis)
    else:
        order = np.argsort(x, axis=axis, kind="stable")
    chosen = np.take(order, np.arange(k), axis=axis).astype(np.int64)
    return np.ascontiguousarray(np.take_along_axis(x, chosen, axis)), np.ascontiguousarray(chosen)


def _infer_arg(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = number_type(types[0], "the operand")
    axis = axis_in(node, x)
    if x.shape[axis] == 0:
        raise ShapeError("the axis has no element")
    kept = (1,) if integer(node, "keepdims") else ()
    return (ValueType("int64", (*x.shape[:axis], *kept, *x.shape[axis + 1 :])),)


def _arg(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x: Any = array(inputs[0])
    axis, last = integer(node, "axis"), integer(node, "select_last")
    find = np.argmax if node.op == "ArgMax" else np.argmin
    at = find(np.flip(x, axis) if last else x, axis=axis)
    at = x.shape[axis] - 1 - at if last else at
    at = np.expand_dims(at, axis) if integer(node, "keepdims") else np.asarray(at)
    return (np.asarray(at, dtype=np.int64),)


RULES = {
    "TopK": OpRule(_infer_top, _top, exactly_rounded, _NO_STEP),
    "ArgMax": OpRule(_infer_arg, _arg, exactly_rounded, _NO_STEP),
    "ArgMin": OpRule(_infer_arg, _arg, exactly_rounded, _NO_STEP),
}
