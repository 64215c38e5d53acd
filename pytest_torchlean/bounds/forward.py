"""Linear forms of the inputs carried forward through a chain of layers, in binary64, and cuts of the box.

Every value of a layer lies between two linear forms of the inputs. With few inputs a whole network takes a
few small products, so that very many parts of a box can be bounded. The result is never evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.interval import Float64
from pytest_torchlean.bounds.queue import Bounded, Rounds, cut_hardest_first
from pytest_torchlean.bounds.splitting import Splitting, smallest_clause, splitting_of

_BATCH = 256
"""Parts bounded at once."""
_BATCH_AHEAD, _AHEAD = 64, 32
"""The same where every cut of a part is tried, and parts whose cuts are tried at once."""


@dataclass(frozen=True, eq=False)
class Affine:
    """weights @ values + a rest between low and high. weights: (rows, values). low, high: (rows,)."""

    weights: Float64
    low: Float64
    high: Float64


@dataclass(frozen=True, eq=False)
class Relu:
    """max(x, 0) of all values; none is below -negative or above positive, both (values,)."""

    negative: Float64
    positive: Float64


Layer = Affine | Relu


@dataclass(frozen=True, eq=False)
class Chain:
    """Layers from the inputs on, then rows of clauses: of every `alternatives` rows one must be positive.

    slope_bits: slopes of lines are cut off after so many bits. symbols: whether a ReLU that is not decided
    gets a noise symbol, on which all values behind it depend linearly.
    """

    layers: Sequence[Layer]
    last: Affine
    alternatives: int
    slope_bits: int
    symbols: bool = False

    def least(self, rows: Float64) -> Float64:
        """Per part the smallest clause's best row, (parts, rows) -> (parts,)."""
        return smallest_clause(rows, self.alternatives)


