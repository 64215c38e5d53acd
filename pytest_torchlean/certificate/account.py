"""What Lean's check will compute, step for step in exact integers: the producer's forecast.

It mirrors lean/PytestTorchLean/Check on many boxes at once. A forecast decides which boxes are put
into a certificate and is never evidence: Lean computes everything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.program import FIRST_INPUT
from pytest_torchlean.certificate.model import (
    AffineData,
    BoxData,
    ClaimCertificateData,
    ClaimData,
    DecodingData,
    Emission,
    ScaleData,
)
from pytest_torchlean.certificate.words import (
    EXPONENT_OF_SCALED,
    integers,
    patterns_of,
    sources_of,
    unpack_digits,
)

Integers = NDArray[Any]
"""Python integers, dtype object."""

ZERO_SPREAD = 251
"""Check.Box.run bounds slot 0 by less than this many fixed-point steps, different from box to box."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """One claim's boxes. accepted: bool (boxes,). least: per box the smallest row, scaled.

    `least[i] > 0` (or >= 0 where not strict) and a bounded run make box i acceptable. lower, upper:
    fixed-point bounds of all slots before the forms, (slots, boxes).
    """

    accepted: NDArray[np.bool_]
    least: Integers
    lower: Integers
    upper: Integers


@dataclass(frozen=True, eq=False)
class _Matrix:
    positive: Integers
    negative: Integers
    sources: NDArray[np.int64]

    @property
    def mass(self) -> Integers:
        total: Integers = (self.positive + self.negative).sum(axis=1)
        return total


class Account:
    """The decoded matrices of an emission's graph, ready to forecast claims.

    Its methods raise OutOfTime when the budget ends.
    """

    def __init__(self, emission: Emission, budget: Budget = UNLIMITED) -> None:
        self._emission = emission
        self._budget = budget
        self._scale = emission.certificate.scale
        self._matrices: list[_Matrix | None] = []
        decodings = iter(emission.certificate.decodings)
        self._decodings: list[DecodingData | None] = []
        for node in emission.graph.nodes:
            decoding = next(decodings) if isinstance(node, AffineData) else None
            self._decodings.append(decoding)
            self._matrices.append(
                _matrix(node, decoding) if isinstance(node, AffineData) and decoding else None
            )

    def forecast(self, claim: ClaimData, certificate: ClaimCertificateData) -> Forecast:
        """Which of the claim's boxes Lean will accept."""
        composed = certificate.composed_bits > 0
        lower, upper, bounded = self._run(claim.boxes, len(self._emission.graph.nodes) - composed)
        forms = _matrix(claim.property.forms, certificate.decoding)
        if composed:
            forms = self._composed(claim.property.forms, forms)
        below, _ = _sums(self._scale, forms, 0, lower, upper)
        rows = below - (self._scale.center * forms.mass)[:, None]
        least = rows.min(axis=0) if len(rows) else np.ones(len(claim.boxes), dtype=object)
        signs = np.array([bool(value > 0 or (value == 0 and not claim.property.strict)) for value in least])
        return Forecast(signs & bounded, least, lower, upper)

    def all_bounds(self, boxes: tuple[BoxData, ...]) -> tuple[Integers, Integers]:
        """Fixed-point bounds of every slot of the graph, (slots, boxes)."""
        lower, upper, _ = self._run(boxes, len(self._emission.graph.nodes))
        return lower, upper

    def _run(self, boxes: tuple[BoxData, ...], count: int) -> tuple[Integers, Integers, NDArray[np.bool_]]:
        """Bounds of the slots up to the `count`-th node, and which boxes stay in range."""
        lower, upper, bounded = _inputs(self._scale, boxes, self._emission.graph.inputs)
        nodes = self._emission.graph.nodes[:count]
        for node, matrix, decoding in zip(nodes, self._matrices, self._decodings, strict=False):
            self._budget.spend()
            if isinstance(node, AffineData):
                if matrix is None or decoding is None:
                    raise ValueError("an affine node has no decoding")
                low, high, fine = _affine(self._scale, node, matrix, decoding, lower, upper)
                bounded &= fine
            else:
                piece = slice(node.first, node.first + node.count)
                low = np.maximum(lower[piece], self._scale.center)
                high = np.maximum(upper[piece], self._scale.center)
            lower, upper = np.concatenate([lower, low]), np.concatenate([upper, high])
        return lower, upper, bounded

    def _composed(self, data: AffineData, forms: _Matrix) -> _Matrix:
        """The forms with the last node substituted, positive and negative parts cancelled."""
        node, matrix, decoding = self._emission.graph.nodes[-1], self._matrices[-1], self._decodings[-1]
        if not isinstance(node, AffineData) or matrix is None or decoding is None:
            raise ValueError("the last node is not affine")
        factor = node.divisor << (EXPONENT_OF_SCALED + 1 - decoding.base)
        weights = forms.positive - forms.negative
        heads, tails = weights[:, : node.rows], weights[:, node.rows :] * factor
        table = np.concatenate([heads @ (matrix.positive - matrix.negative), tails], axis=1)
        sources = np.concatenate([matrix.sources[:1], forms.sources[:1, node.rows :]], axis=1)
        return _Matrix(np.maximum(table, 0), np.maximum(-table, 0), sources)


