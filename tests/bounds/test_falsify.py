"""The search for counterexamples stays in the box and finds what is there."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import lowered, model, random_layers

from pytest_torchlean.binary32.ulp import from_bits, next_down, next_up
from pytest_torchlean.bounds import falsify
from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.falsify import Target, binary32_box, minimise
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program

FINITE = st.integers(0, 2**32 - 1).map(from_bits).filter(np.isfinite)


def affine(seed: int, inputs: int = 5) -> Program:
    rng = np.random.default_rng(seed)
    values = {
        "w": rng.normal(size=(3, inputs)).astype(np.float32),
        "b": rng.normal(size=3).astype(np.float32),
    }
    gemm = helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1)
    return lower_to_program(lowered(model([gemm], {"x": [1, inputs]}, ["z"], values)))


def network(seed: int) -> Program:
    return lower_to_program(lowered(random_layers(seed)))


def target(rng: np.random.Generator, inputs: int, scale: float = 1.0) -> Target:
    lower = (scale * rng.normal(size=inputs)).astype(np.float32)
    upper = (lower + scale * rng.random(inputs)).astype(np.float32)
    return Target(lower, upper, rng.normal(size=3), float(rng.normal()))


@given(st.integers(0, 10**6), st.sampled_from([1e-30, 1e-3, 1.0, 1e6]))
@settings(deadline=None, max_examples=30)
def test_points_are_binary32_vectors_of_their_box_with_the_value_there(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    program = network(seed)
    targets = [target(rng, 4, scale) for _ in range(3)]
    for wanted, found in zip(targets, minimise(program, targets), strict=True):
        assert found.point.dtype == np.float32
        assert (wanted.lower <= found.point).all()
        assert (found.point <= wanted.upper).all()
        outputs = evaluate(program, found.point.astype(np.float64)[None])[0, program.outputs]
        assert found.value == pytest.approx(wanted.coefficients @ outputs + wanted.constant, rel=1e-12)


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=30)
def test_the_corner_of_an_affine_graph_is_found_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = affine(seed)
    wanted = target(rng, 5)
    # bounds of very different size: a step towards a corner must still end on it
    wanted.lower[0], wanted.upper[0] = np.float32(-0.5), np.float32(1e-30)
    wanted.lower[1], wanted.upper[1] = np.float32(1e-38), np.float32(3e7)
    (found,) = minimise(program, [wanted])
    (node,) = program.nodes
    slope = wanted.coefficients @ node.weights[:, :5].astype(np.float64)  # type: ignore[union-attr]
    assert np.array_equal(found.point, np.where(slope > 0, wanted.lower, wanted.upper))


def test_a_counterexample_behind_a_relu_is_found() -> None:
    """The lowest of many samples is no lower than what the search finds, up to a little."""
    rng = np.random.default_rng(8)
    for seed in range(5):
        program = network(seed)
        wanted = Target(np.full(4, -1, np.float32), np.full(4, 1, np.float32), rng.normal(size=3), 0.0)
        (found,) = minimise(program, [wanted])
        corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T
        middle = evaluate(program, np.zeros((1, 4)))[0, program.outputs] @ wanted.coefficients
        values = evaluate(program, corners)[:, program.outputs] @ wanted.coefficients
        assert found.value <= middle
        assert found.value <= np.median(values)


def test_no_targets_and_points_without_room() -> None:
    program = affine(0)
    assert minimise(program, []) == []
    point = np.float32([0.1, -0.2, 0.3, 0.0, 5.0])
    (found,) = minimise(program, [Target(point, point, np.ones(3), 0.0)])
    assert np.array_equal(found.point, point)


def test_the_search_is_repeatable() -> None:
    program = network(1)
    targets = [target(np.random.default_rng(2), 4) for _ in range(3)]
    for first, second in zip(minimise(program, targets), minimise(program, targets), strict=True):
        assert np.array_equal(first.point, second.point)
        assert first.value == second.value


def test_targets_are_followed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    program = network(1)
    targets = [target(np.random.default_rng(seed), 4) for seed in range(5)]
    whole = minimise(program, targets)
    monkeypatch.setattr(falsify, "_NUMBERS", 2 * program.size)
    parts = minimise(program, targets)
    assert len(parts) == 5
    assert np.array_equal(parts[0].point, whole[0].point)
    for wanted, found in zip(targets, parts, strict=True):
        assert (wanted.lower <= found.point).all()
        assert (found.point <= wanted.upper).all()


def test_the_search_ends_with_its_budget() -> None:
    over = Budget(time.monotonic() - 1)
    with pytest.raises(OutOfTime):
        minimise(network(1), [target(np.random.default_rng(2), 4)], budget=over)


@given(FINITE, FINITE)
def test_a_box_of_binary32_bounds_is_itself(first: np.float32, second: np.float32) -> None:
    low, high = sorted((first, second))
    box = binary32_box((Fraction(float(low)),), (Fraction(float(high)),))
    assert box is not None
    assert (box[0][0], box[1][0]) == (low, high)


@given(FINITE.filter(lambda x: abs(x) < 3e38), st.fractions(0, 1).filter(lambda share: 0 < share < 1))
def test_bounds_between_two_numbers_are_rounded_inwards(number: np.float32, share: Fraction) -> None:
    below, above = Fraction(float(number)), Fraction(float(next_up(number)))
    between = below + (above - below) * share
    assert binary32_box((between,), (between,)) is None
    outer = (Fraction(float(next_down(number))) + below) / 2
    box = binary32_box((outer,), (between,))
    assert box is not None
    assert (box[0][0], box[1][0]) == (number, number)


def test_a_box_without_a_number_in_one_place_is_none() -> None:
    third = Fraction(1, 3)
    assert binary32_box((Fraction(0), third), (Fraction(1), third)) is None
    huge = Fraction(10) ** 40
    assert binary32_box((huge,), (2 * huge,)) is None
    box = binary32_box((-huge,), (huge,))
    assert box is not None
    assert np.array_equal(box, [[np.finfo(np.float32).min], [np.finfo(np.float32).max]])
