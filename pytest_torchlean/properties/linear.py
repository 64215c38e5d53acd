"""Second try for boxes that intervals leave open: backward rows, and cuts of the box where inputs are few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pytest_torchlean.bounds import cells, crown, retightening
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.chains import chain_of
from pytest_torchlean.bounds.interval import Float64, evaluate
from pytest_torchlean.bounds.phase_tree import leaves as phase_leaves
from pytest_torchlean.bounds.phase_tree import search as phases_of
from pytest_torchlean.bounds.program import FIRST_INPUT, ONE_SLOT, Program
from pytest_torchlean.bounds.splitting import Inequalities, Leaf, Tree, halved, leaves, split
from pytest_torchlean.bounds.stated import stated
from pytest_torchlean.bounds.weights import weighted_clauses
from pytest_torchlean.bounds.work import Work, costs_of
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.boxes import RationalBox, float_bounds
from pytest_torchlean.certificate.celled import celled_script
from pytest_torchlean.certificate.cutting import cut_script
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import ScriptData
from pytest_torchlean.certificate.phased import unsought
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.rows import NotRelaxable
from pytest_torchlean.certificate.statement import ClaimData
from pytest_torchlean.certificate.states import Forecast
from pytest_torchlean.progress import counted
from pytest_torchlean.properties.curved_phases import is_curved, seeking
from pytest_torchlean.properties.many_parts import KnownCases, Searched, script_of
from pytest_torchlean.properties.refining import refining, resuming

MOST_RELAXED = 48
"""Boxes of one property that get scripts of their own."""
MOST_CASES = 8
"""Cases of one box that go into one theorem."""
MOST_PHASES = 8000
"""Cases by ReLU phases that are bounded for one box."""
MOST_PARTS = 4000
"""Parts of one box that a search is expected to look at."""
_FEW_INPUTS = 16
SHARE_OF_WORK = 0.2
"""Of what a property is granted, for each of the searches for backward rows."""
_MOST_SLOTS = 4000
_MOST_PHASED_SLOTS = 24_000
"""The same where a box is split by ReLU phases; nodes with several positions are never made dense."""
_SLACK = 1e-6
_STATED_SLACK = 5e-4
"""With slopes of many values more is lost where coefficients are shortened."""
_SECONDS_PER_WEIGHT = 8e-6
"""What a case by phases takes the compiled checker for each weight of a model without convolutions."""
_SECONDS_AT_POSITIONS = 2e-6
"""The same with convolutions, at every position that uses the weight: 1e-6 of a processor to itself."""
_SEARCH_PER_WEIGHT = 1.6e-8
"""What the search takes for a row of a case, for each weight at every position that uses it."""
_FEWEST_PHASES = 8
"""Cases by phases that Lean must have time for, for a search to begin."""
_PHASE_SLACK = 1e-3
_POSITIONS_SLACK = 4e-3
"""The same behind convolutions, whose results are charged as the largest rounding error of any of them."""
_REFINED_SLACK = 2e-3
"""The same where bounds are stated again on the way, each rounded."""
_CASES_REFINED = 5.0
"""So many cases that bound earlier values again cost Lean about as much as one that does not."""
_TOGETHER = (None, 1)
"""Arguments of a ReLU that share their slopes in a certificate; None is all."""
_FEW_GROUPS = 16
"""The same before phases: each group costs Lean as much as a case. Larger models have few groups."""
_MOST_ALONE = 120
"""Arguments that may have slopes of their own: each goes back through Lean's checker alone."""


