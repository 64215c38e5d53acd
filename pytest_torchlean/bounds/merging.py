"""Fewer parts: two that were cut from one are one again where better slopes prove it whole.

A search bounds very many parts quickly, with the slopes of `crown`. What is left is few enough to climb for.
"""

from __future__ import annotations

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.interval import Float64
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.splitting import Cut, Inequalities, Leaf, Tree
from pytest_torchlean.bounds.stated import stated

_TOGETHER = 8
"""Pairs that one call climbs for."""


def merged(
    program: Program, inequalities: Inequalities, tree: Tree, *, slack: float, budget: Budget = UNLIMITED
) -> Tree:
    """The tree with as few leaves as slopes that a certificate can state allow. Raises OutOfTime."""
    tried: set[int] = set()
    kept: list[Cut] = []
    while True:
        pairs = [cut for cut in _pairs(tree) if id(cut) not in tried]
        if not pairs:
            return tree
        tried.update(map(id, pairs))
        kept += pairs
        boxes = [(first_of(cut).lower, last_of(cut).upper) for cut in pairs]
        calls = [boxes[first : first + _TOGETHER] for first in range(0, len(boxes), _TOGETHER)]
        budget.spend()
        found = budget.each(leaves_of, [(program, inequalities, own, slack) for own in calls])
        whole = [leaf for call in found for leaf in call]
        tree = _with(
            tree, {id(cut): leaf for cut, leaf in zip(pairs, whole, strict=True) if leaf is not None}
        )


def leaves_of(
    program: Program, inequalities: Inequalities, boxes: list[tuple[Float64, Float64]], slack: float
) -> list[Leaf | None]:
    """For every box slopes that prove it, or None."""
    found: list[Leaf | None] = []
    for lower, upper in boxes:
        best = stated(program, lower, upper, inequalities.rows, inequalities.alternatives)
        fine = inequalities.least(best.least[None])[0] > slack
        found.append(Leaf(lower, upper, best.slopes) if fine else None)
    return found


def _pairs(tree: Tree) -> list[Cut]:
    """Cuts between two leaves."""
    found, pending = [], [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Cut):
            if isinstance(node.below, Leaf) and isinstance(node.above, Leaf):
                found.append(node)
            pending += [node.above, node.below]
    return found


def first_of(tree: Tree) -> Leaf:
    """The leaf that holds the lowest corner."""
    while isinstance(tree, Cut):
        tree = tree.below
    return tree


def last_of(tree: Tree) -> Leaf:
    """The leaf that holds the highest corner."""
    while isinstance(tree, Cut):
        tree = tree.above
    return tree


def _with(tree: Tree, leaves: dict[int, Leaf]) -> Tree:
    """The tree with leaves in place of some cuts, by identity; the rest is shared."""
    if isinstance(tree, Leaf) or not leaves:
        return tree
    if id(tree) in leaves:
        return leaves[id(tree)]
    below, above = _with(tree.below, leaves), _with(tree.above, leaves)
    return (
        tree if below is tree.below and above is tree.above else Cut(tree.element, tree.value, below, above)
    )
