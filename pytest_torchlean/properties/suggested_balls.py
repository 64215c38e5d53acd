"""Candidates of extensions' falsifiers for the balls of a data set that are neither proved nor refuted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pytest_torchlean.bounds.attack import Wish
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.balls import Search, breaking
from pytest_torchlean.properties.executions import Executions, Float32, Violation
from pytest_torchlean.properties.listed import Listed
from pytest_torchlean.properties.proving import points_of
from pytest_torchlean.properties.suggested import MOST_REGIONS, Replay, first_witness
from pytest_torchlean.spec.model import RobustnessProperty
from pytest_torchlean.verdict import Witness


def with_suggestions(
    context: PropertyContext,
    program: Program,
    executions: Executions,
    prop: RobustnessProperty,
    listed: Listed,
    boxes: Mapping[int, RationalBox],
    rows: Sequence[int],
    search: Search,
) -> Search:
    """The search with witnesses that extensions' candidates are, for rows without one.

    Raises ExtensionError TL1003, TL1004, OutOfTime.
    """
    if not context.extensions.falsifiers:
        return search
    witnesses, by = dict(search.witnesses), list(search.by)
    for row in [row for row in rows if row not in witnesses][:MOST_REGIONS]:
        inside = points_of(prop, boxes[row], executions.integers)
        if inside is None:
            continue
        replay, own = _replay(executions, prop, listed, row), int(listed.labels[row])
        for rival in range(int(program.outputs.size)):
            if rival == own:
                continue
            form = np.zeros((1, program.outputs.size))
            form[0, own], form[0, rival] = 1.0, -1.0
            wish = Wish(*inside, form, None, np.zeros(1))
            found = first_witness(context, program, executions, wish, row, replay)
            if found is not None:
                witnesses[row] = found[0]
                by.append(found[1])
                break
    disagreeing = tuple(row for row in search.disagreeing if row not in witnesses)
    return replace(search, witnesses=witnesses, disagreeing=disagreeing, by=tuple(by))


def _replay(executions: Executions, prop: RobustnessProperty, listed: Listed, row: int) -> Replay:
    broken: Violation = breaking(prop, listed, row)

    def replay(point: Float32) -> Witness | None:
        return executions.witness(
            point,
            broken,
            rounded=prop.chosen_semantics == "binary32",
            index=listed.positions[row],
            reference=listed.inputs[row],
        )

    return replay
