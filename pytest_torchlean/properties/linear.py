"""Second try for boxes that intervals leave open: backward rows, and cuts of the box where inputs are few."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.interval import Float64, evaluate
from pytest_torchlean.bounds.program import ONE_SLOT, AffineNode, Program
from pytest_torchlean.bounds.splitting import Inequalities, Leaf, Tree, leaves, split
from pytest_torchlean.certificate.account import Account, Forecast
from pytest_torchlean.certificate.boxes import RationalBox, to_float
from pytest_torchlean.certificate.forms import Forms, form_patterns
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import ClaimData, DecodingData, ScriptData
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.relaxation import NotRelaxable
from pytest_torchlean.certificate.words import decoding_of

MOST_RELAXED = 48
"""Boxes of one property that get scripts of their own."""
MOST_CASES = 8
"""Cases of one box that go into one theorem."""
_FEW_INPUTS = 16
_SHARE_OF_TIME = 0.3
_MOST_SLOTS = 4000
_SLACK = 1e-6


def hopeful(program: Program, forms: Forms, boxes: Sequence[RationalBox]) -> list[Tree | None]:
    """Per box the cases in which backward rows look sufficient in binary64, None where they do not."""
    if program.size > _MOST_SLOTS or not boxes:
        return [None] * len(boxes)
    rows = _rows(program, forms)
    inequalities = Inequalities(rows, forms.alternatives)
    found: list[Tree | None] = []
    for box in boxes:
        lower, upper = (np.array([to_float(x) for x in side]) for side in (box.lower, box.upper))
        if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
            found.append(None)
            continue
        bounds = crown.bound(program, lower[None], upper[None])
        least = crown.minimum(program, len(program.nodes), rows[None], bounds.low, bounds.high, bounds.lines)
        by_bounds = np.maximum(rows, 0) @ bounds.low[0] + np.minimum(rows, 0) @ bounds.high[0]
        if inequalities.least(np.maximum(least, by_bounds))[0] > -_SLACK:
            found.append(Leaf(lower, upper))
        elif program.inputs <= _FEW_INPUTS and not _broken(program, inequalities, lower, upper):
            cut = split(program, inequalities, lower, upper, most_boxes=2 * MOST_CASES, slack=_SLACK)
            found.append(
                cut.tree if cut.tree is not None and len(list(leaves(cut.tree))) <= MOST_CASES else None
            )
        else:
            found.append(None)
    return found


def _broken(program: Program, inequalities: Inequalities, lower: Float64, upper: Float64) -> bool:
    """Whether the middle of the box already breaks a clause, so that no cut can help."""
    values = evaluate(program, (lower + upper)[None] / 2)
    return bool(inequalities.least(values @ inequalities.rows.T)[0] <= 0)


def improved(
    program: Program,
    account: Account,
    claim: ClaimData,
    goal: Goal,
    seen: Forecast,
    script: ScriptData,
    budget: Budget,
) -> tuple[Forecast, tuple[ScriptData, ...]]:
    """The forecast with rows instead of intervals where these fail, and a script for every box.

    Stops trying when its share of the time or MOST_RELAXED boxes are used up.
    """
    scripts = [script] * len(claim.boxes)
    accepted = seen.accepted.copy()
    open_boxes = np.flatnonzero(~accepted).tolist()[:MOST_RELAXED]
    started = time.monotonic()
    allowed = np.inf if budget.deadline is None else (budget.deadline - started) * _SHARE_OF_TIME
    decodings = _decodings(program)
    forms = decoding_of(form_patterns(goal.forms))
    for index in open_boxes:
        if time.monotonic() - started > allowed:
            break
        (cases,) = hopeful(program, goal.forms, [goal.boxes[index]])
        if cases is None:
            continue
        try:
            own, fine, _ = relaxed_script(account, claim, claim.boxes[index], decodings, forms, cases)
        except NotRelaxable:
            break
        if fine:
            scripts[index], accepted[index] = own, True
    return replace(seen, accepted=accepted), tuple(scripts)


def _rows(program: Program, forms: Forms) -> Float64:
    rows = np.zeros((len(forms.coefficients), program.size))
    largest = max(1, max((abs(int(value)) for value in forms.coefficients.reshape(-1)), default=1))
    for place, slot in enumerate(program.outputs):
        rows[:, slot] += (forms.coefficients[:, place] / largest).astype(np.float64)
    rows[:, ONE_SLOT] += (forms.constants / largest).astype(np.float64)
    return rows


def _decodings(program: Program) -> list[DecodingData]:
    patterns: list[NDArray[np.uint32]] = [
        np.ascontiguousarray(node.weights, dtype=np.float32).view(np.uint32)
        for node in program.nodes
        if isinstance(node, AffineNode)
    ]
    return [decoding_of(words) for words in patterns]
