"""Inputs for a differential run: exact probes, listed data, and seeded random points.

Probes need no tolerance to see a changed weight: with a one-hot input every sum has one term, and with
small integers every order of a sum over integer weights is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import round_down, round_up
from pytest_torchlean.ir.graph import Graph, ValueType

Float32 = NDArray[np.float32]
Sample = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Box:
    """A box of binary32 numbers, flat, float32; `lower <= upper` element by element."""

    lower: Float32
    upper: Float32


def outward_box(lower: tuple[Fraction, ...], upper: tuple[Fraction, ...]) -> Box:
    """The binary32 hull of a rational box, rounded outwards, infinities cut to the largest number."""
    largest = np.finfo(np.float32).max
    return Box(
        np.clip(np.array([round_down(value) for value in lower], dtype=np.float32), -largest, largest),
        np.clip(np.array([round_up(value) for value in upper], dtype=np.float32), -largest, largest),
    )


def samples(
    graph: Graph,
    count: int,
    seed: int,
    *,
    data: Float32 | None = None,
    box: Box | None = None,
    sampling: Sequence[str] = (),
) -> Iterator[Sample]:
    """`count` samples: a quarter probes, then data rows in file order, then random points, kind after kind.

    data: float32 (rows, *shape of the model's only input). box: where random points lie, for a model
    with one input; without it they mix scales. sampling: the kinds that are drawn, "probes", "data" and
    those of `DRAWN`; none given means all. Fewer samples where only data and probes are asked for. Equal
    arguments give equal samples.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    kinds = [draw for name, draw in DRAWN.items() if not sampling or name in sampling]
    given = 0
    if not sampling or "probes" in sampling:
        for sample in _probes(graph, max(1, count // 4), generator):
            yield sample
            given += 1
    wanted = data is not None and (not sampling or "data" in sampling)
    listed = min(len(data), count - given) if data is not None and wanted else 0
    for row in range(listed):
        assert data is not None
        yield {graph.inputs[0]: data[row]}
    size = sum(graph.types[name].size for name in graph.inputs)
    for number in range(count - given - listed if kinds else 0):
        points = kinds[number % len(kinds)](generator, size, number // len(kinds))
        yield _split(graph, points if box is None else _inside(points, box, generator), generator)


def _probes(graph: Graph, count: int, generator: np.random.Generator) -> Iterator[Sample]:
    """Zero, small integers, and one-hot inputs at seeded positions, `count` in all."""
    sizes = [graph.types[name].size for name in graph.inputs]
    positions = generator.permutation(sum(sizes))[: max(0, count - 2)]
    yield _split(graph, np.zeros(sum(sizes), dtype=np.float32))
    if count > 1:
        yield _split(graph, generator.integers(-3, 4, sum(sizes)).astype(np.float32))
    for position in positions:
        impulse = np.zeros(sum(sizes), dtype=np.float32)
        impulse[position] = 1.0
        yield _split(graph, impulse)


def _uniform(generator: np.random.Generator, size: int, turn: int) -> Float32:
    """Uniform in [0, 1); every other time centred at 1/2 with a normal spread."""
    if turn % 2:
        return generator.standard_normal(size, dtype=np.float32) + np.float32(0.5)
    return generator.random(size, dtype=np.float32)


def _magnitudes(generator: np.random.Generator, size: int, turn: int) -> Float32:
    """Of both signs and sizes from 2^-20 to 2^20, side by side."""
    scale = np.exp2(generator.uniform(-20.0, 20.0, size))
    return (generator.standard_normal(size) * scale).astype(np.float32)


def _ties(generator: np.random.Generator, size: int, turn: int) -> Float32:
    """Few numbers, each also one unit in the last place below and above, so that maxima are close."""
    levels = generator.random(1 + turn % 3, dtype=np.float32)
    chosen = levels[generator.integers(0, len(levels), size)]
    return _neighbours(chosen, generator.integers(-1, 2, size))


def _boundaries(generator: np.random.Generator, size: int, turn: int) -> Float32:
    """Powers of two, and halfway between neighbours of few bits, each a unit in the last place off or not:
    their sums and products lie at or next to the places where rounding changes."""
    bits = 1 + turn % 12
    steps = generator.integers(0, 2**bits, size) + 0.5 * generator.integers(0, 2, size)
    numbers = np.exp2(generator.integers(-3, 4, size)) * (1.0 + steps / 2.0**bits)
    return _neighbours(numbers.astype(np.float32), generator.integers(-1, 2, size))


def _cancellation(generator: np.random.Generator, size: int, turn: int) -> Float32:
    """Pairs of opposite numbers, a few units in the last place apart: sums lose all but their last bits."""
    half = generator.standard_normal((size + 1) // 2, dtype=np.float32)
    other = -_neighbours(half, generator.integers(-3, 4, half.size))
    return np.stack([half, other], axis=1).reshape(-1)[:size]


def _neighbours(numbers: Float32, steps: NDArray[np.int64]) -> Float32:
    """The numbers so many units in the last place away; not across zero."""
    moved = numbers.view(np.int32) + steps.astype(np.int32)
    return np.where(numbers == 0, numbers, moved.view(np.float32)).astype(np.float32)


def _inside(points: Float32, box: Box, generator: np.random.Generator) -> Float32:
    """The points in the box: numbers in [0, 1] as shares of it, others by their own value cut at its ends."""
    low, high = box.lower.astype(np.float64), box.upper.astype(np.float64)
    wide = points.astype(np.float64)
    moved = np.where((wide >= 0) & (wide <= 1), low + wide * (high - low), wide)
    outside = (moved < low) | (moved > high)
    share = np.exp2(generator.uniform(-24.0, 0.0, points.size))
    moved = np.where(outside, np.where(generator.random(points.size) < 0.5, low + share * (high - low),
                                       high - share * (high - low)), moved)  # fmt: skip
    return np.clip(moved.astype(np.float32), box.lower, box.upper)


Draw = Callable[[np.random.Generator, int, int], Float32]
DRAWN: Mapping[str, Draw] = {
    "uniform": _uniform,
    "magnitudes": _magnitudes,
    "ties": _ties,
    "boundaries": _boundaries,
    "cancellation": _cancellation,
}
"""The kinds of random points: from a generator, the size, and how often the kind was drawn before."""


def _split(graph: Graph, flat: Float32, generator: np.random.Generator | None = None) -> Sample:
    """A flat vector as the model's inputs, in order; integers and bool are 0 or 1, which most models take."""
    result: Sample = {}
    start = 0
    for name in graph.inputs:
        kind: ValueType = graph.types[name]
        part = flat[start : start + kind.size].reshape(kind.shape)
        if kind.dtype != "float32":
            drawn = part != 0 if generator is None else generator.integers(0, 2, kind.shape)
            part = np.asarray(drawn, dtype=kind.dtype)
        result[name] = part
        start += kind.size
    return result


def data_rows(array: Float32, kind: ValueType) -> Float32:
    """Rows of a data file as whole model inputs, shape (rows // batch, *kind.shape)."""
    batch = kind.shape[0] if len(kind.shape) > 1 else 1
    whole = len(array) // batch
    return np.ascontiguousarray(array[: whole * batch]).reshape(whole, *kind.shape)


def row_shape(graph: Graph) -> tuple[int, ...]:
    """The shape of one data row: that of the model's first input without the batch dimension."""
    shape = graph.types[graph.inputs[0]].shape
    return shape[1:] if len(shape) > 1 else shape


def only_input(graph: Graph) -> str | None:
    """The name of the model's input, None where it has several."""
    return graph.inputs[0] if len(graph.inputs) == 1 else None


__all__ = ["DRAWN", "Box", "Sample", "data_rows", "only_input", "outward_box", "row_shape", "samples"]
