"""Geometry of sliding windows, shared by convolution and pooling, in any number of dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Node
from pytest_torchlean.ir.linear import ZERO
from pytest_torchlean.ops.rule import ShapeError, integer, integers

MOST_TAPS = 2**27
"""Largest table of taps: output positions times kernel elements."""


@dataclass(frozen=True)
class Windows:
    """Windows over the spatial axes of one channel.

    `pads` lists the begin of every axis, then the end of every axis, as ONNX does. With `ceil` the
    number of windows is rounded up, except that a window may not start in the padding at the end.
    """

    extents: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]
    ceil: bool = False

    def __post_init__(self) -> None:
        axes = len(self.extents)
        if not axes == len(self.kernel) == len(self.strides) == len(self.dilations) == len(self.pads) // 2:
            raise ShapeError(f"kernel, strides, pads and dilations do not fit {axes} spatial axes")
        if (
            min((*self.kernel, *self.strides, *self.dilations), default=1) < 1
            or min(self.pads, default=0) < 0
        ):
            raise ShapeError("kernel, strides and dilations must be positive, pads not negative")

    @property
    def outputs(self) -> tuple[int, ...]:
        """Number of windows along each axis. ShapeError when a window does not fit."""
        axes = len(self.extents)
        result = []
        for axis in range(axes):
            begin, end = self.pads[axis], self.pads[axis + axes]
            span = self.dilations[axis] * (self.kernel[axis] - 1) + 1
            room = self.extents[axis] + begin + end - span
            if room < 0:
                raise ShapeError(
                    f"a window of {span} does not fit the extent {self.extents[axis]} with its pads"
                )
            count = (room + self.strides[axis] - 1 if self.ceil else room) // self.strides[axis] + 1
            if self.ceil and (count - 1) * self.strides[axis] >= self.extents[axis] + begin:
                count -= 1
            result.append(count)
        if math.prod(result) * self.volume > MOST_TAPS:
            raise ShapeError(f"its windows have more than {MOST_TAPS} elements in all")
        return tuple(result)

    @property
    def volume(self) -> int:
        """Elements of one window."""
        return math.prod(self.kernel)

    def taps(self) -> NDArray[np.int64]:
        """Flat spatial index that each window element reads, or ZERO in the padding.

        int64 (number of windows, volume), windows and elements both in row-major order.
        """
        strides = [math.prod(self.extents[axis + 1 :]) for axis in range(len(self.extents))]
        index = np.zeros((), dtype=np.int64)
        inside = np.ones((), dtype=np.bool_)
        for axis, at in enumerate(self.coordinates()):
            index = index + at * strides[axis]
            inside = inside & (at >= 0) & (at < self.extents[axis])
        return np.asarray(np.where(inside, index, ZERO), dtype=np.int64).reshape(-1, self.volume)

    def padded_counts(self) -> NDArray[np.int64]:
        """Elements of each window that lie in the input or its declared padding; int64 (windows,).

        Smaller than the volume only where `ceil` lets a window reach beyond the padding.
        """
        axes = len(self.extents)
        inside = np.ones((), dtype=np.bool_)
        for axis, at in enumerate(self.coordinates()):
            inside = inside & (at < self.extents[axis] + self.pads[axis + axes])
        full = np.broadcast_to(inside, (*self.outputs, *self.kernel))
        return np.asarray(full.reshape(-1, self.volume).sum(axis=1), dtype=np.int64)

    def coordinates(self) -> list[NDArray[np.int64]]:
        """Per axis the coordinate read, broadcastable to (*outputs, *kernel)."""
        axes = len(self.extents)
        result = []
        for axis, count in enumerate(self.outputs):
            starts = np.arange(count, dtype=np.int64) * self.strides[axis] - self.pads[axis]
            offsets = np.arange(self.kernel[axis], dtype=np.int64) * self.dilations[axis]
            shape = [1] * (2 * axes)
            shape[axis], shape[axis + axes] = count, self.kernel[axis]
            result.append((starts[:, None] + offsets).reshape(shape))
        return result


def pooling_windows(node: Node, shape: tuple[int, ...]) -> Windows:
    """Windows of a pooling operator; a global one has one window, the whole extent."""
    extents = shape[2:]
    if node.op.startswith("Global"):
        ones = (1,) * len(extents)
        return Windows(extents, extents, ones, (0,) * (2 * len(extents)), ones)
    return windows_of(node, extents, integers(node, "kernel_shape"), bool(integer(node, "ceil_mode")))


def windows_of(node: Node, extents: tuple[int, ...], kernel: tuple[int, ...], ceil: bool = False) -> Windows:
    """Windows with the strides, pads and dilations of a node."""
    return Windows(
        extents,
        kernel,
        integers(node, "strides"),
        integers(node, "pads"),
        integers(node, "dilations"),
        ceil,
    )
