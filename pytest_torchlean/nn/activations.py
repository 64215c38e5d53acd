"""Activations as modules, with PyTorch's names and arguments."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.nn import functional
from pytest_torchlean.nn.module import Module
from pytest_torchlean.nn.tensor import Tensor


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x)


class ReLU6(Module):
    """x cut to [0, 6]."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu6(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.tanh(x)


class SiLU(Module):
    """x * sigmoid(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(x)


class Mish(Module):
    """x * tanh(softplus(x))."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.mish(x)


class SELU(Module):
    """The self-normalising exponential unit."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.selu(x)


class Softplus(Module):
    """log(1 + exp(x))."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.softplus(x)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.softsign(x)


class Hardswish(Module):
    """x * max(0, min(1, x / 6 + 1 / 2))."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.hardswish(x)


class Hardsigmoid(Module):
    """max(0, min(1, x / 6 + 1 / 2))."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.hardsigmoid(x)


class LeakyReLU(Module):
    """x where it is not negative, else negative_slope * x."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, self.negative_slope)


class PReLU(Module):
    """x where it is not negative, else weight * x."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.weight = np.full(num_parameters, init, dtype=np.float32)

    def forward(self, x: Tensor) -> Tensor:
        return functional.prelu(x, self.weight)


class ELU(Module):
    """x where it is positive, else alpha * (exp(x) - 1)."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return functional.elu(x, self.alpha)


class CELU(Module):
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return functional.celu(x, self.alpha)


class GELU(Module):
    """x times the normal distribution function at x; by "tanh" its approximation."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(x, self.approximate)


class Hardtanh(Module):
    """x cut to [min_val, max_val]."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Tensor) -> Tensor:
        return functional.hardtanh(x, self.min_val, self.max_val)


class Softmax(Module):
    """exp(x - max) over its sum along an axis."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return functional.softmax(x, self.dim)


class LogSoftmax(Module):
    """The logarithm of softmax."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return functional.log_softmax(x, self.dim)
