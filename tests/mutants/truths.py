"""True claims about small networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from certificate_examples import (
    Network,
    accepted,
    ball,
    centers,
    conv,
    largest_radius,
    linear,
    mlp,
    piecewise,
    quadratic,
    residual,
    slots_of,
)

from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms, bound_forms, margin_forms
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import Semantics

BUILDERS: dict[str, Callable[[int], Network]] = {
    "linear": linear,
    "mlp": mlp,
    "conv": conv,
    "residual": residual,
    "piecewise": piecewise,
    "quadratic": quadratic,
}


@dataclass(frozen=True, eq=False)
class Truth:
    """A true claim: the model's label cannot change in a ball, or its outputs keep within bounds."""

    program: Program
    forms: Forms
    box: RationalBox

    @property
    def emission(self) -> Emission:
        return self.under(Semantics.REAL)

    def under(self, semantics: Semantics) -> Emission:
        """The claim about these executions."""
        return build_emission(self.program, [Goal(self.forms, (self.box,))], semantics)


def outputs_of(program: Program, point: tuple[Fraction, ...]) -> list[Fraction]:
    empty = Forms(np.zeros((0, program.outputs.size), dtype=object), np.zeros(0, dtype=object), True)
    emission = build_emission(program, [Goal(empty, (RationalBox(point, point),))])
    slots = slots_of(emission.graph, point)
    return [slots[slot] for slot in program.outputs]


@cache
def margin_truth(name: str, seed: int) -> Truth:
    """Robustness at a clear centre, in three quarters of the radius that can be proved."""
    network = BUILDERS[name](seed)
    program = network.program
    best = None
    for center in centers(network, seed, 12):
        outputs = outputs_of(program, center)
        label = max(range(network.outputs), key=outputs.__getitem__)
        k = largest_radius(program, margin_forms(label, network.outputs), center)
        if best is None or k > best[0]:
            best = (k, center, label)
    assert best is not None
    k, center, label = best
    radius = Fraction(max(1, 3 * k // 4), 1 << 16)
    truth = Truth(program, margin_forms(label, network.outputs), ball(center, radius))
    assert accepted(truth.emission) == [[True]]
    return truth


@cache
def range_truth(name: str, seed: int) -> Truth:
    """Bounds of all outputs a little beyond what they reach in a ball."""
    network = BUILDERS[name](seed)
    (center,) = centers(network, seed + 100)
    program = network.program
    near = [Fraction(round(value * 1024), 1024) for value in outputs_of(program, center)]
    slack = Fraction(1, 2)
    forms = bound_forms([v - slack for v in near], [v + slack for v in near], network.outputs, False)
    k = largest_radius(program, forms, center)
    truth = Truth(program, forms, ball(center, Fraction(3 * k // 4, 1 << 16)))
    assert accepted(truth.emission) == [[True]]
    return truth
