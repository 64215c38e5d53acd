"""Cases by ReLU phases: bounds hold in them, multipliers climb along their gradient, cases cover the box."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from choice_examples import pooled
from hypothesis import given, settings
from hypothesis import strategies as st
from test_crown import network

from pytest_torchlean.bounds import crown, interval, phase_tree, phases, slopes, sweeps
from pytest_torchlean.bounds.phase_tree import PhaseCut, PhaseLeaf, PhaseTree, leaves, search
from pytest_torchlean.bounds.phases import Case, Phase
from pytest_torchlean.bounds.program import ExtremumNode, Program, ReluNode
from pytest_torchlean.bounds.slopes import Ascent

PROGRAM = network((2, 8, 8, 2))
BOX = np.full((1, 2), -0.7), np.full((1, 2), 0.7)
BOUNDS = slopes.bound(PROGRAM, *BOX)
ROWS = np.zeros((1, PROGRAM.size))
ROWS[0, PROGRAM.outputs] = 1.0, -1.0
POINTS = np.random.default_rng(0).uniform(-0.7, 0.7, size=(4000, 2))
VALUES = interval.evaluate(PROGRAM, POINTS)


def argument(program: Program, phase: Phase) -> int:
    node = program.nodes[phase.number]
    assert isinstance(node, ReluNode)
    return node.first + phase.place


def inside(case: Case) -> np.ndarray:
    """Which points lie in a case."""
    found = np.ones(len(POINTS), dtype=bool)
    for phase in case:
        value = VALUES[:, argument(PROGRAM, phase)]
        found &= value >= 0 if phase.on else value <= 0
    return found


def above(bound: float) -> np.ndarray:
    rows = ROWS.copy()
    rows[0, 1] = -bound
    return rows


PHASE = st.builds(Phase, st.sampled_from([1, 3]), st.integers(0, 7), st.booleans())


@settings(deadline=None, max_examples=60)
@given(st.lists(PHASE, max_size=5, unique_by=lambda phase: (phase.number, phase.place)))
def test_bounds_hold_in_their_case(case: list[Phase]) -> None:
    least = phases.bound_cases(BOUNDS, ROWS, [tuple(case), ()]).least
    here = inside(tuple(case))
    values = VALUES @ ROWS[0]
    assert (least[1] <= values + 1e-9).all()
    assert (least[0] <= values[here] + 1e-9).all()


def test_networks_with_maxima_are_split_by_the_phases_of_their_relus() -> None:
    network = pooled(3)
    box = np.zeros((1, network.inputs)), np.full((1, network.inputs), 0.5)
    bounds, rows = crown.bound(network.program, *box), np.zeros((1, network.program.size))
    rows[0, network.program.outputs] = 1.0, -1.0
    points = np.random.default_rng(1).uniform(*box, size=(2000, network.inputs))
    values = interval.evaluate(network.program, points)
    kinds = {number: type(network.program.nodes[number]) for number in bounds.lines}
    assert set(kinds.values()) == {ExtremumNode, ReluNode}
    relus = [number for number, kind in kinds.items() if kind is ReluNode]
    node = network.program.nodes[relus[-1]]
    assert isinstance(node, ReluNode)
    cases = [(), *((Phase(relus[-1], 0, on),) for on in (False, True))]
    found = phases.bound_cases(bounds, rows, cases)
    assert set(found.scores) <= set(relus)
    for case, least in zip(cases, found.least[:, 0], strict=True):
        read = values[:, node.first]
        here = np.ones(len(read), dtype=bool) if not case else (read >= 0) == case[0].on
        assert (least <= (values @ rows[0])[here] + 1e-9).all()


def test_multipliers_raise_a_bound() -> None:
    case = (Phase(3, 0, True), Phase(3, 1, False), Phase(1, 0, True))
    first = phases.bound_cases(BOUNDS, ROWS, [case], Ascent(iterations=0)).least
    frozen = phases.bound_cases(BOUNDS, ROWS, [case], Ascent(iterations=40, step=0.3)).least
    assert frozen[0, 0] > first[0, 0]


@pytest.mark.parametrize("seed", range(6))
def test_the_gradient_of_multipliers_is_that_of_finite_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = {}
    for number, line in BOUNDS.lines.items():
        push = rng.normal(size=(len(line.lower), 1, 1))
        lines[number] = sweeps.Lines(line.lower, line.upper, line.intercept, push)
    forms, constant = phases.forms_over(BOUNDS, ROWS)

    def swept(used: dict[int, sweeps.Lines]) -> sweeps.Swept:
        return sweeps.go_back(BOUNDS.layers, list(forms), constant, BOUNDS.low, BOUNDS.high, used, keep=True)

    found = sweeps.gradient(BOUNDS.layers, swept(lines), BOUNDS.low, BOUNDS.high, lines, -1).pushes
    step = 1e-6
    for number, line in lines.items():
        for place in range(len(line.lower)):
            ends = []
            for sign in (1.0, -1.0):
                assert line.push is not None
                moved = line.push.copy()
                moved[place] += sign * step
                own = sweeps.Lines(line.lower, line.upper, line.intercept, moved)
                ends.append(swept({**lines, number: own}).least[0, 0])
            slope = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(found[number][place, 0, 0], slope, rtol=1e-4, atol=1e-5)


def test_cases_close_what_the_whole_box_does_not_and_cover_it() -> None:
    truth = float((VALUES @ ROWS[0]).min())
    whole = float(slopes.minimum(BOUNDS, ROWS)[0, 0])
    rows = above(0.5 * truth + 0.5 * whole)
    assert slopes.minimum(BOUNDS, rows)[0, 0] < 0
    found = search(BOUNDS, rows, most=2000)
    assert found.cases is not None
    assert found.tree is not None
    assert len(found.cases) > 1
    assert sum(inside(case).astype(int) for case in found.cases).min() >= 1
    shares = sum(0.5 ** len(case) for case in found.cases)
    assert shares == 1.0


def test_a_false_inequality_is_never_proved() -> None:
    rows = above(float((VALUES @ ROWS[0]).min()) + 0.01)
    found = search(BOUNDS, rows, most=400)
    assert found.cases is None
    assert found.gap <= 0


def test_one_of_two_alternatives_is_enough() -> None:
    truth = float((VALUES @ ROWS[0]).min())
    rows = np.concatenate([above(1e6), above(truth - 0.3)])
    assert search(BOUNDS, rows, 2, most=2000).cases is not None
    assert search(BOUNDS, rows, 1, most=60).cases is None


def test_a_multiplier_of_the_wrong_sign_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """On x >= 0, x itself is at least 0; with the signs of phases exchanged its bound rises above that."""
    genuine = phases.case_lines

    def exchanged(*arguments: Any) -> Any:
        lines, signs = genuine(*arguments)
        return lines, {number: -sign for number, sign in signs.items()}

    program = Program(1, (ReluNode(3, 2, 1),), np.array([3]), 4)
    bounds = crown.bound(program, np.array([[-1.0]]), np.array([[1.0]]))
    rows = np.zeros((1, 4))
    rows[0, 2], rows[0, 3] = -1.0, 0.5
    honest = phases.bound_cases(bounds, rows, [(Phase(0, 0, False),)]).least[0, 0]
    assert honest == pytest.approx(0.0, abs=0.05)
    assert honest <= 1e-9
    monkeypatch.setattr(phases, "case_lines", exchanged)
    wrong = phases.bound_cases(bounds, rows, [(Phase(0, 0, True),)]).least[0, 0]
    assert wrong > -0.5 + 1e-3


def test_a_tree_splits_where_its_leaves_say(rows: np.ndarray) -> None:
    found = search(BOUNDS, rows, most=2000)
    assert found.tree is not None

    def check(tree: PhaseTree, case: Case) -> None:
        if isinstance(tree, PhaseLeaf):
            assert tree.case == case
            return
        check(tree.off, (*case, Phase(tree.number, tree.place, False)))
        check(tree.on, (*case, Phase(tree.number, tree.place, True)))

    assert isinstance(found.tree, PhaseCut)
    check(found.tree, ())


def test_the_points_of_leaves_prove_them_again(rows: np.ndarray) -> None:
    """Slopes and multipliers of few bits, as a certificate states them."""
    found = search(BOUNDS, rows, most=2000, slack=1e-3)
    assert found.tree is not None
    for leaf in leaves(found.tree):
        again = phases.bound_cases(BOUNDS, rows, [leaf.case], Ascent(iterations=0), starts=[leaf.point])
        assert again.least[0, 0] > 0.9e-3
        for own in leaf.point.lower.values():
            assert (own * 256 == np.rint(own * 256)).all()
        largest = leaf.point.multipliers.max(initial=0.0)
        assert (leaf.point.multipliers >= 0).all()
        if largest:
            step = 2.0 ** (np.ceil(np.log2(largest)) - phases.MULTIPLIER_BITS)
            assert (leaf.point.multipliers / step == np.rint(leaf.point.multipliers / step)).all()


def test_a_longer_climb_joins_cases(rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """With steps that are too few, splits are made that a longer climb does without."""
    few = Ascent(iterations=1, step=0.05)
    joined = search(BOUNDS, rows, most=4000, how=few)
    monkeypatch.setattr("pytest_torchlean.bounds.phase_tree._join", lambda *_: None)
    apart = search(BOUNDS, rows, most=4000, how=few)
    assert joined.cases is not None
    assert apart.cases is not None
    assert len(joined.cases) < len(apart.cases)


@pytest.mark.parametrize(("places", "tried"), [(24, 6), (128, 8), (1000, 16)])
def test_more_relus_are_tried_where_many_are_open(places: int, tried: int) -> None:
    """Those that cost most, of all layers together."""
    scores = np.arange(1.0, places + 1)
    node = phase_tree._Node((), None, scores={0: scores[::2], 1: scores[1::2], 2: np.zeros(40)})
    found = phase_tree._places(node)
    assert [scores[number::2][place] for number, place in found] == sorted(scores, reverse=True)[:tried]


def test_a_case_is_split_further(rows: np.ndarray) -> None:
    first = search(BOUNDS, rows, most=2000)
    assert first.tree is not None
    leaf = min(leaves(first.tree), key=lambda leaf: len(leaf.case))
    finer = search(BOUNDS, rows, most=2000, slack=0.05, within=leaf)
    assert finer.cases is not None
    assert all(case[: len(leaf.case)] == leaf.case for case in finer.cases)
    assert sum(0.5 ** (len(case) - len(leaf.case)) for case in finer.cases) == 1.0


def test_cases_do_not_nest_without_end(rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_torchlean.bounds.phase_tree._DEEPEST", 1)
    found = search(BOUNDS, rows, most=2000)
    assert found.cases is None
    assert found.gap <= 0


@pytest.fixture
def rows() -> np.ndarray:
    truth = float((VALUES @ ROWS[0]).min())
    whole = float(slopes.minimum(BOUNDS, ROWS)[0, 0])
    return above(0.5 * truth + 0.5 * whole)
