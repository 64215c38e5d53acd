"""JUnit XML through the junit-xml library; nothing else in the package imports it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_torchlean.changes import Change
from pytest_torchlean.report.escape import xml
from pytest_torchlean.report.ratchet import change_text, other_line
from pytest_torchlean.report.text import failure
from pytest_torchlean.results import Environment, PropertyResult
from pytest_torchlean.verdict import Verdict

_RATCHET = "torchlean ratchet"


def render_junit(results: Sequence[PropertyResult], environment: Environment) -> str:
    """A JUnit XML document: one suite per model of a spec, one case per property.

    ERROR becomes an `error`, every other result that fails the gate a `failure`. What passes carries
    its ledger in `system-out`. Control characters and characters illegal in XML become visible escapes.
    """
    from junit_xml import TestCase, TestSuite, to_xml_report_string

    models: dict[tuple[str, str], list[PropertyResult]] = {}
    for result in results:
        models.setdefault((result.spec_file, result.model_name), []).append(result)
    suites = [
        TestSuite(
            xml(f"{file}::{model}" if model else file),
            [_case(result) for result in own],
            file=xml(file),
            properties=_properties(environment, own),
        )
        for (file, model), own in models.items()
    ]
    if environment.ratchet is not None:
        cases = [_change_case(change) for change in environment.ratchet.changes]
        kept = TestCase("kept", classname=_RATCHET)
        suites.append(TestSuite(_RATCHET, cases or [kept], properties=_tools(environment)))
    text: str = to_xml_report_string(suites, prettyprint=False, encoding="utf-8")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + text + "\n"


def _case(result: PropertyResult) -> object:
    from junit_xml import TestCase

    evidence = result.evidence
    ledger = "\n".join([failure(result), *(f"  trusted:    {line}" for line in evidence.trust)])
    place, _, name = result.id.rpartition("::")
    case = TestCase(
        xml(name),
        classname=xml(place or result.spec_file),
        file=xml(result.spec_file),
        line=result.line,
        elapsed_sec=round(sum(evidence.seconds.values()), 3) or None,
        stdout=xml(ledger) if result.outcome != "failed" else None,
    )
    message = xml(f"{evidence.verdict.value}: {evidence.found}")
    if evidence.verdict is Verdict.ERROR:
        code = evidence.problem.code if evidence.problem is not None else "ERROR"
        case.add_error_info(message, xml(ledger), error_type=xml(code))
    elif result.outcome == "failed":
        case.add_failure_info(message, xml(ledger), failure_type=evidence.verdict.value)
    return case


def _change_case(change: Change) -> object:
    from junit_xml import TestCase

    text = change_text(change) if change.fails else other_line(change).strip()
    case = TestCase(
        xml(f"{change.key} of {change.id}"),
        classname=_RATCHET,
        file=xml(change.file),
        line=change.line,
        stdout=None if change.fails else xml(text),
    )
    if change.fails:
        case.add_failure_info(xml(change.message), xml(text), failure_type=xml(change.code))
    return case


def _properties(environment: Environment, results: Sequence[PropertyResult]) -> dict[str, str]:
    path = results[0].model_path
    digest = next((result.model_sha256 for result in results if result.model_sha256), None)
    values = {"model.path": path} if path else {}
    values |= {"model.sha256": digest} if digest else {}
    return _tools(environment) | {xml(key): xml(value) for key, value in values.items()}


def _tools(environment: Environment) -> dict[str, str]:
    values = {"torchlean": environment.version, "onnxruntime": environment.onnxruntime or "not used"}
    lean = environment.lean or {"version": "not used"}
    values |= {f"lean.{key}": value for key, value in lean.items()}
    values |= dict(sorted(environment.others.items()))
    return {xml(key): xml(value) for key, value in values.items()}
