"""Writes what a run leaves behind: the record and JUnit XML. Shared by the command line and pytest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_torchlean.files import write_atomically
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
    results: Sequence[PropertyResult], *, json_file: str | Path | None, junit_file: str | Path | None
) -> None:
    """Write the record and JUnit XML where a path is given. OSError where a file cannot be written."""
    environment = environment_of(results)
    if json_file is not None:
        from pytest_torchlean.report.record import dumps, record

        write_atomically(Path(json_file), dumps(record(results, environment)).encode())
    if junit_file is not None:
        from pytest_torchlean.report.junit import render_junit

        write_atomically(Path(junit_file), render_junit(results, environment).encode())
