"""Errors as a person reads them: place, code, message, the source line with a caret, the fix."""

from __future__ import annotations

import unicodedata

from pytest_torchlean.errors import Finding, SourceSpan, SpecErrors, TorchleanError
from pytest_torchlean.report.escape import terminal, terminal_line

MAX_SHOWN = 50
_WINDOW = 100


def error_text(error: TorchleanError) -> str:
    """One error, or all errors of a spec, as text of several lines without a final newline."""
    if not isinstance(error, SpecErrors):
        return _render(error, None, None, None)
    shown = [finding_text(finding) for finding in error.findings[:MAX_SHOWN]]
    if len(error.findings) > MAX_SHOWN:
        shown.append(f"... and {len(error.findings) - MAX_SHOWN} further errors")
    if len(error.findings) > 1:
        shown.append(f"{len(error.findings)} errors")
    return "\n\n".join(shown)


def finding_text(finding: Finding) -> str:
    """One error of a spec with its excerpt, and the excerpt of the other place it speaks of."""
    return _render(finding.error, finding.line, finding.related, finding.related_line)


def _render(
    error: TorchleanError, line: str | None, related: SourceSpan | None, related_line: str | None
) -> str:
    place = f"{terminal_line(str(error.span))}: " if error.span is not None else ""
    parts = [f"{place}{error.code}: {terminal(error.message)}"]
    if error.span is not None and line is not None:
        parts += _excerpt(error.span, line)
    if related is not None:
        parts.append(f"  first given at {terminal_line(str(related))}")
        if related_line is not None:
            parts += _excerpt(related, related_line)
    parts.append(f"  fix: {terminal(error.fix)}")
    return "\n".join(parts)


def _excerpt(span: SourceSpan, line: str) -> list[str]:
    """The line, cut to a window around the place, and a row of carets below it."""
    start = span.column - 1
    left = max(0, start - _WINDOW // 2) if len(line) > _WINDOW else 0
    window = line[left : left + _WINDOW]
    before, marked = window[: start - left], window[start - left : start - left + span.length]
    lead, tail = ("..." if left else ""), ("..." if left + _WINDOW < len(line) else "")
    gutter = f"{span.line:>5} | "
    blank = " " * 5 + " | "
    carets = "^" * max(1, _width(_plain(marked)))
    return [
        f"{gutter}{lead}{_plain(window)}{tail}".rstrip(),
        f"{blank}{' ' * (len(lead) + _width(_plain(before)))}{carets}",
    ]


def _plain(text: str) -> str:
    return terminal_line(text.replace("\t", " "))


def _width(text: str) -> int:
    """Columns that the text fills on a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    combining = sum(unicodedata.combining(character) != 0 for character in text)
    return len(text) + wide - combining
