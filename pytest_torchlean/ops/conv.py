"""Conv and ConvTranspose: 1-D, 2-D, 3-D and beyond; any stride, padding, dilation and group.

ONNX Conv and ConvTranspose 1, 11, 22. Schedule of one output element: the sequential kernel over input
channels of the group, then the kernel's elements in row-major order; padding is an input of +0; the bias is
added last. ConvTranspose is the transposed map, with the number of outputs of every axis resolved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import kernels
from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.error_bounds import dot_bound
from pytest_torchlean.binary32.machine import choose
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ZERO, AffineBlock, AffineStep, Step
from pytest_torchlean.ops.lattice import Axis, LatticeConvolution, convolution_axis, transposed_axis
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    Float32,
    Float64,
    OpRule,
    Prepared,
    ShapeError,
    Types,
    constant,
    enclosed,
    float_type,
    floats,
    integer,
    integers,
    positions,
    wide,
)
from pytest_torchlean.ops.windows import MOST_TAPS, Windows, windows_of

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


@dataclass(frozen=True, eq=False)
class Convolution:
    """Sums over taps: output o of channel m adds weights[m, c, k] * x[c, taps[o, k]] over c and k.

    weights: (channels out, channels in per group, volume); taps: int64 (outputs, volume).
    """

    group: int
    taps: NDArray[np.int64]
    outputs: tuple[int, ...]

    def evaluate(self, x: Float32, weights: Float32, bias: Float32 | None) -> Float32:
        """The sequential schedule, channels then kernel elements; the bias is added last."""
        group, channels = self.group, weights.shape[0]
        rows = weights.reshape(group, channels // group, math.prod(weights.shape[1:]))
        result = np.empty((x.shape[0], group, rows.shape[1], len(self.taps)), dtype=np.float32)
        for batch, part, chunk, columns in _columns(x, weights.shape, group, self.taps):
            result[batch, part, :, chunk] = kernels.matmul(rows[part], floats(columns))
        result = result.reshape(x.shape[0], channels, *self.outputs)
        if bias is not None:
            with np.errstate(all="ignore"):
                result = kernels.canonical_nan(np.add(result, bias.reshape(-1, *(1,) * len(self.outputs))))
        return result

    def error_bound(self, x: Float64, weights: Float64, bias: Float64 | None) -> Float64:
        """gamma_m * S + m * eta, m = non-zero products of the output, one more for a non-zero bias.

        All arguments are absolute values.
        """
        group, channels = self.group, weights.shape[0]
        rows = weights.reshape(group, channels // group, math.prod(weights.shape[1:]))
        used = (rows != 0).astype(np.float64)
        shape = (x.shape[0], group, rows.shape[1], len(self.taps))
        magnitude, count = np.empty(shape), np.empty(shape)
        with np.errstate(invalid="ignore", over="ignore"):
            for batch, part, chunk, columns in _columns(x, weights.shape, group, self.taps):
                magnitude[batch, part, :, chunk] = rows[part] @ columns
                count[batch, part, :, chunk] = used[part] @ (columns != 0).astype(np.float64)
        if bias is not None:
            own = bias.reshape(1, group, -1, 1)
            magnitude += own
            count += own != 0
        return dot_bound(magnitude, count).reshape(x.shape[0], channels, *self.outputs)

    def apply(self, x: Float64, weights: Float64) -> Float64:
        """The sums in binary64."""
        group, channels = self.group, weights.shape[0]
        rows = weights.reshape(group, channels // group, math.prod(weights.shape[1:]))
        result = np.empty((x.shape[0], group, rows.shape[1], len(self.taps)))
        with np.errstate(invalid="ignore", over="ignore"):
            for batch, part, chunk, columns in _columns(x, weights.shape, group, self.taps):
                result[batch, part, :, chunk] = rows[part] @ columns
        return result.reshape(x.shape[0], channels, *self.outputs)

    def enclose(self, x: Enclosed, weights: Enclosed, bias: Enclosed | None) -> Enclosed:
        """Where the sums of every execution lie."""
        center = self.apply(x.center, weights.center)
        inherited = self.apply(np.abs(x.center), weights.radius) + self.apply(x.radius, weights.size)
        if bias is not None:
            column = (-1, *(1,) * len(self.outputs))
            center = center + bias.center.reshape(column)
            inherited = inherited + bias.radius.reshape(column)
        own = self.error_bound(x.size, weights.size, None if bias is None else bias.size)
        radius = inherited * (1.0 + 2.0**-26) + own
        return Enclosed(center, np.where(np.isnan(radius), np.inf, radius))

    def blocks(
        self, shape: tuple[int, ...], weights: Float32, bias: Float32 | None
    ) -> tuple[AffineBlock, ...]:
        """The linear form on an input of this shape, one block for each group."""
        extent, channels = math.prod(shape[2:]), weights.shape[1]
        rows = weights.shape[0] // self.group
        outputs = positions((shape[0], self.group, rows, len(self.taps)))
        blocks = []
        for part in range(self.group):
            own = slice(part * rows, (part + 1) * rows)
            blocks.append(
                AffineBlock(
                    weights=np.ascontiguousarray(weights[own].reshape(rows, math.prod(weights.shape[1:]))),
                    bias=None if bias is None else np.ascontiguousarray(bias[own]),
                    gather=_gather(shape[0], shape[1], part * channels, channels, extent, self.taps),
                    scatter=outputs[:, part].transpose(0, 2, 1).reshape(-1, rows),
                )
            )
        return tuple(blocks)


@dataclass(frozen=True)
class Kind:
    """What tells Conv and ConvTranspose apart: the taps, the axes of the compiled form, and the weight as
    (out, in per group, volume)."""

    convolution: Callable[[Node, tuple[int, ...], tuple[int, ...]], Convolution]
    axes: Callable[[Node, tuple[int, ...], tuple[int, ...]], tuple[Axis, ...]]
    arranged: Callable[[Node, Any], Any]

    def evaluate(self, node: Node, inputs: Arrays) -> tuple[Array, ...]:
        """Values of the output."""
        x, w = floats(inputs[0]), floats(inputs[1])
        bias = floats(inputs[2]) if len(inputs) > 2 and inputs[2] is not None else None
        axes = self.axes(node, x.shape, w.shape)
        depth, positions = math.prod(w.shape) // (x.shape[1] or 1), math.prod(axis.outputs for axis in axes)
        seconds = kernels.numpy_seconds(x.shape[0] * x.shape[1], depth, positions)
        if choose("sums", seconds) == "numba" and LatticeConvolution.fits(axes, *x.shape[:2]):
            group = integer(node, "group")
            return (LatticeConvolution(axes, group, self.arranged(node, w), bias).run(x),)
        return (self.convolution(node, x.shape, w.shape).evaluate(x, self.arranged(node, w), bias),)

    def prepare(self, node: Node, types: Types, constants: Arrays) -> Prepared:
        """The compiled form with constant weights."""
        x, w = float_type(types[0], "the input").shape, float_type(types[1], "the weight").shape
        given = zip(types[1:], constants[1:], strict=True)
        computed = any(kind is not None and value is None for kind, value in given)
        axes = self.axes(node, x, w)
        if computed or not LatticeConvolution.fits(axes, *x[:2]):
            return partial(self.evaluate, node)
        bias = floats(constants[2]) if len(constants) > 2 and constants[2] is not None else None
        arranged = self.arranged(node, floats(constants[1]))
        found = LatticeConvolution(axes, integer(node, "group"), arranged, bias)
        return lambda inputs: (found.run(floats(inputs[0])),)

    def error_bound(self, node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
        """The derived bound."""
        x, w = np.abs(wide(inputs[0])), np.abs(wide(inputs[1]))
        bias = np.abs(wide(inputs[2])) if len(inputs) > 2 and inputs[2] is not None else None
        return (self.convolution(node, x.shape, w.shape).error_bound(x, self.arranged(node, w), bias),)

    def enclose(self, node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
        """Where every execution lies."""
        x, w = enclosed(inputs[0]), enclosed(inputs[1])
        bias = enclosed(inputs[2]) if len(inputs) > 2 and inputs[2] is not None else None
        convolution = self.convolution(node, x.shape, w.shape)
        return (convolution.enclose(x, w.moved(lambda v: self.arranged(node, v)), bias),)

    def step(self, node: Node, graph: Graph) -> Step | str:
        """How certificates see it."""
        weights = constant(graph, node.inputs[1])
        if weights is None:
            return "the weight is computed at run time, so the convolution is not linear"
        bias = None
        if len(node.inputs) > 2 and node.inputs[2]:
            bias = constant(graph, node.inputs[2])
            if bias is None:
                return "the bias is computed at run time"
        shape = graph.types[node.inputs[0]].shape
        convolution = self.convolution(node, shape, weights.shape)
        arranged = np.ascontiguousarray(self.arranged(node, weights))
        return AffineStep((node.inputs[0],), convolution.blocks(shape, arranged, bias))


def convolution_of(node: Node, x: tuple[int, ...], w: tuple[int, ...]) -> Convolution:
    """The sums of Conv on an input and a weight of these shapes."""
    windows = _windows(node, x, w)
    return Convolution(integer(node, "group"), windows.taps(), windows.outputs)


def _axes(
    axis: Callable[[int, int, int, int, int, int], Axis], node: Node, extents: Any, outputs: Any, kernel: Any
) -> tuple[Axis, ...]:
    strides, dilations, pads = (integers(node, name) for name in ("strides", "dilations", "pads"))
    begins = pads[: len(kernel)]
    return tuple(map(axis, extents, outputs, strides, dilations, kernel, begins))


def _forward_axes(node: Node, x: tuple[int, ...], w: tuple[int, ...]) -> tuple[Axis, ...]:
    return _axes(convolution_axis, node, x[2:], _windows(node, x, w).outputs, w[2:])


def _backward_axes(node: Node, x: tuple[int, ...], w: tuple[int, ...]) -> tuple[Axis, ...]:
    return _axes(transposed_axis, node, x[2:], integers(node, "outputs"), w[2:])


def _flat_kernel(node: Node, w: Any) -> Any:
    return w.reshape(w.shape[0], w.shape[1], math.prod(w.shape[2:]))


# --- ConvTranspose ------------------------------------------------------------------------------------


def _infer_transposed(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = float_type(types[0], "the input").shape
    w = float_type(types[1], "the weight").shape
    group = integer(node, "group")
    if len(x) < 3 or len(w) != len(x) or group < 1 or x[1] != w[0] or w[0] % group:
        raise ShapeError(f"input {x} and weight {w} do not fit group {group}")
    channels = w[1] * group
    if len(types) > 2 and types[2] is not None and float_type(types[2], "the bias").shape != (channels,):
        raise ShapeError(f"the bias has shape {types[2].shape}, not {(channels,)}")
    outputs = integers(node, "outputs")
    if len(outputs) != len(x) - 2 or min(outputs) < 1 or math.prod(outputs) * math.prod(w[2:]) > MOST_TAPS:
        raise ShapeError(f"outputs {outputs} do not fit the input {x}")
    return (ValueType("float32", (x[0], channels, *outputs)),)


def _backward(node: Node, x: tuple[int, ...], w: tuple[int, ...]) -> Convolution:
    outputs = integers(node, "outputs")
    return Convolution(integer(node, "group"), transposed_taps(node, x[2:], w[2:]), outputs)


def transposed_taps(node: Node, extents: tuple[int, ...], kernel: tuple[int, ...]) -> NDArray[np.int64]:
    """Output o adds input i where o = i * stride + k * dilation - pad; int64 (outputs, volume)."""
    outputs = integers(node, "outputs")
    strides, pads, dilations = (integers(node, name) for name in ("strides", "pads", "dilations"))
    axes = len(outputs)
    index = np.zeros((), dtype=np.int64)
    inside = np.ones((), dtype=np.bool_)
    for axis in range(axes):
        shape = [1] * (2 * axes)
        shape[axis], shape[axis + axes] = outputs[axis], kernel[axis]
        at = np.arange(outputs[axis])[:, None] + pads[axis] - np.arange(kernel[axis]) * dilations[axis]
        source = (at // strides[axis]).reshape(shape)
        hit = (at % strides[axis] == 0).reshape(shape) & (source >= 0) & (source < extents[axis])
        index = index * extents[axis] + source
        inside = inside & hit
    return np.asarray(np.where(inside, index, ZERO), dtype=np.int64).reshape(-1, math.prod(kernel))


def _turned(node: Node, w: Any) -> Any:
    """(in, out per group, kernel) as (out, in per group, volume)."""
    group = integer(node, "group")
    volume = math.prod(w.shape[2:])
    split = w.reshape(group, w.shape[0] // group, w.shape[1], volume).transpose(0, 2, 1, 3)
    return split.reshape(group * w.shape[1], w.shape[0] // group, volume)


def _gather(
    batch: int, all_channels: int, first: int, channels: int, extent: int, taps: NDArray[np.int64]
) -> NDArray[np.int64]:
    """int64 (batch * positions, channels * volume): taps of the group's channels, ZERO kept."""
    start = (np.arange(batch)[:, None] * all_channels + first + np.arange(channels)) * extent
    moved = taps[None, :, None, :] + start[:, None, :, None]
    moved = np.where(taps[None, :, None, :] == ZERO, ZERO, moved)
    return np.asarray(moved, dtype=np.int64).reshape(batch * len(taps), channels * taps.shape[1])


_CONV = Kind(convolution_of, _forward_axes, _flat_kernel)
_TRANSPOSED = Kind(_backward, _backward_axes, _turned)


def _rule(kind: Kind, infer: Callable[[Node, Types], tuple[ValueType, ...]]) -> OpRule:
    return OpRule(
        infer, kind.evaluate, kind.error_bound, kind.step, enclose=kind.enclose, prepare=kind.prepare
    )


RULES = {"Conv": _rule(_CONV, _infer), "ConvTranspose": _rule(_TRANSPOSED, _infer_transposed)}
