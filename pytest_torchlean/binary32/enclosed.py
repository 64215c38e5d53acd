"""Formulas on centers and radii: where every binary32 execution lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import elementary
from pytest_torchlean.binary32.budgets import function_bound
from pytest_torchlean.binary32.error_bounds import ETA, MARGIN, UNIT_ROUNDOFF, gamma
from pytest_torchlean.binary32.ulp import LARGEST
from pytest_torchlean.binary32.values import Axes, Float32, Value, count_of, first, kept

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Enclosed(Value):
    """|any execution's number - center| <= radius; both float64 of one shape."""

    center: Float64
    radius: Float64

    @staticmethod
    def exact(values: NDArray[np.generic]) -> Enclosed:
        """Numbers that every execution has alike."""
        center = values.astype(np.float64)
        return Enclosed(center, np.where(np.isnan(center), np.inf, 0.0))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.center.shape

    @property
    def size(self) -> Float64:
        """The largest magnitude that an execution may have."""
        return np.abs(self.center) + self.radius

    def constant(self, number: float | Float32) -> Enclosed:
        return Enclosed.exact(np.asarray(number, dtype=np.float32))

    def moved(self, move: Callable[[Any], Any]) -> Enclosed:
        return Enclosed(np.asarray(move(self.center)), np.asarray(move(self.radius)))

    def joined(self, others: list[Enclosed], axis: int) -> Enclosed:
        every = [self, *others]
        return Enclosed(
            np.concatenate([value.center for value in every], axis=axis),
            np.concatenate([value.radius for value in every], axis=axis),
        )

    def selected(self, mask: NDArray[np.bool_], other: Enclosed) -> Enclosed:
        return Enclosed(np.where(mask, self.center, other.center), np.where(mask, self.radius, other.radius))

    def or_by(self, other: Enclosed) -> Enclosed:
        with np.errstate(invalid="ignore"):
            reach = np.abs(self.center - other.center) + other.radius
        return Enclosed(self.center, _safe(np.fmax(self.radius, reach), np.abs(self.center)))

    def __add__(self, other: Enclosed) -> Enclosed:
        return self._added(other, 1.0)

    def __sub__(self, other: Enclosed) -> Enclosed:
        return self._added(other, -1.0)

    def _added(self, other: Enclosed, sign: float) -> Enclosed:
        """One rounding; a sum never underflows."""
        with np.errstate(all="ignore"):
            center = self.center + sign * other.center
            radius = self.radius + other.radius
            rounding = UNIT_ROUNDOFF * (np.abs(center) + radius)
        return _result(center, np.where(_simple(self, other), 0.0, radius + rounding), self, other)

    def __mul__(self, other: Enclosed) -> Enclosed:
        with np.errstate(all="ignore"):
            center = self.center * other.center
            inherited = np.abs(self.center) * other.radius + self.radius * other.size
            inherited = np.where(np.isnan(inherited), 0.0, inherited)
            radius = inherited + UNIT_ROUNDOFF * (np.abs(center) + inherited) + ETA
        return _result(center, np.where(center == 0, inherited, radius), self, other)

    def __truediv__(self, other: Enclosed) -> Enclosed:
        """Three roundings, so that a product with the reciprocal, rounded itself, is covered."""
        with np.errstate(all="ignore"):
            center = self.center / other.center
            least = np.abs(other.center) - other.radius
            inherited = (self.radius + np.abs(center) * other.radius) / least
            inherited = np.where(np.isinf(other.center) & (other.radius == 0), 0.0, inherited)
            radius = inherited + 3.0 * UNIT_ROUNDOFF * (np.abs(center) + inherited)
            radius = radius + 2.0 * ETA * (1.0 + self.size)
        radius = np.where((self.center == 0) & (self.radius == 0), 0.0, radius)
        return _result(center, np.where(least > 0, radius, np.inf), self, other)

    def __neg__(self) -> Enclosed:
        return Enclosed(-self.center, self.radius)

    def __abs__(self) -> Enclosed:
        return Enclosed(np.abs(self.center), self.radius)

    def maximum(self, other: Enclosed) -> Enclosed:
        return Enclosed(*_chosen(np.maximum(self.center, other.center), self, other))

    def minimum(self, other: Enclosed) -> Enclosed:
        return Enclosed(*_chosen(np.minimum(self.center, other.center), self, other))

    def sum(self, axes: Axes) -> Enclosed:
        count = count_of(self.shape, axes)
        with np.errstate(all="ignore"):
            center = np.asarray(self.center.sum(axis=axes, keepdims=True))
            inherited = np.asarray(self.radius.sum(axis=axes, keepdims=True))
            size = np.asarray(self.size.sum(axis=axes, keepdims=True))
            radius = inherited + gamma(max(count - 1, 0)) * size
        known = np.asarray((np.isinf(self.center) & (self.radius == 0)).any(axis=axes, keepdims=True))
        sure = known & np.isfinite(inherited) & ~np.isnan(center)
        return Enclosed(center, np.where(sure, 0.0, _safe(radius, size)))

    def product(self, axes: Axes) -> Enclosed:
        terms = Enclosed(first(self.center, axes), first(self.radius, axes))
        total = Enclosed.exact(np.ones(terms.shape[1:], dtype=np.float32))
        reach = np.ones(terms.shape[1:])
        count = len(terms.center)
        for index in range(count):
            total = total * Enclosed(terms.center[index], terms.radius[index])
            with np.errstate(all="ignore"):
                reach = reach * np.maximum(np.abs(terms.center[index]) + terms.radius[index], 1.0)
        with np.errstate(all="ignore"):
            radius = _safe(total.radius + 2.0 * count * ETA * reach, reach)
        return Enclosed(total.center, radius).moved(lambda v: v.reshape(kept(self.shape, axes)))

    def largest(self, axes: Axes, *, least: bool = False) -> Enclosed:
        center = first(self.center, axes)
        start = np.inf if least else -np.inf
        with np.errstate(invalid="ignore"):
            chosen = (np.min if least else np.max)(center, axis=0, initial=start)
        radius = np.max(first(self.radius, axes), axis=0, initial=0.0)
        return Enclosed(np.asarray(chosen), radius).moved(lambda v: v.reshape(kept(self.shape, axes)))

    def matmul(self, other: Enclosed) -> Enclosed:
        """gamma_m * S + m * eta with m products that are not zero."""
        a, b = _finite(self.center), _finite(other.center)
        with np.errstate(all="ignore"):
            center = np.asarray(np.matmul(self.center, other.center))
            size = np.asarray(np.matmul(_finite(self.size), _finite(other.size)))
            count = np.asarray(np.matmul((self.size != 0) * 1.0, (other.size != 0) * 1.0))
            inherited = np.matmul(np.abs(a), _finite(other.radius)) + np.matmul(
                _finite(self.radius), _finite(other.size)
            )
            g = gamma(count)
            radius = inherited + g * size + count * ETA * (1.0 + g)
            open_ = np.matmul(np.isinf(self.size) * 1.0, np.ones_like(b)) + np.matmul(
                np.ones_like(a), np.isinf(other.size) * 1.0
            )
        return Enclosed(center, np.where(open_ > 0, np.inf, _safe(radius, size)))

    def sqrt(self) -> Enclosed:
        with np.errstate(all="ignore"):
            center = np.sqrt(self.center)
            inherited = np.minimum(np.sqrt(self.radius), self.radius / center)
            inherited = np.where(self.radius == 0, 0.0, inherited)
            radius = inherited + UNIT_ROUNDOFF * (center + inherited)
        below = (self.center - self.radius < 0) & (self.radius > 0)
        return _result(center, np.where(below, np.inf, radius), self)

    def function(self, name: str, p: float = 0.0, q: float = 0.0) -> Enclosed:
        """The function's variation over the radius, and the budget of an implementation."""
        with np.errstate(all="ignore"):
            low, center, high = (
                _reference(name, at, p, q)
                for at in (self.center - self.radius, self.center, self.center + self.radius)
            )
            steepest = _steepest(name, p, q)
            if steepest is not None:
                inherited = steepest * self.radius
            else:
                inherited = np.maximum(np.abs(low - center), np.abs(high - center))
            if name == "Tan":
                inherited = np.where(self.size < 1.5, inherited, np.inf)
            inherited = np.where(self.radius == 0, 0.0, inherited)
            budget = function_bound(name, np.abs(center) + inherited, _finite(self.size), p, q)
            limit = np.isinf(self.center) & (self.radius == 0) & (name not in _OPEN_AT_INFINITY)
            radius = np.where(limit, 0.0, inherited + budget)
        certain = np.isfinite(self.radius) & ~(np.isinf(self.center) & (name in _OPEN_AT_INFINITY))
        found = _result(center, np.where(certain, radius, np.inf), self)
        return Enclosed(found.center, np.where(certain, found.radius, np.inf))


