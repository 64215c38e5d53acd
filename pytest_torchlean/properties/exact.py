"""The program of a claim: what binary32 executions compute, or no more than exact arithmetic needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_torchlean.bounds.interval import Float64, evaluate, propagate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program, QuotientNode
from pytest_torchlean.certificate.boxes import Bounded, all_float_bounds
from pytest_torchlean.ops import RULES
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.proving import guard_points
from pytest_torchlean.spec.model import PropertySpec

_SMALL, _LARGE = 2.0**-20, 2.0**40
"""Divisors from which on, and values up to which, fixed-point numbers of a certificate say enough."""
_NOTHING = 2.0**10
"""How many times wider than values are large intervals of outputs are when they say nothing."""
_AT_ONCE = 256
"""Points whose values are held at once."""


def program_on(
    context: PropertyContext, prop: PropertySpec, plain: Program, boxes: Sequence[Bounded]
) -> Program:
    """The program for bounds and certificates about these boxes; plain: `context.program`, lowered before.

    A claim about exact arithmetic needs nothing that is there for rounding alone, such as the largest score
    that a Softmax subtracts; one about binary32 may have all roundings of a share granted at once. Of the two
    programs it is the one whose outputs are bounded more closely by intervals; where intervals say nothing of
    either, that for exact arithmetic, of which rows say more, unless its powers overflow.

    Raises UnsupportedError TL0204.
    """
    exact = prop.chosen_semantics == "real"
    if not boxes or not any(
        RULES[node.op].exact_step if exact else RULES[node.op].granted_step for node in context.graph.nodes
    ):
        return plain
    front = context.front
    diagonal = () if front is None else front.values
    other = lower_to_program(context.graph, diagonal, exact=exact, granted=not exact)
    lower, upper = all_float_bounds(boxes)
    around = lower.min(axis=0)[None], upper.max(axis=0)[None]
    widths = [_width(program, *around) for program in (other, plain)]
    middle = (around[0] + around[1]) / 2
    nothing = exact and widths[1] > _NOTHING * _size(plain, middle) and _size(other, middle) < _LARGE
    if nothing and np.isfinite(_size(other, _compared(boxes))):
        return other
    return other if widths[0] < widths[1] else plain


def _compared(boxes: Sequence[Bounded]) -> Float64:
    """Where a certificate's program is compared with onnxruntime, and the boxes' extreme corners."""
    return np.concatenate([guard_points(boxes).astype(np.float64), *all_float_bounds(boxes)])


def _size(program: Program, points: Float64) -> float:
    """The largest value at points (points, inputs), at least 1; of a number that overflows, infinite."""
    largest = 1.0
    for start in range(0, len(points), _AT_ONCE):
        with np.errstate(all="ignore"):
            values = np.abs(evaluate(program, points[start : start + _AT_ONCE]))
        if not np.isfinite(values).all():
            return np.inf
        largest = max(largest, float(values.max()))
    return largest


def _width(program: Program, lower: Float64, upper: Float64) -> float:
    """Of all outputs together; infinite where a value is too large for a certificate's fixed point, or a
    divisor too small.
    """
    with np.errstate(all="ignore"):
        low, high = propagate(program, lower, upper)
    if not all((np.abs(side) <= _LARGE).all() for side in (low, high)):
        return np.inf
    divisors = [node.right for node in program.nodes if isinstance(node, QuotientNode)]
    if any((low[0, own] < _SMALL).any() for own in divisors):
        return np.inf
    return float((high - low)[0, program.outputs].sum())
