"""Several copies of models as one graph over one input: what properties of pairs are stated about.

Every part keeps its own nodes under names of its own and reads a choice of the joint input's elements and of
what parts before it gave, which is data movement and rounds nothing. The outputs stand one after the other,
so a claim about their difference is a linear inequality, compared exactly, and no subtraction that could
round is added to either model.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.side_by_side import side_by_side
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.preprocessing import RawIntegers
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.runtime import RuntimeNode

Float32 = NDArray[np.float32]
Slots = NDArray[np.int64]

JOINT_INPUT = "joint input"
STEPPED = "stepped inputs"
"""The value that holds the joint input's elements and then some of them with steps added."""
STEP = "steps"
"""The steps as a last output, where a claim speaks of them."""
STATE = "state"
"""The joint input as a last output, where a claim compares it with the others."""


@dataclass(frozen=True, eq=False)
class Part:
    """One copy of a model: the prefix of its names, its executions, and which elements of the joint input, or
    of the stepped inputs, its own inputs are, flat, int64 (inputs,). Behind these elements are counted the
    outputs of the parts before it.
    """

    prefix: str
    executions: Executions
    reads: Slots

    def own(self, name: str) -> str:
        """The name in the joint graph."""
        return self.prefix + name if name else name

    @property
    def diagonal(self) -> frozenset[str]:
        """The joint names of what a preprocessing computes."""
        front = self.executions.front
        return frozenset() if front is None else frozenset(map(self.own, front.values))


@dataclass(frozen=True)
class Steps:
    """The joint input holds `inputs` elements and then a step for each of `along`.

    Copies read the elements, and behind them each element of `along` plus its step, rounded once. stated:
    whether the steps are outputs too, behind those of the copies.
    """

    inputs: int
    along: tuple[int, ...]
    stated: bool = False

    @property
    def matrix(self) -> Float32:
        """From the joint input to the elements and the raised ones, float32 (joint, stepped)."""
        size = self.inputs + len(self.along)
        found = np.zeros((size, size), dtype=np.float32)
        found[: self.inputs, : self.inputs] = np.eye(self.inputs, dtype=np.float32)
        for place, number in enumerate(self.along, start=self.inputs):
            found[number, place] = found[place, place] = 1.0
        return found

    def apply(self, point: Float32) -> Float32:
        """The stepped inputs in binary32."""
        elements = point[: self.inputs]
        return np.concatenate([elements, elements[list(self.along)] + point[self.inputs :]])


def join(
    parts: Sequence[Part], shape: tuple[int, ...], steps: Steps | None = None, *, state: bool = False
) -> Graph:
    """One graph with a single float32 input of this shape; outputs are those of the parts in order.

    state: whether the input is an output too, behind those of the parts.
    """
    size = ValueType("float32", shape).size
    flat = f"{JOINT_INPUT}, flat"
    types = {JOINT_INPUT: ValueType("float32", shape), flat: ValueType("float32", (size,))}
    nodes = [Node("Reshape", (JOINT_INPUT,), (flat,), (("shape", (size,)),))]
    constants: dict[str, NDArray[np.generic]] = {}
    outputs: list[str] = []
    if steps is not None:
        row, matrix, source = f"{JOINT_INPUT}, as a row", f"{STEPPED}, weights", f"{STEPPED}, flat"
        nodes.append(Node("Reshape", (flat,), (row,), (("shape", (1, size)),)))
        nodes.append(Node("MatMul", (row, matrix), (STEPPED,)))
        nodes.append(Node("Reshape", (STEPPED,), (source,), (("shape", (size,)),)))
        constants[matrix] = steps.matrix
        if steps.stated:
            places = tuple(range(steps.inputs, size))
            chosen = (("axis", 0), ("indices", places), ("shape", (len(places),)))
            nodes.append(Node("Gather", (flat,), (STEP,), chosen))
            types[STEP] = ValueType("float32", (len(steps.along),))
        types |= dict.fromkeys((row, STEPPED), ValueType("float32", (1, size)))
        types |= {matrix: ValueType("float32", (size, size)), source: ValueType("float32", (size,))}
        flat = source
    for part in parts:
        graph, start, given = part.executions.graph, 0, flat
        if part.reads.max(initial=0) >= size:
            given = _behind(part, [flat, *outputs], nodes, types)
        for name in graph.inputs:
            own = graph.types[name].shape
            count = graph.types[name].size
            indices = tuple(int(index) for index in part.reads[start : start + count])
            attributes = (("axis", 0), ("indices", indices), ("shape", own))
            nodes.append(Node("Gather", (given,), (part.own(name),), attributes))
            start += count
        nodes += [_renamed(node, part) for node in graph.nodes]
        constants |= {part.own(name): value for name, value in graph.constants.items()}
        types |= {part.own(name): kind for name, kind in graph.types.items()}
        outputs += [part.own(name) for name in graph.outputs]
    if steps is not None and steps.stated:
        outputs.append(STEP)
    if state:
        everything = (("axis", 0), ("indices", tuple(range(size))), ("shape", (size,)))
        nodes.append(Node("Gather", (nodes[0].outputs[0],), (STATE,), everything))
        types[STATE] = ValueType("float32", (size,))
        outputs.append(STATE)
    free = any(part.executions.graph.free_batch for part in parts)
    return Graph((JOINT_INPUT,), tuple(outputs), tuple(nodes), constants, types, free_batch=free)


