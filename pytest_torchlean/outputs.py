"""Writes what a run leaves behind: the record and its renderings. Shared by the command line and pytest."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_torchlean.errors import ExtensionError, RecordError
from pytest_torchlean.extensions.registry import NONE, Extensions
from pytest_torchlean.files import reason, write_atomically
from pytest_torchlean.results import Environment, PropertyResult


def environment_of(results: Sequence[PropertyResult], extensions: Extensions = NONE) -> Environment:
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
    return Environment(
        __version__,
        onnxruntime=runtime,
        lean=lean,
        others={"python": python, **found},
        extensions=extensions.origins,
    )


def write_reports(
    results: Sequence[PropertyResult],
    files: Mapping[str, str | Path | None],
    environment: Environment | None = None,
    *,
    extensions: Extensions = NONE,
) -> None:
    """Write every report that has a file, by the names of `report/formats.py` or of extensions' forms.

    `-` is standard output. All are tried. Raises ExtensionError TL100x where an extension's form fails or is
    not known, RecordError TL0802 where a file could not be written, TL0901 where a report could
    not be rendered; no verdict changes.
    """
    wanted = {name: file for name, file in files.items() if file is not None}
    if not wanted:
        return
    from pytest_torchlean.report.extension_form import extension_form
    from pytest_torchlean.report.formats import FORMATS

    environment = environment_of(results, extensions) if environment is None else environment
    problems: list[tuple[str, str]] = []
    own = {form.name: form for form in FORMATS}
    for name in (*(name for name in own if name in wanted), *(name for name in wanted if name not in own)):
        file = str(wanted[name])
        try:
            form = own[name] if name in own else extension_form(name, extensions)
            text = form.render(results, environment)
        except ExtensionError as error:
            problems.append((error.code, error.message))
            continue
        except Exception as error:
            problems.append(
                ("TL0901", f"{own[name].content} could not be rendered: {type(error).__name__}: {error}")
            )
            continue
        try:
            _write(file, text)
        except OSError as error:
            problems.append(("TL0802", f"{form.content} could not be written to {file}: {reason(error)}"))
    if problems:
        code = "TL0901" if any(code == "TL0901" for code, _ in problems) else "TL0802"
        extension = [code for code, _ in problems if code.startswith("TL10")]
        if extension and code != "TL0901":
            raise ExtensionError(extension[0], "\n".join(message for _, message in problems))
        raise RecordError(code, "\n".join(message for _, message in problems))


def further_reports(given: Sequence[str]) -> dict[str, str]:
    """The files of `NAME=FILE` options by the name of the form. Raises RecordError TL0802."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, file = text.partition("=")
        if not equals or not name or not file:
            raise RecordError("TL0802", f"{text!r} is not NAME=FILE", fix="write e.g. acme-chat=chat.txt")
        if name in found:
            raise RecordError("TL0802", f"the form {name!r} has two files", fix="give each form one file")
        found[name] = file
    return found


def _write(file: str, text: str) -> None:
    if file == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_atomically(Path(file), text.encode("utf-8", "backslashreplace"))
