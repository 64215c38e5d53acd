"""The JSON record: everything known about a run, from which every other report can be rendered.

Exact numbers are strings. Timings (`seconds`) are the only values that differ between equal runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_torchlean.results import Environment, PropertyResult
from pytest_torchlean.verdict import Counts, Evidence, Problem, Theorem, Witness

SCHEMA = "torchlean.report/1"


def record(results: Sequence[PropertyResult], environment: Environment) -> dict[str, Any]:
    """The record of a run as plain JSON values, results in the given order."""
    return {
        "schema": SCHEMA,
        "tool": {
            "version": environment.version,
            "onnxruntime": environment.onnxruntime,
            "lean": _strings(environment.lean),
            "others": dict(sorted(environment.others.items())),
        },
        "results": [_result(result) for result in results],
    }


def dumps(value: Mapping[str, Any]) -> str:
    """The record as ASCII JSON text with a final newline; equal records give equal text."""
    return json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def without_timings(value: Mapping[str, Any]) -> dict[str, Any]:
    """The record with empty `seconds`, for comparing runs."""
    return {**value, "results": [{**result, "seconds": {}} for result in value["results"]]}


def _result(result: PropertyResult) -> dict[str, Any]:
    evidence = result.evidence
    witnesses = [_witness(witness) for witness in evidence.witnesses]
    return {
        "id": result.id,
        "spec": {"file": result.spec_file, "line": result.line, "column": result.column},
        "model": {"name": result.model_name, "path": result.model_path, "sha256": result.model_sha256},
        "check": result.check,
        "verdict": evidence.verdict.value,
        "outcome": result.outcome,
        "on_unknown": result.on_unknown,
        "assurance": evidence.assurance,
        "semantics": evidence.semantics,
        "theorem": _theorem(evidence.theorem),
        "counts": _counts(evidence.counts),
        "accuracy": evidence.accuracy,
        "samples": evidence.samples,
        "claim": evidence.claim,
        "found": evidence.found,
        "runtime": evidence.runtime,
        "bounds": None if evidence.bounds is None else {k: list(v) for k, v in evidence.bounds.items()},
        "radii": [{"index": found.index, "radius": str(found.radius)} for found in evidence.radii],
        "witness": witnesses[0] if witnesses else None,
        "further_witnesses": witnesses[1:],
        "witness_file": result.witness_file,
        "reproduce": result.reproduce,
        "next_steps": evidence.next_steps,
        "problem": _problem(evidence.problem),
        "details": list(evidence.details),
        "lean": _strings(evidence.lean),
        "seconds": _seconds(evidence),
        "trust": list(evidence.trust),
    }


def _theorem(theorem: Theorem | None) -> dict[str, Any] | None:
    return None if theorem is None else {"name": theorem.name, "axioms": list(theorem.axioms)}


def _counts(counts: Counts | None) -> dict[str, int] | None:
    if counts is None:
        return None
    return {
        "proved": counts.proved,
        "refuted": counts.refuted,
        "unknown": counts.unknown,
        "misclassified": counts.misclassified,
        "total": counts.total,
    }


def _problem(problem: Problem | None) -> dict[str, str] | None:
    return None if problem is None else {"code": problem.code, "message": problem.message, "fix": problem.fix}


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "index": witness.index,
        "shape": list(witness.shape),
        "input": list(witness.input),
        "reference": None if witness.reference is None else list(witness.reference),
        "runtime_output": list(witness.runtime_output),
        "evaluator_output": list(witness.evaluator_output),
        "violation": witness.violation,
    }


def _strings(values: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if values is None else dict(values)


def _seconds(evidence: Evidence) -> dict[str, float]:
    """Timings in whole microseconds; a clock that gave no number is left out."""
    return {key: round(float(value), 6) for key, value in evidence.seconds.items() if math.isfinite(value)}
