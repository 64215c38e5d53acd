"""Shrink and ThresholdedRelu: pieces of a line, rounded at most once.

ONNX Shrink since 9: x + bias below -lambd, x - bias above lambd, else 0. ThresholdedRelu since 10: x above
alpha, else 0. NaN gives NaN in ThresholdedRelu and 0 in Shrink, whose comparisons it fails.
"""

from __future__ import annotations

import numpy as np

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.ir.graph import Node
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    OpRule,
    enclosed,
    exactly_rounded,
    floats,
    no_step,
    real,
    same_float,
)


def _shrink(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x, limit, bias = floats(inputs[0]), real(node, "lambd"), real(node, "bias")
    with np.errstate(all="ignore"):
        inner = np.where(x > limit, np.subtract(x, bias), np.float32(0))
        return (canonical_nan(np.where(x < -limit, np.add(x, bias), inner).astype(np.float32)),)


def _thresholded(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x = floats(inputs[0])
    return (canonical_nan(np.where((x > real(node, "alpha")) | np.isnan(x), x, np.float32(0))),)


def _beyond(x: Enclosed, limit: float, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """Where sign * x exceeds the limit in every execution, and where some do and some do not."""
    low, high = sign * x.center - x.radius, sign * x.center + x.radius
    return low > limit, (high > limit) & (low <= limit)


def _enclose(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    """Where rounding decides the piece nothing is claimed."""
    x = enclosed(inputs[0])
    zero = x.constant(np.zeros(x.shape, dtype=np.float32))
    if node.op == "ThresholdedRelu":
        above, open_ = _beyond(x, float(real(node, "alpha")), 1.0)
        result = x.selected(above, zero)
    else:
        limit, bias = float(real(node, "lambd")), x.constant(float(real(node, "bias")))
        above, first = _beyond(x, limit, 1.0)
        below, second = _beyond(x, limit, -1.0)
        open_ = first | second
        result = (x + bias).selected(below, (x - bias).selected(above, zero))
    return (Enclosed(result.center, np.where(open_, np.inf, result.radius)),)


_NO_STEP = no_step("its result is not a continuous function of its operand")

RULES = {
    "Shrink": OpRule(same_float, _shrink, exactly_rounded, _NO_STEP, enclose=_enclose),
    "ThresholdedRelu": OpRule(same_float, _thresholded, exactly_rounded, _NO_STEP, enclose=_enclose),
}
