"""Layers as sweeps use them: what element-wise nodes give both ways, and who reads a part."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_torchlean.bounds.layers import Parts, Shared, prepared
from pytest_torchlean.bounds.program import AffineNode, Program, ReluNode

POSITIONS = 5


def shared(order: list[int], factor: float) -> Shared:
    return Shared(0, np.array(order)[:, None], np.array([[factor]]), (True,))


@pytest.mark.parametrize("order", [list(range(POSITIONS)), list(range(POSITIONS))[::-1]])
@pytest.mark.parametrize("factor", [1.0, -2.5])
def test_each_result_is_a_multiple_of_one_slot(order: list[int], factor: float) -> None:
    one = shared(order, factor)
    values = np.random.default_rng(1).standard_normal((POSITIONS, 2, 3))
    assert np.array_equal(one.product(values), factor * values[order])
    assert np.array_equal(one.product(values, magnitudes=True), abs(factor) * values[order])
    parts: Parts = [np.ones((POSITIONS, 2, 3)), None]
    one.back(values, parts, POSITIONS)
    expected = np.ones_like(values)
    expected[order] += factor * values
    assert np.array_equal(parts[0], expected)


def test_a_part_with_more_slots_keeps_the_others() -> None:
    one = shared(list(range(POSITIONS)), 3.0)
    values = np.random.default_rng(2).standard_normal((POSITIONS + 2, 1, 1))
    assert np.array_equal(one.product(values), 3.0 * values[:POSITIONS])
    parts: Parts = [None, None]
    one.back(np.ones((POSITIONS, 1, 1)), parts, POSITIONS + 2)
    assert parts[0] is not None
    assert parts[0][:, 0, 0].tolist() == [3.0] * POSITIONS + [0.0] * 2


def test_readers_of_every_part() -> None:
    """x -> a -> relu -> b, where b reads x and the relu."""
    first = AffineNode(4, np.ones((2, 2), np.float32), np.array([[2, 3]]), 1)
    relu = ReluNode(6, 4, 2)
    last = AffineNode(8, np.ones((1, 4), np.float32), np.array([[2, 3, 6, 7]]), 1)
    layers = prepared(Program(2, (first, relu, last), np.array([8]), 9))
    assert layers.readers == ((0, 2), (1,), (2,), ())
