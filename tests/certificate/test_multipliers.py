"""Multipliers of split bounds: Lean computes the same rows, and they prove what rows without them do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from certificate_examples import points_of, slots_of
from mutants.phases import EITHER, phases, proof
from relaxation_examples import Stage, accepted, agrees, applied, chain, emission_of, stages

from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.relaxation import relax, tightened
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.substitution import (
    MultiplierData,
    MultiplyData,
    RelaxationData,
    ThroughData,
)
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall

WIDTHS = ((3, 4, 2), (2, 5, 4, 3))


def last(seed: int, widths: tuple[int, ...], semantics: Semantics = Semantics.REAL) -> tuple[Emission, Stage]:
    emission = emission_of(chain(seed, *widths), semantics=semantics)
    *_, stage = stages(emission)
    return emission, stage


def with_multipliers(stage: Stage, seed: int) -> RelaxationData:
    """Both bounds of the last node's results, with some multipliers of both signs at every ReLU."""
    rng = np.random.default_rng(seed)
    goals = np.arange(2 * stage.box.lower[stage.passed[-1].start :].size)
    chosen = {
        start: rng.choice([-0.75, 0.0, 0.0, 0.0, 0.5], (goals.size, own.lower.size))
        for start, own in stage.slopes().items()
    }
    return relax(stage.box, stage.passed, stage.slopes(), goals, chosen).data


def multiply_link(rows: RelaxationData) -> int:
    return next(place for place, link in enumerate(rows.links) if isinstance(link, MultiplyData))


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("seed", range(4))
def test_any_multipliers_are_sound(seed: int, widths: tuple[int, ...]) -> None:
    emission, stage = last(seed, widths)
    rows = with_multipliers(stage, seed)
    assert rows.links[multiply_link(rows)].multipliers
    lower, upper, fits = tightened(stage.box, stage.passed, rows)
    assert fits
    for point in points_of(emission.claims[0].boxes[0], emission.graph.inputs, seed):
        images = [stage.box.scale.unit * x + stage.box.scale.center for x in slots_of(emission.graph, point)]
        for low, image, high in zip(lower, images, upper, strict=True):
            assert low <= image <= high


def test_lean_computes_the_same_rows(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    """From results that are not bounded yet, so that the rows decide every bound."""
    lines = []
    for seed, widths in enumerate(WIDTHS):
        for semantics in Semantics:
            _, known = last(seed, widths, semantics)
            results = np.arange(len(known.box.lower)) >= known.passed[-1].start
            lower = np.where(results, 0, known.box.lower)
            upper = np.where(results, known.box.scale.top, known.box.upper)
            stage = replace(known, box=replace(known.box, lower=lower, upper=upper))
            rows = with_multipliers(stage, seed)
            lower, upper, fits = tightened(stage.box, stage.passed, rows)
            assert fits
            assert (lower[results] > 0).all()
            after, name = replace(stage.box, lower=lower, upper=upper), f"{seed}_{semantics.name.lower()}"
            same = applied(stage, rows, agrees(after))
            lines.append(f"theorem same{name} : ({same}) = true := by decide +kernel")
            lower[-1] -= 1
            other = applied(stage, rows, agrees(replace(after, lower=lower)))
            lines.append(f"theorem other{name} : ({other}) = false := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)


def changed(rows: RelaxationData, change: Callable[[MultiplyData], Any]) -> RelaxationData:
    links, place = list(rows.links), multiply_link(rows)
    links[place] = change(links[place])
    return replace(rows, links=tuple(links))


def first(change: Callable[[MultiplierData], MultiplierData]) -> Callable[[MultiplyData], MultiplyData]:
    return lambda link: replace(link, multipliers=(change(link.multipliers[0]), *link.multipliers[1:]))


REFUSED: dict[str, Callable[[MultiplyData], Any]] = {
    "a row too many": first(lambda one: replace(one, row=6)),
    "a slot that the rows do not read": first(lambda one: replace(one, place=5)),
    "an amount beyond the bits": first(lambda one: replace(one, amount=one.amount << 20)),
    "fewer bits than needed": lambda link: replace(link, size=link.size - 3),
    "more bits than a digit": lambda link: replace(link, size=1000),
    "a node passed in its place": lambda link: ThroughData(2, 2, 0, 30),
}


def test_lean_refuses_multipliers_that_do_not_fit(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    _, stage = last(5, (2, 5, 4, 3))
    rows = with_multipliers(stage, 1)
    lines = [f"theorem accepted : ({applied(stage, rows, 'true')}) = true := by decide +kernel"]
    for index, change in enumerate(REFUSED.values()):
        wrong = changed(rows, change)
        assert not tightened(stage.box, stage.passed, wrong)[2], index
        lines.append(
            f"theorem refused{index} : ({applied(stage, wrong, 'true')}) = false := by decide +kernel"
        )
    assert accepted(lines, lean, library, tmp_path)


@pytest.mark.parametrize("semantics", Semantics)
def test_a_phase_needs_its_multiplier(semantics: Semantics, ask: Callable[..., CheckResult]) -> None:
    emission = emission_of(phases(), EITHER, Fraction(1), semantics)
    with_both, fine = proof(emission, 10.0, -20.0)
    assert fine
    assert ask(with_both).accepted
    for numbers in ((0.0, -20.0), (10.0, 0.0), (10.0, -10.0)):
        without, fine = proof(emission, *numbers)
        assert not fine
        assert not ask(without).accepted
