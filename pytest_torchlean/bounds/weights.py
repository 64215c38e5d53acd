"""Weights by which the rows of a clause add up to a positive form where no row is positive throughout.

`x > y or y > z` follows from `x - z > 0`, whatever y is. The lower bound of the weighted sum over a box is a
concave function of the weights; multiplicative weights climb it. Binary64, never evidence.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from pytest_torchlean.bounds.interval import Float64

_STEPS = 64
_MOST_PAIRS = 64


def lower_bounds(weights: Float64, rows: Float64, low: Float64, high: Float64) -> Float64:
    """The least value of each weighted sum over the box, (sums,).

    weights: (sums, rows). rows: (rows, columns). low, high: (columns,).
    """
    sums = weights @ rows
    found: Float64 = np.maximum(sums, 0) @ low + np.minimum(sums, 0) @ high
    return found


def clause_weights(rows: Float64, low: Float64, high: Float64) -> tuple[Float64, float]:
    """Weights of one clause's rows, the largest 1, and the lower bound of their sum."""
    count = len(rows)
    tried = [*np.eye(count), np.ones(count)]
    for first, second in list(combinations(range(count), 2))[:_MOST_PAIRS]:
        pair = np.zeros(count)
        pair[[first, second]] = 1.0
        tried.append(pair)
    weights = np.full(count, 1.0 / count)
    for step in range(_STEPS):
        sums = weights @ rows
        slope = rows @ np.where(sums > 0, low, high)
        size = float(np.abs(slope).max())
        if not np.isfinite(size) or size == 0.0:
            break
        weights = weights * np.exp(slope / (size * np.sqrt(step + 1.0)))
        weights = weights / weights.sum()
        tried.append(weights / weights.max())
    found = lower_bounds(np.stack(tried), rows, low, high)
    best = int(np.argmax(found))
    return tried[best], float(found[best])


def weighted_clauses(
    rows: Float64, alternatives: int, low: Float64, high: Float64
) -> tuple[list[Float64], float]:
    """Weights for every clause of so many rows, and the least of their sums' lower bounds."""
    clauses = [
        clause_weights(rows[start : start + alternatives], low, high)
        for start in range(0, len(rows), alternatives)
    ]
    return [weights for weights, _ in clauses], min((least for _, least in clauses), default=np.inf)
