"""Dense chains: bounds hold in their cases, and a tree of cases that bound again covers the box."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from choice_examples import pooled
from relaxation_examples import chain

from pytest_torchlean.bounds import interval, slopes
from pytest_torchlean.bounds.chains import FINE_BITS, Level, carry, chain_of, restated
from pytest_torchlean.bounds.program import ReluNode
from pytest_torchlean.bounds.refined import Ending, Halves, RefinedCase
from pytest_torchlean.bounds.retightening import search
from pytest_torchlean.bounds.slopes import Ascent

PROGRAM = chain(5, 2, 8, 8, 8, 2).program
LOW, HIGH = np.full(2, -0.7), np.full(2, 0.7)
BOUNDS = slopes.bound(PROGRAM, LOW[None], HIGH[None])
ROWS = np.zeros((1, PROGRAM.size))
ROWS[0, PROGRAM.outputs] = 1.0, -1.0
POINTS = np.stack(np.meshgrid(*(np.linspace(LOW[0], HIGH[0], 71),) * 2), axis=-1).reshape(-1, 2)
VALUES = interval.evaluate(PROGRAM, POINTS)
BOX = ((LOW + HIGH) / 2, (HIGH - LOW) / 2)
HOW = Ascent(iterations=15, step=0.25, decay=0.95)


def arguments(relu: int) -> np.ndarray:
    node = PROGRAM.nodes[relu]
    assert isinstance(node, ReluNode)
    return VALUES[:, node.first : node.first + node.size]


def above(bound: float) -> np.ndarray:
    rows = ROWS.copy()
    rows[0, 1] = -bound
    return rows


def least_seen() -> float:
    return float((VALUES @ ROWS[0]).min())


@pytest.mark.parametrize("seed", range(6))
def test_bounds_hold_where_their_phases_do(seed: int) -> None:
    """Of the outputs, and of values of the last level that has phases itself; slopes are of few bits."""
    own_chain = chain_of(PROGRAM)
    assert own_chain is not None
    forms = own_chain.outputs(PROGRAM, ROWS)
    assert forms is not None
    rng = np.random.default_rng(seed)
    here, levels = np.ones(len(POINTS), dtype=bool), []
    middle = rng.integers(len(POINTS))
    for relu in own_chain.relus:
        read = arguments(relu)
        known = np.where(rng.random(8) < 0.3, np.where(read[middle] >= 0, -1.0, 1.0), 0.0)
        low = BOUNDS.low[PROGRAM.nodes[relu - 1].start :][:8, 0]
        high = BOUNDS.high[PROGRAM.nodes[relu - 1].start :][:8, 0]
        low, high = (
            np.where(known < 0, np.maximum(low, 0), low),
            np.where(known > 0, np.minimum(high, 0), high),
        )
        here &= np.where(known < 0, read >= 0, np.where(known > 0, read <= 0, True)).all(axis=1)
        levels.append(Level(low, high, known.astype(np.float32)))
    assert here[middle]
    found = carry(own_chain, BOX, tuple(levels), forms, HOW, names=np.zeros(1, dtype=np.int64))
    assert found.least[0] <= (VALUES @ ROWS[0])[here].min() + 1e-9
    assert all((own * 2**FINE_BITS == np.rint(own * 2**FINE_BITS)).all() for own in found.slopes)
    units = np.concatenate([np.eye(8), np.zeros((8, 1))], axis=1)
    own = carry(
        own_chain, BOX, tuple(levels[:-1]), units, HOW, names=np.arange(8), own=levels[-1], begun=found
    )
    assert (own.least <= arguments(own_chain.relus[-1])[here].min(axis=0) + 1e-9).all()


def test_a_row_without_pushes_is_bounded_as_by_an_ascent_of_no_steps() -> None:
    own_chain = chain_of(PROGRAM)
    assert own_chain is not None
    forms = own_chain.outputs(PROGRAM, ROWS)
    assert forms is not None
    starts = [PROGRAM.nodes[relu - 1].start for relu in own_chain.relus]
    levels = tuple(
        Level(BOUNDS.low[start : start + 8, 0], BOUNDS.high[start : start + 8, 0], np.zeros(8, np.float32))
        for start in starts
    )
    found = carry(own_chain, BOX, levels, forms, Ascent(iterations=9), names=np.zeros(1, dtype=np.int64))
    again = restated(own_chain, BOX, levels, forms, found.slopes, {})
    assert again[0] == pytest.approx(found.least[0], abs=1e-12)


def refined_cases(tree: RefinedCase) -> Iterator[RefinedCase]:
    """All cases, those that are split among them."""
    yield tree
    if isinstance(tree.then, Halves):
        yield from refined_cases(tree.then.off)
        yield from refined_cases(tree.then.on)


def test_a_tree_is_found_and_its_bounds_hold() -> None:
    bound = least_seen() - 0.05
    found = search(BOUNDS, above(bound), most=400, slack=1e-4)
    assert found is not None
    assert found.tree is not None
    cases = list(refined_cases(found.tree))
    assert sum(isinstance(case.then, Halves) for case in cases) + 1 == sum(
        isinstance(case.then, Ending) for case in cases
    )
    assert any(case.tightenings for case in cases)
    covered = np.zeros(len(POINTS), dtype=bool)
    pending: list[tuple[RefinedCase, np.ndarray]] = [(found.tree, np.ones(len(POINTS), dtype=bool))]
    while pending:
        case, here = pending.pop()
        if isinstance(case.then, Halves):
            read = arguments(case.then.relu)[:, case.then.place]
            pending += [(case.then.off, here & (read <= 0)), (case.then.on, here & (read >= 0))]
        else:
            covered |= here
    assert covered.all()


def test_what_is_not_so_is_not_shown() -> None:
    found = search(BOUNDS, above(least_seen() + 0.02), most=60, slack=1e-4)
    assert found is not None
    assert found.tree is None
    assert found.gap <= 0


def test_other_networks_and_rows_are_left_alone() -> None:
    other = pooled(3)
    bounds = slopes.bound(other.program, np.zeros((1, other.inputs)), np.ones((1, other.inputs)))
    rows = np.zeros((1, other.program.size))
    rows[0, other.program.outputs] = 1.0, -1.0
    assert chain_of(other.program) is None
    assert search(bounds, rows, most=9, slack=0.0) is None
    of_inputs = ROWS.copy()
    of_inputs[0, 2] = 1.0
    assert search(BOUNDS, of_inputs, most=9, slack=0.0) is None
