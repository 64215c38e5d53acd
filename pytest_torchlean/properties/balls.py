"""Listed inputs with a ball around each: who is classified right, whose ball is proved, whose is refuted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.falsify import Candidate, Target, minimise, promising
from pytest_torchlean.bounds.interval import evaluate, propagate, rounding_radius
from pytest_torchlean.bounds.margins import least_margins
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.splitting import Tree
from pytest_torchlean.certificate.boxes import RationalBox, all_float_bounds
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.extensions.registry import Use
from pytest_torchlean.properties.executions import Executions, Violation
from pytest_torchlean.properties.listed import Listed
from pytest_torchlean.properties.points import violation
from pytest_torchlean.properties.proving import Proof, Prospect, forecast, points_of
from pytest_torchlean.spec.model import RobustnessProperty
from pytest_torchlean.verdict import Witness

_REPLAYS_PER_INPUT = 4
_COARSER = 2.0**29
"""How much larger the unit roundoff of binary32 is than that of binary64."""

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outlook:
    """What Lean will be asked: the rows behind each goal's boxes, and those that it will accept."""

    prospect: Prospect
    rows: tuple[tuple[int, ...], ...]
    provable: frozenset[int]
    radii: Mapping[int, int] = field(default_factory=dict)
    """By row the place of its radius, where a property tries several."""

    def proved(self, proof: Proof) -> frozenset[int]:
        """The rows that Lean did accept."""
        return frozenset(self.rows[goal][box] for goal, box in proof.proved)


