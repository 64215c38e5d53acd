"""Work instead of time: what a search may try is decided by estimates that are the same on every machine.

The clock only ends a property, as UNKNOWN by name; it never decides which boxes are tried, so equal runs find
the same, alone or beside others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_torchlean.bounds.program import AffineNode, Program

_SECONDS_PER_PRODUCT = 1e-10
"""Of one backward pass through the whole program, in binary64 on one core."""
_QUICK = (1e-3, 1.0)
_SEARCH = (2e-2, 40.0)
_CERTIFICATE = (2e-2, 10.0)
_PART = (3e-4, 2e-9)
"""Seconds that are always spent, and passes; for a part, seconds for each weight and input. Measured on
dense networks of 8 to 1500 neurons."""


@dataclass
class Work:
    """Estimated seconds that may still be spent."""

    left: float = math.inf

    def take(self, cost: float) -> bool:
        """Whether something of this cost may be done: what begins within the limit is done whole."""
        if self.left <= 0:
            return False
        self.left -= cost
        return True


@dataclass(frozen=True)
class Costs:
    """Estimated seconds for one box: backward rows once, a search for better ones, their certificate, and one
    part of it through which forms of the inputs are carried."""

    quick: float
    search: float
    certificate: float
    part: float


def costs_of(program: Program) -> Costs:
    """The costs of a program's boxes."""
    products = _products(program)
    quick, search, certificate = (
        always + passes * products * _SECONDS_PER_PRODUCT
        for always, passes in (_QUICK, _SEARCH, _CERTIFICATE)
    )
    entries = sum(
        node.weights.size * node.sources.shape[0] for node in program.nodes if isinstance(node, AffineNode)
    )
    always, each = _PART
    return Costs(quick, search, certificate, always + each * entries * program.inputs)


def _products(program: Program) -> float:
    """Products of a backward pass from every argument of a ReLU, and from the outputs."""
    before, total = 0, 0
    for node in program.nodes:
        if isinstance(node, AffineNode):
            before += node.weights.size * node.sources.shape[0]
        else:
            total += node.size * before
    return float(total + program.outputs.size * before)