def cases_of(
    program: Program,
    forms: Forms,
    box: RationalBox,
    *,
    search: bool = True,
    most: int = MOST_CASES,
    phases: bool = False,
    granted: float | None = None,
    budget: Budget = UNLIMITED,
) -> Tree | None:
    """The cases in which backward rows or their sums look sufficient in binary64, None where they do not.

    search: whether better slopes and cuts are sought where the slopes of `crown` do not suffice. most: cases
    that there may be. phases: whether the box of a model with many inputs, and with more than MOST_CASES of
    any, is split by ReLU phases, into no more cases than Lean is expected to check in the `granted` seconds,
    or in the time that the spec grants; without `granted`, a dense chain also into cases that bound earlier
    values again, at once where conditions on a narrow level lead there. Raises OutOfTime.
    """
    if program.size > (_MOST_PHASED_SLOTS if phases else _MOST_SLOTS):
        return None
    rows = slot_rows(program, forms)
    inequalities = Inequalities(rows, forms.alternatives)
    lower, upper = float_bounds(box)
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return None
    if search and is_curved(program):
        # their lines are chosen with the certificate: binary64 bounds know only their intervals
        return None if _broken(program, inequalities, lower, upper) else Leaf(lower, upper)
    bounds = crown.bound(program, lower[None], upper[None])
    least = crown.minimum(bounds, rows)
    by_bounds = np.maximum(rows, 0) @ bounds.low[:, 0] + np.minimum(rows, 0) @ bounds.high[:, 0]
    if inequalities.least(np.maximum(least, by_bounds))[0] > -_SLACK:
        return Leaf(lower, upper)
    if forms.alternatives > 1:
        _, gap = weighted_clauses(rows, forms.alternatives, bounds.low[:, 0], bounds.high[:, 0])
        if gap > -_SLACK:
            return Leaf(lower, upper)
    if not search or _broken(program, inequalities, lower, upper):
        return None
    for together in _TOGETHER:
        found = stated(program, lower, upper, rows, forms.alternatives, together=together, budget=budget)
        if inequalities.least(found.least[None])[0] > _STATED_SLACK:
            return Leaf(lower, upper, found.slopes)
        if found.slopes.optimised > _MOST_ALONE:
            break
    if int((lower < upper).sum()) <= _FEW_INPUTS:
        cut = split(program, inequalities, lower, upper, most_boxes=2 * most, slack=_SLACK)
        if cut.tree is not None and len(list(leaves(cut.tree))) <= most:
            return cut.tree
    if not (phases and (program.inputs > _FEW_INPUTS or most > MOST_CASES)):
        return None
    seconds = budget.seconds if granted is None else granted
    affordable = seconds / seconds_per_case(program)
    bounded, most_refined = (int(min(MOST_PHASES, own * affordable)) for own in (2, _CASES_REFINED))
    may_refine = granted is None and forms.alternatives == 1 and chain_of(program) is not None
    if may_refine:
        known = stated(program, lower, upper, rows, 1, budget=budget)
        narrow = retightening.by_conditions(
            known.bounds, rows, most=most_refined, slack=_REFINED_SLACK, budget=budget
        )
        if narrow is not None and narrow.tree is not None:
            return Leaf(lower, upper, known.slopes, refined=narrow.tree)
    if program.size <= _MOST_SLOTS:
        found = stated(program, lower, upper, rows, forms.alternatives, together=_FEW_GROUPS, budget=budget)
    by_phases = phases_of(
        found.bounds, rows, forms.alternatives, most=bounded, slack=_slack(program), budget=budget
    )
    if by_phases.tree is not None:
        return Leaf(lower, upper, found.slopes, by_phases.tree, found.bounds)
    if not may_refine:
        return None
    refined = retightening.search(known.bounds, rows, most=most_refined, slack=_REFINED_SLACK, budget=budget)
    if refined is None or refined.tree is None:
        return None
    return Leaf(lower, upper, known.slopes, refined=refined.tree)


def _slack(program: Program) -> float:
    """By how much a row of a case must be positive in binary64."""
    return _POSITIONS_SLACK if program.at_positions else _PHASE_SLACK


def first_cases(
    program: Program,
    goals: Mapping[int, tuple[Forms, RationalBox]],
    budget: Budget,
    most: int = MOST_RELAXED,
) -> dict[int, Tree]:
    """`cases_of` the goals that have any: at most `most`, and what a share of the work allows.

    Those that need no search come first. Raises OutOfTime.
    """
    found: dict[int, Tree] = {}
    work, costs = Work(SHARE_OF_WORK * budget.seconds), costs_of(program)
    for search in (False, True):
        name = "linear bounds" if search else "quick linear bounds"
        for key, (forms, box) in counted(goals.items(), budget.observer, name, len(goals), "boxes"):
            if key in found:
                continue
            if len(found) >= most or not work.take(costs.search if search else costs.quick):
                break
            budget.spend()
            tree = cases_of(program, forms, box, search=search)
            if tree is not None:
                found[key] = tree
    return dict(sorted(found.items()))


