"""GridSample and DeformedTaps: a tensor read between its elements, at coordinates that are computed.

ONNX GridSample 16, 20, 22; DeformConv 19, 22 is DeformedTaps, a product with the mask, and a matrix product.
A coordinate g of [-1, 1] is the position ((g + 1) * size - 1) / 2 of its axis, or (g + 1) / 2 * (size - 1)
with align_corners. Positions outside read zero, the nearest element, or the tensor reflected at its border.
Schedule: each operation of the position, of the weights (1 - t and t, or Keys' cubic
kernel with a = -3/4) and of each product of weights rounds, then products of weight and element are added in
row-major order of the taps.

The interpolated value is a continuous function of the position. So an execution whose rounded position falls
into the next cell is within slope times distance of the exact value; the nearest element is any of those that
a position within the error may choose.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.error_bounds import ETA, UNIT_ROUNDOFF, finish, gamma
from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    Float64,
    OpRule,
    ShapeError,
    Types,
    enclosed,
    float_type,
    floats,
    integer,
    integers,
    no_step,
)
from pytest_torchlean.ops.windows import Windows, windows_of

Positions = list[NDArray[Any]]
"""One array per spatial axis, each (batch, points)."""

PADDING = ("zeros", "border", "reflection")
TAPS = {"nearest": 1, "linear": 2, "cubic": 4}
"""Elements read along each axis."""
_STEEPEST = 5.0
"""Slope of an interpolation along one axis with elements up to 1: 2 for linear, below 3.3 for cubic; the
other axes' weights add up to at most 1.4 in size each."""
_FARTHEST = 2.0**24
"""Positions beyond are not claimed anything about: their neighbours are not binary32 numbers."""


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, grid = float_type(types[0], "the input"), float_type(types[1], "the grid")
    axes = len(x.shape) - 2
    if axes < 1 or len(grid.shape) != len(x.shape) or grid.shape[-1] != axes or grid.shape[0] != x.shape[0]:
        raise ShapeError(f"a grid of shape {grid.shape} does not fit the input of shape {x.shape}")
    if node.attribute("mode") not in TAPS or node.attribute("padding") not in PADDING or 0 in x.shape:
        raise ShapeError(f"mode {node.attribute('mode')!r} or padding {node.attribute('padding')!r}")
    return (ValueType("float32", (*x.shape[:2], *grid.shape[1:-1])),)


def _positions(node: Node, grid: NDArray[Any], extents: tuple[int, ...]) -> Positions:
    """Positions in the grid's own precision, for each axis; the grid's last axis lists the last one first."""
    points = grid.reshape(grid.shape[0], -1, grid.shape[-1])
    one, half = grid.dtype.type(1), grid.dtype.type(2)
    found = []
    with np.errstate(all="ignore"):
        for axis, extent in enumerate(extents):
            g = points[:, :, len(extents) - 1 - axis]
            if integer(node, "align_corners"):
                found.append((g + one) / half * grid.dtype.type(extent - 1))
            else:
                found.append(((g + one) * grid.dtype.type(extent) - one) / half)
    return found


def _chosen(node: Node, tap: NDArray[Any], extent: int) -> NDArray[np.int64]:
    """The element that a whole position reads, `extent` for none."""
    at = np.where(np.abs(tap) < 2.0**40, tap, -1).astype(np.int64)
    padding = node.attribute("padding")
    if padding == "zeros":
        return np.where((at >= 0) & (at < extent), at, extent)
    if padding == "border":
        return np.asarray(np.clip(at, 0, extent - 1))
    if integer(node, "align_corners"):
        period = max(2 * (extent - 1), 1)
        at = np.mod(at, period)
        return np.where(at >= extent, period - at, at) if extent > 1 else np.zeros_like(at)
    at = np.mod(at, 2 * extent)
    return np.where(at >= extent, 2 * extent - 1 - at, at)


