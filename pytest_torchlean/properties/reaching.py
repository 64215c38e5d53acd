"""Whether an unsafe set of inputs and outputs is reached: search, proof, and a longer search after both.

Kinds that reduce to such a set (`vnnlib`, pairs of models, those of extensions) end here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.binary32.ulp import exact
from pytest_torchlean.bounds.attack import Effort, Wish
from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.cells import celled
from pytest_torchlean.bounds.falsify import Float32
from pytest_torchlean.bounds.interval import propagate
from pytest_torchlean.bounds.margins import least_rows
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.splitting import Inequalities
from pytest_torchlean.cache.known import Known
from pytest_torchlean.certificate.boxes import all_float_bounds
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.errors import CheckerError, UnsupportedError
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.claims import claim
from pytest_torchlean.properties.exact import program_on
from pytest_torchlean.properties.executions import Executions, Violation
from pytest_torchlean.properties.ledger import runtime_line, trust_of
from pytest_torchlean.properties.levels import unfinished
from pytest_torchlean.properties.linear import MOST_CASES, cases_of, may_be_cut, slot_rows
from pytest_torchlean.properties.many_parts import KnownCases, Searched
from pytest_torchlean.properties.open_clauses import parted
from pytest_torchlean.properties.pairs import is_pair
from pytest_torchlean.properties.proving import (
    OUT_OF_TIME,
    Proof,
    Prospect,
    forecast,
    prove,
    semantics_of,
)
from pytest_torchlean.properties.recalled import numbered, proved_boxes, recalled_goals, recalled_points
from pytest_torchlean.properties.searching import FIRST_EFFORT, Ground, Sought, later_efforts, seek
from pytest_torchlean.properties.suggested import MOST_REGIONS, first_witness, with_use
from pytest_torchlean.properties.unsafe import (
    Points,
    Question,
    digest_of,
    in_box,
    place_line,
    points_of,
    questions,
    reached,
    wish,
)
from pytest_torchlean.spec.model import PropertySpec, VnnlibProperty
from pytest_torchlean.spec.vnnlib import InputBox, UnsafeSet
from pytest_torchlean.verdict import Evidence, Problem, Verdict, Witness

_SHARE_FOR_BOUNDS = 0.5


@dataclass(frozen=True, eq=False)
class Wording:
    """What reports say about an unsafe set: where nothing is reached, what to do where something is or may
    be, and further lines. `broken`: a point and its outputs in words where they are unsafe, None else.
    """

    proved: str
    refuted_next: str
    undecided_next: str
    notes: tuple[str, ...] = ()
    broken: Callable[[Sequence[Fraction], Sequence[Fraction]], str | None] | None = None
    signs: int | None = None
    """From this output on an output of 0 says that the point lies on a bend."""


@dataclass(frozen=True, eq=False)
class Run:
    """What the steps below share. `seconds` is filled as they go."""

    context: PropertyContext
    prop: PropertySpec
    program: Program
    executions: Executions
    unsafe: UnsafeSet
    wording: Wording
    most_cases: int = MOST_CASES
    """Cases of one box that go into one theorem."""
    most_rows: int | None = None
    """Inequalities of one box that get one proof; None for all of them."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of what else the answer depends on, for the cache."""
    seconds: dict[str, float] = field(default_factory=dict)
    _boxes: dict[int, Points | None] = field(default_factory=dict)

    @cached_property
    def ground(self) -> Ground:
        """Where the search for unsafe inputs runs."""
        return Ground(
            self.program,
            self.executions,
            lambda given: _broken(self, given),
            self.rounded,
            self.wording.signs,
        )

    def points(self, box: InputBox) -> Points | None:
        """The inputs to search in, found once for cases that share a box."""
        if id(box) not in self._boxes:
            self._boxes[id(box)] = points_of(box, hull=self.rounded, integers=self.executions.integers)
        return self._boxes[id(box)]

    def broken(self, point: Sequence[Fraction], outputs: Sequence[Fraction]) -> str | None:
        """What is unsafe about an input and its outputs, in words; None where nothing is."""
        if self.wording.broken is not None:
            return self.wording.broken(point, outputs)
        return reached(self.unsafe, point, outputs, hull=self.rounded)

    @property
    def rounded(self) -> bool:
        """Whether the claim is about binary32 executions, and so about outward hulls of boxes."""
        return self.prop.chosen_semantics == "binary32"


class _Unfinished(Exception):
    """Lean ran out of the property's time."""