def lower_rows(chain: Chain, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Lower bounds of the last rows (parts, rows), and their coefficients (parts, rows, inputs).

    low, high: the parts, (parts, inputs).
    """
    if chain.symbols:
        return _rows_with_symbols(chain, low, high)
    parts, inputs = low.shape
    radius = (high - low) / 2
    form = np.zeros((parts, inputs, inputs + 1))
    form[:, np.arange(inputs), np.arange(inputs)] = 1.0
    form[:, :, inputs] = (low + high) / 2
    lower, upper = form, form
    for layer in chain.layers:
        if isinstance(layer, Affine):
            lower, upper = _affine(layer, lower, upper)
        else:
            lower, upper = _relu(layer, chain.slope_bits, radius, lower, upper)
    rows, _ = _affine(chain.last, lower, upper)
    return rows[:, :, inputs] - _reach(rows, radius), rows[:, :, :inputs]


def _affine(layer: Affine, lower: Float64, upper: Float64) -> tuple[Float64, Float64]:
    positive, negative = np.maximum(layer.weights, 0.0), np.minimum(layer.weights, 0.0)
    below: Float64 = positive @ lower + negative @ upper
    above: Float64 = positive @ upper + negative @ lower
    below[:, :, -1] += layer.low
    above[:, :, -1] += layer.high
    return below, above


def _relu(
    layer: Relu, slope_bits: int, radius: Float64, lower: Float64, upper: Float64
) -> tuple[Float64, Float64]:
    reach, one = _reach(upper, radius), float(1 << slope_bits)
    down = np.clip(reach - upper[:, :, -1], 0.0, layer.negative)
    up = np.clip(reach + upper[:, :, -1], 0.0, layer.positive)
    chord = np.where(down > 0.0, up / np.where(down > 0.0, up + down, 1.0), 1.0)
    slope = np.floor(chord * one) / one
    above = upper * slope[:, :, None]
    above[:, :, -1] += np.maximum(slope * down, (1.0 - slope) * up)
    return lower * (lower[:, :, -1:] >= 0.0), above


def _reach(form: Float64, radius: Float64) -> Float64:
    reach: Float64 = np.einsum("prn,pn->pr", np.abs(form[:, :, :-1]), radius)
    return reach


def _rows_with_symbols(chain: Chain, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """`lower_rows` by one form for each value: its middle, a rest, and how far each symbol moves it."""
    parts, inputs = low.shape
    middle, rest = (low + high) / 2, np.zeros((parts, inputs))
    radius = (high - low) / 2
    moves = np.zeros((parts, inputs, inputs))
    moves[:, np.arange(inputs), np.arange(inputs)] = radius
    one = float(1 << chain.slope_bits)
    for layer in chain.layers:
        if isinstance(layer, Affine):
            middle = middle @ layer.weights.T + (layer.low + layer.high) / 2
            rest = rest @ np.abs(layer.weights).T + (layer.high - layer.low) / 2
            moves = layer.weights @ moves
            continue
        reach = np.abs(moves).sum(axis=2) + rest
        down = np.clip(reach - middle, 0.0, layer.negative)
        up = np.clip(reach + middle, 0.0, layer.positive)
        chord = np.where(down > 0.0, up / np.where(down > 0.0, up + down, 1.0), 1.0)
        slope = np.floor(chord * one) / one
        misses = np.maximum(slope * down, (1.0 - slope) * up)
        middle = slope * middle + misses / 2
        rest = slope * rest
        moves = _with_symbols(slope[:, :, None] * moves, misses / 2)
    last = chain.last
    rows = last.weights @ moves
    reach = np.abs(rows).sum(axis=2) + rest @ np.abs(last.weights).T
    over_inputs: Float64 = rows[:, :, :inputs] / np.where(radius > 0.0, radius, 1.0)[:, None, :]
    return middle @ last.weights.T + last.low - reach, over_inputs


def _with_symbols(moves: Float64, sizes: Float64) -> Float64:
    """Another column for each of a part's values whose size is not 0; parts with fewer get zeros."""
    chosen = sizes > 0.0
    most = int(chosen.sum(axis=1).max(initial=0))
    if not most:
        return moves
    own = np.zeros((*sizes.shape, most))
    part, value = np.nonzero(chosen)
    own[part, value, (np.cumsum(chosen, axis=1) - 1)[part, value]] = sizes[part, value]
    return np.concatenate([moves, own], axis=2)


@dataclass(frozen=True, eq=False)
class ByForms:
    """Bounds parts by forms carried through the chain.

    slack: what parts must be above; of others each input's weight is how much its cut would close, with
    `ahead`, and otherwise how much the rows depend on it.
    """

    chain: Chain
    slack: float = 0.0
    ahead: bool = False

    def __call__(self, low: Float64, high: Float64) -> Bounded:
        """Parts (parts, inputs) each. The middle's value is not known beyond its bounds."""
        rows, over_inputs = lower_rows(self.chain, low, high)
        least = self.chain.least(rows)
        weights = np.abs(over_inputs).max(axis=1) * (high - low)
        if self.ahead:
            left = np.flatnonzero(~(least > self.slack))
            for start in range(0, len(left), _AHEAD):
                some = left[start : start + _AHEAD]
                weights[some] = self._closed(low[some], high[some], least[some])
        return Bounded(least, weights, np.zeros(len(low), dtype=np.bool_))

    def _closed(self, low: Float64, high: Float64, least: Float64) -> Float64:
        """How much of the gap both halves of each cut would close; 0 for an input that cannot be cut."""
        parts, inputs = low.shape
        middle = (low + high) / 2
        sides = np.stack([np.repeat(side[:, None], 2 * inputs, axis=1) for side in (low, high)])
        for element in range(inputs):
            sides[1, :, 2 * element, element] = middle[:, element]
            sides[0, :, 2 * element + 1, element] = middle[:, element]
        rows, _ = lower_rows(self.chain, *sides.reshape(2, -1, inputs))
        gap = np.maximum(self.slack - self.chain.least(rows).reshape(parts, inputs, 2), 0.0).sum(axis=2)
        closed: Float64 = np.maximum(2.0 * (self.slack - least)[:, None] - gap, 0.0)
        return np.where((low < middle) & (middle < high), closed + np.finfo(np.float64).tiny, 0.0)


def split(
    chain: Chain,
    lower: Float64,
    upper: Float64,
    *,
    most_parts: int,
    slack: float = 0.0,
    budget: Budget = UNLIMITED,
) -> Splitting:
    """Cut the box (lower, upper: (inputs,)) until on every part each clause has a row above `slack`.

    The input that closes most, or on which the rows depend most, is cut in the middle. Raises OutOfTime.
    """
    return splitting_of(
        cut_hardest_first(
            ByForms(chain, slack, ahead=chain.symbols),
            lower,
            upper,
            most=2 * most_parts,
            rounds=Rounds(_BATCH_AHEAD if chain.symbols else _BATCH),
            slack=slack,
            budget=budget,
        )
    )
