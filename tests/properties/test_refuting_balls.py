"""Balls in which short descents find no witness are searched as hard as an unsafe output of `vnnlib` is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.bounds.falsify import Target, minimise
from pytest_torchlean.properties import radius, refuting_balls, robustness, run_property
from pytest_torchlean.spec.model import RadiusProperty, RobustnessProperty
from pytest_torchlean.verdict import Evidence, Verdict

ABOVE = 0.85
"""The class at 0 is 0; the least margin within distance 1 is below -0.03."""


def hidden_rival() -> onnx.ModelProto:
    """Two outputs: 4-40-40-1 plus a constant, whose low places short descents do not reach, against 0."""
    generator = np.random.default_rng(8)
    nodes, weights, here = [], {}, "x"
    for layer, (inputs, outputs) in enumerate(itertools.pairwise((4, 40, 40, 1))):
        scale = np.float32(inputs**-0.5)
        weight = scale * generator.standard_normal((inputs, outputs)).astype(np.float32)
        bias = (0.3 * generator.standard_normal(outputs)).astype(np.float32)
        if layer == 2:
            weight = np.concatenate([weight, np.zeros_like(weight)], axis=1)
            bias = np.array([bias[0] + np.float32(ABOVE), 0.0], dtype=np.float32)
        weights |= {f"w{layer}": weight, f"b{layer}": bias}
        nodes.append(helper.make_node("Gemm", [here, f"w{layer}", f"b{layer}"], [f"z{layer}"]))
        if layer < 2:
            here = f"a{layer}"
            nodes.append(helper.make_node("Relu", [f"z{layer}"], [here]))
    return model(nodes, {"x": [1, 4]}, {"z2": [1, 2]}, weights)


def data(folder: Path, count: int) -> Path:
    path = folder / "data.npz"
    np.savez(path, inputs=np.zeros((count, 4), np.float32), labels=np.zeros(count, np.int64))
    return path


def balls(folder: Path, count: int = 1, **more: Any) -> RobustnessProperty:
    return RobustnessProperty(name="r", model="m", epsilon=Fraction(1), data=data(folder, count), **more)


def unsought(_: Any, search: Any, *rest: Any) -> Any:
    return search


@pytest.fixture
def sought(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Arguments of all searches from here on."""
    seen: list[tuple[Any, ...]] = []
    genuine = refuting_balls.seek

    def noted(*arguments: Any) -> Any:
        seen.append(arguments)
        return genuine(*arguments)

    monkeypatch.setattr(refuting_balls, "seek", noted)
    return seen


@pytest.mark.parametrize("semantics", ["real", "binary32"])
def test_a_class_that_short_descents_do_not_change_is_refuted(
    context_for: Any, tmp_path: Path, semantics: str
) -> None:
    context = context_for(hidden_rival())
    ends = np.full(4, 1, dtype=np.float32)
    (short,) = minimise(context.program, [Target(-ends, ends, np.array([1.0, -1.0]), 0.0)])
    assert short.value > 0.05
    evidence = run_property(context, balls(tmp_path, semantics=semantics))
    assert evidence.verdict is Verdict.REFUTED
    (witness,) = evidence.witnesses
    own, rival = from_hex_all(witness.runtime_output)
    assert own <= rival
    assert (witness.index, witness.reference) == (0, ("0x0p+0",) * 4)


def test_without_these_searches_it_is_unknown(
    context_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = replace(context_for(hidden_rival()), seconds=20.0)
    for name in ("sooner", "later"):
        monkeypatch.setattr(robustness, name, unsought)
    assert run_property(context, balls(tmp_path)).verdict is Verdict.UNKNOWN
    monkeypatch.undo()
    monkeypatch.setattr(robustness, "sooner", unsought)
    assert run_property(context, balls(tmp_path)).verdict is Verdict.REFUTED


def test_nothing_is_sought_once_the_share_is_out_of_reach(
    context_for: Any, tmp_path: Path, sought: list[Any]
) -> None:
    context = context_for(hidden_rival())
    evidence = run_property(context, balls(tmp_path, count=3, at_least=Fraction(2, 3)))
    assert evidence.verdict is Verdict.REFUTED
    assert (evidence.counts.refuted, evidence.counts.unknown) == (2, 1)
    assert len(sought) == 2


def test_nothing_is_sought_where_enough_is_proved(
    context_for: Any, tmp_path: Path, sought: list[Any]
) -> None:
    evidence = run_property(context_for(hidden_rival()), balls(tmp_path, at_least=Fraction(0)))
    assert evidence.counts.refuted == 0
    assert not sought


def test_a_search_without_work_left_finds_nothing(
    context_for: Any, tmp_path: Path, sought: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refuting_balls, "_SHARE_OF_WORK", 0.0)
    context = replace(context_for(hidden_rival()), seconds=20.0)
    assert run_property(context, balls(tmp_path)).verdict is Verdict.UNKNOWN
    assert not sought


def test_a_search_that_runs_out_of_time_keeps_what_it_found(
    context_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, calls = refuting_balls.seek, []

    def first_only(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) > 1:
            raise refuting_balls.OutOfTime
        return genuine(*arguments)

    monkeypatch.setattr(refuting_balls, "seek", first_only)
    evidence = run_property(context_for(hidden_rival()), balls(tmp_path, count=3, at_least=Fraction(2, 3)))
    assert evidence.verdict is Verdict.UNKNOWN
    assert evidence.counts.refuted == 1


@pytest.mark.parametrize("search", ["sooner", "later"])
def test_a_claimed_radius_is_refuted_too(
    context_for: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, search: str
) -> None:
    prop = RadiusProperty(
        name="r", model="m", epsilon=Fraction(1), up_to=Fraction(2), steps=1, data=data(tmp_path, 1)
    )

    def run() -> Evidence:
        return run_property(context_for(hidden_rival()), prop)

    monkeypatch.setattr(radius, search, unsought)
    assert run().verdict is Verdict.REFUTED
    for name in ("sooner", "later"):
        monkeypatch.setattr(radius, name, unsought)
    assert run().verdict is Verdict.UNKNOWN
