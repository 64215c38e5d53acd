"""Bounds of smooth activations in exact integers, as lean/PytestTorchLean/Check/Curve computes them.

`curve_bounds` mirrors Curve.run, digit for digit. Fractions below and above the exponential come from chains
of 256th powers, each rounded down or up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.budgets import BUDGETS, allowed
from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.model import (
    NO_STEP,
    CurveData,
    CurveFunction,
    ScaleData,
    Semantics,
    StepData,
)

FARTHEST = 128
"""Check.Curve.farthest: arguments of the exponential beyond it are not told apart."""
STAGES = 4
BITS = 66
"""Enough for the sigmoid to 2^-32: the chain starts within x^2 / 2^33 of e^x, relatively, and loses 2^-34."""
_NARROW = 1e-6
_SPARE = 152
"""Bits after the point of a budget."""
_SLACK = 2.0**-40
"""For the roundings of binary64."""


@dataclass(frozen=True)
class Shape:
    """Check.Curve.factor, share, multiple / unit, and how many units lie below the center at E = 0."""

    factor: int
    share: int
    multiple: int
    below: int
    eighths: int
    absolute: int

    def base(self, scale: ScaleData) -> int:
        """The fixed-point value where the exponential is 0."""
        return scale.center - self.below * scale.unit


SHAPES: Mapping[CurveFunction, Shape] = {
    CurveFunction.EXP: Shape(1, 0, 1, 0, 8, 0),
    CurveFunction.SIGMOID: Shape(1, 1, 1, 0, 4, 13 << 123),
    CurveFunction.TANH: Shape(2, 1, 2, 1, 48, 1 << 8),
}
"""eighths, absolute: Spec.Curve.eighths (of a unit in the last place) and absolute (units of 2^-149)."""


def curve_step(scale: ScaleData) -> StepData:
    """How many stages of how many bits bound a curve."""
    return StepData(NO_STEP.decoding, STAGES, BITS)


def curve_bounds(
    semantics: Semantics,
    scale: ScaleData,
    node: CurveData,
    step: StepData,
    lower: Integers,
    upper: Integers,
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Bounds of the node's results, (results, boxes), and the boxes where Lean finds all of them."""
    low = np.zeros((node.count, lower.shape[1]), dtype=object)
    high = low.copy()
    fine = np.ones(lower.shape[1], dtype=bool)
    chain = Chain(scale, step.first, step.radius)
    if node.first + node.count > len(lower) or not chain.fits:
        return low, high, ~fine
    for box in range(lower.shape[1]):
        for place in range(node.count):
            slot = node.first + place
            found = chain.bounds(semantics, node.function, int(lower[slot, box]), int(upper[slot, box]))
            if found is None:
                fine[box] = False
                break
            low[place, box], high[place, box] = found
    return low, high, fine


Point = tuple[int, int, int]
"""An argument, and bounds of the value there, in fixed point."""


