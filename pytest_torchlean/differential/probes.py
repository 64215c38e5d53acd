"""Every node of a graph that the runtime runs, alone, on inputs whose results leave little or no room.

The bound of a long sum grows with its length, so a sample may not show a changed weight or a lost precision.
Probes do: impulses read every weight alone, integers make every order of summation exact, selections copy one
operand through a product of two. What a node does to numbers of very different sizes is compared too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential import impulses, nodes
from pytest_torchlean.differential.alone import Alone, Judged, Open, integer_array, magnitude, run_and_judge
from pytest_torchlean.differential.result import Divergence, ProbeReport
from pytest_torchlean.differential.sessions import Fetching
from pytest_torchlean.differential.sharp import PRODUCTS
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.names import printable
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.onnx_import.single import SingleNode, Unprobed, single_nodes
from pytest_torchlean.runtime import SessionSettings, open_session

Array = NDArray[np.generic]
Inputs = dict[str, Array]

MOST_PRODUCTS = 2**36
"""Products that the impulses of one graph may cost, about a second; beyond, every node gets its share."""
_LEAST_IMPULSES = 16
_MOST_SIZE = 2**24
"""Elements of a node's inputs and outputs beyond which it is probed by impulses only."""


@dataclass
class _Tally:
    """What one graph's probes have seen."""

    nodes: int = 0
    runs: int = 0
    weights: int = 0
    weights_read: int = 0
    limited: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    surprises: dict[str, None] = field(default_factory=dict)


def probe_model(
    model: LoadedModel,
    graph: Graph,
    *,
    open_session: Callable[[bytes, SessionSettings], Fetching] = open_session,
    deadline: float | None = None,
) -> tuple[tuple[ProbeReport, ...], Divergence | None]:
    """Probe the nodes of the stored graph; see `probe_graph`."""
    plain = SessionSettings("none")
    report, found = probe_graph(
        plain.name,
        model.data,
        graph.types,
        graph.constants,
        lambda data: open_session(data, plain),
        deadline=deadline,
    )
    return (report,), found


def probe_graph(
    session: str,
    data: bytes,
    types: Mapping[str, ValueType],
    constants: Mapping[str, Array],
    opened: Open,
    *,
    deadline: float | None = None,
) -> tuple[ProbeReport, Divergence | None]:
    """Probe the nodes of a model in order; stop at the first divergence.

    types: of the model's values, by name. constants: values known beyond the initialisers. opened: a session
    without optimisation over given bytes. deadline: `time.monotonic()` after which no further node starts.
    """
    tally = _Tally()
    candidates: list[tuple[Alone, impulses.Plan | None]] = []
    for single in single_nodes(data, types, constants):
        if isinstance(single, Unprobed):
            tally.left_out.append(f"{single.label} giving {printable(single.output)}: {single.reason}")
            continue
        alone = Alone(single, types, opened)
        try:
            candidates.append((alone, impulses.plan(alone)))
        except TorchleanError as problem:
            tally.left_out.append(_left_out(single, problem))
    costs = sum(plan.products * len(plan.elements) for _, plan in candidates if plan is not None)
    share = min(1.0, MOST_PRODUCTS / max(1, costs))
    found, finished = None, True
    for alone, plan in candidates:
        if deadline is not None and time.monotonic() >= deadline:
            finished = False
            break
        tally.nodes += 1
        try:
            found = _probe_node(session, alone, plan, share, tally)
        except TorchleanError as problem:
            tally.nodes -= 1
            tally.left_out.append(_left_out(alone.single, problem))
        if found is not None:
            break
    report = ProbeReport(
        session=session,
        nodes=tally.nodes,
        runs=tally.runs,
        weights=tally.weights,
        weights_read=tally.weights_read,
        limited=tuple(tally.limited),
        left_out=tuple(tally.left_out),
        surprises=tuple(tally.surprises),
        finished=finished,
    )
    return report, found


def _left_out(single: SingleNode, problem: TorchleanError) -> str:
    return f"{single.label} giving {printable(single.outputs[0])}: {problem.message.splitlines()[0][:200]}"


def _probe_node(
    session: str, alone: Alone, plan: impulses.Plan | None, share: float, tally: _Tally
) -> Divergence | None:
    node = alone.step_node
    if plan is not None and node is not None:
        found = _impulses(session, alone, node, plan, share, tally)
        if found is not None:
            return found
    elif (
        node is not None
        and node.op in PRODUCTS
        and any(name in alone.graph.constants for name in node.inputs)
    ):
        tally.limited.append(f"{_name(alone)}: its weights are read in selections only")
    if sum(kind.size for kind in alone.graph.types.values()) > _MOST_SIZE:
        tally.limited.append(f"{_name(alone)}: more than {_MOST_SIZE} numbers, impulses only")
        return None
    for kind, inputs, integers in _cases(alone):
        try:
            graph, own = alone.with_integers if integers else (alone.graph, alone.session)
            found = _run(session, kind, alone, own, graph, inputs, tally)
        except TorchleanError:
            continue
        tally.runs += 1
        if found is not None:
            return found
    return None


