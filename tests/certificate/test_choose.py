"""Backward rows through maxima and minima: bounds against values, Lean's digits, refused links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from choice_examples import NETWORKS, maxout
from relaxation_examples import BITS, Stage, accepted, agrees, applied, emission_of, stages

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.linear import bounded_by_rows, relaxed_script
from pytest_torchlean.certificate.lines import box_of, choice_lines, lines_of, with_lower
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.relaxation import relax, tightened
from pytest_torchlean.certificate.rows import Box, Slopes, size_of
from pytest_torchlean.certificate.statement import AffineData, MaximumData, MinimumData, ReluData, Semantics
from pytest_torchlean.certificate.substitution import (
    BendData,
    ChooseData,
    RelaxationData,
    SkipData,
    SlideData,
    ThroughData,
)
from pytest_torchlean.checker import BuiltLibrary, LeanInstall


def slopes_of(emission: Emission, stage: Stage, seed: int = 0) -> dict[int, Slopes]:
    """The chooser's slopes; with another seed any from 0 to 1."""
    rng, account, found = np.random.default_rng(seed), Account(emission), {}
    state = account.start(emission.claims[0].boxes)
    state = replace(state, lower=stage.box.lower[:, None], upper=stage.box.upper[:, None])
    for passed in stage.passed:
        if isinstance(passed.node, ReluData):
            found[passed.start] = lines_of(account, passed.node, state)
        elif isinstance(passed.node, MaximumData | MinimumData):
            own = choice_lines(account, passed.node, state)
            if seed:
                low, high = rng.integers(0, (1 << BITS) + 1, size=(2, passed.node.count))
                own = Slopes(BITS, low, high)
            found[passed.start] = own
    return found


def last_stage(
    name: str, semantics: Semantics, slopes: int = 0, radius: Fraction = Fraction(1, 8)
) -> tuple[Emission, Stage, RelaxationData]:
    emission = emission_of(NETWORKS[name](1), semantics=semantics, radius=radius)
    *_, stage = stages(emission)
    goals = np.arange(2 * size_of(stage.passed[-1].node))
    rows = relax(stage.box, stage.passed, slopes_of(emission, stage, slopes), goals).data
    assert any(isinstance(link, ChooseData) for link in rows.links)
    return emission, stage, rows


def after(stage: Stage, rows: RelaxationData) -> tuple[Box, bool]:
    lower, upper, fine = tightened(stage.box, stage.passed, rows)
    return Box(stage.box.scale, lower, upper), fine


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("semantics", list(Semantics))
@pytest.mark.parametrize("slopes", [0, 1])
def test_rows_contain_all_values(name: str, semantics: Semantics, slopes: int) -> None:
    emission, stage, rows = last_stage(name, semantics, slopes, Fraction(1, 2))
    found, fine = after(stage, rows)
    assert fine
    program, scale = NETWORKS[name](1).program, emission.certificate.scale
    middle = np.array([index % 3 / 4 for index in range(program.inputs)])
    points = middle + np.random.default_rng(3).uniform(-0.5, 0.5, size=(2000, program.inputs))
    values = evaluate(program, points)
    assert (values >= ((found.lower - scale.center) / scale.unit).astype(float) - 1e-5).all()
    assert (values <= ((found.upper - scale.center) / scale.unit).astype(float) + 1e-5).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_are_tighter_than_intervals(name: str) -> None:
    _, stage, rows = last_stage(name, Semantics.REAL, radius=Fraction(1, 32))
    found, fine = after(stage, rows)
    here = slice(stage.passed[-1].start, None)
    assert fine
    by_intervals = (stage.box.upper - stage.box.lower)[here].astype(float)
    assert ((found.upper - found.lower)[here].astype(float) < 0.9 * by_intervals).all()


@pytest.mark.parametrize("semantics", list(Semantics))
def test_a_claim_that_only_rows_prove(semantics: Semantics) -> None:
    emission = emission_of(maxout(1), semantics=semantics, radius=Fraction(1, 8))
    account = Account(emission)
    assert account.forecasts(0) == (False,)
    script, fine, _ = relaxed_script(account, emission.claims[0], emission.claims[0].boxes[0])
    assert fine
    assert account.forecast(emission.claims[0], script).accepted.all()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("semantics", list(Semantics))
