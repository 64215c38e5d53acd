"""`check: range`: every output stays within bounds for every input of a box."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.cache.known import Known
from pytest_torchlean.certificate.account import exact_bounds
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms, bound_forms
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.errors import CheckerError, SpecError, UnsupportedError
from pytest_torchlean.extensions.registry import Use
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.claims import claim, decimal
from pytest_torchlean.properties.exact import program_on
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.ledger import runtime_line, trust_of
from pytest_torchlean.properties.levels import unfinished
from pytest_torchlean.properties.linear import cases_by_phases
from pytest_torchlean.properties.outside import outside
from pytest_torchlean.properties.points import violation
from pytest_torchlean.properties.proving import (
    OUT_OF_TIME,
    Prospect,
    by_intervals,
    forecast,
    prove,
    semantics_of,
)
from pytest_torchlean.properties.recalled import (
    numbered,
    proved_boxes,
    recalled_points,
    replayed,
    with_known_scripts,
)
from pytest_torchlean.properties.seen import sampled_outputs
from pytest_torchlean.spec.model import PropertySpec, RangeProperty, elements
from pytest_torchlean.verdict import Evidence, Sampled, Verdict, Witness

_SHARE_FOR_PHASES = 0.5
"""Of the time that is left, for cases by ReLU phases and their certificate."""
_REPLAYS = 20
"""Candidates that are run, the lowest first."""


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED with exact bounds, REFUTED with a witness, or UNKNOWN with the gap.

    Raises UnsupportedError TL0204, CheckerError TL05xx, CertificateError TL06xx, OutOfTime.
    """
    if not isinstance(prop, RangeProperty):
        raise TypeError(f"a range property is needed, not {type(prop).__name__}")
    budget = context.budget
    program = context.program
    if program.inputs == 0:
        raise UnsupportedError("TL0203", "the model has no input element that could lie in the box")
    executions = Executions(context.model, context.graph, context.front)
    box = _region(prop, program.inputs)
    program = program_on(context, prop, program, [box])
    forms = _forms(prop, int(program.outputs.size))
    goals = [Goal(forms, (box,))]
    known = context.memory.recall()
    with context.memory.timed():
        witness = _replayed(program, executions, prop, box, known)
    started = time.monotonic()
    if witness is not None:
        prospect = by_intervals(program, goals, semantics_of(prop), budget)
    elif known.boxes:
        prospect = with_known_scripts(by_intervals(program, goals, semantics_of(prop), budget), known)
    else:
        prospect = forecast(program, goals, semantics_of(prop), budget)
    seconds = {"bound": time.monotonic() - started}
    bounds = _bounds(prospect, program.outputs)
    claimed, sampled = _claimed(prop, int(program.outputs.size)), sampled_outputs(executions, box, budget)
    shown = _Shown(context, prop, executions, goals, bounds, claimed, sampled)
    if witness is None and bool(prospect.forecasts[0].accepted[0]):
        return shown.asked(prospect, seconds)
    started = time.monotonic()
    search = outside(context, program, executions, prop, forms, box, bounds)
    witness = witness or search.quick()
    by: tuple[Use, ...] = ()
    if witness is None:
        witness, by = search.suggested()
    seconds["search"] = time.monotonic() - started
    if witness is not None:
        return shown.refuted(witness, by, seconds)
    started = time.monotonic()
    by_phases = _by_phases(program, goals, prop, budget)
    seconds["bound"] += time.monotonic() - started
    if by_phases is not None:
        return shown.asked(by_phases, seconds)
    started = time.monotonic()
    try:
        witness = search.thorough()
    except OutOfTime:
        witness = None
    seconds["search"] += time.monotonic() - started
    if witness is not None:
        return shown.refuted(witness, (), seconds)
    return replace(
        shown.undecided,
        found=_undecided_text(bounds),
        next_steps="use wider output bounds or a smaller input region; no input outside the bounds was found",
        seconds=seconds,
    )


