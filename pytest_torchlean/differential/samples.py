"""Inputs for a differential run: exact probes, listed data, and seeded random points.

Probes need no tolerance to see a changed weight: with a one-hot input every sum has one term, and with
small integers every order of a sum over integer weights is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
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
) -> Iterator[Sample]:
    """`count` samples: a quarter probes, then data rows in file order, then random points.

    data: float32 (rows, *shape of the model's only input). box: where random points lie, for a model
    with one input; without it they mix scales. Equal arguments give equal samples.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    given = 0
    for sample in _probes(graph, max(1, count // 4), generator):
        yield sample
        given += 1
    listed = 0 if data is None else min(len(data), count - given)
    for row in range(listed):
        assert data is not None
        yield {graph.inputs[0]: data[row]}
    for number in range(count - given - listed):
        yield _random(graph, number, generator, box)


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


def _random(graph: Graph, number: int, generator: np.random.Generator, box: Box | None) -> Sample:
    size = sum(graph.types[name].size for name in graph.inputs)
    if box is not None:
        share = generator.random(size)
        low, high = box.lower.astype(np.float64), box.upper.astype(np.float64)
        points = np.clip((low + share * (high - low)).astype(np.float32), box.lower, box.upper)
    elif number % 4 < 2:
        points = generator.random(size, dtype=np.float32)
    elif number % 4 == 2:
        points = generator.standard_normal(size, dtype=np.float32)
    else:
        scale = np.exp2(generator.uniform(-20.0, 20.0, size))
        points = (generator.standard_normal(size) * scale).astype(np.float32)
    return _split(graph, points, generator)


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


__all__ = ["Box", "Sample", "data_rows", "only_input", "outward_box", "row_shape", "samples"]
