"""What Lean's kernel is expected to take for an emission: for choices of the level and of what goes into one
theorem, never for a verdict.

All constants were measured with Lean 4.35.0 on one core of a server, dense networks of 50 to 50,000 weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from pytest_torchlean.certificate.model import (
    ConcludeScript,
    CutData,
    CutsData,
    DifferScript,
    Emission,
    ForwardData,
    KnownScript,
    NodeScript,
    RelaxedData,
    ScriptData,
    SplitScript,
    TightenScript,
)
from pytest_torchlean.certificate.statement import (
    AffineData,
    CurveData,
    GraphData,
    MaximumData,
    MinimumData,
    ReluData,
)
from pytest_torchlean.certificate.substitution import (
    BendData,
    BranchData,
    ChooseData,
    ConvolveData,
    LinkData,
    MultiplyData,
    PairData,
    ReframeData,
    SettleData,
    SlideData,
    ThroughData,
)


@dataclass(frozen=True)
class Cost:
    """Seconds of one core, and megabytes that are kept until the end of a theorem."""

    seconds: float
    megabytes: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.megabytes + other.megabytes)

    def times(self, count: float) -> Cost:
        """This, so many times."""
        return Cost(self.seconds * count, self.megabytes * count)


NOTHING = Cost(0.0, 0.0)
START = Cost(0.4, 150.0)
"""Lean, its start and the library."""
READ_WEIGHT = Cost(3e-6, 1e-4)
"""A weight in the text."""
DECODED_WEIGHT = Cost(2e-6, 1e-3)
"""A weight in a theorem."""
CURVE = Cost(1e-3, 0.1)
"""A smooth activation."""
COLUMN = Cost(1.4e-4, 6e-3)
"""A column of a matrix at a position, by intervals, for one box."""
PRODUCT = Cost(1.5e-6, 4e-4)
"""A weight at a position, by intervals, for one box."""
COPIED_SLOT = Cost(1.5e-6, 3e-4)
"""A slot of the memory, copied at each position of a matrix with several, for one box."""
LINK_COLUMN = Cost(5e-4, 5e-3)
"""A column of a matrix through which backward rows go."""
LINK_PRODUCT = Cost(0.9e-6, 3.3e-4)
"""A weight through which a backward row goes, for each row."""
PLACED_SLOT = Cost(1.5e-4, 5e-3)
"""A slot that a column reads at a position, where rows go back through a node with several; estimated."""
PLACED_PRODUCT = Cost(1e-7, 1.5e-4)
"""A place that a backward row has there, for each column; estimated."""
BEND = Cost(2e-6, 1e-4)
"""A ReLU over which a backward row goes, for each row."""
CHOICE = Cost(1e-3, 2e-2)
"""A maximum or a minimum of two slots through which backward rows go; estimated."""
FORM_COLUMN = Cost(1.2e-4, 1.4e-2)
"""A column of a matrix through which the forms of a part are carried, for the constant and for each input."""
SYMBOLS = 30
"""Noise symbols that a part is expected to have, where it has any, at an affine layer."""
CASE = Cost(1e-3, 0.1)
"""A case, besides its script."""


def script_cost(graph: GraphData, script: ScriptData, form_rows: int) -> Cost:
    """One box with this script; `form_rows` is the number of rows of its property."""
    return _Scripts(graph, form_rows).cost(script, 0)


def theorem_cost(emission: Emission) -> Cost:
    """The theorem of an emission, without Lean's start and the reading of the graph."""
    total = decoding_cost(emission.graph)
    for claim, scripts in zip(emission.claims, emission.certificate.scripts, strict=True):
        rows = _Scripts(emission.graph, claim.property.forms.rows)
        own = [rows.cost(script, 0) for script in scripts[: len(claim.boxes)]]
        for cost in own:
            total += cost
        if own:
            total += own[-1].times(len(claim.boxes) - len(own))
    return total


def text_cost(parts: Sequence[Emission]) -> Cost:
    """A text with a theorem for each part: all seconds, and the megabytes of the largest theorem."""
    theorems = [theorem_cost(part) for part in parts]
    entry = START + READ_WEIGHT.times(_weights(parts[0].graph))
    return entry + Cost(sum(own.seconds for own in theorems), max(own.megabytes for own in theorems))


