"""Bounds by layers: they enclose, equal a plain computation, and better slopes make them better."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import least_of_form, random_box, random_program
from test_crown import network

from pytest_torchlean.bounds import alive, crown, interval, slopes, sweeps
from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.crown import Method, Options
from pytest_torchlean.bounds.layers import prepared
from pytest_torchlean.bounds.program import FIRST_INPUT, AffineNode, Program, ReluNode
from pytest_torchlean.bounds.slopes import Ascent

SEEDS = st.integers(0, 100_000)
FEW = Ascent(iterations=4)
EVERY_OPTION = [
    Options(method, bits, extrema, intersect)
    for method, bits, extrema, intersect in itertools.product(Method, (None, 3), (False, True), (False, True))
]


def misses(program: Program, lower: np.ndarray, upper: np.ndarray, bounds: crown.LinearBounds) -> float:
    """By how much sampled values of any slot leave their bounds, or those of the outputs by rows."""
    rng = np.random.default_rng(0)
    rows = crown.output_rows(program)
    least = crown.minimum(bounds, rows)
    worst = -np.inf
    corners = np.array(list(itertools.product((0.0, 1.0), repeat=program.inputs)))
    shares = [*corners, *rng.random((40, program.inputs))]
    for share in shares:
        values = interval.evaluate(program, lower + share * (upper - lower))
        scale = 1.0 + np.abs(values).max()
        worst = max(worst, float((bounds.low.T - values).max() / scale))
        worst = max(worst, float((values - bounds.high.T).max() / scale))
        worst = max(worst, float((least - values @ rows.T).max() / scale))
    return worst


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.sampled_from(EVERY_OPTION))
def test_bounds_enclose_sampled_values(seed: int, options: Options) -> None:
    program = random_program(seed)
    lower, upper = random_box(program, seed, boxes=2)
    assert misses(program, lower, upper, crown.bound(program, lower, upper, options)) < 1e-9


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.booleans())
def test_bounds_with_better_slopes_enclose_sampled_values(seed: int, extrema: bool) -> None:
    program = random_program(seed)
    lower, upper = random_box(program, seed, boxes=2)
    found = slopes.bound(program, lower, upper, FEW, Options(bits=None, extrema=extrema))
    assert misses(program, lower, upper, found) < 1e-9
    rows = crown.output_rows(program)
    least = slopes.minimum(found, rows, FEW)
    for share in np.random.default_rng(1).random((30, program.inputs)):
        values = interval.evaluate(program, lower + share * (upper - lower)) @ rows.T
        assert (least <= values + 1e-9 * (1 + np.abs(values))).all()


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.booleans())
def test_bounds_equal_a_plain_computation(seed: int, extrema: bool) -> None:
    program = random_program(seed)
    lower, upper = random_box(program, seed)
    bounds = crown.bound(program, lower, upper, Options(bits=None, extrema=extrema))
    rows = np.random.default_rng(seed).normal(size=(3, program.size))
    rows[0, : program.outputs[0]] = 0.0
    expected = [
        least_of_form(program, row, bounds.low[:, 0], bounds.high[:, 0], dict(bounds.lines)) for row in rows
    ]
    np.testing.assert_allclose(crown.minimum(bounds, rows)[0], expected, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_slopes_are_never_worse_than_the_first_ones(seed: int) -> None:
    program = random_program(seed)
    lower, upper = random_box(program, seed, boxes=2)
    bounds = crown.bound(program, lower, upper, Options(bits=None, extrema=True))
    rows = crown.output_rows(program)
    first = crown.minimum(bounds, rows)
    assert (slopes.minimum(bounds, rows, FEW) >= first - 1e-9 * (1 + np.abs(first))).all()


@pytest.mark.parametrize("seed", range(30))
def test_boxes_do_not_depend_on_each_other(seed: int) -> None:
    """Where a derivative is 0 but for rounding, a slope may move either way: none of these seeds has one."""
    program = random_program(seed)
    lower, upper = random_box(program, seed, boxes=3)
    rows = crown.output_rows(program)
    together = slopes.minimum(slopes.bound(program, lower, upper, FEW), rows, FEW)
    for box in range(3):
        alone = slopes.bound(program, lower[box : box + 1], upper[box : box + 1], FEW)
        np.testing.assert_allclose(together[box], slopes.minimum(alone, rows, FEW)[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_the_gradient_is_that_of_finite_differences(seed: int) -> None:
    program = random_program(seed)
    lower, upper = random_box(program, seed + 7)
    bounds = crown.bound(program, lower, upper, Options(bits=None, extrema=True))
    rng = np.random.default_rng(seed)
    lines = {
        number: line.with_lower(rng.uniform(0.1, 0.9, size=(len(line.lower), 1, 2)))
        for number, line in bounds.lines.items()
    }
    rows = np.zeros((2, program.size))
    rows[:, program.outputs] = rng.normal(size=(2, 3))

    def least(used: dict[int, sweeps.Lines]) -> sweeps.Swept:
        parts = alive.Alive(bounds.layers, used, {}).parts_of(rows)
        assert parts is not None
        return sweeps.go_back(bounds.layers, *parts, bounds.low, bounds.high, used, keep=True)

    found = sweeps.gradient(bounds.layers, least(lines), bounds.low, bounds.high, lines, -1).slopes
    step = 1e-6
    for number, line in lines.items():
        for place in range(len(line.lower)):
            ends = []
            for sign in (1.0, -1.0):
                moved = line.lower.copy()
                moved[place] += sign * step
                ends.append(least({**lines, number: line.with_lower(moved)}).least[0])
            slope = (ends[0] - ends[1]) / (2 * step)
            own = found[number][place, 0] if number in found else np.zeros(2)
            np.testing.assert_allclose(own, slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("part", ["upper", "intercept", "lower"])
def test_a_line_that_cuts_the_rectifier_is_noticed(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = crown.relu_lines

    def wrong(low: np.ndarray, high: np.ndarray, bits: int | None = None) -> sweeps.Lines:
        lines = honest(low, high, bits)
        open_places = ((low < 0) & (high > 0))[:, :, None]
        sides = {"lower": lines.lower, "upper": lines.upper, "intercept": lines.intercept}
        sides[part] = np.where(open_places, sides[part] * 0.5 if part != "lower" else 1.5, sides[part])
        return sweeps.Lines(**sides)

    # relu(x) - 1.6 x, 0.25 x - relu(x) and -relu(x)
    weights = np.array([[1.0, -1.6], [-1.0, 0.25], [-1.0, 0.0]], dtype=np.float32)
    nodes = (ReluNode(3, 2, 1), AffineNode(4, weights, np.array([[3, 2]]), 1))
    program = Program(1, nodes, np.array([4, 5, 6]), 7)
    lower, upper = np.array([[-1.0]]), np.array([[1.0]])
    assert misses(program, lower, upper, crown.bound(program, lower, upper)) < 1e-9
    monkeypatch.setattr(crown, "relu_lines", wrong)
    assert misses(program, lower, upper, crown.bound(program, lower, upper)) > 1e-3


def test_rows_of_one_group_share_their_slopes() -> None:
    program = network((3, 8, 8, 3))
    bounds = crown.bound(program, np.full((1, 3), -0.8), np.full((1, 3), 0.8), crown.UNROUNDED)
    own, forms, constant = crown.forms_of(bounds, crown.output_rows(program))
    sides = bounds.low, bounds.high
    single = slopes.ascend(own, forms, constant, *sides, slopes.ASCENT)
    groups = np.array([0, 0, 0, 1, 1, 1])
    shared = slopes.ascend(own, forms, constant, *sides, slopes.ASCENT, groups=groups)
    assert all(lower.shape[2] == 2 for lower in shared.lower.values())
    assert shared.least.sum() <= single.least.sum() + 1e-9
    for group in (0, 1):
        lines = {
            number: line.with_lower(shared.lower[number][:, :, [group]]) if number in shared.lower else line
            for number, line in own.lines.items()
        }
        found = sweeps.go_back(own.layers, list(forms), constant, *sides, lines).least[0]
        first = crown.minimum(bounds, crown.output_rows(program))[0]
        assert found[groups == group].sum() >= first[groups == group].sum() - 1e-9


def test_a_sum_of_alternatives_is_positive_where_no_row_is() -> None:
    """x > 0 or 0.1 - x > 0."""
    weights = np.array([[1.0], [-1.0]], dtype=np.float32)
    layer = AffineNode(3, weights, np.array([[2]]), 1)
    program = Program(1, (layer,), np.array([3, 4]), 5)
    rows = np.zeros((2, 5))
    rows[0, 3] = rows[1, 4] = 1.0
    rows[1, 1] = 0.1
    bounds = crown.bound(program, np.array([[-1.0]]), np.array([[1.0]]))
    assert (crown.minimum(bounds, rows) < 0).all()
    found = slopes.clauses(bounds, rows, 2)
    assert found.least[0, 0] == pytest.approx(0.05)
    assert found.weights is not None
    np.testing.assert_allclose(found.weights[0, 0], [0.5, 0.5])


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_no_clause_is_bounded_above_its_best_row(seed: int) -> None:
    program = random_program(seed)
    lower, upper = random_box(program, seed, boxes=2)
    rng = np.random.default_rng(seed)
    rows = np.zeros((4, program.size))
    rows[:, program.outputs] = rng.normal(size=(4, 3))
    rows[:, 1] = rng.normal(size=4)
    bounds = slopes.bound(program, lower, upper, FEW)
    found = slopes.clauses(bounds, rows, 2, FEW)
    for share in rng.random((30, program.inputs)):
        values = interval.evaluate(program, lower + share * (upper - lower)) @ rows.T
        best = values.reshape(2, 2, 2).max(axis=2)
        assert (found.least <= best + 1e-9 * (1 + np.abs(best))).all()


def test_layers_lose_what_is_zero_throughout() -> None:
    weights = np.random.default_rng(3).normal(size=(64, 3)).astype(np.float32)
    weights[:, 2] = -50.0
    weights[:8, 2] = 0.0
    first = AffineNode(4, weights, np.array([[2, 3, 1]]), 1)
    last = AffineNode(132, np.ones((1, 64), dtype=np.float32), np.arange(68, 132)[None], 1)
    program = Program(2, (first, ReluNode(68, 4, 64), last), np.array([132]), 133)
    bounds = crown.bound(program, np.full((1, 2), -1.0), np.full((1, 2), 1.0))
    assert bounds.alive.layers.sizes == (2, 8, 8, 1)
    assert prepared(program).sizes == (2, 64, 64, 1)
    rows = np.zeros((3, program.size))
    rows[0, 132] = rows[1, 68 + 40] = rows[2, 4 + 40] = 1.0
    inside = [
        least_of_form(program, row, bounds.low[:, 0], bounds.high[:, 0], dict(bounds.lines)) for row in rows
    ]
    for which in ([0], [0, 1], [0, 1, 2]):
        np.testing.assert_allclose(crown.minimum(bounds, rows[which])[0], np.array(inside)[which])


def test_an_ascent_stops_at_its_deadline() -> None:
    program = network((2, 6, 6, 2))
    with pytest.raises(OutOfTime):
        slopes.bound(program, np.full((1, 2), -1.0), np.full((1, 2), 1.0), budget=Budget(0.0))


def test_better_slopes_reach_the_exact_bound_of_a_hidden_identity() -> None:
    """relu(x) - relu(x) is 0: with slopes 0 and 1 rows leave a gap, with better ones none."""
    split = AffineNode(3, np.array([[1.0], [1.0]], dtype=np.float32), np.array([[2]]), 1)
    last = AffineNode(7, np.array([[1.0, -1.0]], dtype=np.float32), np.array([[5, 6]]), 1)
    program = Program(1, (split, ReluNode(5, 3, 2), last), np.array([7]), 8)
    box = np.array([[-1.0]]), np.array([[1.0]])
    bounds = crown.bound(program, *box, crown.UNROUNDED)
    rows = np.zeros((1, 8))
    rows[0, 7] = 1.0
    assert crown.minimum(bounds, rows)[0, 0] == pytest.approx(-1.0)
    assert slopes.minimum(bounds, rows)[0, 0] == pytest.approx(-0.5, abs=1e-3)
    assert FIRST_INPUT == 2
