"""What the cache knows about balls around listed inputs, put to the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_torchlean.bounds.program import Program
from pytest_torchlean.cache.known import Known
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.plan import Goal
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.properties.balls import Outlook, breaking
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.listed import Listed
from pytest_torchlean.properties.recalled import recalled_points, recalled_prospect, replayed
from pytest_torchlean.spec.model import RobustnessProperty
from pytest_torchlean.verdict import Witness


def recalled_witnesses(
    prop: RobustnessProperty,
    executions: Executions,
    listed: Listed,
    boxes: Mapping[int, RationalBox],
    known: Known,
) -> dict[int, Witness]:
    """The rows whose known points break the property again. ValueError where a point fits no input."""
    found = {}
    for row, point in sorted(recalled_points(known, boxes.keys(), listed.inputs.shape[1]).items()):
        witness = replayed(
            prop,
            executions,
            boxes[row],
            point,
            breaking(prop, listed, row),
            index=listed.positions[row],
            reference=listed.inputs[row],
        )
        if witness is not None:
            found[row] = witness
    return found


def recalled_rows(
    program: Program,
    listed: Listed,
    boxes: Mapping[int, RationalBox],
    rows: Sequence[int],
    semantics: Semantics,
    known: Known,
    radii: Mapping[int, int] | None = None,
) -> Outlook:
    """The rows as Lean is asked about them, one goal per class, with known scripts. There must be a row.

    Raises CertificateError TL0602 where the entry does not fit.
    """
    classes = sorted({int(listed.labels[row]) for row in rows})
    members = tuple(tuple(row for row in rows if listed.labels[row] == label) for label in classes)
    goals = [
        Goal(margin_forms(label, int(program.outputs.size)), tuple(boxes[row] for row in own))
        for label, own in zip(classes, members, strict=True)
    ]
    prospect = recalled_prospect(program, goals, semantics, known, members)
    return Outlook(prospect, members, frozenset(rows), dict(radii or {}))
