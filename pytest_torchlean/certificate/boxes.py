"""Input boxes with rational bounds, as the digits that a certificate holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.model import ScaleData
from pytest_torchlean.certificate.statement import BoxData, Semantics
from pytest_torchlean.certificate.words import pack_digits


@dataclass(frozen=True)
class RationalBox:
    """A closed box of the inputs, exact."""

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]


@dataclass(frozen=True)
class BoxDigits:
    """Numerators over the least common denominator, shifted to be natural."""

    denominator: int
    offset: int
    lower: tuple[int, ...]
    upper: tuple[int, ...]

    @property
    def width(self) -> int:
        """Bits of the longest numerator, at least 1."""
        return max(1, max(digit.bit_length() for digit in (*self.lower, *self.upper)))

    def data(self, scale: ScaleData, semantics: Semantics) -> BoxData:
        """Digits as far apart as the memory's where Lean can then take all inputs at once."""
        together = scale.unit % self.denominator == 0
        if semantics is Semantics.BINARY32:
            bits = hull_bits(scale, self.denominator)
            together &= self.width <= bits and self.offset >> bits == 0 and bits <= 126
        width = 2 * scale.half if together else self.width
        lower, upper = pack_digits(self.lower, width), pack_digits(self.upper, width)
        return BoxData(self.denominator, self.offset, width, lower, upper)

    def limits(self, unit: int, semantics: Semantics) -> Iterable[int]:
        """Numbers below which 2 to the half digit's bits must not be."""
        if semantics is Semantics.BINARY32:
            # room for the hull, whether the inputs are taken at once or one after the other
            return [(unit << (self.width + 26)) + (unit * self.offset + self.denominator << 26)]
        if unit % self.denominator == 0:
            return [(unit // self.denominator) * max(*self.lower, *self.upper, self.offset, 1) << 4]
        return [unit << self.width, math.isqrt(unit * self.offset) + 1]


def hull_bits(scale: ScaleData, denominator: int) -> int:
    """Check.Box.hullRoom: bits that digits may have for all inputs of the hull to be taken at once."""
    factor = scale.unit // denominator
    return max(0, max(0, scale.half - 3) - max(0, factor.bit_length() - 1) - 25)


def box_digits(box: RationalBox) -> BoxDigits:
    """The digits of a box."""
    denominator = math.lcm(*(bound.denominator for bound in (*box.lower, *box.upper)))
    lower = [bound.numerator * (denominator // bound.denominator) for bound in box.lower]
    upper = [bound.numerator * (denominator // bound.denominator) for bound in box.upper]
    offset = max(0, -min(lower, default=0))
    return BoxDigits(
        denominator,
        offset,
        tuple(digit + offset for digit in lower),
        tuple(digit + offset for digit in upper),
    )


def to_float(number: Fraction) -> float:
    """The nearest binary64 number, infinite beyond their range."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


class Bounded(Protocol):
    """What has exact bounds of every input."""

    @property
    def lower(self) -> Sequence[Fraction]: ...

    @property
    def upper(self) -> Sequence[Fraction]: ...


def float_bounds(box: Bounded) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A box's lower and upper bounds, float64 (inputs,) each: the nearest numbers, so estimates."""
    lower, upper = (np.array(list(map(to_float, bounds))) for bounds in (box.lower, box.upper))
    return lower, upper


def all_float_bounds(boxes: Sequence[Bounded]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same of one box or more, float64 (boxes, inputs) each."""
    lower, upper = zip(*map(float_bounds, boxes), strict=True)
    return np.stack(lower), np.stack(upper)
