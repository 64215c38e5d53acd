"""Every node of a graph that the runtime runs, alone, on inputs whose results leave little or no room.

The bound of a long sum grows with its length, so a sample may not show a changed weight or a lost precision.
Probes do: impulses read every weight alone, integers make every order of summation exact, selections copy one
operand through a product of two. What a node does to numbers of very different sizes is compared too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential import impulses, nodes, special
from pytest_torchlean.differential.alone import Alone, Judged, Open, integer_array, magnitude, run_and_judge
from pytest_torchlean.differential.result import Divergence, ProbeReport
from pytest_torchlean.differential.sessions import Fetching
from pytest_torchlean.differential.sharp import PRODUCTS
from pytest_torchlean.errors import RuntimeFailure, TorchleanError
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.names import printable
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.onnx_import.extension_operators import Operators
from pytest_torchlean.onnx_import.fused import BLOCKED, reordering_model, with_meaning
from pytest_torchlean.onnx_import.single import SingleNode, Unprobed, single_nodes
from pytest_torchlean.runtime import SessionSettings, expose, open_session, optimised_model

Array = NDArray[np.generic]
Inputs = dict[str, Array]

MOST_PRODUCTS = 2**36
"""Products that the impulses of one graph may cost, about a second; beyond, every node gets its share."""
_LEAST_IMPULSES = 16
_OBSERVED_AT_ONCE = 16
_MOST_BLOCK = 64
_MOST_SIZE = 2**24
"""Elements of a node's inputs and outputs beyond which it is probed by impulses only."""


@dataclass
class _Tally:
    """What one graph's probes have seen."""

    nodes: int = 0
    known: int = 0
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
    levels: Sequence[str] = ("all",),
    open_session: Callable[[bytes, SessionSettings], Fetching] = open_session,
    deadline: float | None = None,
) -> tuple[tuple[ProbeReport, ...], Divergence | None]:
    """Probe the nodes of the stored graph, then those of the graphs that the optimiser makes of it.

    levels: the optimisation levels. A node that is the same in several graphs is probed once. Stops at the
    first divergence. deadline: `time.monotonic()` after which no further node starts. RuntimeFailure where
    onnxruntime refuses the stored model.
    """
    plain = SessionSettings("none")
    known: set[bytes] = set()
    reports: list[ProbeReport] = []

    def opened(data: bytes) -> Fetching:
        return open_session(data, plain)

    found = None
    for level in ("none", *(level for level in dict.fromkeys(levels) if level != "none")):
        settings = SessionSettings(level)
        try:
            singles = candidates_at(level, model, graph, opened)
        except TorchleanError as problem:
            reports.append(
                ProbeReport(settings.name, 0, 0, 0, 0, left_out=(f"every node: {problem.message}",))
            )
            continue
        report, found = _probe_graph(settings.name, singles, opened, known, deadline)
        reports.append(report)
        if found is not None:
            found = replace(found, level=level)
            break
    return tuple(reports), found


Candidate = tuple[SingleNode | Unprobed, Mapping[str, ValueType]]
"""A node with the types of the values that it reads."""


def candidates_at(level: str, model: LoadedModel, graph: Graph, opened: Open) -> Iterator[Candidate]:
    """The nodes that run at an optimisation level, each alone. RuntimeFailure where none can be seen."""
    if level == "none":
        return _stored(model, graph)
    return _optimised(model, graph, SessionSettings(level), opened)


def _stored(model: LoadedModel, graph: Graph) -> Iterator[Candidate]:
    for single in single_nodes(model.data, graph.types, graph.constants, model.operators):
        if isinstance(single, SingleNode):
            meant = with_meaning(single, graph.types, None)
            yield (
                (Unprobed(single.label, single.outputs[0], meant) if isinstance(meant, str) else meant),
                graph.types,
            )
        else:
            yield single, graph.types


def _optimised(
    model: LoadedModel, graph: Graph, settings: SessionSettings, opened: Open
) -> Iterator[Candidate]:
    """The nodes of the graph that really runs; its values are observed once for their types."""
    running = optimised_model(model.data, settings)
    session = opened(expose(running))
    inputs = {name: np.zeros(kind.shape, dtype=kind.dtype) for name, kind in
              ((name, graph.types[name]) for name in graph.inputs)}  # fmt: skip
    types = {name: graph.types[name] for name in graph.inputs}
    names = sorted(set(session.outputs) - set(types))
    for start in range(0, len(names), _OBSERVED_AT_ONCE):
        some = names[start : start + _OBSERVED_AT_ONCE]
        for name, value in zip(some, session.fetch(some, inputs), strict=True):
            types[name] = ValueType(value.dtype.name, value.shape)
    return _meant(running, types, opened, model.operators)


