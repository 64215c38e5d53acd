"""What a differential result supports: a verdict with its words, and the sessions for the record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_torchlean.differential import (
    BitEquality,
    DifferentialResult,
    Divergence,
    ProbeReport,
    SessionReport,
)
from pytest_torchlean.differential.histograms import SHARES, ULPS
from pytest_torchlean.differential.recorded import RECORDED
from pytest_torchlean.machine import processor
from pytest_torchlean.properties.claims import claim
from pytest_torchlean.runtime import build_info, runtime_version
from pytest_torchlean.spec.model import RuntimeProperty
from pytest_torchlean.verdict import Evidence, SessionRecord, Verdict

_TRUST = (
    "The agreement is sampled: it says nothing about inputs that were not run.",
    "Bounds come from the order-free error analysis of each operator (any summation order, fused "
    "multiply-add or not) and from a binary64 reference with its own radius.",
    "Sessions keep subnormals and use onnxruntime's deterministic kernels; the record lists their options.",
)


_MOST_LINES = 20
"""Lines of one kind that the details of a verdict hold."""


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
        sessions=tuple(_record(report) for report in result.sessions),
        machine={
            "onnxruntime": runtime_version(),
            "build": build_info(),
            "numpy": np.__version__,
            **processor(),
        },
        trust=_TRUST,
    )


def _bins(names: Sequence[str], counts: Sequence[int]) -> dict[str, int]:
    """The bins that are not empty."""
    return {name: count for name, count in zip(names, counts, strict=True) if count}


def _record(report: SessionReport) -> SessionRecord:
    """A session for the record; every name in it is escaped already, or an operator's."""
    return SessionRecord(
        name=report.name,
        options=report.settings,
        operators=report.nodes,
        rewrites=report.rewrites,
        counts={
            "samples": report.samples,
            "exact_outputs": report.exact_outputs,
            "bounded_outputs": report.bounded_outputs,
            "unbounded": report.unbounded,
        },
        worst={op: f"{share:.6f}" for op, share in report.worst.items()},
        shares={op: _bins(SHARES, counts) for op, counts in report.shares.items()},
        ulps={op: _bins(ULPS, counts) for op, counts in report.ulps.items()},
        uncovered=report.uncovered,
        equalities={test.what: _kept(test) for test in report.equalities},
        bits=report.bits,
    )


def _kept(test: BitEquality) -> str:
    held = f"equal bits on {test.held} samples"
    return held if test.failure is None else f"{held}, then other bits: {test.failure}"


def _judge(prop: RuntimeProperty, result: DifferentialResult) -> tuple[Verdict, str, str]:
    if result.divergence is not None:
        next_steps = (
            "compare the exported graph with the framework's model: an axis, an epsilon, a mode, a layout, "
            "a missing operand"
            if result.divergence.session == RECORDED
            else "compare the named node alone: a damaged or re-quantised weight, an operator that "
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


def _recorded_text(divergence: Divergence) -> str:
    return (
        f"the recorded output of input {divergence.sample} is no output of this graph: element "
        f"{divergence.element} of '{divergence.value}' is {divergence.runtime}, but any binary32 execution "
        f"stays within {divergence.allowed:.6g} of {divergence.expected}"
    )


def _divergence_text(divergence: Divergence) -> str:
    if divergence.session == RECORDED:
        return _recorded_text(divergence)
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
    if report.ulps:
        totals = [sum(counts) for counts in zip(*report.ulps.values(), strict=True)]
        apart = ", ".join(f"{name}: {count}" for name, count in _bins(ULPS, totals).items())
        lines.append(f"elements by ulps from the evaluator: {apart}")
    if report.unbounded:
        lines.append(f"{report.unbounded} elements may overflow, so nothing is claimed about them")
    lines.extend(f"not covered: {text}" for text in report.uncovered)
    return lines
