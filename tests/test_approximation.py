"""Networks built from tables: exactly the interpolation, within the stated error, also once exported."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pytest_torchlean.approximation import LARGEST, Function, Table, tabulate
from pytest_torchlean.errors import ModelError
from pytest_torchlean.evaluator import evaluate_exact
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import load_model, lower


def interpolated(table: Table, x: Sequence[Fraction]) -> Fraction:
    """The definition: the greatest value less distance."""
    units = [table.input_unit * value + table.shift for value in x]
    points = (point[::-1] for point in product(table.coordinates, repeat=table.inputs))
    pieces = (
        value - table.value_shift - sum(abs(unit - c) for unit, c in zip(units, point, strict=True))
        for value, point in zip(table.values, points, strict=True)
    )
    return Fraction(max(pieces)) / table.output_unit


def exported(table: Table, folder: Path, *, by_relu: bool) -> Graph:
    """The graph of the ONNX file that the network is exported to."""
    path = folder / "model.onnx"
    table.network(by_relu=by_relu).export(path, [1, table.inputs])
    return lower(load_model(path))


FUNCTIONS: dict[str, tuple[Function, int, int, int, Fraction]] = {
    "product": (lambda x: x[0] * x[1], 2, 0, 1, Fraction(1)),
    "steep": (lambda x: 3 * abs(x[0] - x[1]) - 2, 2, -1, 2, Fraction(3)),
    "flat": (lambda x: x[0] / 8, 1, -1, 1, Fraction(1, 8)),
    "three inputs": (lambda x: max(x) - 1, 3, 0, 1, Fraction(1)),
}


@pytest.mark.parametrize("by_relu", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_network_is_the_interpolation_and_near_the_function(
    name: str, by_relu: bool, tmp_path: Path
) -> None:
    function, inputs, low, high, slope = FUNCTIONS[name]
    table = tabulate(function, inputs=inputs, lower=low, upper=high, slope=slope, grid_bits=2)
    graph = exported(table, tmp_path, by_relu=by_relu)
    assert ({node.op for node in graph.nodes} & {"Max", "Add"}) == ({"Add"} if by_relu else {"Max"})
    rng = np.random.default_rng(7)
    for _ in range(20):
        x = [Fraction(int(n), 64) for n in rng.integers(64 * low, 64 * high, inputs, endpoint=True)]
        (y,) = evaluate_exact(graph, {graph.inputs[0]: x})[graph.outputs[0]]
        assert y == interpolated(table, x)
        assert function(x) - table.error <= y <= function(x)


def test_one_bit_more_halves_the_error() -> None:
    errors = [
        tabulate(FUNCTIONS["product"][0], inputs=2, lower=0, upper=1, grid_bits=bits).error
        for bits in (2, 3, 4)
    ]
    assert errors == [Fraction(512 // 2**k + 1, 1024) for k in range(3)]


def test_a_steeper_function_than_said_is_not_approximated() -> None:
    """`slope` is the caller's word: the error is about functions that keep it."""

    def steep(x: Sequence[Fraction]) -> Fraction:
        return 8 * abs(x[0] - Fraction(1, 2))

    table = tabulate(steep, inputs=1, lower=0, upper=1, slope=1, grid_bits=2)
    misses = [steep([Fraction(k, 64)]) - interpolated(table, [Fraction(k, 64)]) for k in range(65)]
    assert min(misses) < 0


@pytest.mark.parametrize(
    "changed",
    [
        {"lower": 1, "upper": 1},
        {"slope": 0},
        {"inputs": 0},
        {"grid_bits": 8},
        {"unit_bits": 25},
        {"slope": 2**12},
        {"slope": 2**70},
    ],
)
def test_tables_that_cannot_be_built_are_refused(changed: dict[str, int]) -> None:
    arguments = {"inputs": 2, "lower": 0, "upper": 1, "slope": 1, "grid_bits": 2, "unit_bits": 10} | changed
    with pytest.raises(ModelError) as caught:
        tabulate(lambda x: Fraction(0), **arguments)
    assert caught.value.code == "TL0109"


def test_a_table_holds_one_exact_number_for_each_point() -> None:
    with pytest.raises(ModelError, match="one value for each point"):
        Table(1, 1, 1, (0, 1), 0, (0,), 0, Fraction(1))
    with pytest.raises(ModelError, match="fewer bits"):
        Table(1, 1, 1, (0,), 0, (LARGEST + 1,), 0, Fraction(1))


def test_the_module_runs_in_binary32() -> None:
    table = tabulate(FUNCTIONS["product"][0], inputs=2, lower=0, upper=1, grid_bits=2)
    found = table.network()(np.array([[0.5, 0.75]], dtype=np.float32))
    exact = interpolated(table, [Fraction(1, 2), Fraction(3, 4)])
    assert abs(Fraction(float(found[0, 0])) - exact) < Fraction(1, 2**20)
