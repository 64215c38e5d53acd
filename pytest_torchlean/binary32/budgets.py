"""How far a runtime's elementary functions may be from the real value: one table, with its evidence.

IEEE-754 fixes the bits of + - * / and square root, and sums obey derived bounds (`error_bounds`). For the
functions here no standard says anything, so these budgets are empirical: what onnxruntime 1.31.1 on one
x86-64 processor with AVX-512 was seen to do, and a little more. A differential test says no beyond them; no
property can loosen them. `seen` is the largest error met and where; benchmarks/ELEMENTARY.md has the runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.error_bounds import ETA, UNIT_ROUNDOFF, finish, gamma

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Budget:
    """|computed - f(x)| <= ulps * ulp(f(x)) + absolute * scale + of_input * |x|.

    scale is 1, or max(1, |p|) * max(1, |q|) where `scaled` says so. Where |f(x)| < `edge`, `edge_ulps` and
    `edge_absolute` hold instead of `ulps` and `absolute`.
    """

    ulps: float
    absolute: float = 0.0
    of_input: float = 0.0
    scaled: bool = False
    edge: float = 0.0
    edge_ulps: float = 0.0
    edge_absolute: float = 0.0
    seen: str = ""


BUDGETS: Mapping[str, Budget] = {
    "Acos": Budget(5.0, seen="3.92 ulp"),
    "Acosh": Budget(2.0, seen="1.93 ulp"),
    "Asin": Budget(5.0, seen="3.95 ulp"),
    "Asinh": Budget(2.0, seen="1.55 ulp"),
    "Atan": Budget(5.0, seen="3.21 ulp"),
    "Atanh": Budget(2.0, seen="1.57 ulp"),
    "Celu": Budget(1.0, 2.0**-23.5, scaled=True, seen="0.71 of the budget; -1e-30 gives 0"),
    "Cos": Budget(3.0, seen="2.27 ulp"),
    "Cosh": Budget(2.0, seen="1.67 ulp"),
    "Elu": Budget(1.0, 2.0**-23.5, scaled=True, seen="0.70 of the budget; -1e-30 gives 0"),
    "Erf": Budget(1.25, seen="1.001 ulp, all inputs"),
    "Exp": Budget(1.0, seen="0.866 ulp, all inputs"),
    "Gelu": Budget(2.0, 2.0**-23, seen="0.69 of the budget, at -5.5"),
    "GeluTanh": Budget(4.0, 2.0**-20, seen="0.53 of the budget, at -5"),
    "Log": Budget(4.0, seen="3.471 ulp, all inputs"),
    "Mish": Budget(
        9.0, edge=2.0**-99, edge_ulps=80.0, edge_absolute=2.0**-135, seen="0.74 of the budget, at -2.1"
    ),
    "Selu": Budget(1.0, 2.0**-23.1, scaled=True, seen="0.56 of the budget; -1e-30 gives 0"),
    "Sigmoid": Budget(0.5, 2.0**-22.3, seen="0.92 of the budget at -15.9, all inputs; 0 from -18 on"),
    "Sin": Budget(3.0, seen="2.23 ulp"),
    "Sinh": Budget(2.0, seen="1.69 ulp"),
    "Softplus": Budget(5.0, seen="4.80 ulp"),
    "Softsign": Budget(2.01, seen="2.00 ulp"),
    "Swish": Budget(1.0, of_input=2.0**-22.3, seen="0.68 of the budget, at -15.8"),
    "Tan": Budget(2.0, seen="1.26 ulp"),
    "Tanh": Budget(6.0, 2.0**-141, seen="0.91 of the budget at 8.5, all inputs; 104 ulp near 2e-38"),
}
POWER = Budget(1.5, seen="1.2 ulp for general exponents, 1.5 for the cube, which is x * x * x")


_UNITS = np.ldexp(1.0, np.maximum(np.arange(2048) - 1023, -126) - 23)
"""2^(e - 23) by the biased binary64 exponent; e is at least -126."""


def ulp(value: Float64) -> Float64:
    """The distance of binary32 numbers around a real value: 2^(floor(log2 |value|) - 23), at least 2^-149."""
    exponent = np.ascontiguousarray(value).view(np.int64) >> 52 & 0x7FF
    return np.asarray(_UNITS[exponent].reshape(value.shape), dtype=np.float64)


def allowed(budget: Budget, value: Float64, x: Float64, p: float = 0.0, q: float = 0.0) -> Float64:
    """The budget at f(x) = value, rounded upwards; infinite where the result may overflow."""
    with np.errstate(all="ignore"):
        scale = max(1.0, abs(p)) * max(1.0, abs(q)) if budget.scaled else 1.0
        low = np.abs(value) < budget.edge
        ulps = np.where(low, budget.edge_ulps, budget.ulps)
        absolute = np.where(low, budget.edge_absolute, budget.absolute)
        bound = ulps * ulp(value) + absolute * scale + budget.of_input * np.abs(x)
    return finish(np.where(np.isfinite(x), bound, np.inf), np.abs(value))


def function_bound(name: str, value: Float64, x: Float64, p: float = 0.0, q: float = 0.0) -> Float64:
    """The bound of a function of `elementary.NAMES`; see `allowed`.

    HardSigmoid and HardSwish have derived bounds: a product, a sum, and for HardSwish two products more.
    """
    if name == "HardSigmoid":
        terms = np.abs(p * x) + abs(q)
        return finish(gamma(2) * terms + 2.0 * ETA, terms)
    if name == "HardSwish":
        terms = np.abs(x) * (np.abs(x) / 6.0 + 0.5)
        inside = np.abs(value) != np.abs(x)
        bound = np.where(inside & (value != 0.0), gamma(3) * terms, 0.0)
        return finish(bound + UNIT_ROUNDOFF * np.abs(value) + 2.0 * ETA, np.abs(x))
    return allowed(BUDGETS[name], value, x, p, q)
