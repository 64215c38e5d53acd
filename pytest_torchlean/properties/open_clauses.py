"""Clauses that need a search, parted from those of the same box that backward rows prove at once.

In a large model every form that is carried back costs, in each case by ReLU phases again: cases are for the
forms that need them. Rows behind convolutions cost, too: they are for the forms that need them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.interval import Float64
from pytest_torchlean.bounds.phase_tree import search
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.stated import stated
from pytest_torchlean.certificate.boxes import all_float_bounds
from pytest_torchlean.properties.curved_phases import is_curved
from pytest_torchlean.properties.linear import slot_rows
from pytest_torchlean.properties.unsafe import Question, safe_forms
from pytest_torchlean.spec.vnnlib import UnsafeSet

_SLOTS = range(4000, 24_000)
"""Models for which forms are counted, and cases by phases are sought."""
_SURE = 1e-2
"""By how much rows must prove a clause in binary64; rows are scaled to a largest coefficient of 1."""
_FEW_CASES = 128
"""Cases tried for all open clauses together: each part costs Lean what comes before its cases again."""
_WITHOUT_CASES = replace(crown.STATED, at_positions=False)
"""Bounds as a certificate without cases states them."""


def parted(program: Program, unsafe: UnsafeSet, asked: Sequence[Question]) -> tuple[Question, ...]:
    """The questions; of a large model those about several clauses in parts: clauses that rows prove together,
    and the others, one by one where more than a few cases are needed for all of them: a tree of cases for one
    clause has far fewer than a tree for all.
    """
    if program.size not in _SLOTS or is_curved(program):
        return tuple(asked)
    return tuple(own for question in asked for own in _parted(program, unsafe, question))


def _parted(program: Program, unsafe: UnsafeSet, question: Question) -> Iterator[Question]:
    lower, upper = all_float_bounds([question.box])
    if len(question.cases) == 1 or not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        yield question
        return
    groups = [group for group in _groups(program, question, lower, upper) if group.any()]
    if len(groups) == 1:
        yield question
        return
    for chosen in groups:
        cases = tuple(case for case, own in zip(question.cases, chosen.tolist(), strict=True) if own)
        yield Question(question.box, safe_forms(cases, unsafe.inputs, unsafe.outputs), cases)


def _groups(
    program: Program, question: Question, lower: Float64, upper: Float64
) -> Iterator[NDArray[np.bool_]]:
    """Which clauses, bool (clauses,), are asked together; each is in one group. lower, upper: (1, inputs)."""
    rows, alternatives = slot_rows(program, question.forms), question.forms.alternatives
    bounds = crown.bound(program, lower, upper, _WITHOUT_CASES)
    quick = _best(crown.minimum(bounds, rows), alternatives) > _SURE
    yield quick
    if quick.all():
        return
    known = stated(program, lower[0], upper[0], rows, alternatives)
    served = ~quick & (_best(known.least, alternatives) > _SURE)
    # of a model without convolutions a certificate states these rows in any case
    proved = served if program.at_positions else np.zeros_like(served)
    yield proved
    still = ~(quick | proved)
    chosen = rows[np.repeat(still, alternatives)]
    if still.any() and search(known.bounds, chosen, alternatives, most=_FEW_CASES, slack=_SURE).tree is None:
        for place in np.flatnonzero(still):
            yield np.arange(still.size) == place
    else:
        yield still


def _best(least: Float64, alternatives: int) -> Float64:
    """A lower bound of each clause, float64 (clauses,): that of its best row."""
    best: Float64 = least.reshape(-1, alternatives).max(axis=1)
    return best
