"""Scripts for a box that is cut into many parts, each bounded by backward rows of its own.

A part is concluded by rows, or by forms on a few parts of it again: bounds of its own make these tight. Parts
do not depend on each other, so they may be turned into scripts on several processes. A part that integers do
not prove is cut further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.program import FIRST_INPUT
from pytest_torchlean.bounds.splitting import Cut, Leaf, Tree, folded, with_leaves
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.carried import conclusion, needed
from pytest_torchlean.certificate.linear import behind, from_rows, relaxed_chain
from pytest_torchlean.certificate.model import ConcludeScript, ScriptData, SplitScript
from pytest_torchlean.certificate.statement import BoxData, ClaimData
from pytest_torchlean.certificate.states import cut

_TOGETHER = 4
"""Parts that one call turns into scripts."""
_ROUNDS = 64
"""How often parts that are not proved may be cut further."""

Finer = Callable[[Leaf], Tree | None]


@dataclass(frozen=True)
class Step:
    """One cut on the way to a part: a slot, its fixed-point value, and the side that is taken."""

    slot: int
    value: int
    below: bool


@dataclass(frozen=True, eq=False)
class Part:
    """A leaf and the way to it."""

    leaf: Leaf
    way: tuple[Step, ...]


def cut_script(
    account: Account,
    claim: ClaimData,
    box: BoxData,
    tree: Tree,
    finer: Finer,
    *,
    most: int,
    forms: int = 0,
    budget: Budget = UNLIMITED,
) -> ScriptData | None:
    """A script for one box of a claim that Lean will accept, or None where a part cannot be proved.

    finer: cuts a part that integers do not prove; the outcome has at most `most` parts. forms: conclude by
    forms on so many parts of a part, and not by rows; 0 for rows. Raises NotRelaxable, OutOfTime.
    """
    alone = replace(account, budget=UNLIMITED, _matrices={}, _walked=[])
    known: dict[tuple[Step, ...], ScriptData] = {}
    budget.observer.phase("certificates", most, "parts")
    for _ in range(_ROUNDS):
        parts = [part for part in parts_of(account, tree) if part.way not in known]
        if len(parts) + len(known) > most:
            return None
        failed = []
        for first in range(0, len(parts), 4 * _TOGETHER):
            budget.spend()
            some = parts[first : first + 4 * _TOGETHER]
            calls = [some[place : place + _TOGETHER] for place in range(0, len(some), _TOGETHER)]
            found = budget.each(scripts_of, [(alone, claim, box, own, forms) for own in calls])
            for part, script in zip(some, [one for call in found for one in call], strict=True):
                if script is None:
                    failed.append(part)
                else:
                    known[part.way] = script
            budget.observer.step(len(known))
        if not failed:
            return _joined(account, tree, known)
        others: dict[int, Tree] = {}
        for part in failed:
            more = finer(part.leaf)
            if not isinstance(more, Cut):
                return None
            others[id(part.leaf)] = more
        tree = with_leaves(tree, others)
    return None


def scripts_of(
    account: Account, claim: ClaimData, box: BoxData, parts: Sequence[Part], forms: int = 0
) -> list[ScriptData | None]:
    """The scripts of some parts, without the cuts above them; None for what Lean would refuse."""
    found: list[ScriptData | None] = []
    for part in parts:
        state = account.start((box,))
        for step in part.way:
            state = cut(state, step.slot, step.value, below=step.below)
        if forms:
            pieces, state = from_rows(account, state)
            how = conclusion(account, claim, state, most_parts=forms, symbols=True)
            found.append(None if how is None else behind(needed(pieces), ConcludeScript(how)))
        else:
            script, fine, _ = relaxed_chain(account, claim, state, part.leaf)
            found.append(script if fine else None)
    return found


def parts_of(account: Account, tree: Tree) -> Iterator[Part]:
    """All leaves, the lower case of each cut first."""
    pending: list[tuple[Tree, tuple[Step, ...]]] = [(tree, ())]
    while pending:
        node, way = pending.pop()
        if isinstance(node, Leaf):
            yield Part(node, way)
        else:
            below, above = (Step(*_place(account, node), below=side) for side in (True, False))
            pending += [(node.above, (*way, above)), (node.below, (*way, below))]


def _place(account: Account, node: Cut) -> tuple[int, int]:
    scale = account.emission.certificate.scale
    return FIRST_INPUT + node.element, scale.nearest(node.value)


def _joined(account: Account, tree: Tree, known: dict[tuple[Step, ...], ScriptData]) -> ScriptData:
    scripts = iter([known[part.way] for part in parts_of(account, tree)])

    def joined(node: Cut, below: ScriptData, above: ScriptData) -> ScriptData:
        return SplitScript(*_place(account, node), below, above)

    return folded(tree, lambda _: next(scripts), joined)
