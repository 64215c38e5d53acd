"""`check: invariant` and `lyapunov`: what a step of a closed loop must not do is searched for and excluded as
the unsafe set of a VNN-LIB file is."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from pytest_torchlean.ir.names import quoted
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.loops import Loop
from pytest_torchlean.properties.nonlinear_loops import NonlinearLoop, closed_loop_of
from pytest_torchlean.properties.reaching import Run, Wording, decide_run
from pytest_torchlean.properties.shipped import require_shipped
from pytest_torchlean.spec.model import InvariantProperty, LoopProperty, LyapunovProperty, PropertySpec
from pytest_torchlean.verdict import Evidence, Verdict

MOST_CASES = 64
"""Parts of one box that get bounds of their own; forms are carried through far more."""
MOST_ROWS = 16
"""Inequalities that are bounded together: parts of a box that suffice for some are not cut for the others."""

_MOST_NAMES = 12


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED, REFUTED with a witness, or UNKNOWN with what is missing.

    Raises SpecError TL0317, TL0318, TL0361, TL0362, UnsupportedError TL0204, TL0290, TL0363, CheckerError
    TL05xx, CertificateError TL06xx, OutOfTime.
    """
    if not isinstance(prop, LoopProperty):
        raise TypeError(f"a property of a closed loop is needed, not {type(prop).__name__}")
    started = time.monotonic()
    executions, other = Executions(context.model, context.graph, context.front), context.other
    second = None if other is None else Executions(other.model, other.graph, other.front)
    loop = closed_loop_of(prop, executions, second)
    if isinstance(loop, NonlinearLoop):
        return _with_wiring(_decided(context, prop, loop, started), context, loop)
    joined, words, digests = loop.executions, _wording(loop), context.other_digests
    own = Run(context, prop, joined.program, joined, loop.unsafe, words, MOST_CASES, MOST_ROWS, digests)
    evidence = decide_run(own, started)
    if evidence.verdict is Verdict.PROVED:
        evidence = replace(evidence, trust=(*evidence.trust, assumed(prop)))
    return _with_wiring(evidence, context, loop)


def _with_wiring(evidence: Evidence, context: PropertyContext, loop: Loop | NonlinearLoop) -> Evidence:
    """The evidence with what each input of a model that gives the dynamics takes: inputs of one size that
    stand in another order look the same to every check."""
    if context.other is None:
        return evidence
    graph, taken, start = context.other.graph, [], 0
    for name in graph.inputs:
        end = start + graph.types[name].size
        parts = (("state", loop.states[start:end]), ("control", _from(loop.controls, start, end, loop)))
        given = " and ".join(f"the {kind} {_listed(names)}" for kind, names in parts if names)
        taken.append(f"{quoted(name)} takes {given}")
        start = end
    return replace(evidence, details=(*evidence.details, f"inputs of the dynamics: {'; '.join(taken)}"))


