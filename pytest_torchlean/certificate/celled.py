"""Scripts that cut a box into cells, each bounded by the same intervals: one chain that all cells share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.program import FIRST_INPUT
from pytest_torchlean.bounds.splitting import Cut, Leaf, Tree, folded, with_leaves
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.concluding import Unforeseen
from pytest_torchlean.certificate.model import ScriptData, SplitScript
from pytest_torchlean.certificate.statement import BoxData, ClaimData
from pytest_torchlean.certificate.states import State

_ROUNDS = 4
"""How often cells that integers do not prove are halved."""
_TOGETHER = 2048


def celled_script(
    account: Account,
    claim: ClaimData,
    box: BoxData,
    tree: Tree,
    chain: ScriptData,
    *,
    most: int,
    budget: Budget = UNLIMITED,
) -> ScriptData | None:
    """A script for one box of a claim that Lean will accept, or None.

    tree: cells that look proved in binary64. chain: what bounds the nodes and concludes, in every cell. most:
    cells that there may be. Raises OutOfTime.
    """
    start = account.start((box,))
    proved: dict[int, bool] = {}
    for _ in range(_ROUNDS):
        cells = [cell for cell in _cells(account, start, tree) if id(cell.leaf) not in proved]
        if len(cells) + len(proved) > most:
            return None
        failed = []
        for first in range(0, len(cells), _TOGETHER):
            budget.spend()
            some = cells[first : first + _TOGETHER]
            for cell, fine in zip(some, _accepted(account, claim, start, some, chain), strict=True):
                if fine:
                    proved[id(cell.leaf)] = True
                else:
                    failed.append(cell)
        if not failed:
            return _script(account, tree, chain)
        tree = with_leaves(tree, {id(cell.leaf): _halved(cell.leaf) for cell in failed})
    return None


class _Cell:
    """A leaf with its bounds in fixed point, one number for each input."""

    __slots__ = ("leaf", "lower", "upper")

    def __init__(self, leaf: Leaf, lower: tuple[int, ...], upper: tuple[int, ...]) -> None:
        self.leaf, self.lower, self.upper = leaf, lower, upper


def _cells(account: Account, start: State, tree: Tree) -> list[_Cell]:
    """All cells, the lower one of each cut first."""
    scale, inputs = account.emission.certificate.scale, account.emission.graph.inputs
    here = slice(FIRST_INPUT, FIRST_INPUT + inputs)
    root = tuple(start.lower[here, 0].tolist()), tuple(start.upper[here, 0].tolist())
    pending: list[tuple[Tree, tuple[int, ...], tuple[int, ...]]] = [(tree, *root)]
    found = []
    while pending:
        node, lower, upper = pending.pop()
        if isinstance(node, Leaf):
            found.append(_Cell(node, lower, upper))
            continue
        value, place = scale.nearest(node.value), node.element
        pending.append((node.above, (*lower[:place], value, *lower[place + 1 :]), upper))
        pending.append((node.below, lower, (*upper[:place], value, *upper[place + 1 :])))
    return found


def _accepted(
    account: Account, claim: ClaimData, start: State, cells: list[_Cell], chain: ScriptData
) -> NDArray[np.bool_]:
    """Which cells Lean will accept."""
    lower, upper = (_repeated(side, len(cells)) for side in (start.lower, start.upper))
    here = slice(FIRST_INPUT, FIRST_INPUT + account.emission.graph.inputs)
    lower[here] = np.array([cell.lower for cell in cells], dtype=object).T
    upper[here] = np.array([cell.upper for cell in cells], dtype=object).T
    inside = (start.lower[here] <= lower[here]) & (upper[here] <= start.upper[here])
    ordered = inside & (lower[here] <= upper[here])
    bounded = np.repeat(start.bounded, len(cells)) & ordered.all(axis=0).astype(bool)
    state = replace(start, lower=lower, upper=upper, bounded=bounded)
    try:
        return account.run(chain, claim.property, state).accepted
    except Unforeseen:
        return np.zeros(len(cells), dtype=bool)


def _repeated(side: Integers, count: int) -> Integers:
    return np.repeat(side, count, axis=1)


def _halved(leaf: Leaf) -> Tree:
    """A leaf cut in the middle of its widest input."""
    element = int(np.argmax(leaf.upper - leaf.lower))
    middle = float((leaf.lower[element] + leaf.upper[element]) / 2)
    below, above = leaf.upper.copy(), leaf.lower.copy()
    below[element] = above[element] = middle
    return Cut(element, middle, Leaf(leaf.lower, below), Leaf(above, leaf.upper))


def _script(account: Account, tree: Tree, chain: ScriptData) -> ScriptData:
    scale = account.emission.certificate.scale

    def joined(node: Cut, below: ScriptData, above: ScriptData) -> ScriptData:
        return SplitScript(FIRST_INPUT + node.element, scale.nearest(node.value), below, above)

    return folded(tree, lambda _: chain, joined)
