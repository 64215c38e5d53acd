"""Boxes: a lower and an upper side, each one number or one per element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_torchlean.spec.blocks import Field, Schema, block_schema, decode_block
from pytest_torchlean.spec.context import INVALID, Context, Invalid
from pytest_torchlean.spec.fields import number
from pytest_torchlean.spec.model import Bound, Bounds, OutputBounds
from pytest_torchlean.spec.tree import Mapping, Tree, describe, shorten
from pytest_torchlean.spec.tree import Sequence as TreeSequence


@dataclass(frozen=True)
class BoundValue:
    """One side of a box: a number, or a flat list of numbers, optionally none below `at_least`."""

    at_least: int | None = None

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, TreeSequence):
            return number(at_least=self.at_least).decode(tree, label, context)
        if not tree.items:
            return context.report(
                "TL0309", f"{label} is an empty list", tree.span, fix="list one number per element"
            )
        values = [_element(entry, label, context, self.at_least) for entry in tree.items]
        return INVALID if any(value is INVALID for value in values) else tuple(values)

    def schema(self) -> Schema:
        one = number(at_least=self.at_least).schema()
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}]}


def _element(tree: Tree, label: str, context: Context, at_least: int | None) -> Any:
    if isinstance(tree, TreeSequence):
        return context.report(
            "TL0307",
            f"{label} must be a flat list of numbers",
            tree.span,
            fix="list the numbers in row-major order without inner brackets",
        )
    return number(at_least=at_least).decode(tree, f"an entry of {label}", context)


@dataclass(frozen=True)
class Box:
    """`{lower: ..., upper: ...}`; for outputs one side may be left out."""

    one_sided: bool = False

    def fields(self) -> tuple[Field, ...]:
        """The table of the two keys."""
        needed = not self.one_sided
        return (
            Field("lower", BoundValue(), "Lower bound, one number or one per element.", required=needed),
            Field("upper", BoundValue(), "Upper bound, one number or one per element.", required=needed),
        )

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, Mapping):
            return context.report(
                "TL0307",
                f"{label} must be a block with `lower` and `upper`, not {describe(tree)}",
                tree.span,
                fix="write e.g. {lower: 0, upper: 1}",
            )
        values = decode_block(tree, self.fields(), label, context)
        if isinstance(values, Invalid):
            return values
        lower: Bound | None = values.get("lower")
        upper: Bound | None = values.get("upper")
        if lower is None and upper is None:
            return context.report(
                "TL0306", f"{label} has neither `lower` nor `upper`", tree.span, fix="give at least one side"
            )
        problem = None if lower is None or upper is None else _contradiction(lower, upper)
        if problem is not None:
            return context.report(
                "TL0317", f"{label}: {problem}", tree.span, fix="exchange or correct the bounds"
            )
        if self.one_sided or lower is None or upper is None:
            return OutputBounds(lower, upper)
        return Bounds(lower, upper)

    def schema(self) -> Schema:
        block = block_schema(self.fields())
        if self.one_sided:
            block["minProperties"] = 1
        return block


def _contradiction(lower: Bound, upper: Bound) -> str | None:
    """Why two sides cannot belong to one box, if so."""
    if isinstance(lower, tuple) and isinstance(upper, tuple) and len(lower) != len(upper):
        return f"`lower` lists {len(lower)} numbers and `upper` {len(upper)}"
    count = max(len(side) if isinstance(side, tuple) else 1 for side in (lower, upper))
    lowers = lower if isinstance(lower, tuple) else (lower,) * count
    uppers = upper if isinstance(upper, tuple) else (upper,) * count
    for position, (low, high) in enumerate(zip(lowers, uppers, strict=True)):
        if low > high:
            where = f" at position {position}" if count > 1 else ""
            return (
                f"the lower bound {shorten(str(low))} lies above the upper bound {shorten(str(high))}{where}"
            )
    return None
