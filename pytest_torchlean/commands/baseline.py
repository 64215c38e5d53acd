"""`torchlean baseline write|check`: what may not get worse, written and compared."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_torchlean.changes import Change
from pytest_torchlean.cli import FAILED, PASSED
from pytest_torchlean.commands import check
from pytest_torchlean.errors import SpecError
from pytest_torchlean.files import write_atomically
from pytest_torchlean.ratchet.compare import compare
from pytest_torchlean.ratchet.files import MOST_BYTES, baseline_text, read_baseline
from pytest_torchlean.ratchet.model import BASELINE_NAME, Baseline
from pytest_torchlean.ratchet.run import Placed, baseline_of, count_of, entries_of, read_if_there, spec_folder
from pytest_torchlean.report.escape import terminal_line
from pytest_torchlean.report.ratchet import change_line
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec.paths import shown


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if options.action == "write":
        return check.run(options, finish=lambda placed, results: _write(placed, results, options.baseline))
    return check.run(options, needs_baseline=True)


def _write(placed: Sequence[Placed], results: Sequence[PropertyResult], chosen: Path | None) -> int:
    """Write one baseline beside each spec, or the chosen one for all. Raises SpecError TL1111, TL0301."""
    failed = [result.id for result in results if result.outcome == "failed"]
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise SpecError("TL1111", f"{terminal_line(failed[0])}{more} must pass before a baseline is written")
    groups: dict[Path, list[Placed]] = {}
    for spec, root in placed:
        groups.setdefault(chosen or spec_folder(spec, root) / BASELINE_NAME, []).append((spec, root))
    for path, own in groups.items():
        name = shown(path, own[0][1])
        old = _old(path, name)
        new = baseline_of(own, results, name)
        write_atomically(path, baseline_text(new).encode())
        changes = [one.change for one in compare(entries_of(old), entries_of(new), "the old baseline")]
        print(f"wrote {terminal_line(os.path.relpath(path))}: {count_of(new)}{_summary(changes)}")
        for change in changes:
            if change.kind not in ("added",):
                print(f"  {change_line(change)}")
    return PASSED if groups else FAILED


def _old(path: Path, name: str) -> Baseline:
    data = read_if_there(path, name)
    return Baseline(name) if data is None else read_baseline(data[: MOST_BYTES + 1], name)


def _summary(changes: Iterable[Change]) -> str:
    tally: dict[str, int] = {}
    for change in changes:
        tally[change.kind] = tally.get(change.kind, 0) + 1
    return "".join(f", {count} {kind}" for kind, count in tally.items())
