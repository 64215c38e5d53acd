"""Activations as modules, with PyTorch's names and arguments."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.nn import functional
from pytest_torchlean.nn.module import Module
from pytest_torchlean.nn.tensor import Tensor


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.relu(inputs[0])


class ReLU6(Module):
    """x cut to [0, 6]."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.relu6(inputs[0])


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.sigmoid(inputs[0])


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.tanh(inputs[0])


class SiLU(Module):
    """x * sigmoid(x)."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.silu(inputs[0])


class Mish(Module):
    """x * tanh(softplus(x))."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.mish(inputs[0])


class SELU(Module):
    """The self-normalising exponential unit."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.selu(inputs[0])


class Softplus(Module):
    """log(1 + exp(x))."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.softplus(inputs[0])


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.softsign(inputs[0])


class Hardswish(Module):
    """x * max(0, min(1, x / 6 + 1 / 2))."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.hardswish(inputs[0])


class Hardsigmoid(Module):
    """max(0, min(1, x / 6 + 1 / 2))."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.hardsigmoid(inputs[0])


class LeakyReLU(Module):
    """x where it is not negative, else negative_slope * x."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.leaky_relu(inputs[0], self.negative_slope)


class PReLU(Module):
    """x where it is not negative, else weight * x."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.weight = np.full(num_parameters, init, dtype=np.float32)

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.prelu(inputs[0], self.weight)


class ELU(Module):
    """x where it is positive, else alpha * (exp(x) - 1)."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.elu(inputs[0], self.alpha)


class CELU(Module):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.celu(inputs[0], self.alpha)


class GELU(Module):
    """x times the normal distribution function at x; by "tanh" its approximation."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.gelu(inputs[0], self.approximate)


class Hardtanh(Module):
    """x cut to [min_val, max_val]."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        self.min_val, self.max_val = min_val, max_val

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.hardtanh(inputs[0], self.min_val, self.max_val)


class Softmax(Module):
    """exp(x - max) over its sum along an axis."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.softmax(inputs[0], self.dim)


class LogSoftmax(Module):
    """The logarithm of softmax."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.log_softmax(inputs[0], self.dim)
