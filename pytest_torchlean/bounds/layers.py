"""A program prepared for sweeps of linear forms: each node with its own array of coefficients.

Coefficients and values stand slot by slot, float64 (slots, boxes, rows), so that an affine node with one
position is one matrix product for all boxes and rows, and a convolution moves whole blocks of memory. The
inputs are part 0, the results of node k are part k + 1; constants have become biases.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import (
    FIRST_INPUT,
    ONE_SLOT,
    AffineNode,
    BilinearNode,
    CurveNode,
    ExtremumNode,
    Program,
    QuotientNode,
    ReluNode,
    Slots,
)

Float64 = NDArray[np.float64]
Parts = list[Float64 | None]
"""An array (slots or 1, boxes or 1, rows) for every part, None for zeros."""

_FEW_COLUMNS = 8


@dataclass(frozen=True, eq=False)
class Dense:
    """weights @ part[slots], weights float64 (rows, columns)."""

    part: int
    slots: slice | Slots
    weights: Float64
    whole: bool
    """Whether all slots of the part are read, in order."""

    @cached_property
    def magnitudes(self) -> Float64:
        """Absolute values of the weights."""
        return np.abs(self.weights)

    def product(self, values: Float64, *, magnitudes: bool = False) -> Float64:
        """What the part's values (slots, boxes, rows) give to the results."""
        read = values if self.whole else values[self.slots]
        weights = self.magnitudes if magnitudes else self.weights
        return (weights @ flat(read)).reshape(len(weights), *read.shape[1:])

    def back(self, coefficients: Float64, parts: Parts, size: int) -> None:
        """Add what the results' coefficients give to those of the part, which has `size` slots."""
        flowing = (self.weights.T @ flat(coefficients)).reshape(-1, *coefficients.shape[1:])
        if self.whole:
            add(parts, self.part, flowing)
        else:
            block(parts, self.part, size, flowing.shape[1:])[self.slots] += flowing


@dataclass(frozen=True, eq=False)
class Shared:
    """The same weights (rows, columns) at every position; result (position, row) stands position by position.

    gather: int64 (positions, columns), slots of the part; one past its last where the column reads others.
    distinct: whether the slots of a column are different ones, column by column.
    """

    part: int
    gather: Slots
    weights: Float64
    distinct: tuple[bool, ...]

    @cached_property
    def element_wise(self) -> float | None:
        """The factor where every result is one times the slot of its own number, as behind `x - mean`."""
        positions, columns = self.gather.shape
        straight = (len(self.weights), columns) == (1, 1) and (self.gather[:, 0] == range(positions)).all()
        return float(self.weights[0, 0]) if straight else None

    def product(self, values: Float64, *, magnitudes: bool = False) -> Float64:
        """What the part's values (slots, boxes, rows) give to the results."""
        positions, columns = self.gather.shape
        factor = self.element_wise
        if factor is not None and len(values) == positions:
            return values * (abs(factor) if magnitudes else factor)
        weights = np.abs(self.weights) if magnitudes else self.weights
        padded = np.concatenate([values, np.zeros((1, *values.shape[1:]))])
        count = math.prod(values.shape[1:])
        if len(weights) == 1:
            found = np.zeros((positions, *values.shape[1:]))
            for column in range(columns):
                found += padded[self.gather[:, column]] * weights[0, column]
            return found
        read = padded[self.gather].reshape(positions, columns, count)
        if count < _FEW_COLUMNS:
            table = np.ascontiguousarray(read.transpose(0, 2, 1)).reshape(positions * count, columns)
            made = (table @ weights.T).reshape(positions, count, len(weights)).transpose(0, 2, 1)
        else:
            made = weights @ read
        return np.ascontiguousarray(made).reshape(positions * len(weights), *values.shape[1:])

    def back(self, coefficients: Float64, parts: Parts, size: int) -> None:
        """Add what the results' coefficients give to those of the part, which has `size` slots."""
        shape = coefficients.shape[1:]
        positions, columns = self.gather.shape
        if self.element_wise is not None and size == positions:
            add(parts, self.part, coefficients * self.element_wise)
            return
        rows = len(self.weights)
        count = math.prod(shape)
        arriving = coefficients.reshape(positions, rows, count)
        target = np.zeros((size + 1, count))
        if rows == 1:
            flowing = None
        elif count < _FEW_COLUMNS:
            table = np.ascontiguousarray(arriving.transpose(0, 2, 1)).reshape(positions * count, rows)
            flowing = (table @ self.weights).reshape(positions, count, columns).transpose(0, 2, 1)
        else:
            flowing = self.weights.T @ arriving
        for column in range(columns):
            own = arriving[:, 0] * self.weights[0, column] if flowing is None else flowing[:, column]
            if self.distinct[column]:
                target[self.gather[:, column]] += own
            else:
                np.add.at(target, self.gather[:, column], own)
        add(parts, self.part, target[:size].reshape(size, *shape))


