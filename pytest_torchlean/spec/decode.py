"""torchlean.yaml -> Spec. Every error of the file is found before any is raised."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_torchlean.errors import Finding, SourceSpan, SpecError, SpecErrors
from pytest_torchlean.extensions.registry import NONE, Extensions
from pytest_torchlean.files import read_regular_file, reason
from pytest_torchlean.spec import kinds
from pytest_torchlean.spec.blocks import check_keys, decode_block
from pytest_torchlean.spec.context import INVALID, Context, Invalid, Problem, closest, did_you_mean, listed
from pytest_torchlean.spec.document import Defaults, ModelEntry, Spec
from pytest_torchlean.spec.extension_kinds import kinds_with
from pytest_torchlean.spec.fields import check_name
from pytest_torchlean.spec.formulas import checked_derivatives, checked_names
from pytest_torchlean.spec.kinds import KINDS, MAX_PROPERTIES, Kind
from pytest_torchlean.spec.model import (
    NAME_PATTERN,
    EquivalentProperty,
    LoopProperty,
    PropertySpec,
    RadiusProperty,
    ResidualProperty,
    RobustnessProperty,
)
from pytest_torchlean.spec.paths import shown
from pytest_torchlean.spec.shapes import input_shapes
from pytest_torchlean.spec.tree import Mapping, Scalar, Tree, describe, shorten
from pytest_torchlean.spec.tree import Sequence as TreeSequence
from pytest_torchlean.spec.yaml_source import MAX_BYTES, SourceText, compose, read_source, readable_source

_LOOPS = (kinds.INVARIANT.name, kinds.LYAPUNOV.name)
ROOT_KEYS = ("version", "models", "defaults", "properties")
_NEEDED = {
    "version": "start the file with `version: 1`",
    "models": "name at least one: `models: {digits: {path: models/digits.onnx}}`",
    "properties": "list at least one property",
}


def load_spec(path: Path, root: Path, extensions: Extensions = NONE) -> Spec:
    """Read a spec file. Paths in it are relative to its own folder and stay inside `root`.

    Raises SpecErrors, a SpecError that lists every error of the file with its place.
    """
    file = shown(path, root)
    try:
        data = read_regular_file(path, MAX_BYTES)
    except OSError as error:
        missing = SpecError("TL0301", f"{file} cannot be read: {reason(error)}", span=SourceSpan(file, 1, 1))
        raise SpecErrors((Finding(missing),)) from None
    return decode_spec(data, file=file, base=path.parent, root=root, extensions=extensions)


def decode_spec(data: bytes, *, file: str, base: Path, root: Path, extensions: Extensions = NONE) -> Spec:
    """The spec in `data`, shown under the name `file`, with paths relative to `base` inside `root`.

    Raises SpecErrors as `load_spec` does. Does not read any file that the spec names.
    """
    try:
        source = read_source(data, file)
        tree = compose(source)
    except SpecError as error:
        raise SpecErrors(_findings([Problem(error)], readable_source(data, file))) from None
    context = Context(base=base, root=root, kinds=kinds_with(extensions))
    spec = _root(tree, file, context)
    if context.problems or isinstance(spec, Invalid):
        raise SpecErrors(_findings(context.problems, source))
    return replace(spec, sha256=hashlib.sha256(data).hexdigest())


def _findings(problems: Sequence[Problem], source: SourceText) -> tuple[Finding, ...]:
    def line(span: SourceSpan | None) -> str | None:
        return None if span is None else source.line(span.line)

    def place(problem: Problem) -> tuple[int, int]:
        span = problem.error.span
        return (span.line, span.column) if span is not None else (0, 0)

    ordered = sorted(problems, key=place)
    return tuple(Finding(p.error, line(p.error.span), p.related, line(p.related)) for p in ordered)


def _root(tree: Tree | None, file: str, context: Context) -> Spec | Invalid:
    if tree is None or (isinstance(tree, Scalar) and tree.text in ("", "~", "null") and not tree.quoted):
        return context.report("TL0315", "the spec is empty", SourceSpan(file, 1, 1))
    if not isinstance(tree, Mapping):
        return context.report(
            "TL0307",
            f"a spec is a block of the keys {listed(ROOT_KEYS)}, not {describe(tree)}",
            tree.span,
            fix="start the file with `version: 1`, or run `torchlean init`",
        )
    parts: dict[str, Tree] = {}
    meant: set[str | None] = set()
    for key, value in check_keys(tree, context):
        if key.text in ROOT_KEYS:
            parts[key.text] = value
            continue
        meant.add(closest(key.text, ROOT_KEYS))
        fix = f"{did_you_mean(key.text, ROOT_KEYS)}valid keys: {', '.join(ROOT_KEYS)}"
        context.report(
            "TL0304", f"unknown key `{shorten(key.text)}` at the top of the spec", key.span, fix=fix
        )
    for name, example in _NEEDED.items():
        if name not in parts and name not in meant:
            context.report("TL0306", f"the spec lacks the key `{name}`", tree.span, fix=example)
    _version(parts.get("version"), context)
    defaults = _defaults(parts.get("defaults"), context)
    declared, models = _models(parts.get("models"), context)
    properties = _properties(parts.get("properties"), declared, defaults, context)
    return Spec(file, models, properties, defaults)


def _version(tree: Tree | None, context: Context) -> None:
    if tree is not None and not (isinstance(tree, Scalar) and tree.text == str(kinds.SUPPORTED_VERSION)):
        context.report("TL0316", f"this release reads version 1 of the spec, not {describe(tree)}", tree.span)


def _defaults(tree: Tree | None, context: Context) -> Defaults:
    if tree is None:
        return Defaults()
    if not isinstance(tree, Mapping):
        context.report(
            "TL0307",
            f"`defaults` must be a block of keys, not {describe(tree)}",
            tree.span,
            fix="write e.g. `defaults: {timeout: 60s}`",
        )
        return Defaults()
    values = decode_block(tree, kinds.DEFAULTS_FIELDS, "`defaults`", context, elsewhere=_not_a_default)
    return Defaults() if isinstance(values, Invalid) else Defaults(**values)


def _not_a_default(key: str) -> str | None:
    return "it belongs to a property, not to the defaults" if kinds.home_of(key) else None


def _models(
    tree: Tree | None, context: Context
) -> tuple[dict[str, SourceSpan | None], dict[str, ModelEntry]]:
    """The places of all declared names, and the entries of those that are right."""
    if tree is None:
        return {}, {}
    example = _NEEDED["models"]
    if not isinstance(tree, Mapping):
        context.report(
            "TL0307", f"`models` must be a block of names, not {describe(tree)}", tree.span, fix=example
        )
        return {}, {}
    if not tree.entries:
        context.report("TL0315", "`models` names no model", tree.span, fix=example)
    declared: dict[str, SourceSpan | None] = {}
    models: dict[str, ModelEntry] = {}
    for key, value in check_keys(tree, context):
        declared[key.text] = key.span
        name = check_name(key, "model", context)
        if not isinstance(value, Mapping):
            context.report(
                "TL0307",
                f"model `{shorten(key.text)}` must be a block with the key `path`, not {describe(value)}",
                value.span,
                fix="write e.g. `digits: {path: models/digits.onnx}`",
            )
            continue
        values = decode_block(value, kinds.MODEL_FIELDS, f"model `{shorten(key.text)}`", context)
        if isinstance(name, Invalid) or isinstance(values, Invalid):
            continue
        path: Path = values["path"]
        assert context.root is not None
        steps, inputs = values.get("preprocess", ()), input_shapes(values)
        models[name] = ModelEntry(name, path, shown(path, context.root), key.span, steps, inputs)
    return declared, models


def _properties(
    tree: Tree | None,
    declared: dict[str, SourceSpan | None],
    defaults: Defaults,
    context: Context,
) -> tuple[PropertySpec, ...]:
    if tree is None:
        return ()
    if not isinstance(tree, TreeSequence):
        if isinstance(tree, Scalar) and not tree.text and not tree.quoted:
            context.report("TL0315", "`properties` lists nothing", tree.span)
        else:
            context.report(
                "TL0307",
                f"`properties` must be a list, not {describe(tree)}",
                tree.span,
                fix="start each property with `- name: ...`",
            )
        return ()
    if not tree.items:
        context.report("TL0315", "`properties` lists nothing", tree.span)
    if len(tree.items) > MAX_PROPERTIES:
        context.report(
            "TL0309",
            f"the spec lists {len(tree.items)} properties, more than the limit of {MAX_PROPERTIES}",
            tree.span,
            fix="split it into several torchlean.yaml files",
        )
        return ()
    found = []
    first: dict[tuple[str, str], Scalar] = {}
    for item in tree.items:
        _check_references(item, declared, first, context)
        before = len(context.problems)
        decoded = _property(item, defaults, context)
        if not isinstance(decoded, Invalid):
            found.append(decoded)
        elif len(context.problems) == before:
            raise AssertionError("a property was left out without a word")
    return tuple(found)


def _check_references(
    item: Tree,
    declared: dict[str, SourceSpan | None],
    first: dict[tuple[str, str], Scalar],
    context: Context,
) -> None:
    """Reports a model that is not declared, and a name that the model's properties already use."""
    if not isinstance(item, Mapping):
        return
    scalars = {key.text: value for key, value in reversed(item.entries) if isinstance(value, Scalar)}
    name, model, check = (scalars.get(key) for key in ("name", "model", "check"))
    second = "dynamics" if check is not None and check.text in _LOOPS else "to"
    for used in (model, scalars.get(second)):
        well_formed = used is not None and re.fullmatch(NAME_PATTERN, used.text)
        if declared and used is not None and well_formed and used.text not in declared:
            known = ", ".join(shorten(word) for word in declared)
            fix = f"{did_you_mean(used.text, declared)}declared models: {known}"
            context.report("TL0312", f"`models` declares no `{shorten(used.text)}`", used.span, fix=fix)
    if name is None or model is None:
        return
    key = (model.text, name.text)
    if key in first:
        context.report(
            "TL0311",
            f"model `{shorten(model.text)}` already has a property `{shorten(name.text)}`",
            name.span,
            related=first[key].span,
        )
    first.setdefault(key, name)


