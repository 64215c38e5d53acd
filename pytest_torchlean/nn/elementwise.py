"""Activations as functions, named and parametrised as in PyTorch; part of `nn.functional`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import ModelError
from pytest_torchlean.nn.tensor import X, like

Float32 = NDArray[np.float32]


def binary32(value: float) -> float:
    """The binary32 number nearest to a parameter."""
    return float(np.float32(value))


def axis_of(axis: int, rank: int) -> int:
    """The axis counted from the front. Raises ModelError TL0109 where there is none."""
    if not -rank <= axis < rank:
        raise ModelError("TL0109", f"axis {axis} is out of range for {rank} axes")
    return axis % rank


def relu(x: X) -> X:
    """max(x, 0)."""
    return like(x, "Relu", [x])


def leaky_relu(x: X, negative_slope: float = 0.01) -> X:
    """x where it is not negative, else negative_slope * x."""
    return like(x, "LeakyRelu", [x], [("alpha", binary32(negative_slope))])


def prelu(x: X, weight: Float32) -> X:
    """x where it is not negative, else weight * x; one weight, or one for each channel (axis 1)."""
    slope = np.asarray(weight)
    if slope.size > 1:
        slope = slope.reshape(-1, *(1,) * (len(x.shape) - 2))
    return like(x, "PRelu", [x, slope])


def hardtanh(x: X, min_val: float = -1.0, max_val: float = 1.0) -> X:
    """x cut to [min_val, max_val]."""
    return like(x, "Clip", [x, np.asarray(np.float32(min_val)), np.asarray(np.float32(max_val))])


def relu6(x: X) -> X:
    """x cut to [0, 6]."""
    return hardtanh(x, 0.0, 6.0)


def elu(x: X, alpha: float = 1.0) -> X:
    """x where it is positive, else alpha * (exp(x) - 1)."""
    return like(x, "Elu", [x], [("alpha", binary32(alpha))])


def celu(x: X, alpha: float = 1.0) -> X:
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""
    return like(x, "Celu", [x], [("alpha", binary32(alpha))])


def selu(x: X) -> X:
    """The self-normalising exponential unit with its two standard constants."""
    alpha, gamma = binary32(1.6732632423543772), binary32(1.0507009873554805)
    return like(x, "Selu", [x], [("alpha", alpha), ("gamma", gamma)])


def gelu(x: X, approximate: str = "none") -> X:
    """x times the normal distribution function at x; by "tanh" its approximation."""
    if approximate not in ("none", "tanh"):
        raise ModelError("TL0109", f"gelu: the approximation {approximate!r} is not known")
    return like(x, "GeluTanh" if approximate == "tanh" else "Gelu", [x])


def silu(x: X) -> X:
    """x * sigmoid(x), as two operations."""
    return like(x, "Mul", [x, sigmoid(x)])


def mish(x: X) -> X:
    """x * tanh(softplus(x))."""
    return like(x, "Mish", [x])


def hardswish(x: X) -> X:
    """x * max(0, min(1, x / 6 + 1 / 2))."""
    return like(x, "HardSwish", [x])


def hardsigmoid(x: X) -> X:
    """max(0, min(1, x / 6 + 1 / 2))."""
    return like(x, "HardSigmoid", [x], [("alpha", binary32(1 / 6)), ("beta", 0.5)])


def sigmoid(x: X) -> X:
    """1 / (1 + exp(-x))."""
    return like(x, "Sigmoid", [x])


def tanh(x: X) -> X:
    """The hyperbolic tangent."""
    return like(x, "Tanh", [x])


def softplus(x: X) -> X:
    """log(1 + exp(x))."""
    return like(x, "Softplus", [x])


def softsign(x: X) -> X:
    """x / (1 + |x|)."""
    return like(x, "Softsign", [x])


def softmax(x: X, dim: int = -1) -> X:
    """exp(x - max) over its sum along an axis."""
    return like(x, "Softmax", [x], [("axis", axis_of(dim, len(x.shape)))])


def log_softmax(x: X, dim: int = -1) -> X:
    """The logarithm of softmax."""
    return like(x, "LogSoftmax", [x], [("axis", axis_of(dim, len(x.shape)))])
