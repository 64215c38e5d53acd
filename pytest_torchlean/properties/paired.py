"""`check: equivalent`, `monotone` and `lipschitz`: what must not happen in a joint graph is searched for and
excluded as the unsafe set of a VNN-LIB file is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from pytest_torchlean.bounds.work import Work, costs_of
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.errors import CertificateError, UnsupportedError
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.pairs import Pair, PairProperty, pair_of
from pytest_torchlean.properties.reaching import Run, Wording, decide_run, foreseen
from pytest_torchlean.properties.unsafe import questions
from pytest_torchlean.spec.model import EquivalentProperty, LipschitzProperty, MonotoneProperty, PropertySpec
from pytest_torchlean.spec.vnnlib import UnsafeSet
from pytest_torchlean.verdict import Evidence, Verdict

MOST_CASES = 64
"""Cases of one box that get bounds of their own; forms are carried through far more parts."""

_SHARE_FOR_LOOSER = 0.5
"""Of the time that is left where nothing was decided."""
_FINEST = 16
"""The smallest slack that is tried is 2^-16."""


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED, REFUTED with a witness, or UNKNOWN with what is missing.

    Raises SpecError TL0317, TL0318, TL035x, UnsupportedError TL0203, TL0204, CheckerError TL05xx,
    CertificateError TL06xx, OutOfTime.
    """
    started = time.monotonic()
    first = Executions(context.model, context.graph, context.front)
    other = context.other
    second = None if other is None else Executions(other.model, other.graph, other.front)
    pair = pair_of(prop, first, second)
    own = Run(
        context,
        prop,
        pair.executions.program,
        pair.executions,
        pair.unsafe,
        _wording(pair, context),
        MOST_CASES,
        digests=context.other_digests,
    )
    evidence = decide_run(own, started)
    if evidence.verdict is Verdict.UNKNOWN:
        words = _smallest(own, pair, lambda looser: pair_of(looser, first, second).unsafe)
        return replace(evidence, found=evidence.found + words)
    if evidence.verdict is Verdict.PROVED and other is not None:
        line = (
            f"The theorem's graph holds the weights of both files, {context.model.sha256} and "
            f"{other.model.sha256}; each was read once, compared node "
            "by node, and run in a session of its own."
        )
        evidence = replace(evidence, trust=(*evidence.trust, line))
    return evidence


def _smallest(own: Run, pair: Pair, unsafe_of: Callable[[PropertySpec], UnsafeSet]) -> str:
    """The smallest of some looser claims for which a certificate is foreseen, in words; Lean is not asked."""
    candidates = _looser(pair.prop)
    granted, costs = _SHARE_FOR_LOOSER * own.context.seconds, costs_of(own.program)
    work = Work(granted)
    first, last, best = 0, len(candidates), None
    while first < last and own.context.seconds_left > 0 and work.take(costs.search + costs.certificate):
        middle = (first + last) // 2
        loose = candidates[middle]
        unsafe = unsafe_of(loose)
        context = replace(own.context, seconds=granted)
        asked = questions(unsafe)
        goals = [Goal(question.forms, (question.box,)) for question in asked]
        tried = replace(own, context=context, prop=loose, unsafe=unsafe, seconds={})
        try:
            prospect, _ = foreseen(tried, asked, goals)
        except (CertificateError, UnsupportedError):
            break
        if prospect is None:
            first = middle + 1
        else:
            last, best = middle, loose
    if best is None:
        return ""
    key, value = (
        ("tolerance", best.tolerance) if isinstance(best, EquivalentProperty) else ("slack", best.slack)
    )
    return f"; with `{key}: {value}` a certificate is foreseen, though Lean was not asked"


def _looser(prop: PairProperty) -> list[PairProperty]:
    """The claim with larger allowances, the smallest first."""
    if isinstance(prop, EquivalentProperty):
        tolerance = prop.tolerance
        if not isinstance(tolerance, Fraction) or tolerance == 0:
            return []
        return [replace(prop, tolerance=tolerance * 2**power) for power in range(1, 9)]
    slacks = [Fraction(1, 2**power) for power in range(_FINEST, -1, -1)]
    return [replace(prop, slack=slack) for slack in slacks if slack > prop.slack]


def _wording(pair: Pair, context: PropertyContext) -> Wording:
    prop, notes = pair.prop, []
    if isinstance(prop, EquivalentProperty):
        assert context.other is not None
        notes.append(f"`{prop.to}`: sha256 {context.other.model.sha256}")
        proved = "all outputs agree within the tolerance" if prop.tolerance is not None else _same_class(prop)
        refuted = "replay the witness; then widen the tolerance, or find out which model is right"
        undecided = "state a smaller input region, a wider tolerance or a longer `timeout`"
    elif isinstance(prop, MonotoneProperty):
        notes.append(f"a witness lists the input, then the steps of {_listed(pair.along)} in this order")
        proved = f"no output {'falls' if prop.direction == 'nondecreasing' else 'rises'} beyond the slack"
        refuted = "replay the witness; then allow a `slack`, or train the model to be monotone"
        undecided = "state a smaller input region, a larger `slack` or a longer `timeout`"
    else:
        notes.append(f"a witness lists an input and then the step to the other one in {_listed(pair.along)}")
        proved = f"outputs move by at most {prop.constant} times the distance of their inputs"
        proved += f", plus {prop.slack}" if prop.slack else ""
        refuted = "replay the witness; then claim a larger `constant`"
        undecided = "state a smaller input region, a larger `slack` or a longer `timeout`"
    if not isinstance(prop, EquivalentProperty) and prop.chosen_semantics == "binary32":
        notes.append(
            "the other input is the input plus a binary32 step, rounded once; its distance is the step"
        )
    if not isinstance(prop, EquivalentProperty) and prop.slack == 0:
        undecided += _zero_slack(prop)
    undecided += "; nothing that breaks the claim was found"
    return Wording(proved, refuted, undecided, tuple(notes), pair.broken)


def _same_class(prop: EquivalentProperty) -> str:
    """With margin 0 a tie of the model's classes is allowed, so that its class may be another one there."""
    if prop.margin:
        return f"wherever a class of `{prop.to}` leads by {prop.margin}, it comes first in the model"
    return f"wherever a class of `{prop.to}` leads, no other class beats it in the model"


def _zero_slack(prop: MonotoneProperty | LipschitzProperty) -> str:
    if prop.chosen_semantics == "binary32":
        return ". With `slack` 0 roundings alone break the claim for most models: give one, or claim `real`"
    return ". With `slack` 0 nothing is left for bounds that are not exact: give a small one"


def _listed(numbers: Sequence[int]) -> str:
    return f"input{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
