"""`check: runtime`: onnxruntime against the exact evaluator on samples, node by node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential import (
    DifferentialResult,
    Divergence,
    ProbeReport,
    SessionReport,
    compare,
    probe_model,
)
from pytest_torchlean.differential.samples import (
    Box,
    Sample,
    data_rows,
    only_input,
    outward_box,
    row_shape,
    samples,
)
from pytest_torchlean.errors import DataError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.behind import compare_behind
from pytest_torchlean.properties.claims import claim
from pytest_torchlean.runtime import SessionSettings
from pytest_torchlean.spec.dataset import load_inputs
from pytest_torchlean.spec.model import PropertySpec, RuntimeProperty, Sessions, elements
from pytest_torchlean.verdict import Evidence, Verdict

_TRUST = (
    "The agreement is sampled: it says nothing about inputs that were not run.",
    "Bounds come from the order-free error analysis of each operator (any summation order, fused "
    "multiply-add or not) and from a binary64 reference with its own radius.",
    "Sessions keep subnormals and use onnxruntime's deterministic kernels; the record lists their options.",
)
_MOST_LINES = 20
"""Lines of one kind that the details of a verdict hold."""


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """AGREED, DIVERGENT with the first node, or UNKNOWN where time or rules did not reach everywhere.

    Raises DataError TL04xx for a data file that does not fit, RuntimeFailure TL07xx.
    """
    if not isinstance(prop, RuntimeProperty):
        raise TypeError(f"a runtime property is needed, not {type(prop).__name__}")
    if context.front is not None:
        alone = context.front.alone_graph
        result = compare_behind(
            context.model,
            context.front,
            prop.samples,
            prop.seed,
            data=_data(prop, alone),
            box=_box(prop, alone),
            sessions=settings_of(prop.sessions),
            deadline=context.deadline,
        )
        return evidence_of(prop, result)
    graph = context.graph
    levels = prop.sessions.optimisation
    probes, found = probe_model(context.model, graph, levels=levels, deadline=context.deadline)
    if found is not None or not all(report.finished for report in probes):
        return evidence_of(prop, nothing_compared(probes, found))
    inputs = _Samples(prop, graph, _data(prop, graph), _box(prop, graph))
    result = compare(
        context.model, graph, inputs, sessions=settings_of(prop.sessions), deadline=context.deadline
    )
    return evidence_of(prop, replace(result, probes=probes))


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

    def __iter__(self) -> Iterator[Sample]:
        return samples(self.graph, self.prop.samples, self.prop.seed, data=self.data, box=self.box)


def evidence_of(prop: RuntimeProperty, result: DifferentialResult) -> Evidence:
    """The verdict that a differential result supports."""
    verdict, found, next_steps = _judge(prop, result)
    return Evidence(
        verdict=verdict,
        claim=claim(prop),
        found=found,
        semantics="binary32",
        samples=result.samples,
        runtime=_runtime_line(result),
        next_steps=next_steps,
        details=_details(result),
        trust=_TRUST,
    )


def _judge(prop: RuntimeProperty, result: DifferentialResult) -> tuple[Verdict, str, str]:
    if result.divergence is not None:
        next_steps = (
            "compare the named node alone: a damaged or re-quantised weight, an operator that "
            "onnxruntime computes differently on this processor, or a version change of onnxruntime"
        )
        return Verdict.DIVERGENT, _divergence_text(result.divergence), next_steps
    if not result.finished:
        found = f"no difference, but time ran out {_progress(prop, result)}"
        return Verdict.UNKNOWN, found, "raise `timeout`, lower `samples`, or list fewer sessions"
    unchecked = [report.name for report in result.sessions if not report.outputs_covered]
    if unchecked:
        found = f"no difference, but with {' and '.join(unchecked)} not every output could be checked"
        return Verdict.UNKNOWN, found, "the details name each value without a rule"
    exact = sum(report.exact_outputs for report in result.sessions)
    bounded = sum(report.bounded_outputs for report in result.sessions)
    found = (
        f"no difference on {result.samples} samples in {len(result.sessions)} sessions: "
        f"{exact} node outputs bit-equal, {bounded} within their derived bounds"
    )
    hidden = [report.name for report in result.sessions if any(test.failure for test in report.equalities)]
    if hidden:
        found += f"; the values inside {' and '.join(hidden)} could not be seen (details)"
    return Verdict.AGREED, found, ""


def _progress(prop: RuntimeProperty, result: DifferentialResult) -> str:
    if not result.sessions:
        return "before the first sample"
    last = result.sessions[-1]
    where = f"after {last.samples} of {prop.samples} samples with {last.name}"
    rest = len(result.unreached)
    return f"{where}, before {rest} other sessions" if rest else where


def _divergence_text(divergence: Divergence) -> str:
    node = f"{divergence.label or divergence.op} node"
    node += f" '{divergence.source}'" if divergence.source else ""
    distance = "one of them is NaN" if divergence.ulps is None else f"{divergence.ulps} ulp apart"
    if divergence.allowed is None:
        rule = "IEEE-754 fixes these bits"
    else:
        rule = f"any schedule stays within {divergence.allowed:.6g} of the exact value"
    probe = f"probe of the node alone by {divergence.probe}"
    where = probe if divergence.probe else f"sample {divergence.sample}"
    return (
        f"first divergent node: {node}, output '{divergence.value}', element {divergence.element}, "
        f"{where}, session with {divergence.session}: onnxruntime gives "
        f"{divergence.runtime}, the evaluator {divergence.expected} ({distance}; {rule})"
    )


def _runtime_line(result: DifferentialResult) -> str:
    if not result.rewrites:
        return "covered: the optimiser runs only the stored graph's operators"
    rewrites = ", ".join(result.rewrites)
    covered = all(report.outputs_covered for report in result.sessions)
    if covered:
        return f"covered: the optimiser introduces {rewrites}; outputs checked behind every rewrite"
    return f"not covered: the optimiser introduces {rewrites}"


def _details(result: DifferentialResult) -> tuple[str, ...]:
    lines = []
    for report in result.sessions:
        lines.append(f"{report.name}: {', '.join(report.nodes)}")
        lines.extend(f"  {line}" for line in _session_lines(report))
    for probes in result.probes:
        lines.append(f"{probes.session}, nodes alone: {probes.nodes} probed in {probes.runs} runs")
        lines.extend(f"  {line}" for line in _probe_lines(probes))
    return tuple(lines)


def _probe_lines(report: ProbeReport) -> list[str]:
    lines = []
    if report.weights:
        lines.append(f"{report.weights_read} of {report.weights} weights read one by one")
    for title, texts in (
        ("known difference", report.surprises),
        ("limited", report.limited),
        ("left out", report.left_out),
    ):
        lines.extend(f"{title}: {text}" for text in texts[:_MOST_LINES])
        if len(texts) > _MOST_LINES:
            lines.append(f"{title}: and {len(texts) - _MOST_LINES} more")
    return lines


def _session_lines(report: SessionReport) -> list[str]:
    lines = [f"{report.exact_outputs} outputs bit-equal, {report.bounded_outputs} within bounds"]
    for test in report.equalities:
        if test.failure is not None:
            lines.append(
                f"{test.what} gives other bits than the shipped session: {test.failure}; from there on only "
                "outputs are checked, by the bound composed over the whole graph"
            )
    if report.bits:
        lines.append(report.bits)
    if report.worst:
        shares = ", ".join(f"{op} {share:.3f}" for op, share in report.worst.items())
        lines.append(f"largest share of the bound: {shares}")
    if report.unbounded:
        lines.append(f"{report.unbounded} elements may overflow, so nothing is claimed about them")
    lines.extend(f"not covered: {text}" for text in report.uncovered)
    return lines


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


def _box(prop: RuntimeProperty, graph: Graph) -> Box | None:
    if prop.input is None:
        return None
    count = sum(graph.types[name].size for name in graph.inputs)
    lower = elements(prop.input.lower, count, what="input.lower", span=prop.span)
    upper = elements(prop.input.upper, count, what="input.upper", span=prop.span)
    return outward_box(lower, upper)
