"""How certificates see Softmax: the operations of a runtime, or e^x divided by the sum of such powers.

The second has no largest score, whose own bounds widen every share. In exact arithmetic both are the same,
and so is the power of a logarithm of a sum of powers of differences. In binary32 a runtime's share is within
GRANTED_ULPS units in the last place of the exact one, and 2^-125. With
u = 2^-24, n summands, and D how far a score lies below the largest one:

- x - max is off by u D, so its power by a factor of 1 + u D, and the exponential adds 2 u;
- in the sum that makes u times the mean of D, weighted by the shares, which is at most log n <= 7 as they add
  up to 1, and 2 u; adding up adds (n - 1) u at most, in any order;
- the reciprocal and the product, or a division, add 2 u.

Where D <= 87 that is (87 + 2 + 7 + 2 + n - 1 + 2) u < 2^-14, also with all products of such errors, for up to
MOST_GRANTED summands. Where D > 87 the share is below 2^-125, and so is what a runtime has for it, also if
it is flushed or held at the least normal number. That each power is rounded in the program, too, is harmless.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import (
    AffineBlock,
    CurveStep,
    IndexStep,
    LinearStep,
    PickStep,
    QuotientStep,
    ReluStep,
    Step,
)
from pytest_torchlean.ops.elementwise import combination, product, repeated
from pytest_torchlean.ops.extremum import extremum
from pytest_torchlean.ops.rule import integer, positions

MOST_SHARES = 4096
"""Summands whose rounding is far below 2^-10."""
MOST_GRANTED = 896
"""Summands whose rounding, with that of the shares, is below GRANTED_ULPS."""
GRANTED_ULPS = 512
"""Spec.Curve.eighths of the operation are eight times as many."""
MOST_DIFFERENCES = 8
"""Summands whose differences are few enough for a power each."""
_LEAST_SUM = np.float32(1 - 2.0**-10)
"""Whatever rounding does, the sum of e^(x - max) is not below this: one summand is e^0, none is negative."""
_LARGEST_SHARE = np.float32(1 + 2.0**-9)
_EMPTY = "it has no elements"

Positions = NDArray[np.int64]


def _rows(node: Node, graph: Graph) -> Positions:
    """The positions that share a sum, a row each."""
    shape, axis = graph.types[node.inputs[0]].shape, integer(node, "axis")
    return np.asarray(np.moveaxis(positions(shape), axis, -1).reshape(-1, shape[axis]))


def _back(rows: Positions) -> Positions:
    """Where in the rows each element is."""
    flat = rows.reshape(-1)
    back = np.empty_like(flat)
    back[flat] = np.arange(flat.size, dtype=np.int64)
    return back


def step(node: Node, graph: Graph) -> Step | str:
    """e^(x - max) times the reciprocal of their sum, each operation rounded.

    A kernel that divides by the sum, or takes x - max exactly, computes one of its executions. Selections
    that change nothing say that x - max is not positive, and that up to rounding the sum is not below 1 and
    no result above 1.
    """
    name, rows = node.inputs[0], _rows(node, graph)
    if 0 in rows.shape:
        return _EMPTY
    if rows.shape[1] > MOST_SHARES:
        return f"it has more than {MOST_SHARES} summands"
    (count, terms), flat = rows.shape, rows.reshape(-1)
    places, owners = np.arange(flat.size, dtype=np.int64), np.arange(count, dtype=np.int64)
    owner = places // terms
    x = IndexStep((name,), flat)
    largest = extremum(tuple(IndexStep((name,), rows[:, place]) for place in range(terms)), True, count)
    above = combination([(x, -1.0), (PickStep(largest, owner), 1.0)], flat.size)
    below = combination([(ReluStep(above), -1.0)], flat.size)
    grown = CurveStep(below, "exp")
    whole = AffineBlock(np.ones((1, terms), np.float32), None, places.reshape(count, terms), owners[:, None])
    total = extremum((LinearStep((grown,), (whole,)), repeated(name, _LEAST_SUM, count)), True, count)
    inverse = QuotientStep(repeated(name, np.float32(1), count), total)
    share = product(grown, PickStep(inverse, owner), flat.size)
    least = extremum((share, repeated(name, _LARGEST_SHARE, flat.size)), False, flat.size)
    return PickStep(least, _back(rows))


def exact_step(node: Node, graph: Graph) -> Step | str:
    """What ONNX defines, in exact arithmetic: no maximum is needed, and a share is a power of differences.

    So a share's bounds are as far apart as the scores' make them, and not by the maximum's bounds further.
    """
    rows = _rows(node, graph)
    if 0 in rows.shape:
        return _EMPTY
    near = 1 < rows.shape[1] <= MOST_DIFFERENCES
    shares = _powers(node.inputs[0], rows) if near else _shares(node.inputs[0], rows)
    return PickStep(shares, _back(rows))


def granted_step(node: Node, graph: Graph) -> Step | str:
    """The same for binary32, of whose shares a budget is granted; `step` where there are more summands."""
    rows = _rows(node, graph)
    if 0 in rows.shape or rows.shape[1] > MOST_GRANTED:
        return step(node, graph)
    return PickStep(CurveStep(_shares(node.inputs[0], rows), "fused_softmax"), _back(rows))


def _shares(name: str, rows: Positions) -> QuotientStep:
    """e^x over the sum of its row, row after row."""
    (count, terms), flat = rows.shape, rows.reshape(-1)
    places, owners = np.arange(flat.size, dtype=np.int64), np.arange(count, dtype=np.int64)
    grown = CurveStep(IndexStep((name,), flat), "exp")
    whole = AffineBlock(np.ones((1, terms), np.float32), None, places.reshape(count, terms), owners[:, None])
    return QuotientStep(grown, PickStep(LinearStep((grown,), (whole,)), places // terms))


def _powers(name: str, rows: Positions) -> CurveStep:
    """e^-log(1 + the sum of e^(y - x) over the other scores y of the row), row after row.

    Rows bound the differences, and lines beside a logarithm and an exponential leave half as much room as
    planes beside a quotient.
    """
    (count, terms), others = rows.shape, rows.shape[1] - 1
    own, other = np.nonzero(~np.eye(terms, dtype=bool))
    size, flat = count * terms * others, rows.size
    scores = (IndexStep((name,), rows[:, places].reshape(-1)) for places in (other, own))
    grown = CurveStep(combination(list(zip(scores, (1.0, -1.0), strict=True)), size), "exp")
    places = np.arange(size, dtype=np.int64).reshape(flat, others)
    sums = AffineBlock(
        np.ones((1, others), np.float32),
        np.ones(1, np.float32),
        places,
        np.arange(flat, dtype=np.int64)[:, None],
    )
    logarithms = CurveStep(LinearStep((grown,), (sums,)), "log")
    return CurveStep(combination([(logarithms, -1.0)], flat), "exp")