@dataclass(frozen=True, eq=False)
class Picked:
    """Some results' operands: results `own` read the slots `slots` of one part, in this order."""

    part: int
    slots: slice | Slots
    own: slice | Slots


@dataclass(frozen=True, eq=False)
class AffineLayer:
    """The sum of all reads, plus bias: float64 (size,).

    spread: by how much a result may be off, float64 (size,), where rows stand for products or curves; None is
    not at all.
    """

    size: int
    bias: Float64
    reads: tuple[Dense | Shared, ...]
    spread: Float64 | None = None


@dataclass(frozen=True, eq=False)
class ReluLayer:
    """max(x, 0)."""

    size: int
    source: tuple[Picked, ...]


@dataclass(frozen=True, eq=False)
class ExtremumLayer:
    """max(x, x') where sign is 1, min(x, x') where it is -1: x' + sign * max(sign * (x - x'), 0)."""

    size: int
    sign: float
    left: tuple[Picked, ...]
    right: tuple[Picked, ...]


@dataclass(frozen=True, eq=False)
class CurveLayer:
    """A smooth activation. function: see `bounds.curves`."""

    size: int
    function: str
    source: tuple[Picked, ...]


@dataclass(frozen=True, eq=False)
class BilinearLayer:
    """Sums of `terms` products: of result i the factors i * terms to (i + 1) * terms - 1.

    square: whether both factors are one slot, (size * terms,).
    """

    size: int
    terms: int
    left: tuple[Picked, ...]
    right: tuple[Picked, ...]
    square: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class QuotientLayer:
    """x / x'."""

    size: int
    left: tuple[Picked, ...]
    right: tuple[Picked, ...]


Layer = AffineLayer | ReluLayer | ExtremumLayer | CurveLayer | BilinearLayer | QuotientLayer


@dataclass(frozen=True, eq=False)
class Layers:
    """Layers in the order of the program's nodes. starts, sizes: first slot and slots of every part."""

    program: Program
    layers: tuple[Layer, ...]
    starts: tuple[int, ...]
    sizes: tuple[int, ...]
    widest: int
    """Numbers that a sweep holds at once for one row of one box."""
    read_outside: frozenset[int]
    """Parts in which the program's outputs stand."""
    readers: tuple[tuple[int, ...], ...]
    """By part the numbers of the layers that read it, ascending."""

    def here(self, part: int) -> slice:
        """A part's slots in the program."""
        return self._places[part]

    @cached_property
    def _places(self) -> tuple[slice, ...]:
        counts = (self.program.inputs, *(node.size for node in self.program.nodes))
        return tuple(slice(first, first + count) for first, count in zip(self.starts, counts, strict=True))


def flat(numbers: Float64) -> Float64:
    """(slots, boxes, rows) as (slots, boxes * rows)."""
    slots, boxes, rows = numbers.shape
    return numbers[:, 0] if boxes == 1 else numbers.reshape(slots, boxes * rows)


def add(parts: Parts, part: int, flowing: Float64) -> None:
    """Add coefficients to those of a part."""
    present = parts[part]
    parts[part] = flowing if present is None else present + flowing


def block(parts: Parts, part: int, size: int, shape: tuple[int, ...]) -> Float64:
    """A part's coefficients as an array that may be written to, of (size, *shape) at least."""
    present = parts[part]
    own = np.zeros((size, *shape)) if present is None else present
    wider = np.broadcast_shapes(own.shape, (size, *shape))
    own = own.copy() if wider == own.shape else np.broadcast_to(own, wider).copy()
    parts[part] = own
    return own


def picked(values: Parts, operands: tuple[Picked, ...], size: int) -> Float64:
    """The operands' values, (size, boxes, rows); None counts as zeros."""
    only = operands[0] if len(operands) == 1 else None
    if only is not None and isinstance(only.own, slice) and only.own == slice(0, size):
        found = values[only.part]
        if found is not None:
            return found[only.slots]
    present = [(one, own) for one in operands if (own := values[one.part]) is not None]
    made = np.zeros((size, *np.broadcast_shapes((1, 1), *(own.shape[1:] for _, own in present))))
    for one, own in present:
        made[one.own] = own[one.slots]
    return made


def give_back(parts: Parts, operands: tuple[Picked, ...], flowing: Float64, sizes: tuple[int, ...]) -> None:
    """Add coefficients of operands, (size, boxes, rows), to those of the parts that they stand in."""
    for one in operands:
        size = sizes[one.part]
        whole = isinstance(one.slots, slice) and one.slots == slice(0, size)
        own = flowing[one.own]
        if whole:
            add(parts, one.part, own)
            continue
        target = block(parts, one.part, size, own.shape[1:])
        if isinstance(one.slots, slice):
            target[one.slots] += own
        else:
            np.add.at(target, one.slots, own)


