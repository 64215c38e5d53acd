"""Reads `preprocess:` of a model: a list of steps, each a block of one key. The table of steps is below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, cast

import pytest_torchlean.spec.preprocess as steps
from pytest_torchlean.errors import SpecError
from pytest_torchlean.spec.blocks import Field, FieldType, Schema, block_schema, check_keys, decode_block
from pytest_torchlean.spec.context import INVALID, Context, Invalid, did_you_mean
from pytest_torchlean.spec.fields import Choice, integer, number
from pytest_torchlean.spec.tree import Mapping as Block
from pytest_torchlean.spec.tree import Scalar, Sequence, Tree, describe, from_python, shorten

MOST_STEPS = 64
_RAW_TYPES = ("uint8", "int8", "uint16", "int16")
_TINIEST = Fraction(1, 2**150)
_LARGEST = Fraction(2**128 - 2**103)
"""Numbers from here on do not round to a finite binary32 number."""


@dataclass(frozen=True)
class _Number:
    """A number with a finite nearest binary32 number; for divisors one that is not zero."""

    divisor: bool = False
    positive: bool = False

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        value = number().decode(tree, label, context)
        if isinstance(value, Invalid):
            return value
        problem = None
        if abs(value) >= _LARGEST:
            problem = "lies beyond the binary32 range"
        elif self.divisor and abs(value) <= _TINIEST:
            problem = "is zero in binary32, and elements are divided by it"
        elif self.positive and value <= 0:
            problem = "must be above zero"
        if problem is not None:
            return context.report(
                "TL0309", f"{label} {problem}", tree.span, fix="give a number that binary32 holds"
            )
        return value

    def schema(self) -> Schema:
        return number().schema()


@dataclass(frozen=True)
class _Numbers:
    """One number, or a flat list with one for each position along an axis."""

    item: _Number

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, Sequence):
            return self.item.decode(tree, label, context)
        if not tree.items:
            return context.report(
                "TL0309", f"{label} is an empty list", tree.span, fix="list one number per channel"
            )
        values = [self.item.decode(entry, f"an entry of {label}", context) for entry in tree.items]
        return INVALID if any(value is INVALID for value in values) else tuple(values)

    def schema(self) -> Schema:
        one = self.item.schema()
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}]}


@dataclass(frozen=True)
class _Integers:
    """A list of integers: axes, or extents from 1 on."""

    low: int

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, Sequence) or not tree.items:
            return context.report(
                "TL0307",
                f"{label} must be a list of integers, not {describe(tree)}",
                tree.span,
                fix="write e.g. [0, 3, 1, 2]",
            )
        item = integer(self.low, 2**24)
        values = [item.decode(entry, f"an entry of {label}", context) for entry in tree.items]
        return INVALID if any(value is INVALID for value in values) else tuple(values)

    def schema(self) -> Schema:
        return {"type": "array", "items": integer(self.low, 2**24).schema(), "minItems": 1}


@dataclass(frozen=True)
class _Row:
    """One kind of step: its own value, or a block of keys, or both forms; and how the step is made of it."""

    doc: str
    build: Callable[..., steps.PreprocessStep]
    fields: tuple[Field, ...]
    short: str = ""
    """The key that is meant where the value is no block."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if isinstance(tree, Block):
            values = decode_block(tree, self.fields, label, context)
        elif self.short:
            entry = next(field for field in self.fields if field.key == self.short)
            value = entry.type.decode(tree, label, context)
            values = INVALID if value is INVALID else {self.short: value}
        else:
            keys = ", ".join(f"`{field.key}`" for field in self.fields)
            return context.report(
                "TL0307",
                f"{label} must be a block of keys, not {describe(tree)}",
                tree.span,
                fix=f"give {keys}",
            )
        return values if isinstance(values, Invalid) else self.build(**values)

    def schema(self) -> Schema:
        block = block_schema(self.fields)
        if not self.short:
            return block
        entry = next(field for field in self.fields if field.key == self.short)
        return {"anyOf": [entry.type.schema(), block]}


