"""The neutral tree that YAML files and decorator arguments are both turned into before decoding.

A scalar keeps the text as written, so that a number is read once, exactly, by our own reader.
"""

from __future__ import annotations

import math
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike, fspath

from pytest_torchlean.errors import SourceSpan


@dataclass(frozen=True)
class Scalar:
    """A single value as written. `quoted` text is never a boolean and never empty-as-missing."""

    text: str
    quoted: bool = False
    span: SourceSpan | None = None


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: tuple[Tree, ...]
    span: SourceSpan | None = None


@dataclass(frozen=True)
class Mapping:
    """A block of `key: value` pairs in file order; duplicates are still there."""

    entries: tuple[tuple[Scalar, Tree], ...]
    span: SourceSpan | None = None


Tree = Scalar | Sequence | Mapping


def describe(tree: Tree) -> str:
    """What a person would call the value, with its text when it is short."""
    match tree:
        case Mapping():
            return "a block of keys"
        case Sequence():
            return "a list"
        case Scalar(text="", quoted=False):
            return "nothing"
        case Scalar():
            return f"`{shorten(tree.text)}`"


def shorten(text: str, limit: int = 60) -> str:
    """`text` on one line without control characters, cut in the middle beyond `limit`."""
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: 4 * limit])
    if len(plain) > limit or len(text) > 4 * limit:
        return plain[: limit // 2] + "..." + (plain[-limit // 4 :] if len(text) <= 4 * limit else "")
    return plain


def from_python(value: object) -> Tree:
    """The tree of a decorator argument.

    Integers, fractions and floats keep their exact value (a float is what the float holds, so `0.1`
    is not one tenth; write `"0.1"` for that). NaN and infinities become text that no number reader
    accepts. Raises TypeError for any other type, naming it.
    """
    match value:
        case bool():
            return Scalar("true" if value else "false")
        case int():
            return Scalar(str(value) if abs(value) < 10**400 else "integer too large")
        case Fraction():
            if max(value.numerator.bit_length(), value.denominator.bit_length()) > 3400:
                return Scalar("fraction too large")
            return Scalar(f"{value.numerator}/{value.denominator}")
        case float():
            return Scalar(value.hex() if math.isfinite(value) else str(value))
        case str():
            return Scalar(value, quoted=True)
        case PathLike():
            return Scalar(str(fspath(value)), quoted=True)
        case AbstractMapping():
            return Mapping(
                tuple((Scalar(str(key), quoted=True), from_python(item)) for key, item in value.items())
            )
        case list() | tuple():
            return Sequence(tuple(from_python(item) for item in value))
    raise TypeError(f"a value of type {type(value).__name__} cannot stand here")