_OPEN_AT_INFINITY = frozenset({"Gelu", "GeluTanh", "HardSwish", "Mish", "Softsign", "Swish"})
"""Functions whose formula gives NaN at an infinity, so that runtimes may."""
_STEEPEST = {
    "Cos": 1.0, "Sin": 1.0, "Gelu": 1.2, "GeluTanh": 1.2, "HardSwish": 1.5, "Mish": 1.2, "Swish": 1.2,
}  # fmt: skip
"""The largest slope of functions that are not monotone. Cosh is convex, so the ends of an interval decide."""


def _steepest(name: str, p: float, q: float) -> float | None:
    """The largest slope of a function that is not monotone; None where the ends of an interval decide."""
    if name == "Elu" and p < 0.0:
        return max(1.0, abs(p))
    if name == "Selu" and p < 0.0:
        return abs(q) * max(1.0, abs(p))
    return _STEEPEST.get(name)


def _reference(name: str, x: Float64, p: float, q: float) -> Float64:
    """f(x) in binary64, to far more digits than binary32 has; limits at infinities."""
    # its tables take a tenth of a second, which most graphs have no use for
    from pytest_torchlean.binary32.formulas import FORMULAS

    value, _ = FORMULAS[name](_finite(x), p, q)
    below, above = elementary.LIMITS[name](p, q)
    value = np.where(x == -np.inf, below, np.where(x == np.inf, above, value))
    return np.asarray(np.where(np.isnan(x), np.nan, value), dtype=np.float64)


