"""Conv: 1-D, 2-D, 3-D and beyond; any stride, padding, dilation and group.

ONNX Conv 1, 11, 22. Schedule of one output element: the sequential kernel over input channels of the
group, then the kernel's elements in row-major order; padding is an input of +0; the bias is added last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import kernels
from pytest_torchlean.binary32.error_bounds import dot_bound
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ZERO, AffineBlock, AffineStep, Step
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Float64,
    OpRule,
    ShapeError,
    Types,
    constant,
    float_type,
    floats,
    integer,
    positions,
    wide,
)
from pytest_torchlean.ops.windows import Windows, windows_of

_CHUNK_ELEMENTS = 2**22
"""Elements of the unfolded input held at once."""


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = float_type(types[0], "the input").shape
    w = float_type(types[1], "the weight").shape
    group = integer(node, "group")
    if len(x) < 3 or len(w) != len(x):
        raise ShapeError(f"input {x} and weight {w} need the same rank, at least 3")
    if group < 1 or w[0] % group or x[1] != w[1] * group:
        raise ShapeError(f"input {x} and weight {w} do not fit group {group}")
    if len(types) > 2 and types[2] is not None and float_type(types[2], "the bias").shape != (w[0],):
        raise ShapeError(f"the bias has shape {types[2].shape}, not {(w[0],)}")
    return (ValueType("float32", (x[0], w[0], *windows_of(node, x[2:], w[2:]).outputs)),)


def _windows(node: Node, x: tuple[int, ...], w: tuple[int, ...]) -> Windows:
    return windows_of(node, x[2:], w[2:])


def _columns(
    x: NDArray[np.float32] | NDArray[np.float64],
    w_shape: tuple[int, ...],
    group: int,
    taps: NDArray[np.int64],
) -> Iterator[tuple[int, int, slice, Array]]:
    """Unfolded input: (batch index, group, slice of positions, (channels * volume, positions))."""
    channels = w_shape[1]
    flat = x.reshape(x.shape[0], x.shape[1], math.prod(x.shape[2:]))
    padded = np.concatenate([flat, np.zeros((*flat.shape[:2], 1), dtype=x.dtype)], axis=2)
    length = max(1, _CHUNK_ELEMENTS // max(1, channels * taps.shape[1]))
    for batch in range(x.shape[0]):
        for part in range(group):
            own = padded[batch, part * channels : (part + 1) * channels]
            for start in range(0, taps.shape[0], length):
                chunk = slice(start, min(start + length, taps.shape[0]))
                unfolded = own[:, taps[chunk].T]
                yield batch, part, chunk, unfolded.reshape(channels * taps.shape[1], -1)


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x, w = floats(inputs[0]), floats(inputs[1])
    group = integer(node, "group")
    windows = _windows(node, x.shape, w.shape)
    rows = w.reshape(group, w.shape[0] // group, math.prod(w.shape[1:]))
    result = np.empty((x.shape[0], group, rows.shape[1], math.prod(windows.outputs)), dtype=np.float32)
    for batch, part, chunk, columns in _columns(x, w.shape, group, windows.taps()):
        result[batch, part, :, chunk] = kernels.matmul(rows[part], floats(columns))
    result = result.reshape(x.shape[0], w.shape[0], *windows.outputs)
    if len(inputs) > 2 and inputs[2] is not None:
        bias = floats(inputs[2]).reshape(-1, *(1,) * len(windows.outputs))
        with np.errstate(all="ignore"):
            result = kernels.canonical_nan(np.add(result, bias))
    return (result,)


def _error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    """gamma_m * S + m * eta, m = non-zero products of the output, one more for a non-zero bias."""
    x, w = np.abs(wide(inputs[0])), np.abs(wide(inputs[1]))
    group = integer(node, "group")
    windows = _windows(node, x.shape, w.shape)
    rows = w.reshape(group, w.shape[0] // group, math.prod(w.shape[1:]))
    used = (rows != 0).astype(np.float64)
    shape = (x.shape[0], group, rows.shape[1], math.prod(windows.outputs))
    magnitude, count = np.empty(shape), np.empty(shape)
    with np.errstate(invalid="ignore", over="ignore"):
        for batch, part, chunk, columns in _columns(x, w.shape, group, windows.taps()):
            magnitude[batch, part, :, chunk] = rows[part] @ columns
            count[batch, part, :, chunk] = used[part] @ (columns != 0).astype(np.float64)
    if len(inputs) > 2 and inputs[2] is not None:
        bias = np.abs(wide(inputs[2])).reshape(1, group, -1, 1)
        magnitude += bias
        count += bias != 0
    return (dot_bound(magnitude, count).reshape(x.shape[0], w.shape[0], *windows.outputs),)


def _step(node: Node, graph: Graph) -> Step | str:
    weights = constant(graph, node.inputs[1])
    if weights is None:
        return "the weight is computed at run time, so the convolution is not linear"
    bias = None
    if len(node.inputs) > 2 and node.inputs[2]:
        bias = constant(graph, node.inputs[2])
        if bias is None:
            return "the bias is computed at run time"
    x, group = graph.types[node.inputs[0]].shape, integer(node, "group")
    windows = _windows(node, x, weights.shape)
    taps, extent = windows.taps(), math.prod(x[2:])
    rows = weights.shape[0] // group
    outputs = positions((x[0], group, rows, len(taps)))
    channels = weights.shape[1]
    blocks = []
    for part in range(group):
        own = slice(part * rows, (part + 1) * rows)
        blocks.append(
            AffineBlock(
                weights=np.ascontiguousarray(weights[own].reshape(rows, math.prod(weights.shape[1:]))),
                bias=None if bias is None else np.ascontiguousarray(bias[own]),
                gather=_gather(x[0], x[1], part * channels, channels, extent, taps),
                scatter=outputs[:, part].transpose(0, 2, 1).reshape(-1, rows),
            )
        )
    return AffineStep((node.inputs[0],), tuple(blocks))


def _gather(
    batch: int, all_channels: int, first: int, channels: int, extent: int, taps: NDArray[np.int64]
) -> NDArray[np.int64]:
    """int64 (batch * positions, channels * volume): taps of the group's channels, ZERO kept."""
    start = (np.arange(batch)[:, None] * all_channels + first + np.arange(channels)) * extent
    moved = taps[None, :, None, :] + start[:, None, :, None]
    moved = np.where(taps[None, :, None, :] == ZERO, ZERO, moved)
    return np.asarray(moved, dtype=np.int64).reshape(batch * len(taps), channels * taps.shape[1])


RULES = {"Conv": OpRule(_infer, _evaluate, _error_bound, _step)}