def _read(node: Node, x: NDArray[Any], taps: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Elements (batch, channels, points) at whole positions, 0 where none is read."""
    extents = x.shape[2:]
    index = np.zeros((), dtype=np.int64)
    outside = np.zeros((), dtype=np.bool_)
    for tap, extent in zip(taps, extents, strict=True):
        own = _chosen(node, tap, extent)
        outside = outside | (own == extent)
        index = index * extent + np.minimum(own, extent - 1)
    flat = x.reshape(*x.shape[:2], math.prod(extents))
    taken = np.take_along_axis(flat, index[:, None, :], axis=2)
    return np.where(outside[:, None, :], x.dtype.type(0), taken)


def _weights(node: Node, share: NDArray[Any]) -> list[NDArray[Any]]:
    """The weights of the taps, in the share's own precision; `share` is the position within its cell."""
    number = share.dtype.type
    if node.attribute("mode") == "linear":
        return [number(1) - share, share]
    a = number(-0.75)

    def near(d: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(((a + number(2)) * d - (a + number(3))) * d * d + number(1))

    def far(d: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(((a * d - number(5) * a) * d + number(8) * a) * d - number(4) * a)

    rest = number(1) - share
    return [far(share + number(1)), near(share), near(rest), far(rest + number(1))]


def _interpolated(
    node: Node, x: NDArray[Any], positions: Positions
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Sums over the taps in the input's precision, sums of absolute products, and of absolute weights."""
    bases = [np.floor(at) for at in positions]
    weights = [_weights(node, at - base) for at, base in zip(positions, bases, strict=True)]
    first = 0 if node.attribute("mode") == "linear" else -1
    count = TAPS[str(node.attribute("mode"))]
    total, size, weight = np.zeros((), x.dtype), np.zeros(()), np.zeros(())
    for tap in itertools.product(range(count), repeat=len(positions)):
        value = _read(node, x, [base + (first + at) for base, at in zip(bases, tap, strict=True)])
        product = weights[0][tap[0]]
        for axis in range(1, len(tap)):
            product = product * weights[axis][tap[axis]]
        term = product[:, None, :] * value
        total = total + term
        size = size + np.abs(term).astype(np.float64)
        weight = weight + np.abs(product).astype(np.float64)
    return total, size, weight


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x, grid = floats(inputs[0]), floats(inputs[1])
    positions = _positions(node, grid, x.shape[2:])
    with np.errstate(all="ignore"):
        if node.attribute("mode") == "nearest":
            result = _read(node, x, [np.rint(at) for at in positions])
        else:
            result, _, _ = _interpolated(node, x, positions)
    shape = (*x.shape[:2], *grid.shape[1:-1])
    return (canonical_nan(np.array(result, dtype=np.float32)).reshape(shape),)


def _enclose(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    x, grid = enclosed(inputs[0]), enclosed(inputs[1])
    extents = x.shape[2:]
    found = _sampled(node, x, _positions(node, grid.center, extents), _doubts(node, grid, extents))
    shape = (*x.shape[:2], *grid.shape[1:-1])
    return (found.reshaped(*shape),)


def _sampled(node: Node, x: Enclosed, positions: Positions, doubts: list[Float64]) -> Enclosed:
    """Where the values at positions within the doubts lie: (batch, channels, points)."""
    extents = x.shape[2:]
    with np.errstate(all="ignore"):
        lowest = [np.floor(at - doubt) for at, doubt in zip(positions, doubts, strict=True)]
        if node.attribute("mode") == "nearest":
            center, radius = _nearest(node, x, positions, doubts)
        else:
            center, size, weight = _interpolated(node, x.center, positions)
            widest = _largest(node, x.size, lowest)
            moved = np.add.reduce(doubts)
            count = TAPS[str(node.attribute("mode"))] ** len(extents)
            rough = 64.0 * UNIT_ROUNDOFF if node.attribute("mode") == "cubic" else 0.0
            inherited = weight[:, None, :] * _largest(node, x.radius, lowest)
            radius = inherited + _STEEPEST * 1.4 ** (len(extents) - 1) * moved[:, None, :] * widest
            terms = size + inherited
            radius = radius + gamma(4.0 * len(extents) + count) * terms
            radius = radius + len(extents) * rough * count * widest + 4.0 * count * ETA * (1.0 + widest)
            radius = finish(radius, terms + widest)
        far = np.zeros((), dtype=np.bool_)
        for at, doubt in zip(positions, doubts, strict=True):
            far = far | ~(np.abs(at) < _FARTHEST) | ~(doubt < 0.25)
    radius = np.where(far[:, None, :] | ~np.isfinite(center) | np.isnan(radius), np.inf, radius)
    return Enclosed(center, radius)


def _doubts(node: Node, grid: Enclosed, extents: tuple[int, ...]) -> list[Float64]:
    """How far the position of an execution may be from the exact one: six roundings, and the reflection's."""
    points = (grid.shape[0], -1, grid.shape[-1])
    size, radius = grid.size.reshape(points), grid.radius.reshape(points)
    roundings = 16.0 if node.attribute("padding") == "reflection" else 8.0
    found = []
    for axis, extent in enumerate(extents):
        own = len(extents) - 1 - axis
        spread = radius[:, :, own] * (extent / 2.0)
        found.append(spread + roundings * UNIT_ROUNDOFF * (size[:, :, own] + 1.0) * (extent + 1.0))
    return found


def _largest(node: Node, size: Float64, lowest: Positions) -> Float64:
    """The largest of the elements that executions may read: one cell more than the taps of one."""
    taps = TAPS[str(node.attribute("mode"))]
    first = 0 if taps == 2 else -1
    found = np.zeros(())
    for tap in itertools.product(range(taps + 1), repeat=len(lowest)):
        places = [low + (first + at) for low, at in zip(lowest, tap, strict=True)]
        found = np.maximum(found, _read(node, size, places))
    return found


def _nearest(node: Node, x: Enclosed, positions: Positions, doubts: list[Float64]) -> tuple[Float64, Float64]:
    """The nearest element, and how far any other lies that a position within the doubt may choose."""
    center = _read(node, x.center, [np.rint(at) for at in positions])
    radius = np.zeros(())
    for sides in itertools.product((-1.0, 1.0), repeat=len(positions)):
        places = [
            np.rint(at + side * doubt) for at, side, doubt in zip(positions, sides, doubts, strict=True)
        ]
        other = _read(node, x.center, places)
        radius = np.maximum(radius, np.abs(other - center) + _read(node, x.radius, places))
    return center, radius


def _error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    return (_exactly(node, inputs).radius,)


def _reference(node: Node, inputs: Arrays) -> tuple[Float64, Float64]:
    center = _exactly(node, inputs).center
    return center, np.zeros_like(center)


def _exactly(node: Node, inputs: Arrays) -> Enclosed:
    (found,) = _enclose(node, [Enclosed.exact(floats(value)) for value in inputs])
    return enclosed(found)


# --- DeformedTaps -------------------------------------------------------------------------------------


def _infer_taps(node: Node, types: Types) -> tuple[ValueType, ...]:
    """x (batch * groups, channels, *extents), offsets (batch * groups, volume * axes, windows)."""
    x, offset = float_type(types[0], "the input").shape, float_type(types[1], "the offsets").shape
    axes = len(x) - 2
    windows = _windows(node, x)
    count = math.prod(windows.outputs)
    if axes < 1 or 0 in x or offset != (x[0], windows.volume * axes, count):
        raise ShapeError(f"offsets of shape {offset} do not fit the input of shape {x}")
    return (ValueType("float32", (*x[:2], windows.volume, count)),)


def _windows(node: Node, x: tuple[int, ...]) -> Windows:
    return windows_of(node, x[2:], integers(node, "kernel_shape"))


def _tap_positions(node: Node, x: tuple[int, ...], offset: NDArray[Any]) -> Positions:
    """The position of every element of every window, moved by its offset."""
    windows = _windows(node, x)
    axes = len(x) - 2
    moved = offset.reshape(x[0], windows.volume, axes, math.prod(windows.outputs))
    found = []
    for axis, at in enumerate(windows.coordinates()):
        grid = np.broadcast_to(at, (*windows.outputs, *windows.kernel)).reshape(-1, windows.volume).T
        found.append((grid.astype(offset.dtype) + moved[:, :, axis]).reshape(x[0], -1))
    return found


def _taps(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x, offset = floats(inputs[0]), floats(inputs[1])
    with np.errstate(all="ignore"):
        result, _, _ = _interpolated(node, x, _tap_positions(node, x.shape, offset))
    shape = (*x.shape[:2], -1, offset.shape[2])
    return (canonical_nan(np.array(result, dtype=np.float32)).reshape(shape),)


def _enclose_taps(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    x, offset = enclosed(inputs[0]), enclosed(inputs[1])
    positions = _tap_positions(node, x.shape, offset.center)
    spread = _tap_positions(node, x.shape, offset.radius)
    still = _tap_positions(node, x.shape, np.zeros_like(offset.radius))
    doubts = [
        np.asarray(width - base + 4.0 * UNIT_ROUNDOFF * (np.abs(at) + np.abs(base) + width - base))
        for at, width, base in zip(positions, spread, still, strict=True)
    ]
    found = _sampled(node, x, positions, doubts)
    return (found.reshaped(*x.shape[:2], -1, offset.shape[2]),)


def _taps_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    (found,) = _enclose_taps(node, [Enclosed.exact(floats(value)) for value in inputs])
    return (enclosed(found).radius,)


RULES = {
    "DeformedTaps": OpRule(
        _infer_taps, _taps, _taps_bound, no_step("it has no certificate rule"), enclose=_enclose_taps
    ),
    "GridSample": OpRule(
        _infer,
        _evaluate,
        _error_bound,
        no_step("it has no certificate rule"),
        reference=_reference,
        enclose=_enclose,
    ),
}