def exact_bounds(scale: ScaleData, numbers: Integers) -> tuple[Fraction, ...]:
    """Fixed-point numbers as the fractions they stand for."""
    return tuple(Fraction(int(number) - scale.center, scale.unit) for number in numbers)


def _matrix(data: AffineData, decoding: DecodingData) -> _Matrix:
    numbers = integers(patterns_of(data), decoding.base)
    return _Matrix(np.maximum(numbers, 0), np.maximum(-numbers, 0), sources_of(data))


def _inputs(
    scale: ScaleData, boxes: tuple[BoxData, ...], inputs: int
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Slots 0, 1 and the inputs of every box, rounded outward; whether all of them fit."""
    lower = np.empty((FIRST_INPUT + inputs, len(boxes)), dtype=object)
    upper = np.empty_like(lower)
    spread = np.array([(box.lower + box.upper) % ZERO_SPREAD for box in boxes], dtype=object)
    lower[0], upper[0] = scale.center - spread, scale.center + spread
    lower[1], upper[1] = scale.unit + scale.center, scale.unit + scale.center
    fine = np.ones(len(boxes), dtype=bool)
    for column, box in enumerate(boxes):
        shift = box.denominator * scale.center
        mass = scale.unit * box.offset
        for row, (low, high) in enumerate(
            zip(
                unpack_digits(box.lower, box.width, inputs),
                unpack_digits(box.upper, box.width, inputs),
                strict=True,
            )
        ):
            below = scale.unit * low + shift - mass
            above = scale.unit * high + shift + box.denominator - 1 - mass
            lower[FIRST_INPUT + row, column] = below // box.denominator
            upper[FIRST_INPUT + row, column] = above // box.denominator
            fine[column] &= below >= 0 and low <= high and above // box.denominator <= scale.top
    return lower, upper, fine


def _sums(
    scale: ScaleData, matrix: _Matrix, position: int, lower: Integers, upper: Integers
) -> tuple[Integers, Integers]:
    """Low and high halves of every row at one position, (rows, boxes)."""
    low, high = lower[matrix.sources[position]], upper[matrix.sources[position]]
    below = matrix.positive @ low + matrix.negative @ (scale.top - high)
    above = matrix.positive @ high + matrix.negative @ (scale.top - low)
    return below, above


def _affine(
    scale: ScaleData,
    node: AffineData,
    matrix: _Matrix,
    decoding: DecodingData,
    lower: Integers,
    upper: Integers,
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Bounds of a node's results (positions * rows, boxes), and whether they stay in range."""
    factor = node.divisor << (EXPONENT_OF_SCALED + 1 - decoding.base)
    shift = factor * scale.center
    mass = (scale.center * matrix.mass)[:, None]
    lows, highs = [], []
    for position in range(node.positions):
        below, above = _sums(scale, matrix, position, lower, upper)
        lows.append((below + shift - mass) // factor)
        highs.append(np.maximum(above + shift + factor - 1 - mass, 0) // factor)
    low, high = np.concatenate(lows), np.concatenate(highs)
    fine = ((low >= 0) & (low <= high) & (high <= scale.top)).all(axis=0)
    return low, high, fine.astype(bool)