_AXIS = Field("axis", integer(0, 31), "Axis that lists run along.", default="1")
_ANY, _DIVISOR = _Numbers(_Number()), _Numbers(_Number(divisor=True))
_ZERO = Field("zero_point", integer(-(2**15), 2**16), "The integer that stands for 0.", default="0")
_SCALE = Field(
    "scale", _Number(divisor=True, positive=True), "What one step of the integers stands for.", True
)


def _arithmetic(kind: str, value: FieldType, doc: str) -> _Row:
    def build(**values: Any) -> steps.PreprocessStep:
        return steps.Arithmetic(kind=kind, **values)  # type: ignore[arg-type]

    fields = (Field("value", value, "One number, or one per position along the axis.", required=True), _AXIS)
    return _Row(doc, build, fields, "value")


def _from(build: Callable[..., steps.PreprocessStep]) -> Callable[..., steps.PreprocessStep]:
    """`from` is a word of Python, so the dataclasses call it `source`."""

    def make(**values: Any) -> steps.PreprocessStep:
        return build(source=values.pop("from"), **values)

    return make


ROWS: Mapping[str, _Row] = {
    "cast": _Row(
        "The raw input's integer type; exact, and only as the first step.",
        steps.Cast,
        (Field("type", Choice(_RAW_TYPES), "Type of the raw input.", required=True),),
        "type",
    ),
    "add": _arithmetic("add", _ANY, "x + value."),
    "subtract": _arithmetic("subtract", _ANY, "x - value."),
    "multiply": _arithmetic("multiply", _ANY, "x * value."),
    "divide": _arithmetic("divide", _DIVISOR, "x / value."),
    "normalize": _Row(
        "(x - mean) / std: a subtraction, then a division.",
        steps.Normalize,
        (
            Field("mean", _ANY, "What is subtracted; one number or one per channel.", required=True),
            Field("std", _DIVISOR, "What is divided by; one number or one per channel.", required=True),
            _AXIS,
        ),
    ),
    "clip": _Row(
        "Elements are cut to the bounds.",
        steps.Clip,
        (
            Field("lower", _Number(), "Least value.", required=True),
            Field("upper", _Number(), "Largest value.", required=True),
        ),
    ),
    "transpose": _Row(
        "Axes in a new order, e.g. [0, 3, 1, 2] from NHWC to NCHW.",
        steps.Transpose,
        (Field("axes", _Integers(0), "Axis i of the result is axis axes[i] of the operand.", required=True),),
        "axes",
    ),
    "reshape": _Row(
        "The same elements in another shape.",
        _from(steps.Reshape),
        (Field("from", _Integers(1), "Shape before the step, batch included.", required=True),),
    ),
    "resize": _Row(
        "Nearest neighbour: place i of n is place floor(i * m / n) of m.",
        _from(steps.Resize),
        (
            Field("from", _Integers(1), "Extents of the axes before the step.", required=True),
            Field("axes", _Integers(0), "The axes that are resized.", default="[2, 3]"),
        ),
    ),
    "quantize": _Row(
        "round(x / scale) + zero_point, ties to even, cut to the type's range.",
        steps.Quantize,
        (_SCALE, _ZERO, Field("type", Choice(_RAW_TYPES[:2]), "Type of the result.", required=True)),
    ),
    "dequantize": _Row("(x - zero_point) * scale.", steps.Dequantize, (_SCALE, _ZERO)),
}
"""Every step by its key."""


