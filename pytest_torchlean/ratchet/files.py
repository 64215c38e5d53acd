"""Reads and writes `torchlean.baseline.yaml`, and reads `torchlean.waivers.yaml`.

Both are YAML in the narrow form of torchlean.yaml, read by the same reader: every error with its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeVar

from pytest_torchlean.errors import Finding, SourceSpan, SpecError, SpecErrors
from pytest_torchlean.ratchet.claims import Plain, is_block
from pytest_torchlean.ratchet.model import Baseline, Entry, Waiver, Waivers
from pytest_torchlean.spec.blocks import Field, Schema, block_schema, check_keys, decode_block
from pytest_torchlean.spec.context import INVALID, Context, Invalid, Problem
from pytest_torchlean.spec.tree import Mapping as TreeMapping
from pytest_torchlean.spec.tree import Scalar, Tree, describe, shorten
from pytest_torchlean.spec.tree import Sequence as TreeSequence
from pytest_torchlean.spec.yaml_source import SourceText, compose, read_source

T = TypeVar("T")

MOST_BYTES = 1 << 24
_MOST_NODES = 2_000_000
_MOST_ENTRIES = 10_000
_MOST_TEXT = 4096
_MOST_DIGITS = 64
_HEAD = """\
# What the gate may not fall behind: written by `torchlean baseline write`, checked by `torchlean check`.
# Review a change of this file as you review the change of a test.
"""
_REWRITE = "remove the entry, or write the file again with `torchlean baseline write`"
_PLAIN = re.compile(r"-?[A-Za-z0-9_.][A-Za-z0-9_./%+-]*(?:::?[A-Za-z0-9_./%+-]+)*")
_WORDS_OF_YAML = re.compile(r"(?i)yes|no|on|off|null|\.nan|[-+]?\.inf")


@dataclass(frozen=True)
class _Text:
    """Text on one line."""

    what: str
    most: int = _MOST_TEXT

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        text = tree.text.strip() if isinstance(tree, Scalar) else ""
        if not text or len(text) > self.most or not text.isprintable():
            return context.report(
                "TL0307",
                f"{label} must be {self.what}, not {describe(tree)}",
                tree.span,
                fix=f"give {self.what} on one line of at most {self.most} characters",
            )
        return text

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1, "maxLength": self.most}


@dataclass(frozen=True)
class _Day:
    """A day as `2027-03-31`."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if isinstance(tree, Scalar) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", tree.text):
            try:
                return date.fromisoformat(tree.text)
            except ValueError:
                pass
        return context.report(
            "TL0308", f"{label} must be a day, not {describe(tree)}", tree.span, fix="write it as 2027-03-31"
        )

    def schema(self) -> Schema:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True)
class _Values:
    """A block of any keys with plain values. `needed` keys must be there."""

    needed: tuple[str, ...] = ()

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if isinstance(tree, TreeMapping) and not tree.entries:
            return context.report("TL0309", f"{label} is empty", tree.span, fix="write e.g. {epsilon: 4/255}")
        if not isinstance(tree, TreeMapping):
            return context.report(
                "TL0307",
                f"{label} must be a block of keys, not {describe(tree)}",
                tree.span,
                fix="write e.g. {epsilon: 4/255}",
            )
        before = len(context.problems)
        plain = _plain(tree, context)
        for key in self.needed:
            if is_block(plain) and not isinstance(plain.get(key), str):
                context.report("TL0306", f"{label} lacks the key `{key}`", tree.span, fix=_REWRITE)
        return INVALID if len(context.problems) > before else plain

    def schema(self) -> Schema:
        plain = {"$ref": "#/$defs/plain"}
        block: Schema = {"type": "object", "minProperties": 1, "additionalProperties": plain}
        return block | ({"required": list(self.needed)} if self.needed else {})


PLAIN_SCHEMA: Schema = {
    "anyOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "array", "items": {"$ref": "#/$defs/plain"}},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/plain"}},
    ]
}


@dataclass(frozen=True)
class _Version:
    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if isinstance(tree, Scalar) and tree.text == "1":
            return 1
        return context.report("TL0316", f"this release reads version 1, not {describe(tree)}", tree.span)

    def schema(self) -> Schema:
        return {"const": 1}


