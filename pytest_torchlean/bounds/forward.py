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
from pytest_torchlean.bounds.splitting import Splitting, splitting_of

_BATCH = 256
"""Parts bounded at once."""


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

    slope_bits: slopes of lines are cut off after so many bits.
    """

    layers: Sequence[Layer]
    last: Affine
    alternatives: int
    slope_bits: int


def lower_rows(chain: Chain, low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Lower bounds of the last rows (parts, rows), and their coefficients (parts, rows, inputs).

    low, high: the parts, (parts, inputs).
    """
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


@dataclass(frozen=True, eq=False)
class ByForms:
    """Bounds parts by forms carried through the chain."""

    chain: Chain

    def __call__(self, low: Float64, high: Float64) -> Bounded:
        """Parts (parts, inputs) each. The middle's value is not known beyond its bounds."""
        rows, over_inputs = lower_rows(self.chain, low, high)
        least = rows.reshape(len(rows), -1, self.chain.alternatives).max(axis=2).min(axis=1)
        weights = np.abs(over_inputs).max(axis=1) * (high - low)
        return Bounded(least, weights, np.zeros(len(low), dtype=np.bool_))


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

    The input on which the rows depend most is cut in the middle. Raises OutOfTime.
    """
    return splitting_of(
        cut_hardest_first(
            ByForms(chain),
            lower,
            upper,
            most=2 * most_parts,
            rounds=Rounds(_BATCH),
            slack=slack,
            budget=budget,
        )
    )
