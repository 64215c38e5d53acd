"""in-toto statements about each model: its test result, and what was proved of it. Unsigned.

The text is one statement a line. Signing them is the work of the platform that holds a key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pytest_torchlean.report.fields import write_fields
from pytest_torchlean.report.ratchet import failing_of
from pytest_torchlean.report.table import RESULT, SCHEMA, TOOL
from pytest_torchlean.results import Environment, PropertyResult

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
CERTIFICATE = "urn:x-pytest-torchlean:certificate:v1"
_LISTS = {"passed": "passedTests", "warned": "warnedTests", "failed": "failedTests"}
_CERTIFIED = (
    "id", "spec", "check", "verdict", "outcome", "assurance", "semantics", "theorem", "counts", "accuracy",
    "claim", "found", "runtime", "bounds", "radii", "extensions", "lean", "trust", "other_model",
)  # fmt: skip

Json = dict[str, Any]


def render_intoto(results: Sequence[PropertyResult], environment: Environment) -> str:
    """For every model whose bytes were read a test-result statement and a certificate statement.

    A property that never ran counts as failed for the model it names. A model without a digest has no
    subject and no statement: it cannot be attested.
    """
    lines = []
    for digest, own in _by_digest(results).items():
        lines += [_statement(digest, own, TEST_RESULT, _test_result(own, environment))]
        lines += [_statement(digest, own, CERTIFICATE, _certificate(own, environment))]
    return "".join(json.dumps(line, ensure_ascii=True, allow_nan=False) + "\n" for line in lines)


def _by_digest(results: Sequence[PropertyResult]) -> Mapping[str, list[PropertyResult]]:
    """The results by the bytes that they are about; without a digest, with every digest of their path."""
    digests: dict[str, list[str]] = {}
    for result in results:
        known = digests.setdefault(result.model_path, [])
        if result.model_sha256 is not None and result.model_sha256 not in known:
            known.append(result.model_sha256)
    found: dict[str, list[PropertyResult]] = {}
    for result in results:
        own = digests[result.model_path] if result.model_sha256 is None else [result.model_sha256]
        for digest in own:
            found.setdefault(digest, []).append(result)
    return found


def _statement(digest: str, results: Sequence[PropertyResult], kind: str, predicate: Json) -> Json:
    paths = list(dict.fromkeys(result.model_path for result in results))
    return {
        "_type": STATEMENT,
        "subject": [{"name": path, "digest": {"sha256": digest}} for path in paths],
        "predicateType": kind,
        "predicate": predicate,
    }


def _test_result(results: Sequence[PropertyResult], environment: Environment) -> Json:
    tests: dict[str, list[str]] = {name: [] for name in _LISTS.values()}
    for result in results:
        tests[_LISTS[result.outcome]].append(result.id)
    for change in failing_of(environment.ratchet):
        test = f"ratchet::{change.key}::{change.id}"
        if test not in tests["failedTests"]:
            tests["failedTests"].append(test)
    answer = "FAILED" if tests["failedTests"] else "WARNED" if tests["warnedTests"] else "PASSED"
    specs = dict.fromkeys((result.spec_file, result.spec_sha256) for result in results)
    return {"result": answer, "configuration": [_spec(*spec) for spec in specs], **tests}


def _spec(file: str, digest: str | None) -> Json:
    uri = quote(file.encode("utf-8", "backslashreplace"), safe="/-._~")
    return {"name": file, "uri": uri} | ({} if digest is None else {"digest": {"sha256": digest}})


def _certificate(results: Sequence[PropertyResult], environment: Environment) -> Json:
    """What the record says of each property, as far as it speaks of proofs."""
    fields = tuple(field for field in RESULT if field.key in _CERTIFIED)
    return {
        "record": SCHEMA,
        "tool": TOOL.write(environment),
        "properties": [write_fields(fields, result) for result in results],
    }
