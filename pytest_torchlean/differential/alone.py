"""One node of a graph that the runtime runs, alone: run on chosen inputs and judged by its own rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential import compose, nodes, special
from pytest_torchlean.differential.compose import Prepared, Spread
from pytest_torchlean.differential.sessions import Fetching, prepare
from pytest_torchlean.differential.sharp import sharp_radius
from pytest_torchlean.differential.surprises import explained
from pytest_torchlean.errors import DataError
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.onnx_import.single import SingleNode
from pytest_torchlean.onnx_import.tensors import ELEMENT_TYPES
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.rule import DomainError, floats

Array = NDArray[np.generic]
Values = Mapping[str, Array]
Open = Callable[[bytes], Fetching]


@dataclass(frozen=True, eq=False)
class Judged:
    """One output of the node on one input: what the runtime gave, and how it compares."""

    node: Node
    output: int
    runtime: Array
    outcome: nodes.Outcome
    surprises: tuple[str, ...] = ()
    """Known differences that were met and not counted as wrong."""


class Alone:
    """A node with its session and its meaning. `types` are those of its inputs in the whole model."""

    def __init__(self, single: SingleNode, types: Mapping[str, ValueType], opened: Open) -> None:
        self.single = single
        self.types = {name: types[name] for name in single.inputs}
        self._open = opened
        self._data = single.data
        self._meant = single.meant

    @cached_property
    def session(self) -> Fetching:
        """The runtime's session over the node. RuntimeFailure TL0702 where it refuses the node alone."""
        return self._open(self._data)

    @cached_property
    def graph(self) -> Graph:
        """The node's meaning at its own shapes. UnsupportedError or ModelError as `lower` raises them."""
        return self.lowered({})

    def lowered(self, shapes: Mapping[str, tuple[int, ...]], data: bytes | None = None) -> Graph:
        """The node's meaning with some inputs of other shapes, or with other constants."""
        own = {name: kind.shape for name, kind in self.types.items()} | dict(shapes)
        return lower(LoadedModel(Path("node"), data or self._meant, "", self.single.operators), shapes=own)

    @cached_property
    def with_integers(self) -> tuple[Graph, Fetching]:
        """The node with its float32 constants replaced by small integers: its meaning and a session."""
        generator = np.random.Generator(np.random.PCG64(1))
        limit = magnitude(self.graph.nodes[0], self.graph)
        changed = {
            name: integer_array(generator, tuple(tensor.dims), limit, False)
            for name, tensor in self.single.tensors.items()
            if tensor.data_type == ELEMENT_TYPES["float32"]
        }
        data, meant = self.single.with_tensors(changed)
        return self.lowered({}, meant), self._open(data)

    @cached_property
    def first(self) -> Node:
        """The first node of the meaning; the only one unless the node is made of several."""
        return self.graph.nodes[0]

    @cached_property
    def tail(self) -> Node | None:
        """A ReLU or leaky ReLU that the kernel applies to the first node's result, where that is all."""
        nodes = self.graph.nodes
        if len(nodes) == 2 and nodes[1].op in ("Relu", "LeakyRelu"):
            return nodes[1] if nodes[1].inputs[0] == nodes[0].outputs[0] else None
        return None


def run_and_judge(
    session: Fetching,
    graph: Graph,
    inputs: Values,
    outputs: tuple[str, ...],
    *,
    finished_sums: bool = True,
    by_kind: bool = False,
    label: str = "",
) -> Iterator[Judged]:
    """Run the node on an input of its graph's shapes and judge every output that is a node's result.

    by_kind: compare NaN, infinities and finite numbers also where no bound holds (`special.py`).

    TorchleanError where the runtime or the evaluator refuses the input.
    """
    wanted = tuple(name for name in outputs if any(name in node.outputs for node in graph.nodes))
    answers = dict(zip(wanted, session.fetch(wanted, inputs), strict=True))
    for node in graph.nodes:
        for output, name in enumerate(node.outputs):
            if (
                name in answers
                and ValueType(answers[name].dtype.name, answers[name].shape) != graph.types[name]
            ):
                yield _of_another_type(node, output, graph.types[name])
                return
    if not by_kind or len(graph.nodes) == 1 or _finite(inputs):
        yield from judge(graph, inputs, answers, finished_sums=finished_sums, label=label)
    if by_kind:
        for node, output, outcome, met in special.judge_kinds(graph, inputs, answers, label):
            yield Judged(node, output, answers[node.outputs[output]], outcome, met)


