"""Bounds of all values of a program in binary64, many boxes at once: fast estimates, never evidence.

Intervals (IBP); backward rows wherever an undecided ReLU or extremum reads (CROWN); or intervals first and
backward rows only for the last forms (CROWN-IBP). `slopes` makes the lines' slopes best.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.alive import Alive, with_lines
from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.bounds.interval import quotient_interval
from pytest_torchlean.bounds.layers import (
    AffineLayer,
    BilinearLayer,
    CurveLayer,
    Dense,
    ExtremumLayer,
    Float64,
    Layer,
    Layers,
    Parts,
    Picked,
    QuotientLayer,
    ReluLayer,
    add,
    give_back,
    picked,
    prepared,
)
from pytest_torchlean.bounds.program import ONE_SLOT, AffineNode, Program, ReluNode, Slots
from pytest_torchlean.bounds.sweeps import Lines, Swept, go_back, relu_lines

SLOPE_BITS = 8
"""Slopes that go into certificates are multiples of 2^-SLOPE_BITS."""
_NUMBERS = 1 << 23
"""Numbers that one array of a sweep may have."""


class Method(Enum):
    """How values between the inputs and the last forms are bounded."""

    CROWN = "CROWN"
    CROWN_IBP = "CROWN-IBP"


@dataclass(frozen=True)
class Options:
    """method: how intermediate values are bounded. bits: slopes are rounded to so many, None for none.

    extrema: whether maxima and minima get lines; else their bounds stand for them. apart: whether the two
    values that one reads are bounded each on its own, as in a certificate; else their difference is.
    intersect: whether a row's bound counts only where it is better than the interval. at_positions: whether
    rows bound what nodes with several positions write, too, as in certificates with cases by phases.
    """

    method: Method = Method.CROWN
    bits: int | None = SLOPE_BITS
    extrema: bool = False
    intersect: bool = True
    apart: bool = False
    at_positions: bool = True


STATED = Options(extrema=True, apart=True)
"""As certificates state slopes."""
UNROUNDED = Options(bits=None)


@dataclass(frozen=True, eq=False)
class LinearBounds:
    """Bounds of all slots, float64 (slots, boxes), and the lines used, by the number of the node.

    alive: the layers and lines without what is 0 throughout.
    """

    layers: Layers
    low: Float64
    high: Float64
    lines: Mapping[int, Lines]
    alive: Alive


def start(layers: Layers, lower: Float64, upper: Float64) -> tuple[Float64, Float64]:
    """Bounds of the constants and of the inputs, (boxes, inputs); the rest is 0."""
    low, high = (np.zeros((layers.program.size, len(lower))) for _ in range(2))
    low[ONE_SLOT] = high[ONE_SLOT] = 1.0
    low[layers.here(0)], high[layers.here(0)] = lower.T, upper.T
    return low, high


def step_interval(layers: Layers, number: int, low: Float64, high: Float64) -> None:
    """Bounds of a node's results by intervals, written into those of all slots."""
    layer, here = layers.layers[number], layers.here(number + 1)
    if isinstance(layer, AffineLayer):
        centre: Float64 = layer.bias[:, None, None]
        radius: Float64 = np.zeros((1, 1, 1))
        for read in layer.reads:
            source = layers.here(read.part)
            below, above = low[source][:, :, None], high[source][:, :, None]
            centre = centre + read.product((below + above) / 2)
            radius = radius + read.product((above - below) / 2, magnitudes=True)
        low[here], high[here] = (centre - radius)[:, :, 0], (centre + radius)[:, :, 0]
    elif isinstance(layer, ReluLayer):
        low[here], high[here] = (
            np.maximum(_picked(layers, side, layer.source, layer.size), 0.0) for side in (low, high)
        )
    elif isinstance(layer, CurveLayer):
        ends = (_picked(layers, side, layer.source, layer.size) for side in (low, high))
        low[here], high[here] = CURVES[layer.function].between(*ends)
    elif isinstance(layer, BilinearLayer):
        low[here], high[here] = _products(layers, layer, low, high)
    elif isinstance(layer, QuotientLayer):
        x, z = (
            (_picked(layers, low, part, layer.size), _picked(layers, high, part, layer.size))
            for part in (layer.left, layer.right)
        )
        low[here], high[here] = quotient_interval(x, z)
    else:
        choose = np.maximum if layer.sign > 0 else np.minimum
        low[here], high[here] = (
            choose(*(_picked(layers, side, part, layer.size) for part in (layer.left, layer.right)))
            for side in (low, high)
        )


