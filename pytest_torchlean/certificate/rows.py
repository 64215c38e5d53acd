"""What rows on their way back through a network are, and what they know of the nodes they meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import Integers, Matrix
from pytest_torchlean.certificate.model import DecodingData, ScaleData
from pytest_torchlean.certificate.statement import AffineData, NodeData

LONGEST = 1 << 12
"""Bits of a coefficient, a shift or a slope beyond which a link is not followed."""


class NotRelaxable(Exception):
    """The rows cannot go back through a node: its shape, or numbers too long for the digits."""


@dataclass(frozen=True, eq=False)
class PassedNode:
    """A node that has been bounded. Of an affine node: its weights, and its results' radii under binary32."""

    node: NodeData
    start: int
    decoding: DecodingData
    matrix: Matrix | None = None
    error: Integers | None = None


@dataclass(frozen=True, eq=False)
class Slopes:
    """Slopes of the lines below and above one ReLU node, int64 (n,), in units of 2^-bits.

    Of a smooth activation both are the slope of its line, which may be negative; depth: how often its
    intervals are halved.
    """

    bits: int
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    depth: int = 0

    @property
    def size(self) -> int:
        """Bits of a digit that holds any of them, and one in any case."""
        largest = max((int(np.abs(side).max(initial=0)) for side in (self.lower, self.upper)), default=0)
        return max(self.bits + 1, largest.bit_length())


@dataclass(frozen=True, eq=False)
class Rows:
    """weight * sum(form * values) + gain <= scale * goal + loss, row by row, in fixed point.

    form: integers (rows, count) over the slots from `start` on. size: bits that Lean knows its digits to
    have. limit: what Lean knows of gains and losses. digit: bits of a digit in Lean. width: digits of the
    narrowest row that holds all so far.
    """

    scale: int
    weight: int
    limit: int
    start: int
    size: int
    form: Integers
    gain: Integers
    loss: Integers
    digit: int
    width: int
    places: NDArray[np.int64] | None = None
    """The slot of each column where they are not consecutive: nothing but their bounds can replace them."""

    @property
    def slots(self) -> slice | NDArray[np.int64]:
        """The slots that the rows read."""
        return slice(self.start, self.start + self.count) if self.places is None else self.places

    @property
    def count(self) -> int:
        """Slots that the rows read."""
        return int(self.form.shape[1])


@dataclass(frozen=True, eq=False)
class Difference:
    """Check.Relaxation.Differences: bounds of the slots from `right` on less those from `left` on.

    low, high: (count,) or (count, boxes); natural numbers with low - top <= unit * difference <= top - high.
    """

    left: int
    right: int
    low: Integers
    high: Integers

    @property
    def count(self) -> int:
        """How many differences."""
        return len(self.low)


@dataclass(frozen=True, eq=False)
class Box:
    """Fixed-point bounds of all slots, (slots,), and of differences, the last found first."""

    scale: ScaleData
    lower: Integers
    upper: Integers
    differences: tuple[Difference, ...] = ()

    def reaches(self, here: slice | NDArray[np.int64]) -> tuple[Integers, Integers]:
        """How far each of these slots may lie below and above 0: Check.Relaxation.reaches."""
        center = self.scale.center
        return np.maximum(center - self.lower[here], 0), np.maximum(self.upper[here] - center, 0)


def require(fine: bool) -> None:
    """Raises NotRelaxable where a certificate has numbers that no producer writes."""
    if not fine:
        raise NotRelaxable("numbers that no relaxation has")


def size_of(node: NodeData) -> int:
    """Slots that a node writes."""
    return node.rows * node.positions if isinstance(node, AffineData) else node.count
