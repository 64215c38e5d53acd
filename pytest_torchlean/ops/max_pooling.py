"""MaxPool, GlobalMaxPool: the largest element of each window; padding is never chosen. MaxUnpool: back again.

ONNX MaxPool 1, 8, 10, 11, 12, 22; GlobalMaxPool 1, 22; MaxUnpool 9, 11, 22. A selection, so no rounding; a
window that holds NaN or zeros of both signs has no bits that every runtime agrees on. MaxPool's second output
tells where in the whole input the first of the largest elements lies. MaxUnpool puts elements at such places
of a tensor of zeros; where two meet, the last one stays, which ONNX leaves open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ZERO, IndexStep, Step
from pytest_torchlean.ops.extremum import extremum
from pytest_torchlean.ops.indexed import moving, present
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    DomainError,
    Float64,
    OpRule,
    Prepared,
    ShapeError,
    Types,
    array,
    floats,
    integer,
    integers,
    typed,
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
    x = typed(types[0], "the input", "float32", "int8", "uint8")
    shape = x.shape
    if len(shape) < 3:
        raise ShapeError(f"the input has shape {shape}, which has no spatial axis")
    windows = pooling_windows(node, shape)
    _taps(windows)
    outputs = (*shape[:2], *windows.outputs)
    return (ValueType(x.dtype, outputs), ValueType("int64", outputs))[: len(node.outputs)]


def _prepare(node: Node, types: Types, constants: Arrays) -> Prepared:
    x = typed(types[0], "the input", "float32", "int8", "uint8")
    if x.dtype != "float32" or len(node.outputs) > 1:
        return partial(_evaluate, node)
    from pytest_torchlean.binary32 import loops

    windows = pooling_windows(node, x.shape)
    taps = _taps(windows)
    maps, extent = math.prod(x.shape[:2]), math.prod(x.shape[2:])

    def run(inputs: Arrays) -> tuple[Array, ...]:
        out = np.empty((maps, len(taps)), dtype=np.float32)
        loops.largest_of(np.ascontiguousarray(floats(inputs[0])).reshape(maps, extent), taps, out)
        return (out.reshape(*x.shape[:2], *windows.outputs),)

    return run


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x: Any = array(inputs[0])
    windows = pooling_windows(node, x.shape)
    shape = (*x.shape[:2], *windows.outputs)
    flat, taps = x.reshape(math.prod(x.shape[:2]), math.prod(x.shape[2:])), _taps(windows)
    windows_of_x = flat[:, taps]
    first = windows_of_x.argmax(axis=2)[:, :, None]
    largest = np.take_along_axis(windows_of_x, first, axis=2).reshape(shape)
    if len(node.outputs) == 1:
        return (largest,)
    return largest, _places(node, flat, taps, x.shape).reshape(shape)


def _places(node: Node, flat: Array, taps: Indices, shape: tuple[int, ...]) -> Indices:
    """Where the first largest element of each window lies, counted over the whole input."""
    chosen = flat[:, taps].argmax(axis=2)
    own = np.take_along_axis(np.broadcast_to(taps, (len(flat), *taps.shape)), chosen[:, :, None], 2)[:, :, 0]
    extents = shape[2:]
    if integer(node, "storage_order"):
        own = np.ravel_multi_index(np.unravel_index(own, extents), extents, order="F")
    return np.asarray(own + np.arange(len(flat))[:, None] * math.prod(extents), dtype=np.int64)


def _error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    """0 where every element of the window is finite. Places are claimed as they are."""
    if array(inputs[0]).dtype != np.float32:
        return (None,) * len(node.outputs)
    x = floats(inputs[0])
    windows = pooling_windows(node, x.shape)
    finite = np.isfinite(x).reshape(math.prod(x.shape[:2]), math.prod(x.shape[2:]))
    whole = finite[:, _taps(windows)].all(axis=2)
    bound = np.where(whole, 0.0, np.inf).reshape(*x.shape[:2], *windows.outputs)
    return (bound, *(None,) * (len(node.outputs) - 1))


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


# --- MaxUnpool ----------------------------------------------------------------------------------------


def _infer_unpool(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Attributes: `within`, the shape that the places count in, and `shape`, the result's, no smaller."""
    x, places = present(types[0]), typed(types[1], "the places", "int64")
    within, shape = integers(node, "within"), integers(node, "shape")
    if places.shape != x.shape:
        raise ShapeError(f"places of shape {places.shape} do not fit the input of shape {x.shape}")
    fits = len(within) == len(shape) == len(x.shape) and shape[:2] == within[:2] == x.shape[:2]
    if not fits or any(whole < part or part < 1 for whole, part in zip(shape, within, strict=True)):
        raise ShapeError(f"an output of shape {shape} does not hold the unpooled {within}")
    return (ValueType(x.dtype, shape),)


def _unpool(node: Node, inputs: Sequence[Any], zero: int) -> Array:
    x, places = inputs
    within, shape = integers(node, "within"), integers(node, "shape")
    size = math.prod(within)
    if ((places < 0) | (places >= size)).any():
        raise DomainError(f"a place is out of range for {size} elements")
    flat = np.full(size, zero, dtype=x.dtype)
    flat[places.reshape(-1)] = x.reshape(-1)
    result = np.full(shape, zero, dtype=x.dtype)
    result[tuple(slice(extent) for extent in within)] = flat.reshape(within)
    return result


_UNPOOL = moving(_infer_unpool, _unpool, (0,))


def _unpool_step(node: Node, graph: Graph) -> Step | str:
    places = graph.constants.get(node.inputs[1])
    if places is not None and len(np.unique(places)) < places.size:
        return "two of its elements go to one place, and ONNX leaves open which one stays"
    return _UNPOOL.step(node, graph)


RULES = {
    "MaxUnpool": replace(_UNPOOL, step=_unpool_step),
    "MaxPool": OpRule(_infer, _evaluate, _error_bound, _step, prepare=_prepare),
    "GlobalMaxPool": OpRule(_infer, _evaluate, _error_bound, _step, prepare=_prepare),
}
