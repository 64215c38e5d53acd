"""Slopes that go into certificates: few bits, shared by groups; what they promise holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import random_box, random_program
from test_crown import network

from pytest_torchlean.bounds import crown, interval
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.slopes import Ascent
from pytest_torchlean.bounds.stated import Stated, stated

PROGRAM = network((3, 12, 12, 12, 3))
LOWER, UPPER = np.full(3, -0.6), np.full(3, 0.5)
UNIT = 1 << crown.SLOPE_BITS


def margins(program: Program) -> np.ndarray:
    """outputs[0] above each other one."""
    rows = np.zeros((program.outputs.size - 1, program.size))
    rows[:, program.outputs[0]] = 1.0
    rows[np.arange(len(rows)), program.outputs[1:]] = -1.0
    return rows


def found(together: int | None = None, iterations: int = 20, alternatives: int = 1) -> Stated:
    how = Ascent(iterations=iterations)
    return stated(PROGRAM, LOWER, UPPER, margins(PROGRAM), alternatives, together=together, how=how)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 100_000), st.sampled_from([None, 1, 3]), st.sampled_from([1, 2]))
def test_promised_bounds_hold(seed: int, together: int | None, alternatives: int) -> None:
    program = random_program(seed, extrema=False)
    lower, upper = (side[0] for side in random_box(program, seed))
    rng = np.random.default_rng(seed)
    rows = np.zeros((2, program.size))
    rows[:, program.outputs] = rng.normal(size=(2, 3))
    result = stated(program, lower, upper, rows, alternatives, together=together, how=Ascent(iterations=3))
    for share in rng.random((30, program.inputs)):
        values = interval.evaluate(program, (lower + share * (upper - lower))[None])[0]
        assert (result.least <= rows @ values + 1e-9 * (1 + np.abs(values).max())).all()


@pytest.mark.parametrize("together", [None, 2, 1])
def test_slopes_are_integers_of_few_bits(together: int | None) -> None:
    result = found(together)
    slopes = [
        own for groups in result.slopes.arguments.values() for group in groups for own in group.lower.values()
    ]
    slopes += result.slopes.last.values()
    assert slopes
    for own in slopes:
        assert own.dtype == np.int64
        assert own.shape == (12,)
        assert ((own >= 0) & (own <= UNIT)).all()
    assert any(((own > 0) & (own < UNIT)).any() for own in slopes)


def test_smaller_groups_prove_more_than_larger_ones_and_these_more_than_none() -> None:
    none, all_together, alone = (found(*how).least.min() for how in ((None, 0), (None, 20), (1, 20)))
    assert none < all_together < alone


def test_every_undecided_argument_is_in_one_group() -> None:
    layers = found(1).slopes.arguments
    assert set(layers) == {3, 5}
    assert found(1).slopes.optimised == sum(bool(group.lower) for own in layers.values() for group in own) > 0
    assert found(iterations=0).slopes.optimised > 0
    for groups in layers.values():
        places = np.concatenate([np.unique(group.goals // 2) for group in groups])
        assert len(set(places.tolist())) == places.size
        assert all((np.diff(group.goals) > 0).all() for group in groups)
        assert all(group.goals.size == 2 for group in groups if group.lower)


def test_of_alternatives_one_is_carried_back() -> None:
    both, one = found(), found(alternatives=2)
    assert np.isneginf(one.least).sum() == 1
    assert one.least.max() >= both.least.max() - 1e-9
