"""Rows back through graphs that branch: the bounds hold, Lean computes the same ones, refuses others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from branch_examples import ALL, NETWORKS
from certificate_examples import points_of, slots_of
from relaxation_examples import Stage, accepted, agrees, applied, emission_of, stages, with_rows
from test_relaxation import found, with_link

from pytest_torchlean.certificate.model import ConcludeScript, NodeScript, TightenScript
from pytest_torchlean.certificate.relaxation import relax
from pytest_torchlean.certificate.statement import AffineData, Semantics
from pytest_torchlean.certificate.substitution import (
    ForkData,
    JoinData,
    RelaxationData,
    SettleData,
    SkipData,
    WidenData,
)
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall


def relaxed(stage: Stage) -> RelaxationData:
    """Both bounds of a few results of the last node."""
    node = stage.passed[-1].node
    assert isinstance(node, AffineData)
    goals = np.unique(np.linspace(0, 2 * node.rows * node.positions - 1, 6).astype(np.int64))
    return relax(stage.box, stage.passed, stage.slopes(), goals).data


def kinds(rows: RelaxationData) -> list[type]:
    return [type(link) for link in rows.links]


@pytest.mark.parametrize(("name", "seed"), ALL)
def test_rows_go_back_to_the_inputs_and_bounds_hold(name: str, seed: int) -> None:
    emission = emission_of(NETWORKS[name](seed))
    *_, stage = stages(emission)
    rows = relaxed(stage)
    passed = [kind for kind in kinds(rows) if kind not in (WidenData, ForkData, JoinData)]
    assert len(passed) == len(emission.graph.nodes)
    assert SkipData not in passed
    assert kinds(rows).count(ForkData) == kinds(rows).count(JoinData) > 0
    after = found(stage, rows)
    assert (after.upper - after.lower).sum() <= (stage.box.upper - stage.box.lower).sum()
    for point in points_of(emission.claims[0].boxes[0], emission.graph.inputs, seed):
        values = slots_of(emission.graph, point)
        images = [after.scale.unit * value + after.scale.center for value in values]
        for low, image, high in zip(after.lower, images, after.upper, strict=True):
            assert low <= image <= high


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_bounds_are_tighter_than_those_of_intervals(name: str) -> None:
    shares = []
    for seed in range(4):
        *_, stage = stages(emission_of(NETWORKS[name](seed)))
        rows = relaxed(stage)
        after = found(stage, rows)
        width, before = after.upper - after.lower, stage.box.upper - stage.box.lower
        shares.append(float(width[rows.start :].sum() / before[rows.start :].sum()))
    assert max(shares) <= 1
    assert min(shares) < 0.9


def test_what_a_relu_reads_later_is_tightened_where_it_is_written() -> None:
    emission, *_ = with_rows(emission_of(NETWORKS["late readers"](1)))
    ((script,),) = emission.certificate.scripts
    tightened: list[int] = []
    passed = 0
    while not isinstance(script, ConcludeScript):
        if isinstance(script, TightenScript):
            tightened.append(passed - 1)
            assert script.rows.count == emission.graph.nodes[passed - 1].rows
        passed += isinstance(script, NodeScript)
        script = script.rest
    affine = [index for index, node in enumerate(emission.graph.nodes) if isinstance(node, AffineData)]
    assert set(affine[1:3]) <= set(tightened)


# --- Lean -------------------------------------------------------------------------------------------

Change = Callable[[RelaxationData], RelaxationData]


def at(kind: type, change: Callable[[Any], Any]) -> Change:
    """The first link of a kind changed."""
    return lambda rows: with_link(kinds(rows).index(kind), change)(rows)


def without(kind: type) -> Change:
    def changed(rows: RelaxationData) -> RelaxationData:
        place = kinds(rows).index(kind)
        return replace(rows, links=rows.links[:place] + rows.links[place + 1 :])

    return changed


REFUSED: dict[str, Change] = {
    "fewer slots wait": at(ForkData, lambda link: replace(link, keep=link.keep - 1)),
    "slots in both parts": at(ForkData, lambda link: replace(link, keep=link.cut + 1)),
    "a later cut": at(ForkData, lambda link: replace(link, cut=link.cut + 1)),
    "an earlier cut": at(ForkData, lambda link: replace(link, cut=link.cut - 1)),
    "a cut behind the last slot": at(ForkData, lambda link: replace(link, cut=1 << 20)),
    "no fork": without(ForkData),
    "nothing is joined": without(JoinData),
    "a heavier join": at(JoinData, lambda link: replace(link, weight=2 * link.weight)),
    "another factor of what goes on": at(JoinData, lambda link: replace(link, own=link.own + 1)),
    "another factor of what waited": at(JoinData, lambda link: replace(link, other=link.other + 1)),
    "what waited is lost": at(JoinData, lambda link: replace(link, other=0)),
    "shorter coefficients": at(JoinData, lambda link: replace(link, size=link.size - 4)),
    "coefficients longer than a digit": at(JoinData, lambda link: replace(link, size=1 << 10)),
    "coefficients shorter than said": at(JoinData, lambda link: replace(link, short=link.short - 1)),
    "joined twice": lambda rows: replace(rows, links=(*rows.links, rows.links[kinds(rows).index(JoinData)])),
    "a run that starts later": at(WidenData, lambda link: replace(link, first=link.first + 1)),
    "a shorter run": at(WidenData, lambda link: replace(link, count=link.count - 1)),
    "rows too narrow": lambda rows: replace(rows, width=4),
}


def test_lean_computes_the_same_bounds(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    lines = []
    for index, (name, seed) in enumerate(ALL):
        for semantics in Semantics:
            for number, stage in enumerate(stages(emission_of(NETWORKS[name](seed), semantics=semantics))):
                rows = relaxed(stage)
                after = found(stage, rows)
                label = f"{index}_{number}_{semantics.name.lower()}"
                same = applied(stage, rows, agrees(after))
                lines.append(f"theorem same{label} : ({same}) = true := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)


def test_lean_refuses_forks_and_joins_that_do_not_fit(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    *_, stage = stages(emission_of(NETWORKS["halves"](1), semantics=Semantics.BINARY32))
    rows = relaxed(stage)
    lines = [f"theorem accepted : ({applied(stage, rows, 'true')}) = true := by decide +kernel"]
    for index, change in enumerate(REFUSED.values()):
        changed = change(rows)
        assert changed != rows
        lines.append(
            f"theorem refused{index} : ({applied(stage, changed, 'true')}) = false := by decide +kernel"
        )
    assert accepted(lines, lean, library, tmp_path)


def test_nothing_may_wait_where_rows_end(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    """A part that waits is neither forgotten by bounds nor by a last convolution."""
    *_, stage = stages(emission_of(NETWORKS["residual convolution"](0)))
    rows = relaxed(stage)
    fork = kinds(rows).index(ForkData)
    ended = replace(rows, links=rows.links[: fork + 1])
    convolution: Any = rows.links[fork + 1]
    settled = SettleData(convolution.layout, convolution.shift, convolution.size)
    lines = []
    for index, links in enumerate((ended.links, (*ended.links, settled))):
        with pytest.raises(AssertionError):
            found(stage, replace(rows, links=links))
        changed = applied(stage, replace(rows, links=links), "true")
        lines.append(f"theorem refused{index} : ({changed}) = false := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("semantics", Semantics)
def test_the_forecast_is_leans_answer(
    name: str, semantics: Semantics, ask: Callable[..., CheckResult]
) -> None:
    emission, least, forecast = with_rows(emission_of(NETWORKS[name](3), semantics=semantics))
    assert ask(emission).accepted is forecast is (least > 0)
