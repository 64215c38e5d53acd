"""One node against the runtime: what was given, what came out, what was allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import distance
from pytest_torchlean.differential.compose import Spread
from pytest_torchlean.differential.reference import AffineReference
from pytest_torchlean.differential.result import Divergence
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.names import printable
from pytest_torchlean.ops import RULES

Array = NDArray[np.generic]
Float64 = NDArray[np.float64]

_SUBTRACTION = 1.0 + 2.0**-40
"""Covers the binary64 rounding of the difference that is compared."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """How one value compares. `wrong` marks elements outside their bound, flat.

    `allowed` is None where bits are fixed. `worst` is the largest observed share of the bound.
    """

    expected: Array
    wrong: NDArray[np.bool_]
    allowed: Float64 | None
    worst: float
    unbounded: int
    share: Float64 = field(default_factory=lambda: np.zeros(0))
    """Observed shares of the bound, flat, where `allowed` is not None; 0 where the bound is 0."""


def compare_exact(runtime: Array, expected: Array) -> Outcome:
    """Bit equality: zeros keep their sign, every NaN equals every NaN whatever its payload."""
    if expected.dtype != np.float32:
        return Outcome(expected.reshape(-1), (runtime != expected).reshape(-1), None, 0.0, 0)
    left, right = _flat(runtime), _flat(expected)
    same = (left.view(np.uint32) == right.view(np.uint32)) | (np.isnan(left) & np.isnan(right))
    return Outcome(right, ~same, None, 0.0, 0)


def compare_bounded(runtime: Array, center: Float64, expected: Array, radius: Float64) -> Outcome:
    """|runtime - center| <= radius, element by element; nothing is claimed where radius is infinite."""
    observed = _flat(runtime).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        distance_from_center = np.abs(observed - center)
        inside = distance_from_center <= radius * _SUBTRACTION
        share = np.where(radius > 0, distance_from_center / radius, 0.0)
    unclaimed = np.isinf(radius)
    worst = float(np.max(share[~unclaimed & np.isfinite(share)], initial=0.0))
    return Outcome(_flat(expected), ~(inside | unclaimed), radius, worst, int(unclaimed.sum()), share)


def compare_node(
    node: Node,
    graph: Graph,
    values: Mapping[str, Array],
    prepared: AffineReference | None,
    output: int = 0,
) -> Outcome:
    """One of the node's outputs in `values` against its own meaning on its inputs in `values`.

    Where the node has an affine step, the exact value is known within binary64's own error, so the
    runtime must lie within the rule's bound of it, and must hit it where a one-hot input leaves a single
    rounding; a rule with a reference states that value itself. Otherwise runtime and evaluator both lie
    within the bound of the exact value, so they may differ by twice the bound.
    """
    operands = [_operand(name, graph, values) for name in node.inputs]
    rule = RULES[node.op]
    runtime = values[node.outputs[output]]
    expected = rule.evaluate(node, operands)[output]
    bound = rule.error_bound(node, operands)[output]
    if bound is None:
        return compare_exact(runtime, expected)
    flat_bound = np.broadcast_to(bound, expected.shape).reshape(-1)
    if rule.reference is not None and output == 0:
        center, own = (part.reshape(-1) for part in rule.reference(node, operands))
        radius = np.where(np.isfinite(center), flat_bound + own, np.inf)
        return compare_bounded(runtime, center, expected, radius)
    if prepared is None:
        return compare_bounded(runtime, _flat(expected).astype(np.float64), expected, 2.0 * flat_bound)
    source = np.concatenate([values[name].astype(np.float64).reshape(-1) for name in prepared.sources])
    with np.errstate(invalid="ignore", over="ignore"):
        center = prepared.apply(source)
        radius = flat_bound + prepared.radius(prepared.magnitude(np.abs(source)))
        fixed, value = prepared.single_roundings(source)
    center, radius = np.where(fixed, value, center), np.where(fixed, 0.0, radius)
    radius = np.where(np.isfinite(center), radius, np.inf)
    return compare_bounded(runtime, center, expected, radius)


def compare_spread(runtime: Array, spread: Spread) -> Outcome:
    """A value of the optimised graph against everything that a rewrite may give."""
    with np.errstate(over="ignore"):
        expected = spread.center.astype(np.float32)
    allowed = np.where(np.isfinite(spread.center), spread.allowed(), np.inf)
    return compare_bounded(runtime, spread.center, expected, allowed)


def divergence(
    outcome: Outcome, runtime: Array, node: Node, session: str, sample: int, output: int = 0
) -> Divergence:
    """The first wrong element of an outcome in words: binary32 numbers in hexadecimal, or integers."""
    element = int(np.flatnonzero(outcome.wrong)[0])
    ulps: int | None
    if outcome.expected.dtype == np.float32:
        observed, expected = _flat(runtime)[element], _flat(outcome.expected)[element]
        words = float(observed).hex(), float(expected).hex()
        ulps = None if np.isnan(observed) or np.isnan(expected) else distance(observed, expected)
    else:
        whole, wanted = int(runtime.reshape(-1)[element]), int(outcome.expected[element])
        words, ulps = (str(whole), str(wanted)), abs(whole - wanted)
    return Divergence(
        session=session,
        sample=sample,
        value=printable(node.outputs[output]),
        op=node.op,
        source=printable(node.source),
        element=element,
        runtime=words[0],
        expected=words[1],
        ulps=ulps,
        allowed=None if outcome.allowed is None else float(outcome.allowed[element]),
    )


def _operand(name: str, graph: Graph, values: Mapping[str, Array]) -> Array | None:
    if not name:
        return None
    return graph.constants[name] if name in graph.constants else values[name]


def _flat(array: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, dtype=np.float32).reshape(-1)