def decoding_cost(graph: GraphData) -> Cost:
    """What every theorem about the graph takes."""
    return DECODED_WEIGHT.times(_weights(graph))


def _weights(graph: GraphData) -> int:
    return sum(node.rows * node.columns for node in graph.nodes if isinstance(node, AffineData))


class _Scripts:
    """Costs of scripts, parts that they share computed once and charged every time."""

    def __init__(self, graph: GraphData, form_rows: int) -> None:
        self._nodes, self._form_rows, self._inputs = graph.nodes, form_rows, graph.inputs
        nodes = graph.nodes
        sizes = [node.positions * node.rows if isinstance(node, AffineData) else node.count for node in nodes]
        self._slots = list(accumulate(sizes, initial=0))
        self._known: dict[tuple[int, int], Cost] = {}
        self._kept: list[ScriptData] = []

    def cost(self, script: ScriptData, passed: int) -> Cost:
        key = (id(script), passed)
        if key not in self._known:
            self._kept.append(script)
            self._known[key] = self._cost(script, passed)
        return self._known[key]

    def _cost(self, script: ScriptData, passed: int) -> Cost:
        total = NOTHING
        while not isinstance(script, ConcludeScript):
            if isinstance(script, SplitScript):
                return total + CASE + self.cost(script.below, passed) + self.cost(script.above, passed)
            if isinstance(script, NodeScript):
                total += self._interval(passed)
                passed += 1
            elif isinstance(script, TightenScript | DifferScript):
                total += self._rows(script.rows.links, script.rows.rows, passed)
            elif isinstance(script, KnownScript):
                total += CASE
            script = script.rest
        if isinstance(script.how, RelaxedData):
            return total + self._rows(script.how.rows.links, self._form_rows, passed)
        if isinstance(script.how, ForwardData):
            columns = sum(node.columns for node in self._nodes if isinstance(node, AffineData))
            forms = self._inputs + 1 + (SYMBOLS if script.how.symbols else 0)
            total += FORM_COLUMN.times(columns * forms * parts(script.how.cuts))
        for index in range(passed, len(self._nodes)):
            total += self._interval(index)
        return total

    def _interval(self, index: int) -> Cost:
        if index >= len(self._nodes):
            return NOTHING
        node = self._nodes[index]
        if not isinstance(node, AffineData):
            return (CURVE if isinstance(node, CurveData) else PRODUCT).times(node.count)
        columns = node.columns * node.positions
        total = COLUMN.times(columns) + PRODUCT.times(columns * node.rows)
        return total + COPIED_SLOT.times(self._slots[index] * node.positions if node.positions > 1 else 0)

    def _rows(self, links: Sequence[LinkData], rows: int, passed: int) -> Cost:
        total = NOTHING
        through = [
            link for link in links if not isinstance(link, MultiplyData | BranchData | PairData | ReframeData)
        ]
        for link, node in zip(through, reversed(self._nodes[:passed]), strict=False):
            if isinstance(link, ThroughData) and isinstance(node, AffineData):
                weights = node.rows * node.columns * node.positions
                total += LINK_COLUMN.times(node.columns * node.positions) + LINK_PRODUCT.times(rows * weights)
            elif isinstance(link, ConvolveData | SettleData) and isinstance(node, AffineData):
                total += PLACED_SLOT.times(node.columns * node.positions)
                total += PLACED_PRODUCT.times(rows * node.columns * link.layout.count)
            elif isinstance(link, SlideData) and isinstance(node, CurveData):
                total += CURVE.times(node.count << link.depth) + BEND.times(rows * node.count)
            elif isinstance(link, ChooseData) and isinstance(node, MaximumData | MinimumData):
                total += CHOICE.times(node.count) + BEND.times(2 * rows * node.count)
            elif isinstance(link, BendData) and isinstance(node, ReluData):
                total += BEND.times(rows * node.count)
        return total


def parts(cuts: CutsData) -> int:
    """How many parts of a box cuts distinguish."""
    count, pending = 0, [cuts]
    while pending:
        node = pending.pop()
        if isinstance(node, CutData):
            pending += [node.below, node.above]
        else:
            count += 1
    return count
