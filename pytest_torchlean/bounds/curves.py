"""Smooth activations in binary64: values, derivatives, growth of errors. Estimates, never evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Function = Callable[[Float64], Float64]
_LEAST = 1e-300
"""Stands for numbers without a logarithm, or a finite slope of the root."""


@dataclass(frozen=True)
class Curve:
    """value: increasing, or `span` bounds it over intervals. slope: its derivative.

    grown: of terms and values x, how far a result is off, in roundings of binary64, where x is off by as many
    as its terms are large; at least |f(x)| + terms * |f'(x)| + 1.
    """

    value: Function
    slope: Function
    grown: Callable[[Float64, Float64], Float64]
    span: Callable[[Float64, Float64], tuple[Float64, Float64]] | None = None

    def between(self, low: Float64, high: Float64) -> tuple[Float64, Float64]:
        """Bounds over intervals."""
        return (self.value(low), self.value(high)) if self.span is None else self.span(low, high)


def _exp(x: Float64) -> Float64:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(x))


def _sigmoid(x: Float64) -> Float64:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


def _tanh(x: Float64) -> Float64:
    return np.asarray(np.tanh(x))


def _positive(x: Float64) -> Float64:
    return np.asarray(np.maximum(x, _LEAST))


def _sqrt(x: Float64) -> Float64:
    return np.asarray(np.sqrt(np.maximum(x, 0.0)))


def _root_slope(x: Float64) -> Float64:
    return np.asarray(0.5 / np.sqrt(_positive(x)))


def _log(x: Float64) -> Float64:
    return np.asarray(np.log(_positive(x)))


def _softplus(x: Float64) -> Float64:
    return np.asarray(np.logaddexp(0.0, x))


def _erf(x: Float64) -> Float64:
    return np.asarray(_ERF(x), dtype=np.float64)


def _bell(x: Float64) -> Float64:
    return np.asarray(2.0 / math.sqrt(math.pi) * np.exp(-x * x))


def _turning(value: Function, other: Function) -> Curve:
    """Sine or cosine, whose slope is in size the other one; over intervals as Check.Turn has it."""

    def span(low: Float64, high: Float64) -> tuple[Float64, Float64]:
        with np.errstate(all="ignore"):
            middle, radius = (low + high) / 2, (high - low) / 2
            far = np.abs(other(middle)) * radius + radius * radius / 2
            near = (radius <= 1.0) & (np.abs(middle) <= _FURTHEST)
            here = value(middle)
            return (
                np.where(near, np.maximum(here - far, -1.0), -1.0),
                np.where(near, np.minimum(here + far, 1.0), 1.0),
            )

    sign = 1.0 if value is _sin else -1.0
    return Curve(value, lambda x: sign * other(x), lambda terms, x: np.abs(terms) + 2.0, span)


def _sin(x: Float64) -> Float64:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sin(x))


def _cos(x: Float64) -> Float64:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.cos(x))


def _sign_grown(terms: Float64, x: Float64) -> Float64:
    """Near 0 the other sign may be found."""
    return np.where(np.abs(x) > 2.0**-50 * np.abs(terms), 2.0, 2.0**54)


def _sign_span(low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Between -1 and 1 where 0 lies in the interval."""
    return np.where(low > 0, 1.0, -1.0), np.where(high < 0, -1.0, 1.0)


_FURTHEST = 32.0
"""Check.Circle.furthest."""
_ERF = np.frompyfunc(math.erf, 1, 1)
_IDENTITY = Curve(np.asarray, np.ones_like, lambda terms, x: terms + 1.0)

CURVES: Mapping[str, Curve] = {
    "exp": Curve(_exp, _exp, lambda terms, x: (1.0 + np.abs(terms)) * _exp(terms) + 1.0),
    "sigmoid": Curve(
        _sigmoid, lambda x: _sigmoid(x) * (1.0 - _sigmoid(x)), lambda terms, x: np.abs(terms) + 2.0
    ),
    "tanh": Curve(_tanh, lambda x: 1.0 - _tanh(x) ** 2, lambda terms, x: np.abs(terms) + 2.0),
    "sqrt": Curve(_sqrt, _root_slope, lambda terms, x: _sqrt(x) + terms * _root_slope(x) + 1.0),
    "log": Curve(
        _log, lambda x: 1.0 / _positive(x), lambda terms, x: np.abs(_log(x)) + terms / _positive(x) + 1.0
    ),
    "softplus": Curve(_softplus, _sigmoid, lambda terms, x: 2.0 * np.abs(terms) + 2.0),
    "erf": Curve(_erf, _bell, lambda terms, x: 2.0 * np.abs(terms) + 2.0),
    "sine": _turning(_sin, _cos),
    "cosine": _turning(_cos, _sin),
    "sign": Curve(np.sign, np.zeros_like, _sign_grown, _sign_span),
    **{
        f"fused_{name}": _IDENTITY
        for name in (
            "swish",
            "elu",
            "selu",
            "gelu_tanh",
            "gelu",
            "mish",
            "hard_swish_gate",
            "hard_swish",
            "softsign",
            "softmax",
        )
    },
}
"""By `CurveFunction.label`, the name of the constructor of Spec.Curve in Lean."""
