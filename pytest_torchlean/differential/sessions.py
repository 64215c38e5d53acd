"""Runs samples through one session and compares every value that the session names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential import compose, nodes
from pytest_torchlean.differential.compose import ExtremumReference, Prepared, Spread
from pytest_torchlean.differential.histograms import Histograms
from pytest_torchlean.differential.reference import AffineReference, affine_reference
from pytest_torchlean.differential.result import Divergence, SessionReport
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import (
    AffineStep,
    CurveStep,
    ExtremumStep,
    IndexStep,
    OperandStep,
    ReluStep,
)
from pytest_torchlean.ir.names import printable
from pytest_torchlean.ops.certifiability import step_of
from pytest_torchlean.runtime import require_types

Array = NDArray[np.generic]
_MOST_BYTES = 2**28
"""Values of one run that are held at once; larger graphs are fetched in several runs."""
_MOST_PREPARED = 2**29
"""Steps that are kept ready between samples."""


class Fetching(Protocol):
    """What is needed of a runtime session."""

    @property
    def outputs(self) -> tuple[str, ...]: ...

    def fetch(self, names: Sequence[str], inputs: Mapping[str, Array]) -> tuple[Array, ...]: ...


class PreparedSteps(Mapping[str, Prepared]):
    """Each node's step, ready for use, by the name of its first output.

    Steps are prepared when they are first asked for and kept while all of them fit the limit; the others are
    prepared anew each time.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes = {node.outputs[0]: node for node in graph.nodes}
        self._kept: dict[str, Prepared] = {}
        self._room = _MOST_PREPARED

    def __getitem__(self, name: str) -> Prepared:
        if name in self._kept:
            return self._kept[name]
        prepared = _prepared(self._nodes[name], self._graph)
        size = _size(prepared)
        if size <= self._room:
            self._room -= size
            self._kept[name] = prepared
        return prepared

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


def prepare(graph: Graph) -> Mapping[str, Prepared]:
    """The steps of a graph, none of them prepared yet."""
    return PreparedSteps(graph)


def _prepared(node: Node, graph: Graph) -> Prepared:
    step = step_of(node, graph)
    if isinstance(step, str):
        return step
    if isinstance(step, ReluStep) and isinstance(step.source, str):
        return step
    if isinstance(step, CurveStep):
        return "a smooth activation has a reference of its own"
    if not _is_linear(step):
        return "a product or quotient of two computed values is not linear"
    return _reference(step, graph.types[node.outputs[0]].size)


def _is_linear(step: OperandStep) -> bool:
    if isinstance(step, ExtremumStep):
        return all(map(_is_linear, step.operands))
    return isinstance(step, AffineStep | IndexStep)


def _size(prepared: Prepared) -> int:
    """Bytes that a prepared step keeps."""
    if isinstance(prepared, AffineReference):
        return prepared.nbytes
    if isinstance(prepared, ExtremumReference):
        return prepared.maximum.nbytes + sum(map(_size, prepared.operands))
    return prepared.index.nbytes if isinstance(prepared, IndexStep) else 0


def _reference(step: OperandStep, size: int) -> AffineReference | IndexStep | ExtremumReference:
    if isinstance(step, AffineStep):
        return affine_reference(step, size)
    if isinstance(step, ExtremumStep):
        return ExtremumReference(tuple(_reference(part, size) for part in step.operands), step.maximum)
    if isinstance(step, IndexStep):
        return step
    raise TypeError("products, quotients and activations have no linear reference")


