"""Elementary functions of binary32 numbers, correctly rounded to nearest, ties to even, for every input.

A value is computed in binary64 with a proved relative margin (`formulas`). Where both ends of the margin
round to the same binary32 number, that number is the answer (Ziv's test); elsewhere the function is enclosed
in integers of growing precision (`real_functions`). The answer is unique, so the implementations
agree in every bit: numpy, and numba where `machine.choose` says so, on any number of threads.

Conventions: NaN gives 0x7fc00000; an infinity gives the limit, NaN where there is none; a result that
underflows keeps its sign; odd functions keep the sign of zero.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.binary32.machine import Implementation, choose, spread, thread_count

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_BLOCK = 2**14
_NUMPY_COST = 8e-8
"""Seconds of numpy per element."""
_WORTH_THREADS = 2**15
"""Elements for which a second thread pays."""

NAMES = (
    "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Gelu",
    "GeluTanh", "HardSigmoid", "HardSwish", "Log", "Mish", "Selu", "Sigmoid", "Sin", "Sinh", "Softplus",
    "Softsign", "Swish", "Tan", "Tanh",
)  # fmt: skip
"""The functions of one number. Celu, Elu, Swish take p = alpha; Selu p = alpha, q = gamma; HardSigmoid
p = alpha, q = beta."""


def evaluate(
    name: str, x: Float32, p: float = 0.0, q: float = 0.0, *, implementation: Implementation | None = None
) -> Float32:
    """f(x), float32 of x's shape. p, q: binary32 numbers."""
    flat = np.ascontiguousarray(x, dtype=np.float32).reshape(-1)
    finite = np.isfinite(flat)
    everywhere = bool(finite.all())
    inside = flat if everywhere else np.where(finite, flat, np.float32(0))
    chosen = choose(name, flat.size * _NUMPY_COST, implementation)
    if chosen == "numba":
        result = compiled_function(name, float(p), float(q))(inside)
    else:
        result = _by_numpy(name, inside, float(p), float(q))
    if not everywhere:
        below, above = LIMITS[name](float(p), float(q))
        result[flat == -np.inf] = below
        result[flat == np.inf] = above
        result[np.isnan(flat)] = np.nan
    return canonical_nan(result).reshape(x.shape)


def compiled_function(name: str, p: float = 0.0, q: float = 0.0) -> Callable[[Float32], Float32]:
    """f of contiguous vectors of finite numbers, compiled."""
    from pytest_torchlean.binary32.compiled import loop

    rounding = loop(name)

    def function(x: Float32) -> Float32:
        result, places = np.empty_like(x), np.empty(x.size, dtype=np.int64)

        def work(start: int, stop: int) -> None:
            part = slice(start, stop)
            count = rounding(x[part], p, q, result[part], places[part])
            if count:
                decide(name, x[part], p, q, result[part], places[start : start + count])

        if x.size < _WORTH_THREADS:
            work(0, x.size)
        else:
            spread(x.size, thread_count(), work)
        return result

    return function


def reference(name: str, x: Float32, p: float = 0.0, q: float = 0.0) -> tuple[Float64, Float64]:
    """f(x) in binary64 and how far that may be from the real value, both of x's shape.

    For |x| below 2^-46 the radius of Gelu, Swish, Elu, Selu and HardSwish is 2^-44 of the value.
    """
    wide = np.where(np.isfinite(x), x, np.float32(0)).astype(np.float64)
    with np.errstate(all="ignore"):
        value, margin = _values(name, wide, float(p), float(q))
        radius = np.abs(value) * np.maximum(margin, np.where(np.abs(wide) < 2.0**-40, 2.0**-44, 0.0))
    below, above = LIMITS[name](float(p), float(q))
    value = np.where(x == -np.inf, below, np.where(x == np.inf, above, np.where(np.isnan(x), np.nan, value)))
    return value, np.where(np.isfinite(x), radius, 0.0)


