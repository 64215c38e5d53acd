"""Paths written in a spec: relative, inside the repository root, symbolic links included."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pytest_torchlean.errors import SourceSpan, SpecError
from pytest_torchlean.spec.tree import shorten

MAX_LENGTH = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def resolve_inside(text: str, *, base: Path, root: Path, span: SourceSpan | None = None) -> Path:
    """The absolute path of `text`, taken relative to `base`, with symbolic links followed.

    The file need not exist. Raises SpecError TL0313 when the path is absolute, uses backslashes or
    control characters, or leads outside `root`, be it by `..` or by a symbolic link.
    """
    if not text:
        raise SpecError("TL0313", "the path is empty", span=span)
    if len(text) > MAX_LENGTH:
        raise SpecError("TL0313", f"the path is longer than {MAX_LENGTH} characters", span=span)
    if _CONTROL.search(text):
        raise SpecError("TL0313", "the path holds control characters", span=span)
    if "\\" in text:
        raise SpecError(
            "TL0313",
            f"the path `{shorten(text)}` uses backslashes",
            fix="use forward slashes on every system",
            span=span,
        )
    if text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text):
        raise SpecError("TL0313", f"the path `{shorten(text)}` is absolute", span=span)
    try:
        real_root = root.resolve()
        place = (base / text).resolve()
    except (OSError, RuntimeError) as error:
        raise SpecError(
            "TL0313", f"the path `{shorten(text)}` cannot be followed ({error})", span=span
        ) from None
    if not place.is_relative_to(real_root):
        through = "" if _stays_inside_by_name(text, base, root) else " by `..`"
        through = through or " through a symbolic link"
        raise SpecError(
            "TL0313", f"the path `{shorten(text)}` leads outside the repository{through}", span=span
        )
    return place


def shown(path: Path, root: Path) -> str:
    """`path` relative to `root` with forward slashes, for reports; its name alone when outside."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.name


def _stays_inside_by_name(text: str, base: Path, root: Path) -> bool:
    """Whether the path stays inside when only its letters are read, links not followed."""
    by_name = Path(os.path.normpath(base.absolute() / text))
    return by_name.is_relative_to(Path(os.path.normpath(root.absolute())))