def test_the_search_promises_what_certificates_prove(name: str, semantics: Semantics) -> None:
    """Bounds of the outputs in binary64 and by the certificate, up to the rounding of its coefficients."""
    network, radius = NETWORKS[name](1), 0.25
    emission = emission_of(network, semantics=semantics, radius=Fraction(radius))
    account, middle = Account(emission), np.array([[index % 3 / 4 for index in range(network.inputs)]])
    _, state = bounded_by_rows(account, emission.claims[0].boxes[0])
    stage = Stage(state.history_of(0), box_of(account, state))
    slopes, outputs = slopes_of(emission, stage), size_of(stage.passed[-1].node)
    rows = relax(stage.box, stage.passed, slopes, np.arange(2 * outputs))
    found = crown.bound(network.program, middle - radius, middle + radius)
    promised = crown.minimum(found, crown.output_rows(network.program))[0].reshape(2, -1).T.reshape(-1)
    scale = emission.certificate.scale
    certified = ((rows.bounds - scale.center) / scale.unit).astype(float)
    assert (certified > promised - 1e-3).all()
    assert (certified < promised + 0.1).all()


def test_what_an_undecided_choice_reads_is_bounded_by_rows() -> None:
    network = NETWORKS["clipped"](1)
    emission = emission_of(network, radius=Fraction(1, 4))
    account, box = Account(emission), emission.claims[0].boxes[0]
    pieces, state = bounded_by_rows(account, box)
    (rows,) = (piece for piece in pieces if isinstance(piece, RelaxationData))
    node = emission.graph.nodes[5]
    assert isinstance(node, AffineData)
    assert rows.count == node.rows
    here = slice(rows.start, rows.start + rows.count)
    by_intervals = account.start((box,))
    for step in account.steps((box,)):
        by_intervals = account.node(step, by_intervals)
    widths = [(own.upper - own.lower)[here].sum() for own in (state, by_intervals)]
    assert widths[0] < 0.9 * widths[1]


def test_nothing_is_bounded_by_rows_for_a_choice_that_is_decided() -> None:
    emission = emission_of(NETWORKS["clipped"](1), radius=Fraction(1, 1 << 20))
    pieces, _ = bounded_by_rows(Account(emission), emission.claims[0].boxes[0])
    assert not any(isinstance(piece, RelaxationData) for piece in pieces)


@pytest.mark.parametrize("maximum", [True, False])
def test_stated_slopes_are_those_below_the_difference(maximum: bool) -> None:
    """A search moves the lower line of max(a - b, 0), which is the upper one of a minimum."""
    emission = emission_of(NETWORKS["maxout"](1), radius=Fraction(1, 2))
    *_, stage = stages(emission)
    slopes = slopes_of(emission, stage)
    kind = MaximumData if maximum else MinimumData
    index, node = next(
        (index, node) for index, node in enumerate(emission.graph.nodes) if isinstance(node, kind)
    )
    start = next(passed.start for passed in stage.passed if passed.node is node)
    stated = np.arange(node.count, dtype=np.int64) + 100
    own, other = slopes[start], with_lower(Account(emission), slopes, {index: stated})[start]
    moved, kept = (other.lower, other.upper) if maximum else (other.upper, other.lower)
    line = own.upper if maximum else own.lower
    open_places = (line > 0) & (line < 256)
    assert open_places.any()
    assert (kept == line).all()
    assert (moved[open_places] == stated[open_places]).all()


def test_the_constants_of_a_clip_end_no_row() -> None:
    for semantics in Semantics:
        rows = last_stage("clipped", semantics)[2]
        choices = [link for link in rows.links if isinstance(link, ChooseData)]
        assert [link.count for link in choices] == [4, 4, 5, 5]
        assert isinstance(rows.links[-1], ThroughData)
        assert rows.links[-1].first == 2