def _from(controls: Sequence[str], start: int, end: int, loop: Loop | NonlinearLoop) -> Sequence[str]:
    """The controls among the elements from `start` to `end`, states first."""
    states = len(loop.states)
    return controls[max(start - states, 0) : max(end - states, 0)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")


def _decided(context: PropertyContext, prop: LoopProperty, loop: NonlinearLoop, started: float) -> Evidence:
    """The verdict about a graph that computes the monomials of what is compared."""
    executions = loop.executions
    own = replace(context, graph=executions.graph, front=None)
    words, digests = _nonlinear_wording(loop), context.other_digests
    asked = Run(own, prop, own.program, executions, loop.unsafe, words, MOST_CASES, MOST_ROWS, digests)
    evidence = decide_run(asked, started)
    require_shipped(evidence, loop.shipped, loop.unsafe.cases[0].box)
    if evidence.verdict is Verdict.PROVED:
        evidence = replace(evidence, trust=(*evidence.trust, assumed(prop), MULTIPLIED_OUT))
    return evidence


MULTIPLIED_OUT = (
    "What the claim compares was multiplied out in exact arithmetic into a sum of monomials of the state, "
    "the control and functions of them. The theorem is about a graph that computes these monomials behind "
    "the model; that Lean is given this graph is checked against onnxruntime, node by node."
)


_SYSTEM = re.compile(r"The (expressions are|model `[^`]*` is) the system: ")


def says_what_the_system_is(line: str) -> bool:
    """Whether a sentence of the ledger is one that `assumed` gives."""
    return _SYSTEM.match(line) is not None


def assumed(prop: LoopProperty) -> str:
    """What the claim takes for granted about the system, as a sentence of the ledger."""
    if isinstance(prop.dynamics, str):
        return _assumed_of_model(prop)
    if isinstance(prop, LyapunovProperty) and prop.time == "continuous":
        return (
            "The expressions are the system: the state's derivatives by time are their exact values at "
            "the state and the exact value of the model for it, plus the stated disturbance, and solutions "
            "exist. Nothing is claimed of a system that moves otherwise, or of a control that is held or "
            "changed on its way."
        )
    computed = (
        "whatever any binary32 execution of the model gives"
        if prop.chosen_semantics == "binary32"
        else "the exact value of the model"
    )
    return (
        f"The expressions are the system: the next state is their exact value at the state and {computed} "
        "for it, plus the stated disturbance. Nothing is claimed of a system that moves otherwise, or of a "
        "control that is changed on its way."
    )


def _assumed_of_model(prop: LoopProperty) -> str:
    """The same where a model gives the dynamics."""
    if isinstance(prop, LyapunovProperty) and prop.time == "continuous":
        return (
            f"The model `{prop.dynamics}` is the system: the state's derivatives by time are its exact value "
            "for the state and the exact value of the controller, plus the stated disturbance, and solutions "
            "exist. Nothing is claimed of a system that moves otherwise, or of a control that is held or "
            "changed on its way."
        )
    computed = (
        "whatever any binary32 execution of it gives for the state and for what any binary32 execution of "
        "the controller gives"
        if prop.chosen_semantics == "binary32"
        else "its exact value for the state and the exact value of the controller"
    )
    return (
        f"The model `{prop.dynamics}` is the system: the next state is {computed}, plus the stated "
        "disturbance. Nothing is claimed of a system that moves otherwise, or of a control that is changed "
        "on its way."
    )


def _wording(loop: Loop) -> Wording:
    prop = loop.prop
    states, controls = ", ".join(loop.states), ", ".join(loop.controls)
    names = f"a witness lists the state {states}; outputs are the control {controls}, then the state"
    if isinstance(prop.dynamics, str):
        count = len(loop.controls) - len(loop.states)
        first, then = (", ".join(part) for part in (loop.controls[:count], loop.controls[count:]))
        names = f"a witness lists the state {states}; outputs are the control {first}, the next state {then}"
        names += ", then the state"
    undecided = "state a smaller region or a longer `timeout`; no step that breaks the claim was found"
    if isinstance(prop, InvariantProperty):
        return Wording(
            "no step leads out of the region",
            "replay the witness; then state another region, or change the controller",
            undecided,
            (names, *_alone(loop), _again(loop)),
            loop.broken,
        )
    assert isinstance(prop, LyapunovProperty)
    proved = "outside the ball the function is positive and every step lowers it"
    proved += f" by at least {prop.decrease}" if prop.decrease else ""
    notes = [names, *_alone(loop)]
    if prop.level is not None:
        proved += f" from where it is at most {prop.level}; no step leaves those states"
        notes.append(_again(loop))
    return Wording(
        proved,
        "replay the witness; then try another `function`, a larger `ball` or a smaller region",
        undecided + "; a larger `ball` is easier",
        tuple(notes),
        loop.broken,
    )


def _nonlinear_wording(loop: NonlinearLoop) -> Wording:
    prop = loop.prop
    shown = ", ".join(loop.outputs[:12]) + (", ..." if len(loop.outputs) > 12 else "")
    off = ", then the disturbances" if prop.disturbance else ""
    notes = [
        f"a witness lists the state {', '.join(loop.states)}{off}; outputs are the monomials {shown}",
        f"the graph that computes them, written as ONNX, has sha256 {loop.sha256}",
    ]
    undecided = "state a smaller region or a longer `timeout`; no state that breaks the claim was found"
    if isinstance(prop, InvariantProperty):
        return Wording(
            "no step leads out of the region",
            "replay the witness; then state another region, or change the controller",
            undecided,
            (*notes, "the next state lies in the region again, so the claim holds for any number of steps"),
            loop.broken,
        )
    assert isinstance(prop, LyapunovProperty)
    continuous = prop.time == "continuous"
    proved = "outside the ball the function is positive and " + (
        "falls" if continuous else "every step lowers it"
    )
    proved += f" by at least {prop.decrease}" if prop.decrease else ""
    if prop.level is not None:
        proved += f" from where it is at most {prop.level}; "
        proved += "no solution leaves those states" if continuous else "no step leaves those states"
    return Wording(
        proved,
        "replay the witness; then try another `function`, a larger `ball` or a smaller region",
        undecided + "; a larger `ball` is easier",
        tuple(notes),
        loop.broken,
    )


def _alone(loop: Loop) -> tuple[str, ...]:
    """A line where no choice of the control could break the claim."""
    return (ALONE,) if loop.alone else ()


ALONE = (
    "the expressions alone exclude every way to break the claim, whatever the control: what Lean is given "
    "instead is that no state of the region lies outside of it"
)


def _again(loop: Loop) -> str:
    """Whether the claim about one step repeats for the next one, in words.

    The state that the model is given is a binary32 number: the next state, rounded to nearest.
    """
    if loop.prop.chosen_semantics == "real":
        return "the next state lies in the region again, so the claim holds for any number of steps"
    if isinstance(loop.prop.dynamics, str) and not any(loop.disturbance):
        return "the next state is again one that the claim speaks of, so it holds for any number of steps"
    only_box = isinstance(loop.prop, InvariantProperty) and not loop.constraints
    if only_box:
        return (
            "the next state, rounded to binary32, is again one that the claim speaks of, so it holds for any "
            "number of steps"
        )
    if all(width >= _rounding(loop, place) for place, width in enumerate(loop.disturbance)):
        return (
            "the claim holds for any number of steps if the `disturbance` covers the rounding of the state "
            "to binary32, 2^-24 of its size, besides what the expressions leave out"
        )
    return (
        "the claim is about one step from any state; that it repeats for the next one needs a `disturbance` "
        "of at least the rounding of the state to binary32, 2^-24 of its size"
    )


def _rounding(loop: Loop, place: int) -> Fraction:
    """The largest error of rounding a number of the region to the nearest binary32 number."""
    size = max(abs(loop.lower[place]), abs(loop.upper[place]))
    return max(size * Fraction(1, 2**24), Fraction(1, 2**150))
