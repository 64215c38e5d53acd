"""A tree of cases in several theorems: it says the same, Lean joins it, and a part less proves nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from certificate_examples import accepted
from mutants.rows import deep_emission
from mutants.scripts import with_script
from mutants.trees import tree_truth, with_tree
from onnx import helper
from onnx_models import model

from pytest_torchlean.certificate.apart import apart, joined
from pytest_torchlean.certificate.binary import document_of
from pytest_torchlean.certificate.costs import script_cost
from pytest_torchlean.certificate.model import Emission, NodeScript, PartScript, ScriptData, SplitScript
from pytest_torchlean.certificate.text import UnreadableText, parse, render
from pytest_torchlean.checker import CheckResult, Outcome
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.properties import PropertyContext, emitted, run_property
from pytest_torchlean.spec.model import Bounds, OutputBounds, RangeProperty
from pytest_torchlean.verdict import Verdict

Ask = Callable[..., CheckResult]


def tree() -> Emission:
    return with_tree(tree_truth().emission)


def cases_of(emission: Emission) -> list[str]:
    return [line for line in render([emission]).splitlines() if line.startswith("theorem part0_case")]


def phases() -> Emission:
    """|x0| + |x1| by the phases of the first layer: splits behind the first node of the script."""
    emission = tree_truth().emission
    (leaf,) = emission.certificate.scripts[0]
    assert isinstance(leaf, NodeScript)
    center = emission.certificate.scale.center
    script: ScriptData = leaf.rest
    for slot in (4, 6):
        script = SplitScript(slot, center, script, script)
    signs = with_script(emission, NodeScript(leaf.step, script))
    (whole,) = signs.certificate.scripts[0]
    for slot in (2, 3):
        whole = SplitScript(slot, center, whole, whole)
    return with_script(emission, whole)


@pytest.mark.parametrize("build", [tree, phases], ids=["inputs", "phases"])
def test_lean_joins_the_parts(build: Callable[[], Emission], ask: Ask) -> None:
    emission = build()
    parts = apart(emission, 0.0)
    assert len(parts.apart) == len(cases_of(parts)) > 1
    assert accepted(parts) == accepted(emission) == [[True]]
    text = render([parts])
    assert parse(text) == (parts,)
    assert "decide" not in next(
        line for line in text.splitlines() if line.startswith("theorem part0_accepted")
    )
    assert ask(parts).outcome is Outcome.ACCEPTED
    assert ask(parts, emission).outcome is Outcome.ACCEPTED


def test_a_split_behind_nodes_is_known_there(ask: Ask) -> None:
    """Every part of this tree assumes four cases, two of them after the first layer."""
    parts = apart(phases(), 0.0)
    assert {len(own.path) for own in parts.apart} == {4}
    assert [case.slot for case in parts.apart[0].path] == [4, 6, 2, 3]
    assert isinstance(parts.apart[0].script.rest.rest, NodeScript)  # type: ignore[union-attr]


def test_only_what_is_too_large_is_cut() -> None:
    emission = tree()
    (root,) = emission.certificate.scripts[0]
    assert isinstance(root, SplitScript)
    whole = script_cost(emission.graph, root, 1).megabytes
    assert apart(emission, whole + 1) is emission
    assert len(apart(emission, 0.6 * whole).apart) == 2
    rows = deep_emission(Fraction(5))
    assert apart(rows, 0.0) is rows
    boxes = replace(emission.claims[0], boxes=emission.claims[0].boxes * 2)
    several = replace(emission, claims=(boxes,))
    assert apart(several, 0.0) is several


def test_a_part_less_is_no_tree() -> None:
    parts = apart(tree(), 0.0)
    for place in range(len(parts.apart)):
        less = replace(parts, apart=(*parts.apart[:place], *parts.apart[place + 1 :]))
        with pytest.raises(ValueError, match="not those of a tree"):
            render([less])
    twice = replace(parts, apart=(parts.apart[0], *parts.apart))
    with pytest.raises(ValueError, match="not those of a tree"):
        render([twice])
    with pytest.raises(ValueError, match="not those of a tree"):
        joined((PartScript(parts.apart[0].path, parts.apart[0].script),), ("t",))


def test_changed_parts_are_refused(ask: Ask) -> None:
    parts = apart(tree(), 0.0)
    path = parts.apart[0].path
    lines = render([parts]).splitlines()
    unused = []
    for place, own in enumerate(parts.apart):
        # without the first case of its path
        shorter = PartScript(own.path, own.script.rest)  # type: ignore[union-attr]
        unused.append(replace(parts, apart=(*parts.apart[:place], shorter, *parts.apart[place + 1 :])))
    refused = [mutant for mutant in unused if accepted(mutant) == [[False]]]
    assert refused
    assert ask(refused[0]).outcome is Outcome.REFUSED
    for old, new in (
        (f"nat_lit {path[0].value}", f"nat_lit {path[0].value + 1}"),
        ("Bool.true", "Bool.false"),
    ):
        (index,) = [i for i, line in enumerate(lines) if "part0_path0 :" in line]
        changed = lines[index].replace(old, new, 1)
        assert changed != lines[index]
        text = "\n".join([*lines[:index], changed, *lines[index + 1 :]]) + "\n"
        with pytest.raises(UnreadableText):
            parse(text)


def test_the_documents_hold_whole_trees() -> None:
    with pytest.raises(ValueError, match="whole trees"):
        document_of([apart(tree(), 0.0)])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("megabytes", [0.0, 1000.0])
def test_a_property_that_needs_cuts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, megabytes: float
) -> None:
    """max(x0 + x1, 0) - max(x0, 0) - max(x1, 0): at most 0, by rows 1 on [-1, 1]^2, less on parts."""
    monkeypatch.setattr(emitted, "MEGABYTES_OF_A_TREE", megabytes)
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["y"]),
    ]
    weights = {
        "w": np.array([[1, 1, 0], [1, 0, 1]], dtype=np.float32),
        "v": np.array([[1], [-1], [-1]], dtype=np.float32),
    }
    path = tmp_path / "model.onnx"
    path.write_bytes(model(nodes, {"x": [1, 2]}, {"y": [1, 1]}, weights).SerializeToString())
    loaded = load_model(path, root=tmp_path)
    kept: list[str] = []
    context = PropertyContext(loaded, lower(loaded), tmp_path, time.monotonic() + 240)
    context = replace(context, keep=lambda text, axioms: kept.append(text))
    bounds = OutputBounds(None, Fraction(3, 4))
    box = Bounds(Fraction(-1), Fraction(1))
    evidence = run_property(context, RangeProperty(name="r", model="m", input=box, output=bounds))
    assert evidence.verdict is Verdict.PROVED
    assert ("sound_parts" in kept[0]) == (megabytes == 0.0)
