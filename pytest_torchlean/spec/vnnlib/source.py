"""Bytes of a VNN-LIB file -> nested expressions with places, bounded in size and depth."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pytest_torchlean.errors import Finding, SourceSpan, SpecError, SpecErrors
from pytest_torchlean.files import FileTooLarge, is_lfs_pointer, read_input, reason
from pytest_torchlean.spec.tree import shorten

MAX_BYTES = 1 << 26
MAX_WORDS = 1 << 22
MAX_DEPTH = 64

_TOKEN = re.compile(r"""[()]|[^\s();"|]+|;[^\n\r]*|\s+|"[^"]*"|\|[^|]*\|""")
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


class Word(NamedTuple):
    """A symbol or number as written. `at` counts characters of the text."""

    text: str
    at: int


class Group(NamedTuple):
    """A list in parentheses; `at` is the place of the opening one."""

    items: tuple[Expression, ...]
    at: int


Expression = Word | Group


@dataclass(frozen=True)
class Source:
    """The text of a file under the name it is shown by."""

    file: str
    text: str

    def error(
        self, code: str, message: str, at: int, *, length: int = 1, fix: str | None = None
    ) -> SpecErrors:
        """An error that shows the place: file, line, column, the line itself and a caret."""
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        line = self.text[start : len(self.text) if end < 0 else end].rstrip("\r")
        number = self.text.count("\n", 0, at) + 1
        span = SourceSpan(self.file, number, at - start + 1, length)
        return SpecErrors((Finding(SpecError(code, message, fix=fix, span=span), line),))

    def error_at(self, code: str, message: str, place: Expression, *, fix: str | None = None) -> SpecErrors:
        """`error` at an expression: under the whole word, or under the opening parenthesis."""
        length = len(place.text) if isinstance(place, Word) else 1
        return self.error(code, message, place.at, length=length, fix=fix)


def read_bytes(path: Path, file: str) -> bytes:
    """The content of a file, unpacked where its name ends in `.gz`.

    Raises SpecError TL0320 where it cannot be read, holds more than MAX_BYTES or is a Git LFS pointer.
    """
    try:
        data = read_input(path, MAX_BYTES)
    except FileTooLarge as error:
        raise SpecError("TL0320", f"{file} cannot be read: {error}", fix="split the property") from None
    except OSError as error:
        raise SpecError("TL0320", f"{file} cannot be read: {reason(error)}", fix="check `file`") from None
    if is_lfs_pointer(data):
        fix = "run `git lfs pull`, or set `lfs: true` on the checkout step"
        raise SpecError("TL0320", f"{file} is a Git LFS pointer", fix=fix)
    return _unpacked(data, file) if path.name.endswith(".gz") else data


def _unpacked(packed: bytes, file: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(packed), "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{file} cannot be unpacked: {shorten(str(error), 120)}"
        raise SpecError("TL0320", message, fix="compress the file again with gzip") from None
    if len(data) > MAX_BYTES:
        message = f"{file} cannot be unpacked: it holds more than {MAX_BYTES} bytes"
        raise SpecError("TL0320", message, fix="split the property")
    return data


def read_source(data: bytes, file: str) -> Source:
    """The text of a file. Raises SpecError TL0320 for what is not plain UTF-8 text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{file} is not UTF-8 text (byte {error.start} is 0x{data[error.start]:02x})"
        raise SpecError("TL0320", message, fix="save the file as UTF-8") from None
    source = Source(file, text)
    bad = _NOT_TEXT.search(text)
    if bad is not None:
        message = f"the file holds the control character U+{ord(bad[0]):04X}"
        raise source.error("TL0320", message, bad.start(), fix="remove the character")
    return source


def parse(source: Source) -> tuple[Group, ...]:
    """The lists at the top of a file, comments left out.

    Raises SpecError TL0321 for unbalanced parentheses and words outside of any, TL0326 beyond MAX_WORDS words
    or MAX_DEPTH levels.
    """
    found: list[Group] = []
    open_groups: list[tuple[int, list[Expression]]] = []
    words, position, text = 0, 0, source.text
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise source.error("TL0321", "a quote that is never closed", position, fix="close or remove it")
        token, at, position = match[0], position, match.end()
        first = token[0]
        if first == ";" or first.isspace():
            continue
        words += 1
        if words > MAX_WORDS:
            fix = "split the property into several files"
            raise source.error("TL0326", f"the file holds more than {MAX_WORDS} words", at, fix=fix)
        if first == "(":
            if len(open_groups) >= MAX_DEPTH:
                fix = "write it with fewer levels: `and`, `or`, `+` and `*` take any number of arguments"
                raise source.error("TL0326", f"nesting deeper than {MAX_DEPTH} levels", at, fix=fix)
            open_groups.append((at, []))
        elif first == ")":
            if not open_groups:
                raise source.error("TL0321", "`)` closes nothing", at, fix="remove it, or add the `(`")
            start, items = open_groups.pop()
            group = Group(tuple(items), start)
            if open_groups:
                open_groups[-1][1].append(group)
            else:
                found.append(group)
        elif open_groups:
            open_groups[-1][1].append(Word(token, at))
        else:
            raise source.error(
                "TL0321",
                f"`{shorten(token)}` stands outside of any parentheses",
                at,
                length=len(token),
                fix="every command is a list in parentheses, e.g. `(assert (<= Y_0 Y_1))`",
            )
    if open_groups:
        raise source.error("TL0321", "`(` is never closed", open_groups[-1][0], fix="add the `)`")
    return tuple(found)