@dataclass(frozen=True)
class Preprocess:
    """The list of steps."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if not isinstance(tree, Sequence) or not tree.items:
            return context.report(
                "TL0307",
                f"{label} must be a list of steps, not {describe(tree)}",
                tree.span,
                fix="write e.g. `- normalize: {mean: 0.5, std: 0.25}`",
            )
        if len(tree.items) > MOST_STEPS:
            return context.report(
                "TL0309", f"{label} lists {len(tree.items)} steps, more than {MOST_STEPS}", tree.span
            )
        found = [_step(item, context) for item in tree.items]
        for place, step in enumerate(found[1:], start=1):
            if isinstance(step, steps.Cast):
                context.report(
                    "TL0317",
                    "`cast` is not the first step",
                    step.span,
                    fix="put it first: it names the raw type",
                )
                found[place] = INVALID
        return INVALID if any(step is INVALID for step in found) else tuple(found)

    def schema(self) -> Schema:
        properties = {key: {"description": row.doc} | row.schema() for key, row in ROWS.items()}
        item = {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": properties,
        }
        return {"type": "array", "items": item, "minItems": 1, "maxItems": MOST_STEPS}


def _step(tree: Tree, context: Context) -> Any:
    known = ", ".join(ROWS)
    if not isinstance(tree, Block):
        return context.report(
            "TL0307",
            f"a step of `preprocess` must be a block of one key, not {describe(tree)}",
            tree.span,
            fix=f"write `- name: value` with one of {known}",
        )
    entries = check_keys(tree, context)
    if len(entries) != 1 or len(entries) != len(tree.entries):
        return context.report(
            "TL0307",
            f"a step of `preprocess` has {len(tree.entries)} keys",
            tree.entries[1][0].span if len(tree.entries) > 1 else tree.span,
            fix="start each step with a dash of its own: the order of steps counts",
        )
    ((key, value),) = entries
    row = ROWS.get(key.text)
    if row is None:
        return context.report(
            "TL0304",
            f"unknown step `{shorten(key.text)}` in `preprocess`",
            key.span,
            fix=f"{did_you_mean(key.text, ROWS)}known steps: {known}",
        )
    step = row.decode(value, f"`{key.text}`", context)
    return INVALID if step is INVALID else _checked(replace(step, span=key.span), key, context)


def _checked(step: steps.PreprocessStep, key: Scalar, context: Context) -> Any:
    """The step, after the checks that concern several keys."""
    problem = None
    if isinstance(step, steps.Clip) and step.lower > step.upper:
        problem = f"the lower bound {step.lower} lies above the upper bound {step.upper}"
    if isinstance(step, steps.Transpose) and sorted(step.axes) != list(range(len(step.axes))):
        problem = f"{list(step.axes)} does not name every axis once"
    if isinstance(step, steps.Resize) and (
        len(step.source) != len(step.axes) or len(set(step.axes)) < len(step.axes)
    ):
        problem = f"{len(step.source)} extents for the axes {list(step.axes)}"
    if isinstance(step, steps.Normalize):
        lengths = {len(values) for values in (step.mean, step.std) if isinstance(values, tuple)}
        if len(lengths) > 1:
            problem = f"`mean` lists {len(step.mean)} numbers and `std` {len(step.std)}"  # type: ignore[arg-type]
    if problem is None:
        return step
    return context.report("TL0317", f"`{key.text}`: {problem}", key.span, fix="correct the step")


def plain_steps(listed: tuple[steps.PreprocessStep, ...]) -> list[dict[str, Any]]:
    """The steps as they are written in a spec, with every key, in plain JSON values."""
    return [{step.kind: _plain(step)} for step in listed]


def _plain(step: steps.PreprocessStep) -> dict[str, Any]:
    values = {entry.name: getattr(step, entry.name) for entry in fields(step)}
    del values["kind"], values["span"]
    if "source" in values:
        values["from"] = values.pop("source")
    return {key: _plain_value(value) for key, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    return str(value) if isinstance(value, Fraction) else value


def read_steps(data: object, label: str) -> tuple[steps.PreprocessStep, ...]:
    """Steps given as Python values in the form of the spec. Raises SpecError with the first mistake."""
    context = Context()
    try:
        found = Preprocess().decode(from_python(data), label, context)
    except TypeError as error:
        raise SpecError("TL0307", f"{label}: {error}", fix="give lists, text and numbers") from None
    if isinstance(found, Invalid):
        first = context.problems[0].error
        raise SpecError(first.code, first.message, fix=first.fix)
    return cast("tuple[steps.PreprocessStep, ...]", found)
