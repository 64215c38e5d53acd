"""ReLU networks that approximate a function everywhere on a box, by lean/PytestTorchLean/Approximation.

The network is the greatest of finitely many pieces, one for each point of a grid: the function's value there
less the distance from there, times the slope. A function that is nowhere steeper lies above all pieces, and
nowhere far above the greatest. The Lean library proves so for every number of inputs and every error; here
the same function is built as a module, which exports to ONNX and is certified like any other model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import floor

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean import nn
from pytest_torchlean.errors import ModelError
from pytest_torchlean.nn import functional
from pytest_torchlean.nn.tensor import X

Function = Callable[[Sequence[Fraction]], Fraction]
"""A function of exact numbers."""

LARGEST = 2**24
"""Units and constants up to here are exact in binary32."""
MOST_POINTS = 2**14
"""Grid points of one table: the second layer has a row for each."""


@dataclass(frozen=True)
class Table:
    """The values of a function on a grid, in whole units; what the Lean structure of the same name holds.

    An input x has `input_unit * x + shift` units, an output y has `output_unit * y`; both are powers of two.
    `coordinates` are the grid's, the same for every input. `values` hold a number for each point, the first
    input's coordinate running fastest, with `value_shift` added. `error` is what `Table.approximates` proves:
    the network is at most the function and at least the function less `error`, in exact arithmetic.
    """

    inputs: int
    input_unit: int
    output_unit: int
    coordinates: tuple[int, ...]
    shift: int
    values: tuple[int, ...]
    value_shift: int
    error: Fraction

    def __post_init__(self) -> None:
        if len(self.values) != len(self.coordinates) ** self.inputs:
            raise ModelError("TL0109", "a table needs one value for each point of the grid")
        largest = max(*self.coordinates, *self.values, self.shift, self.value_shift, self.input_unit)
        if largest > LARGEST or min(*self.coordinates, *self.values, self.shift, self.value_shift) < 0:
            raise ModelError("TL0109", f"a table's numbers lie between 0 and {LARGEST}; take fewer bits")

    def network(self, *, by_relu: bool = False) -> Interpolation:
        """The network as a module: inputs float32 (1, inputs), outputs float32 (1, 1).

        by_relu: maxima are relu(a - b) + b, so that Gemm, Sub, Add and Relu are all there is; otherwise they
        are Max, which does not round and which intervals pass without loss.
        """
        return Interpolation(self, by_relu)


def tabulate(
    function: Function,
    *,
    inputs: int,
    lower: Fraction | int | str,
    upper: Fraction | int | str,
    slope: Fraction | int | str = 1,
    grid_bits: int = 4,
    unit_bits: int = 10,
) -> Table:
    """The table of a function on the box from `lower` to `upper` in every input.

    slope: |f(x) - f(y)| <= slope * (|x0 - y0| + |x1 - y1| + ...) on the box; the caller vouches for it.
    grid_bits: 2^grid_bits coordinates for each input. unit_bits: 2^unit_bits units in an input of 1.
    ModelError TL0109 for a box or table that cannot be built.
    """
    low, high, steep = Fraction(lower), Fraction(upper), Fraction(slope)
    if not (low < high and steep > 0 and inputs >= 1 and grid_bits >= 0 and unit_bits >= 0):
        raise ModelError("TL0109", "a table needs lower < upper, a positive slope and at least one input")
    if grid_bits * inputs > MOST_POINTS.bit_length() - 1:
        raise ModelError("TL0109", f"a table has at most {MOST_POINTS} points")
    slope_bits = next((bits for bits in range(-64, 65) if Fraction(2) ** bits >= steep), 65)
    if not 0 <= unit_bits - slope_bits <= 126:
        raise ModelError("TL0109", "2^unit_bits must be at least the slope, and not far above it")
    unit, output_unit, side = 2**unit_bits, 2 ** (unit_bits - slope_bits), 2**grid_bits
    shift = max(0, -floor(low * unit))
    width = (high - low) * unit
    centres = tuple(round(low * unit + shift + width * (2 * cell + 1) / (2 * side)) for cell in range(side))
    points = [min(max(Fraction(centre - shift, unit), low), high) for centre in centres]
    sampled = [floor(output_unit * Fraction(function(point))) for point in _points(points, inputs)]
    value_shift = max(0, -min(sampled))
    radius = _radius(centres, low * unit + shift, high * unit + shift)
    error = (2 * inputs * radius + 1) / output_unit
    values = tuple(value + value_shift for value in sampled)
    return Table(inputs, unit, output_unit, centres, shift, values, value_shift, error)


def _points(coordinates: Sequence[Fraction], inputs: int) -> Iterator[tuple[Fraction, ...]]:
    """All points of the grid, the first input's coordinate running fastest."""
    return (point[::-1] for point in product(coordinates, repeat=inputs))


def _radius(coordinates: Sequence[int], low: Fraction, high: Fraction) -> Fraction:
    """How far a number between `low` and `high` can be from the nearest coordinate."""
    gaps = [Fraction(after - before, 2) for before, after in pairwise(coordinates)]
    return max(coordinates[0] - low, high - coordinates[-1], *gaps)


class Interpolation(nn.Module):
    """max over the grid points p of value_p - |X - p|, where X are the inputs in units."""

    def __init__(self, table: Table, by_relu: bool) -> None:
        side, inputs = len(table.coordinates), table.inputs
        scale = np.repeat(np.eye(inputs), side, axis=0) * table.input_unit
        offsets = np.array([table.shift - coordinate for coordinate in table.coordinates] * inputs)
        self.difference = _linear(np.concatenate([scale, -scale]), np.concatenate([offsets, -offsets]))
        places = np.array(list(product(range(side), repeat=inputs)))[:, ::-1] + side * np.arange(inputs)
        distance = np.zeros((side**inputs, side * inputs))
        np.put_along_axis(distance, places, -1 / table.output_unit, axis=1)
        values = np.array([value - table.value_shift for value in table.values]) / table.output_unit
        self.pieces = _linear(np.concatenate([distance, distance], axis=1), values)
        self.by_relu = by_relu

    def forward(self, x: X) -> X:
        """The greatest piece, in pairs."""
        greatest: X = self.pieces(functional.relu(self.difference(x)))
        while (half := greatest.shape[1] // 2) > 0:
            first, second = (functional.narrow(greatest, 1, start, half) for start in (0, half))
            if self.by_relu:
                greatest = functional.add(second, functional.relu(functional.sub(first, second)))
            else:
                greatest = functional.maximum(first, second)
        return greatest


def _linear(weight: NDArray[np.float64], bias: NDArray[np.float64]) -> nn.Linear:
    """A layer of numbers that binary32 holds exactly."""
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)})
    return layer
