"""Collects every error of a spec while it is decoded."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_torchlean.errors import SourceSpan, SpecError
from pytest_torchlean.spec.tree import shorten

if TYPE_CHECKING:
    from pytest_torchlean.spec.kinds import Kind


class Invalid:
    """The type of INVALID: a value that could not be decoded and whose error is already recorded."""


INVALID = Invalid()


@dataclass(frozen=True)
class Problem:
    """A SpecError and the other place it speaks of, if any."""

    error: SpecError
    related: SourceSpan | None = None


@dataclass
class Context:
    """What decoding needs besides the value: where paths start, and where errors go.

    `base` and `root` are None for decorators, whose paths are placed later by `bind`.
    """

    base: Path | None = None
    root: Path | None = None
    kinds: Mapping[str, Kind] | None = None
    """The kinds of properties with those of extensions; None without any."""
    problems: list[Problem] = field(default_factory=list)

    def report(
        self,
        code: str,
        message: str,
        span: SourceSpan | None,
        *,
        fix: str | None = None,
        related: SourceSpan | None = None,
    ) -> Invalid:
        """Record an error; returns INVALID so that decoders can `return context.report(...)`."""
        self.problems.append(Problem(SpecError(code, message, fix=fix, span=span), related))
        return INVALID

    def report_error(self, error: SpecError) -> Invalid:
        """Record an error that was raised elsewhere."""
        self.problems.append(Problem(error))
        return INVALID


def closest(text: str, valid: Iterable[str]) -> str | None:
    """The valid word that `text` was probably meant to be."""
    close = difflib.get_close_matches(text[:100].lower(), list(valid), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(text: str, valid: Iterable[str]) -> str:
    """ "did you mean `x`? " with the closest valid word, or nothing."""
    word = closest(text, valid)
    return f"did you mean `{word}`? " if word is not None else ""


def listed(words: Iterable[str]) -> str:
    """Words as `a`, `b`, `c`."""
    return ", ".join(f"`{shorten(word)}`" for word in words)
