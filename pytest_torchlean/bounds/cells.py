"""Cutting a box of few inputs into cells that intervals prove, thousands at once, in binary64.

For graphs with products, where bounds of a wide box say little and no lines are known that say more. Like
every search it gives a tree of cuts for a certificate, never evidence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.interval import Float64, evaluate, propagate
from pytest_torchlean.bounds.program import (
    AffineNode,
    BilinearNode,
    CurveNode,
    Program,
    QuotientNode,
)
from pytest_torchlean.bounds.splitting import Inequalities, Tree, tree_of

MOST_INPUTS = 6
"""Beyond, cells that are small in every direction are too many."""
MOST_CELLS = 60_000
SLACK = 1e-7
"""By how much a row must be positive on a cell; rows are scaled to a largest coefficient of 1."""
_TOGETHER = 4096
_FINER = 4
_ALWAYS, _WEIGHT, _CURVE, _PRODUCT = 2e-4, 4e-7, 1e-4, 2e-6
"""Seconds that the compiled checker takes for a cell, a weight, a smooth activation and a product."""


def celled(program: Program) -> bool:
    """Whether a program's boxes are cut into cells: products or quotients of few inputs."""
    nonlinear = any(isinstance(node, BilinearNode | QuotientNode) for node in program.nodes)
    return nonlinear and 0 < program.inputs <= MOST_INPUTS


def affordable(program: Program, seconds: float) -> int:
    """How many cells Lean is expected to check in so many seconds."""
    each = _ALWAYS
    for node in program.nodes:
        if isinstance(node, AffineNode):
            each += _WEIGHT * node.weights.size * len(node.sources)
        elif isinstance(node, CurveNode):
            each += _CURVE * node.size
        elif isinstance(node, BilinearNode):
            each += _PRODUCT * node.left.size
        elif isinstance(node, QuotientNode):
            each += _PRODUCT * node.size
    return int(min(MOST_CELLS, seconds / each))


def search(
    program: Program,
    inequalities: Inequalities,
    lower: Float64,
    upper: Float64,
    *,
    most: int,
    budget: Budget = UNLIMITED,
) -> Tree | None:
    """The cuts after which intervals prove every cell; None where a middle breaks a clause, or `most` cells
    do not suffice. lower, upper: float64 (inputs,). Raises OutOfTime.

    In each round all open cells are halved, along the input whose halves are bounded best.
    """
    low, high = lower[None], upper[None]
    numbers = np.zeros(1, dtype=np.int64)
    cuts: dict[int, tuple[int, float, int]] = {}
    boxes: list[tuple[Float64, Float64]] = [(lower, upper)]
    closed = 0
    budget.observer.phase("cells of the box", 0, "cells")
    while numbers.size:
        budget.spend()
        fine, broken = _bounded(program, inequalities, low, high)
        closed += int(fine.sum())
        budget.observer.step(closed)
        open_cells = ~fine
        if broken.any() or closed + 2 * int(open_cells.sum()) > most:
            return None
        low, high, numbers = low[open_cells], high[open_cells], numbers[open_cells]
        if not numbers.size:
            break
        elements = _elements(program, inequalities, low, high, upper - lower, budget)
        rows = np.arange(numbers.size)
        middles = (low[rows, elements] + high[rows, elements]) / 2
        if not ((low[rows, elements] < middles) & (middles < high[rows, elements])).all():
            return None
        below, above = high.copy(), low.copy()
        below[rows, elements] = above[rows, elements] = middles
        first = len(boxes)
        for place, (number, element, middle) in enumerate(
            zip(numbers.tolist(), elements.tolist(), middles.tolist(), strict=True)
        ):
            cuts[number] = (element, middle, first + 2 * place)
            boxes += [(low[place], below[place]), (above[place], high[place])]
        numbers = np.arange(first, len(boxes))
        low = np.stack([low, above], axis=1).reshape(-1, lower.size)
        high = np.stack([below, high], axis=1).reshape(-1, lower.size)
    return tree_of(boxes, cuts)


def _least(program: Program, inequalities: Inequalities, low: Float64, high: Float64) -> Float64:
    """By how much intervals prove the clauses on each cell, (cells,)."""
    rows = inequalities.rows
    least, most = propagate(program, low, high)
    found = least @ np.maximum(rows, 0).T + most @ np.minimum(rows, 0).T
    return inequalities.least(np.nan_to_num(found, nan=-np.inf))


def _bounded(
    program: Program, inequalities: Inequalities, low: Float64, high: Float64
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells are proved, which have a middle that breaks a clause."""
    least, broken = np.empty(len(low)), np.zeros(len(low), dtype=bool)
    for first in range(0, len(low), _TOGETHER):
        here = slice(first, first + _TOGETHER)
        least[here] = _least(program, inequalities, low[here], high[here])
        middle = evaluate(program, (low[here] + high[here]) / 2) @ inequalities.rows.T
        broken[here] = inequalities.least(middle) < 0
    return least > SLACK, broken


def _elements(
    program: Program,
    inequalities: Inequalities,
    low: Float64,
    high: Float64,
    whole: Float64,
    budget: Budget,
) -> NDArray[np.int64]:
    """The input of each cell whose halves are bounded best, among those that were not cut much finer, as
    parts of the `whole` box's width, than another."""
    if low.shape[1] == 1:
        return np.zeros(len(low), dtype=np.int64)
    shares = (high - low) / np.where(whole > 0, whole, 1.0)
    wide = shares >= shares.max(axis=1, keepdims=True) / _FINER
    best = np.full((len(low), low.shape[1]), -np.inf)
    for first in range(0, len(low), _TOGETHER):
        here = slice(first, first + _TOGETHER)
        middle = (low[here] + high[here]) / 2
        for element in range(low.shape[1]):
            budget.spend()
            below, above = high[here].copy(), low[here].copy()
            below[:, element] = above[:, element] = middle[:, element]
            halves = [
                _least(program, inequalities, *side) for side in ((low[here], below), (above, high[here]))
            ]
            best[here, element] = np.where(wide[here, element], halves[0] + halves[1], -np.inf)
    found: NDArray[np.int64] = best.argmax(axis=1)
    return found
