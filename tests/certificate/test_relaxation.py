"""Bounds by backward substitution: they hold, they are tighter, and Lean computes the same ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from certificate_examples import points_of, slots_of
from relaxation_examples import Stage, accepted, agrees, applied, chain, emission_of, stages, with_rows

from pytest_torchlean.certificate import relaxation
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.model import ConcludeScript, Emission, RelaxedData
from pytest_torchlean.certificate.relaxation import tightened
from pytest_torchlean.certificate.rows import Box
from pytest_torchlean.certificate.statement import AffineData, Semantics
from pytest_torchlean.certificate.substitution import BendData, RelaxationData, SkipData, ThroughData
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall

WIDTHS = ((3, 4, 2), (2, 5, 4, 3), (4, 3, 6, 5, 2))


def last(seed: int, widths: tuple[int, ...], semantics: Semantics = Semantics.REAL) -> Stage:
    """After the last affine node of a chain."""
    *_, stage = stages(emission_of(chain(seed, *widths), semantics=semantics))
    return stage


def found(stage: Stage, rows: RelaxationData) -> Box:
    lower, upper, accepted = tightened(stage.box, stage.passed, rows)
    assert accepted
    return Box(stage.box.scale, lower, upper)


def test_bounds_are_tighter_than_those_of_intervals() -> None:
    shares = []
    for seed in range(6):
        stage = last(seed, (2, 5, 4, 3))
        rows = stage.relaxed()
        after = found(stage, rows)
        width, before = after.upper - after.lower, stage.box.upper - stage.box.lower
        shares.append(float(width[rows.start :].sum() / before[rows.start :].sum()))
    assert max(shares) <= 1
    assert sorted(shares)[3] < 0.9


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold(seed: int, widths: tuple[int, ...]) -> None:
    emission = emission_of(chain(seed, *widths))
    *_, stage = stages(emission)
    for slopes in (stage.slopes(), stage.slopes(seed + 1)):
        after = found(stage, stage.relaxed(slopes))
        assert (after.lower >= stage.box.lower).all()
        assert (after.upper <= stage.box.upper).all()
        for point in points_of(emission.claims[0].boxes[0], emission.graph.inputs, seed):
            values = slots_of(emission.graph, point)
            images = [after.scale.unit * value + after.scale.center for value in values]
            for low, image, high in zip(after.lower, images, after.upper, strict=True):
                assert low <= image <= high


Change = Callable[[RelaxationData], RelaxationData]


def with_link(index: int, change: Callable[[Any], Any]) -> Change:
    def changed(rows: RelaxationData) -> RelaxationData:
        links = list(rows.links)
        links[index] = change(links[index])
        return replace(rows, links=tuple(links))

    return changed


REFUSED: dict[str, Change] = {
    "a slope above 1": with_link(1, lambda link: replace(link, lower=link.lower | 257)),
    "more slopes than neurons": with_link(1, lambda link: replace(link, upper=link.upper << 9 | 1)),
    "shorter digits": lambda rows: replace(rows, digit=rows.digit - 16),
    "digits longer than those of the weights": lambda rows: replace(rows, digit=1000),
    "rows too narrow": lambda rows: replace(rows, width=4),
    "coefficients longer than said": with_link(2, lambda link: replace(link, size=link.size - 1)),
    "a smaller shift": with_link(2, lambda link: replace(link, shift=link.shift - 1)),
    "a run that starts later": with_link(0, lambda link: replace(link, first=link.first + 1)),
    "a shorter run": with_link(0, lambda link: replace(link, count=link.count - 1)),
    "no affine node there": with_link(1, lambda link: ThroughData(2, 2, 0, 30)),
    "no ReLU there": with_link(0, lambda link: BendData(8, 0, 0)),
    "a skipped node that is read": with_link(1, lambda link: SkipData()),
    "a link too many": lambda rows: replace(rows, links=(*rows.links, SkipData())),
    "goals beyond the run": lambda rows: replace(rows, goals=rows.goals | 6),
    "goals out of order": lambda rows: replace(rows, goals=rows.goals ^ 1 ^ 1 << 32),
    "another start": lambda rows: replace(rows, start=rows.start - 1),
    "slots that are not written yet": lambda rows: replace(rows, start=rows.start + 1),
}


# --- Lean -------------------------------------------------------------------------------------------


def test_lean_computes_the_same_bounds(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    """Also of a node so wide that Lean multiplies the first columns of a lane at once, in two tiles."""
    lines = []
    for seed, widths in enumerate((*WIDTHS, (1, 1, 1), (3, 17, 9), (2, 70, 34, 2))):
        for semantics in Semantics:
            for kind in (0, 5):
                stage = last(seed, widths, semantics)
                rows = stage.relaxed(stage.slopes(kind))
                after = found(stage, rows)
                name = f"{seed}_{semantics.name.lower()}_{kind}"
                same = applied(stage, rows, agrees(after))
                lines.append(f"theorem same{name} : ({same}) = true := by decide +kernel")
                if after.upper[-1] < stage.box.upper[-1]:
                    after.upper[-1] += 1
                    other = applied(stage, rows, agrees(after))
                    lines.append(f"theorem other{name} : ({other}) = false := by decide +kernel")
    assert sum("theorem other" in line for line in lines) >= 5
    assert accepted(lines, lean, library, tmp_path)


@pytest.mark.parametrize("semantics", Semantics)
def test_few_rows_meet_a_large_node(
    semantics: Semantics, lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    """Lean reverses the rows, not the weights: the bounds are the same."""
    stage = last(8, (2, 140, 130, 2), semantics)
    node = stage.passed[-3].node
    assert isinstance(node, AffineData)
    assert node.rows * node.columns >= 16384
    rows = stage.relaxed()
    after = found(stage, rows)
    lines = [f"theorem same : ({applied(stage, rows, agrees(after))}) = true := by decide +kernel"]
    after.lower[-1] += 1
    lines.append(f"theorem other : ({applied(stage, rows, agrees(after))}) = false := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)


def test_lean_refuses_relaxations_that_do_not_fit(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    stage = last(5, (2, 5, 4, 3))
    rows = stage.relaxed()
    lines = [f"theorem accepted : ({applied(stage, rows, 'true')}) = true := by decide +kernel"]
    for index, change in enumerate(REFUSED.values()):
        changed = applied(stage, change(rows), "true")
        lines.append(f"theorem refused{index} : ({changed}) = false := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)


@pytest.mark.parametrize("semantics", Semantics)
def test_output_bounds_are_proved_as_forecast(semantics: Semantics, ask: Callable[..., CheckResult]) -> None:
    """Lean refuses the smallest bound on a grid that the forecast refuses, and accepts the one below it."""
    network = chain(7, 3, 6, 5, 2)

    def asked(eighths: int) -> tuple[object, bool]:
        forms = bound_forms([Fraction(eighths, 8)] * 2, None, 2, True)
        emission, _, forecast = with_rows(emission_of(network, forms, semantics=semantics))
        return emission, forecast

    edge = next(k for k in range(-80, 80) if not asked(k)[1])
    assert edge > -80
    fine, wrong = asked(edge - 1)[0], asked(edge)[0]
    assert ask(fine).accepted
    assert not ask(wrong).accepted


def concluded(bound: int) -> tuple[Emission, RelaxationData, Fraction]:
    """The two outputs of a chain with a large node are at least `bound`: rows, and the least surplus."""
    forms = bound_forms([Fraction(bound)] * 2, None, 2, True)
    emission, least, accepted = with_rows(emission_of(chain(8, 2, 140, 130, 2), forms))
    script = emission.certificate.scripts[0][0]
    while not isinstance(script, ConcludeScript):
        script = script.rest
    assert accepted
    assert isinstance(script.how, RelaxedData)
    return emission, script.how.rows, least


def test_digits_become_shorter_where_more_columns_then_share_one(
    ask: Callable[..., CheckResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaxation, "COEFFICIENT_BITS", 30)
    emission, rows, least = concluded(-300)
    with monkeypatch.context() as without:
        without.setattr(relaxation, "_SHARED_ROWS", 1)
        _, longer, most = concluded(-300)
    lane = 32 * emission.claims[0].property.forms.lanes
    assert lane // rows.digit == lane // longer.digit + 1
    assert 0 < most - least < most / 10**4
    assert ask(emission).accepted


def test_digits_stay_where_shorter_coefficients_do_not_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows, least = concluded(-20)
    monkeypatch.setattr(relaxation, "_fewer_bits", lambda passed, rows, digit, most: (digit - 14, most - 14))
    assert concluded(-20)[1:] == (rows, least)
    assert concluded(-300)[1].digit == rows.digit - 14
