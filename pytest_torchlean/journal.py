"""What a run has found so far, beside the record that it is going to write: nothing reported is lost.

`--json FILE` first puts a record in FILE that says the run did not end, so that no older record can be taken
for this run's. Every result is then appended to FILE.partial before anyone is told of it. When the run ends,
FILE gets the whole record and FILE.partial goes. A run that was killed leaves both; `torchlean report
FILE.partial` shows what was found, and that it is not all.

The journal's lines are a heading and compact records with one result each; a line that a kill cut is left
out.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from pytest_torchlean.error_codes import CODES
from pytest_torchlean.errors import RecordError
from pytest_torchlean.files import write_atomically
from pytest_torchlean.outputs import environment_of
from pytest_torchlean.report.read import MAX_BYTES, parse_record
from pytest_torchlean.report.record import record, render_json
from pytest_torchlean.results import Environment, PropertyResult
from pytest_torchlean.verdict import Evidence, Problem, Verdict

SUFFIX = ".partial"
_HEADING = b'{"schema":"torchlean.journal/1"}\n'


class Journal:
    """The journal of one run. Where it cannot be written, so can the record not, which is said at the end."""

    def __init__(self, json_file: Path, planned: Iterable[PropertyResult] = ()) -> None:
        """Begin. planned: a result that says `not run` for every property that is known already."""
        self._file = json_file.with_name(json_file.name + SUFFIX)
        results = [unfinished(), *planned]
        with contextlib.suppress(OSError):
            write_atomically(self._file, _HEADING + b"".join(map(_line, results)))
            write_atomically(json_file, render_json(results, environment_of([])).encode())

    def add(self, result: PropertyResult) -> None:
        """Append a result, in one write. To be called before anyone is told of it."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
            with os.fdopen(descriptor, "ab", buffering=0) as stream:
                stream.write(_line(result))

    def end(self) -> None:
        """The record is written: the journal has served."""
        with contextlib.suppress(OSError):
            self._file.unlink()


def unfinished() -> PropertyResult:
    """The result that stands for the rest of a run that did not end; no gate passes with it."""
    entry = CODES["TL0905"]
    return PropertyResult(
        id="the-run-itself",
        spec_file="",
        line=1,
        column=1,
        model_name="",
        model_path="",
        model_sha256=None,
        check="run",
        evidence=Evidence(
            verdict=Verdict.ERROR,
            claim="the run ended",
            found="the run did not end: it goes on, or it was killed",
            problem=Problem(entry.code, "the run did not end: it goes on, or it was killed", entry.fix),
        ),
    )


def is_journal(data: bytes) -> bool:
    """Whether a file begins as a journal does."""
    return data.startswith(_HEADING)


def read_journal(data: bytes) -> tuple[tuple[PropertyResult, ...], Environment]:
    """The last result of every property, in the order in which they were first named.

    Raises RecordError TL0801 where a whole line is no record.
    """
    if len(data) > MAX_BYTES or not is_journal(data):
        raise RecordError("TL0801", "this is not a journal of a run, or it is too long")
    found: dict[str, PropertyResult] = {}
    for line in data[len(_HEADING) :].split(b"\n")[:-1]:
        found |= {result.id: result for result in parse_record(line)[0]}
    results = tuple(found.values())
    return results, environment_of(results)


def _line(result: PropertyResult) -> bytes:
    text = json.dumps(record([result], Environment(version="")), separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"
