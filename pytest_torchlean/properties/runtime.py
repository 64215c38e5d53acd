"""`check: runtime`: onnxruntime against the exact evaluator on samples, node by node."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential import DifferentialResult, Divergence, SessionReport, compare
from pytest_torchlean.differential.samples import (
    Box,
    data_rows,
    only_input,
    outward_box,
    row_shape,
    samples,
)
from pytest_torchlean.errors import DataError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.claims import claim
from pytest_torchlean.spec.dataset import load_inputs
from pytest_torchlean.spec.model import PropertySpec, RuntimeProperty, elements
from pytest_torchlean.verdict import Evidence, Verdict

_TRUST = (
    "The agreement is sampled: it says nothing about inputs that were not run.",
    "Bounds come from the order-free error analysis of each operator (any summation order, fused "
    "multiply-add or not) and from a binary64 reference with its own radius.",
    "Sessions: CPU provider, one thread, sequential, subnormals kept.",
)


def run(context: PropertyContext, prop: PropertySpec) -> Evidence:
    """AGREED, DIVERGENT with the first node, or UNKNOWN where time or rules did not reach everywhere.

    Raises DataError TL04xx for a data file that does not fit, RuntimeFailure TL07xx.
    """
    if not isinstance(prop, RuntimeProperty):
        raise TypeError(f"a runtime property is needed, not {type(prop).__name__}")
    graph = context.graph
    inputs = samples(graph, prop.samples, prop.seed, data=_data(prop, graph), box=_box(prop, graph))
    result = compare(context.model, graph, inputs, deadline=context.deadline)
    return evidence_of(prop, result)


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
        found = f"no difference, but time ran out after {result.samples} of {prop.samples} samples"
        return Verdict.UNKNOWN, found, "raise `timeout` or lower `samples`"
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
    return Verdict.AGREED, found, ""


def _divergence_text(divergence: Divergence) -> str:
    node = f"{divergence.op} node"
    node += f" '{divergence.source}'" if divergence.source else ""
    distance = "one of them is NaN" if divergence.ulps is None else f"{divergence.ulps} ulp apart"
    if divergence.allowed is None:
        rule = "IEEE-754 fixes these bits"
    else:
        rule = f"any schedule stays within {divergence.allowed:.6g} of the exact value"
    return (
        f"first divergent node: {node}, output '{divergence.value}', element {divergence.element}, "
        f"sample {divergence.sample}, session with {divergence.session}: onnxruntime gives "
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
    return tuple(lines)


def _session_lines(report: SessionReport) -> list[str]:
    lines = [f"{report.exact_outputs} outputs bit-equal, {report.bounded_outputs} within bounds"]
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
