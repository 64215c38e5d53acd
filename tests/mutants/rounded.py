"""Claims that are true in exact arithmetic and false of some binary32 execution, which is shown.

The execution adds every row's products in a random order, fused or not, and ends on the other side of a bound
that lies between what it computes and the exact value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from certificate_examples import (
    Network,
    accepted,
    ball,
    binary32_slots,
    centers,
    conv,
    linear,
    mlp,
    piecewise,
    residual,
)
from onnx import helper
from onnx_models import model

from mutants.truths import outputs_of
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms, bound_forms
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import Semantics

NETWORKS = {"linear": linear, "mlp": mlp, "conv": conv, "residual": residual, "piecewise": piecewise}
_EXECUTIONS = 40
_GRID = 1 << 40
_APART = Fraction(1, 1 << 30)
"""Further apart than the certificates' rounding of exact values."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """`truth` is about exact arithmetic, `mutant` the same claim about binary32; `slots` break it.

    slots: all values of one execution, or of one whose sum `overflow` is no binary32 number.
    """

    truth: Emission
    mutant: Emission
    slots: list[Fraction]
    overflow: Fraction = Fraction(0)


def rounded_falsehoods() -> list[Rounded]:
    """Those whose claim is proved of exact arithmetic by intervals."""
    return [found for found in _candidates() if accepted(found.truth) == [[True]]]


def _candidates() -> Iterator[Rounded]:
    """Upper and lower bounds, and differences of two outputs, of every kind of network."""
    for name, build in NETWORKS.items():
        for seed in range(3):
            yield from _at_a_point(build(seed), 17 * seed + len(name))
    for seed in range(4):
        yield from _in_a_ball(linear(seed), seed)
    yield from _overflows()


def _both(network: Network, forms: Forms, box: RationalBox, slots: list[Fraction]) -> Rounded:
    goal = Goal(forms, (box,))
    real, rounded = (build_emission(network.program, [goal], semantics) for semantics in Semantics)
    return Rounded(real, rounded, slots)


def _runs(network: Network, point: tuple[Fraction, ...], seed: int) -> list[list[Fraction]]:
    """Executions at a point of binary32 numbers."""
    empty = Forms(np.zeros((0, network.outputs), dtype=object), np.zeros(0, dtype=object), True)
    graph = build_emission(network.program, [Goal(empty, (RationalBox(point, point),))]).graph
    rng = np.random.default_rng(seed)
    inputs = [np.float32(float(x)) for x in point]
    return [binary32_slots(graph, inputs, rng) for _ in range(_EXECUTIONS)]


def _between(exact: Fraction, computed: Fraction) -> Fraction | None:
    """A number with few bits between them, apart from both."""
    middle = Fraction(round((exact + computed) / 2 * _GRID), _GRID)
    return middle if min(abs(middle - exact), abs(middle - computed)) > _APART else None


def _at_a_point(network: Network, seed: int) -> Iterator[Rounded]:
    (point,) = centers(network, seed)
    box, exact = RationalBox(point, point), outputs_of(network.program, point)
    runs = _runs(network, point, seed)
    slots_of_outputs = [int(slot) for slot in network.program.outputs]
    for index, slot in enumerate(slots_of_outputs):
        for sign in (1, -1):
            worst = max(runs, key=lambda run: sign * run[slot])
            bound = _between(exact[index], worst[slot])
            if bound is not None and sign * worst[slot] > sign * exact[index]:
                yield _both(network, _bound(network.outputs, index, sign, bound), box, worst)
    first, second = slots_of_outputs[0], slots_of_outputs[-1]
    worst = min(runs, key=lambda run: run[first] - run[second])
    least = _between(exact[0] - exact[-1], worst[first] - worst[second])
    if least is not None and worst[first] - worst[second] < exact[0] - exact[-1]:
        row = np.zeros((1, network.outputs), dtype=object)
        row[0, 0], row[0, -1] = _GRID, -_GRID
        constants = np.array([-least * _GRID], dtype=object)
        constants[0] = int(constants[0])
        yield _both(network, Forms(row, constants, True), box, worst)


def _bound(outputs: int, index: int, sign: int, bound: Fraction) -> Forms:
    """One output at most (sign 1) or at least the bound."""
    row = np.zeros((1, outputs), dtype=object)
    row[0, index] = -sign * _GRID
    constants = np.zeros(1, dtype=object)
    constants[0] = int(sign * bound * _GRID)
    return Forms(row, constants, False)


def _in_a_ball(network: Network, seed: int) -> Iterator[Rounded]:
    """The largest value of a linear output over a ball, which it takes at a corner."""
    (center,) = centers(network, seed)
    radius = Fraction(1, 8)
    for index in range(network.outputs):
        # the corner at which moving any input back makes the output smaller
        slopes = [
            outputs_of(network.program, tuple(c + (i == k) for i, c in enumerate(center)))[index]
            - outputs_of(network.program, center)[index]
            for k in range(network.inputs)
        ]
        corner = tuple(
            c + (radius if slope > 0 else -radius) for c, slope in zip(center, slopes, strict=True)
        )
        exact = outputs_of(network.program, corner)[index]
        slot = int(network.program.outputs[index])
        worst = max(_runs(network, corner, seed), key=lambda run: run[slot])
        bound = _between(exact, worst[slot])
        if bound is not None and worst[slot] > exact:
            yield _both(network, _bound(network.outputs, index, 1, bound), ball(center, radius), worst)


def _overflows() -> Iterator[Rounded]:
    """a * x0 + a * x1 - a * x2 at 1: the exact value is a, and two of the products together are infinite."""
    for factor in (1.0, 1.25, 1.5):
        largest = np.float32(factor * 2.0**127)
        weights = {"w": np.array([[largest], [largest], [-largest]], dtype=np.float32)}
        network = Network(
            model([helper.make_node("Gemm", ["x", "w"], ["z"])], {"x": [1, 3]}, ["z"], weights), 3, 1
        )
        ones = (Fraction(1),) * 3
        forms = bound_forms([Fraction(0)], None, 1, False)
        found = _both(network, forms, RationalBox(ones, ones), [])
        yield Rounded(found.truth, found.mutant, [], overflow=2 * Fraction(float(largest)))
