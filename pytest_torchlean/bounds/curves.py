"""Smooth activations in binary64: values, derivatives, growth of errors. Estimates, never evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Function = Callable[[Float64], Float64]


@dataclass(frozen=True)
class Curve:
    """value: increasing. slope: its derivative. grown: at least |f(x)| + |x f'(x)| + 1 for all x up to its
    argument in size."""

    value: Function
    slope: Function
    grown: Function


def _exp(x: Float64) -> Float64:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(x))


def _sigmoid(x: Float64) -> Float64:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


def _tanh(x: Float64) -> Float64:
    return np.asarray(np.tanh(x))


CURVES: Mapping[str, Curve] = {
    "exp": Curve(_exp, _exp, lambda x: (1.0 + np.abs(x)) * _exp(x) + 1.0),
    "sigmoid": Curve(_sigmoid, lambda x: _sigmoid(x) * (1.0 - _sigmoid(x)), lambda x: np.abs(x) + 2.0),
    "tanh": Curve(_tanh, lambda x: 1.0 - _tanh(x) ** 2, lambda x: np.abs(x) + 2.0),
}
"""By the name of the constructor of Spec.Curve in Lean."""
