"""Changes of weights, boxes, bounds and wiring before anything is encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
from certificate_examples import ball, false_at

from mutants.truths import Truth, margin_truth, range_truth
from pytest_torchlean.bounds.program import AffineNode, ReluNode
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import margin_forms


def with_weight(
    truth: Truth, index: int, at: tuple[int, int], change: Callable[[np.float32], float]
) -> Truth:
    node = truth.program.nodes[index]
    assert isinstance(node, AffineNode)
    table = node.weights.copy()
    table[at] = np.float32(change(table[at]))
    nodes = tuple(
        replace(node, weights=table) if i == index else n for i, n in enumerate(truth.program.nodes)
    )
    return replace(truth, program=replace(truth.program, nodes=nodes))


def weights_of(truth: Truth, *, bias: bool) -> list[tuple[int, tuple[int, int]]]:
    """Places of the weights, or of the biases, the last layer first."""
    places = []
    for index in reversed(range(len(truth.program.nodes))):
        node = truth.program.nodes[index]
        if isinstance(node, AffineNode):
            for row, column in product(*map(range, node.weights.shape)):
                if (node.sources[0, column] == 1) == bias and node.weights[row, column]:
                    places.append((index, (row, column)))
    return places


def sign_flipped(truth: Truth) -> list[Truth]:
    return [with_weight(truth, *place, lambda w: -w) for place in weights_of(truth, bias=False)]


def weight_enlarged(truth: Truth) -> list[Truth]:
    return [with_weight(truth, *place, lambda w: 64 * w) for place in weights_of(truth, bias=False)]


def bias_changed(truth: Truth) -> list[Truth]:
    places = weights_of(truth, bias=True)
    return [with_weight(truth, *place, lambda w, by=by: w + by) for place in places for by in (4.0, -4.0)]


def box_widened(truth: Truth) -> list[Truth]:
    boxes = []
    for factor in (4, 16, 64, 256):
        middle = [(low + high) / 2 for low, high in zip(truth.box.lower, truth.box.upper, strict=True)]
        radius = (truth.box.upper[0] - truth.box.lower[0]) / 2
        boxes.append(ball(middle, factor * radius))
    return [replace(truth, box=box) for box in boxes]


def label_swapped(truth: Truth) -> list[Truth]:
    classes = truth.program.outputs.size
    own = int(np.flatnonzero(truth.forms.coefficients[0] == 1)[0])
    return [replace(truth, forms=margin_forms(label, classes)) for label in range(classes) if label != own]


def bound_tightened(truth: Truth) -> list[Truth]:
    """Every bound moved past the value in the middle of the box, one at a time."""
    moved = []
    for row in range(len(truth.forms.constants)):
        constants = truth.forms.constants.copy()
        constants[row] -= 4096
        moved.append(replace(truth, forms=replace(truth.forms, constants=constants)))
    return moved


def relu_dropped(truth: Truth) -> list[Truth]:
    """The readers of a ReLU read its source."""
    program = truth.program
    relu = next(node for node in program.nodes if isinstance(node, ReluNode))

    def shifted(sources: np.ndarray) -> np.ndarray:
        inside = (sources >= relu.start) & (sources < relu.start + relu.size)
        return np.where(inside, sources - relu.start + relu.first, sources)

    nodes = [
        replace(node, sources=shifted(node.sources)) if isinstance(node, AffineNode) else node
        for node in program.nodes
    ]
    return [replace(truth, program=replace(program, nodes=tuple(nodes)))]


def sources_exchanged(truth: Truth) -> list[Truth]:
    exchanged = []
    for index, node in enumerate(truth.program.nodes):
        if isinstance(node, AffineNode):
            for first in range(node.sources.shape[1] - 1):
                sources = node.sources.copy()
                sources[:, [first, first + 1]] = sources[:, [first + 1, first]]
                nodes = list(truth.program.nodes)
                nodes[index] = replace(node, sources=sources)
                exchanged.append(replace(truth, program=replace(truth.program, nodes=tuple(nodes))))
    return exchanged


def bits_flipped(truth: Truth) -> list[Truth]:
    """Signs, exponents and leading fraction bits of seeded weights."""
    rng = np.random.default_rng(7)
    places = weights_of(truth, bias=False)
    flipped = []
    for _ in range(40):
        place = places[int(rng.integers(len(places)))]
        mask = np.uint32(1 << int(rng.integers(22, 32)))
        change = lambda w, mask=mask: (np.float32(w).view(np.uint32) ^ mask).view(np.float32)  # noqa: E731
        mutant = with_weight(truth, *place, change)
        if all(np.isfinite(n.weights).all() for n in mutant.program.nodes if isinstance(n, AffineNode)):
            flipped.append(mutant)
    return flipped


def box_moved(truth: Truth) -> list[Truth]:
    """The box elsewhere, as large as before."""
    rng = np.random.default_rng(8)
    moved = []
    for _ in range(12):
        shift = [Fraction(int(n), 16) for n in rng.integers(-48, 49, len(truth.box.lower))]
        sides = (
            tuple(bound + by for bound, by in zip(side, shift, strict=True))
            for side in (truth.box.lower, truth.box.upper)
        )
        moved.append(replace(truth, box=RationalBox(*sides)))
    return moved


SHARED_KINDS = (
    sign_flipped, weight_enlarged, bias_changed, bits_flipped, box_widened, box_moved, sources_exchanged,
)  # fmt: skip
KINDS = {
    margin_truth: (*SHARED_KINDS, label_swapped),
    range_truth: (*SHARED_KINDS, bound_tightened),
}
SEEDS = {"linear": 2, "mlp": 3, "conv": 5, "residual": 1, "piecewise": 2}
RELU_SEEDS = {"mlp": (1, 2, 3, 5), "conv": (0, 1, 2, 3)}
MOST_OF_A_KIND = 3


def some_false(truths: list[Truth], most: int = MOST_OF_A_KIND) -> list[Truth]:
    """Seeded mutants that an exact counterexample shows to be false, at most so many."""
    order = np.random.default_rng(9).permutation(len(truths))
    found: list[Truth] = []
    for index in order[: 6 * most]:
        if false_at(truths[index].emission) is not None:
            found.append(truths[index])
        if len(found) == most:
            break
    return found
