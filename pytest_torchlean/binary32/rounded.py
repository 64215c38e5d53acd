"""Formulas on binary32 numbers under the declared schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import elementary
from pytest_torchlean.binary32.kernels import canonical_nan, matmul_each, sequential_sum
from pytest_torchlean.binary32.values import Axes, Float32, Value, first, kept


@dataclass(frozen=True, eq=False)
class Rounded(Value):
    """Binary32 numbers."""

    values: Float32

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def constant(self, number: float | Float32) -> Rounded:
        return Rounded(np.asarray(number, dtype=np.float32))

    def moved(self, move: Callable[[Any], Any]) -> Rounded:
        return Rounded(np.asarray(move(self.values), dtype=np.float32))

    def joined(self, others: list[Rounded], axis: int) -> Rounded:
        return Rounded(np.concatenate([self.values, *(other.values for other in others)], axis=axis))

    def selected(self, mask: NDArray[np.bool_], other: Rounded) -> Rounded:
        return Rounded(np.where(mask, self.values, other.values))

    def _apply(self, operation: Callable[..., Any], *others: Rounded) -> Rounded:
        with np.errstate(all="ignore"):
            result = np.array(operation(self.values, *(other.values for other in others)), dtype=np.float32)
        return Rounded(canonical_nan(result))

    def __add__(self, other: Rounded) -> Rounded:
        return self._apply(np.add, other)

    def __sub__(self, other: Rounded) -> Rounded:
        return self._apply(np.subtract, other)

    def __mul__(self, other: Rounded) -> Rounded:
        return self._apply(np.multiply, other)

    def __truediv__(self, other: Rounded) -> Rounded:
        return self._apply(np.divide, other)

    def __neg__(self) -> Rounded:
        return Rounded(-self.values)

    def __abs__(self) -> Rounded:
        return Rounded(np.abs(self.values))

    def maximum(self, other: Rounded) -> Rounded:
        return self._apply(np.maximum, other)

    def minimum(self, other: Rounded) -> Rounded:
        return self._apply(np.minimum, other)

    def sum(self, axes: Axes) -> Rounded:
        total = sequential_sum(first(self.values, axes))
        return Rounded(total.reshape(kept(self.shape, axes)))

    def product(self, axes: Axes) -> Rounded:
        terms = first(self.values, axes)
        total = np.ones(terms.shape[1:], dtype=np.float32)
        with np.errstate(all="ignore"):
            for term in terms:
                np.multiply(total, term, out=total)
        return Rounded(canonical_nan(total).reshape(kept(self.shape, axes)))

    def largest(self, axes: Axes, *, least: bool = False) -> Rounded:
        start = np.float32(np.inf if least else -np.inf)
        choose = np.min if least else np.max
        with np.errstate(invalid="ignore"):
            chosen = choose(first(self.values, axes), axis=0, initial=start)
        return Rounded(np.asarray(chosen, dtype=np.float32).reshape(kept(self.shape, axes)))

    def matmul(self, other: Rounded) -> Rounded:
        batch = np.broadcast_shapes(self.shape[:-2], other.shape[:-2])
        count = math.prod(batch)
        left = np.broadcast_to(self.values, (*batch, *self.shape[-2:])).reshape(count, *self.shape[-2:])
        right = np.broadcast_to(other.values, (*batch, *other.shape[-2:])).reshape(count, *other.shape[-2:])
        return Rounded(matmul_each(left, right).reshape(*batch, self.shape[-2], other.shape[-1]))

    def sqrt(self) -> Rounded:
        return self._apply(np.sqrt)

    def function(self, name: str, p: float = 0.0, q: float = 0.0) -> Rounded:
        return Rounded(elementary.evaluate(name, self.values, p, q))