def _meant(
    running: bytes, types: Mapping[str, ValueType], opened: Open, operators: Operators
) -> Iterator[Candidate]:
    block: int | None = None
    for single in single_nodes(running, types, {}, operators):
        if isinstance(single, Unprobed):
            yield single, types
            continue
        if block is None and single.label.startswith(BLOCKED):
            block = _block_size(opened)
        meant = with_meaning(single, types, block)
        yield (Unprobed(single.label, single.outputs[0], meant) if isinstance(meant, str) else meant), types


def _block_size(opened: Open) -> int | None:
    """How many channels a block holds: the channels that lie before the second column of the first."""
    x = np.arange(2 * _MOST_BLOCK, dtype=np.float32).reshape(1, _MOST_BLOCK, 1, 2)
    try:
        (value,) = opened(reordering_model(_MOST_BLOCK)).fetch(("y",), {"x": x})
    except TorchleanError:
        return None
    place = np.flatnonzero(value.reshape(-1) == 1.0)
    return int(place[0]) if place.size == 1 and place[0] > 1 else None


def _probe_graph(
    session: str, singles: Iterator[Candidate], opened: Open, known: set[bytes], deadline: float | None
) -> tuple[ProbeReport, Divergence | None]:
    """Probe nodes in order; stop at the first divergence. `known` holds the nodes that were probed before."""
    tally = _Tally()
    candidates: list[tuple[Alone, impulses.Plan | None]] = []
    for single, types in singles:
        if isinstance(single, Unprobed):
            tally.left_out.append(f"{single.label} giving {printable(single.output)}: {single.reason}")
            continue
        if single.digest in known:
            tally.known += 1
            continue
        known.add(single.digest)
        alone = Alone(single, types, opened)
        try:
            if alone.graph.nodes:
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
        known=tally.known,
        limited=tuple(dict.fromkeys(tally.limited)),
        left_out=tuple(tally.left_out),
        surprises=tuple(tally.surprises),
        finished=finished,
    )
    return report, found


def _left_out(single: SingleNode, problem: TorchleanError) -> str:
    reason = problem.message.splitlines()[-1].strip()
    return f"{single.label} giving {printable(single.outputs[0])}: {reason[:200]}"


def _probe_node(
    session: str, alone: Alone, plan: impulses.Plan | None, share: float, tally: _Tally
) -> Divergence | None:
    node = alone.first
    if plan is not None:
        found = _impulses(session, alone, node, plan, share, tally)
        if found is not None:
            return found
    elif node.op in PRODUCTS and any(name in alone.graph.constants for name in node.inputs):
        tally.limited.append(f"{_name(alone)}: its weights are read in selections only")
    if sum(kind.size for kind in alone.graph.types.values()) > _MOST_SIZE:
        tally.limited.append(f"{_name(alone)}: more than {_MOST_SIZE} numbers, impulses only")
        return None
    for kind, inputs, integers in _cases(alone):
        try:
            graph, own = alone.with_integers if integers else (alone.graph, alone.session)
            found = _run(session, kind, alone, own, graph, inputs, tally)
        except RuntimeFailure as problem:
            tally.limited.append(f"{_name(alone)}: {problem.message[:200]}")
            continue
        except TorchleanError as problem:
            tally.limited.append(f"{_name(alone)}: no {kind} probe: {problem.message[:200]}")
            continue
        tally.runs += 1
        if found is not None:
            return replace(found, integers=integers)
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
                near = np.abs(answer.astype(np.float64) - stack.expected) <= stack.radius
            wrong = ~(near | np.isinf(stack.radius)).reshape(-1)
        if not wrong.any():
            continue
        outcome = nodes.Outcome(
            stack.expected.astype(np.float32).reshape(-1), wrong, stack.radius.reshape(-1), 0.0, 0
        )
        found = nodes.divergence(outcome, answer, node, session, 0)
        return replace(_named(found, alone, "impulse"), inputs={plan.name: stack.input})
    return None


def _named(found: Divergence, alone: Alone, kind: str) -> Divergence:
    return replace(
        found, probe=kind, label=printable(alone.single.label), source=printable(alone.single.source)
    )


def _run(
    session: str, kind: str, alone: Alone, own: Fetching, graph: Graph, inputs: Inputs, tally: _Tally
) -> Divergence | None:
    single = alone.single
    for judged in run_and_judge(
        own,
        graph,
        inputs,
        single.outputs,
        finished_sums=single.finished_sums,
        by_kind=kind == "special",
        label=single.label,
    ):
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
    node = alone.first
    if node.op in PRODUCTS:
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
        for kind, given in special.cases(node, types):
            yield kind, {**others, **given}, False


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
