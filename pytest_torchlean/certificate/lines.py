"""Lines of ReLUs in units that certificates state, from the fixed-point bounds of a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.crown import SLOPE_BITS
from pytest_torchlean.bounds.program import FIRST_INPUT
from pytest_torchlean.bounds.stated import Lower
from pytest_torchlean.bounds.sweeps import relu_lines
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.choosing import sources_of_choice
from pytest_torchlean.certificate.curves import curve_slopes
from pytest_torchlean.certificate.rows import Box, Slopes, size_of
from pytest_torchlean.certificate.statement import (
    CurveData,
    CurveFunction,
    MaximumData,
    MinimumData,
    ReluData,
)
from pytest_torchlean.certificate.states import State

_CURVE_BITS = 12
_FINE = 0.0625
"""Pieces of a smooth activation's interval are about so wide."""
_LEAST_HALVED, _MOST_HALVED = 1, 5
"""How often intervals are halved for that."""
_HALVED = {CurveFunction.SQRT: 6, CurveFunction.SINE: 6, CurveFunction.COSINE: 6}
"""How often for functions whose rise the checker does not know: the line's rise over one piece is lost."""
_DEAR_HALVED = 4
"""For the functions that take an exponential or a long series for each end of a piece."""


def box_of(account: Account, state: State) -> Box:
    """The bounds of the first box of a state."""
    return Box(
        account.emission.certificate.scale, state.lower[:, 0], state.upper[:, 0], state.differences_of(0)
    )


def with_lower(account: Account, slopes: Mapping[int, Slopes], lower: Lower) -> dict[int, Slopes]:
    """The slopes with other ones below undecided results; lower: by the number of the node."""
    found, start = dict(slopes), FIRST_INPUT + account.emission.graph.inputs
    for index, node in enumerate(account.emission.graph.nodes):
        if index in lower and start in slopes:
            own, unit = slopes[start], 1 << slopes[start].bits
            if isinstance(node, MinimumData):
                # the line below max(b - a, 0) lies above min(a, b), with the other slope
                open_places = (own.lower > 0) & (own.lower < unit)
                found[start] = replace(own, upper=np.where(open_places, lower[index], own.upper))
            else:
                open_places = (own.upper > 0) & (own.upper < unit)
                found[start] = replace(own, lower=np.where(open_places, lower[index], own.lower))
        start += size_of(node)
    return found


def lines_of(account: Account, node: ReluData, state: State, bits: int = SLOPE_BITS) -> Slopes:
    """Chords above, and below the line that leaves the smaller triangle."""
    here = slice(node.first, node.first + node.count)
    low, high = in_binary64(account, state.lower[here]), in_binary64(account, state.upper[here])
    lines = relu_lines(low, high, bits)
    unit = 1 << bits
    return Slopes(
        bits,
        np.rint(lines.lower[:, 0, 0] * unit).astype(np.int64),
        np.rint(lines.upper[:, 0, 0] * unit).astype(np.int64),
    )


def choice_lines(account: Account, node: MaximumData | MinimumData, state: State) -> Slopes:
    """Slopes of the first slot: max(a, b) is b + max(a - b, 0), and min(a, b) is b - max(b - a, 0)."""
    sources = sources_of_choice(node)
    low, high = (in_binary64(account, side[:, 0]) for side in (state.lower, state.upper))
    first, second = sources[:, 0], sources[:, 1]
    if isinstance(node, MinimumData):
        first, second = second, first
    lines = relu_lines((low[first] - high[second])[:, None], (high[first] - low[second])[:, None], SLOPE_BITS)
    unit = 1 << SLOPE_BITS
    lower, upper = (np.rint(part[:, 0, 0] * unit).astype(np.int64) for part in (lines.lower, lines.upper))
    if isinstance(node, MinimumData):
        lower, upper = upper, lower
    return Slopes(SLOPE_BITS, lower, upper)


def curve_lines(account: Account, node: CurveData, state: State) -> Slopes:
    """Chords of a smooth activation; wide intervals are halved more often. Fused operations have slope 1."""
    if node.function.fused:
        ones = np.full(node.count, 1 << _CURVE_BITS, dtype=np.int64)
        return Slopes(_CURVE_BITS, ones, ones, 0)
    if node.function is CurveFunction.SIGN:
        flat = np.zeros(node.count, dtype=np.int64)
        return Slopes(_CURVE_BITS, flat, flat, 0)
    here = slice(node.first, node.first + node.count)
    low = in_binary64(account, state.lower[here, 0])
    high = in_binary64(account, state.upper[here, 0])
    widest = float((high - low).max(initial=0.0))
    depth = _HALVED.get(node.function, _DEAR_HALVED)
    if node.function.logistic:
        depth = int(np.clip(np.ceil(np.log2(max(widest, 1e-9) / _FINE)), _LEAST_HALVED, _MOST_HALVED))
    slopes = curve_slopes(node.function, low, high, _CURVE_BITS)
    return Slopes(_CURVE_BITS, slopes, slopes, depth)


def in_binary64(account: Account, numbers: Integers) -> NDArray[np.float64]:
    """Fixed-point numbers as the nearest binary64 numbers."""
    scale = account.emission.certificate.scale
    return np.asarray((numbers - scale.center) / scale.unit, dtype=np.float64)