@dataclass(frozen=True)
class Chain:
    """Stages of the exponential in one scale."""

    scale: ScaleData
    stages: int
    bits: int

    @property
    def fits(self) -> bool:
        """What Curve.run checks once."""
        unit, center = self.scale.unit, self.scale.center
        return unit <= center <= unit << 127 and self.stages >= 1 and FARTHEST * unit < self._measure

    @property
    def _measure(self) -> int:
        return self.scale.unit << (8 * self.stages)

    def bounds(
        self, semantics: Semantics, function: CurveFunction, lower: int, upper: int
    ) -> tuple[int, int] | None:
        """Check.Curve.bound and each: bounds of a result, None where Lean finds none."""
        shape, scale = SHAPES[function], self.scale
        base, multiple = shape.base(scale), shape.multiple * scale.unit
        a, b = self.below(shape.factor, lower)
        c, d = self.above(shape.factor, upper)
        if b + shape.share * a < 1 or d + shape.share * c < 1:
            return None
        low = base + multiple * a // (b + shape.share * a)
        high = base + multiple * c // (d + shape.share * c) + 1
        if semantics is Semantics.BINARY32:
            size = max(high - scale.center, 0) + max(scale.center - low, 0)
            constant = (shape.eighths + 8 * shape.absolute) * scale.unit
            radius = ((shape.eighths * size << 126) + constant >> _SPARE) + 1
            if radius > low:
                return None
            low, high = low - radius, high + radius
        return (low, high) if low <= high <= scale.top else None

    def at(self, function: CurveFunction, point: int) -> tuple[int, int] | None:
        """Check.Curve.enclose at one point: bounds of the exact value."""
        shape = SHAPES[function]
        base, multiple = shape.base(self.scale), shape.multiple * self.scale.unit
        a, b = self.below(shape.factor, point)
        c, d = self.above(shape.factor, point)
        if b + shape.share * a < 1 or d + shape.share * c < 1:
            return None
        low = base + multiple * a // (b + shape.share * a)
        return low, base + multiple * c // (d + shape.share * c) + 1

    @lru_cache(maxsize=1 << 14)  # noqa: B019 - every pass of a box asks the same again
    def residual(
        self, function: CurveFunction, unit: int, slope: int, depth: int, lower: int, upper: int
    ) -> tuple[int, int] | None:
        """Check.Curve.settled: bounds of unit * value + slope * (top - argument), the budget included."""
        left, right = self.at(function, lower), self.at(function, upper)
        if left is None or right is None or max(lower, upper) > self.scale.top:
            return None
        found = self._cover(function, unit, slope, depth, (lower, *left), (upper, *right))
        if found is None:
            return None
        shape, center = SHAPES[function], self.scale.center
        size = max(right[1] - center, 0) + max(center - left[0], 0)
        constant = (shape.eighths + 8 * shape.absolute) * self.scale.unit
        radius = unit * (((shape.eighths * size << 126) + constant >> _SPARE) + 1)
        return None if radius > found[0] else (found[0] - radius, found[1] + radius)

    def _cover(
        self, function: CurveFunction, unit: int, slope: int, depth: int, left: Point, right: Point
    ) -> tuple[int, int] | None:
        """Check.Curve.cover: every piece halved `depth` times."""
        if depth == 0:
            return self._piece(SHAPES[function], unit, slope, left, right)
        middle = left[0] + right[0] >> 1
        value = self.at(function, middle)
        if value is None:
            return None
        first = self._cover(function, unit, slope, depth - 1, left, (middle, *value))
        second = self._cover(function, unit, slope, depth - 1, (middle, *value), right)
        if first is None or second is None:
            return None
        return min(first[0], second[0]), max(first[1], second[1])

    def _piece(self, shape: Shape, unit: int, slope: int, left: Point, right: Point) -> tuple[int, int]:
        """Check.Curve.piece."""
        (a, al, ah), (b, bl, bh) = left, right
        base, top, square = shape.base(self.scale), self.scale.top, self.scale.unit**2
        roof = self.scale.unit + shape.share * self.scale.center
        steep = unit * max(bh - base, 0) * max(roof - shape.share * al, 0) // square + 1
        flat = unit * max(al - base, 0) * max(roof - shape.share * bh, 0) // square
        width = max(b - a, 0)
        up, down = max(steep - slope, 0) * width, max(slope - flat, 0) * width
        before, behind = slope * max(top - a, 0), slope * max(top - b, 0)
        low = max(unit * al + before - down, unit * bl + behind - up, 0)
        return low, min(unit * ah + before + up, unit * bh + behind + down)

    def below(self, factor: int, lower: int) -> tuple[int, int]:
        """Exponential.below: numerator and denominator of a fraction at or below e^(factor * x)."""
        one, distance = 1 << self.bits, factor * (lower - self.scale.center)
        if distance >= 0:
            return self._down(distance), one
        return (0, 1) if -distance > self._limit else (one, self._up(-distance))

    def above(self, factor: int, upper: int) -> tuple[int, int]:
        """Exponential.above; the denominator may be 0."""
        one, distance = 1 << self.bits, factor * (upper - self.scale.center)
        if distance < 0:
            return one, self._down(-distance)
        return (1, 0) if distance > self._limit else (self._up(distance), one)

    @property
    def _limit(self) -> int:
        return FARTHEST * self.scale.unit

    def _down(self, distance: int) -> int:
        one = 1 << self.bits
        value = one + min(distance, self._limit) * one // self._measure
        for _ in range(self.stages):
            value = value**256 >> (255 * self.bits)
        return value

    def _up(self, distance: int) -> int:
        value = (1 << self.bits) * self._measure // (self._measure - distance) + 1
        for _ in range(self.stages):
            value = (value**256 >> (255 * self.bits)) + 1
        return value


def curve_slopes(
    function: CurveFunction, low: NDArray[np.float64], high: NDArray[np.float64], bits: int
) -> NDArray[np.int64]:
    """Slopes of chords, int64, in units of 2^-bits and below 2."""
    own = CURVES[function.name.lower()]
    with np.errstate(all="ignore"):
        chord = (own.value(high) - own.value(low)) / (high - low)
        slope = np.where(high - low > _NARROW, chord, own.slope((low + high) / 2))
    unit = 1 << bits
    found: NDArray[np.int64] = np.clip(np.rint(np.nan_to_num(slope) * unit), 0, 2 * unit - 1).astype(np.int64)
    return found


def curve_radius(
    function: CurveFunction, center: NDArray[np.float64], radius: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far any binary32 run may be from the exact value at `center`; arguments are off by `radius`."""
    name = function.name.lower()
    value = CURVES[name].value
    with np.errstate(all="ignore"):
        exact = value(center)
        moved = np.maximum(np.abs(value(center + radius) - exact), np.abs(exact - value(center - radius)))
        moved = moved + _SLACK * (np.abs(exact) + moved) + _SLACK * (radius > 0)
        reach = np.abs(exact) + moved
        found = moved + allowed(BUDGETS[name.capitalize()], reach, center) + _SLACK * reach
    return np.where(np.isfinite(found), found, np.inf)