def _property(item: Tree, defaults: Defaults, context: Context) -> PropertySpec | Invalid:
    if not isinstance(item, Mapping):
        return context.report(
            "TL0307",
            f"a property must be a block of keys, not {describe(item)}",
            item.span,
            fix="write `- name: ...` with `model`, `check` and the keys of that check below it",
        )
    check = next((value for key, value in item.entries if key.text == "check"), None)
    table = context.kinds or KINDS
    kind = table.get(check.text) if isinstance(check, Scalar) else None
    if kind is None:
        decode_block(item, kinds.common_fields(table), "the property", context, ignore_unknown=True)
        return INVALID
    values = decode_block(
        item,
        kinds.fields_of(kind, table),
        f"check `{kind.name}`",
        context,
        elsewhere=lambda key: kinds.home_of(key, table),
    )
    if isinstance(values, Invalid):
        return values
    del values["check"]
    inherited = {entry.key: getattr(defaults, entry.key) for entry in kinds.DEFAULTS_FIELDS}
    known = {entry.key for entry in kinds.fields_of(kind)}
    for key, value in inherited.items():
        if value is not None and key in known:
            values.setdefault(key, value)
    return build(kind, values, item, context)


def build(kind: Kind, values: dict[str, Any], tree: Mapping, context: Context) -> PropertySpec | Invalid:
    """The dataclass of a decoded block, after the checks that concern several keys."""
    built = kind.build(**values, span=_key_span(tree))
    if isinstance(built, RobustnessProperty) and built.indices is not None and built.limit is not None:
        return context.report(
            "TL0317", "`indices` and `limit` exclude each other", tree.span, fix="keep one of the two"
        )
    if isinstance(built, RadiusProperty) and built.up_to < built.epsilon:
        return context.report(
            "TL0317",
            f"`up_to` is {built.up_to}, below the claimed `epsilon` {built.epsilon}",
            tree.span,
            fix="raise `up_to`: it is the largest radius that is tried",
        )
    if isinstance(built, EquivalentProperty):
        return _equivalent(built, values, tree, context)
    if isinstance(built, LoopProperty):
        return built if checked_names(built, context) else INVALID
    if isinstance(built, ResidualProperty):
        return built if checked_derivatives(built, context) else INVALID
    return built


def _equivalent(
    built: EquivalentProperty, values: dict[str, Any], tree: Mapping, context: Context
) -> PropertySpec | Invalid:
    if (built.tolerance is None) == (built.same is None):
        both = "exclude each other" if built.same else "are both missing"
        return context.report(
            "TL0317",
            f"`tolerance` and `same` {both}",
            tree.span,
            fix="give one of the two: `tolerance: 1/100`, or `same: class`",
        )
    if "margin" in values and built.same is None:
        return context.report(
            "TL0317", "`margin` belongs to `same: class`", tree.span, fix="remove it, or write `same: class`"
        )
    if built.model and built.model == built.to:
        return context.report(
            "TL0317", f"`to` names the model itself, `{built.to}`", tree.span, fix="name another model"
        )
    return built


def _key_span(tree: Mapping) -> SourceSpan | None:
    """Where the block starts: its first key."""
    return tree.entries[0][0].span if tree.entries else tree.span
