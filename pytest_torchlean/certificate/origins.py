"""Slots whose bounds say as much as rows over the inputs would: each an affine function of one input.

Preprocessing such as a subtracted mean or a divided deviation reads every input once. Rows that arrive there
have nothing to gain from going on: no two of their slots share an input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.program import FIRST_INPUT
from pytest_torchlean.certificate.bilinear import factors_of
from pytest_torchlean.certificate.choosing import sources_of_choice
from pytest_torchlean.certificate.rows import PassedNode, Rows
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    CurveData,
    GraphData,
    NodeData,
    QuotientData,
    ReluData,
)
from pytest_torchlean.certificate.words import pairs_of, sources_of

_CONSTANT = -1
"""In the place of an input slot: depends on none."""


def origins_of(passed: Sequence[PassedNode]) -> NDArray[np.int64]:
    """The input slot that each of the first slots depends on, -1 for none: up to the first node of which a
    result depends on more, or not affinely.
    """
    first = passed[0].start if passed else FIRST_INPUT
    known = np.arange(first, dtype=np.int64)
    known[:FIRST_INPUT] = _CONSTANT
    for node in passed:
        found = _origins(node, known)
        if found is None:
            break
        known = np.concatenate([known, found])
    return known


def constants_of(graph: GraphData) -> NDArray[np.bool_]:
    """Which slots depend on no input, (slots,)."""
    known = np.zeros(FIRST_INPUT + graph.inputs, dtype=bool)
    known[:FIRST_INPUT] = True
    for node in graph.nodes:
        known = np.concatenate([known, _constant(node, known)])
    return known


def _constant(node: NodeData, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if isinstance(node, AffineData):
        return np.repeat(known[sources_of(node)].all(axis=1), node.rows)
    if isinstance(node, ReluData | CurveData):
        return known[node.first : node.first + node.count]
    if isinstance(node, BilinearData):
        return np.asarray(known[factors_of(node)].all(axis=(1, 2)))
    pairs = pairs_of(node) if isinstance(node, QuotientData) else sources_of_choice(node)
    return np.asarray(known[pairs].all(axis=1))


def end_at_inputs(origins: NDArray[np.int64], rows: Rows) -> bool:
    """Whether the bounds of what the rows read say all that the inputs' bounds could."""
    here = np.arange(rows.start, rows.start + rows.count)
    if rows.places is not None or here[-1:].max(initial=0) >= len(origins):
        return False
    read = origins[here[(rows.form != 0).any(axis=0)]]
    read = read[read != _CONSTANT]
    return len(np.unique(read)) == len(read)


def _origins(node: PassedNode, known: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The same for a node's results; None where one depends on several inputs or on a slot that does."""
    data, matrix = node.node, node.matrix
    if not isinstance(data, AffineData) or matrix is None or node.start != len(known):
        return None
    used = (matrix.positive != matrix.negative).astype(bool)
    found = np.full((data.positions, data.rows), _CONSTANT, dtype=np.int64)
    for position, sources in enumerate(matrix.sources):
        if int(sources[used.any(axis=0)].max(initial=0)) >= len(known):
            return None
        read = np.where(used, known[np.minimum(sources, len(known) - 1)], _CONSTANT)
        if (np.count_nonzero(read != _CONSTANT, axis=1) > 1).any():
            return None
        found[position] = read.max(axis=1, initial=_CONSTANT)
    return found.reshape(-1)