def _of_another_type(node: Node, output: int, wanted: ValueType) -> Judged:
    """Every element wrong, and NaN for what the runtime gave in another shape or type."""
    missing = np.full(wanted.shape, np.nan, dtype=np.float32)
    wrong = np.ones(max(1, missing.size), dtype=np.bool_)
    expected = np.zeros(max(1, missing.size), dtype=np.float32)
    return Judged(
        node, output, np.resize(missing, expected.shape), nodes.Outcome(expected, wrong, None, 0.0, 0)
    )


def _finite(inputs: Values) -> bool:
    return all(np.isfinite(floats(value)).all() for value in inputs.values() if value.dtype == np.float32)


def judge(
    graph: Graph, inputs: Values, answers: Values, *, finished_sums: bool = True, label: str = ""
) -> Iterator[Judged]:
    """Every answer against the nodes that lead to it.

    A node whose inputs are known to the bit is judged by its own rule, and by what its operands fix. A value
    inside the kernel is known where nothing is rounded; behind others any rewrite's bound holds. Sums that
    the kernel may leave unfinished (`finished_sums` is not set) are not known.
    """
    known: dict[str, Array] = dict(inputs)
    spreads: dict[str, Spread] = {}
    prepared: Mapping[str, Prepared] | None = None
    for node in graph.nodes:
        certain = all(not name or name in graph.constants or name in known for name in node.inputs)
        if certain and any(name in answers for name in node.outputs):
            yield from _by_rule(node, graph, known, answers, label)
            continue
        if certain and _keeps_bits(node, graph, known, finished_sums):
            continue
        if prepared is None:
            prepared = prepare(graph)
        yield from _by_spread(node, graph, prepared[node.outputs[0]], known, spreads, answers, label)


def _by_spread(
    node: Node,
    graph: Graph,
    prepared: Prepared,
    known: Values,
    spreads: dict[str, Spread],
    answers: Values,
    label: str,
) -> Iterator[Judged]:
    """The outputs of a node behind values that the kernel keeps to itself, where a bound is known."""
    reads = [name for name in node.inputs if name and name not in graph.constants]
    for name in reads:
        if name in known and name not in spreads and known[name].dtype == np.float32:
            spreads[name] = compose.known(known[name])
    kinds = {graph.types[name].dtype for name in (*reads, *node.outputs) if name}
    if kinds != {"float32"} or any(name not in spreads for name in reads):
        return
    for output, name in enumerate(node.outputs):
        spread = compose.advance(node, graph, prepared, spreads, output)
        if isinstance(spread, str):
            continue
        spreads[name] = spread
        if name in answers:
            outcome = nodes.compare_spread(answers[name], spread)
            operands = [known[source] for source in node.inputs if source in known]
            wrong, met = explained(node, operands, answers[name], outcome.expected, outcome.wrong, label)
            yield Judged(node, output, answers[name], replace(outcome, wrong=wrong), met)


_UNROUNDED = frozenset({"Relu", "Clip", "Abs", "Neg", "Max", "Min", "MaxPool", "GlobalMaxPool", "Where"})
"""Operators that give one of their operands' numbers, up to its sign."""


def _evaluated(node: Node, operands: list[Array | None]) -> tuple[Array, ...]:
    try:
        return RULES[node.op].evaluate(node, operands)
    except DomainError as problem:
        raise DataError("TL0451", f"{node.op}: {problem}") from None


