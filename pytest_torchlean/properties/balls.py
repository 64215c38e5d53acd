"""Listed inputs with a ball around each: who is classified right, whose ball is proved, whose is refuted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.falsify import Target, minimise, promising
from pytest_torchlean.bounds.interval import evaluate, propagate, rounding_radius
from pytest_torchlean.bounds.margins import least_margins
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.splitting import Tree
from pytest_torchlean.certificate.boxes import RationalBox, to_float
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.errors import CertificateError, CheckerError, TorchleanError
from pytest_torchlean.extensions.registry import Use
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.claims import claim
from pytest_torchlean.properties.executions import Executions, Violation
from pytest_torchlean.properties.ledger import runtime_line, trust_of
from pytest_torchlean.properties.listed import Listed
from pytest_torchlean.properties.points import violation
from pytest_torchlean.properties.proving import (
    OUT_OF_TIME,
    Proof,
    Prospect,
    forecast,
    points_of,
    prove,
    unfinished,
)
from pytest_torchlean.properties.recalled import proved_boxes
from pytest_torchlean.spec.model import RobustnessProperty
from pytest_torchlean.verdict import Counts, Evidence, Problem, Verdict, Witness

MOST_WITNESSES = 16
"""Witnesses kept in the evidence; the counts cover all of them."""
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
    lower = np.array([[to_float(x) for x in box.lower] for box in boxes.values()])
    upper = np.array([[to_float(x) for x in box.upper] for box in boxes.values()])
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
    targets: list[Target] = []
    owners: list[int] = []
    for row in rows:
        inside = points_of(prop, boxes[row], executions.integers)
        if inside is None:
            continue
        for rival in open_classes[row]:
            coefficients = np.zeros(program.outputs.size)
            coefficients[listed.labels[row]], coefficients[rival] = 1.0, -1.0
            targets.append(Target(inside[0], inside[1], coefficients, 0.0))
            owners.append(row)
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
    return Search(witnesses, tuple(disagreeing))


def concluded(
    context: PropertyContext,
    prop: RobustnessProperty,
    executions: Executions,
    listed: Listed,
    right: NDArray[np.bool_],
    outlook: Outlook | None,
    counted: frozenset[int],
    search: Search,
    seconds: Mapping[str, float],
) -> tuple[Evidence, frozenset[int]]:
    """Ask Lean, and say what follows; also the rows whose boxes it accepted.

    counted: the rows whose boxes hold the ball of the claim.
    """
    proof: Proof | None = None
    failure: TorchleanError | None = None
    if outlook is not None and outlook.provable:
        try:
            proof = prove(context, prop, executions, outlook.prospect)
            failure = proof.failure
            seconds = {**seconds, **proof.seconds}
        except (CheckerError, CertificateError) as error:
            failure = error
    proved: frozenset[int] = frozenset()
    if outlook is not None and proof is not None:
        proved = outlook.proved(proof)
        context.memory.proved(proved_boxes(outlook.prospect, proof, outlook.rows, outlook.radii))
    context.memory.broken({row: from_hex_all(found.input) for row, found in search.witnesses.items()})
    counts = Counts(
        proved=len(proved & counted),
        refuted=len(search.witnesses),
        unknown=int(right.sum()) - len(proved & counted) - len(search.witnesses),
        misclassified=int((~right).sum()),
        total=len(listed.labels),
    )
    trust = trust_of(context, proof) if proof is not None else ()
    evidence = _evidence(prop, executions, listed, right, counts, search, proof, failure, seconds, trust)
    return evidence, proved


def _evidence(
    prop: RobustnessProperty,
    executions: Executions,
    listed: Listed,
    right: NDArray[np.bool_],
    counts: Counts,
    search: Search,
    proof: Proof | None,
    failure: TorchleanError | None,
    seconds: Mapping[str, float],
    trust: tuple[str, ...],
) -> Evidence:
    needed = prop.required_share * counts.total
    accuracy = Fraction(counts.total - counts.misclassified, counts.total)
    accurate = prop.min_accuracy is None or accuracy >= prop.min_accuracy
    proved_share = Fraction(counts.proved, counts.total)
    verdict = Verdict.UNKNOWN
    if counts.proved >= needed and accurate and proof is not None:
        verdict = Verdict.PROVED
    elif not accurate or counts.total - counts.refuted - counts.misclassified < needed:
        rounded = _right_when_rounded(executions, prop, listed, right)
        search = replace(search, disagreeing=(*search.disagreeing, *rounded))
        lost = counts.refuted + counts.misclassified - len(rounded)
        accuracy_reached = accuracy + Fraction(len(rounded), counts.total)
        missed = prop.min_accuracy is not None and accuracy_reached < prop.min_accuracy
        verdict = Verdict.REFUTED if missed or counts.total - lost < needed else Verdict.ERROR
    elif (failure is not None and failure.code != OUT_OF_TIME) or search.disagreeing:
        verdict = Verdict.ERROR
    found = (
        f"{counts.proved} of {counts.total} proved ({_percent(proved_share)}), {counts.refuted} refuted, "
        f"{counts.unknown} unknown, {counts.misclassified} misclassified"
    )
    if not accurate and prop.min_accuracy is not None:
        found += f"; accuracy {_percent(accuracy)} is below the demanded {_percent(prop.min_accuracy)}"
    witnesses = tuple(search.witnesses[row] for row in sorted(search.witnesses))[:MOST_WITNESSES]
    if verdict is Verdict.REFUTED and not witnesses:
        witnesses = _misclassified(executions, prop, listed, right)
    return Evidence(
        verdict=verdict,
        claim=claim(prop),
        semantics=prop.chosen_semantics,
        found=found,
        assurance=None if proof is None else proof.assurance,
        theorem=proof.theorem if proof is not None else None,
        counts=counts,
        accuracy=str(accuracy),
        witnesses=witnesses,
        extensions=tuple(dict.fromkeys(search.by)),
        runtime=runtime_line(prop, executions),
        next_steps=_next_steps(verdict, prop, failure),
        problem=_problem(failure, search, listed) if verdict is Verdict.ERROR else None,
        details=_details(search, listed, proof, failure),
        lean=proof.lean if proof is not None else None,
        seconds=seconds,
        effort=proof.effort if proof is not None else {},
        trust=trust,
    )


def breaking(prop: RobustnessProperty, listed: Listed, row: int) -> Violation:
    """Whether outputs break the class of a row."""
    reference = listed.reference(row)
    return lambda outputs: violation(prop, outputs, reference)


def _right_when_rounded(
    executions: Executions, prop: RobustnessProperty, listed: Listed, right: NDArray[np.bool_]
) -> tuple[int, ...]:
    """Listed inputs on the wrong side in exact arithmetic, but not in both binary32 executions."""
    return tuple(
        row
        for row in np.flatnonzero(~right).tolist()
        if not executions.break_binary32(listed.inputs[row], breaking(prop, listed, row))
    )


def _misclassified(
    executions: Executions, prop: RobustnessProperty, listed: Listed, right: NDArray[np.bool_]
) -> tuple[Witness, ...]:
    """Listed inputs that are themselves on the wrong side, in all three executions."""
    found: list[Witness] = []
    for row in np.flatnonzero(~right).tolist():
        point = listed.inputs[row]
        witness = executions.witness(
            point,
            breaking(prop, listed, row),
            rounded=prop.chosen_semantics == "binary32",
            index=listed.positions[row],
            reference=point,
        )
        if witness is not None:
            found.append(witness)
        if len(found) == MOST_WITNESSES:
            break
    return tuple(found)


def _problem(failure: TorchleanError | None, search: Search, listed: Listed) -> Problem:
    if failure is not None and not (failure.code == OUT_OF_TIME and search.disagreeing):
        return Problem(failure.code, failure.message, failure.fix)
    positions = ", ".join(str(listed.positions[row]) for row in search.disagreeing[:8])
    return Problem(
        "TL0604",
        f"not every execution keeps, and not every one breaks, the class of input {positions}",
        "lower `epsilon` slightly, or look at the named inputs",
    )


def _next_steps(verdict: Verdict, prop: RobustnessProperty, failure: TorchleanError | None) -> str:
    if verdict is Verdict.REFUTED:
        return (
            "replay a witness to see the changed class; then train for this epsilon, lower `epsilon`, or "
            "lower `at_least` if these inputs may be lost"
        )
    if verdict is Verdict.UNKNOWN and failure is not None:
        return unfinished(prop)[1]
    if verdict is Verdict.UNKNOWN:
        return (
            "interval bounds were too wide for the unknown inputs and no input that breaks them was found: "
            f"lower `epsilon` (now {prop.epsilon}), lower `at_least`, or train with interval bounds"
        )
    return ""


def _details(
    search: Search, listed: Listed, proof: Proof | None, failure: TorchleanError | None
) -> tuple[str, ...]:
    lines = []
    if proof is not None and proof.failure is not None:
        lines.append(f"only some theorems were accepted: {proof.failure.message}")
    elif failure is not None and failure.code == OUT_OF_TIME:
        lines.append(f"certificates were found, but nothing was accepted: {failure.code} {failure.message}")
    if proof is not None:
        lines.append(proof.guard_line)
    if search.witnesses:
        positions = sorted(listed.positions[row] for row in search.witnesses)
        shown = ", ".join(str(position) for position in positions[:20])
        more = f" and {len(positions) - 20} more" if len(positions) > 20 else ""
        lines.append(f"refuted inputs: {shown}{more}")
    return tuple(lines)


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):.1f} %"