def _values(name: str, x: Float64, p: float, q: float) -> tuple[Float64, Float64]:
    """The formula's value and margin, by numba for large arrays; their bits may differ, their meaning not."""
    if choose(f"{name} in binary64", x.size * _NUMPY_COST) == "numba":
        from pytest_torchlean.binary32.compiled import value_loop

        flat, value, margin = x.reshape(-1), np.empty(x.size), np.empty(x.size)
        value_loop(name)(flat, p, q, value, margin)
        return value.reshape(x.shape), margin.reshape(x.shape)
    from pytest_torchlean.binary32.formulas import FORMULAS

    value, margin = FORMULAS[name](x, p, q)
    return value, margin


def _by_numpy(name: str, x: Float32, p: float, q: float) -> Float32:
    """f of a vector of finite numbers."""
    from pytest_torchlean.binary32.formulas import FORMULAS

    result = np.empty_like(x)
    formula = FORMULAS[name]
    for start in range(0, x.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        with np.errstate(all="ignore"):
            value, margin = formula(x[part].astype(np.float64), p, q)
            result[part], open_ = round_within(value, margin)
        decide(name, x[part], p, q, result[part], np.flatnonzero(open_))
    return result


def round_within(value: Float64, margin: Float64) -> tuple[Float32, NDArray[np.bool_]]:
    """The binary32 numbers nearest to `value`, and where a relative change by `margin` gives others."""
    spread = np.abs(value) * margin
    low, high = (value - spread).astype(np.float32), (value + spread).astype(np.float32)
    return value.astype(np.float32), (low != high) & np.isfinite(value)


def decide(name: str, x: Float32, p: float, q: float, result: Float32, places: NDArray[np.int64]) -> None:
    """Replace the undecided results by exact ones; a zero keeps the sign it has."""
    from pytest_torchlean.binary32.real_functions import rounded

    found: dict[float, float] = {}
    first, second = Fraction(p), Fraction(q)
    for place in places.tolist():
        key = float(x[place])
        if key not in found:
            found[key] = rounded(name, Fraction(key), first, second)
        result[place] = found[key] if found[key] else np.copysign(np.float32(0), result[place])


# --- limits -------------------------------------------------------------------------------------------

Limits = Callable[[float, float], tuple[float, float]]
_INF, _NAN = float("inf"), float("nan")
_HALF_PI = float(np.float32(np.pi / 2))


def _always(below: float, above: float) -> Limits:
    def limits(p: float, q: float) -> tuple[float, float]:
        return below, above

    return limits


def _hard_sigmoid(p: float, q: float) -> tuple[float, float]:
    if p == 0.0:
        constant = min(max(q, 0.0), 1.0)
        return constant, constant
    return (0.0, 1.0) if p > 0 else (1.0, 0.0)


def _swish(p: float, q: float) -> tuple[float, float]:
    return (-0.0 if p > 0 else -_INF), (0.0 if p < 0 else _INF)


def _selu(p: float, q: float) -> tuple[float, float]:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.float32(-(q * p))), float(np.float64(q) * _INF)


LIMITS: dict[str, Limits] = {
    "Acos": _always(_NAN, _NAN),
    "Acosh": _always(_NAN, _INF),
    "Asin": _always(_NAN, _NAN),
    "Asinh": _always(-_INF, _INF),
    "Atan": _always(-_HALF_PI, _HALF_PI),
    "Atanh": _always(_NAN, _NAN),
    "Celu": lambda p, q: (-p if p > 0 else -_INF, _INF),
    "Cos": _always(_NAN, _NAN),
    "Cosh": _always(_INF, _INF),
    "Elu": lambda p, q: (-p, _INF),
    "Erf": _always(-1.0, 1.0),
    "Exp": _always(0.0, _INF),
    "Gelu": _always(-0.0, _INF),
    "GeluTanh": _always(-0.0, _INF),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _always(-0.0, _INF),
    "Log": _always(_NAN, _INF),
    "Mish": _always(-0.0, _INF),
    "Selu": _selu,
    "Sigmoid": _always(0.0, 1.0),
    "Sin": _always(_NAN, _NAN),
    "Sinh": _always(-_INF, _INF),
    "Softplus": _always(0.0, _INF),
    "Softsign": _always(-1.0, 1.0),
    "Swish": _swish,
    "Tan": _always(_NAN, _NAN),
    "Tanh": _always(-1.0, 1.0),
}
"""f(-inf), f(+inf) for parameters p, q."""


