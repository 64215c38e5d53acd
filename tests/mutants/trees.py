"""Trees of cases: a claim that needs one, changed trees, and claims that no tree proves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
from onnx import helper
from onnx_models import lowered, model

from mutants.data import weights_of, with_weight
from mutants.scripts import script_of, spine, uncomposed, with_script
from mutants.truths import Truth
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.model import Emission, ScaleData, ScriptData, SplitScript

Path = tuple[str, ...]


@cache
def tree_truth() -> Truth:
    """|x0| + |x1|, each as a sum of two ReLUs, is at most 2 + 1/64 on [-1, 1]^2.

    Interval bounds reach 4 on the whole box and 3 where one input has one sign.
    """
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["y"]),
    ]
    weights = {
        "w": np.array([[1, -1, 0, 0], [0, 0, 1, -1]], dtype=np.float32),
        "v": np.ones((4, 1), dtype=np.float32),
    }
    program = lower_to_program(lowered(model(nodes, {"x": [1, 2]}, ["y"], weights)))
    forms = bound_forms(None, [Fraction(2) + Fraction(1, 64)], 1, False)
    return Truth(program, forms, RationalBox((Fraction(-1),) * 2, (Fraction(1),) * 2))


def with_tree(emission: Emission) -> Emission:
    """The certificate with a script for every quarter, and a second cut of the first input near the ends."""
    leaf, scale = emission.certificate.scripts[0][0], emission.certificate.scale
    near = 15 * scale.unit // 16
    signs = SplitScript(3, scale.center, leaf, leaf)
    below = SplitScript(2, scale.center - near, signs, signs)
    above = SplitScript(2, scale.center + near, signs, signs)
    return with_script(emission, SplitScript(2, scale.center, below, above))


def parts_of(script: ScriptData, path: Path = ()) -> Iterator[tuple[Path, ScriptData]]:
    """The splits of a tree, and its leaves, with their paths."""
    yield path, script
    if isinstance(script, SplitScript):
        for side in ("below", "above"):
            yield from parts_of(getattr(script, side), (*path, side))


def planted(script: ScriptData, path: Path, new: ScriptData) -> ScriptData:
    """The tree with another part at a path."""
    if not path:
        return new
    assert isinstance(script, SplitScript)
    side, *rest = path
    return replace(script, **{side: planted(getattr(script, side), tuple(rest), new)})


def changed_trees() -> Iterator[Emission]:
    """The same claim with trees that do not prove it."""
    emission = with_tree(tree_truth().emission)
    (root,) = emission.certificate.scripts[0]
    scale = emission.certificate.scale
    for path, part in parts_of(root):
        for new in _changed_split(part, scale) if isinstance(part, SplitScript) else _changed_leaf(part):
            yield with_script(emission, planted(root, path, new))


def _changed_split(part: SplitScript, scale: ScaleData) -> Iterator[ScriptData]:
    needed = part.value == scale.center
    values = [0, scale.center - 2 * scale.unit, scale.center + 2 * scale.unit]
    if needed:
        values += [scale.center + by * scale.unit // 16 for by in (-9, -5, 3, 7)]
        yield from (replace(part, slot=slot) for slot in (0, 1, 5 - part.slot))
        yield part.below if part.slot == 3 else part.below.below  # type: ignore[union-attr]
    yield from (replace(part, value=value) for value in values)
    yield from (replace(part, slot=slot) for slot in (4, 12, 10**6))
    if part.slot == 2 and needed:
        yield replace(part, below=part.above, above=part.below)


def _changed_leaf(leaf: ScriptData) -> Iterator[ScriptData]:
    own, how = spine(leaf)
    yield script_of(own[:-1], how)
    yield script_of([], how)
    yield script_of([*own, own[0], own[0]], how)
    yield script_of(own[::-1], how)
    yield uncomposed(leaf)


def false_trees() -> Iterator[Truth]:
    """Other data, so that the claim of the tree is false."""
    truth = tree_truth()
    for bound in (Fraction(31, 16), Fraction(7, 4), Fraction(1), Fraction(0), Fraction(-1)):
        yield replace(truth, forms=bound_forms(None, [bound], 1, False))
    for side in (Fraction(17, 16), Fraction(5, 4), Fraction(2)):
        yield replace(truth, box=RationalBox((-side,) * 2, (side,) * 2))
    for place in weights_of(truth, bias=False):
        yield with_weight(truth, *place, lambda w: np.float32(1.125) * w)