@dataclass(eq=False)
class SessionComparison:
    """One session's comparison over many samples; `report` sums it up.

    `unchanged` names the values that the session computes by the file's own operator, None for all. Such
    a value, where its inputs were observed, must obey its own node's rule; a value behind rewritten
    nodes must obey the composed bound from the nearest observed values.
    """

    name: str
    session: Fetching
    graph: Graph
    prepared: Mapping[str, Prepared]
    unchanged: frozenset[str] | None
    operators: tuple[str, ...]
    samples: int = 0
    exact: int = 0
    bounded: int = 0
    unbounded: int = 0
    worst: dict[str, float] = field(default_factory=dict)
    uncovered: dict[str, str] = field(default_factory=dict)
    histograms: Histograms = field(default_factory=Histograms)
    claimed: set[str] = field(default_factory=set)
    """Values of which some element had a finite bound in some sample."""

    def __post_init__(self) -> None:
        named = set(self.session.outputs) | set(self.graph.inputs)
        computed = {name for node in self.graph.nodes for name in node.outputs}
        self._visible = (computed & named) | set(self.graph.inputs)
        readers = {name: place for place, node in enumerate(self.graph.nodes) for name in node.inputs}
        self._last_read: dict[int, list[str]] = {}
        for name, place in readers.items():
            self._last_read.setdefault(place, []).append(name)

    def compare(self, sample: int, inputs: Mapping[str, Array]) -> Divergence | None:
        """Compare every named value for one input; the first divergence in graph order, or None."""
        self.samples += 1
        spreads: dict[str, Spread] = {}
        for place, (node, values) in enumerate(self._stream(inputs)):
            found = self._node(node, values, spreads, sample)
            if found is not None:
                return found
            for name in self._last_read.get(place, ()):
                spreads.pop(name, None)
        return None

    def report(self) -> SessionReport:
        """Everything counted so far."""
        computed = {name for node in self.graph.nodes for name in node.outputs}
        outputs = [name for name in self.graph.outputs if name in computed]
        return SessionReport(
            name=self.name,
            nodes=self.operators,
            samples=self.samples,
            exact_outputs=self.exact,
            bounded_outputs=self.bounded,
            unbounded=self.unbounded,
            worst=dict(sorted(self.worst.items())),
            shares=self.histograms.shares(),
            ulps=self.histograms.ulps(),
            uncovered=tuple(f"{printable(name)}: {why}" for name, why in self.uncovered.items()),
            outputs_covered=all(name in self.claimed and name not in self.uncovered for name in outputs),
        )

    def _node(
        self, node: Node, values: Mapping[str, Array], spreads: dict[str, Spread], sample: int
    ) -> Divergence | None:
        for output, name in enumerate(node.outputs):
            if name in self._visible and self._runs_unchanged(node):
                prepared = self.prepared[node.outputs[0]]
                reference = prepared if isinstance(prepared, AffineReference) else None
                outcome = nodes.compare_node(node, self.graph, values, reference, output)
            else:
                spread = self._advance(node, values, spreads, output)
                if spread is None or name not in self._visible:
                    continue
                outcome = nodes.compare_spread(values[name], spread)
            self._count(node, outcome, values[name])
            if outcome.unbounded < outcome.wrong.size or not outcome.wrong.size:
                self.claimed.add(name)
            if outcome.wrong.any():
                found = nodes.divergence(outcome, values[name], node, self.name, sample, output)
                return replace(found, inputs={name: values[name] for name in node.inputs if name in values})
        return None

    def _advance(
        self, node: Node, values: Mapping[str, Array], spreads: dict[str, Spread], output: int
    ) -> Spread | None:
        """The composed bound of a value behind rewritten nodes; None, and a note, where there is none."""
        name = node.outputs[output]
        for source in node.inputs:
            if not source or source in self.graph.constants or source in spreads:
                continue
            if source not in values:
                self.uncovered.setdefault(name, f"its input {printable(source)} has no bound")
                return None
            spreads[source] = compose.known(values[source])
        read = [source for source in node.inputs if source and source not in self.graph.constants]
        kinds = [self.graph.types[source].dtype for source in (*read, name)]
        if any(kind != "float32" for kind in kinds):
            self.uncovered.setdefault(name, f"its node works on {min(set(kinds) - {'float32'})} values")
            return None
        spread = compose.advance(node, self.graph, self.prepared[node.outputs[0]], spreads, output)
        if isinstance(spread, str):
            self.uncovered.setdefault(name, spread)
            return None
        if name not in self._visible:
            spreads[name] = spread
        return spread

    def _runs_unchanged(self, node: Node) -> bool:
        """Whether the session computes this value by the file's own operator from observed values."""
        if self.unchanged is not None and node.outputs[0] not in self.unchanged:
            return False
        return all(not name or name in self.graph.constants or name in self._visible for name in node.inputs)

    def _count(self, node: Node, outcome: nodes.Outcome, runtime: Array) -> None:
        if outcome.allowed is None:
            self.exact += 1
        else:
            self.bounded += 1
            self.worst[node.op] = max(self.worst.get(node.op, 0.0), outcome.worst)
            self.histograms.add(node.op, runtime, outcome)
        self.unbounded += outcome.unbounded

    def _stream(self, inputs: Mapping[str, Array]) -> Iterator[tuple[Node, Mapping[str, Array]]]:
        """Nodes in order, with the observed values that they and their successors in a part need."""
        for part in self._parts():
            needed = {name for node in part for name in (*node.inputs, *node.outputs)}
            names = sorted((needed & self._visible) - set(self.graph.inputs))
            values = dict(inputs)
            if names:
                values.update(zip(names, self.session.fetch(names, inputs), strict=True))
                require_types(values, self.graph.types)
            for node in part:
                yield node, values
            values.clear()

    def _parts(self) -> list[list[Node]]:
        """The nodes cut into runs whose values fit the memory limit."""
        parts: list[list[Node]] = [[]]
        used = 0
        for node in self.graph.nodes:
            size = sum(self.graph.types[name].size * 4 for name in (*node.inputs, *node.outputs) if name)
            if parts[-1] and used + size > _MOST_BYTES:
                parts.append([])
                used = 0
            parts[-1].append(node)
            used += size
        return parts


def operator_counts(names: Sequence[str]) -> tuple[str, ...]:
    """Distinct operators with their counts, e.g. ("Conv x2", "Gemm")."""
    counts = Counter(names)
    return tuple(f"{name} x{count}" if count > 1 else name for name, count in sorted(counts.items()))
