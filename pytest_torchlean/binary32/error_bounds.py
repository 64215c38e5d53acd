"""Bounds on rounding errors, computed in binary64 with an upward margin.

u = 2^-24 is the unit roundoff, eta = 2^-150 half the smallest subnormal, gamma_n = n*u / (1 - n*u).
Source: N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 2.2, 3.1 and 4.2.
Every bound is infinite where an intermediate result may overflow: there any special value is a
legitimate answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import LARGEST

UNIT_ROUNDOFF = 2.0**-24
ETA = 2.0**-150

MARGIN = 1.0 + 2.0**-26
"""Covers the binary64 rounding of the bound itself: at most 2^22 terms, each within 2^-52."""

_MOST_TERMS = 2**22

Float64 = NDArray[np.float64]


def gamma(count: NDArray[np.int64] | Float64 | int) -> Float64:
    """gamma_n rounded upwards, element-wise; infinite from n = 2^22 on, where the theory ends."""
    n = np.asarray(count, dtype=np.float64)
    product = n * UNIT_ROUNDOFF
    with np.errstate(divide="ignore", invalid="ignore"):
        value = product / (1.0 - product) * (1.0 + 2.0**-50)
    return np.asarray(np.where(n < _MOST_TERMS, value, np.inf), dtype=np.float64)


def finish(bound: Float64, magnitude: Float64) -> Float64:
    """Round a bound upwards; infinite where `magnitude`, the sum of absolute terms, may overflow.

    `magnitude` must bound every intermediate result in exact arithmetic. NaN becomes infinity.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        raised = bound * MARGIN
        safe = (magnitude * MARGIN + raised < LARGEST) & np.isfinite(raised)
    return np.asarray(np.where(safe, raised, np.inf), dtype=np.float64)


def dot_bound(magnitude: Float64, count: NDArray[np.int64] | Float64 | int) -> Float64:
    """Bound for a sum of products by any order, with or without fused multiply-add.

    magnitude: sum of |a_i * b_i|; count: number of non-zero products (a bias counts as one).
    gamma_m * S + m * eta * (1 + gamma_m): adding an exact zero never rounds, additions never
    underflow, each product may underflow by eta, which later additions may scale by 1 + gamma_m.
    """
    g = gamma(count)
    n = np.asarray(count, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        return finish(g * magnitude + n * ETA * (1.0 + g), magnitude)


def mean_bound(magnitude: Float64, terms: int, divisor: NDArray[np.int64] | Float64 | int) -> Float64:
    """Bound for a sum by any order divided by `divisor`, or multiplied by its rounded reciprocal.

    magnitude: sum of |x_i| over `terms` numbers. gamma_{n+1} * S / divisor + 2 eta, n = terms.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        bound = gamma(terms + 1) * magnitude / np.asarray(divisor, dtype=np.float64) + 2.0 * ETA
    return finish(bound, magnitude)
