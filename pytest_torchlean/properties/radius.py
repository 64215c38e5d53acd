"""`check: radius`: for every listed input the largest ball in which its class is proved to stay."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.splitting import Tree
from pytest_torchlean.bounds.work import Work, costs_of
from pytest_torchlean.cache.known import Known
from pytest_torchlean.certificate.boxes import RationalBox, to_float
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.balls import (
    Outlook,
    Search,
    classified_right,
    falsify_rows,
    forecast_rows,
    margins_by_intervals,
    margins_of,
)
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.linear import MOST_RELAXED, SHARE_OF_WORK, cases_of
from pytest_torchlean.properties.listed import Listed, box_around, listed_inputs
from pytest_torchlean.properties.proving import semantics_of
from pytest_torchlean.properties.recalled_balls import recalled_rows, recalled_witnesses
from pytest_torchlean.properties.refuting_balls import Balls, later, sooner
from pytest_torchlean.properties.suggested_balls import with_suggestions
from pytest_torchlean.properties.tally import concluded
from pytest_torchlean.spec.model import PropertySpec, RadiusProperty, elements
from pytest_torchlean.verdict import Evidence, Radius

_CORRECTIONS = 3
"""How often radii are lowered where the exact forecast refuses what binary64 promised."""
_CURVE_POINTS = 8

Found = dict[int, int]
"""For each row the position of its radius in the list of radii, -1 where none is known."""


@dataclass(frozen=True, eq=False)
class _Task:
    """What every step needs."""

    prop: RadiusProperty
    program: Program
    listed: Listed
    radii: tuple[Fraction, ...]
    """The radii that are tried, ascending: `steps` halvings of `up_to`, and `epsilon`."""

    def box(self, row: int, radius: Fraction) -> RationalBox:
        return box_around(replace(self.prop, epsilon=radius), self.listed, row)


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED when the share of inputs whose radius is at least `epsilon` reaches `at_least`.

    The radius of an input is the largest of 2^steps equal steps up to `up_to` that is proved: by bisection
    with intervals, and with backward rows for inputs that intervals leave below `epsilon`. Raises DataError
    TL04xx, UnsupportedError TL0204, CheckerError TL05xx, CertificateError TL06xx, OutOfTime.
    """
    if not isinstance(prop, RadiusProperty):
        raise TypeError(f"a radius property is needed, not {type(prop).__name__}")
    started = time.monotonic()
    budget = context.budget
    program = context.program
    executions = Executions(context.model, context.graph, context.front)
    listed = listed_inputs(context, prop, program)
    right = classified_right(program, executions, prop, listed)
    task = _Task(prop, program, listed, radii_tried(prop))
    rows = np.flatnonzero(right).tolist()
    claimed = task.radii.index(prop.epsilon)
    seconds = {"read": time.monotonic() - started}
    known = context.memory.recall(data=listed.digest)
    with context.memory.timed():
        places = {int(point.place) for point in known.points} & set(rows)
        boxes = {row: task.box(row, prop.epsilon) for row in sorted(places)}
        witnesses = recalled_witnesses(prop, executions, listed, boxes, known)
        held: Found = {row: box.radius for row, box in known.boxes.items() if row in set(rows)}
    started = time.monotonic()
    outlook, found = _searched(task, *_unsettled(task, rows, held, witnesses.keys(), known), budget)
    if held and any(place > held.get(row, -1) for row, place in found.items()):
        # there is more to prove than is known: all of it again, so that theorems do not depend on history
        context.memory.miss()
        held = {}
        outlook, found = _searched(task, rows, frozenset(rows), budget)
    seconds["bound"] = time.monotonic() - started
    if held:
        with context.memory.timed():
            found = held
            boxes = {row: task.box(row, task.radii[place]) for row, place in held.items()}
            outlook = recalled_rows(program, listed, boxes, sorted(held), semantics_of(prop), known, held)
    started = time.monotonic()
    reached = frozenset(row for row, place in found.items() if place >= claimed)
    witnesses = {row: witness for row, witness in witnesses.items() if row not in reached}
    left = [row for row in rows if row not in reached and row not in witnesses]
    search = _falsified(context, task, executions, left, Search(witnesses, ()), len(reached))
    seconds["search"] = time.monotonic() - started
    if outlook is not None:
        outlook = replace(outlook, radii=found)
    evidence, proved = concluded(context, prop, executions, listed, right, outlook, reached, search, seconds)
    radii = tuple(
        Radius(position, task.radii[found[row]] if row in proved else Fraction(0))
        for row, position in enumerate(listed.positions)
    )
    return replace(evidence, radii=radii, details=(*curve(radii, task.radii), *evidence.details))


