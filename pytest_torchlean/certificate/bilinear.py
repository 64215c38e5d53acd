"""Sums of products of two slots in exact integers: lean/PytestTorchLean/Check/Bilinear, step for step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import OVERFLOW_THRESHOLD, growth
from pytest_torchlean.certificate.model import ScaleData
from pytest_torchlean.certificate.products import Integers
from pytest_torchlean.certificate.statement import BilinearData, Semantics
from pytest_torchlean.certificate.words import unpack_words

MOST_TERMS = 1 << 22
"""Products of a result beyond which no rounding is bounded."""


@dataclass(frozen=True, eq=False)
class Products:
    """Bounds of a node's results (count, boxes); per box the error radius and whether Lean accepts it."""

    lower: Integers
    upper: Integers
    error: Integers
    fine: NDArray[np.bool_]


def factors_of(data: BilinearData) -> NDArray[np.int64]:
    """The two slots of each product, (count, terms, 2)."""
    words = unpack_words(data.sources, 2 * data.count * data.terms)
    return words.astype(np.int64).reshape(data.count, data.terms, 2)


def bilinear_bounds(
    semantics: Semantics, scale: ScaleData, data: BilinearData, lower: Integers, upper: Integers
) -> Products:
    """Check.Bilinear.run on the bounds of all slots so far, (slots, boxes); they hold all factors."""
    factors = factors_of(data)
    left, right = factors[:, :, 0], factors[:, :, 1]
    low, high, size = _sums(scale, lower, upper, left, right)
    step = 2 * scale.unit
    offset = step * scale.center
    mass = data.terms * 2 * scale.center**2
    radius = np.zeros_like(size)
    fine = np.ones(lower.shape[1], dtype=bool)
    if semantics is Semantics.BINARY32:
        square = step * scale.unit
        radius = (growth(data.terms) * size >> 48) + 1 + (2 * data.terms * square >> 149) + 1
        largest = (((1 << 48) + growth(data.terms)) * size << 149) + (2 * data.terms * square << 48)
        fine &= (largest < (square * OVERFLOW_THRESHOLD << 48)).all(axis=0).astype(bool)
        fine &= data.terms <= MOST_TERMS
    fine &= (mass + radius <= low + offset).all(axis=0).astype(bool)
    least = np.maximum(low + offset - mass - radius, 0) // step
    most = np.maximum(high + radius + offset + step - 1 - mass, 0) // step
    fine &= ((least <= most) & (most <= scale.top)).all(axis=0).astype(bool)
    error: Integers = radius.max(axis=0, initial=0)
    return Products(least, most, error[None], fine)


def _sums(
    scale: ScaleData, lower: Integers, upper: Integers, left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[Integers, Integers, Integers]:
    """Twice the sums of the corners' products, the offsets included, and of their absolute values."""
    top, zero = scale.top, 2 * scale.center**2
    xs, zs = (lower[left], upper[left]), (lower[right], upper[right])
    corners = [x * z + (top - x) * (top - z) for x in xs for z in zs]
    least = np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))
    most = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
    least = np.where((left == right)[:, :, None], np.maximum(least, zero), least)
    size = np.maximum(np.maximum(most - zero, 0), np.maximum(zero - least, 0))
    return least.sum(axis=1), most.sum(axis=1), size.sum(axis=1)