def _behind(part: Part, values: Sequence[str], nodes: list[Node], types: dict[str, ValueType]) -> str:
    """A value that holds these, flat, one after the other: what a part may read."""
    flat = []
    for place, name in enumerate(values):
        kind = ValueType("float32", (types[name].size,))
        own = f"{part.prefix}given {place}"
        nodes.append(Node("Reshape", (name,), (own,), (("shape", kind.shape),)))
        types[own] = kind
        flat.append(own)
    found = f"{part.prefix}given"
    types[found] = ValueType("float32", (sum(types[name].size for name in flat),))
    nodes.append(Node("Concat", tuple(flat), (found,), (("axis", 0),)))
    return found


def _renamed(node: Node, part: Part) -> Node:
    inputs, outputs = (tuple(map(part.own, names)) for names in (node.inputs, node.outputs))
    return Node(node.op, inputs, outputs, node.attributes, node.source)


@dataclass(frozen=True, eq=False)
class JoinedExecutions(Executions):
    """The executions of a joint graph: every part runs in a session of its own, on its shipped bytes."""

    parts: tuple[Part, ...] = ()
    steps: Steps | None = None
    state: bool = False
    """Whether the joint input is an output too."""

    @classmethod
    def of(
        cls, parts: Sequence[Part], shape: tuple[int, ...], steps: Steps | None = None, *, state: bool = False
    ) -> JoinedExecutions:
        """The parts joined. There must be at least one."""
        graph = join(parts, shape, steps, state=state)
        return cls(parts[0].executions.model, graph, None, tuple(parts), steps, state)

    def _outputs(
        self, point: Float32, run: Callable[[Executions, Float32], Float32] = Executions.runtime
    ) -> list[Float32]:
        """What each part gives for what it is given, which those before it may have computed."""
        known, found = point if self.steps is None else self.steps.apply(point), []
        for part in self.parts:
            found.append(run(part.executions, known[part.reads]))
            known = np.concatenate([known, found[-1]])
        return found

    @cached_property
    def program(self) -> Program:
        """The joint graph for bounds and certificates. Raises UnsupportedError TL0204."""
        diagonal = frozenset().union(*(part.diagonal for part in self.parts))
        stated = self.steps is not None and self.steps.stated
        carried = STATE if self.state else STEP if stated else None
        return side_by_side(lower_to_program(self.graph, diagonal), carried)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the joint input."""
        return self.graph.types[JOINT_INPUT].shape

    @property
    def integers(self) -> RawIntegers | None:
        return self.parts[0].executions.integers

    def runtime(self, point: Float32) -> Float32:
        return self._with_steps(self._outputs(point), point)

    def unoptimised(self, point: Float32) -> Float32:
        return self._with_steps(self._outputs(point, Executions.unoptimised), point)

    def _with_steps(self, outputs: list[Float32], point: Float32) -> Float32:
        if self.steps is not None and self.steps.stated:
            outputs.append(point[self.steps.inputs :])
        if self.state:
            outputs.append(point)
        return np.concatenate(outputs)

    def require_types(self, point: Float32) -> None:

        def require(executions: Executions, own: Float32) -> Float32:
            executions.require_types(own)
            return executions.runtime(own)

        self._outputs(point, require)

    @cached_property
    def nodes(self) -> tuple[RuntimeNode, ...]:
        steps = [] if self.steps is None else [RuntimeNode("", "", "MatMul", (JOINT_INPUT,), (STEPPED,))]
        if self.steps is not None and self.steps.stated:
            steps.append(RuntimeNode("", "", "Gather", (JOINT_INPUT,), (STEP,)))
        if self.state:
            steps.append(RuntimeNode("", "", "Gather", (JOINT_INPUT,), (STATE,)))
        return (*steps, *self._stored_nodes())

    def _stored_nodes(self) -> tuple[RuntimeNode, ...]:
        return tuple(
            RuntimeNode(
                node.name,
                node.domain,
                node.op,
                tuple(map(part.own, node.inputs)),
                tuple(map(part.own, node.outputs)),
            )
            for part in self.parts
            for node in part.executions.nodes
        )

    def pieces(
        self, names: Collection[str]
    ) -> Callable[[Mapping[str, Float32]], dict[str, NDArray[np.generic]]]:
        runs = []
        for part in self.parts:
            own = [name for name in part.executions.graph.types if part.own(name) in names]
            runs.append((part, own, part.executions.pieces(own)))

        def run(values: Mapping[str, Float32]) -> dict[str, NDArray[np.generic]]:
            steps = {}
            if self.steps is not None:
                steps[STEPPED] = self.steps.apply(values[JOINT_INPUT])
                steps[STEP] = values[JOINT_INPUT][self.steps.inputs :]
            if self.state:
                steps[STATE] = values[JOINT_INPUT]
            return steps | {
                part.own(name): value
                for part, own, piece in runs
                for name, value in piece({name: values[part.own(name)] for name in own}).items()
            }

        return run

    def require_wiring(self, wiring: Mapping[str, Slots]) -> None:
        source = wiring[JOINT_INPUT if self.steps is None else STEPPED]
        for part in self.parts:
            graph = part.executions.graph
            found = [wiring.get(part.own(name)) for name in graph.inputs]
            slots = [piece for piece in found if piece is not None]
            if len(slots) != len(found) or not np.array_equal(np.concatenate(slots), source[part.reads]):
                raise CertificateError(
                    "TL0610", f"the inputs of {part.prefix!r} are wired otherwise than meant"
                )
            outputs = [wiring.get(part.own(name)) for name in graph.outputs]
            source = np.concatenate([source, *(piece for piece in outputs if piece is not None)])

    @cached_property
    def runtime_line(self) -> str:
        lines = dict.fromkeys(part.executions.runtime_line for part in self.parts)
        if len(lines) == 1:
            return next(iter(lines))
        return "; ".join(f"{part.prefix.strip(': ')}: {part.executions.runtime_line}" for part in self.parts)
