"""What a formula may do with tensors, in whichever arithmetic."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
V = TypeVar("V", bound="Value")
Axes = tuple[int, ...]


class Value(ABC):
    """A tensor of numbers in one of the arithmetics. Operators broadcast as numpy does."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""

    @abstractmethod
    def constant(self: V, number: float | Float32) -> V:
        """Binary32 numbers of the formula, in the same arithmetic."""

    @abstractmethod
    def moved(self: V, move: Callable[[Any], Any]) -> V:
        """Elements copied by `move`, which treats numbers and radii alike."""

    @abstractmethod
    def joined(self: V, others: list[V], axis: int) -> V:
        """Concatenation of this value and others."""

    @abstractmethod
    def selected(self: V, mask: NDArray[np.bool_], other: V) -> V:
        """This value where the mask is set, the other elsewhere."""

    @abstractmethod
    def __add__(self: V, other: V) -> V: ...

    @abstractmethod
    def __sub__(self: V, other: V) -> V: ...

    @abstractmethod
    def __mul__(self: V, other: V) -> V: ...

    @abstractmethod
    def __truediv__(self: V, other: V) -> V: ...

    @abstractmethod
    def __neg__(self: V) -> V: ...

    @abstractmethod
    def __abs__(self: V) -> V: ...

    @abstractmethod
    def maximum(self: V, other: V) -> V:
        """The larger one, element by element; NaN where one of them is NaN."""

    @abstractmethod
    def minimum(self: V, other: V) -> V:
        """The smaller one, element by element; NaN where one of them is NaN."""

    @abstractmethod
    def sum(self: V, axes: Axes) -> V:
        """Sums over axes, which stay with extent 1; ascending in the axes' own order."""

    @abstractmethod
    def product(self: V, axes: Axes) -> V:
        """Products over axes, which stay with extent 1."""

    @abstractmethod
    def largest(self: V, axes: Axes, *, least: bool = False) -> V:
        """Maxima (minima with `least`) over axes, which stay with extent 1."""

    @abstractmethod
    def matmul(self: V, other: V) -> V:
        """Matrix products, broadcast over all axes but the last two."""

    @abstractmethod
    def sqrt(self: V) -> V:
        """Square roots."""

    @abstractmethod
    def function(self: V, name: str, p: float = 0.0, q: float = 0.0) -> V:
        """An elementary function of `elementary.NAMES`."""

    def or_by(self: V, other: V) -> V:
        """This value, which an execution may also compute by another formula."""
        return self

    def reshaped(self: V, *shape: int) -> V:
        """The same elements in another shape."""
        return self.moved(lambda values: values.reshape(shape))

    def dropped(self: V, axes: Axes) -> V:
        """Without these axes of extent 1."""
        return self.moved(lambda values: values.reshape(without(values.shape, axes)))

    def mean(self: V, axes: Axes) -> V:
        """Sums over axes divided by the number of terms."""
        return self.sum(axes) / self.constant(float(count_of(self.shape, axes)))


def count_of(shape: tuple[int, ...], axes: Axes) -> int:
    """Elements that a reduction over axes takes together."""
    return math.prod(shape[axis] for axis in axes)


def without(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape with the axes gone."""
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)


def kept(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape with the axes of extent 1."""
    return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))


def first(values: Any, axes: Axes) -> Any:
    """The elements to reduce along the first axis, in ascending order."""
    moved = np.moveaxis(values, axes, range(len(axes)))
    return moved.reshape(count_of(values.shape, axes), *moved.shape[len(axes) :])
