"""Slopes of leaky ReLUs, limits of clips, extrema, products and residual connections, before encoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from certificate_examples import piecewise

from mutants.data import weights_of, with_weight
from mutants.truths import Truth
from pytest_torchlean.bounds.program import AffineNode, BilinearNode, ExtremumNode

PIECEWISE_SEEDS = (0, 2)
RESIDUAL_SEEDS = (0, 1, 2)
QUADRATIC_SEEDS = (0, 1)
SLOPES: tuple[dict[str, object], ...] = (
    {"alpha": 0.5}, {"alpha": 2.0}, {"alpha": -1.0}, {"alpha": 8.0}, {"alpha": -8.0},
    {"slopes": (1.5, 0.5, -0.25)}, {"slopes": (4.0, 1.5, -0.25)}, {"slopes": (0.5, 1.5, 8.0)},
    {"slopes": (-4.0, 1.5, -0.25)}, {"slopes": (0.5, -6.0, -0.25)}, {"slopes": (0.5, 1.5, -9.0)},
    {"low": 0.0}, {"low": -4.0}, {"low": 2.0}, {"low": 8.0},
)  # fmt: skip


def slope_changed(seed: int) -> Callable[[Truth], list[Truth]]:
    """The piecewise network with other slopes of LeakyRelu and PRelu, or another limit of Clip."""

    def changed(truth: Truth) -> list[Truth]:
        return [replace(truth, program=piecewise(seed, **change).program) for change in SLOPES]  # type: ignore[arg-type]

    return changed


def extremum_turned(truth: Truth) -> list[Truth]:
    """A maximum becomes a minimum, or the other way round."""
    return _extrema(truth, lambda node: [replace(node, maximum=not node.maximum)])


def extremum_rewired(truth: Truth) -> list[Truth]:
    """A pair takes one operand from the pair beside it, or twice the same one."""

    def rewired(node: ExtremumNode) -> list[ExtremumNode]:
        return [
            replace(node, right=np.roll(node.right, 1)),
            replace(node, left=np.roll(node.left, 1)),
            replace(node, right=node.left.copy()),
            replace(node, left=node.right.copy()),
        ]

    return _extrema(truth, rewired)


def _extrema(truth: Truth, change: Callable[[ExtremumNode], list[ExtremumNode]]) -> list[Truth]:
    found = []
    for index, node in enumerate(truth.program.nodes):
        if isinstance(node, ExtremumNode):
            for other in change(node):
                nodes = (*truth.program.nodes[:index], other, *truth.program.nodes[index + 1 :])
                found.append(replace(truth, program=replace(truth.program, nodes=nodes)))
    return found


def factor_rewired(truth: Truth) -> list[Truth]:
    """A product takes a factor of the product beside it, or becomes the square of one of its factors."""
    found = []
    for index, node in enumerate(truth.program.nodes):
        if isinstance(node, BilinearNode):
            for other in (
                replace(node, right=np.roll(node.right, 1, axis=0)),
                replace(node, left=np.roll(node.left, 1, axis=0)),
                replace(node, right=node.left.copy()),
                replace(node, left=node.right.copy()),
            ):
                nodes = (*truth.program.nodes[:index], other, *truth.program.nodes[index + 1 :])
                found.append(replace(truth, program=replace(truth.program, nodes=nodes)))
    return found


def connection_changed(truth: Truth) -> list[Truth]:
    """A connection over a layer is cut, turned round or doubled."""
    found = []
    for index, at in weights_of(truth, bias=False):
        node = truth.program.nodes[index]
        assert isinstance(node, AffineNode)
        before = truth.program.nodes[index - 1] if index else None
        if before is not None and 1 < node.sources[0, at[1]] < before.start:
            found += [with_weight(truth, index, at, lambda w, by=by: by * w) for by in (0.0, -1.0, 4.0)]
    return found
