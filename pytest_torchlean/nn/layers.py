"""Layers with PyTorch's names, arguments and parameters; every one computes by `nn.functional`.

Weights start as in PyTorch, uniform within 1 / sqrt(fan_in), from a seeded generator: equal calls give equal
numbers. Pass one `numpy.random.Generator` to several layers for independent ones. There is no training mode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import ModelError
from pytest_torchlean.nn import functional
from pytest_torchlean.nn.functional import Extents
from pytest_torchlean.nn.module import Module
from pytest_torchlean.nn.tensor import Tensor

Float32 = NDArray[np.float32]
Generator = np.random.Generator | int


def _uniform(shape: tuple[int, ...], fan_in: int, generator: np.random.Generator) -> Float32:
    bound = 1.0 / math.sqrt(max(1, fan_in))
    return generator.uniform(-bound, bound, shape).astype(np.float32)


class Linear(Module):
    """x @ weight.T + bias."""

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, generator: Generator = 0
    ) -> None:
        numbers = np.random.default_rng(generator)
        self.weight = _uniform((out_features, in_features), in_features, numbers)
        self.bias = _uniform((out_features,), in_features, numbers) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight, self.bias)


class _Convolution(Module):
    """A convolution over `axes` spatial axes."""

    axes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Extents,
        stride: Extents = 1,
        padding: Extents = 0,
        dilation: Extents = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        generator: Generator = 0,
    ) -> None:
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ModelError("TL0109", f"{groups} groups do not divide {in_channels} and {out_channels}")
        numbers = np.random.default_rng(generator)
        kernel = (kernel_size,) * self.axes if isinstance(kernel_size, int) else tuple(kernel_size)
        fan_in = in_channels // groups * math.prod(kernel)
        self.weight = _uniform((out_channels, in_channels // groups, *kernel), fan_in, numbers)
        self.bias = _uniform((out_channels,), fan_in, numbers) if bias else None
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class Conv1d(_Convolution):
    """Convolution over (batch, channels, length)."""

    axes = 1


class Conv2d(_Convolution):
    """Convolution over (batch, channels, height, width)."""


class ConvTranspose2d(Module):
    """The transposed convolution over (batch, channels, height, width)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Extents,
        stride: Extents = 1,
        padding: Extents = 0,
        output_padding: Extents = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Extents = 1,
        *,
        generator: Generator = 0,
    ) -> None:
        numbers = np.random.default_rng(generator)
        kernel = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
        fan_in = out_channels // groups * math.prod(kernel)
        self.weight = _uniform((in_channels, out_channels // groups, *kernel), fan_in, numbers)
        self.bias = _uniform((out_channels,), fan_in, numbers) if bias else None
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        self.groups, self.dilation = groups, dilation

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv_transpose(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )


class BatchNorm2d(Module):
    """(x - running_mean) / sqrt(running_var + eps) * weight + bias for each channel, as in inference."""

    def __init__(self, num_features: int, eps: float = 1e-5, affine: bool = True) -> None:
        self.weight = np.ones(num_features, dtype=np.float32) if affine else None
        self.bias = np.zeros(num_features, dtype=np.float32) if affine else None
        self.running_mean = np.zeros(num_features, dtype=np.float32)
        self.running_var = np.ones(num_features, dtype=np.float32)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.eps)


class BatchNorm1d(BatchNorm2d):
    """The same over (batch, features) or (batch, channels, length)."""


class LayerNorm(Module):
    """Normalisation over the last axes."""

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True
    ) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps = shape, eps
        self.weight = np.ones(shape, dtype=np.float32) if elementwise_affine else None
        self.bias = np.zeros(shape, dtype=np.float32) if elementwise_affine else None

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class MaxPool2d(Module):
    """The largest element of each window."""

    def __init__(
        self,
        kernel_size: Extents,
        stride: Extents | None = None,
        padding: Extents = 0,
        dilation: Extents = 1,
        ceil_mode: bool = False,
    ) -> None:
        self.arguments = (kernel_size, stride, padding, dilation, ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        return functional.max_pool(x, *self.arguments)


class MaxPool1d(MaxPool2d):
    """The same along one axis."""


class AvgPool2d(Module):
    """The average of each window."""

    def __init__(
        self,
        kernel_size: Extents,
        stride: Extents | None = None,
        padding: Extents = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.arguments = (kernel_size, stride, padding, ceil_mode, count_include_pad)

    def forward(self, x: Tensor) -> Tensor:
        return functional.avg_pool(x, *self.arguments)


class AvgPool1d(AvgPool2d):
    """The same along one axis."""


class AdaptiveAvgPool2d(Module):
    """Averages of equal windows, so many along each axis."""

    def __init__(self, output_size: Extents) -> None:
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        return functional.adaptive_avg_pool(x, self.output_size)


class GroupNorm(Module):
    """Normalisation over groups of channels. Its ONNX operator exists from opset 21 on."""

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        self.num_groups, self.eps = num_groups, eps
        self.weight = np.ones(num_channels, dtype=np.float32) if affine else None
        self.bias = np.zeros(num_channels, dtype=np.float32) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class InstanceNorm2d(Module):
    """Normalisation of every channel alone."""

    def __init__(self, num_features: int, eps: float = 1e-5, affine: bool = False) -> None:
        self.eps = eps
        self.weight = np.ones(num_features, dtype=np.float32) if affine else None
        self.bias = np.zeros(num_features, dtype=np.float32) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        return functional.instance_norm(x, self.weight, self.bias, self.eps)


class ZeroPad2d(Module):
    """Zeros around images: left, right, top, bottom, or the same number everywhere."""

    def __init__(self, padding: Extents) -> None:
        self.padding = (padding,) * 4 if isinstance(padding, int) else tuple(padding)

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x, self.padding)


class Upsample(Module):
    """Nearest neighbours, a whole number of times along every axis behind the channels."""

    def __init__(self, *, scale_factor: Extents) -> None:
        self.scale_factor = scale_factor

    def forward(self, x: Tensor) -> Tensor:
        return functional.upsample(x, self.scale_factor)


class Flatten(Module):
    """The axes from start_dim to end_dim as one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        return functional.flatten(x, self.start_dim, self.end_dim)


class Identity(Module):
    """The input."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Dropout(Identity):
    """The input: nothing is dropped in inference."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p
