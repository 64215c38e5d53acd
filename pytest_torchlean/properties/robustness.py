"""`check: robustness`: no point of the ball around a listed input, cut to the domain, changes its class."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.balls import (
    Search,
    classified_right,
    concluded,
    falsify_rows,
    forecast_rows,
    margins_of,
)
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.linear import first_cases
from pytest_torchlean.properties.listed import box_around, listed_inputs
from pytest_torchlean.properties.proving import semantics_of
from pytest_torchlean.properties.seen import histogram
from pytest_torchlean.spec.model import PropertySpec, RobustnessProperty
from pytest_torchlean.verdict import Evidence


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """PROVED when the proved share of all listed inputs reaches `at_least`; see DESIGN section 2.

    Raises DataError TL04xx, UnsupportedError TL0204, CheckerError TL05xx, CertificateError TL06xx,
    OutOfTime.
    """
    if not isinstance(prop, RobustnessProperty):
        raise TypeError(f"a robustness property is needed, not {type(prop).__name__}")
    started = time.monotonic()
    budget = context.budget
    program = context.program
    executions = Executions(context.model, context.graph, context.front)
    listed = listed_inputs(context, prop, program)
    right = classified_right(program, executions, prop, listed)
    boxes = {row: box_around(prop, listed, row) for row in np.flatnonzero(right).tolist()}
    outlook, search, seconds = None, Search({}, ()), {"bound": time.monotonic() - started}
    pictured = None
    if boxes:
        margins = margins_of(program, listed, boxes)
        pictured = histogram(margins.least.min(axis=1))
        by_intervals = [row for row, fine in zip(boxes, margins.looks_provable, strict=True) if fine]
        classes = int(program.outputs.size)
        goals = {
            row: (margin_forms(int(listed.labels[row]), classes), boxes[row])
            for row in boxes.keys() - set(by_intervals)
        }
        trees = first_cases(program, dict(sorted(goals.items())), budget)
        candidates = sorted([*by_intervals, *trees])
        outlook = forecast_rows(program, listed, boxes, candidates, trees, semantics_of(prop), budget)
        seconds["bound"] = time.monotonic() - started
        provable = frozenset() if outlook is None else outlook.provable
        unproved = [row for row in boxes if row not in provable]
        search = falsify_rows(
            program, executions, prop, listed, boxes, unproved, margins.open_classes(), budget
        )
        seconds["search"] = time.monotonic() - started - seconds["bound"]
    every = frozenset(boxes)
    evidence, _ = concluded(context, prop, executions, listed, right, outlook, every, search, seconds)
    return replace(evidence, margins=pictured)
