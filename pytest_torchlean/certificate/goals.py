"""Which slots of the last node are worth bounding by rows: those that a later node reads and bends.

Goals are words, see RelaxationData: both bounds of every slot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bilinear import factors_of
from pytest_torchlean.certificate.choosing import sources_of_choice
from pytest_torchlean.certificate.rows import PassedNode, size_of
from pytest_torchlean.certificate.statement import (
    BilinearData,
    CurveData,
    MaximumData,
    MinimumData,
    QuotientData,
    ReluData,
)
from pytest_torchlean.certificate.states import State
from pytest_torchlean.certificate.words import pairs_of


def both_bounds(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Goals for both bounds of each place, int64 (2 * places,): the words 2p and 2p + 1."""
    return np.stack([2 * places, 2 * places + 1], axis=1).reshape(-1).astype(np.int64)


def _written(last: PassedNode, slots: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places, among the results of the last node, of those of these slots that it writes."""
    places = np.unique(slots) - last.start
    return places[(places >= 0) & (places < size_of(last.node))]


def factors_read(
    last: PassedNode, node: BilinearData | QuotientData, constant: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Both bounds of every slot of the last node that quotients read, or products of two numbers that inputs
    change, as words. Planes through a product with a constant are as good as exact.
    """
    pairs = factors_of(node).reshape(-1, 2) if isinstance(node, BilinearData) else pairs_of(node)
    if isinstance(node, BilinearData):
        pairs = pairs[~constant[pairs].any(axis=1)]
    return both_bounds(_written(last, pairs))


def operands_read(last: PassedNode, node: MaximumData | MinimumData, state: State) -> NDArray[np.int64]:
    """Both bounds of every slot of the last node of which, as far as is known, a maximum or a minimum may be
    the other operand, too, as words."""
    sources = sources_of_choice(node)
    known = np.minimum(sources, len(state.lower) - 1)
    low, high = (side[:, 0][known] for side in (state.lower, state.upper))
    either = ((low[:, 0] < high[:, 1]) & (low[:, 1] < high[:, 0])).astype(bool)
    return both_bounds(_written(last, sources[either | (sources != known).any(axis=1)]))


def arguments_read(
    account: Account, last: PassedNode, node: ReluData | CurveData, state: State
) -> NDArray[np.int64]:
    """Both bounds of every slot of the last node that a ReLU reads and leaves undecided, or that a smooth
    activation reads, as words.
    """
    center = account.emission.certificate.scale.center
    first = max(node.first, last.start)
    here = slice(first, max(first, min(node.first + node.count, last.start + size_of(last.node))))
    below, above = state.lower[here, 0] < center, state.upper[here, 0] > center
    places = np.flatnonzero((below & above).astype(bool) | isinstance(node, CurveData)) + first - last.start
    return both_bounds(places)
