"""Blocks of keys: a declarative table of fields decodes one, suggests keys, and gives its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pytest_torchlean.spec.context import INVALID, Context, Invalid, closest, did_you_mean
from pytest_torchlean.spec.tree import Mapping, Scalar, Tree, shorten

Schema = dict[str, Any]


class FieldType(Protocol):
    """What a value may be."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        """The value, or INVALID with an error recorded. `label` names the key in messages."""

    def schema(self) -> Schema:
        """The JSON Schema of the value."""


@dataclass(frozen=True)
class Field:
    """One key of a block. `key` is also the attribute of the dataclass it fills."""

    key: str
    type: FieldType
    doc: str
    required: bool = False
    default: str | None = None
    """The default in words, for the schema."""


def check_keys(tree: Mapping, context: Context) -> list[tuple[Scalar, Tree]]:
    """The entries with every repeated key reported and dropped."""
    first: dict[str, Scalar] = {}
    kept = []
    for key, value in tree.entries:
        if key.text in first:
            context.report(
                "TL0305", f"duplicate key `{shorten(key.text)}`", key.span, related=first[key.text].span
            )
            continue
        first[key.text] = key
        kept.append((key, value))
    return kept


def decode_block(
    tree: Mapping,
    fields: Sequence[Field],
    label: str,
    context: Context,
    *,
    elsewhere: Callable[[str], str | None] = lambda key: None,
    ignore_unknown: bool = False,
) -> dict[str, Any] | Invalid:
    """The values of a block by the table `fields`; keys that are left out are left out of the result.

    Reports unknown, duplicate and missing keys; with `ignore_unknown`, of the unknown ones those that seem to
    mean a required key that is missing. `elsewhere(key)` says where an unknown key would be
    at home. INVALID when anything in the block was reported.
    """
    before = len(context.problems)
    table = {entry.key: entry for entry in fields}
    values: dict[str, Any] = {}
    present: set[str | None] = set()
    given = {key.text for key, _ in tree.entries}
    for key, value in check_keys(tree, context):
        entry = table.get(key.text)
        if entry is None:
            # the key that was probably meant is not reported as missing too
            meant = closest(key.text, table)
            present.add(meant)
            if not ignore_unknown or (meant is not None and table[meant].required and meant not in given):
                home = elsewhere(key.text)
                message = f"unknown key `{shorten(key.text)}` in {label}" + (f": {home}" if home else "")
                hint = "" if home else did_you_mean(key.text, table)
                context.report("TL0304", message, key.span, fix=f"{hint}valid keys: {', '.join(table)}")
            continue
        present.add(entry.key)
        values[entry.key] = entry.type.decode(value, f"`{entry.key}`", context)
    for entry in fields:
        if entry.required and entry.key not in present:
            context.report(
                "TL0306", f"{label} lacks the key `{entry.key}`", tree.span, fix=f"add it: {entry.doc}"
            )
    return INVALID if len(context.problems) > before else values


def block_schema(fields: Sequence[Field]) -> Schema:
    """The JSON Schema of a block with these keys and no others."""
    properties = {}
    for entry in fields:
        described = {"description": entry.doc + (f" Default: {entry.default}." if entry.default else "")}
        properties[entry.key] = described | entry.type.schema()
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    required = [entry.key for entry in fields if entry.required]
    return schema | ({"required": required} if required else {})
