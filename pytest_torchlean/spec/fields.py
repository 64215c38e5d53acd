"""The types of single values and lists: each decodes a tree and describes itself as JSON Schema.

Decoders record errors in the context and return INVALID; they never raise for bad input.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from pytest_torchlean.errors import SpecError
from pytest_torchlean.spec import exact
from pytest_torchlean.spec.blocks import FieldType, Schema
from pytest_torchlean.spec.context import INVALID, Context, Invalid, did_you_mean, listed
from pytest_torchlean.spec.model import NAME_PATTERN
from pytest_torchlean.spec.paths import resolve_inside
from pytest_torchlean.spec.tree import Scalar, Tree, describe, shorten
from pytest_torchlean.spec.tree import Sequence as TreeSequence


def _scalar(tree: Tree, label: str, expected: str, context: Context) -> Scalar | Invalid:
    """The scalar with a value that must stand here."""
    if not isinstance(tree, Scalar):
        return context.report(
            "TL0307", f"{label} must be {expected}, not {describe(tree)}", tree.span, fix=f"give {expected}"
        )
    if not tree.quoted and tree.text in ("", "~", "null", "Null", "NULL"):
        return context.report(
            "TL0307", f"{label} has no value", tree.span, fix=f"give {expected}, or remove the key"
        )
    return tree


@dataclass(frozen=True)
class _Read:
    """A scalar read by one of the functions of `exact`."""

    reader: Callable[[str], Any]
    expected: str
    code: str
    fix: str | None
    json: Schema
    low: Any = None
    high: Any = None
    range_words: str = ""
    quoted_ok: bool = True

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        scalar = _scalar(tree, label, self.expected, context)
        if isinstance(scalar, Invalid):
            return scalar
        if scalar.quoted and not self.quoted_ok:
            return context.report(
                "TL0307",
                f"{label} must be {self.expected}, not text in quotes",
                scalar.span,
                fix="remove the quotes",
            )
        try:
            value = self.reader(scalar.text)
        except ValueError as error:
            message = f"{label} must be {self.expected}: `{shorten(scalar.text)}` is not accepted, {error}"
            return context.report(self.code, message, scalar.span, fix=self.fix)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            message = f"{label} must be {self.range_words}, not `{shorten(scalar.text)}`"
            return context.report(
                "TL0309", message, scalar.span, fix=f"give {self.expected}, {self.range_words}"
            )
        return value

    def schema(self) -> Schema:
        return dict(self.json)


def number(*, at_least: int | None = None) -> FieldType:
    """An exact number, optionally not below `at_least`."""
    json: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": exact.NUMBER_PATTERN}]}
    if at_least is not None:
        json["anyOf"][0]["minimum"] = at_least
    return _Read(
        exact.number, "a number", "TL0308", None, json, low=at_least, range_words=f"{at_least} or more"
    )


def share() -> FieldType:
    """A share between 0% and 100% as an exact fraction."""
    json: Schema = {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": exact.SHARE_PATTERN},
        ]
    }
    return _Read(exact.share, "a share", "TL0308", "write a percentage (90%), a fraction (9/10) or 0.9", json)


def integer(low: int, high: int) -> FieldType:
    """An integer within `low` and `high`, both included."""
    return _Read(
        exact.integer,
        "an integer",
        "TL0308",
        "write decimal digits, e.g. 256",
        {"type": "integer", "minimum": low, "maximum": high},
        low=low,
        high=high,
        range_words=f"from {low} to {high}",
        quoted_ok=False,
    )


def duration() -> FieldType:
    """A wall time in exact seconds."""
    return _Read(
        exact.duration,
        "a duration",
        "TL0308",
        "write e.g. 500ms, 60s, 2m or 1h",
        {"type": "string", "pattern": exact.DURATION_PATTERN},
        low=Fraction(1, 1000),
        high=Fraction(86400),
        range_words="from 1ms to 24h",
    )


def memory() -> FieldType:
    """An amount of memory in bytes."""
    return _Read(
        exact.memory,
        "an amount of memory",
        "TL0308",
        "write e.g. 512MiB or 2GB",
        {"type": "string", "pattern": exact.MEMORY_PATTERN},
        low=16 << 20,
        high=1 << 40,
        range_words="from 16MiB to 1024GiB",
    )


@dataclass(frozen=True)
class Flag:
    """`true` or `false`, spelt so and unquoted."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        scalar = _scalar(tree, label, "`true` or `false`", context)
        if isinstance(scalar, Invalid):
            return scalar
        if scalar.quoted or scalar.text not in ("true", "false"):
            quotes = " in quotes" if scalar.quoted else ""
            return context.report(
                "TL0307",
                f"{label} must be `true` or `false`, not {describe(scalar)}{quotes}",
                scalar.span,
                fix="write true or false, in lower case and without quotes",
            )
        return scalar.text == "true"

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Choice:
    """One of a few words. `later` are words that a later release will know."""

    words: tuple[str, ...]
    later: tuple[str, ...] = ()
    code: str = "TL0309"

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        scalar = _scalar(tree, label, f"one of {listed(self.words)}", context)
        if isinstance(scalar, Invalid):
            return scalar
        if scalar.text in self.words:
            return scalar.text
        if scalar.text in self.later:
            message = f"{label}: {describe(scalar)} is not available in this release"
        else:
            message = f"{label}: {describe(scalar)} is not known"
        fix = f"{did_you_mean(scalar.text, self.words)}available: {', '.join(self.words)}"
        return context.report(self.code, message, scalar.span, fix=fix)

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Name:
    """A name that can stand in a pytest item id."""

    what: str

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        scalar = _scalar(tree, label, f"the name of a {self.what}", context)
        if isinstance(scalar, Invalid):
            return scalar
        return check_name(scalar, self.what, context)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{NAME_PATTERN}$"}