def radii_tried(prop: RadiusProperty) -> tuple[Fraction, ...]:
    """All radii among which an input's is sought, ascending."""
    count = 2**prop.steps
    return tuple(sorted({prop.epsilon, *(prop.up_to * step / count for step in range(1, count + 1))}))


def curve(radii: Sequence[Radius], tried: Sequence[Fraction]) -> tuple[str, ...]:
    """The certified share against the radius, in words: at most _CURVE_POINTS radii that are tried."""
    stride = max(1, -(-len(tried) // _CURVE_POINTS))
    chosen = tried[stride - 1 :: stride]
    if not radii:
        return ()
    counts = [sum(found.radius >= radius for found in radii) for radius in chosen]
    shares = [f"{float(radius):.4g}: {count}" for radius, count in zip(chosen, counts, strict=True)]
    median = sorted(found.radius for found in radii)[(len(radii) - 1) // 2]
    return (
        f"inputs proved within a radius, of {len(radii)}: " + ", ".join(shares),
        f"median certified radius: {float(median):.4g}",
    )


def _unsettled(
    task: _Task, rows: Sequence[int], held: Found, refuted: Collection[int], known: Known
) -> tuple[list[int], frozenset[int]]:
    """The rows that are searched although there is an entry, and those that may get backward rows.

    An entry settles rows that it takes to `epsilon` and rows that it refutes. The others were not proved as
    far as claimed, which nobody has to believe. Rows are counted as in a run without the entry.
    """
    if not held:
        return list(rows), frozenset(rows)
    claimed = task.radii.index(task.prop.epsilon)
    reached = {row for row, place in held.items() if place >= claimed}
    plain = {row for row in reached if known.boxes[row].own == known.boxes[row].common}
    tried = [row for row in rows if row not in plain][:MOST_RELAXED]
    return [row for row in rows if row not in reached and row not in refuted], frozenset(tried)


def _searched(
    task: _Task, rows: Sequence[int], tried: frozenset[int], budget: Budget
) -> tuple[Outlook | None, Found]:
    found, trees = _bisected(task, rows, tried, budget)
    return _foreseen(task, found, trees, budget)


def _bisected(
    task: _Task, rows: Sequence[int], tried: frozenset[int], budget: Budget
) -> tuple[Found, dict[int, Tree]]:
    """The largest radii that look provable in binary64, and cases for those that need backward rows.

    tried: the rows that may get backward rows.
    """
    found = dict.fromkeys(rows, -1)
    if not rows:
        return {}, {}
    found.update(zip(rows, _by_intervals(task, rows).tolist(), strict=True))
    trees: dict[int, Tree] = {}
    claimed = task.radii.index(task.prop.epsilon)
    work, cost = Work(SHARE_OF_WORK * budget.seconds), costs_of(task.program).search
    below = [row for row in rows if found[row] < claimed and row in tried][:MOST_RELAXED]
    for row in below:
        if not work.take(cost * len(task.radii).bit_length()):
            break
        budget.spend()
        place, tree = _by_rows(task, row, found[row])
        if tree is not None:
            found[row], trees[row] = place, tree
    return {row: place for row, place in found.items() if place >= 0}, trees


def _by_intervals(task: _Task, rows: Sequence[int]) -> NDArray[np.int64]:
    """For each row the largest place of a radius that intervals in binary64 seem to prove, -1 for none."""
    prop, listed = task.prop, task.listed
    points = listed.inputs[list(rows)].astype(np.float64)
    radii = np.array([to_float(radius) for radius in task.radii])
    least, most = np.full(points.shape[1], -np.inf), np.full(points.shape[1], np.inf)
    if prop.domain is not None:
        sides = ((prop.domain.lower, "domain.lower"), (prop.domain.upper, "domain.upper"))
        least, most = (
            np.array([to_float(x) for x in elements(side, points.shape[1], what=what, span=prop.span)])
            for side, what in sides
        )
    low, high = np.full(len(rows), -1), np.full(len(rows), len(radii))
    while (active := np.flatnonzero(high - low > 1)).size:
        middle = (low[active] + high[active]) // 2
        reach = radii[middle][:, None]
        lower = np.maximum(points[active] - reach, least)
        upper = np.minimum(points[active] + reach, most)
        chosen = [rows[place] for place in active.tolist()]
        fine = margins_by_intervals(task.program, listed.labels, chosen, lower, upper).looks_provable
        low[active[fine]], high[active[~fine]] = middle[fine], middle[~fine]
    return low


def _by_rows(task: _Task, row: int, known: int) -> tuple[int, Tree | None]:
    """The largest place above `known` for which backward rows look sufficient, with their cases."""
    forms = margin_forms(int(task.listed.labels[row]), int(task.program.outputs.size))
    low, high, best = known, len(task.radii), None
    while high - low > 1:
        middle = (low + high) // 2
        tree = cases_of(task.program, forms, task.box(row, task.radii[middle]))
        if tree is None:
            high = middle
        else:
            low, best = middle, tree
    return low, best


def _foreseen(
    task: _Task, found: Found, trees: Mapping[int, Tree], budget: Budget
) -> tuple[Outlook | None, Found]:
    """The exact forecast and what it leaves of `found`; a refused radius is lowered and tried again."""
    cases = dict(trees)
    outlook: Outlook | None = None
    refused: list[int] = []
    for correction in range(_CORRECTIONS + 1):
        for row in refused:
            found[row] -= 1
            if row in cases:
                forms = margin_forms(int(task.listed.labels[row]), int(task.program.outputs.size))
                del cases[row]
                if found[row] >= 0:
                    tree = cases_of(task.program, forms, task.box(row, task.radii[found[row]]))
                    cases.update({} if tree is None else {row: tree})
        found = {row: place for row, place in found.items() if place >= 0}
        boxes = {row: task.box(row, task.radii[place]) for row, place in found.items()}
        outlook = forecast_rows(
            task.program, task.listed, boxes, sorted(boxes), cases, semantics_of(task.prop), budget
        )
        refused = [] if outlook is None else [row for row in found if row not in outlook.provable]
        if not refused or correction == _CORRECTIONS:
            break
    return outlook, {row: place for row, place in found.items() if row not in refused}


def _falsified(
    context: PropertyContext,
    task: _Task,
    executions: Executions,
    rows: Sequence[int],
    known: Search,
    reached: int,
) -> Search:
    """What is known and witnesses against the claimed radius for rows that do not reach it; so many do."""
    if not rows:
        return known
    budget = context.budget
    boxes = {row: task.box(row, task.prop.epsilon) for row in rows}
    classes = margins_of(task.program, task.listed, boxes).open_classes()
    search = falsify_rows(
        task.program, executions, task.prop, task.listed, boxes, list(rows), classes, budget
    )
    search = replace(search, witnesses={**known.witnesses, **search.witnesses})
    right = len(rows) + len(known.witnesses) + reached
    lost = len(task.listed.labels) - right
    balls = Balls(task.program, executions, task.prop, task.listed, boxes, lost, budget)
    search = later(balls, sooner(balls, search, rows, reached), rows, reached)
    return with_suggestions(context, task.program, executions, task.prop, task.listed, boxes, rows, search)
