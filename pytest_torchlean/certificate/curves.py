"""Bounds of smooth activations in exact integers, as lean/PytestTorchLean/Check/Curve computes them.

`curve_bounds` mirrors Curve.run, digit for digit. Fractions below and above the exponential come from chains
of 256th powers, each rounded down or up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.budgets import GRANTED, SLACK
from pytest_torchlean.certificate.circle import circle_bounds
from pytest_torchlean.certificate.concave import concave
from pytest_torchlean.certificate.gauss import error_function_bounds
from pytest_torchlean.certificate.model import NO_STEP, ScaleData, StepData
from pytest_torchlean.certificate.statement import CurveData, CurveFunction, Semantics

FARTHEST = 128
"""Check.Curve.farthest: arguments of the exponential beyond it are not told apart."""
STAGES = 4
BITS = 66
"""Enough for the sigmoid to 2^-32: the chain starts within x^2 / 2^33 of e^x, relatively, and loses 2^-34."""
_LOGARITHM_STEP = StepData(NO_STEP.decoding, 6, 96)
"""The exponential of a logarithm's bounds has to be told apart from that of the guess between them."""
_FINE_LOGARITHM_STEP = StepData(NO_STEP.decoding, 10, 160)
"""The same in units finer than 2^-_COARSEST_FINE: boxes may have such denominators."""
_COARSEST_FINE = 36
_ERROR_FUNCTION_STEP = StepData(NO_STEP.decoding, 5, 80)
"""Enough for 2^-32 where e^(x^2) is e^16."""
_CIRCLE_STEP = StepData(NO_STEP.decoding, 1, 88)
"""Terms of the series at 32 are 2^46 times the sine."""
_ROOT_ITERATIONS = 7
"""Check.Root.iterations."""
_LOGARITHM_ITERATIONS, _LOGARITHM_MARGIN = 3, 3
"""Check.Logarithm.iterations, margin."""
_LN2 = 45426
"""Times 2^16."""
_NARROW = 1e-6
"""Intervals up to this width have the slope at their middle, not that of the chord."""
_STEEPEST = 9
"""Exponentials of numbers up to 6 have chords; a larger digit would take room from coefficients."""


@dataclass(frozen=True)
class Shape:
    """Check.Curve.factor, share, multiple / unit, and how many units lie below the center at E = 0."""

    factor: int
    share: int
    multiple: int
    below: int

    def base(self, scale: ScaleData) -> int:
        """The fixed-point value where the exponential is 0."""
        return scale.center - self.below * scale.unit


SHAPES: Mapping[CurveFunction, Shape] = {
    CurveFunction.EXP: Shape(1, 0, 1, 0),
    CurveFunction.SIGMOID: Shape(1, 1, 1, 0),
    CurveFunction.TANH: Shape(2, 1, 2, 1),
}
"""Of the logistic functions."""


