"""What Lean and a search say about listed balls, counted: verdict, words, the inputs behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.errors import CertificateError, CheckerError, TorchleanError
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.balls import Outlook, Search, breaking
from pytest_torchlean.properties.claims import claim
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.ledger import runtime_line, trust_of
from pytest_torchlean.properties.levels import unfinished
from pytest_torchlean.properties.listed import Listed
from pytest_torchlean.properties.proving import OUT_OF_TIME, Proof, prove
from pytest_torchlean.properties.recalled import proved_boxes
from pytest_torchlean.spec.model import RobustnessProperty
from pytest_torchlean.verdict import Counts, Evidence, Problem, Verdict, Witness

MOST_WITNESSES = 16
"""Witnesses kept in the evidence; the counts cover all of them."""


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
            proof = prove(context, prop, executions, outlook.prospect, whole=False)
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
