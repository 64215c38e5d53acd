"""Expressions as values of a spec: read where they stand, so that a mistake is shown at its character."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_torchlean.errors import SourceSpan, SpecError
from pytest_torchlean.spec.blocks import Schema, check_keys
from pytest_torchlean.spec.context import INVALID, Context, Invalid
from pytest_torchlean.spec.expressions import (
    Expression,
    ExpressionError,
    names_in,
    read_expression,
    read_inequality,
)
from pytest_torchlean.spec.expressions.syntax import FUNCTIONS, MOST_CHARACTERS, NAME
from pytest_torchlean.spec.fields import Name, check_name
from pytest_torchlean.spec.model import (
    Formula,
    InvariantProperty,
    LoopProperty,
    LyapunovProperty,
    NextState,
    ResidualProperty,
)
from pytest_torchlean.spec.tree import Mapping, Scalar, Tree, describe, shorten
from pytest_torchlean.spec.tree import Sequence as TreeSequence

_MOST = 256
_TEXT: Schema = {
    "anyOf": [{"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}, {"type": "number"}]
}
_NAME: Schema = {"type": "string", "pattern": f"^{NAME.pattern}$"}


@dataclass(frozen=True)
class FormulaText:
    """An expression, or an inequality of two."""

    inequality: bool = False

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        what = "an inequality" if self.inequality else "an expression"
        if not isinstance(tree, Scalar) or not tree.text.strip():
            return context.report(
                "TL0307",
                f"{label} must be {what}, not {describe(tree)}",
                tree.span,
                fix="write e.g. x + v/10",
            )
        read = read_inequality if self.inequality else read_expression
        try:
            read(tree.text)
        except ExpressionError as error:
            return context.report_error(error_at(error, Formula(tree.text, tree.span), label))
        return Formula(tree.text, tree.span)

    def schema(self) -> Schema:
        return dict(_TEXT)


@dataclass(frozen=True)
class InequalityList:
    """At least one inequality."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        return _list(tree, label, context, FormulaText(inequality=True), "[x + v <= 1]")

    def schema(self) -> Schema:
        return {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "maxItems": _MOST,
        }


@dataclass(frozen=True)
class NameList:
    """Different names for expressions, at least one."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        names = _list(tree, label, context, _Name(), "[u]")
        if isinstance(names, Invalid):
            return names
        for place, name in enumerate(names):
            if name in names[:place]:
                return context.report("TL0309", f"{label} lists `{name}` twice", tree.span)
        return names

    def schema(self) -> Schema:
        return {"type": "array", "items": _NAME, "minItems": 1, "maxItems": _MOST, "uniqueItems": True}


@dataclass(frozen=True)
class NextStates:
    """A block of names, each with the expression of its next value; or the name of a model."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if isinstance(tree, Scalar) and tree.text.strip():
            return check_name(tree, "model", context)
        if not isinstance(tree, Mapping) or not 1 <= len(tree.entries) <= _MOST:
            return context.report(
                "TL0307",
                f"{label} must be a block of 1 to {_MOST} names with expressions, or the name of a model, "
                f"not {describe(tree)}",
                tree.span,
                fix="write e.g. {x: x + v/10, v: v + u/10}",
            )
        found = []
        for key, value in check_keys(tree, context):
            name = _Name().decode(key, f"a name in {label}", context)
            formula = FormulaText().decode(value, f"`{shorten(key.text)}` in {label}", context)
            found.append(INVALID if INVALID in (name, formula) else NextState(name, formula))
        return INVALID if INVALID in found else tuple(found)

    def schema(self) -> Schema:
        block = {
            "type": "object",
            "minProperties": 1,
            "maxProperties": _MOST,
            "propertyNames": _NAME,
            "additionalProperties": _TEXT,
        }
        return {"anyOf": [block, Name("model").schema()]}


@dataclass(frozen=True)
class _Name:
    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        if isinstance(tree, Scalar) and NAME.fullmatch(tree.text) and tree.text not in FUNCTIONS:
            return tree.text
        return context.report(
            "TL0309",
            f"{label} must be letters, digits and `_`, and no function, not {describe(tree)}",
            tree.span,
            fix="write e.g. x, v_1 or theta",
        )


def _list(tree: Tree, label: str, context: Context, item: Any, example: str) -> Any:
    if not isinstance(tree, TreeSequence):
        return context.report(
            "TL0307", f"{label} must be a list, not {describe(tree)}", tree.span, fix=f"write e.g. {example}"
        )
    if not 1 <= len(tree.items) <= _MOST:
        return context.report("TL0309", f"{label} must list 1 to {_MOST} entries", tree.span)
    values = [item.decode(entry, f"an entry of {label}", context) for entry in tree.items]
    return INVALID if any(value is INVALID for value in values) else tuple(values)


def error_at(error: ExpressionError, formula: Formula, label: str, code: str = "TL0360") -> SpecError:
    """The error at its character of the file, and with its column in the text where that is not known."""
    span, at = formula.span, min(error.at, len(formula.text))
    start = None
    if span is not None and "\n" not in formula.text:
        start = {len(formula.text): 0, len(formula.text) + 2: 1}.get(span.length)
    if span is not None and start is not None:
        span = SourceSpan(span.file, span.line, span.column + start + at)
    text = shorten(formula.text)
    return SpecError(code, f"{label}: {error}, at column {at + 1} of `{text}`", fix=error.fix, span=span)


