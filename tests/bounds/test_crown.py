"""Backward linear bounds: they contain the values, and are tighter than intervals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.bounds import crown, interval
from pytest_torchlean.bounds.program import FIRST_INPUT, AffineNode, Program, ReluNode
from pytest_torchlean.bounds.sweeps import relu_lines

RNG = np.random.default_rng(5)


def network(widths: tuple[int, ...]) -> Program:
    """A chain of dense layers with biases and a ReLU between each two."""
    nodes: list[AffineNode | ReluNode] = []
    first, start = FIRST_INPUT, FIRST_INPUT + widths[0]
    for layer, (columns, rows) in enumerate(itertools.pairwise(widths)):
        weights = RNG.normal(size=(rows, columns + 1)).astype(np.float32)
        sources = np.append(np.arange(first, first + columns), 1)[None, :]
        nodes.append(AffineNode(start, weights, sources, 1))
        first, start = start, start + rows
        if layer < len(widths) - 2:
            nodes.append(ReluNode(start, first, rows))
            first, start = start, start + rows
    return Program(widths[0], tuple(nodes), np.arange(first, start), start)


def output_bounds(program: Program, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = program.outputs.size
    least = crown.minimum(crown.bound(program, lower, upper), crown.output_rows(program))
    return least[:, :count], -least[:, count:]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10_000),
    st.floats(-3, 3, width=32),
    st.floats(0, 4, width=32),
    st.sampled_from([None, 1, 8]),
)
def test_lines_enclose_the_rectifier(seed: int, low: float, width: float, bits: int | None) -> None:
    x = np.random.default_rng(seed).uniform(low, low + width, size=(1, 1, 32))
    bounds = np.array([[low]]), np.array([[low + width]])
    lines = relu_lines(*bounds, bits)
    value = np.maximum(x, 0)
    assert (lines.lower * x <= value + 1e-9).all()
    assert (lines.upper * x + lines.intercept >= value - 1e-9).all()


def test_rounding_does_not_choose_other_lines_on_a_symmetric_box() -> None:
    """Certificates find their lines from bounds that are a little wider than those of the search."""
    exactly = relu_lines(np.array([[-1.0]]), np.array([[1.0]]))
    wider = relu_lines(np.array([[-1.00000012]]), np.array([[1.00000036]]))
    assert exactly.lower[0, 0, 0] == wider.lower[0, 0, 0] == 0
    assert relu_lines(np.array([[-1.0]]), np.array([[1.001]])).lower[0, 0, 0] == 1


def test_slopes_have_few_bits() -> None:
    lines = relu_lines(np.array([[-1.0], [-0.3]]), np.array([[0.7], [2.0]]), crown.SLOPE_BITS)
    scaled = lines.upper * 2**crown.SLOPE_BITS
    assert (scaled == np.round(scaled)).all()


@pytest.mark.parametrize("widths", [(3, 8, 2), (4, 10, 10, 3), (2, 16, 16, 16, 2)])
@pytest.mark.parametrize("epsilon", [0.02, 0.5])
def test_bounds_contain_sampled_values(widths: tuple[int, ...], epsilon: float) -> None:
    program = network(widths)
    centre = RNG.normal(size=(3, widths[0]))
    low, high = output_bounds(program, centre - epsilon, centre + epsilon)
    for _ in range(50):
        points = centre + RNG.uniform(-epsilon, epsilon, size=centre.shape)
        values = interval.evaluate(program, points)[:, program.outputs]
        assert (values >= low - 1e-9).all()
        assert (values <= high + 1e-9).all()


def test_rows_are_tighter_than_intervals_on_a_small_box() -> None:
    program = network((4, 12, 12, 2))
    centre = RNG.normal(size=(1, 4))
    low, high = output_bounds(program, centre - 0.05, centre + 0.05)
    wide_low, wide_high = interval.propagate(program, centre - 0.05, centre + 0.05)
    wide = (wide_high - wide_low)[:, program.outputs]
    assert ((high - low) < 0.8 * wide).all()


def test_a_convolution_bounds_like_its_dense_form() -> None:
    weights = RNG.normal(size=(2, 3)).astype(np.float32)
    sources = np.array([[2, 3, 1], [3, 4, 1], [4, 0, 1]])
    shared = AffineNode(5, weights, sources, 1)
    dense_weights = np.zeros((6, 4), dtype=np.float32)
    for position, places in enumerate(sources):
        for column, slot in enumerate(places):
            if slot:
                at = 3 if slot == 1 else slot - 2
                dense_weights[2 * position : 2 * position + 2, at] += weights[:, column]
    dense = AffineNode(5, dense_weights, np.array([[2, 3, 4, 1]]), 1)
    last = AffineNode(17, RNG.normal(size=(1, 6)).astype(np.float32), np.arange(11, 17)[None, :], 1)
    programs = [Program(3, (node, ReluNode(11, 5, 6), last), np.array([17]), 18) for node in (shared, dense)]
    box = RNG.normal(size=(1, 3))
    first, second = (output_bounds(program, box - 0.3, box + 0.3) for program in programs)
    np.testing.assert_allclose(first, second, rtol=1e-12)
