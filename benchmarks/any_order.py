"""What bounds by intervals must lose of their width where sums may be rounded in any order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pytest_torchlean.bounds.program import FIRST_INPUT, ONE_SLOT, AffineNode, ExtremumNode, Program, ReluNode
from pytest_torchlean.certificate.boxes import RationalBox

ROUNDING = 2.0**-24
NOTE = """
The last two columns are computed in binary64 for bounds by intervals (`any_order.py`): what the theorem
about any order grants without rounding to fixed point, and what some order of the sums attains. A sum of n
products that are not 0 may lose n roundings in the worst order, so mnist and oval21 lose more than 1e-4
however they are bounded. Lean counts the products that are not 0 where a matrix has one position, for all
rows alike; those of a convolution it counts all. Of oval21 more is lost than granted: a convolution's slots
are charged as the largest of them is.
"""
"""What a report says of the two figures of `width_lost`."""
Error = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of the products that make a row largest, and of those that make it smallest, (rows, columns)."""


def width_lost(program: Program, box: RationalBox) -> tuple[float, float]:
    """By how much wider bounds get, relatively, all slots behind the inputs together, in binary64.

    First: what the theorem about any order grants, without rounding to fixed point: 2^-24 of every product,
    and for every addition 2^-24 of what the products above 0 add up to, or those below if they are more.
    Second: what some order attains if every rounding errs as far as it may, the larger products first: no
    intervals that hold in every order can lose less. To add a product that is 0 is no rounding.
    """
    exact = _width(program, box, _none)
    return _width(program, box, _granted) / exact - 1, _width(program, box, _attained) / exact - 1


def _width(program: Program, box: RationalBox, error: Error) -> float:
    low, high = np.zeros(program.size), np.zeros(program.size)
    low[ONE_SLOT] = high[ONE_SLOT] = 1.0
    behind = FIRST_INPUT + program.inputs
    low[FIRST_INPUT:behind], high[FIRST_INPUT:behind] = (
        [float(one) for one in side] for side in (box.lower, box.upper)
    )
    for node in program.nodes:
        here = slice(node.start, node.start + node.size)
        if isinstance(node, AffineNode):
            weights = node.weights.astype(np.float64)
            for side, sign in ((high, 1.0), (low, -1.0)):  # what it reads lies before what it writes
                made = []
                for read in node.sources:
                    least, most = low[read], high[read]
                    terms, others = (
                        np.where(sign * weights > 0, sign * weights * first, sign * weights * second)
                        for first, second in ((most, least), (least, most))
                    )
                    made.append((terms.sum(axis=1) + error(terms, others)) / node.divisor)
                side[here] = sign * np.concatenate(made)
        elif isinstance(node, ReluNode):
            read = slice(node.first, node.first + node.size)
            low[here], high[here] = np.maximum(low[read], 0), np.maximum(high[read], 0)
        else:
            assert isinstance(node, ExtremumNode)
            choose = np.maximum if node.maximum else np.minimum
            low[here], high[here] = (choose(side[node.left], side[node.right]) for side in (low, high))
    return float((high - low)[behind:].sum())


def _none(terms: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.zeros(len(terms))


def _granted(terms: np.ndarray, others: np.ndarray) -> np.ndarray:
    above, below = np.maximum(terms, 0).sum(axis=1), np.maximum(-others, 0).sum(axis=1)
    count = ((terms != 0) | (others != 0)).sum(axis=1)
    return np.asarray(ROUNDING * (np.maximum(count - 1, 0) * np.maximum(above, below) + above + below))


def _attained(terms: np.ndarray, others: np.ndarray) -> np.ndarray:
    ordered = np.sort(terms, axis=1)
    partial = []
    for own in (ordered, ordered[:, ::-1]):
        added = (own != 0) & (np.cumsum(own != 0, axis=1) > 1)
        partial.append(np.abs(np.where(added, np.cumsum(own, axis=1), 0)).sum(axis=1))
    return np.asarray(ROUNDING * (np.maximum(*partial) + np.abs(terms).sum(axis=1)))
