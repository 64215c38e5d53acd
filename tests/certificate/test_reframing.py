"""Rows in frames of several widths: the producer's choice, the twin and Lean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from branch_examples import ALL, NETWORKS
from relaxation_examples import Stage, accepted, agrees, applied, emission_of, stages
from test_relaxation import found

from pytest_torchlean.certificate import reframing
from pytest_torchlean.certificate.relaxation import relax
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.substitution import (
    ForkData,
    JoinData,
    LinkData,
    ReframeData,
    RelaxationData,
    ThroughData,
)
from pytest_torchlean.checker import BuiltLibrary, LeanInstall


def relaxed(stage: Stage) -> RelaxationData:
    goals = np.arange(2 * stage.passed[-1].node.rows)  # type: ignore[union-attr]
    return relax(stage.box, stage.passed, stage.slopes(), goals).data


def places(rows: RelaxationData) -> list[int]:
    """Where nothing waits: before which links the frame may change."""
    depth, found_places = 0, []
    for index, link in enumerate(rows.links):
        if depth == 0:
            found_places.append(index)
        depth += isinstance(link, ForkData)
        depth -= isinstance(link, JoinData)
    return found_places


def reframed_at(rows: RelaxationData, index: int, width: int) -> RelaxationData:
    return replace(rows, links=(*rows.links[:index], ReframeData(width), *rows.links[index:]))


def framed_once(rows: RelaxationData) -> RelaxationData:
    """A wider frame before the last link where that can be."""
    return reframed_at(rows, places(rows)[-1], rows.width + 5)


def test_lean_computes_the_same_bounds_in_any_frame(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    lines = []
    for index, (name, seed) in enumerate(ALL):
        *_, stage = stages(emission_of(NETWORKS[name](seed)))
        rows = relaxed(stage)
        changed = framed_once(rows)
        after, before = found(stage, changed), found(stage, rows)
        assert (after.lower == before.lower).all()
        assert (after.upper == before.upper).all()
        lines.append(
            f"theorem same{index} : ({applied(stage, changed, agrees(before))}) = true := by decide +kernel"
        )
    assert accepted(lines, lean, library, tmp_path)


def test_lean_refuses_a_frame_that_is_too_narrow_or_left_while_rows_wait(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    *_, stage = stages(emission_of(NETWORKS["halves"](1), semantics=Semantics.BINARY32))
    rows = relaxed(stage)
    lines = [f"theorem accepted : ({applied(stage, framed_once(rows), 'true')}) = true := by decide +kernel"]
    forked = next(index for index, link in enumerate(rows.links) if isinstance(link, ForkData))
    refused = {
        "too narrow for the slots": reframed_at(rows, places(rows)[0], stage.passed[-1].node.rows - 1),  # type: ignore[union-attr]
        "no digits at all": reframed_at(rows, places(rows)[0], 0),
        "while a part waits": reframed_at(rows, forked + 1, rows.width),
    }
    for index, changed in enumerate(refused.values()):
        with pytest.raises(AssertionError):
            found(stage, changed)
        lines.append(
            f"theorem refused{index} : ({applied(stage, changed, 'true')}) = false := by decide +kernel"
        )
    assert accepted(lines, lean, library, tmp_path)


LINKS = tuple(ThroughData(place, 1, 0, 1) for place in range(12))


def framed(widths: list[int], counts: list[int], whole: list[bool]) -> tuple[int, tuple[LinkData, ...]]:
    spans = [reframing.Span(*own) for own in zip(widths, counts, whole, strict=True)]
    return reframing.with_frames(LINKS, reframing.Span(10, 10, True), spans, 3, widths[-1])


def test_short_rows_are_kept_together_until_they_are_long() -> None:
    widths, counts = [300, *[20] * 10, 3000], [20] * 11 + [3000]
    width, links = framed(widths, counts, [True] * 12)
    assert width == 300
    assert links == (LINKS[0], ReframeData(20), *LINKS[1:11], ReframeData(3000), LINKS[11])


def test_one_frame_serves_all_where_little_is_won_or_rows_wait() -> None:
    narrow, counts = [300, *[20] * 10, 1000], [20] * 12
    assert framed(narrow, counts, [True] * 12) == (1000, LINKS)
    assert framed([3000, *narrow[1:-1], 3000], counts, [False] * 11 + [True]) == (3000, LINKS)
    assert framed([3000] * 11 + [20], counts, [True] * 12) == (3000, LINKS)
