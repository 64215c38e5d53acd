"""Boxes of few inputs that only many parts prove: forms through each part, with noise symbols or without, or
rows of its own, or rows and then forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import islice

from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.interval import Float64
from pytest_torchlean.bounds.merging import first_of, last_of, merged
from pytest_torchlean.bounds.phased_parts import phased_parts
from pytest_torchlean.bounds.program import AffineNode, Program
from pytest_torchlean.bounds.splitting import Cut, Inequalities, Leaf, Tree, halved, leaves, split
from pytest_torchlean.bounds.work import costs_of
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.boxes import float_bounds
from pytest_torchlean.certificate.carried import carried_script
from pytest_torchlean.certificate.cutting import cut_script
from pytest_torchlean.certificate.model import ScriptData
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.statement import BoxData, ClaimData

_SLACK = 1e-3
"""By how much a row must be positive on a part in binary64; rows are scaled to a largest coefficient of 1."""
_FINER_SLACKS = (5e-3, 3e-2)
"""For a part that integers did not prove with the slack above."""
_PHASE_SLACK = 5e-4
"""For the halves of a part with phases that integers did not prove."""
_MOST_FINER = 128
_PART = (1e-3, 1.5e-7)
"""What the compiled checker takes for forms on a part: seconds, and for each weight and input."""
_ROWS = 60
"""A part with rows of its own takes it as long as so many parts with forms."""
_MERGED = 3
"""How many parts of a search better slopes are expected to make one."""
_SYMBOLS = 4
"""A part with noise symbols, compared with one without."""
_MOST_FORMS, _MOST_ROWS = 20_000, 2_000
"""Parts of one box; fewer where the spec grants less time."""
_AT_ONCE, _AFTER_ROWS = 96, 128
"""Parts with noise symbols that are tried on the whole box first, and on a part with bounds of its own."""
_GUIDE, _SHARE_OF_GUIDE = 40_000, 0.3
"""Parts that rows may take where they only say how to cut; fewer where a share of the time ends sooner."""
_TRIED = 1024
"""Of how many of them a part is made to begin with."""


class Searched(Enum):
    """What an earlier search for cases of a box found, where that is no tree."""

    NO_CASES = "no cases"


KnownCases = Tree | Searched | None
"""Cases of a box, that there are none, or None where nobody has searched."""


@dataclass(frozen=True)
class Limits:
    """How many parts Lean is expected to check in the time that the spec grants."""

    forms: int
    symbols: int
    rows: int


def limits_of(program: Program, budget: Budget) -> Limits:
    """The limits depend on the spec and on no clock."""
    weights = sum(node.weights.size for node in program.nodes if isinstance(node, AffineNode))
    seconds = _PART[0] + _PART[1] * weights * (program.inputs + 1)
    forms = min(budget.seconds, _MOST_FORMS * seconds) / seconds
    return Limits(int(forms), int(forms / _SYMBOLS), int(min(_MOST_ROWS, forms / _ROWS)))


def script_of(
    program: Program,
    account: Account,
    claim: ClaimData,
    goal: Goal,
    index: int,
    rows: Float64,
    budget: Budget,
    *,
    with_phases: bool = True,
) -> ScriptData | None:
    """A script for one box of a claim that Lean will accept, or None; rows: the goal's forms of the slots.

    Forms with noise symbols come first where few parts do, then those on parts with bounds of their own, and
    then many. Of the two other ways the one that Lean is expected to check sooner is taken; parts with cases
    of ReLU phases come last, if `with_phases`. Raises NotRelaxable, OutOfTime.
    """
    limits, box = limits_of(program, budget), claim.boxes[index]
    inequalities = Inequalities(rows, goal.forms.alternatives)
    lower, upper = float_bounds(goal.boxes[index])
    few = min(_AT_ONCE, limits.symbols)
    own = carried_script(account, claim, box, most_parts=few, symbols=True, budget=budget)
    if own is not None:
        return own
    most_guide = int(min(_GUIDE, _SHARE_OF_GUIDE * budget.seconds / costs_of(program).quick))
    guide = split(program, inequalities, lower, upper, most_boxes=most_guide, budget=budget)
    if guide.broken is not None:
        return None
    if guide.tree is not None:
        own = _with_forms(program, account, claim, box, inequalities, guide.tree, limits, budget)
    if own is None:
        own = carried_script(account, claim, box, most_parts=limits.symbols, symbols=True, budget=budget)
    if own is not None:
        return own
    tree, most = None, 2 * _MERGED * limits.rows
    # with slack no fewer parts do than without
    if guide.tree is not None or most_guide < most:
        searched = split(program, inequalities, lower, upper, most_boxes=most, slack=_SLACK, budget=budget)
        if searched.broken is not None:
            return None
        tree = searched.tree
    if tree is not None:
        tree = merged(program, inequalities, tree, slack=_SLACK, budget=budget)
    parts = limits.forms if tree is None else len(list(leaves(tree)))
    own = carried_script(account, claim, box, most_parts=min(limits.forms, _ROWS * parts), budget=budget)
    if own is not None:
        return own
    if tree is None or parts > limits.rows:
        if not with_phases:
            return None
        return _with_phases(
            program, account, claim, box, inequalities, Leaf(lower, upper), limits.rows, budget
        )

    def finer(part: Leaf) -> Tree | None:
        for slack in _FINER_SLACKS:
            found = split(program, inequalities, part.lower, part.upper, most_boxes=_MOST_FINER, slack=slack)
            if found.tree is not None and not isinstance(found.tree, Leaf):
                return found.tree
        return None

    return cut_script(account, claim, box, tree, finer, most=parts + _MOST_FINER, budget=budget)


def _with_phases(
    program: Program,
    account: Account,
    claim: ClaimData,
    box: BoxData,
    inequalities: Inequalities,
    whole: Leaf,
    most: int,
    budget: Budget,
) -> ScriptData | None:
    """A script by at most about `most` parts of the box, with cases of ReLU phases where rows do not suffice.

    whole: the box. None where none is found. Raises NotRelaxable, OutOfTime.
    """
    tree = phased_parts(program, inequalities, whole.lower, whole.upper, most=most, budget=budget)
    if tree is None:
        return None

    def finer(part: Leaf) -> Tree | None:
        cut = halved(program, inequalities, part.lower, part.upper)
        if cut is None:
            return None
        below, above = (
            phased_parts(program, inequalities, *side, most=_MOST_FINER, slack=_PHASE_SLACK)
            for side in (
                (first_of(cut.below).lower, last_of(cut.below).upper),
                (first_of(cut.above).lower, last_of(cut.above).upper),
            )
        )
        return None if below is None or above is None else Cut(cut.element, cut.value, below, above)

    return cut_script(account, claim, box, tree, finer, most=most + _MOST_FINER, budget=budget)


def _with_forms(
    program: Program,
    account: Account,
    claim: ClaimData,
    box: BoxData,
    inequalities: Inequalities,
    guide: Tree,
    limits: Limits,
    budget: Budget,
) -> ScriptData | None:
    """A script by forms on parts with bounds of their own: parts are cut as the guide cuts, and beyond it
    where rows say, until a few parts of each suffice.
    """
    below: dict[int, Tree] = {}

    def part_of(tree: Tree) -> Leaf:
        part = Leaf(first_of(tree).lower, last_of(tree).upper)
        below[id(part)] = tree
        kept.append(part)
        return part

    def begun(tree: Tree) -> Tree:
        if isinstance(tree, Leaf) or sum(1 for _ in islice(leaves(tree), _TRIED + 1)) <= _TRIED:
            return part_of(tree)
        return Cut(tree.element, tree.value, begun(tree.below), begun(tree.above))

    def finer(part: Leaf) -> Tree | None:
        tree = below[id(part)]
        if isinstance(tree, Leaf):
            halves = halved(program, inequalities, tree.lower, tree.upper)
            if halves is None:
                return None
            tree = halves
        return Cut(tree.element, tree.value, part_of(tree.below), part_of(tree.above))

    kept: list[Leaf] = []
    tree = begun(guide)
    return cut_script(account, claim, box, tree, finer, most=limits.rows, forms=_AFTER_ROWS, budget=budget)
