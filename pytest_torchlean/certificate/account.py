"""What Lean's check will compute, step for step in exact integers: the producer's forecast.

It mirrors lean/PytestTorchLean/Check on many boxes at once. A forecast decides which boxes are put
into a certificate and is never evidence: Lean computes everything again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.program import FIRST_INPUT
from pytest_torchlean.certificate.model import (
    AffineData,
    BoxData,
    ClaimData,
    ComposedData,
    ConclusionData,
    DecodingData,
    Emission,
    NodeScript,
    PropertyData,
    ReluData,
    ScaleData,
    ScriptData,
    SplitScript,
    StepData,
)
from pytest_torchlean.certificate.plan import factor_of
from pytest_torchlean.certificate.words import integers, patterns_of, sources_of, unpack_digits

Integers = NDArray[Any]
"""Python integers, dtype object."""

ZERO_SPREAD = 251
"""Check.Box.run bounds slot 0 by less than this many fixed-point steps, different from box to box."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """Boxes that share a script. accepted: bool (boxes,). least: per box the smallest row, scaled.

    `least[i] > 0` (or >= 0 where not strict) and a bounded run make box i acceptable; with splits it is
    the least of all cases. lower, upper: fixed-point bounds of all slots before the conclusion in any
    case, (slots, boxes).
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


@dataclass(frozen=True, eq=False)
class _State:
    """Bounds of all slots written so far, (slots, boxes); the number of nodes passed."""

    lower: Integers
    upper: Integers
    bounded: NDArray[np.bool_]
    passed: int


@dataclass(frozen=True, eq=False)
class Account:
    """An emission's graph and scale, ready to forecast claims.

    Its methods raise OutOfTime when the budget ends.
    """

    emission: Emission
    budget: Budget = UNLIMITED
    _matrices: dict[tuple[int, DecodingData], _Matrix] = field(default_factory=dict)

    @property
    def _scale(self) -> ScaleData:
        return self.emission.certificate.scale

    def forecasts(self, index: int) -> tuple[bool, ...]:
        """Whether Lean will accept each box of the claim number `index` with the emission's scripts."""
        claim, scripts = self.emission.claims[index], self.emission.certificate.scripts[index]
        accepted: list[bool] = []
        for place, script in enumerate(scripts):
            boxes = claim.boxes[place:] if place == len(scripts) - 1 else claim.boxes[place : place + 1]
            if boxes:
                found = self.forecast(replace(claim, boxes=boxes), script)
                accepted.extend(bool(yes) for yes in found.accepted)
        return (*accepted, *[False] * (len(claim.boxes) - len(accepted)))

    def forecast(self, claim: ClaimData, script: ScriptData) -> Forecast:
        """Which of the claim's boxes Lean will accept with this script."""
        lower, upper, bounded = _inputs(self._scale, claim.boxes, self.emission.graph.inputs)
        return self._run(script, claim.property, _State(lower, upper, bounded, 0))

    def all_bounds(self, boxes: tuple[BoxData, ...], script: ScriptData) -> tuple[Integers, Integers]:
        """Fixed-point bounds of every slot of the graph with the script's steps, (slots, boxes).

        ValueError for a script that splits.
        """
        state = _State(*_inputs(self._scale, boxes, self.emission.graph.inputs), 0)
        while isinstance(script, NodeScript):
            state = self._node(script.step, state)
            script = script.rest
        if isinstance(script, SplitScript):
            raise ValueError("bounds differ from case to case")
        if isinstance(script.how, ComposedData):
            state = self._node(StepData(script.how.last, 0, 0), state)
        return state.lower, state.upper

    def _run(self, script: ScriptData, about: PropertyData, state: _State) -> Forecast:
        while isinstance(script, NodeScript):
            state = self._node(script.step, state)
            script = script.rest
        if isinstance(script, SplitScript):
            below = self._run(script.below, about, _cut(state, script.slot, script.value, below=True))
            above = self._run(script.above, about, _cut(state, script.slot, script.value, below=False))
            count = min(len(below.lower), len(above.lower))
            return Forecast(
                below.accepted & above.accepted,
                np.minimum(below.least, above.least),
                np.minimum(below.lower[:count], above.lower[:count]),
                np.maximum(below.upper[:count], above.upper[:count]),
            )
        return self._conclude(script.how, about, state)

    def _node(self, step: StepData, state: _State) -> _State:
        """Bounds of the next node. ValueError where the script is longer than the graph."""
        self.budget.spend()
        if state.passed >= len(self.emission.graph.nodes):
            raise ValueError("a script has more nodes than its graph")
        node = self.emission.graph.nodes[state.passed]
        bounded = state.bounded
        if isinstance(node, AffineData):
            matrix = self._matrix(state.passed, node, step.decoding)
            low, high, fine = _affine(self._scale, node, matrix, step.decoding, state.lower, state.upper)
            bounded = bounded & fine
        elif isinstance(node, ReluData):
            piece = slice(node.first, node.first + node.count)
            low = np.maximum(state.lower[piece], self._scale.center)
            high = np.maximum(state.upper[piece], self._scale.center)
        else:
            raise ValueError("a node that no script bounds")
        lower, upper = np.concatenate([state.lower, low]), np.concatenate([state.upper, high])
        return _State(lower, upper, bounded, state.passed + 1)

    def _conclude(self, how: ConclusionData, about: PropertyData, state: _State) -> Forecast:
        matrix = _matrix(about.forms, how.forms)
        left = len(self.emission.graph.nodes) - state.passed
        if isinstance(how, ComposedData):
            matrix = self._composed(how, about.forms, matrix)
            left -= 1
        below, _ = _sums(self._scale, matrix, 0, state.lower, state.upper)
        rows = below - (self._scale.center * matrix.mass)[:, None]
        least = rows.min(axis=0) if len(rows) else np.ones(rows.shape[1], dtype=object)
        signs = np.array([bool(value > 0 or (value == 0 and not about.strict)) for value in least])
        fits = left == 0 and about.alternatives == 1
        return Forecast(signs & state.bounded & fits, least, state.lower, state.upper)

    def _matrix(self, index: int, node: AffineData, decoding: DecodingData) -> _Matrix:
        key = (index, decoding)
        if key not in self._matrices:
            self._matrices[key] = _matrix(node, decoding)
        return self._matrices[key]

    def _composed(self, how: ComposedData, data: AffineData, forms: _Matrix) -> _Matrix:
        """The forms with the last node substituted, positive and negative parts cancelled."""
        node = self.emission.graph.nodes[-1]
        if not isinstance(node, AffineData):
            raise ValueError("the last node is not affine")
        matrix = self._matrix(len(self.emission.graph.nodes) - 1, node, how.last)
        weights = forms.positive - forms.negative
        heads, tails = weights[:, : node.rows], weights[:, node.rows :] * factor_of(node, how.last)
        table = np.concatenate([heads @ (matrix.positive - matrix.negative), tails], axis=1)
        sources = np.concatenate([matrix.sources[:1], forms.sources[:1, node.rows :]], axis=1)
        return _Matrix(np.maximum(table, 0), np.maximum(-table, 0), sources)


def _cut(state: _State, slot: int, value: int, *, below: bool) -> _State:
    """One case of a split; unbounded where the value does not lie between the slot's bounds."""
    inside = (state.lower[slot] <= value) & (value <= state.upper[slot])
    lower, upper = state.lower.copy(), state.upper.copy()
    (upper if below else lower)[slot] = value
    return _State(lower, upper, state.bounded & inside.astype(bool), state.passed)


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
    factor = factor_of(node, decoding)
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
