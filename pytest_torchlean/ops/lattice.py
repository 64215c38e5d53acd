"""Convolutions as products: the input on planes where every weight reads at one shift from its output.

A plane holds the elements of one channel that one phase of the stride sees, padding included, row after row;
the output (y, x) then multiplies each weight with the element at y * pitch + x + shift, so that neighbouring
outputs read neighbouring elements and whole rows go through the compiled product without being copied. For
a transposed convolution the input is spread out with zeros first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.kernels import RightFactor
from pytest_torchlean.binary32.machine import spread, thread_count

Float32 = NDArray[np.float32]
Indices = NDArray[np.int64]

_MOST_ELEMENTS = 2**26
"""Largest planes, in elements."""
_WORTH_THREADS = 2**22
_NO_BIAS = np.empty(0, dtype=np.float32)


@dataclass(frozen=True)
class Axis:
    """Output o reads, for kernel element k, position o * step + displacements[k] of the laid out input, where
    input i lies at begin + i * apart and everything else is 0. Nothing is negative."""

    extent: int
    outputs: int
    step: int
    displacements: tuple[int, ...]
    begin: int
    apart: int = 1

    @property
    def length(self) -> int:
        """Positions that each phase holds."""
        return self.outputs + max(self.displacements) // self.step

    def places(self, phase: int, position: int) -> Indices:
        """Where each input goes when a phase takes `phase` elements, a position `position`; -1: nowhere."""
        at = self.begin + np.arange(self.extent, dtype=np.int64) * self.apart
        place = at % self.step * phase + at // self.step * position
        return np.where(at < self.step * self.length, place, -1)

    def shifts(self, phase: int, position: int) -> Indices:
        """Each kernel element's shift, likewise."""
        at = np.array(self.displacements, dtype=np.int64)
        return at % self.step * phase + at // self.step * position


def convolution_axis(extent: int, outputs: int, stride: int, dilation: int, kernel: int, pad: int) -> Axis:
    """An axis of a convolution."""
    return Axis(extent, outputs, stride, tuple(k * dilation for k in range(kernel)), pad)


def transposed_axis(extent: int, outputs: int, stride: int, dilation: int, kernel: int, pad: int) -> Axis:
    """An axis of a transposed convolution: output o reads i where o + pad = i * stride + k * dilation."""
    begin = max(0, (kernel - 1) * dilation - pad)
    reads = tuple(begin + pad - k * dilation for k in range(kernel))
    return Axis(extent, outputs, 1, reads, begin, stride)


class LatticeConvolution:
    """A convolution with known weights, compiled, along one or two axes.

    weights: (channels out, channels in per group, volume); the schedule is channels, then kernel elements.
    """

    def __init__(self, axes: tuple[Axis, ...], group: int, weights: Float32, bias: Float32 | None) -> None:
        rows, columns = axes if len(axes) == 2 else (Axis(1, 1, 1, (0,), 0), axes[0])
        self._outputs = tuple(axis.outputs for axis in axes)
        self._height, self._width, self._pitch = rows.outputs, columns.outputs, columns.length
        plane = rows.length * columns.length
        self._size = rows.step * columns.step * plane
        self._rows = rows.places(columns.step * plane, columns.length)
        self._columns = columns.places(plane, 1)
        self._group, self._channels = group, weights.shape[1]
        shifts = rows.shifts(columns.step * plane, columns.length)[:, None] + columns.shifts(plane, 1)
        self._steps = (np.arange(self._channels)[:, None] * self._size + shifts.reshape(-1)).reshape(-1)
        self._bias = _NO_BIAS if bias is None else np.ascontiguousarray(bias)
        split = weights.reshape(group, weights.shape[0] // group, math.prod(weights.shape[1:]))
        self._weights = np.ascontiguousarray(split)
        self._factors: list[RightFactor] = []
        if self._is_by_position():
            self._factors = [RightFactor(matrix.T) for matrix in self._weights]

    @staticmethod
    def fits(axes: tuple[Axis, ...], images: int, channels: int) -> bool:
        """Whether there are one or two axes and the planes do not grow too large."""
        size = math.prod(axis.step * axis.length for axis in axes)
        return len(axes) in (1, 2) and images * channels * size <= _MOST_ELEMENTS

    def _is_by_position(self) -> bool:
        """Whether positions make better rows than channels: where there are few of them."""
        from pytest_torchlean.binary32.tile import LANES

        channels, positions = self._weights.shape[1], self._height * self._width
        places = (self._height - 1) * self._pitch + self._width
        return bool(channels * -(-places // LANES) > positions * (-(-channels // LANES) + 1))

    def run(self, x: Float32, threads: int | None = None) -> Float32:
        """The convolution of x (images, channels, extents), its bias added last."""
        from pytest_torchlean.binary32 import loops
        from pytest_torchlean.binary32.tile import WIDTH

        images, channels = x.shape[:2]
        planes = np.zeros(images * channels * self._size + WIDTH, dtype=np.float32)
        maps = np.ascontiguousarray(x).reshape(images * channels, len(self._rows), len(self._columns))
        loops.lay_out(maps, self._rows, self._columns, self._size, planes)
        if self._factors:
            return self._by_position(planes, images, threads)
        rows, depth = self._weights.shape[1:]
        out = np.empty((images, self._group * rows, self._height, self._width), dtype=np.float32)
        places = (self._height - 1) * self._pitch + self._width
        tasks = images * self._group * -(-places // WIDTH)
        enough = tasks * WIDTH * rows * depth >= _WORTH_THREADS

        def work(start: int, stop: int) -> None:
            loops.convolve(
                self._weights,
                planes,
                self._steps,
                self._bias,
                out,
                self._pitch,
                self._channels * self._size,
                start,
                stop,
            )

        spread(tasks, thread_count(threads) if enough else 1, work)
        return out.reshape(images, -1, *self._outputs)

    def _by_position(self, planes: Float32, images: int, threads: int | None) -> Float32:
        from pytest_torchlean.binary32 import loops

        rows, depth = self._weights.shape[1:]
        positions = self._height * self._width
        out = np.empty((images, self._group, rows, positions), dtype=np.float32)
        reads = np.empty((positions, depth), dtype=np.float32)
        for index in range(images * self._group):
            image, part = divmod(index, self._group)
            first = index * self._channels * self._size
            loops.gather(planes, self._steps, first, self._pitch, self._width, reads)
            bias = self._bias[part * rows : (part + 1) * rows] if self._bias.size else None
            out[image, part] = self._factors[part].product(reads, bias, threads=threads).T
        return out.reshape(images, -1, *self._outputs)