def seconds_per_case(program: Program) -> float:
    """What the compiled checker is expected to take for a case by ReLU phases."""
    each = _SECONDS_AT_POSITIONS if program.at_positions else _SECONDS_PER_WEIGHT
    return each * max(1, program.used_weights)


def cases_by_phases(
    program: Program, goals: Mapping[int, tuple[Forms, RationalBox]], budget: Budget, most: int
) -> dict[int, Tree]:
    """Cases by ReLU phases of goals that nothing else proves: at most `most` of them, and what a share of the
    work allows, here and in Lean. Raises OutOfTime.
    """
    found: dict[int, Tree] = {}
    if program.inputs <= _FEW_INPUTS:
        return found
    each = seconds_per_case(program)
    granted, work = SHARE_OF_WORK * budget.seconds, Work(SHARE_OF_WORK * budget.seconds)
    for key, (forms, box) in counted(goals.items(), budget.observer, "ReLU phases", len(goals), "boxes"):
        cases = min(MOST_PHASES, 2 * granted / each)
        searching = cases * len(forms.coefficients) * program.used_weights * _SEARCH_PER_WEIGHT
        if len(found) >= most or cases < _FEWEST_PHASES or not work.take(searching):
            break
        budget.spend()
        tree = cases_of(program, forms, box, phases=True, granted=granted, budget=budget)
        if tree is not None:
            found[key] = tree
        if isinstance(tree, Leaf) and tree.phases is not None:
            granted -= each * sum(1 for _ in phase_leaves(tree.phases))
    return found


def _broken(program: Program, inequalities: Inequalities, lower: Float64, upper: Float64) -> bool:
    """Whether the middle of the box already breaks a clause, so that no cut can help."""
    values = evaluate(program, (lower + upper)[None] / 2)
    return bool(inequalities.least(values @ inequalities.rows.T)[0] <= 0)


def may_be_cut(program: Program, forms: Forms, box: RationalBox) -> bool:
    """Whether many parts of the box may prove what few do not: few inputs, and the middle breaks nothing."""
    lower, upper = float_bounds(box)
    small = program.inputs <= _FEW_INPUTS and program.size <= _MOST_SLOTS
    if not small or not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return False
    return not _broken(program, Inequalities(slot_rows(program, forms), forms.alternatives), lower, upper)


def improved(
    program: Program,
    account: Account,
    claim: ClaimData,
    goal: Goal,
    seen: Forecast,
    script: ScriptData,
    budget: Budget,
    trees: Sequence[KnownCases],
    work: Work,
    *,
    with_phases: bool = False,
) -> tuple[Forecast, tuple[ScriptData, ...]]:
    """The forecast with rows instead of intervals where these fail, and a script for every box.

    trees: the cases of each box, as far as they are known already. with_phases: see `script_of`. Stops trying
    when the work or MOST_RELAXED boxes are used up. Raises OutOfTime.
    """
    scripts = [script] * len(claim.boxes)
    accepted = seen.accepted.copy()
    open_boxes = np.flatnonzero(~accepted).tolist()[:MOST_RELAXED]
    costs = costs_of(program)
    for index in counted(open_boxes, budget.observer, "certificates", len(open_boxes), "boxes"):
        known = trees[index] is not None
        if not work.take(costs.certificate + (0.0 if known else costs.search)):
            break
        budget.spend()
        if cells.celled(program) and trees[index] is None:
            own = by_cells(program, account, claim, goal, index, script, budget)
            if own is not None:
                scripts[index], accepted[index] = own, True
                continue
        found_before = trees[index]
        cases, own = None if isinstance(found_before, Searched) else found_before, None
        if found_before is None:
            cases = cases_of(program, goal.forms, goal.boxes[index])
        try:
            if cases is not None:
                rows, alternatives = slot_rows(program, goal.forms), goal.forms.alternatives
                seek = seeking(program, account, rows, alternatives, budget)
                found, fine, _ = relaxed_script(
                    account,
                    claim,
                    claim.boxes[index],
                    cases,
                    refining(rows, alternatives, cases, budget),
                    resuming(program, rows, cases, budget),
                    seek if with_phases else unsought,
                )
                own = found if fine else None
            if own is None and with_phases and isinstance(cases, Leaf) and cases.phases is None:
                own = _at_positions(program, account, claim, goal, index, cases, budget)
            may_be = own is None and may_be_cut(program, goal.forms, goal.boxes[index])
            if may_be and work.take(MOST_PARTS * costs.part):
                rows = slot_rows(program, goal.forms)
                own = script_of(program, account, claim, goal, index, rows, budget, with_phases=with_phases)
            elif own is None and isinstance(cases, Leaf) and cases.phases is None:
                own = _by_halves(program, account, claim, goal, index, cases, work, budget)
        except NotRelaxable:
            continue
        if own is not None:
            scripts[index], accepted[index] = own, True
    return replace(seen, accepted=accepted), tuple(scripts)


