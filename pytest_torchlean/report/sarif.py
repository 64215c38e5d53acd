"""SARIF 2.1.0 for code scanning: an alert on the line of every property that does not pass.

Code scanning shows every result as an alert and ignores SARIF's `kind`, so properties that pass are not
among the results; the verdict of every property is in the run's property bag.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pytest_torchlean.changes import Change
from pytest_torchlean.report.escape import sarif as safe
from pytest_torchlean.report.ratchet import failing_of
from pytest_torchlean.report.text import summary_line
from pytest_torchlean.results import Environment, OtherModelResult, PropertyResult
from pytest_torchlean.spec.kinds import KINDS
from pytest_torchlean.verdict import Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"failed": "error", "warned": "warning"}
_RATCHET = "ratchet"
_OTHER_KINDS = {
    _RATCHET: "No property is removed, weakened or changed, and no result is worse than the baseline.",
    "spec": "The specification of properties can be read.",
    "certify": "The certify mark of a test can be read.",
}
_ANSWERS = (
    "Only a property whose certificate Lean accepted is PROVED. REFUTED comes with an input that breaks the "
    "property, UNKNOWN with the best bound; `torchlean replay` and `torchlean explain` show more."
)

Json = dict[str, Any]


def render_sarif(results: Sequence[PropertyResult], environment: Environment) -> str:
    """A SARIF log with one run. Fingerprints depend on ids, not on lines: alerts survive edits above them."""
    changes = failing_of(environment.ratchet)
    kinds = sorted({result.check for result in results} | ({_RATCHET} if changes else set()))
    alerts: list[Json] = []
    for result in results:
        if result.outcome in _LEVELS:
            alerts += _alerts(result, kinds)
    alerts += [_of_change(change, kinds) for change in changes]
    _number_equal_hashes(alerts)
    driver = {
        "name": "pytest-torchlean",
        "version": safe(environment.version),
        "rules": list(map(_rule, kinds)),
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": all(result.evidence.verdict is not Verdict.ERROR for result in results)}
        ],
        "results": alerts,
        "properties": {
            "summary": safe(summary_line(results, environment.ratchet)),
            "verdicts": [
                {"id": safe(one.id), "verdict": one.evidence.verdict.value, "outcome": one.outcome}
                for one in results
            ],
        },
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _rule(kind: str) -> Json:
    known = KINDS.get(kind)
    meaning = known.doc if known is not None else _OTHER_KINDS.get(kind, f"A property of kind {kind}.")
    return {
        "id": _rule_id(kind),
        "name": safe(kind),
        "shortDescription": {"text": safe(meaning)},
        "fullDescription": {"text": safe(meaning)},
        "help": {"text": _ANSWERS},
        "defaultConfiguration": {"level": "error"},
    }


def _rule_id(kind: str) -> str:
    return f"torchlean/{safe(kind)}"


def _alerts(result: PropertyResult, kinds: Sequence[str]) -> list[Json]:
    """One for the result, or one for each error of a spec that cannot be read."""
    evidence = result.evidence
    common = {
        "ruleId": _rule_id(result.check),
        "ruleIndex": kinds.index(result.check),
        "level": _LEVELS[result.outcome],
        "kind": "fail",
    }
    if evidence.mistakes:
        return [
            common
            | {
                "message": {"text": safe(f"{mistake.code}: {mistake.message}\nFix: {mistake.fix}")},
                "locations": [_location(result.spec_file, mistake.line, mistake.column)],
                "partialFingerprints": _fingerprints(result.id, mistake.code, mistake.message),
                "properties": {"id": safe(result.id), "verdict": evidence.verdict.value},
            }
            for mistake in evidence.mistakes
        ]
    lines = [f"{evidence.verdict.value}: {evidence.found}", f"Claimed: {evidence.claim}"]
    if evidence.problem is not None:
        lines.append(f"{evidence.problem.code}: {evidence.problem.message}\nFix: {evidence.problem.fix}")
    elif evidence.next_steps:
        lines.append(f"Next: {evidence.next_steps}")
    lines.append(f"Reproduce: {result.reproduce}")
    alert = common | {
        "message": {"text": safe("\n".join(lines))},
        "locations": [_location(result.spec_file, result.line, result.column)],
        "partialFingerprints": _fingerprints(result.id, result.check),
        "properties": {
            "id": safe(result.id),
            "verdict": evidence.verdict.value,
            "model": safe(result.model_path),
            "modelSha256": result.model_sha256,
            **_other_model(result.other_model),
        },
    }
    return [alert]


def _of_change(change: Change, kinds: Sequence[str]) -> Json:
    text = f"{change.code}: {change.id}: {change.message}\nFix: {change.fix}"
    return {
        "ruleId": _rule_id(_RATCHET),
        "ruleIndex": kinds.index(_RATCHET),
        "level": "error",
        "message": {"text": safe(text)},
        "locations": [_location(change.file, change.line, change.column)],
        "partialFingerprints": _fingerprints(change.id, change.kind, change.key),
        "properties": {"id": safe(change.id), "change": change.kind, "key": safe(change.key)},
    }


def _other_model(other: OtherModelResult | None) -> Json:
    return {} if other is None else {"otherModel": safe(other.path), "otherModelSha256": other.sha256}


def _location(file: str, line: int, column: int) -> Json:
    region = {"startLine": max(1, line), "startColumn": max(1, column)}
    uri = quote(file.encode("utf-8", "backslashreplace"), safe="/-._~")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _fingerprints(*parts: str) -> dict[str, str]:
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return {"primaryLocationLineHash": digest[:16], "torchleanProperty/v1": digest}


def _number_equal_hashes(alerts: Sequence[Json]) -> None:
    """Append `:1`, `:2`, ... as GitHub does, so that equal errors of a spec stay apart."""
    seen: Counter[str] = Counter()
    for alert in alerts:
        fingerprints = alert["partialFingerprints"]
        digest = fingerprints["primaryLocationLineHash"]
        seen[digest] += 1
        fingerprints["primaryLocationLineHash"] = f"{digest}:{seen[digest]}"