def _picked(layers: Layers, side: Float64, operands: tuple[Picked, ...], size: int) -> Float64:
    values: Parts = [None] * len(layers.sizes)
    for one in operands:
        values[one.part] = side[layers.here(one.part)][:, :, None]
    return picked(values, operands, size)[:, :, 0]


def _products(layers: Layers, layer: BilinearLayer, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """The four corners of each product; no square is negative."""
    count = layer.size * layer.terms
    left, right = (
        [_picked(layers, side, part, count) for side in (low, high)] for part in (layer.left, layer.right)
    )
    corners = np.stack([x * z for x in left for z in right])
    least, most = corners.min(axis=0), corners.max(axis=0)
    least = np.where(layer.square[:, None], np.maximum(least, 0.0), least)
    shape = (layer.size, layer.terms, -1)
    return least.reshape(shape).sum(axis=1), most.reshape(shape).sum(axis=1)


def has_lines(layer: Layer, *, extrema: bool) -> bool:
    """Whether a layer is replaced by lines: a ReLU, and with `extrema` a maximum or minimum."""
    return isinstance(layer, ReluLayer) or (extrema and isinstance(layer, ExtremumLayer))


def argument_bounds(layers: Layers, number: int, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """By intervals, what the maximum with 0 reads in a ReLU or extremum, (size, boxes) each."""
    layer = layers.layers[number]
    if isinstance(layer, ReluLayer):
        return _picked(layers, low, layer.source, layer.size), _picked(layers, high, layer.source, layer.size)
    assert isinstance(layer, ExtremumLayer)
    first, second = (layer.left, layer.right) if layer.sign > 0 else (layer.right, layer.left)
    least = _picked(layers, low, first, layer.size) - _picked(layers, high, second, layer.size)
    most = _picked(layers, high, first, layer.size) - _picked(layers, low, second, layer.size)
    return least, most


def argument_rows(layers: Layers, number: int, chosen: Slots) -> tuple[Parts, Float64]:
    """What the maximum with 0 reads for the chosen results, as forms: parts, constants."""
    layer = layers.layers[number]
    forms: Parts = [None] * len(layers.sizes)
    constant = np.zeros((1, chosen.size))
    if isinstance(layer, ReluLayer) and len(layer.source) == 1:
        only = layer.source[0]
        slots = np.arange(layers.sizes[only.part])[only.slots]
        own = np.empty(layer.size, dtype=np.int64)
        own[only.own] = slots
        return _rows_of_part(layers, only.part, own[chosen], 1.0)
    units = np.zeros((layer.size, 1, chosen.size))
    units[chosen, 0, np.arange(chosen.size)] = 1.0
    if isinstance(layer, ReluLayer):
        give_back(forms, layer.source, units, layers.sizes)
    elif isinstance(layer, ExtremumLayer):
        give_back(forms, layer.left, layer.sign * units, layers.sizes)
        give_back(forms, layer.right, -layer.sign * units, layers.sizes)
    return forms, constant


def both_ways(layers: Layers, number: int, chosen: Slots) -> tuple[Parts, Float64]:
    """`argument_rows` and their opposites after them."""
    own, constant = argument_rows(layers, number, chosen)
    forms: Parts = [None if form is None else np.concatenate([form, -form], axis=2) for form in own]
    return forms, np.concatenate([constant, -constant], axis=1)


def _rows_of_part(layers: Layers, part: int, slots: Slots, sign: float) -> tuple[Parts, Float64]:
    """Slots of a part as forms, one affine layer further back where one wrote them."""
    forms: Parts = [None] * len(layers.sizes)
    layer = layers.layers[part - 1] if part else None
    if not isinstance(layer, AffineLayer):
        units = np.zeros((layers.sizes[part], 1, slots.size))
        units[slots, 0, np.arange(slots.size)] = sign
        forms[part] = units
        return forms, np.zeros((1, slots.size))
    for read in layer.reads:
        size = layers.sizes[read.part]
        if isinstance(read, Dense):
            own = sign * read.weights[slots].T
            if not read.whole:
                wide = np.zeros((size, slots.size))
                wide[read.slots] = own
                own = wide
        else:
            position, row = np.divmod(slots, len(read.weights))
            wide = np.zeros((size + 1, slots.size))
            for column in range(read.gather.shape[1]):
                wide[read.gather[position, column], np.arange(slots.size)] += sign * read.weights[row, column]
            own = wide[:size]
        add(forms, read.part, own[:, None, :])
    return forms, sign * layer.bias[None, slots]


def bound(program: Program, lower: Float64, upper: Float64, options: Options = STATED) -> LinearBounds:
    """Bounds of all slots and lines for every ReLU. lower, upper: float64 (boxes, inputs)."""
    layers = prepared(program)
    low, high = start(layers, lower, upper)
    lines: dict[int, Lines] = {}
    alive = Alive(layers, {}, {})
    for number, layer in enumerate(layers.layers):
        if has_lines(layer, extrema=options.extrema):
            known = argument_bounds(layers, number, low, high)
            by_rows = options.at_positions or not _at_positions(program, number)
            if lines and options.method is Method.CROWN and by_rows:
                known = tightened(number, known, (low, high), alive, options)
                store(layers, number, known, (low, high))
            lines[number] = relu_lines(*known, options.bits)
            alive = with_lines(alive, number, lines[number])
        step_interval(layers, number, low, high)
    return LinearBounds(layers, low, high, lines, alive)


def _at_positions(program: Program, number: int) -> bool:
    """Whether a ReLU reads what a node with several positions writes."""
    node = program.nodes[number]
    return isinstance(node, ReluNode) and any(
        isinstance(own, AffineNode)
        and len(own.sources) > 1
        and own.start < node.first + node.size
        and node.first < own.start + own.size
        for own in program.nodes[:number]
    )


def store(
    layers: Layers, number: int, found: tuple[Float64, Float64], all_bounds: tuple[Float64, Float64]
) -> None:
    """Write bounds of what a ReLU reads into those of all slots."""
    layer = layers.layers[number]
    if isinstance(layer, ReluLayer):
        for one in layer.source:
            slots = np.arange(layers.starts[one.part], layers.starts[one.part] + layers.sizes[one.part])
            for side, known in zip(all_bounds, found, strict=True):
                side[slots[one.slots]] = known[one.own]


def undecided(least: Float64, most: Float64) -> NDArray[np.bool_]:
    """Where the maximum with 0 may be either."""
    return (least < 0) & (most > 0)


def tightened(
    number: int,
    known: tuple[Float64, Float64],
    all_bounds: tuple[Float64, Float64],
    alive: Alive,
    options: Options,
) -> tuple[Float64, Float64]:
    """Bounds of what a ReLU or extremum reads, by rows where intervals leave it undecided."""
    layers, (least, most) = alive.layers, known
    if options.apart and isinstance(layers.layers[number], ExtremumLayer):
        _tighten_operands(number, known, all_bounds, alive)
        return argument_bounds(layers, number, *all_bounds)
    open_places = undecided(least, most)
    chosen = np.flatnonzero(open_places.any(axis=1))
    if not chosen.size:
        return known
    least, most = least.copy(), most.copy()
    for part in batches(layers, chosen.size * 2, least.shape[1]):
        own = chosen[part.start // 2 : part.stop // 2]
        forms, constant = both_ways(layers, number, own)
        found = go_back(layers, forms, constant, *all_bounds, alive.lines).least.T
        lowest, highest = found[: own.size], -found[own.size :]
        if options.intersect:
            lowest, highest = np.maximum(lowest, least[own]), np.minimum(highest, most[own])
        least[own] = np.where(open_places[own], lowest, least[own])
        most[own] = np.where(open_places[own], highest, most[own])
    return least, most


def _tighten_operands(
    number: int, known: tuple[Float64, Float64], all_bounds: tuple[Float64, Float64], alive: Alive
) -> None:
    """Bounds by rows, among those of all slots, of what an undecided extremum reads of affine nodes."""
    layers, (low, high) = alive.layers, all_bounds
    layer = layers.layers[number]
    assert isinstance(layer, ExtremumLayer)
    chosen: NDArray[np.bool_] = np.asarray(undecided(*known).any(axis=1))
    for one in (*layer.left, *layer.right):
        source = layers.layers[one.part - 1] if one.part else None
        if not isinstance(source, AffineLayer) or not all(isinstance(read, Dense) for read in source.reads):
            continue
        slots = np.unique(np.arange(layers.sizes[one.part])[one.slots][chosen[one.own]])
        for part in batches(layers, slots.size * 2, low.shape[1]):
            own = slots[part.start // 2 : part.stop // 2]
            here = layers.starts[one.part] + own
            for side, sign in ((low, 1.0), (high, -1.0)):
                forms, constant = _rows_of_part(layers, one.part, own, sign)
                found = sign * go_back(layers, forms, constant, low, high, alive.lines).least.T
                side[here] = np.maximum(side[here], found) if sign > 0 else np.minimum(side[here], found)


def batches(layers: Layers, rows: int, boxes: int) -> Iterator[slice]:
    """Slices of an even number of rows, so that memory stays bounded."""
    most = max(2, _NUMBERS // max(1, layers.widest * boxes) // 2 * 2)
    return (slice(first, min(first + most, rows)) for first in range(0, rows, most))


def forms_of(bounds: LinearBounds, rows: Float64) -> tuple[Alive, Parts, Float64]:
    """Linear forms of the slots, float64 (rows, slots), part by part, and the layers that they stand over."""
    alive = bounds.alive
    parts = alive.parts_of(rows)
    if parts is None:
        alive = Alive(bounds.layers, bounds.lines, {})
        parts = alive.parts_of(rows)
        assert parts is not None
    return alive, *parts


def sweep(bounds: LinearBounds, rows: Float64) -> Swept:
    """Lower bounds of linear forms of the slots, float64 (rows, slots), and their forms of the inputs."""
    alive, forms, constant = forms_of(bounds, rows)
    return go_back(alive.layers, forms, constant, bounds.low, bounds.high, alive.lines)


def minimum(bounds: LinearBounds, rows: Float64) -> Float64:
    """Lower bounds of linear forms of the slots, (rows, slots) -> (boxes, rows), rounded to nearest."""
    count = bounds.low.shape[1]
    found = [sweep(bounds, rows[part]).least for part in batches(bounds.layers, len(rows), count)]
    return np.concatenate(found, axis=1) if found else np.zeros((count, 0))


def output_rows(program: Program) -> Float64:
    """Every output and its opposite, (2 * outputs, slots): lower bounds, and opposites of upper ones."""
    count = program.outputs.size
    rows = np.zeros((2 * count, program.size))
    rows[np.arange(count), program.outputs] = 1.0
    rows[count + np.arange(count), program.outputs] = -1.0
    return rows