def decide(
    context: PropertyContext, prop: PropertySpec, unsafe: UnsafeSet, heading: tuple[str, ...], started: float
) -> Evidence:
    """Evidence that an unsafe set is reached, or is not; its elements are those of the model.

    heading: lines for the details that say where the set is from. started: by `time.monotonic()`.
    """
    program = program_on(context, prop, context.program, [case.box for case in unsafe.cases])
    if program.inputs == 0:
        raise UnsupportedError("TL0203", "the model has no input element that could lie in the box")
    wording = Wording(
        "no unsafe output is reachable",
        "replay the witness; then change the model, or correct the property if this input is fine",
        "state a smaller input region, or raise `timeout`; no unsafe input was found",
        heading,
    )
    executions = Executions(context.model, context.graph, context.front)
    return decide_run(Run(context, prop, program, executions, unsafe, wording), started)


def decide_run(own: Run, started: float) -> Evidence:
    """Whether the unsafe set is reached: search, proof, and a longer search where neither decided."""
    context, program, unsafe = own.context, own.program, own.unsafe
    own.seconds["read"] = time.monotonic() - started
    budget = context.budget
    asked = parted(program, unsafe, questions(unsafe, own.most_rows))
    known = context.memory.recall(unsafe=digest_of(unsafe), **own.digests)
    with context.memory.timed():
        found = _replayed(own, known)
        goals = [Goal(question.forms, (question.box,)) for question in asked]
        prospect = None
        if known.proofs and found.witness is None:
            prospect = recalled_goals(program, goals, semantics_of(own.prop), known)
    if prospect is None and found.witness is None:
        found = _search(own, FIRST_EFFORT, 0, budget)
    if found.witness is not None:
        return _refuted(own, found)
    try:
        proof, missing = _prove(own, asked, goals, prospect)
    except _Unfinished:
        text, next_steps = unfinished(own.prop)
        return replace(_undecided(own, found, text), next_steps=next_steps)
    if proof is not None:
        # questions about the same cells share one box, told from others by identity: bounds are long
        return _proved(own, proof, len({id(question.box) for question in asked}))
    suggested = _suggested(own)
    if suggested is not None:
        return _refuted(own, suggested)
    for seed, effort in enumerate(later_efforts(program), start=1):
        try:
            later = _search(own, effort, seed, budget)
        except OutOfTime:
            break
        if later.witness is not None:
            return _refuted(own, later)
        disagreeing = found.disagreeing if later.disagreeing is None else later.disagreeing
        found = Sought(disagreeing=disagreeing, nearest=min(found.nearest, later.nearest))
    return _undecided(own, found, missing)


def _replayed(own: Run, known: Known) -> Sought:
    """A witness of an earlier run that is one again, in the case that it was found in."""
    for place, point in recalled_points(known, range(len(own.unsafe.cases)), own.program.inputs).items():
        case, numbers = own.unsafe.cases[place], [exact(value) for value in point]
        given = bool((own.executions.given(point) == point).all())
        if not given or not in_box(case.box, numbers, hull=own.rounded):
            continue
        witness = own.executions.witness(point, _broken(own, point), rounded=own.rounded)
        if witness is not None:
            return Sought(witness, place + 1)
    return Sought()


def _search(own: Run, effort: Effort, seed: int, budget: Budget) -> Sought:
    """Look for an unsafe input in every case. Raises OutOfTime."""
    started = time.monotonic()
    try:
        return seek(own.ground, _wishes(own), effort, seed, budget)
    finally:
        own.seconds["search"] = own.seconds.get("search", 0.0) + time.monotonic() - started


def _wishes(own: Run) -> Iterator[tuple[int, Wish]]:
    """What to push to zero in every case that has inputs, with the number of the case."""
    for number, case in enumerate(own.unsafe.cases, start=1):
        points = own.points(case.box)
        if points is not None and bool((points.lower <= points.upper).all()):
            yield number, wish(case, points, own.unsafe.outputs)


def _broken(own: Run, given: Float32) -> Violation:
    """What is wrong with outputs of a point, in words."""
    point = [exact(value) for value in given]
    return lambda outputs: own.broken(point, outputs)


def _suggested(own: Run) -> Sought | None:
    """A witness among the candidates of extensions. Raises ExtensionError TL1003, TL1004."""
    if not own.context.extensions.falsifiers or is_pair(own.prop):
        return None

    def replay(point: Float32) -> Witness | None:
        return own.executions.witness(point, _broken(own, point), rounded=own.rounded)

    for number, wanted in _wishes(own):
        if number > MOST_REGIONS:
            break
        found = first_witness(own.context, own.program, own.executions, wanted, number, replay)
        if found is not None:
            return Sought(found[0], number, by=(found[1],))
    return None


def _prove(
    own: Run, asked: Sequence[Question], goals: Sequence[Goal], prospect: Prospect | None
) -> tuple[Proof | None, str]:
    """Lean's word on all questions, or why it was not asked. Raises CheckerError, CertificateError,
    _Unfinished.

    prospect: what an earlier run found for the goals.
    """
    missing = ""
    if prospect is None:
        prospect, missing = foreseen(own, asked, goals)
    if prospect is None:
        return None, missing
    started = time.monotonic()
    try:
        proof = prove(own.context, own.prop, own.executions, prospect, whole=True)
    except CheckerError as error:
        if error.code != OUT_OF_TIME:
            raise
        own.seconds["lean"] = time.monotonic() - started
        raise _Unfinished from error
    own.seconds.update(proof.seconds)
    own.context.memory.proved(proved_boxes(prospect, proof, numbered(goals)))
    return proof, ""


