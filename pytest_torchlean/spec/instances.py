"""`instances.csv` of the verification competition VNN-COMP: a model, a property and seconds on each line."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pytest_torchlean.errors import Finding, SourceSpan, SpecError, SpecErrors
from pytest_torchlean.files import FileTooLarge, read_regular_file, reason
from pytest_torchlean.spec import exact
from pytest_torchlean.spec.kinds import MAX_PROPERTIES
from pytest_torchlean.spec.paths import resolve_inside, shown
from pytest_torchlean.spec.tree import shorten

MAX_BYTES = 1 << 22
_MOST_SECONDS = 86400


@dataclass(frozen=True)
class Instance:
    """One line: absolute paths inside the root, seconds, and names that are unique within the list."""

    line: int
    model: Path
    file: Path
    timeout: Fraction
    model_name: str
    name: str


@dataclass(frozen=True)
class Instances:
    """A whole list. `file` is its path relative to the root."""

    file: str
    listed: tuple[Instance, ...]


def load_instances(path: Path, root: Path) -> Instances:
    """Read a list. Paths in it are relative to its own folder and stay inside `root`.

    Raises SpecErrors TL0330, a SpecError that lists every wrong line.
    """
    file = shown(path, root)
    text = _text(path, file)
    found: list[Instance] = []
    findings: list[Finding] = []
    used: dict[tuple[str, str], int] = {}
    rows = _rows(text, file)
    for number, fields in rows:
        span = SourceSpan(file, number, 1, max(1, len(",".join(fields))))
        try:
            model, prop, timeout = _fields(fields, path.parent, root)
        except SpecError as error:
            located = SpecError("TL0330", error.message, fix=error.fix, span=span)
            findings.append(Finding(located, ",".join(fields)))
            continue
        names = (_name(model), _name(prop))
        used[names] = used.get(names, 0) + 1
        again = f"-{used[names]}" if used[names] > 1 else ""
        found.append(Instance(number, model, prop, timeout, names[0], names[1] + again))
    if findings:
        raise SpecErrors(tuple(findings))
    if not found:
        raise SpecErrors(
            (Finding(SpecError("TL0330", f"{file} lists no instance", span=SourceSpan(file, 1, 1))),)
        )
    return Instances(file, tuple(found))


def _text(path: Path, file: str) -> str:
    try:
        return read_regular_file(path, MAX_BYTES).decode("utf-8-sig")
    except FileTooLarge as error:
        raise SpecError("TL0330", f"{file} cannot be read: {error}", fix="split the list") from None
    except OSError as error:
        raise SpecError("TL0330", f"{file} cannot be read: {reason(error)}", fix="check the path") from None
    except UnicodeDecodeError:
        raise SpecError("TL0330", f"{file} is not UTF-8 text", fix="save the file as UTF-8") from None


def _rows(text: str, file: str) -> list[tuple[int, list[str]]]:
    """The lines that hold anything, with their numbers."""
    reader = csv.reader(text.splitlines(), strict=True)
    rows = []
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                rows.append((reader.line_num, [field.strip() for field in fields]))
    except csv.Error as error:
        span = SourceSpan(file, reader.line_num, 1)
        raise SpecError("TL0330", f"not a list of values: {error}", span=span) from None
    if len(rows) > MAX_PROPERTIES:
        raise SpecError("TL0330", f"{file} lists more than {MAX_PROPERTIES} instances", fix="split the list")
    return rows


def _fields(fields: list[str], folder: Path, root: Path) -> tuple[Path, Path, Fraction]:
    """The three values of a line. Raises SpecError."""
    if len(fields) != 3:
        raise SpecError("TL0330", f"a line holds a model, a property and seconds, not {len(fields)} values")
    try:
        timeout = exact.number(fields[2])
    except ValueError as error:
        message = f"`{shorten(fields[2])}` is no number of seconds: {error}"
        raise SpecError(
            "TL0330", message, fix="write the seconds as a number, and no line of titles"
        ) from None
    if not 0 < timeout <= _MOST_SECONDS:
        raise SpecError("TL0330", f"{shorten(fields[2])} seconds are not between 0 and {_MOST_SECONDS}")
    model, prop = (resolve_inside(text, base=folder, root=root) for text in fields[:2])
    packed = prop.with_name(prop.name + ".gz")
    if not prop.is_file() and packed.is_file():
        prop = packed
    for place, text in ((model, fields[0]), (prop, fields[1])):
        if not place.is_file():
            fix = "paths are relative to the list's own folder; unpack models that are stored as .gz"
            raise SpecError("TL0330", f"there is no file `{shorten(text)}`", fix=fix)
    return model, prop, timeout


def _name(path: Path) -> str:
    """The file's name as part of an item id."""
    stem = re.sub(r"\.(onnx|vnnlib)(\.gz)?$", "", path.name)
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:90] or "unnamed"
