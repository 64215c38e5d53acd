"""`sessions` of a runtime check: the sessions of onnxruntime that are compared, as lists to combine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pytest_torchlean.spec.blocks import Field, FieldType, Schema, block_schema, decode_block
from pytest_torchlean.spec.context import INVALID, Context, Invalid
from pytest_torchlean.spec.fields import Choice, integer
from pytest_torchlean.spec.model import LEVELS, Sessions
from pytest_torchlean.spec.tree import Mapping, Scalar, Tree, describe
from pytest_torchlean.spec.tree import Sequence as TreeSequence

MOST_SESSIONS = 64
_MOST_THREADS = 256
_MOST_ROWS = 4096
_PROVIDER = "[A-Za-z][A-Za-z0-9]{0,60}ExecutionProvider"


@dataclass(frozen=True)
class Several:
    """A list of different values of one type, at least one."""

    item: FieldType
    example: str

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, TreeSequence):
            return context.report(
                "TL0307",
                f"{label} must be a list, not {describe(tree)}",
                tree.span,
                fix=f"write e.g. {self.example}",
            )
        if not tree.items:
            return context.report(
                "TL0309", f"{label} is empty", tree.span, fix="list at least one, or remove the key"
            )
        seen: dict[Any, Tree] = {}
        for entry in tree.items:
            value = self.item.decode(entry, f"an entry of {label}", context)
            if value is INVALID:
                return INVALID
            if value in seen:
                return context.report(
                    "TL0309",
                    f"{label} lists {describe(entry)} twice",
                    entry.span,
                    fix="list every value once",
                    related=seen[value].span,
                )
            seen[value] = entry
        return tuple(seen)

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema(), "minItems": 1, "uniqueItems": True}


@dataclass(frozen=True)
class _Provider:
    """The name of an execution provider as onnxruntime spells it. Whether it is there, the run finds out."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if isinstance(tree, Scalar) and re.fullmatch(_PROVIDER, tree.text):
            return tree.text
        return context.report(
            "TL0307",
            f"{label} must be the name of an execution provider, not {describe(tree)}",
            tree.span,
            fix="write onnxruntime's own name, e.g. CPUExecutionProvider",
        )

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_PROVIDER}$"}


_FIELDS = (
    Field(
        "optimisation",
        Several(Choice(LEVELS), "[none, all]"),
        "Levels of graph optimisation, each with the graph that really runs at that level.",
        default="[none, all]",
    ),
    Field(
        "threads",
        Several(integer(1, _MOST_THREADS), "[1, 2]"),
        "Threads inside an operator (intra-op).",
        default="[1]",
    ),
    Field(
        "inter_op_threads",
        Several(integer(1, _MOST_THREADS), "[1, 2]"),
        "Threads across operators; above 1, independent nodes run at once.",
        default="[1]",
    ),
    Field(
        "batch",
        Several(integer(1, _MOST_ROWS), "[1, 7]"),
        "Batch sizes, for a model whose first dimension is open.",
        default="that of the model",
    ),
    Field(
        "providers",
        Several(_Provider(), "[CPUExecutionProvider]"),
        "Execution providers. One that is not there, or leaves nodes to another, is an error.",
        default="[CPUExecutionProvider]",
    ),
)


@dataclass(frozen=True)
class SessionMatrix:
    """`{optimisation: [none, all], threads: [1, 2]}`: every combination of the listed values."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, Mapping):
            return context.report(
                "TL0307",
                f"{label} must be a block of lists, not {describe(tree)}",
                tree.span,
                fix="write e.g. {optimisation: [none, all], threads: [1, 2]}",
            )
        values = decode_block(tree, _FIELDS, label, context)
        if isinstance(values, Invalid):
            return values
        sessions = Sessions(**values)
        if sessions.count > MOST_SESSIONS:
            return context.report(
                "TL0309",
                f"{label} makes {sessions.count} combinations, more than the limit of {MOST_SESSIONS}",
                tree.span,
                fix="list fewer values, or split the check into several properties",
            )
        return sessions

    def schema(self) -> Schema:
        return block_schema(_FIELDS)