Change = Callable[[ChooseData], ChooseData]
REFUSED: dict[str, Change] = {
    "a slope below above 1": lambda link: replace(link, lower=link.lower | 257),
    "a slope above above 1": lambda link: replace(link, upper=link.upper | 257),
    "more slopes below": lambda link: replace(link, lower=link.lower | 1 << 60),
    "more slopes above": lambda link: replace(link, upper=link.upper | 1 << 60),
    "longer slopes than digits have room for": lambda link: replace(link, bits=link.bits + 200),
    "fewer bits than coefficients have": lambda link: replace(link, size=3),
    "slots behind the last one": lambda link: replace(link, count=link.count + 1000),
}


def changed(rows: RelaxationData, change: Change) -> RelaxationData:
    links = tuple(change(link) if isinstance(link, ChooseData) else link for link in rows.links)
    assert links != rows.links
    return replace(rows, links=links)


@pytest.mark.parametrize("name", REFUSED)
def test_changed_links_are_refused(name: str) -> None:
    _, stage, rows = last_stage("maxout", Semantics.REAL)
    assert after(stage, rows)[1]
    assert not after(stage, changed(rows, REFUSED[name]))[1]


OTHERS = [BendData(8, 0, 0), ThroughData(2, 3, 0, 30), SkipData(), SlideData(8, 9, 0, 1, 4, 40)]


@pytest.mark.parametrize("other", OTHERS, ids=lambda one: type(one).__name__)
def test_another_link_in_its_place_is_refused(other: BendData) -> None:
    _, stage, rows = last_stage("clipped", Semantics.REAL)
    links = tuple(other if isinstance(link, ChooseData) else link for link in rows.links)
    assert not after(stage, replace(rows, links=links))[1]


def test_a_choice_in_place_of_another_link_is_refused() -> None:
    _, stage, rows = last_stage("pooled", Semantics.REAL)
    choice = next(link for link in rows.links if isinstance(link, ChooseData))
    for kind in (ThroughData, BendData):
        links = tuple(choice if isinstance(link, kind) else link for link in rows.links)
        assert not after(stage, replace(rows, links=links))[1]


def outside(rows: RelaxationData) -> RelaxationData:
    """The rows as far as the first choice, whose run leaves out the last slots."""
    index = next(at for at, link in enumerate(rows.links) if isinstance(link, ChooseData))
    link = rows.links[index]
    assert isinstance(link, ChooseData)
    return replace(rows, links=(*rows.links[:index], replace(link, count=link.count - 2)))


def test_slots_outside_of_the_run_are_replaced_by_their_bounds() -> None:
    _, stage, rows = last_stage("clipped", Semantics.REAL)
    index = next(at for at, link in enumerate(rows.links) if isinstance(link, ChooseData))
    (now, fine), (later, also) = (
        after(stage, own) for own in (outside(rows), replace(rows, links=rows.links[: index + 1]))
    )
    assert fine
    assert also
    here = slice(stage.passed[-1].start, None)
    for one, other in ((now.lower, later.lower), (now.upper, later.upper)):
        assert (np.abs(one[here] - other[here]) < stage.box.scale.unit >> 16).all()


def test_lean_computes_the_same_bounds(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    lines = []
    for name in NETWORKS:
        for semantics, slopes in ((Semantics.REAL, 0), (Semantics.BINARY32, 1)):
            _, stage, rows = last_stage(name, semantics, slopes)
            found, fine = after(stage, rows)
            assert fine
            own = f"{name}_{semantics.name.lower()}"
            lines.append(
                f"theorem same_{own} : ({applied(stage, rows, agrees(found))}) = true := by decide +kernel"
            )
            found.upper[-1] += 1
            lines.append(
                f"theorem other_{own} : ({applied(stage, rows, agrees(found))}) = false := by decide +kernel"
            )
    _, stage, rows = last_stage("clipped", Semantics.REAL)
    rows = outside(rows)
    found, fine = after(stage, rows)
    assert fine
    lines.append(f"theorem outside : ({applied(stage, rows, agrees(found))}) = true := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)


def test_what_the_forecast_refuses_lean_refuses(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    _, stage, rows = last_stage("maxout", Semantics.REAL)
    lines = []
    for number, change in enumerate(REFUSED.values()):
        refused = applied(stage, changed(rows, change), "Bool.true")
        lines.append(f"theorem refused{number} : ({refused}) = false := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)
