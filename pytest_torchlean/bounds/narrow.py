"""Conditions on a level with few values that are not 0, which imply what is asked of the outputs.

Behind such a level all depends on few numbers. Where the property fails is then found by samples, and
half-spaces that leave these out by its slopes there. A search for cases that show the half-spaces meets none
of the later levels, whose relaxations would hide how near it is. Nothing here is relied on: conditions that
do not hold, or do not suffice, only lose time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.chains import Chain, Level, carry
from pytest_torchlean.bounds.layers import Float64
from pytest_torchlean.bounds.slopes import Ascent

_MOST_PLACES = 16
"""Values of a narrow level that are not always cut to 0."""
_NARROWER = 4
"""An earlier level has so many times as many: else cuts of the level itself lead as far."""
_SAMPLES = 4096
"""Points of the narrow level at which the property is tried."""
_TRIED = 64
"""Samples from which half-spaces are drawn."""
_MOST_CONDITIONS = 4
"""Half-spaces that are chosen: each is shown by a search of its own."""
_LEFT_OUT = 0.99
"""Of the samples that break the property, so many are left out."""
_HALVINGS = 30
"""Of a way on which the property begins to fail, to find where it does."""
_LEAST = 1e-9
"""The least rise of a tangent from where the property fails to the middle."""
_GLANCE = Ascent(iterations=10, step=0.25, decay=0.95)
"""How hard a half-space's own bound is sought, to choose among them."""


@dataclass(frozen=True, eq=False)
class Conditions:
    """rows over what ReLU `number` of the chain reads and 1, float64 (rows, size + 1), each 1 in the middle
    of the box: where all are positive the property seems to hold.
    """

    number: int
    rows: Float64


def conditions(
    chain: Chain, box: tuple[Float64, Float64], levels: tuple[Level, ...], forms: Float64, slack: float
) -> Conditions | None:
    """None where no level but the first is narrow, or the property does not depend on it.

    box: middle and radius of the inputs. forms: as `Chain.outputs` has them, asked to be above `slack`.
    """
    alive = [int((level.high > 0).sum()) for level in levels]
    number = min(range(1, chain.depth), key=lambda own: alive[own], default=0)
    if number == 0 or not 0 < alive[number] <= min(_MOST_PLACES, max(alive[:number]) // _NARROWER):
        return None
    level, behind = levels[number], _Behind(chain, number, forms)
    places = np.flatnonzero(level.high > 0)
    middle = _at(chain, box[0], number)
    points = np.tile(middle, (_SAMPLES, 1))
    low, high = level.low[places], level.high[places]
    points[:, places] = low + (high - low) * np.random.default_rng(0).random((_SAMPLES, places.size))
    broken = points[behind.least(points) <= slack]
    if not len(broken) or behind.least(middle[None])[0] <= slack:
        return None
    rows = _half_spaces(behind, middle, broken[:_TRIED], slack)
    names = np.arange(len(rows))
    lowest = carry(chain.until(number), box, levels[:number], rows, _GLANCE, names=names).least
    chosen = _cover(broken @ rows[:, :-1].T + rows[:, -1] <= 0, 1 / (1 + np.maximum(-lowest, 0)))
    return Conditions(number, rows[chosen]) if chosen else None


class _Behind:
    """The forms as functions of what a ReLU reads."""

    def __init__(self, chain: Chain, number: int, forms: Float64) -> None:
        self.weights, self.biases = chain.weights[number + 1 :], chain.biases[number + 1 :]
        self.forms = forms

    def least(self, points: Float64) -> Float64:
        """The lowest form at each point: (points, n) -> (points,)."""
        found: Float64 = self._forms(self._passed(points)[-1]).min(axis=1)
        return found

    def slopes(self, points: Float64) -> Float64:
        """How the lowest form changes, (points, n)."""
        passed = self._passed(points)
        steep = self.forms[self._forms(passed[-1]).argmin(axis=1), :-1]
        for weights, read in zip(reversed(self.weights), reversed(passed[:-1]), strict=True):
            steep = (steep @ weights) * (read > 0)
        return steep

    def _passed(self, points: Float64) -> list[Float64]:
        """What is read at every level, then the outputs."""
        passed = [points]
        for weights, bias in zip(self.weights, self.biases, strict=True):
            passed.append(np.maximum(passed[-1], 0) @ weights.T + bias)
        return passed

    def _forms(self, outputs: Float64) -> Float64:
        found: Float64 = outputs @ self.forms[:, :-1].T + self.forms[:, -1]
        return found


def _at(chain: Chain, point: Float64, number: int) -> Float64:
    """What a ReLU reads at an input, (n,)."""
    value = chain.weights[0] @ point + chain.biases[0]
    for weights, bias in zip(chain.weights[1 : number + 1], chain.biases[1 : number + 1], strict=True):
        value = weights @ np.maximum(value, 0) + bias
    return value


def _half_spaces(behind: _Behind, middle: Float64, broken: Float64, slack: float) -> Float64:
    """Tangents where the property begins to fail on the way from the middle to each point."""
    safe, fails = np.zeros((len(broken), 1)), np.ones((len(broken), 1))
    for _ in range(_HALVINGS):
        half = (safe + fails) / 2
        bad = behind.least(middle + half * (broken - middle))[:, None] <= slack
        safe, fails = np.where(bad, safe, half), np.where(bad, half, fails)
    met = middle + fails * (broken - middle)
    steep = behind.slopes(met)
    rise = steep @ middle - (steep * met).sum(axis=1)
    kept = rise > _LEAST
    rows = np.concatenate([steep, -(steep * met).sum(axis=1, keepdims=True)], axis=1)
    found: Float64 = rows[kept] / rise[kept, None]
    return found


def _cover(outside: NDArray[np.bool_], ease: Float64) -> list[int]:
    """A few half-spaces that leave out nearly all samples (samples, half-spaces), the easy ones first."""
    chosen: list[int] = []
    left = np.ones(len(outside), dtype=bool)
    while outside.size and len(chosen) < _MOST_CONDITIONS and left.mean() > 1 - _LEFT_OUT:
        gains = outside[left].sum(axis=0) * ease
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        chosen.append(best)
        left &= ~outside[:, best]
    return chosen
