"""`check: runtime`: onnxruntime against the exact evaluator on samples, node by node."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential import (
    DifferentialResult,
    Divergence,
    ProbeReport,
    compare,
    joined,
    probe_model,
)
from pytest_torchlean.differential.recorded import compare_recorded
from pytest_torchlean.differential.samples import (
    Box,
    Sample,
    data_rows,
    only_input,
    outward_box,
    row_shape,
    samples,
)
from pytest_torchlean.errors import DataError, ShapeError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import printable
from pytest_torchlean.preprocessing import Front, compose
from pytest_torchlean.progress import Observer, counted
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.agreement import evidence_of
from pytest_torchlean.properties.behind import compare_behind
from pytest_torchlean.properties.lowering import lower_as_given
from pytest_torchlean.properties.node_witness import write_node_witness
from pytest_torchlean.runtime import SessionSettings, require_provider
from pytest_torchlean.spec.dataset import load_inputs, load_outputs
from pytest_torchlean.spec.model import PropertySpec, RuntimeProperty, Sessions, elements
from pytest_torchlean.verdict import Evidence


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """AGREED, DIVERGENT with the first node, or UNKNOWN where time or rules did not reach everywhere.

    Raises DataError TL04xx for a data file that does not fit, RuntimeFailure TL07xx.
    """
    if not isinstance(prop, RuntimeProperty):
        raise TypeError(f"a runtime property is needed, not {type(prop).__name__}")
    for provider in prop.sessions.providers:
        require_provider(provider)
    batches = [_at_batch(context, prop, batch) for batch in prop.sessions.batch or (None,)]
    own = context.graph if context.front is None else context.front.model_graph
    context.observer.phase("runtime: every node alone")
    levels = prop.sessions.optimisation
    probes, found = probe_model(context.model, own, levels=levels, deadline=context.deadline)
    if found is not None or not all(report.finished for report in probes):
        return _with_witness(context, prop, own, nothing_compared(probes, found))
    results = []
    for batch in batches:
        result = _compared(context, prop, batch)
        results.append(result)
        if result.divergence is not None:
            break
    result = _with_recorded(prop, context.graph, replace(joined(results), probes=probes))
    return _with_witness(context, prop, own, result)


def _with_witness(
    context: PropertyContext, prop: RuntimeProperty, graph: Graph, result: DifferentialResult
) -> Evidence:
    """The evidence; where a node diverges, with a file of its inputs and the way to run it again."""
    evidence, found = evidence_of(prop, result), result.divergence
    known = {printable(name) for node in graph.nodes for name in node.outputs}
    if found is None or (not found.probe and found.value not in known):
        return evidence
    stem = f"{prop.model or context.model.path.stem}--{prop.name or 'runtime'}"
    path = write_node_witness(found, context.model, graph, context.root, stem)
    if path is None:
        return evidence
    again = f"run the node alone: torchlean replay {shlex.quote(path)}"
    return replace(evidence, next_steps=f"{again}; {evidence.next_steps}")


@dataclass(frozen=True, eq=False)
class _Batch:
    """What is run at one batch size: the model's graph, and the preprocessing ahead of it if there is any."""

    graph: Graph
    front: Front | None
    suffix: str = ""


def _at_batch(context: PropertyContext, prop: RuntimeProperty, batch: int | None) -> _Batch:
    """The graphs at a batch size; None is that of the context. Raises ShapeError TL0344."""
    if batch is None:
        return _Batch(context.graph, context.front)
    try:
        graph = lower_as_given(context.model, context.inputs, batch)
    except ShapeError as error:
        raise error if error.span is not None else error.at(prop.span) from None
    front = None if context.front is None else compose(context.model, graph, context.front.steps)
    return _Batch(graph, front, f", batch {batch}")


def _compared(context: PropertyContext, prop: RuntimeProperty, batch: _Batch) -> DifferentialResult:
    """Every session at one batch size."""
    graph, front, suffix = batch.graph, batch.front, batch.suffix
    stated = context.graph if context.front is None else context.front.alone_graph
    sessions = settings_of(prop.sessions)
    if front is not None:
        context.observer.phase(f"runtime: {prop.samples} samples through preprocessing and model")
        alone = front.alone_graph
        return compare_behind(
            context.model,
            front,
            prop.samples,
            prop.seed,
            data=_data(prop, alone),
            box=_box(prop, stated, alone),
            sampling=prop.sampling,
            sessions=sessions,
            deadline=context.deadline,
            suffix=suffix,
        )
    inputs = _Samples(prop, graph, _data(prop, graph), _box(prop, stated, graph), context.observer)
    return compare(context.model, graph, inputs, sessions=sessions, deadline=context.deadline, suffix=suffix)


