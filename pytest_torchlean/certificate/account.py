"""What Lean's check will compute, step for step in exact integers: the producer's forecast.

It mirrors lean/PytestTorchLean/Check on many boxes at once. A forecast decides which boxes are put
into a certificate and is never evidence: Lean computes everything again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.certificate import forward_parts
from pytest_torchlean.certificate.bilinear import bilinear_bounds, factors_of
from pytest_torchlean.certificate.bounding import (
    Integers,
    Matrix,
    affine_bounds,
    input_bounds,
    roundable,
    rounding_step,
    row_errors,
)
from pytest_torchlean.certificate.concluding import Unforeseen, composed, decoded, direct, room, weighted
from pytest_torchlean.certificate.curves import curve_bounds, curve_step
from pytest_torchlean.certificate.differences import differed
from pytest_torchlean.certificate.linearization import linearized
from pytest_torchlean.certificate.model import (
    NO_STEP,
    CaseData,
    ComposedData,
    ConcludeScript,
    ConclusionData,
    DecodingData,
    DifferScript,
    DirectData,
    Emission,
    ForwardData,
    KnownScript,
    LinearizationData,
    LinearizeScript,
    NodeScript,
    RelaxedData,
    ScaleData,
    ScriptData,
    SplitScript,
    StepData,
    TightenScript,
    WeightedData,
)
from pytest_torchlean.certificate.origins import constants_of
from pytest_torchlean.certificate.quotient import quotient_bounds
from pytest_torchlean.certificate.relaxation import Relaxed, concluded, improved, tightened
from pytest_torchlean.certificate.rows import Box, PassedNode
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    BoxData,
    ClaimData,
    CurveData,
    MaximumData,
    MinimumData,
    NodeData,
    PropertyData,
    QuotientData,
    ReluData,
    Semantics,
)
from pytest_torchlean.certificate.states import Forecast, State, assumed, cut, signed
from pytest_torchlean.certificate.substitution import RelaxationData
from pytest_torchlean.certificate.words import decoding_of, pairs_of, patterns_of


@dataclass(frozen=True, eq=False)
class Account:
    """An emission's graph and scale, ready to forecast claims.

    Its methods raise OutOfTime when the budget ends.
    """

    emission: Emission
    budget: Budget = UNLIMITED
    _matrices: dict[tuple[int, DecodingData], Matrix] = field(default_factory=dict)
    _walked: list[tuple[tuple[BoxData, ...], tuple[StepData, ...], State]] = field(default_factory=list)

    @property
    def _scale(self) -> ScaleData:
        return self.emission.certificate.scale

    @cached_property
    def decodings(self) -> tuple[DecodingData, ...]:
        """How the weights are decoded with the shortest integers, one for each affine node."""
        nodes = self.emission.graph.nodes
        return tuple(decoding_of(patterns_of(node)) for node in nodes if isinstance(node, AffineData))

    @cached_property
    def constant(self) -> NDArray[np.bool_]:
        """Which slots depend on no input."""
        return constants_of(self.emission.graph)

    def forecasts(self, index: int) -> tuple[bool, ...]:
        """Whether Lean will accept each box of the claim number `index` with the emission's scripts."""
        claim, apart = self.emission.claims[index], self.emission.apart
        if apart:
            return (all(bool(self.forecast(claim, own.script, own.path).accepted[0]) for own in apart),)
        scripts = self.emission.certificate.scripts[index]
        accepted: list[bool] = []
        for place, script in enumerate(scripts):
            boxes = claim.boxes[place:] if place == len(scripts) - 1 else claim.boxes[place : place + 1]
            if boxes:
                found = self.forecast(replace(claim, boxes=boxes), script)
                accepted.extend(bool(yes) for yes in found.accepted)
        return (*accepted, *[False] * (len(claim.boxes) - len(accepted)))

    def forecast(self, claim: ClaimData, script: ScriptData, path: tuple[CaseData, ...] = ()) -> Forecast:
        """Which of the claim's boxes Lean will accept with this script; none for one that makes no sense.

        path: the cases that are assumed.
        """
        steps, rest = _spine(script)
        try:
            state = replace(self._walk(claim.boxes, steps), path=path)
            return self._run(rest, claim.property, state)
        except Unforeseen:
            state = self.start(claim.boxes)
            none = np.zeros(len(claim.boxes), dtype=bool)
            return Forecast(none, none.astype(object) - 1, state.lower, state.upper)

    def all_bounds(self, boxes: tuple[BoxData, ...], script: ScriptData) -> tuple[Integers, Integers]:
        """Fixed-point bounds of every slot of the graph with the script's steps, (slots, boxes).

        ValueError for a script that splits.
        """
        state = self.reached(boxes, script)
        return state.lower, state.upper

    def reached(self, boxes: tuple[BoxData, ...], script: ScriptData) -> State:
        """The same with `bounded`: where that is false, an operation may overflow or divide by 0, and the
        bounds say nothing."""
        steps, rest = _spine(script)
        if not isinstance(rest, ConcludeScript):
            raise ValueError("bounds differ from case to case")
        state = self._walk(boxes, steps)
        if state.passed < len(self.emission.graph.nodes) and isinstance(rest.how, ComposedData):
            state = self.node(StepData(rest.how.last, 0, 0), state)
        return state

    def steps(self, boxes: tuple[BoxData, ...]) -> tuple[StepData, ...]:
        """A step for every node that serves all of these boxes."""
        left = iter(self.decodings)
        nodes = self.emission.graph.nodes
        steps = [self._first_step(node, left) for node in nodes]
        if self.emission.semantics is Semantics.REAL:
            return tuple(steps)
        state = self.start(boxes)
        for index, node in enumerate(nodes):
            if isinstance(node, AffineData):
                decoding = steps[index].decoding
                matrix = self.matrix(index, node, decoding)
                steps[index] = rounding_step(self._scale, node, matrix, decoding, state.lower, state.upper)
            state = self.node(steps[index], state)
        self._walked.append((boxes, tuple(steps), state))
        return tuple(steps)

    def _first_step(self, node: NodeData, left: Iterator[DecodingData]) -> StepData:
        """The step in exact arithmetic; `left` has the decodings of the affine nodes to come."""
        if isinstance(node, CurveData):
            return curve_step(node.function, self.emission.certificate.scale)
        return StepData(next(left), 0, 0) if isinstance(node, AffineData) else NO_STEP

    def start(self, boxes: tuple[BoxData, ...]) -> State:
        graph, semantics = self.emission.graph, self.emission.semantics
        return State(*input_bounds(semantics, self._scale, boxes, graph.inputs))

    def _walk(self, boxes: tuple[BoxData, ...], steps: Sequence[StepData]) -> State:
        """Bounds after these steps; those that `steps` has chosen need not be taken again."""
        for known, taken, reached in self._walked:
            if known is boxes and taken == tuple(steps):
                return reached
        state = self.start(boxes)
        for step in steps:
            state = self.node(step, state)
        return state

    def run(self, script: ScriptData, about: PropertyData, state: State) -> Forecast:
        """Which boxes of a state Lean will accept with a script for what is behind it. Raises Unforeseen."""
        return self._run(script, about, state)

    def _run(self, script: ScriptData, about: PropertyData, state: State) -> Forecast:
        state, script = self._to_branch(script, state)
        if isinstance(script, SplitScript):
            below = self._run(script.below, about, cut(state, script.slot, script.value, below=True))
            above = self._run(script.above, about, cut(state, script.slot, script.value, below=False))
            count = min(len(below.lower), len(above.lower))
            return Forecast(
                below.accepted & above.accepted,
                np.minimum(below.least, above.least),
                np.minimum(below.lower[:count], above.lower[:count]),
                np.maximum(below.upper[:count], above.upper[:count]),
            )
        if not isinstance(script, ConcludeScript):
            raise Unforeseen("a script that no forecast covers")
        return self.conclude(script.how, about, state)

    def _to_branch(self, script: ScriptData, state: State) -> tuple[State, ScriptData]:
        """The state at the first split or the conclusion, and what follows it."""
        while True:
            steps, script = _spine(script)
            for step in steps:
                state = self.node(step, state)
            if isinstance(script, KnownScript):
                state = assumed(state, script.place)
            elif isinstance(script, DifferScript):
                state = self.differ(script.rows, (script.left, script.right, script.count), state)
            elif isinstance(script, TightenScript):
                state = self.tighten(script.rows, state)
            elif isinstance(script, LinearizeScript):
                state = self.linearize(script.how, state)
            else:
                return state, script
            script = script.rest

    def node(self, step: StepData, state: State) -> State:
        """Bounds of the next node. Raises Unforeseen where there is none, or a step decodes other weights."""
        self.budget.spend()
        if state.passed >= len(self.emission.graph.nodes):
            raise Unforeseen("a script has more nodes than its graph")
        node = self.emission.graph.nodes[state.passed]
        bounded = state.bounded
        error, matrix = None, None
        if isinstance(node, AffineData):
            matrix = self.matrix(state.passed, node, step.decoding)
            if node.divisor < 1 or int(matrix.sources.max(initial=0)) >= len(state.lower):
                raise Unforeseen("a node that divides by 0 or reads what is not written")
            if self.emission.semantics is Semantics.BINARY32:
                error = row_errors(self._scale, node, matrix, step, state.lower, state.upper)
                bounded = bounded & roundable(self._scale, node, matrix, step, state.lower, state.upper)
            low, high, fine = affine_bounds(self._scale, node, matrix, step, state.lower, state.upper, error)
            bounded = bounded & fine & room(self._scale, node.columns, step.decoding.bits)
        elif isinstance(node, BilinearData):
            if int(factors_of(node).max(initial=0)) >= len(state.lower):
                raise Unforeseen("a product of slots that are not written")
            semantics = self.emission.semantics
            found = bilinear_bounds(semantics, self._scale, node, state.lower, state.upper)
            low, high = found.lower, found.upper
            error = found.error if semantics is Semantics.BINARY32 else None
            bounded = bounded & found.fine
        elif isinstance(node, QuotientData):
            if int(pairs_of(node).max(initial=0)) >= len(state.lower):
                raise Unforeseen("a quotient of slots that are not written")
            low, high, fine = quotient_bounds(
                self.emission.semantics, self._scale, node, state.lower, state.upper
            )
            bounded = bounded & fine
        elif isinstance(node, MaximumData | MinimumData):
            choose = np.maximum if isinstance(node, MaximumData) else np.minimum
            left, right = pairs_of(node).T
            low, high = (choose(bound[left], bound[right]) for bound in (state.lower, state.upper))
        elif isinstance(node, ReluData):
            piece = slice(node.first, node.first + node.count)
            low = np.maximum(state.lower[piece], self._scale.center)
            high = np.maximum(state.upper[piece], self._scale.center)
        elif isinstance(node, CurveData):
            low, high, fine = curve_bounds(
                self.emission.semantics, self._scale, node, step, state.lower, state.upper
            )
            bounded = bounded & fine
        else:
            raise Unforeseen("a node that no script bounds")
        lower, upper = np.concatenate([state.lower, low]), np.concatenate([state.upper, high])
        last = PassedNode(node, len(state.lower), step.decoding, matrix, error)
        history = (*state.history, last)
        return replace(state, lower=lower, upper=upper, bounded=bounded, history=history)

    def linearize(self, how: LinearizationData, state: State) -> State:
        """The node passed last as rows. Raises Unforeseen where it is no sum of products or Lean refuses."""
        last = state.history[-1] if state.history else None
        if last is None or not isinstance(last.node, BilinearData | QuotientData):
            raise Unforeseen("rows in the stead of another node")
        found = linearized(self._scale, last.node, last.start, how, last.error, state.lower, state.upper)
        row = PassedNode(how.rows, last.start, how.decoding, found.matrix, found.error)
        return replace(state, bounded=state.bounded & found.fine, history=(*state.history[:-1], row))

    def tighten(self, rows: RelaxationData, state: State) -> State:
        lower, upper, fine = state.lower.copy(), state.upper.copy(), state.bounded.copy()
        for place in range(lower.shape[1]):
            self.budget.spend()
            box = Box(self._scale, lower[:, place], upper[:, place], state.differences_of(place))
            lower[:, place], upper[:, place], fits = tightened(box, state.history_of(place), rows)
            fine[place] &= fits
        return replace(state, lower=lower, upper=upper, bounded=fine)

    def differ(self, rows: RelaxationData, places: tuple[int, int, int], state: State) -> State:
        """Bounds of differences. places: left, right, count."""
        found, fine = [], state.bounded.copy()
        for place in range(state.lower.shape[1]):
            self.budget.spend()
            box = Box(self._scale, state.lower[:, place], state.upper[:, place], state.differences_of(place))
            own, fits = differed(box, state.history_of(place), rows, *places)
            found.append(own)
            fine[place] &= fits
        low, high = (np.stack([getattr(own, side) for own in found], axis=1) for side in ("low", "high"))
        whole = replace(found[0], low=low, high=high)
        return replace(state, bounded=fine, differences=(whole, *state.differences))

    def adopt(self, found: Relaxed, state: State) -> State:
        """`tighten` for one box, with a relaxation that was just built for it."""
        box = Box(self._scale, state.lower[:, 0], state.upper[:, 0])
        lower, upper = improved(box, found.data, found.bounds)
        return replace(
            state,
            lower=lower[:, None],
            upper=upper[:, None],
            bounded=state.bounded & bool((lower <= upper).all()),
        )

    def conclude(self, how: ConclusionData, about: PropertyData, state: State) -> Forecast:
        if isinstance(how, RelaxedData):
            return self._conclude_relaxed(how, about, state)
        if isinstance(how, ForwardData):
            return self._conclude_forward(how, about, state)
        left = len(self.emission.graph.nodes) - state.passed
        if isinstance(how, ComposedData):
            if left > (self.emission.semantics is Semantics.REAL):
                raise Unforeseen("a conclusion before the last node")
            left = 0
            rows, fits = composed(
                self._scale, about, how, self._last(), state.error, state.lower, state.upper
            )
        elif isinstance(how, WeightedData):
            rows, fits = weighted(self._scale, about, how, state.lower, state.upper)
            about = replace(about, alternatives=1)
        elif isinstance(how, DirectData):
            rows, fits = direct(self._scale, about, how, state.lower, state.upper)
        else:
            raise Unforeseen("a conclusion that no forecast covers")
        return signed(about, rows, state, fits and left == 0)

    def _conclude_relaxed(self, how: RelaxedData, about: PropertyData, state: State) -> Forecast:
        forms = PassedNode(about.forms, 0, how.forms, decoded(about.forms, how.forms))
        rows = np.zeros((about.forms.rows, state.lower.shape[1]), dtype=object)
        fine = state.bounded.copy()
        for place in range(rows.shape[1]):
            self.budget.spend()
            box = Box(
                self._scale,
                state.lower[:, place],
                state.upper[:, place],
                state.differences_of(place),
            )
            rows[:, place], fits = concluded(box, state.history_of(place), forms, how)
            fine[place] &= fits
        complete = state.passed == len(self.emission.graph.nodes)
        return signed(about, rows, replace(state, bounded=fine), complete)

    def _conclude_forward(self, how: ForwardData, about: PropertyData, state: State) -> Forecast:
        rows = np.zeros((1, state.lower.shape[1]), dtype=object)
        for place in range(rows.shape[1]):
            self.budget.spend()
            box = Box(self._scale, state.lower[:, place], state.upper[:, place])
            rows[0, place] = forward_parts.least(box, state.history_of(place), about, how, self.budget)
        complete = state.passed == len(self.emission.graph.nodes)
        return signed(replace(about, alternatives=1), rows, state, complete)

    def matrix(self, index: int, node: AffineData, decoding: DecodingData) -> Matrix:
        key = (index, decoding)
        if key not in self._matrices:
            self._matrices[key] = decoded(node, decoding)
        return self._matrices[key]

    def _last(self) -> AffineData:
        """The last node. Raises Unforeseen where it is not an affine one with one position."""
        node = self.emission.graph.nodes[-1] if self.emission.graph.nodes else None
        if not isinstance(node, AffineData) or node.positions != 1:
            raise Unforeseen("the last node is not affine")
        return node


def _spine(script: ScriptData) -> tuple[list[StepData], ScriptData]:
    """The steps up to the first split or the conclusion, and what follows them."""
    steps = []
    while isinstance(script, NodeScript):
        steps.append(script.step)
        script = script.rest
    return steps, script


def exact_bounds(scale: ScaleData, numbers: Integers) -> tuple[Fraction, ...]:
    """Fixed-point numbers as the fractions they stand for."""
    return tuple(Fraction(int(number) - scale.center, scale.unit) for number in numbers)