@dataclass(frozen=True, eq=False)
class _Shown:
    """What the evidence shows beside Lean's answer."""

    context: PropertyContext
    prop: RangeProperty
    executions: Executions
    goals: Sequence[Goal]
    bounds: dict[str, tuple[str, ...]] | None
    claimed: dict[str, tuple[str, ...]]
    sampled: Sampled | None

    @property
    def undecided(self) -> Evidence:
        """UNKNOWN, to be filled in."""
        return Evidence(
            verdict=Verdict.UNKNOWN,
            claim=claim(self.prop),
            semantics=self.prop.chosen_semantics,
            found="",
            bounds=self.bounds,
            claimed=self.claimed,
            sampled=self.sampled,
            runtime=runtime_line(self.prop, self.executions),
        )

    def refuted(self, witness: Witness, by: tuple[Use, ...], seconds: Mapping[str, float]) -> Evidence:
        """REFUTED. by: the falsifier of an extension that gave the witness."""
        self.context.memory.broken({0: from_hex_all(witness.input)})
        return replace(
            self.undecided,
            verdict=Verdict.REFUTED,
            found=witness.violation,
            extensions=by,
            witnesses=(witness,),
            runtime=_witness_line(self.prop),
            next_steps="widen the output bounds, or find out why the model leaves them at this input",
            seconds=seconds,
        )

    def asked(self, prospect: Prospect, seconds: Mapping[str, float]) -> Evidence:
        """PROVED where Lean accepts, UNKNOWN where it runs out of time. Raises as `prove` does."""
        started = time.monotonic()
        evidence = self.undecided
        try:
            proof = prove(self.context, self.prop, self.executions, prospect, whole=True)
        except CheckerError as error:
            if error.code != OUT_OF_TIME:
                raise
            found, next_steps = unfinished(self.prop)
            seconds = {**seconds, "lean": time.monotonic() - started}
            return replace(evidence, found=found, next_steps=next_steps, seconds=seconds)
        self.context.memory.proved(proved_boxes(prospect, proof, numbered(self.goals)))
        return replace(
            evidence,
            verdict=Verdict.PROVED,
            found=_proved_text(prospect, self.bounds),
            assurance=proof.assurance,
            theorem=proof.theorem,
            lean=proof.lean,
            seconds={**seconds, **proof.seconds},
            effort=proof.effort,
            details=(proof.guard_line,),
            trust=trust_of(self.context, proof),
        )


def _by_phases(
    program: Program, goals: Sequence[Goal], prop: RangeProperty, budget: Budget
) -> Prospect | None:
    """What Lean will accept once the box is split by ReLU phases; None where that does not suffice."""
    backstop = replace(budget, deadline=time.monotonic() + _SHARE_FOR_PHASES * budget.left)
    (goal,) = goals
    try:
        trees = cases_by_phases(program, {0: (goal.forms, goal.boxes[0])}, backstop, 1)
        if not trees:
            return None
        prospect = forecast(program, goals, semantics_of(prop), backstop, [[trees[0]]])
    except OutOfTime:
        return None
    return prospect if bool(prospect.forecasts[0].accepted[0]) else None


def _proved_text(prospect: Prospect, bounds: dict[str, tuple[str, ...]] | None) -> str:
    if bounds is None:
        return "the outputs stay within the claimed bounds"
    if prospect.by_intervals:
        return _range_text("the outputs stay within", bounds)
    return _range_text("the outputs stay within the claimed bounds; intervals alone give", bounds)


def _witness_line(prop: RangeProperty) -> str:
    exactly = "" if prop.chosen_semantics == "binary32" else " and in exact arithmetic"
    return f"the witness breaks the claim on onnxruntime and on the evaluator{exactly}"


def _region(prop: RangeProperty, inputs: int) -> RationalBox:
    lower = elements(prop.input.lower, inputs, what="input.lower", span=prop.span)
    upper = elements(prop.input.upper, inputs, what="input.upper", span=prop.span)
    for low, high in zip(lower, upper, strict=True):
        if low > high:
            raise SpecError("TL0318", f"the input box is empty: {low} > {high}", span=prop.span)
    return RationalBox(lower, upper)


def _forms(prop: RangeProperty, outputs: int) -> Forms:
    lower, upper = prop.output.lower, prop.output.upper
    return bound_forms(
        None if lower is None else elements(lower, outputs, what="output.lower", span=prop.span),
        None if upper is None else elements(upper, outputs, what="output.upper", span=prop.span),
        outputs,
        prop.strict,
    )


def _claimed(prop: RangeProperty, outputs: int) -> dict[str, tuple[str, ...]]:
    sides = {"lower": prop.output.lower, "upper": prop.output.upper}
    return {
        side: tuple(map(str, elements(bound, outputs, what=f"output.{side}", span=prop.span)))
        for side, bound in sides.items()
        if bound is not None
    }


def _bounds(prospect: Prospect, outputs: NDArray[np.int64]) -> dict[str, tuple[str, ...]] | None:
    """Exact bounds of every output over the region, as forecast; None where there are none."""
    found = prospect.output_bounds(outputs)
    if found is None:
        return None
    low, high = found
    scale = prospect.emission.certificate.scale
    return {
        "lower": tuple(str(bound) for bound in exact_bounds(scale, low)),
        "upper": tuple(str(bound) for bound in exact_bounds(scale, high)),
    }


def _undecided_text(bounds: dict[str, tuple[str, ...]] | None) -> str:
    if bounds is None:
        return "intervals give no bounds: in them an operation may overflow, or divide by 0"
    return _range_text("interval bounds only show that the outputs stay within", bounds)


def _range_text(lead: str, bounds: dict[str, tuple[str, ...]]) -> str:
    least = min(Fraction(bound) for bound in bounds["lower"])
    most = max(Fraction(bound) for bound in bounds["upper"])
    return f"{lead} [{decimal(least)}, {decimal(most)}]"


def _replayed(
    program: Program, executions: Executions, prop: RangeProperty, box: RationalBox, known: Known
) -> Witness | None:
    """A witness of an earlier run that is one again."""
    for point in recalled_points(known, (0,), program.inputs).values():
        return replayed(prop, executions, box, point, lambda outputs: violation(prop, outputs, None))
    return None
