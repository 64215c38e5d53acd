"""The program of a claim: what binary32 executions compute, or no more than exact arithmetic needs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np

from pytest_torchlean.bounds.interval import propagate
from pytest_torchlean.bounds.program import Program, lower_to_program
from pytest_torchlean.certificate.boxes import to_float
from pytest_torchlean.ops import RULES
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.spec.model import PropertySpec

_LARGE = 2.0**40
"""Values up to which the fixed-point numbers of a certificate stay short."""


class _Box(Protocol):
    @property
    def lower(self) -> Sequence[Fraction]: ...

    @property
    def upper(self) -> Sequence[Fraction]: ...


def program_on(context: PropertyContext, prop: PropertySpec, boxes: Sequence[_Box]) -> Program:
    """The program for bounds and certificates about these boxes.

    A claim about exact arithmetic needs nothing that is there for rounding alone, such as the largest score
    that a Softmax subtracts. Where values would then get large, the program is that of binary32 executions,
    which computes the same. Raises UnsupportedError TL0204.
    """
    if prop.chosen_semantics != "real" or not boxes:
        return context.program
    if all(RULES[node.op].exact_step is None for node in context.graph.nodes):
        return context.program
    front = context.front
    program = lower_to_program(context.graph, () if front is None else front.values, exact=True)
    lower, upper = (
        np.array([[to_float(bound) for bound in side] for side in sides])
        for sides in ([box.lower for box in boxes], [box.upper for box in boxes])
    )
    with np.errstate(all="ignore"):
        bounds = propagate(program, lower.min(axis=0)[None], upper.max(axis=0)[None])
    short = all(bool((np.abs(side) <= _LARGE).all()) for side in bounds)
    return program if short else context.program