def _keeps_bits(node: Node, graph: Graph, known: dict[str, Array], finished_sums: bool) -> bool:
    """Whether every execution has the same bits here; `known` then holds them."""
    operands = [_operand(name, graph, known) for name in node.inputs]
    whole = all(graph.types[name].dtype != "float32" for name in node.outputs)
    moved = RULES[node.op].data_movement or node.op in _UNROUNDED or whole
    values = _evaluated(node, operands)
    if not moved:
        radius = sharp_radius(node, operands, values[0].astype(np.float32, copy=False))
        if not finished_sums or radius is None or radius.any():
            return False
    known.update(zip(node.outputs, values, strict=True))
    return True


def _by_rule(
    node: Node, graph: Graph, known: dict[str, Array], answers: Values, label: str
) -> Iterator[Judged]:
    operands = [_operand(name, graph, known) for name in node.inputs]
    expected = _evaluated(node, operands)
    for output, name in enumerate(node.outputs):
        if name not in answers:
            continue
        value, radius = expected[output], None
        if value.dtype == np.float32:
            radius = sharp_radius(node, operands, value.astype(np.float32, copy=False))
        outcome = nodes.compare_node(node, graph, {**known, name: answers[name]}, None, output)
        outcome = _sharpened(outcome, answers[name], radius)
        wrong, met = explained(node, operands, answers[name], outcome.expected, outcome.wrong, label)
        yield Judged(node, output, answers[name], replace(outcome, wrong=wrong), met)
        known[name] = answers[name]


def _sharpened(outcome: nodes.Outcome, runtime: Array, radius: NDArray[np.float64] | None) -> nodes.Outcome:
    """The outcome where the operands allow less than the rule's bound; the sign of a zero stays free."""
    if radius is None or outcome.allowed is None or np.isinf(radius).all():
        return outcome
    with np.errstate(invalid="ignore"):
        off = np.abs(runtime.astype(np.float64).reshape(-1) - outcome.expected.astype(np.float64).reshape(-1))
    wrong = outcome.wrong | ~((off <= radius) | np.isinf(radius))
    allowed = np.minimum(outcome.allowed, radius)
    return nodes.Outcome(outcome.expected, wrong, allowed, outcome.worst, outcome.unbounded)


def magnitude(node: Node, graph: Graph) -> int:
    """The largest integers of which every sum stays below 2^24, with a bias among the terms."""
    sizes = [graph.types[name].size for name in node.inputs if name]
    output = max(1, graph.types[node.outputs[0]].size)
    if node.op in ("Conv", "ConvTranspose"):
        shape = graph.types[node.inputs[1]].shape
        depth = max(1, graph.types[node.inputs[1]].size // max(1, shape[0]))
        depth = max(depth, shape[0] * int(np.prod(shape[2:])) if node.op == "ConvTranspose" else 1)
    elif node.op == "MatMul":
        depth = graph.types[node.inputs[0]].shape[-1]
    else:
        depth = max(1, int(np.sqrt(float(sizes[0]) * float(sizes[min(1, len(sizes) - 1)]) / output)) + 1)
    return max(1, min(2**11, int(np.sqrt(2.0**23 / (depth + 1)))))


def integer_array(
    generator: np.random.Generator, shape: tuple[int, ...], limit: int, positive: bool
) -> NDArray[np.float32]:
    """Integers up to a limit in size, positive ones only where asked for."""
    return generator.integers(1 if positive else -limit, limit + 1, shape).astype(np.float32)


def _operand(name: str, graph: Graph, known: Values) -> Array | None:
    if not name:
        return None
    return graph.constants[name] if name in graph.constants else known[name]


__all__ = ["Alone", "Judged", "Open", "integer_array", "judge", "magnitude", "run_and_judge"]
