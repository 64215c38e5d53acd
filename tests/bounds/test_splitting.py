"""Cutting boxes: the leaves tile the box, each is proved, and a false claim is never proved."""

from __future__ import annotations

import numpy as np
import pytest
from test_crown import network

from pytest_torchlean.bounds import interval, phased_parts
from pytest_torchlean.bounds.merging import merged
from pytest_torchlean.bounds.splitting import Cut, Inequalities, Leaf, Tree, leaves, split
from pytest_torchlean.bounds.stated import stated

PROGRAM = network((2, 10, 10, 2))
LOWER, UPPER = np.array([-1.0, -1.0]), np.array([1.0, 1.0])


def above(bound: float) -> Inequalities:
    """outputs[0] - outputs[1] > bound."""
    rows = np.zeros((1, PROGRAM.size))
    rows[0, PROGRAM.outputs] = 1.0, -1.0
    rows[0, 1] = -bound
    return Inequalities(rows)


def least_seen() -> float:
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 60)] * 2), axis=-1).reshape(-1, 2)
    outputs = interval.evaluate(PROGRAM, grid)[:, PROGRAM.outputs]
    return float((outputs[:, 0] - outputs[:, 1]).min())


def tiles(tree: Tree, lower: np.ndarray, upper: np.ndarray) -> bool:
    """Whether every leaf is the box that the cuts above it leave."""
    if isinstance(tree, Leaf):
        return bool((tree.lower == lower).all() and (tree.upper == upper).all())
    assert isinstance(tree, Cut)
    middle_high, middle_low = upper.copy(), lower.copy()
    middle_high[tree.element] = middle_low[tree.element] = tree.value
    return tiles(tree.below, lower, middle_high) and tiles(tree.above, middle_low, upper)


def test_leaves_tile_the_box() -> None:
    found = split(PROGRAM, above(least_seen() - 0.2), LOWER, UPPER, most_boxes=5000)
    assert found.tree is not None
    assert isinstance(found.tree, Cut)
    assert tiles(found.tree, LOWER, UPPER)
    assert len(list(leaves(found.tree))) == (found.bounded + 1) // 2


def test_a_false_inequality_is_never_proved() -> None:
    found = split(PROGRAM, above(least_seen() + 0.05), LOWER, UPPER, most_boxes=400)
    assert found.tree is None
    assert found.gap <= 0


@pytest.mark.parametrize("order", [1, -1])
def test_one_of_two_alternatives_is_enough(order: int) -> None:
    true, false = above(least_seen() - 1).rows, above(1e6).rows
    both = Inequalities(np.concatenate([true, false][::order]), alternatives=2)
    assert split(PROGRAM, both, LOWER, UPPER, most_boxes=2000).tree is not None
    assert split(PROGRAM, Inequalities(both.rows), LOWER, UPPER, most_boxes=50).tree is None


def test_merged_leaves_tile_the_box_and_are_fewer() -> None:
    claim = above(least_seen() - 0.05)
    tree = split(PROGRAM, claim, LOWER, UPPER, most_boxes=5000, slack=1e-6).tree
    assert tree is not None
    fewer = merged(PROGRAM, claim, tree, slack=1e-6)
    assert tiles(fewer, LOWER, UPPER)
    assert 1 <= len(list(leaves(fewer))) < len(list(leaves(tree)))
    for leaf in leaves(fewer):
        if leaf.slopes is not None:
            found = stated(PROGRAM, leaf.lower, leaf.upper, claim.rows, 1)
            assert found.least.min() > 1e-6


def test_nothing_is_merged_that_slopes_do_not_prove() -> None:
    claim = above(least_seen() - 0.05)
    tree = split(PROGRAM, claim, LOWER, UPPER, most_boxes=5000, slack=1e-6).tree
    assert tree is not None
    assert merged(PROGRAM, above(1e6), tree, slack=1e-6) is tree


def test_parts_by_phases_tile_the_box() -> None:
    found = phased_parts.phased_parts(PROGRAM, above(least_seen() - 0.02), LOWER, UPPER, most=200)
    assert found is not None
    assert tiles(found, LOWER, UPPER)
    assert any(leaf.phases is not None for leaf in leaves(found))


def test_phases_save_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    inequalities = above(least_seen() - 0.02)
    few = phased_parts.phased_parts(PROGRAM, inequalities, LOWER, UPPER, most=1000)
    monkeypatch.setattr(phased_parts, "_NEARER", 0.0)
    many = phased_parts.phased_parts(PROGRAM, inequalities, LOWER, UPPER, most=1000)
    assert few is not None
    assert many is not None
    assert len(list(leaves(few))) < len(list(leaves(many)))


def test_parts_by_phases_are_no_more_than_allowed_and_prove_nothing_false() -> None:
    assert phased_parts.phased_parts(PROGRAM, above(least_seen() - 0.02), LOWER, UPPER, most=2) is None
    assert phased_parts.phased_parts(PROGRAM, above(least_seen() + 0.05), LOWER, UPPER, most=100) is None
