"""Markdown for a step summary: the gate's answer, a table of verdicts, and what failed in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pytest_torchlean.changes import Change, Comparison
from pytest_torchlean.report.escape import html, markdown
from pytest_torchlean.report.ratchet import comparison_line
from pytest_torchlean.report.text import counts_text, failure, summary_line, tools_text
from pytest_torchlean.results import Environment, PropertyResult, gate_passes
from pytest_torchlean.verdict import Verdict

T = TypeVar("T")

MOST_BYTES = 1024 * 1024
"""GitHub refuses a larger summary of a step."""
_FOR_TABLE = 500 * 1024
_FOR_RATCHET = 100 * 1024
_RESERVE = 2048
"""For the lines that count what is left out."""
_MOST_CHARACTERS = 300
_SIGNS = {"passed": "\u2705", "warned": "\u26a0\ufe0f", "failed": "\u274c"}
_RANKS = ("failed", "warned", "passed")


def render_markdown(results: Sequence[PropertyResult], environment: Environment) -> str:
    """At most MOST_BYTES of UTF-8, what failed first; what is left out is counted."""
    ordered = sorted(results, key=lambda result: _RANKS.index(result.outcome))
    ratchet = environment.ratchet
    sign = _SIGNS["passed" if gate_passes(results, ratchet) else "failed"]
    text = f"## {sign} torchlean\n\n{markdown(summary_line(results, ratchet))}\n"
    if ratchet is not None:
        text += _ratchet(ratchet)
    if ordered:
        head = "\n| | verdict | property | assurance | found |\n| --- | --- | --- | --- | --- |\n"
        text += head + _fitting(ordered, _row, _FOR_TABLE, "| | | | | and {} more properties |\n")
    failed = [result for result in ordered if result.outcome != "passed"]
    if failed:
        text += "\n### What does not pass\n\n"
        left = MOST_BYTES - _RESERVE - len(text.encode())
        text += _fitting(failed, _section, left, "\nand {} more in the record\n")
    return text + f"\n{markdown(tools_text(environment))}\n"


def _ratchet(ratchet: Comparison) -> str:
    """What was compared, and every change, the failing ones first."""
    text = f"\n### Ratchet\n\n{markdown(_cut(comparison_line(ratchet)))}\n"
    if ratchet.changes:
        text += "\n| | change | property | what |\n| --- | --- | --- | --- |\n"
        text += _fitting(ratchet.changes, _change_row, _FOR_RATCHET, "| | | | and {} more changes |\n")
    return text


def _change_row(change: Change) -> str:
    sign = _SIGNS["failed" if change.fails else "warned" if change.waived_by else "passed"]
    waived = f" (waived by {change.waived_by})" if change.waived_by else ""
    place = f"{change.code} at {change.file}:{change.line}: " if change.fails else ""
    cells = [change.kind, change.id, f"{place}{change.message}{waived}"]
    return "| " + " | ".join([sign, *map(markdown, map(_cut, cells))]) + " |\n"


def _fitting(results: Sequence[T], render: Callable[[T], str], most: int, more: str) -> str:
    """As many as fit into `most` bytes, and how many do not."""
    parts: list[str] = []
    size = 0
    for number, result in enumerate(results):
        part = render(result)
        size += len(part.encode())
        if size > most:
            return "".join(parts) + more.format(len(results) - number)
        parts.append(part)
    return "".join(parts)


def _row(result: PropertyResult) -> str:
    evidence = result.evidence
    found = counts_text(evidence.counts) if evidence.counts else evidence.found.partition("\n")[0]
    assurance = evidence.assurance if evidence.verdict is Verdict.PROVED else None
    cells = [
        _SIGNS[result.outcome],
        evidence.verdict.value,
        markdown(_cut(result.id)),
        markdown(assurance or "-"),
    ]
    return "| " + " | ".join([*cells, markdown(_cut(found))]) + " |\n"


def _section(result: PropertyResult) -> str:
    """Collapsed, and preformatted: no Markdown is read inside."""
    title = html(f"{result.evidence.verdict.value}  {_cut(result.id)}")
    return f"<details><summary>{title}</summary>\n\n<pre>\n{html(failure(result))}\n</pre>\n\n</details>\n"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + " ..."