# --- powers -------------------------------------------------------------------------------------------


def power(x: Float32, y: Float32, *, implementation: Implementation | None = None) -> Float32:
    """x^y, float32, broadcast; special values as C99's pow (Annex F.9.4.4) has them."""
    base, exponent = (np.ascontiguousarray(part).reshape(-1) for part in np.broadcast_arrays(x, y))
    shape = np.broadcast_shapes(x.shape, y.shape)
    plain = np.isfinite(base) & np.isfinite(exponent) & (base != 0)
    size = np.where(plain, np.abs(base), np.float32(1)).astype(np.float32)
    by = np.where(plain, exponent, np.float32(1)).astype(np.float32)
    if choose("Pow", base.size * _NUMPY_COST, implementation) == "numba":
        from pytest_torchlean.binary32.compiled import power_loop

        result, places = np.empty_like(size), np.empty(size.size, dtype=np.int64)
        places = places[: power_loop()(size, by, result, places)]
    else:
        result, places = _power_numpy(size, by)
    _decide_powers(size, by, result, places)
    integral = np.floor(by) == by
    odd = integral & (np.abs(by) < 2**24) & (np.abs(np.fmod(by, np.float32(2))) == 1)
    result = np.where((base < 0) & odd, -result, result)
    result = np.where((base < 0) & ~integral, np.float32(np.nan), result)
    if not plain.all():
        with np.errstate(all="ignore"):
            special = np.power(base[~plain].astype(np.float64), exponent[~plain].astype(np.float64))
            result[~plain] = special.astype(np.float32)
    return canonical_nan(result).reshape(shape)


def power_reference(x: Float32 | Float64, y: Float32 | Float64) -> tuple[Float64, Float64]:
    """x^y in binary64 and how far that may be from the real value, broadcast. For binary64 operands that are
    none of binary32, the margin leaves out 2^-50 of the value."""
    from pytest_torchlean.binary32.formulas import f_power

    base, exponent = (part.astype(np.float64) for part in np.broadcast_arrays(x, y))
    plain = np.isfinite(base) & np.isfinite(exponent) & (base != 0)
    with np.errstate(all="ignore"):
        value, margin = f_power(np.where(plain, np.abs(base), 1.0), np.where(plain, exponent, 1.0))
        special = np.power(base, exponent)
    signed = np.where(np.isnan(special), np.nan, np.copysign(value, special))
    return np.where(plain, signed, special), np.where(plain, value * margin, 0.0)


def _power_numpy(x: Float32, y: Float32) -> tuple[Float32, NDArray[np.int64]]:
    from pytest_torchlean.binary32.formulas import f_power

    with np.errstate(all="ignore"):
        value, margin = f_power(x.astype(np.float64), y.astype(np.float64))
        result, undecided = round_within(value, margin)
    return result, np.flatnonzero(undecided)


def _decide_powers(x: Float32, y: Float32, result: Float32, places: NDArray[np.int64]) -> None:
    from pytest_torchlean.binary32.real_functions import rounded_power

    found: dict[tuple[float, float], float] = {}
    for place in places.tolist():
        key = float(x[place]), float(y[place])
        if key not in found:
            found[key] = rounded_power(Fraction(key[0]), Fraction(key[1]))
        result[place] = found[key]
