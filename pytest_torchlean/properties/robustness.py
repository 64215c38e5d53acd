"""`check: robustness`: no point of the ball around a listed input, cut to the domain, changes its class."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.splitting import Tree
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms, margin_forms
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.balls import (
    Outlook,
    Search,
    classified_right,
    falsify_rows,
    forecast_rows,
    margins_of,
)
from pytest_torchlean.properties.exact import program_on
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.linear import MOST_RELAXED, cases_by_phases, first_cases
from pytest_torchlean.properties.listed import Listed, box_around, listed_inputs
from pytest_torchlean.properties.proving import semantics_of
from pytest_torchlean.properties.recalled_balls import recalled_rows, recalled_witnesses
from pytest_torchlean.properties.refuting_balls import Balls, later, sooner
from pytest_torchlean.properties.seen import histogram
from pytest_torchlean.properties.suggested_balls import with_suggestions
from pytest_torchlean.properties.tally import concluded
from pytest_torchlean.spec.model import PropertySpec, RobustnessProperty
from pytest_torchlean.verdict import Evidence

_SHARE_FOR_PHASES = 0.5
"""Of the time that is left: what else is proved needs the rest."""


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED when the proved share of all listed inputs reaches `at_least`; see DESIGN section 2.

    Raises DataError TL04xx, UnsupportedError TL0204, CheckerError TL05xx, CertificateError TL06xx,
    OutOfTime.
    """
    if not isinstance(prop, RobustnessProperty):
        raise TypeError(f"a robustness property is needed, not {type(prop).__name__}")
    started = time.monotonic()
    budget = context.budget
    program = context.program
    executions = Executions(context.model, context.graph, context.front)
    listed = listed_inputs(context, prop, program)
    right = classified_right(program, executions, prop, listed)
    boxes = {row: box_around(prop, listed, row) for row in np.flatnonzero(right).tolist()}
    program = program_on(context, prop, program, list(boxes.values()))
    seconds = {"read": time.monotonic() - started}
    outlook, search = None, Search({}, ())
    pictured = None
    known = context.memory.recall(data=listed.digest)
    if boxes:
        started = time.monotonic()
        margins = margins_of(program, listed, boxes)
        pictured = histogram(margins.least.min(axis=1))
        by_intervals = frozenset(row for row, fine in zip(boxes, margins.looks_provable, strict=True) if fine)
        task = _Task(prop, program, listed, boxes, by_intervals, budget)
        seconds["bound"] = time.monotonic() - started
        with context.memory.timed():
            witnesses = recalled_witnesses(prop, executions, listed, boxes, known)
            proved = sorted(known.boxes.keys() & boxes.keys() - witnesses.keys())
        started = time.monotonic()
        unsettled = boxes.keys() - witnesses.keys() - set(proved)
        trees: dict[int, Tree] = {}
        outlook = _foreseen(task, unsettled, MOST_RELAXED - len(set(proved) - by_intervals), trees)
        if proved and outlook is not None and outlook.provable:
            # there is more to prove than is known: all of it again, so that theorems do not depend on history
            context.memory.miss()
            proved, trees = [], {}
            outlook = _foreseen(task, boxes.keys() - witnesses.keys(), MOST_RELAXED, trees)
        seconds["bound"] += time.monotonic() - started
        if proved:
            with context.memory.timed():
                outlook = recalled_rows(program, listed, boxes, proved, semantics_of(prop), known)
        started = time.monotonic()
        provable = frozenset() if outlook is None else outlook.provable
        unproved = [row for row in boxes if row not in provable and row not in witnesses]
        search = falsify_rows(
            program, executions, prop, listed, boxes, unproved, margins.open_classes(), budget
        )
        search = replace(search, witnesses={**witnesses, **search.witnesses})
        balls = Balls(program, executions, prop, listed, boxes, len(listed.labels) - len(boxes), budget)
        search = sooner(balls, search, unproved, len(provable))
        search = with_suggestions(context, program, executions, prop, listed, boxes, unproved, search)
        seconds["search"] = time.monotonic() - started
        left = [row for row in unproved if row not in search.witnesses]
        needed = prop.required_share * len(listed.labels)
        if not proved and len(provable) < needed <= len(provable) + len(left):
            started = time.monotonic()
            outlook = _by_phases(task, left, trees) or outlook
            seconds["bound"] += time.monotonic() - started
        started = time.monotonic()
        provable = frozenset() if outlook is None else outlook.provable
        search = later(balls, search, boxes.keys() - provable, len(provable))
        seconds["search"] += time.monotonic() - started
    every = frozenset(boxes)
    evidence, _ = concluded(context, prop, executions, listed, right, outlook, every, search, seconds)
    return replace(evidence, margins=pictured)


@dataclass(frozen=True, eq=False)
class _Task:
    """What a search for proofs needs. by_intervals: the rows that intervals in binary64 seem to prove."""

    prop: RobustnessProperty
    program: Program
    listed: Listed
    boxes: Mapping[int, RationalBox]
    by_intervals: frozenset[int]
    budget: Budget


def _foreseen(task: _Task, rows: Collection[int], most_trees: int, trees: dict[int, Tree]) -> Outlook | None:
    """What Lean will say of some rows; `most_trees` of those that intervals leave open get a second try, and
    their cases are put into `trees`.
    """
    trees.update(
        first_cases(task.program, _goals(task, set(rows) - task.by_intervals), task.budget, most_trees)
    )
    return _forecast(task, sorted([*(task.by_intervals & set(rows)), *trees]), trees)


def _by_phases(task: _Task, left: Collection[int], trees: Mapping[int, Tree]) -> Outlook | None:
    """What Lean will say of all rows, those included that ReLU phases prove of the ones that are left; None
    where there are none. trees: the cases of the other rows.
    """
    most = MOST_RELAXED - len(trees.keys() - set(left))
    backstop = replace(task.budget, deadline=time.monotonic() + _SHARE_FOR_PHASES * task.budget.left)
    try:
        found = cases_by_phases(task.program, _goals(task, left), backstop, most)
        together = {**trees, **found}
        return _forecast(task, sorted([*task.by_intervals, *together]), together) if found else None
    except OutOfTime:
        return None


def _goals(task: _Task, rows: Collection[int]) -> dict[int, tuple[Forms, RationalBox]]:
    classes = int(task.program.outputs.size)
    return {
        row: (margin_forms(int(task.listed.labels[row]), classes), task.boxes[row]) for row in sorted(rows)
    }


def _forecast(task: _Task, candidates: Sequence[int], trees: Mapping[int, Tree]) -> Outlook | None:
    semantics = semantics_of(task.prop)
    return forecast_rows(task.program, task.listed, task.boxes, candidates, trees, semantics, task.budget)