def _chosen(center: Float64, left: Enclosed, right: Enclosed) -> tuple[Float64, Float64]:
    """Where the operands cannot change places, the radius of the one that is chosen."""
    shape = center.shape
    first, second = (np.broadcast_to(value.radius, shape) for value in (left, right))
    with np.errstate(invalid="ignore"):
        apart = np.abs(left.center - right.center) > left.radius + right.radius
    radius = np.where(center == left.center, first, second)
    return center, np.where(apart, radius, np.maximum(first, second))


def _simple(left: Enclosed, right: Enclosed) -> NDArray[np.bool_]:
    """Where a sum is exact because one exact summand is zero and the other is exact."""
    exact = (left.radius == 0) & (right.radius == 0)
    return np.asarray(exact & ((left.center == 0) | (right.center == 0)))


def _finite(values: Float64) -> Float64:
    return np.where(np.isfinite(values), values, 0.0)


def _result(center: Float64, radius: Float64, *operands: Enclosed) -> Enclosed:
    """Infinite radii where a finite result may overflow; an exact infinity stays exact."""
    shape = center.shape
    with np.errstate(all="ignore"):
        safe = _safe(np.broadcast_to(radius, shape), np.abs(center))
        followed = np.isinf(center)
        origin = np.zeros(shape, dtype=np.bool_)
        for operand in operands:
            followed = followed & np.isfinite(operand.radius)
            origin = origin | (np.isinf(operand.center) & (operand.radius == 0))
    return Enclosed(center, np.where(followed & origin, 0.0, safe))


def _safe(radius: Float64, size: Float64) -> Float64:
    with np.errstate(all="ignore"):
        raised = radius * MARGIN
        fits = (size * MARGIN + raised < LARGEST) & np.isfinite(raised)
    return np.asarray(np.where(fits, raised, np.inf), dtype=np.float64)