def _with_recorded(prop: RuntimeProperty, graph: Graph, result: DifferentialResult) -> DifferentialResult:
    """The result and what recorded outputs of the data file say, where it has some and all agreed so far."""
    if prop.data is None or result.divergence is not None:
        return result
    kind = graph.types[graph.outputs[0]]
    outputs = load_outputs(prop.data, kind.shape[1:] if len(kind.shape) > 1 else kind.shape)
    if outputs is None:
        return result
    inputs = load_inputs(prop.data, row_shape(graph))
    rows, recorded = data_rows(inputs, graph.types[graph.inputs[0]]), data_rows(outputs, kind)
    whole = rows.size == inputs.size and recorded.size == outputs.size
    if len(recorded) != len(rows) or kind.dtype != "float32" or not whole:
        counts = f"{len(outputs)} outputs for {len(inputs)} inputs"
        batches = "" if whole else f", which are not whole batches of the model's {kind.shape[0]}"
        raise DataError("TL0405", f"{prop.data.name} lists {counts}{batches}")
    report, divergence = compare_recorded(graph, rows, recorded)
    return replace(result, sessions=(*result.sessions, report), divergence=divergence)


def nothing_compared(probes: tuple[ProbeReport, ...], found: Divergence | None) -> DifferentialResult:
    """The result where the probes ended the check before any sample."""
    return DifferentialResult(
        samples=0, finished=found is not None, divergence=found, sessions=(), rewrites=(), probes=probes
    )


def settings_of(sessions: Sessions) -> tuple[SessionSettings, ...]:
    """The sessions of a matrix at one batch size, the optimisation level changing fastest."""
    return tuple(
        SessionSettings(level, threads, inter_op_threads, provider)
        for provider, inter_op_threads, threads, level in product(
            sessions.providers, sessions.inter_op_threads, sessions.threads, sessions.optimisation
        )
    )


@dataclass(frozen=True, eq=False)
class _Samples:
    """The property's samples, drawn anew for every session."""

    prop: RuntimeProperty
    graph: Graph
    data: NDArray[np.float32] | None
    box: Box | None
    observer: Observer

    def __iter__(self) -> Iterator[Sample]:
        drawn = samples(
            self.graph,
            self.prop.samples,
            self.prop.seed,
            data=self.data,
            box=self.box,
            sampling=self.prop.sampling,
        )
        return counted(drawn, self.observer, "runtime", self.prop.samples, "samples")


def _data(prop: RuntimeProperty, graph: Graph) -> NDArray[np.float32] | None:
    if prop.data is None:
        return None
    name = only_input(graph)
    if name is None:
        raise DataError(
            "TL0405",
            f"{prop.data.name} lists one input per row, but the model has {len(graph.inputs)} inputs",
            fix="leave `data` out for a model with several inputs",
        )
    return data_rows(load_inputs(prop.data, row_shape(graph)), graph.types[name])


def _box(prop: RuntimeProperty, stated: Graph, graph: Graph) -> Box | None:
    """The box of the spec, which is about the inputs of `stated`, for those of `graph`: rows repeat."""
    if prop.input is None:
        return None
    count = sum(stated.types[name].size for name in stated.inputs)
    lower = elements(prop.input.lower, count, what="input.lower", span=prop.span)
    upper = elements(prop.input.upper, count, what="input.upper", span=prop.span)
    box = outward_box(lower, upper)
    return (
        box if graph is stated else Box(*(_repeated(side, stated, graph) for side in (box.lower, box.upper)))
    )


def _repeated(side: NDArray[np.float32], stated: Graph, graph: Graph) -> NDArray[np.float32]:
    parts, start = [], 0
    for name in stated.inputs:
        size = stated.types[name].size
        parts.append(np.resize(side[start : start + size], graph.types[name].size))
        start += size
    return np.concatenate(parts).astype(np.float32)