def check_name(scalar: Scalar, what: str, context: Context) -> str | Invalid:
    """The text of `scalar` when it is a valid name of a `what`."""
    if re.fullmatch(NAME_PATTERN, scalar.text):
        return scalar.text
    fix = None
    better = re.sub(r"[^a-z0-9._-]+", "-", scalar.text[:100].lower()).strip("-._")
    if better and len(scalar.text) <= 100:
        fix = f"use lower-case letters, digits, `.`, `_` and `-`, e.g. `{better}`"
    return context.report(
        "TL0310", f"`{shorten(scalar.text)}` is not a valid {what} name", scalar.span, fix=fix
    )


@dataclass(frozen=True)
class FilePath:
    """A path inside the repository, relative to the spec file."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        scalar = _scalar(tree, label, "a path", context)
        if isinstance(scalar, Invalid):
            return scalar
        if context.base is None or context.root is None:
            return Path(scalar.text)
        try:
            return resolve_inside(scalar.text, base=context.base, root=context.root, span=scalar.span)
        except SpecError as error:
            return context.report_error(error)

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class IntegerList:
    """A list of different integers, none negative, at least one."""

    high: int

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, TreeSequence):
            return context.report(
                "TL0307",
                f"{label} must be a list of integers, not {describe(tree)}",
                tree.span,
                fix="write e.g. [0, 5, 7]",
            )
        if not tree.items:
            return context.report(
                "TL0309", f"{label} is empty", tree.span, fix="list at least one, or remove the key"
            )
        item = integer(0, self.high)
        values = [item.decode(entry, f"an entry of {label}", context) for entry in tree.items]
        if any(value is INVALID for value in values):
            return INVALID
        seen: dict[int, Tree] = {}
        for value, entry in zip(values, tree.items, strict=True):
            if value in seen:
                return context.report(
                    "TL0309",
                    f"{label} lists {value} twice",
                    entry.span,
                    fix="list every position once",
                    related=seen[value].span,
                )
            seen[value] = entry
        return tuple(values)

    def schema(self) -> Schema:
        return {"type": "array", "items": integer(0, self.high).schema(), "minItems": 1, "uniqueItems": True}


@dataclass(frozen=True)
class ElementList:
    """A list of different positions, counted from 0, and of names, at least one."""

    high: int

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, TreeSequence):
            return context.report(
                "TL0307",
                f"{label} must be a list of positions or names, not {describe(tree)}",
                tree.span,
                fix="write e.g. [0, 5] or [income]",
            )
        if not tree.items:
            return context.report("TL0309", f"{label} is empty", tree.span, fix="list at least one")
        values = [self._entry(entry, label, context) for entry in tree.items]
        if any(value is INVALID for value in values):
            return INVALID
        seen: dict[int | str, Tree] = {}
        for value, entry in zip(values, tree.items, strict=True):
            if value in seen:
                return context.report(
                    "TL0309",
                    f"{label} lists `{shorten(str(value))}` twice",
                    entry.span,
                    fix="list each once",
                    related=seen[value].span,
                )
            seen[value] = entry
        return tuple(values)

    def _entry(self, tree: Tree, label: str, context: Context) -> Any:
        scalar = _scalar(tree, f"an entry of {label}", "a position or a name", context)
        if isinstance(scalar, Invalid):
            return scalar
        if scalar.quoted or not re.fullmatch(r"[+-]?[0-9][0-9_.]*", scalar.text):
            return scalar.text
        return integer(0, self.high).decode(tree, f"an entry of {label}", context)

    def schema(self) -> Schema:
        one = {"anyOf": [integer(0, self.high).schema(), {"type": "string", "minLength": 1}]}
        return {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
