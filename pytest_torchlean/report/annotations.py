"""GitHub annotations: workflow commands that put what failed on its line in the diff of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_torchlean.changes import Change
from pytest_torchlean.report.escape import workflow_data, workflow_property
from pytest_torchlean.report.ratchet import failing_of
from pytest_torchlean.results import Environment, PropertyResult

MOST = 10
"""GitHub shows no more annotations of a step; the last one counts what is left out."""
_MOST_CHARACTERS = 2000


def render_annotations(results: Sequence[PropertyResult], environment: Environment) -> str:
    """At most ten workflow commands, one a line, errors before warnings; nothing where all passed."""
    ratchet = [_of_change(change) for change in failing_of(environment.ratchet)]
    commands = [
        *ratchet,
        *(command for outcome in ("failed", "warned") for command in _commands(results, outcome)),
    ]
    if len(commands) > MOST:
        left_out = len(commands) - (MOST - 1)
        more = f"and {left_out} more findings: see the table of verdicts"
        commands = [*commands[: MOST - 1], f"::error title=torchlean::{workflow_data(more)}"]
    return "".join(f"{command}\n" for command in commands)


def _commands(results: Sequence[PropertyResult], outcome: str) -> Iterator[str]:
    level = {"failed": "error", "warned": "warning"}[outcome]
    for result in results:
        if result.outcome != outcome:
            continue
        evidence = result.evidence
        for mistake in evidence.mistakes:
            text = f"{mistake.message}\nfix: {mistake.fix}"
            yield _command(level, result.spec_file, mistake.line, mistake.column, mistake.code, text)
        if not evidence.mistakes:
            title = f"{evidence.verdict.value} {result.id}"
            lines = [evidence.found, f"claimed: {evidence.claim}", f"reproduce: {result.reproduce}"]
            if evidence.problem is not None:
                lines.insert(1, f"{evidence.problem.code}: fix: {evidence.problem.fix}")
            yield _command(level, result.spec_file, result.line, result.column, title, "\n".join(lines))


def _of_change(change: Change) -> str:
    text = f"{change.message}\nfix: {change.fix}"
    title = f"{change.code} {change.id}"
    return _command("error", change.file, change.line, change.column, title, text)


def _command(level: str, file: str, line: int, column: int, title: str, text: str) -> str:
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]} ... and {len(text) - _MOST_CHARACTERS} more characters"
    place = f"file={workflow_property(file)},line={max(1, line)},col={max(1, column)}"
    return f"::{level} {place},title={workflow_property(title)}::{workflow_data(text)}"