def foreseen(own: Run, asked: Sequence[Question], goals: Sequence[Goal]) -> tuple[Prospect | None, str]:
    """What Lean will accept, or what is missing."""
    started = time.monotonic()
    limit = started + _SHARE_FOR_BOUNDS * own.context.seconds_left
    budget = replace(own.context.budget, deadline=limit, seconds=_SHARE_FOR_BOUNDS * own.context.seconds)
    try:
        trees: list[list[KnownCases]] = []
        for question in asked:
            open_case, tree = _bounded(own.program, question, own.most_cases, budget)
            if open_case is not None:
                return None, open_case
            trees.append([tree])
        prospect = forecast(own.program, goals, semantics_of(own.prop), budget, trees, with_phases=True)
    except OutOfTime:
        return None, "time for bounds ran out"
    finally:
        own.seconds["bound"] = time.monotonic() - started
    if not all(bool(seen.accepted.all()) for seen in prospect.forecasts):
        return None, "no bounds were found that suffice in a certificate, where every rounding counts"
    return prospect, ""


def _bounded(
    program: Program, question: Question, most: int, budget: Budget
) -> tuple[str | None, KnownCases]:
    """What is missing for a proof, or None and the cases that one can go through; None for intervals.

    A complete search takes its place here: whatever tree it finds goes into the certificate.
    """
    budget.spend()
    rows = slot_rows(program, question.forms)
    lower, upper = all_float_bounds([question.box])
    low, high = propagate(program, lower, upper)
    least = least_rows(program, rows, low, high)
    gap = float(Inequalities(rows, question.forms.alternatives).least(least)[0])
    if gap > 0 or celled(program):
        return None, None
    tree = cases_of(program, question.forms, question.box, most=most, phases=True, budget=budget)
    if tree is None and may_be_cut(program, question.forms, question.box):
        return None, Searched.NO_CASES
    if tree is None:
        return f"intervals miss by {-gap:.3g}, and backward rows do not suffice", None
    return None, tree


def _proved(own: Run, proof: Proof, boxes: int) -> Evidence:
    cases = len(own.unsafe.cases)
    found = own.wording.proved
    if cases > 1 and isinstance(own.prop, VnnlibProperty):
        found += f": {cases} cases in {boxes} {'box' if boxes == 1 else 'boxes'} are excluded"
    return replace(
        _evidence(own, Verdict.PROVED, found),
        assurance=proof.assurance,
        theorem=proof.theorem,
        runtime=runtime_line(own.prop, own.executions),
        lean=proof.lean,
        details=(
            *own.wording.notes,
            proof.guard_line,
        ),
        effort=proof.effort,
        trust=trust_of(own.context, proof),
    )


def _refuted(own: Run, found: Sought) -> Evidence:
    witness, number = found.witness, found.number
    assert witness is not None
    assert number is not None
    point, case = from_hex_all(witness.input), own.unsafe.cases[number - 1]
    own.context.memory.broken({number - 1: point})
    exactly = "" if own.rounded else " and in exact arithmetic"
    return replace(
        with_use(_evidence(own, Verdict.REFUTED, witness.violation), *found.by),
        witnesses=(witness,),
        runtime=f"the witness is unsafe on onnxruntime and on the evaluator{exactly}",
        details=(*own.wording.notes, place_line(case.box, point)),
        next_steps=own.wording.refuted_next,
    )


def _undecided(own: Run, found: Sought, missing: str) -> Evidence:
    if found.disagreeing is not None:
        problem = Problem(
            "TL0604",
            f"an input of case {found.disagreeing} is unsafe in one of the executions that count, not in all",
            "the margin is within rounding: move the property's bound slightly",
        )
        evidence = replace(_evidence(own, Verdict.ERROR, problem.message), problem=problem)
    else:
        text = missing
        if np.isfinite(found.nearest):
            text += f"; the nearest input found misses the unsafe set by {found.nearest:.3g}"
        evidence = replace(
            _evidence(own, Verdict.UNKNOWN, text),
            next_steps=own.wording.undecided_next,
        )
    return replace(evidence, runtime=runtime_line(own.prop, own.executions), details=own.wording.notes)


def _evidence(own: Run, verdict: Verdict, found: str) -> Evidence:
    return Evidence(
        verdict=verdict,
        claim=claim(own.prop),
        semantics=own.prop.chosen_semantics,
        found=found,
        seconds=own.seconds,
    )
