"""Between a prospect and what the cache keeps of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pytest_torchlean.bounds.program import Program
from pytest_torchlean.cache.known import Known, KnownBox, KnownProof, point_of
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.binary import Word
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.model import CertificateData, ScriptData
from pytest_torchlean.certificate.plan import Goal, without_scripts
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.states import Forecast
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.properties.executions import Executions, Float32, Violation
from pytest_torchlean.properties.proving import Proof, Prospect, points_of
from pytest_torchlean.spec.model import PropertySpec
from pytest_torchlean.verdict import Witness


def recalled_prospect(
    program: Program,
    goals: Sequence[Goal],
    semantics: Semantics,
    known: Known,
    places: Sequence[Sequence[int]],
) -> Prospect:
    """Goals as this run states them, with the scripts of an earlier one; everything in it is unchecked.

    places: for every goal the place of each of its boxes, all of them in `known`. Raises CertificateError
    TL0602 where the entry does not fit.
    """
    (proof,), boxes = known.proofs, known.boxes
    emission = without_scripts(program, goals, semantics, proof.scale)
    scripts = tuple(tuple(proof.scripts[boxes[place].own] for place in own) for own in places)
    common = tuple((proof.scripts[boxes[own[0]].common],) for own in places)
    emission = replace(emission, certificate=CertificateData(proof.scale, common))
    return Prospect(
        emission, tuple(goals), tuple(map(_accepting, places)), scripts, Account(emission), program
    )


def recalled_goals(
    program: Program, goals: Sequence[Goal], semantics: Semantics, known: Known
) -> Prospect | None:
    """`recalled_prospect` of goals whose boxes are numbered through; None where one is missing."""
    places = numbered(goals)
    if not known.boxes.keys() >= {place for own in places for place in own}:
        return None
    return recalled_prospect(program, goals, semantics, known, places)


def with_known_scripts(prospect: Prospect, known: Known) -> Prospect:
    """A prospect whose intervals were computed anew, with the scripts of an earlier run for its boxes.

    Raises CertificateError TL0602 where these are for other digits.
    """
    (proof,), boxes = known.proofs, known.boxes
    if proof.scale != prospect.emission.certificate.scale:
        raise CertificateError("TL0602", "the cached scripts are for other digits")
    scripts = tuple(
        tuple(
            common if boxes[place].own == boxes[place].common else proof.scripts[boxes[place].own]
            for place in own
        )
        for own, (common,) in zip(
            numbered(prospect.goals), prospect.emission.certificate.scripts, strict=True
        )
    )
    accepting = tuple(map(_accepting, numbered(prospect.goals)))
    return replace(prospect, scripts=scripts, forecasts=accepting)


def numbered(goals: Sequence[Goal]) -> tuple[tuple[int, ...], ...]:
    """A place for every box of every goal, counted through."""
    places, start = [], 0
    for goal in goals:
        places.append(tuple(range(start, start + len(goal.boxes))))
        start += len(goal.boxes)
    return tuple(places)


def proved_boxes(
    prospect: Prospect,
    proof: Proof,
    places: Sequence[Sequence[int]],
    radii: Mapping[int, int] | None = None,
) -> KnownProof:
    """What is worth keeping of a proof: the scripts of the boxes that Lean accepted.

    radii: by place, for a property that tries several.
    """
    scripts: list[ScriptData] = []
    numbers: dict[int, int] = {}

    def number(script: ScriptData) -> Word:
        if id(script) not in numbers:
            numbers[id(script)] = len(scripts)
            scripts.append(script)
        return Word(numbers[id(script)])

    boxes = []
    for goal, box in sorted(proof.proved):
        place = places[goal][box]
        (common,) = prospect.emission.certificate.scripts[goal]
        own = prospect.scripts[goal][box]
        boxes.append(KnownBox(Word(place), Word((radii or {}).get(place, 0)), number(common), number(own)))
    return KnownProof(prospect.emission.certificate.scale, tuple(scripts), tuple(boxes))


def recalled_points(known: Known, wanted: Collection[int], size: int) -> dict[int, Float32]:
    """The points of an entry for these places. ValueError where one is no input of the model."""
    return {point.place: point_of(point, size) for point in known.points if point.place in wanted}


def replayed(
    prop: PropertySpec,
    executions: Executions,
    box: RationalBox,
    point: Float32,
    broken: Violation,
    *,
    index: int | None = None,
    reference: Float32 | None = None,
) -> Witness | None:
    """The point as a witness if it lies in the region and breaks the property in every execution that counts.

    A search never leaves the region; a point from elsewhere may lie anywhere.
    """
    inside = points_of(prop, box, executions.integers)
    if inside is None or not bool(((inside[0] <= point) & (point <= inside[1])).all()):
        return None
    if not np.array_equal(executions.given(point), point):
        return None
    rounded = prop.chosen_semantics == "binary32"
    return executions.witness(point, broken, rounded=rounded, index=index, reference=reference)


def _accepting(places: Sequence[int]) -> Forecast:
    nothing = np.empty((0, len(places)), dtype=object)
    return Forecast(np.ones(len(places), dtype=bool), nothing, nothing, nothing)