@dataclass(frozen=True)
class _Blocks:
    """A list of blocks by one table; may be empty."""

    fields: tuple[Field, ...]
    one: str

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, TreeSequence):
            return context.report(
                "TL0307", f"{label} must be a list, not {describe(tree)}", tree.span, fix="write e.g. []"
            )
        if len(tree.items) > _MOST_ENTRIES:
            return context.report("TL0309", f"{label} lists more than {_MOST_ENTRIES}", tree.span)
        found = []
        for item in tree.items:
            if not isinstance(item, TreeMapping):
                context.report(
                    "TL0307", f"{self.one} must be a block of keys, not {describe(item)}", item.span
                )
                continue
            values = decode_block(item, self.fields, self.one, context)
            if not isinstance(values, Invalid):
                found.append((values, item))
        return found

    def schema(self) -> Schema:
        return {"type": "array", "maxItems": _MOST_ENTRIES, "items": block_schema(self.fields)}


ENTRY_FIELDS = (
    Field("id", _Text("the id of a property"), "The property, file::model::name.", required=True),
    Field("claim", _Values(("check", "model")), "What it claims, in canonical form.", required=True),
    Field("result", _Values(("verdict",)), "What was found.", required=True),
)
WAIVER_FIELDS = (
    Field("property", _Text("the id of a property"), "The property, file::model::name.", required=True),
    Field(
        "waives",
        _Values(),
        "The weakest value that is let through, by key, as the baseline would write it; `removed: true` lets "
        "the property go.",
        required=True,
    ),
    Field("owner", _Text("a name", 200), "Who answers for it.", required=True),
    Field("reason", _Text("a reason", 1000), "Why it is let through.", required=True),
    Field("expires", _Day(), "The last day on which it holds, e.g. 2027-03-31.", required=True),
)
_VERSION = Field("version", _Version(), "Version of this format.", required=True)
BASELINE_ROOT = (
    _VERSION,
    Field("properties", _Blocks(ENTRY_FIELDS, "an entry of `properties`"), "One a property.", required=True),
)
WAIVERS_ROOT = (
    _VERSION,
    Field("waivers", _Blocks(WAIVER_FIELDS, "an entry of `waivers`"), "One a property.", required=True),
)


def read_baseline(data: bytes, file: str) -> Baseline:
    """A baseline file. Raises SpecErrors with the place of every error."""

    def build(values: Mapping[str, Any], context: Context) -> Baseline:
        entries: dict[str, Entry] = {}
        for found, tree in values["properties"]:
            span = _place(tree, "id")
            if found["id"] in entries:
                first = entries[found["id"]].span
                message = f"{shorten(found['id'])} is listed twice"
                context.report("TL0311", message, span, fix=_REWRITE, related=first)
            entries.setdefault(found["id"], Entry(found["id"], found["claim"], found["result"], span))
        return Baseline(file, entries)

    return _read(data, file, BASELINE_ROOT, build)


def read_waivers(data: bytes, file: str) -> Waivers:
    """A file of waivers. Raises SpecErrors with the place of every error."""

    def build(values: Mapping[str, Any], context: Context) -> Waivers:
        waivers: list[Waiver] = []
        first: dict[str, SourceSpan | None] = {}
        for found, tree in values["waivers"]:
            name, span = found["property"], _place(tree, "property")
            if name in first:
                message = f"{shorten(name)} has two waivers"
                context.report("TL0311", message, span, fix="write one with all keys", related=first[name])
            first.setdefault(name, span)
            inner = next(value for key, value in tree.entries if key.text == "waives")
            waivers.append(
                Waiver(
                    name,
                    found["waives"],
                    found["owner"],
                    found["reason"],
                    found["expires"],
                    span,
                    {key.text: key.span for key, _ in inner.entries},
                )
            )
        return Waivers(file, tuple(waivers))

    return _read(data, file, WAIVERS_ROOT, build)


def baseline_text(baseline: Baseline) -> str:
    """The canonical text of a baseline: properties by id, keys in a fixed order, one value a line."""
    lines = [_HEAD + "version: 1"]
    if not baseline.entries:
        return lines[0] + "\nproperties: []\n"
    lines.append("properties:")
    for name in sorted(baseline.entries):
        entry = baseline.entries[name]
        lines.append(f"  - id: {_scalar(name)}")
        lines += _block({"claim": dict(entry.claim), "result": dict(entry.result)}, 4)
    return "\n".join(lines) + "\n"


