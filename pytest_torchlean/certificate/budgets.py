"""What results of smooth activations may be off in binary32: Spec.Curve.eighths and absolute."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.model import ScaleData
from pytest_torchlean.certificate.statement import CurveFunction

_SPARE = 152
"""Bits after the point of a budget."""
SLACK = 2.0**-40
"""For the roundings of binary64."""


@dataclass(frozen=True)
class Granted:
    """What a result may be off: Spec.Curve.eighths, of a unit in the last place, and absolute, of 2^-149."""

    eighths: int
    absolute: int = 0

    def radius(self, scale: ScaleData, low: int, high: int) -> int:
        """For values between two fixed-point numbers, as Check.Curve.widen has it."""
        size = max(high - scale.center, 0) + max(scale.center - low, 0)
        constant = (self.eighths + 8 * self.absolute) * scale.unit
        return ((self.eighths * size << 126) + constant >> _SPARE) + 1

    def of(self, magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
        """In binary64, for values up to a magnitude; at least as large."""
        share = math.ldexp(self.eighths, -26)
        constant = math.ldexp(self.eighths, -152) + math.ldexp(self.absolute, -149)
        return np.asarray((magnitude * share + constant) * (1.0 + SLACK), dtype=np.float64)


GRANTED: Mapping[CurveFunction, Granted] = {
    CurveFunction.EXP: Granted(8),
    CurveFunction.SIGMOID: Granted(4, 13 << 123),
    CurveFunction.TANH: Granted(48, 1 << 8),
    CurveFunction.SQRT: Granted(4),
    CurveFunction.LOG: Granted(32),
    CurveFunction.SOFTPLUS: Granted(40),
    CurveFunction.ERF: Granted(10),
    CurveFunction.SINE: Granted(24),
    CurveFunction.COSINE: Granted(24),
    CurveFunction.SIGN: Granted(0),
    CurveFunction.FUSED_SWISH: Granted(8),
    CurveFunction.FUSED_ELU: Granted(8, 5793 << 113),
    CurveFunction.FUSED_SELU: Granted(8, 13438 << 113),
    CurveFunction.FUSED_GELU_TANH: Granted(32, (1 << 129) + (1 << 101)),
    CurveFunction.FUSED_GELU: Granted(16, 1 << 126),
    CurveFunction.FUSED_MISH: Granted(72, 80 << 27),
    CurveFunction.FUSED_HARD_SWISH_GATE: Granted(0, 3073 << 115),
    CurveFunction.FUSED_HARD_SWISH: Granted(4),
    CurveFunction.FUSED_SOFTSIGN: Granted(17),
    CurveFunction.FUSED_SOFTMAX: Granted(4096, 1 << 24),
}
