"""`shapes` and `dims` of a model: extents for the dimensions that the file leaves open."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from typing import Any

from pytest_torchlean.errors import SourceSpan, SpecError
from pytest_torchlean.spec.blocks import Field, Schema, check_keys, decode_block
from pytest_torchlean.spec.context import INVALID, Context, Invalid
from pytest_torchlean.spec.document import InputShapes
from pytest_torchlean.spec.fields import integer
from pytest_torchlean.spec.tree import Mapping, Scalar, Tree, describe, from_python, shorten
from pytest_torchlean.spec.tree import Sequence as TreeSequence

_EXTENT = integer(1, 2**31 - 1)
_MOST_DIMENSIONS = 32
_MOST_ENTRIES = 1000
_Places = dict[tuple[str, int | None], SourceSpan | None]


@dataclass(frozen=True)
class _Named:
    """A block from names of the model file to a shape, or to one extent."""

    shapes: bool

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        """Values by name, and their places."""
        example = "{input: [1, 3, 224, 224]}" if self.shapes else "{batch: 1, seq: 128}"
        if not isinstance(tree, Mapping):
            return context.report(
                "TL0307",
                f"{label} must be a block of names, not {describe(tree)}",
                tree.span,
                fix=f"write e.g. {example}",
            )
        if not 0 < len(tree.entries) <= _MOST_ENTRIES:
            problem = "is empty" if not tree.entries else f"has more than {_MOST_ENTRIES} entries"
            return context.report("TL0309", f"{label} {problem}", tree.span, fix=f"write e.g. {example}")
        before = len(context.problems)
        values: dict[str, Any] = {}
        places: _Places = {}
        for key, value in check_keys(tree, context):
            inner = f"`{shorten(key.text)}` of {label}"
            if self.shapes:
                values[key.text] = _shape(value, inner, context)
                if isinstance(value, TreeSequence):
                    places |= {(key.text, axis): item.span for axis, item in enumerate(value.items)}
            else:
                values[key.text] = _EXTENT.decode(value, inner, context)
            places[key.text, None] = key.span
        return INVALID if len(context.problems) > before else (values, places)

    def schema(self) -> Schema:
        extent = _EXTENT.schema()
        shape = {"type": "array", "items": extent, "maxItems": _MOST_DIMENSIONS}
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": _MOST_ENTRIES,
            "additionalProperties": shape if self.shapes else extent,
        }


def _shape(tree: Tree, label: str, context: Context) -> Any:
    if not isinstance(tree, TreeSequence):
        return context.report(
            "TL0307",
            f"{label} must be a list of extents, not {describe(tree)}",
            tree.span,
            fix="write e.g. [1, 3, 224, 224]",
        )
    if len(tree.items) > _MOST_DIMENSIONS:
        return context.report(
            "TL0309", f"{label} has more than {_MOST_DIMENSIONS} dimensions", tree.span, fix="list fewer"
        )
    extents = [_EXTENT.decode(item, f"an entry of {label}", context) for item in tree.items]
    return INVALID if any(extent is INVALID for extent in extents) else tuple(extents)


SHAPE_FIELDS = (
    Field(
        "shapes",
        _Named(shapes=True),
        "Shapes of inputs by name, e.g. {input: [1, 3, 224, 224]}, where the file leaves dimensions open.",
    ),
    Field(
        "dims",
        _Named(shapes=False),
        "Extents of the file's open dimensions by their symbols, e.g. {batch: 1, seq: 128}.",
        default="1 for a first dimension",
    ),
)


def input_shapes(values: AbstractMapping[str, Any]) -> InputShapes:
    """The shapes among a model's decoded values."""
    shapes, shape_places = values.get("shapes", ({}, {}))
    dims, dim_places = values.get("dims", ({}, {}))
    places = {("shapes", *place): span for place, span in shape_places.items()}
    places |= {("dims", *place): span for place, span in dim_places.items()}
    return InputShapes(shapes, dims, places)


def shapes_of_arguments(arguments: AbstractMapping[str, object]) -> InputShapes:
    """The shapes that a decorator gives as `shapes` and `dims`. Raises SpecError."""
    entries = []
    for key, value in arguments.items():
        try:
            entries.append((Scalar(key), from_python(value)))
        except TypeError as error:
            raise SpecError("TL0307", f"`{key}`: {error}", fix="give integers by name") from None
    context = Context()
    values = decode_block(Mapping(tuple(entries)), SHAPE_FIELDS, "the certify mark", context)
    if isinstance(values, Invalid):
        first = context.problems[0].error
        raise SpecError(first.code, first.message, fix=first.fix)
    return input_shapes(values)