def _at_positions(
    program: Program,
    account: Account,
    claim: ClaimData,
    goal: Goal,
    index: int,
    whole: Leaf,
    budget: Budget,
) -> ScriptData | None:
    """A script without cases that bounds what convolutions write by rows, too; None where there are none, or
    where it does not suffice. Raises NotRelaxable, OutOfTime.
    """
    if not program.at_positions or program.size > _MOST_PHASED_SLOTS:
        return None
    rows, alternatives = slot_rows(program, goal.forms), goal.forms.alternatives
    known = stated(program, whole.lower, whole.upper, rows, alternatives, budget=budget)
    found = phases_of(known.bounds, rows, alternatives, most=1, slack=_slack(program), budget=budget)
    if found.tree is None:
        return None
    leaf = Leaf(whole.lower, whole.upper, known.slopes, found.tree, known.bounds)
    script, fine, _ = relaxed_script(
        account, claim, claim.boxes[index], leaf, refining(rows, alternatives, leaf, budget)
    )
    return script if fine else None


def _by_halves(
    program: Program,
    account: Account,
    claim: ClaimData,
    goal: Goal,
    index: int,
    whole: Leaf,
    work: Work,
    budget: Budget,
) -> ScriptData | None:
    """A script that halves the box of a large model along its few inputs that are no single values, where
    rows suffice in binary64 and integers did not confirm it; None after MOST_CASES parts. Nodes with several
    positions are bounded by intervals there, which small parts make tight. Raises NotRelaxable, OutOfTime.
    """
    moving = int((whole.lower < whole.upper).sum())
    if moving > _FEW_INPUTS or not work.take(MOST_CASES * costs_of(program).certificate):
        return None
    inequalities = Inequalities(slot_rows(program, goal.forms), goal.forms.alternatives)

    def finer(part: Leaf) -> Tree | None:
        return halved(program, inequalities, part.lower, part.upper)

    box = claim.boxes[index]
    return cut_script(account, claim, box, whole, finer, most=MOST_CASES, budget=budget)


def by_cells(
    program: Program,
    account: Account,
    claim: ClaimData,
    goal: Goal,
    index: int,
    chain: ScriptData,
    budget: Budget,
) -> ScriptData | None:
    """A script that cuts a box into cells, as many as Lean is expected to check in the time that the spec
    grants; None where they do not suffice. Raises OutOfTime.
    """
    box = goal.boxes[index]
    lower, upper = float_bounds(box)
    inequalities = Inequalities(slot_rows(program, goal.forms), goal.forms.alternatives)
    most = cells.affordable(program, budget.seconds)
    tree = cells.search(program, inequalities, lower, upper, most=most, budget=budget)
    if tree is None:
        return None
    return celled_script(account, claim, claim.boxes[index], tree, chain, most=most, budget=budget)


def slot_rows(program: Program, forms: Forms) -> Float64:
    """The forms over the slots, float64 (rows, slots), scaled to a largest coefficient of 1."""
    rows = np.zeros((len(forms.coefficients), program.size))
    numbers = [forms.coefficients] if forms.on_inputs is None else [forms.coefficients, forms.on_inputs]
    largest = max((abs(int(value)) for table in numbers for value in table.reshape(-1)), default=1) or 1
    for place, slot in enumerate(program.outputs):
        rows[:, slot] += (forms.coefficients[:, place] / largest).astype(np.float64)
    if forms.on_inputs is not None:
        inputs = slice(FIRST_INPUT, FIRST_INPUT + program.inputs)
        rows[:, inputs] += (forms.on_inputs / largest).astype(np.float64)
    rows[:, ONE_SLOT] += (forms.constants / largest).astype(np.float64)
    return rows
