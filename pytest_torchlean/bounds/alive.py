"""Layers without the ReLUs that are 0 throughout: what they read and what reads them shrinks with them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pytest_torchlean.bounds.layers import (
    AffineLayer,
    Dense,
    Float64,
    Layer,
    Layers,
    Parts,
    Picked,
    ReluLayer,
    Shared,
    as_slice,
    numbers_of,
)
from pytest_torchlean.bounds.program import ONE_SLOT, Slots
from pytest_torchlean.bounds.sweeps import Lines, LinesOf

_WORTH_IT = 0.75
"""A node shrinks where no more than this share of it may be positive, and by more than _FEW."""
_FEW = 24


@dataclass(frozen=True, eq=False)
class Alive:
    """Layers that have shrunk, their lines, and the slots of every part that is left of a larger one."""

    layers: Layers
    lines: LinesOf
    kept: dict[int, Slots]

    def parts_of(self, rows: Float64) -> tuple[Parts, Float64] | None:
        """Linear forms of all slots, (rows, slots), over what is left; None where they read a lost argument.

        A result that is lost is 0.
        """
        parts: Parts = []
        for part in range(len(self.layers.sizes)):
            own = rows[:, self.layers.here(part)]
            kept = self.kept.get(part)
            if kept is not None:
                layer = self.layers.layers[part - 1]
                if isinstance(layer, AffineLayer) and own.any():
                    return None
                own = own[:, kept]
            parts.append(np.ascontiguousarray(own.T)[:, None, :] if own.any() else None)
        return parts, rows[None, :, ONE_SLOT].copy()


def with_lines(before: Alive, number: int, lines: Lines) -> Alive:
    """The layers once a ReLU has lines, without those of its results that both lines hold at 0."""
    layers = before.layers
    known = {**before.lines, number: lines}
    layer = layers.layers[number]
    unchanged = Alive(layers, known, before.kept)
    if not isinstance(layer, ReluLayer):
        return unchanged
    alive = np.flatnonzero((lines.upper != 0).any(axis=(1, 2)) | (lines.lower != 0).any(axis=(1, 2)))
    part = number + 1
    worth = alive.size and alive.size <= min(_WORTH_IT * layer.size, layer.size - _FEW)
    only_summed = all(isinstance(layers.layers[later], AffineLayer) for later in layers.readers[part])
    if not worth or not only_summed:
        return unchanged
    made, sizes = list(layers.layers), list(layers.sizes)
    for later in layers.readers[part]:
        made[later] = _reading(made[later], part, layer.size, alive)
    sizes[part] = int(alive.size)
    kept = {**before.kept, part: alive}
    argument = _argument_of(layers, layer, number)
    if argument is not None:
        source, whole = layers.layers[argument - 1], slice(0, int(alive.size))
        assert isinstance(source, AffineLayer)
        made[argument - 1] = _some_rows(source, alive)
        sizes[argument] = int(alive.size)
        kept[argument] = alive
        made[number] = ReluLayer(int(alive.size), (Picked(argument, whole, whole),))
    else:
        made[number] = ReluLayer(
            int(alive.size), tuple(_some(one, layer.size, alive) for one in layer.source)
        )
    few = Lines(lines.lower[alive], lines.upper[alive], lines.intercept[alive])
    return Alive(replace(layers, layers=tuple(made), sizes=tuple(sizes)), {**known, number: few}, kept)


def _argument_of(layers: Layers, relu: ReluLayer, number: int) -> int | None:
    """The part that a ReLU reads, where it reads all of a dense node's results and nothing else does."""
    part = relu.source[0].part
    source = layers.layers[part - 1] if part else None
    if not isinstance(source, AffineLayer) or part in layers.read_outside:
        return None
    whole, only = slice(0, source.size), relu.source[0]
    if not (isinstance(only.own, slice) and isinstance(only.slots, slice)):
        return None
    if len(relu.source) > 1 or only.own != whole or only.slots != whole:
        return None
    if not all(isinstance(read, Dense) for read in source.reads):
        return None
    if layers.readers[part] != (number,):
        return None
    return part


def _reading(layer: Layer, part: int, size: int, alive: Slots) -> Layer:
    if not isinstance(layer, AffineLayer) or all(read.part != part for read in layer.reads):
        return layer
    place = np.full(size + 1, alive.size)
    place[alive] = np.arange(alive.size)
    reads: list[Dense | Shared] = []
    for read in layer.reads:
        if read.part != part:
            reads.append(read)
        elif isinstance(read, Shared):
            reads.append(replace(read, gather=place[read.gather]))
        else:
            slots = place[numbers_of(read.slots, size)]
            left = np.flatnonzero(slots < alive.size)
            where = as_slice(slots[left])
            weights = np.ascontiguousarray(read.weights[:, left])
            whole = isinstance(where, slice) and where == slice(0, alive.size)
            reads.append(Dense(part, where, weights, whole))
    return replace(layer, reads=tuple(reads))


def _some_rows(layer: AffineLayer, rows: Slots) -> AffineLayer:
    reads = tuple(replace(read, weights=np.ascontiguousarray(read.weights[rows])) for read in layer.reads)
    return AffineLayer(int(rows.size), layer.bias[rows], reads)


def _some(one: Picked, size: int, alive: Slots) -> Picked:
    """The same operands of the results that are left."""
    place = np.full(size, -1)
    place[alive] = np.arange(alive.size)
    own = place[numbers_of(one.own, size)]
    slots = np.arange(one.slots.start, one.slots.stop) if isinstance(one.slots, slice) else one.slots
    left = np.flatnonzero(own >= 0)
    return Picked(one.part, as_slice(slots[left]), as_slice(own[left]))