def shown_value(value: Plain | None) -> str:
    """A plain value on one line; long numbers and lists are cut."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if len(value) <= _MOST_DIGITS else value[:_MOST_DIGITS] + "..."
    if is_block(value):
        items = [f"{key}: {shown_value(item)}" for key, item in value.items()]
        return "{" + _some(items) + "}"
    return "[" + _some([shown_value(item) for item in value]) + "]"


def _some(items: Sequence[str]) -> str:
    return ", ".join(items[:8]) + (f", ... {len(items)} in all" if len(items) > 8 else "")


def _block(values: Mapping[str, Plain], indent: int) -> Iterable[str]:
    lead = " " * indent
    for key in sorted(values, key=_key_order):
        value = values[key]
        if isinstance(value, str):
            yield f"{lead}{_scalar(key)}: {_scalar(value)}"
        elif not value:
            yield f"{lead}{_scalar(key)}: {'{}' if is_block(value) else '[]'}"
        else:
            yield f"{lead}{_scalar(key)}:"
            yield from _inner(value, indent + 2)


def _inner(value: Plain, indent: int) -> Iterable[str]:
    if is_block(value):
        yield from _block(value, indent)
        return
    lead = " " * indent
    for item in value:
        if isinstance(item, str):
            yield f"{lead}- {_scalar(item)}"
        elif is_block(item) and item:
            first, *others = _block(item, indent + 2)
            yield f"{lead}- {first.lstrip()}"
            yield from others
        else:
            yield f"{lead}- {_flow(item)}"


def _flow(value: Plain) -> str:
    if isinstance(value, str):
        return _scalar(value)
    if is_block(value):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(_flow, value)) + "]"


def _key_order(key: str) -> tuple[int, int, str]:
    """`check` and `verdict` first, then by name; numbers as numbers."""
    if key.isascii() and key.isdigit() and len(key) < 20:
        return 1, int(key), key
    return 0 if key in ("check", "verdict") else 1, 0, key


def _scalar(text: str) -> str:
    """Text as YAML: bare where every reader takes it for this text, else in double quotes."""
    if _PLAIN.fullmatch(text) and not _WORDS_OF_YAML.fullmatch(text):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if 0x20 <= ord(character) < 0x7F:
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _place(tree: TreeMapping, key: str) -> SourceSpan | None:
    return next((value.span for name, value in tree.entries if name.text == key), tree.span)


def _plain(tree: Tree, context: Context) -> Plain:
    if isinstance(tree, Scalar):
        return tree.text
    if isinstance(tree, TreeSequence):
        return tuple(_plain(item, context) for item in tree.items)
    return {key.text: _plain(value, context) for key, value in check_keys(tree, context)}


def _read(
    data: bytes, file: str, fields: Sequence[Field], build: Callable[[Mapping[str, Any], Context], T]
) -> T:
    source = SourceText(file, "", ())
    context = Context()
    try:
        source = read_source(data, file, MOST_BYTES)
        tree = compose(source, _MOST_NODES)
    except SpecError as error:
        raise SpecErrors(_findings([Problem(error)], source)) from None
    if not isinstance(tree, TreeMapping):
        span = SourceSpan(file, 1, 1) if tree is None else tree.span
        found = "nothing" if tree is None else describe(tree)
        problem = SpecError(
            "TL0307",
            f"a block of the keys {' and '.join(f'`{one.key}`' for one in fields)} is needed, not {found}",
            fix="start the file with `version: 1`",
            span=span,
        )
        raise SpecErrors(_findings([Problem(problem)], source))
    values = decode_block(tree, fields, "the file", context)
    result = None if isinstance(values, Invalid) else build(values, context)
    if context.problems or result is None:
        raise SpecErrors(_findings(context.problems, source))
    return result


def _findings(problems: Sequence[Problem], source: SourceText) -> tuple[Finding, ...]:
    line = partial(_line, source)
    ordered = sorted(problems, key=lambda problem: _position(problem.error.span))
    return tuple(Finding(one.error, line(one.error.span), one.related, line(one.related)) for one in ordered)


def _line(source: SourceText, span: SourceSpan | None) -> str | None:
    return None if span is None else source.line(span.line)


def _position(span: SourceSpan | None) -> tuple[int, int]:
    return (0, 0) if span is None else (span.line, span.column)