@lru_cache(maxsize=8)
def prepared(program: Program) -> Layers:
    """The layers of a program; weights are converted once."""
    starts = (FIRST_INPUT, *(node.start for node in program.nodes))
    sizes = (program.inputs, *(node.size for node in program.nodes))
    places = _Places(np.array(starts), np.array(sizes))
    layers: list[Layer] = []
    widest = max(sizes, default=1)
    for node in program.nodes:
        if isinstance(node, AffineNode):
            layers.append(_affine(node, places))
            widest = max(widest, node.sources.size if len(node.sources) > 1 else 1)
        elif isinstance(node, ReluNode):
            source = np.arange(node.first, node.first + node.size)
            layers.append(ReluLayer(node.size, places.picked(source)))
        elif isinstance(node, CurveNode):
            source = np.arange(node.first, node.first + node.size)
            layers.append(CurveLayer(node.size, node.function, places.picked(source)))
        elif isinstance(node, BilinearNode):
            layers.append(_bilinear(node, places))
        elif isinstance(node, QuotientNode):
            layers.append(QuotientLayer(node.size, places.picked(node.left), places.picked(node.right)))
        else:
            layers.append(_extremum(node, places))
    outside = frozenset(places.part_of(program.outputs).tolist())
    read = [_parts_read(layer) for layer in layers]
    readers = [tuple(n for n, parts in enumerate(read) if part in parts) for part in range(len(sizes))]
    return Layers(program, tuple(layers), starts, sizes, widest, outside, tuple(readers))


def _parts_read(layer: Layer) -> set[int]:
    if isinstance(layer, AffineLayer):
        return {read.part for read in layer.reads}
    if isinstance(layer, ReluLayer | CurveLayer):
        return {one.part for one in layer.source}
    return {one.part for one in (*layer.left, *layer.right)}


@dataclass(frozen=True, eq=False)
class _Places:
    starts: Slots
    sizes: Slots

    def part_of(self, slots: Slots) -> Slots:
        """The part of each slot, -1 for a constant."""
        found = np.searchsorted(self.starts, slots, side="right") - 1
        # an empty part starts where the next one does; the last one that starts there has the slot
        return np.where(slots < FIRST_INPUT, -1, found)

    def picked(self, slots: Slots) -> tuple[Picked, ...]:
        part = self.part_of(slots)
        found = []
        for number in np.unique(part):
            if number >= 0:
                own = np.flatnonzero(part == number)
                found.append(Picked(int(number), as_slice(slots[own] - self.starts[number]), as_slice(own)))
        return tuple(found)


def as_slice(numbers: Slots) -> slice | Slots:
    """A slice where numbers follow one another."""
    if numbers.size and (np.diff(numbers) == 1).all():
        return slice(int(numbers[0]), int(numbers[-1]) + 1)
    return numbers


def numbers_of(slots: slice | Slots, size: int) -> Slots:
    """The numbers of some of `size` slots."""
    return np.arange(size, dtype=np.int64)[slots]


def _extremum(node: ExtremumNode, places: _Places) -> ExtremumLayer:
    left, right = places.picked(node.left), places.picked(node.right)
    return ExtremumLayer(node.size, 1.0 if node.maximum else -1.0, left, right)


def _bilinear(node: BilinearNode, places: _Places) -> BilinearLayer:
    left, right = (places.picked(factors.reshape(-1)) for factors in (node.left, node.right))
    return BilinearLayer(node.size, node.left.shape[1], left, right, (node.left == node.right).reshape(-1))


def _affine(node: AffineNode, places: _Places) -> AffineLayer:
    weights = node.weights.astype(np.float64) / node.divisor
    part = places.part_of(node.sources)
    bias = ((node.sources == ONE_SLOT).astype(np.float64) @ weights.T).reshape(-1)
    reads: list[Dense | Shared] = []
    for number in np.unique(part[part >= 0]):
        local = node.sources - places.starts[number]
        size = int(places.sizes[number])
        if len(node.sources) == 1:
            reads.append(_dense(int(number), size, local[0], part[0] == number, weights))
        else:
            columns = np.flatnonzero((part == number).any(axis=0))
            gather = np.where(part == number, local, size)[:, columns]
            inside = [own[own < size] for own in gather.T]
            distinct = tuple(bool(np.unique(own).size == own.size) for own in inside)
            own_weights = np.ascontiguousarray(weights[:, columns])
            reads.append(Shared(int(number), np.ascontiguousarray(gather), own_weights, distinct))
    return AffineLayer(node.size, bias, tuple(reads))


def _dense(part: int, size: int, local: Slots, mine: NDArray[np.bool_], weights: Float64) -> Dense:
    slots, which = np.unique(local[mine], return_inverse=True)
    summed = np.zeros((slots.size, len(weights)))
    np.add.at(summed, which.reshape(-1), weights[:, mine].T)
    matrix = np.ascontiguousarray(summed.T)
    where = as_slice(slots)
    return Dense(part, where, matrix, isinstance(where, slice) and where == slice(0, size))
