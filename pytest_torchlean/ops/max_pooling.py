"""MaxPool and GlobalMaxPool: the largest element of each window; padding is never chosen.

ONNX MaxPool 1, 8, 10, 11, 12, 22; GlobalMaxPool 1, 22. A selection, so no rounding; a window that holds NaN
or zeros of both signs has no bits that every runtime agrees on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ZERO, IndexStep, Step
from pytest_torchlean.ops.extremum import extremum
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Float64,
    OpRule,
    ShapeError,
    Types,
    float_type,
    floats,
)
from pytest_torchlean.ops.windows import Windows, pooling_windows

Indices = NDArray[np.int64]


def _taps(windows: Windows) -> Indices:
    """What each window chooses from, int64 (windows, volume): padding replaced by an element inside.

    ShapeError where a window lies entirely in the padding.
    """
    taps = windows.taps()
    if taps.size and int(taps.max(axis=1).min()) == ZERO:
        raise ShapeError("a window lies entirely in the padding, so it has no largest element")
    inside = np.take_along_axis(taps, (taps != ZERO).argmax(axis=1)[:, None], axis=1)
    return np.where(taps == ZERO, inside, taps)


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    shape = float_type(types[0], "the input").shape
    if len(shape) < 3:
        raise ShapeError(f"the input has shape {shape}, which has no spatial axis")
    windows = pooling_windows(node, shape)
    _taps(windows)
    return (ValueType("float32", (*shape[:2], *windows.outputs)),)


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x = floats(inputs[0])
    windows = pooling_windows(node, x.shape)
    flat = x.reshape(math.prod(x.shape[:2]), math.prod(x.shape[2:]))
    with np.errstate(invalid="ignore"):
        largest = flat[:, _taps(windows)].max(axis=2)
    return (largest.reshape(*x.shape[:2], *windows.outputs),)


def _error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    """0 where every element of the window is finite."""
    x = floats(inputs[0])
    windows = pooling_windows(node, x.shape)
    finite = np.isfinite(x).reshape(math.prod(x.shape[:2]), math.prod(x.shape[2:]))
    whole = finite[:, _taps(windows)].all(axis=2)
    return (np.where(whole, 0.0, np.inf).reshape(*x.shape[:2], *windows.outputs),)


def _step(node: Node, graph: Graph) -> Step | str:
    """One operand for each element of the windows."""
    shape = graph.types[node.inputs[0]].shape
    taps = _taps(pooling_windows(node, shape))
    starts = np.arange(math.prod(shape[:2]), dtype=np.int64)[:, None] * math.prod(shape[2:])
    operands = tuple(
        IndexStep((node.inputs[0],), (starts + taps[:, element]).reshape(-1))
        for element in range(taps.shape[1])
    )
    return extremum(operands, True, graph.types[node.outputs[0]].size)


RULES = {
    "MaxPool": OpRule(_infer, _evaluate, _error_bound, _step),
    "GlobalMaxPool": OpRule(_infer, _evaluate, _error_bound, _step),
}