def _name(alone: Alone) -> str:
    return f"{alone.single.label} giving {printable(alone.single.outputs[0])}"


def _impulses(
    session: str, alone: Alone, node: Node, plan: impulses.Plan, share: float, tally: _Tally
) -> Divergence | None:
    count = len(plan.elements)
    if share < 1.0:
        count = min(count, max(_LEAST_IMPULSES, int(count * share)))
        tally.limited.append(f"{_name(alone)}: {count} of {len(plan.elements)} impulses")
    tally.weights += plan.weights
    tally.weights_read += plan.weights * count // max(1, len(plan.elements))
    for stack in impulses.stacks(plan, count):
        tally.runs += 1
        (answer,) = alone.session.fetch((plan.output,), {plan.name: stack.input})
        if answer.shape != stack.expected.shape:
            wrong = np.ones(stack.expected.size, dtype=np.bool_)
            answer = np.full(stack.expected.shape, np.nan, dtype=np.float32)
        else:
            with np.errstate(invalid="ignore"):
                wrong = ~(np.abs(answer.astype(np.float64) - stack.expected) <= stack.radius).reshape(-1)
        if not wrong.any():
            continue
        outcome = nodes.Outcome(
            stack.expected.astype(np.float32).reshape(-1), wrong, stack.radius.reshape(-1), 0.0, 0
        )
        found = nodes.divergence(outcome, answer, node, session, 0)
        return replace(_named(found, alone, "impulse"), inputs={plan.name: stack.input})
    return None


def _named(found: Divergence, alone: Alone, kind: str) -> Divergence:
    return replace(found, probe=kind, source=printable(alone.single.source))


def _run(
    session: str, kind: str, alone: Alone, own: Fetching, graph: Graph, inputs: Inputs, tally: _Tally
) -> Divergence | None:
    for judged in run_and_judge(own, graph, inputs, alone.single.outputs):
        tally.surprises.update(dict.fromkeys(judged.surprises))
        if judged.outcome.wrong.any():
            return _diverging(session, kind, alone, judged, inputs)
    return None


def _diverging(session: str, kind: str, alone: Alone, judged: Judged, inputs: Inputs) -> Divergence:
    found = nodes.divergence(judged.outcome, judged.runtime, judged.node, session, 0, judged.output)
    return replace(_named(found, alone, kind), inputs=inputs)


def _cases(alone: Alone) -> Iterator[tuple[str, Inputs, bool]]:
    """Inputs of the node's own shapes: the probe's name, the input, whether constants become integers."""
    generator = np.random.Generator(np.random.PCG64(0))
    types = alone.types
    floats = [name for name, kind in types.items() if kind.dtype == "float32"]
    others = {
        name: np.asarray(generator.integers(0, 2, kind.shape), dtype=kind.dtype)
        for name, kind in types.items()
        if kind.dtype != "float32"
    }
    node = alone.step_node
    if node is not None and node.op in PRODUCTS:
        limit = magnitude(node, alone.graph)
        for positive in (False, True):
            drawn = {name: integer_array(generator, types[name].shape, limit, positive) for name in floats}
            yield "integers", {**others, **drawn}, False
            yield "integers", {**others, **drawn}, True
        for chosen in floats:
            for axis in (-1, -2):
                drawn = {name: _normal(generator, types[name].shape, 0) for name in floats}
                drawn[chosen] = _selection(generator, types[chosen].shape, axis)
                yield "selection", {**others, **drawn}, False
    elif floats:
        whole = {name: integer_array(generator, types[name].shape, 3, False) for name in floats}
        yield "integers", {**others, **whole}, False
    if floats:
        for scale in (0, -12, 12):
            drawn = {name: _normal(generator, types[name].shape, scale) for name in floats}
            yield "scales", {**others, **drawn}, False


def _normal(generator: np.random.Generator, shape: tuple[int, ...], scale: int) -> NDArray[np.float32]:
    return np.ldexp(generator.standard_normal(shape, dtype=np.float32), scale)


def _selection(generator: np.random.Generator, shape: tuple[int, ...], axis: int) -> NDArray[np.float32]:
    """A single 1 in every line along the axis."""
    result = np.zeros(shape, dtype=np.float32)
    if len(shape) < -axis or not result.size:
        axis = -1
    if result.size and shape:
        lines = np.moveaxis(result, axis, -1)
        place = generator.integers(0, lines.shape[-1], lines.shape[:-1])
        np.put_along_axis(lines, place[..., None], np.float32(1), axis=-1)
    return result