def checked_names(prop: LoopProperty, context: Context) -> bool:
    """Whether every formula reads only names that it may; others are reported."""
    states = list(prop.states)
    before = len(context.problems)
    named = "`dynamics`" if prop.formulas else "`state`"
    if prop.formulas and prop.state is not None:
        message = "`state` names what a model of the dynamics gives; here `dynamics` has names of its own"
        context.report("TL0317", message, prop.span, fix="remove `state`")
    if not prop.formulas and prop.state is None:
        message = f"`dynamics` names the model `{shorten(str(prop.dynamics))}`, but `state` is missing"
        fix = "name its elements, e.g. `state: [x, v]`; or give expressions: {x: x + v/10, v: v + u/10}"
        context.report("TL0306", message, prop.span, fix=fix)
        return False
    for name in prop.control or ():
        if name in states:
            context.report("TL0309", f"`control` and {named} both name `{name}`", prop.span)
    controls = None if prop.control is None else list(prop.control)
    for each in prop.formulas:
        tree = read_expression(each.formula.text)
        _require_names(each.formula, tree, f"`{each.name}` in `dynamics`", states, controls, context)
    for formula, tree, label in _of_states(prop):
        _require_names(formula, tree, label, states, [], context)
    return len(context.problems) == before


def checked_derivatives(prop: ResidualProperty, context: Context) -> bool:
    """Whether the residual reads only inputs, outputs and derivatives of first and second order."""
    before = len(context.problems)
    for name in {*prop.inputs} & {*prop.outputs}:
        context.report("TL0309", f"`inputs` and `outputs` both name `{name}`", prop.span)
    for name, at in names_in(read_expression(prop.residual.text)).items():
        readings = _readings(name, prop)
        if len(readings) > 1:
            error = ExpressionError(
                f"`{name}` can be read in {len(readings)} ways", at, "rename inputs or outputs"
            )
            context.report_error(error_at(error, prop.residual, "`residual`", "TL0361"))
            continue
        if readings:
            continue
        example = f"{prop.outputs[0]}_{prop.inputs[0]}"
        known = ", ".join([*prop.inputs, *prop.outputs])
        fix = f"the names are {known}, and derivatives such as {example}, {example}{prop.inputs[0]}"
        error = ExpressionError(f"`{name}` is not known here", at, fix)
        context.report_error(error_at(error, prop.residual, "`residual`", "TL0361"))
    return len(context.problems) == before


def _readings(name: str, prop: ResidualProperty) -> set[object]:
    """What a name may stand for: an input, or outputs with the inputs along which they are differentiated."""
    found: set[object] = {name} if name in prop.inputs else set()
    for place, output in enumerate(prop.outputs):
        if name == output:
            found.add((place, ()))
        elif name.startswith(output + "_"):
            along = _along(name[len(output) + 1 :], prop.inputs, 2)
            found.update((place, tuple(sorted(one))) for one in along)
    return found


def derivative_of(name: str, prop: ResidualProperty) -> tuple[int, tuple[int, ...]] | None:
    """The output that a name is about, and the inputs along which it is differentiated, at most two.

    `u` is an output, `u_x` its derivative along x, `u_xt` and `u_x_t` along x and t. None for other names.
    """
    for place, output in enumerate(prop.outputs):
        if name == output:
            return place, ()
        if name.startswith(output + "_"):
            for along in _along(name[len(output) + 1 :], prop.inputs, 2):
                return place, tuple(sorted(along))
    return None


def _along(text: str, inputs: Sequence[str], most: int) -> Iterator[tuple[int, ...]]:
    """The ways to read names of inputs one after the other."""
    for place, name in enumerate(inputs):
        if text == name:
            yield (place,)
        elif most > 1 and text.startswith(name):
            for rest in _along(text[len(name) :].removeprefix("_"), inputs, most - 1):
                yield (place, *rest)


def _of_states(prop: LoopProperty) -> list[tuple[Formula, Expression, str]]:
    if isinstance(prop, LyapunovProperty):
        return [(prop.function, read_expression(prop.function.text), "`function`")]
    if isinstance(prop, InvariantProperty):
        label = "an entry of `constraints`"
        return [(formula, read_inequality(formula.text), label) for formula in prop.constraints]
    return []


def _require_names(
    formula: Formula,
    tree: Expression,
    label: str,
    states: list[str],
    controls: Collection[str] | None,
    context: Context,
) -> None:
    """controls: None where the model decides how many there are."""
    for name, at in names_in(tree).items():
        may_be = controls is None and (name == "u" or (name[0] == "u" and name[1:].isdigit()))
        if name in states or name in (controls or ()) or may_be:
            continue
        known = ", ".join([*states, *(["u"] if controls is None else controls)])
        error = ExpressionError(f"`{name}` is not known here", at, f"the names are {known}")
        context.report_error(error_at(error, formula, label, "TL0361"))