def curve_step(function: CurveFunction, scale: ScaleData | None = None) -> StepData:
    """How many stages of how many bits bound a curve; scale: of the certificate, if it may be a fine one."""
    if function in (CurveFunction.LOG, CurveFunction.SOFTPLUS):
        fine = scale is not None and scale.unit.bit_length() > _COARSEST_FINE
        return _FINE_LOGARITHM_STEP if fine else _LOGARITHM_STEP
    if function is CurveFunction.ERF:
        return _ERROR_FUNCTION_STEP
    if function in (CurveFunction.SINE, CurveFunction.COSINE):
        return _CIRCLE_STEP
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
        found = self.exactly(function, lower, upper)
        if found is None:
            return None
        low, high = found
        if semantics is Semantics.BINARY32:
            radius = GRANTED[function].radius(self.scale, low, high)
            if radius > low:
                return None
            low, high = low - radius, high + radius
        return (low, high) if low <= high <= self.scale.top else None

    def exactly(self, function: CurveFunction, lower: int, upper: int) -> tuple[int, int] | None:
        """Check.Curve.exactly: bounds of the exact values between two arguments."""
        if function is CurveFunction.SQRT:
            return self._root(lower, upper)
        if function is CurveFunction.LOG:
            return self._logarithm(lower, upper)
        if function is CurveFunction.SOFTPLUS:
            return self._softplus(lower, upper)
        if function is CurveFunction.ERF:
            scale = self.scale
            return error_function_bounds(scale.unit, scale.center, self.bits, self.stages, lower, upper)
        if function in (CurveFunction.SINE, CurveFunction.COSINE):
            sine = function is CurveFunction.SINE
            return circle_bounds(sine, self.scale.unit, self.scale.center, self.bits, lower, upper)
        if function is CurveFunction.SIGN:
            unit, center = self.scale.unit, self.scale.center
            return center + (unit if lower > center else -unit), center + (unit if upper >= center else -unit)
        if function.fused:
            return lower, upper
        shape = SHAPES[function]
        base, multiple = shape.base(self.scale), shape.multiple * self.scale.unit
        a, b = self.below(shape.factor, lower)
        c, d = self.above(shape.factor, upper)
        if b + shape.share * a < 1 or d + shape.share * c < 1:
            return None
        low = base + multiple * a // (b + shape.share * a)
        return low, base + multiple * c // (d + shape.share * c) + 1

    def at(self, function: CurveFunction, point: int) -> tuple[int, int] | None:
        """Check.Curve.enclose at one point: bounds of the exact value."""
        return self.exactly(function, point, point)

    def _root(self, lower: int, upper: int) -> tuple[int, int] | None:
        """Check.Root.enclose."""
        unit, center = self.scale.unit, self.scale.center
        if lower < center:
            return None
        low, high = unit * (lower - center), unit * max(upper - center, 0)
        below, above = max(_root_guess(low) - 1, 0), _root_guess(high) + 1
        return (center + below, center + above) if below**2 <= low and high <= above**2 else None

    def _logarithm(self, lower: int, upper: int) -> tuple[int, int] | None:
        """Check.Logarithm.enclose."""
        unit, center = self.scale.unit, self.scale.center
        if lower <= center:
            return None
        low = self.logarithm_below(lower - center, unit)
        high = None if low is None else self.logarithm_above(max(upper - center, 0), unit)
        return None if low is None or high is None else (low, high)

    def _softplus(self, lower: int, upper: int) -> tuple[int, int] | None:
        """Check.Logarithm.encloseSoftplus."""
        a, b = self.below(1, lower)
        low = self.logarithm_below(a + b, b)
        a, b = self.above(1, upper)
        high = None if low is None else self.logarithm_above(a + b, b)
        return None if low is None or high is None else (low, high)

    def _logarithm_guess(self, c: int, d: int) -> int:
        unit = self.scale.unit
        guess = self.scale.center + (unit * _LN2 * _log2(c) >> 16)
        guess = max(guess - (unit * _LN2 * _log2(d) >> 16), 0)
        for _ in range(_LOGARITHM_ITERATIONS):
            a, b = self.above(1, guess)
            p, q = c * b, a * d
            guess = max(guess + (4 * unit * p // (p + q) if p + q else 0) - 2 * unit, 0)
        return guess

    def logarithm_below(self, c: int, d: int) -> int | None:
        """Check.Logarithm.lower: of the logarithm of c / d."""
        if d < 1:
            return None
        low = max(self._logarithm_guess(c, d) - _LOGARITHM_MARGIN, 0)
        a, b = self.above(1, low)
        return low if b >= 1 and a * d <= c * b else None

    def logarithm_above(self, c: int, d: int) -> int | None:
        """Check.Logarithm.upper: of the logarithm of c / d."""
        if d < 1:
            return None
        high = self._logarithm_guess(c, d) + _LOGARITHM_MARGIN
        a, b = self.below(1, high)
        return high if b >= 1 and c * b <= a * d else None

    @lru_cache(maxsize=1 << 14)  # noqa: B019 - every pass of a box asks the same again
    def residual(
        self, function: CurveFunction, unit: int, rise: int, fall: int, depth: int, lower: int, upper: int
    ) -> tuple[int, int] | None:
        """Check.Curve.settled, stepped and carried: bounds of unit * value + rise * (top - argument) +
        fall * argument, the budget included; fall is 0 where the function never falls."""
        if function is CurveFunction.LOG:
            return concave(self, unit, (rise, fall), lower, upper)
        if not function.logistic and not function.fused:
            return self._stepped(function, unit, (rise, fall), depth, lower, upper)
        if fall:
            return None
        if function.fused:
            return self._carried(function, unit, rise, lower, upper)
        left, right = self.at(function, lower), self.at(function, upper)
        if left is None or right is None or max(lower, upper) > self.scale.top:
            return None
        found = self._cover(function, unit, rise, depth, (lower, *left), (upper, *right))
        if found is None:
            return None
        radius = unit * GRANTED[function].radius(self.scale, left[0], right[1])
        return None if radius > found[0] else (found[0] - radius, found[1] + radius)

    def _stepped(
        self,
        function: CurveFunction,
        unit: int,
        slope: tuple[int, int],
        depth: int,
        lower: int,
        upper: int,
    ) -> tuple[int, int] | None:
        """Check.Curve.stepped: every piece by the function's own rule, the line by its ends."""
        (rise, fall), top, ends = slope, self.scale.top, [lower, upper]
        for _ in range(depth):
            ends = [end for pair in pairwise(ends) for end in (pair[0], sum(pair) >> 1)] + ends[-1:]
        if upper > top:
            return None
        pieces = []
        for left, right in pairwise(ends):
            found = self.exactly(function, left, right)
            if found is None:
                return None
            low, high = rise * max(top - right, 0) + fall * left, rise * max(top - left, 0) + fall * right
            pieces.append((*found, unit * found[0] + low, unit * found[1] + high))
        lows, highs, least, most = zip(*pieces, strict=True)
        radius = unit * GRANTED[function].radius(self.scale, min(lows), max(highs))
        return None if radius > min(least) else (min(least) - radius, max(most) + radius)

    def _carried(
        self, function: CurveFunction, unit: int, slope: int, lower: int, upper: int
    ) -> tuple[int, int] | None:
        """Check.Curve.carried."""
        top = self.scale.top
        if slope > unit or upper > top:
            return None
        radius = unit * GRANTED[function].radius(self.scale, lower, upper)
        least = unit * lower + slope * max(top - lower, 0)
        most = unit * upper + slope * (top - upper)
        return None if radius > least else (least - radius, most + radius)

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
        steep = unit * max(bh - base, 0) * max(roof - shape.share * al, 0) // square
        flat = unit * max(al - base, 0) * max(roof - shape.share * bh, 0) // square
        up, down = max(steep - slope, 0) + 1, max(slope - flat, 0)
        before, behind = slope * max(top - a, 0), slope * max(top - b, 0)
        meeting = up * down * max(b - a, 0)
        low = up * (unit * al + before) + down * (unit * bl + behind) - meeting
        high = down * (unit * ah + before) + up * (unit * bh + behind) + meeting
        return max(low, 0) // (up + down), high // (up + down) + 1

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


def _root_guess(n: int) -> int:
    """Check.Root.guess."""
    guess = 1 << (_log2(n) // 2 + 1)
    for _ in range(_ROOT_ITERATIONS):
        guess = guess + (n // guess if guess else 0) >> 1
    return guess


def _log2(n: int) -> int:
    """Check.Root.log2."""
    return min(max(n.bit_length() - 1, 0), 1023)


def curve_slopes(
    function: CurveFunction, low: NDArray[np.float64], high: NDArray[np.float64], bits: int
) -> NDArray[np.int64]:
    """Slopes of chords, int64, in units of 2^-bits and below 2^_STEEPEST; negative where a sine or cosine
    falls."""
    own = CURVES[function.label]
    with np.errstate(all="ignore"):
        chord = (own.value(high) - own.value(low)) / (high - low)
        slope = np.where(high - low > _NARROW, chord, own.slope((low + high) / 2))
    unit = 1 << bits
    most = (unit << _STEEPEST) - 1
    least = -most if function in (CurveFunction.SINE, CurveFunction.COSINE) else 0
    found: NDArray[np.int64] = np.clip(np.rint(np.nan_to_num(slope) * unit), least, most).astype(np.int64)
    return found


def curve_radius(
    function: CurveFunction, center: NDArray[np.float64], radius: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far any binary32 run may be from the exact value at `center`; arguments are off by `radius`."""
    own = CURVES[function.label]
    with np.errstate(all="ignore"):
        exact = own.value(center)
        low, high = own.between(center - radius, center + radius)
        moved = np.maximum(np.abs(high - exact), np.abs(exact - low))
        moved = moved + SLACK * (np.abs(exact) + moved) + SLACK * (radius > 0)
        reach = np.abs(exact) + moved
        found = moved + GRANTED[function].of(reach) + SLACK * reach
    return np.where(np.isfinite(found), found, np.inf)
