"""The ratchet's part of each report."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_torchlean.changes import Change, Comparison
from pytest_torchlean.report.escape import terminal, terminal_line

MOST_SHOWN = 50
"""Changes that are not failures and are shown one by one."""


def change_line(change: Change) -> str:
    """A change on one line, for a person."""
    return terminal_line(f"{change.kind:<9} {change.id}: {change.message}")


def comparison_line(comparison: Comparison) -> str:
    """What was compared and how it ended, on one line."""
    tally: dict[str, int] = {}
    for change in comparison.changes:
        word: str = "wrong waiver" if change.kind == "waiver" else change.kind
        word = word if change.waived_by is None else f"{word} but waived"
        tally[word] = tally.get(word, 0) + 1
    found = ", ".join(f"{count} {word}" for word, count in tally.items()) or "no difference"
    answer = "kept" if comparison.passes else "FAILED"
    return terminal_line(f"ratchet {answer}: {found}; compared with {'; '.join(comparison.against)}")


def comparison_text(comparison: Comparison) -> str:
    """Every failure with its place and its fix, then what else changed. No final newline."""
    parts = [change_text(change) for change in comparison.failing]
    others = [change for change in comparison.changes if not change.fails]
    lines = [other_line(change) for change in others[:MOST_SHOWN]]
    if len(others) > MOST_SHOWN:
        lines.append(f"... and {len(others) - MOST_SHOWN} further changes in the record")
    if any(change.kind in ("stronger", "better", "added") and change.key != "waiver" for change in others):
        lines.append("  `torchlean baseline write` keeps what is stronger, better or new")
    parts += ["\n".join(lines)] if lines else []
    return "\n\n".join([*parts, comparison_line(comparison)])


def change_text(change: Change) -> str:
    """One failure: place, code, what changed, and the fix."""
    place = terminal_line(f"{change.file}:{change.line}:{change.column}")
    return (
        f"{place}: {change.code}: {terminal_line(change.id)}: {terminal(change.message)}\n"
        f"  fix: {terminal(change.fix)}"
    )


def other_line(change: Change) -> str:
    """A change that does not fail the gate, with its waiver."""
    waived = "" if change.waived_by is None else f" (waived by {change.waived_by})"
    return "  " + terminal_line(f"{change.kind:<9} {change.id}: {change.message}{waived}")


def failing_of(comparison: Comparison | None) -> Sequence[Change]:
    """The changes for which the gate fails; none without a comparison."""
    return () if comparison is None else comparison.failing
