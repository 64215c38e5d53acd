"""The formulas compiled by numba: one loop per function that rounds, and lists what it could not decide.

`formulas` and `approximation` are written for arrays; here their functions are compiled again with the scalar
meaning of their helpers; `machine` says how.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from types import FunctionType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import approximation, enclosure, formulas, machine, tables

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Indices = NDArray[np.int64]
Loop = Callable[[Float32, float, float, Float32, Indices], int]
ValueLoop = Callable[[Float64, float, float, Float64, Float64], None]
PowerLoop = Callable[[Float32, Float32, Float32, Indices], int]


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


def _index(x: Any) -> Any:
    return int(x)


def _real(n: Any) -> Any:
    return float(n)


def _constant(x: Any, value: Any) -> Any:
    return value


def _nearest(x: Any) -> Any:
    return np.rint(x)


def _root(x: Any) -> Any:
    return np.sqrt(x)


def _magnitude(x: Any) -> Any:
    return abs(x)


def _with_sign(x: Any, sign: Any) -> Any:
    return math.copysign(x, sign)


def _parts(x: Any) -> Any:
    """frexp of a positive normal number, from its bits."""
    bits = np.float64(x).view(np.int64)
    mantissa = (bits & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000
    return np.int64(mantissa).view(np.float64), (bits >> 52) - 1022


SCALAR: dict[str, Callable[..., Any]] = {
    "where": _where,
    "index": _index,
    "real": _real,
    "constant": _constant,
    "nearest": _nearest,
    "root": _root,
    "magnitude": _magnitude,
    "with_sign": _with_sign,
    "parts": _parts,
}


@functools.cache
def loop(name: str) -> Loop:
    """Rounds f(x, p, q) of finite x; returns how many indices of undecided elements it wrote."""
    namespace = _namespace()
    namespace["formula"] = namespace[formulas.FORMULAS[name].__name__]
    return cast("Loop", machine.compiled(_unary(f"{name} {_digest()}"), namespace))


@functools.cache
def value_loop(name: str) -> ValueLoop:
    """Writes the binary64 value and margin of f(x, p, q) for finite x."""
    namespace = _namespace()
    namespace["formula"] = namespace[formulas.FORMULAS[name].__name__]
    return cast("ValueLoop", machine.compiled(_values(f"{name} {_digest()}"), namespace))


@functools.cache
def power_loop() -> PowerLoop:
    """Rounds x^y of finite positive x and finite y, as `loop`."""
    namespace = _namespace()
    namespace["formula"] = namespace["f_power"]
    return cast("PowerLoop", machine.compiled(_binary(f"Pow {_digest()}"), namespace))


def _unary(key: str) -> Any:
    def rounding(xs: Any, p: Any, q: Any, results: Any, undecided: Any) -> Any:
        _ = key
        count = 0
        for i in range(xs.size):
            y, margin = formula(np.float64(xs[i]), p, q)  # type: ignore[name-defined] # noqa: F821
            spread = abs(y) * margin
            results[i] = np.float32(y)
            if np.float32(y - spread) != np.float32(y + spread) and abs(y) < np.inf:
                undecided[count] = i
                count += 1
        return count

    return rounding


def _values(key: str) -> Any:
    def values(xs: Any, p: Any, q: Any, results: Any, margins: Any) -> Any:
        _ = key
        for i in range(xs.size):
            results[i], margins[i] = formula(xs[i], p, q)  # type: ignore[name-defined] # noqa: F821

    return values


def _binary(key: str) -> Any:
    def rounding_power(xs: Any, ys: Any, results: Any, undecided: Any) -> Any:
        _ = key
        count = 0
        for i in range(xs.size):
            y, margin = formula(np.float64(xs[i]), np.float64(ys[i]))  # type: ignore[name-defined] # noqa: F821
            spread = abs(y) * margin
            results[i] = np.float32(y)
            if np.float32(y - spread) != np.float32(y + spread) and abs(y) < np.inf:
                undecided[count] = i
                count += 1
        return count

    return rounding_power


def _namespace() -> dict[str, Any]:
    """The globals of the formulas, their functions and helpers compiled for scalars, lazily."""
    import numba

    compiler = numba.njit(fastmath=False, error_model="numpy", cache=False)
    namespace: dict[str, Any] = {**vars(tables), **vars(approximation), **vars(formulas)}
    ours = (approximation.__name__, formulas.__name__)
    for name, value in tuple(namespace.items()):
        if name in SCALAR:
            namespace[name] = compiler(SCALAR[name])
        elif isinstance(value, FunctionType) and value.__module__ in ours:
            namespace[name] = compiler(FunctionType(value.__code__, namespace, name))
    return namespace


@functools.cache
def _digest() -> str:
    """SHA-256 of the sources that the machine code comes from."""
    modules = (enclosure, tables, approximation, formulas)
    return machine.digest((*(str(module.__file__) for module in modules), __file__))
