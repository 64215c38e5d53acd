"""Writes what a run leaves behind: the record and its renderings. Shared by the command line and pytest."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_torchlean.errors import RecordError
from pytest_torchlean.files import reason, write_atomically
from pytest_torchlean.results import Environment, PropertyResult


def environment_of(results: Sequence[PropertyResult]) -> Environment:
    """The tools behind these results. Lean is the one that answered, None where none was asked."""
    from importlib.metadata import PackageNotFoundError, version

    from pytest_torchlean import __version__

    found = {}
    for package in ("onnxruntime", "onnx", "numpy", "pytest"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    runtime = found.pop("onnxruntime", None)
    lean = next((result.evidence.lean for result in results if result.evidence.lean), None)
    python = ".".join(str(part) for part in sys.version_info[:3])
    return Environment(__version__, onnxruntime=runtime, lean=lean, others={"python": python, **found})


def write_reports(
    results: Sequence[PropertyResult],
    files: Mapping[str, str | Path | None],
    environment: Environment | None = None,
) -> None:
    """Write every report that has a file, by the names of `report/formats.py`; `-` is standard output.

    All are tried. Raises RecordError TL0802 where a file could not be written, TL0901 where a report could
    not be rendered; no verdict changes.
    """
    wanted = {name: file for name, file in files.items() if file is not None}
    if not wanted:
        return
    from pytest_torchlean.report.formats import FORMATS

    environment = environment_of(results) if environment is None else environment
    problems: list[tuple[str, str]] = []
    for form in FORMATS:
        if form.name not in wanted:
            continue
        file = str(wanted[form.name])
        try:
            text = form.render(results, environment)
        except Exception as error:
            problems.append(
                ("TL0901", f"{form.content} could not be rendered: {type(error).__name__}: {error}")
            )
            continue
        try:
            _write(file, text)
        except OSError as error:
            problems.append(("TL0802", f"{form.content} could not be written to {file}: {reason(error)}"))
    if problems:
        code = "TL0901" if any(code == "TL0901" for code, _ in problems) else "TL0802"
        raise RecordError(code, "\n".join(message for _, message in problems))


def _write(file: str, text: str) -> None:
    if file == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_atomically(Path(file), text.encode("utf-8", "backslashreplace"))