@dataclass(frozen=True, eq=False)
class Search:
    """What the falsifier found per row: witnesses that replay, and rows where the executions disagree."""

    witnesses: Mapping[int, Witness]
    disagreeing: tuple[int, ...]
    by: tuple[Use, ...] = ()
    """The falsifiers of extensions that gave witnesses."""
    nearest: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Of rows without a witness the classes that descents aimed at; the nearest row and class first."""


def classified_right(
    program: Program, executions: Executions, prop: RobustnessProperty, listed: Listed
) -> NDArray[np.bool_]:
    """Whether the right output is above all others: exactly, or in onnxruntime or the evaluator.

    Binary64 decides where no rounding can change the answer.
    """
    points = listed.inputs.astype(np.float64)
    outputs = evaluate(program, points)[:, program.outputs]
    rows = np.arange(len(outputs))
    own = outputs[rows, listed.labels]
    rivals = outputs.copy()
    rivals[rows, listed.labels] = -np.inf
    margins = own - rivals.max(axis=1)
    right = np.array(margins > 0)
    slack = 4.0 * rounding_radius(program, points).max(axis=1)
    rounded = prop.chosen_semantics == "binary32"
    if rounded:
        slack = slack * _COARSER
    for row in np.flatnonzero(~(np.abs(margins) > slack)):
        broken, point = breaking(prop, listed, int(row)), listed.inputs[row]
        if rounded:
            right[row] = not executions.break_binary32(point, broken)
        else:
            right[row] = broken(executions.exact(point)) is None
    return right


@dataclass(frozen=True, eq=False)
class Margins:
    """Least margins over the others of each row's class by intervals in binary64, float64 (rows, classes).

    slack: float64 (rows,): what a rounding of binary64 may have moved.
    """

    rows: tuple[int, ...]
    least: NDArray[np.float64]
    slack: NDArray[np.float64]

    @property
    def looks_provable(self) -> NDArray[np.bool_]:
        """Rows of which intervals seem to prove every margin positive."""
        return np.asarray((self.least > -self.slack[:, None]).all(axis=1))

    def open_classes(self) -> dict[int, list[int]]:
        """For each row the classes that intervals leave open, the most likely rival first."""
        return {
            row: [int(rival) for rival in np.argsort(own) if own[rival] <= slack]
            for row, own, slack in zip(self.rows, self.least, self.slack, strict=True)
        }


def margins_by_intervals(
    program: Program, labels: NDArray[np.int64], rows: Sequence[int], lower: Float64, upper: Float64
) -> Margins:
    """Margins of some rows over their boxes. lower, upper: float64 (rows, inputs)."""
    low, high = propagate(program, lower, upper)
    least = least_margins(program, low, high, labels[list(rows)])
    slack = 1e-9 * (1.0 + np.abs(high[:, program.outputs]).max(axis=1, initial=0.0))
    return Margins(tuple(rows), least, slack)


def margins_of(program: Program, listed: Listed, boxes: Mapping[int, RationalBox]) -> Margins:
    """`margins_by_intervals` of every row that has a box; there must be one."""
    lower, upper = all_float_bounds(list(boxes.values()))
    return margins_by_intervals(program, listed.labels, list(boxes), lower, upper)


def forecast_rows(
    program: Program,
    listed: Listed,
    boxes: Mapping[int, RationalBox],
    candidates: Sequence[int],
    trees: Mapping[int, Tree],
    semantics: Semantics,
    budget: Budget,
) -> Outlook | None:
    """One goal per class over its candidate boxes; None where there is no candidate."""
    classes = sorted({int(listed.labels[row]) for row in candidates})
    if not classes:
        return None
    members = {label: [row for row in candidates if listed.labels[row] == label] for label in classes}
    goals = [
        Goal(margin_forms(label, int(program.outputs.size)), tuple(boxes[row] for row in members[label]))
        for label in classes
    ]
    known = [[trees.get(row) for row in members[label]] for label in classes]
    prospect = forecast(program, goals, semantics, budget, known)
    provable = {
        row
        for label, seen in zip(classes, prospect.forecasts, strict=True)
        for row, fine in zip(members[label], seen.accepted, strict=True)
        if fine
    }
    return Outlook(prospect, tuple(tuple(members[label]) for label in classes), frozenset(provable))


def falsify_rows(
    program: Program,
    executions: Executions,
    prop: RobustnessProperty,
    listed: Listed,
    boxes: Mapping[int, RationalBox],
    rows: Sequence[int],
    open_classes: Mapping[int, Sequence[int]],
    budget: Budget,
) -> Search:
    """Inputs of the balls of `rows` that a gradient descent finds, each run exactly and on onnxruntime.

    boxes: the balls, by row. open_classes: by row the classes that may still reach its own.
    """
    targets: list[Target] = []
    owners: list[int] = []
    rivals: list[int] = []
    for row in rows:
        inside = points_of(prop, boxes[row], executions.integers)
        if inside is None:
            continue
        for rival in open_classes[row]:
            coefficients = np.zeros(program.outputs.size)
            coefficients[listed.labels[row]], coefficients[rival] = 1.0, -1.0
            targets.append(Target(inside[0], inside[1], coefficients, 0.0))
            owners.append(row)
            rivals.append(rival)
    found: dict[int, list[tuple[float, Float32]]] = {}
    rounded = prop.chosen_semantics == "binary32"
    candidates = minimise(program, targets, budget=budget)
    fine = promising(program, candidates, 1e-6, rounded=rounded)
    for owner, candidate, chosen in zip(owners, candidates, fine, strict=True):
        if chosen:
            found.setdefault(owner, []).append((candidate.value, executions.given(candidate.point)))
    witnesses, disagreeing = {}, []
    for row, points in found.items():
        broken = breaking(prop, listed, row)
        disagrees = False
        for _, point in sorted(points, key=lambda item: item[0])[:_REPLAYS_PER_INPUT]:
            witness = executions.witness(
                point,
                broken,
                rounded=rounded,
                index=listed.positions[row],
                reference=listed.inputs[row],
            )
            if witness is not None:
                witnesses[row] = witness
                break
            disagrees |= executions.disagree(point, broken, rounded=rounded)
        if row not in witnesses and disagrees:
            disagreeing.append(row)
    return Search(witnesses, tuple(disagreeing), nearest=_nearest(owners, rivals, candidates, witnesses))


def _nearest(
    owners: Sequence[int], rivals: Sequence[int], candidates: Sequence[Candidate], done: Collection[int]
) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    triples = zip(owners, rivals, candidates, strict=True)
    for owner, rival, _ in sorted(triples, key=lambda triple: triple[2].value):
        if owner not in done:
            found[owner] = (*found.get(owner, ()), rival)
    return found


def breaking(prop: RobustnessProperty, listed: Listed, row: int) -> Violation:
    """Whether outputs break the class of a row."""
    reference = listed.reference(row)
    return lambda outputs: violation(prop, outputs, reference)
