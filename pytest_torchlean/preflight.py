"""Before anything runs: every file that a spec names is there, can be read and fits, else its line is shown.

The same mistakes are found again, one by one, when properties run; here all of a spec come at once, with
the place in the spec, as its other mistakes do.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_torchlean.errors import Finding, ShapeError, SourceSpan, SpecError, SpecErrors, TorchleanError
from pytest_torchlean.files import is_lfs_pointer, read_regular_file
from pytest_torchlean.onnx_import import LoadedModel, load_model
from pytest_torchlean.onnx_import.given import declared_shapes, resolve_shapes
from pytest_torchlean.spec import Spec
from pytest_torchlean.spec.dataset import load_dataset, load_inputs
from pytest_torchlean.spec.document import ModelEntry
from pytest_torchlean.spec.model import (
    PropertySpec,
    RobustnessProperty,
    RuntimeProperty,
    VnnlibProperty,
    second_model,
)
from pytest_torchlean.spec.paths import resolve_inside, shown
from pytest_torchlean.spec.tree import Mapping as TreeMapping
from pytest_torchlean.spec.tree import Scalar, Sequence, Tree, shorten
from pytest_torchlean.spec.yaml_source import MAX_BYTES, SourceText, compose, read_source

MOST_LOADED = 64 << 20
"""Bytes of a model that is read here already; larger ones are only looked at."""


def require_files(spec: Spec, path: Path, root: Path, select: Collection[str] | None = None) -> None:
    """Look into every file that the selected properties of a spec name.

    Raises SpecErrors: a finding for each model and data file that is missing, a folder, a Git LFS pointer,
    not what it should be, or of another shape than the spec says.
    """
    chosen = [prop for prop in spec.properties if select is None or spec.item_id(prop) in select]
    try:
        source = read_source(read_regular_file(path, MAX_BYTES), spec.file)
        tree = compose(source)
    except (OSError, SpecError):
        return  # it was read a moment ago; whoever changed it meanwhile is told by what runs
    look = _Look(source, tree, root, {})
    others = [second_model(prop) for prop in chosen]
    for name in dict.fromkeys([*(prop.model for prop in chosen), *filter(None, others)]):
        look.at_model(name, spec.models[name])
    for prop in chosen:
        look.at_property(prop, spec.models[prop.model])
    if look.findings:
        raise SpecErrors(tuple(sorted(look.findings, key=_place)))


def with_absent_files(errors: SpecErrors, path: Path, root: Path) -> SpecErrors:
    """The mistakes of a spec that cannot be used, and the files it names that are not there."""
    try:
        source = read_source(read_regular_file(path, MAX_BYTES), shown(path, root))
        tree = compose(source)
    except (OSError, SpecError):
        return errors
    look = _Look(source, tree, root, {})
    for scalar, code in _named_files(tree):
        look.at_path(scalar, code, path.parent)
    return SpecErrors(tuple(sorted((*errors.findings, *look.findings), key=_place)))


def _named_files(tree: Tree | None) -> Iterator[tuple[Scalar, str]]:
    """Every path in the tree of a spec, with the code of a file that is not there."""
    models, properties = _value(tree, "models"), _value(tree, "properties")
    for _, entry in models.entries if isinstance(models, TreeMapping) else ():
        yield from _scalar_under(entry, "path", "TL0101")
    for item in properties.items if isinstance(properties, Sequence) else ():
        yield from _scalar_under(item, "data", "TL0401")
        yield from _scalar_under(item, "file", "TL0320")


def _scalar_under(tree: Tree, key: str, code: str) -> Iterator[tuple[Scalar, str]]:
    found = _value(tree, key)
    if isinstance(found, Scalar):
        yield found, code


def _place(finding: Finding) -> tuple[int, int]:
    span = finding.error.span
    return (0, 0) if span is None else (span.line, span.column)


@dataclass(eq=False)
class _Look:
    """What was found so far. shapes: of the only input of each model that could be read."""

    source: SourceText
    tree: Tree | None
    root: Path
    shapes: dict[str, tuple[int, ...]]
    findings: list[Finding] = field(default_factory=list)

    def at_model(self, name: str, entry: ModelEntry) -> None:
        """The model's file, and the shapes that the spec gives it."""
        span = _span(self.tree, "models", name, "path") or entry.span
        try:
            model = _model(entry.path, self.root)
            if model is None:
                return
            shapes = resolve_shapes(model, entry.inputs.shapes, entry.inputs.dims)
        except ShapeError as error:
            placed = error.at(entry.inputs.places.get(error.place) or span)
            self._add(placed, placed.span)
            return
        except TorchleanError as error:
            self._add(self._absent(entry.path, "TL0101") or error, span, _nearest(entry.path))
            return
        if len(declared_shapes(model)) == 1 and len(shapes) == 1 and not entry.preprocess:
            (shape,) = shapes.values()
            if shape and shape[0] == 1:
                self.shapes[name] = shape[1:]

    def at_path(self, scalar: Scalar, code: str, base: Path) -> None:
        """Whether a file stands at a path; what is no path inside the root is another mistake."""
        try:
            place = resolve_inside(scalar.text, base=base, root=self.root)
        except SpecError:
            return
        absent = self._absent(place, code)
        if absent is not None:
            self._add(absent, scalar.span, _nearest(place))

    def at_property(self, prop: PropertySpec, entry: ModelEntry) -> None:
        """The files that a property names, held against the model's input where that is known."""
        if isinstance(prop, VnnlibProperty):
            self._at_vnnlib(prop.file, self._span_of(prop, "file"))
        if not isinstance(prop, RobustnessProperty | RuntimeProperty) or prop.data is None:
            return
        span, shape = self._span_of(prop, "data"), self.shapes.get(prop.model)
        absent = self._absent(prop.data, "TL0401")
        if absent is not None:
            self._add(absent, span, _nearest(prop.data))
            return
        try:
            if shape is None:
                if is_lfs_pointer(_head(prop.data)):
                    raise SpecError("TL0402", f"{prop.data.name} is a Git LFS pointer, not the data")
            elif isinstance(prop, RobustnessProperty):
                load_dataset(prop.data, shape)
            else:
                load_inputs(prop.data, shape)
        except TorchleanError as error:
            self._add(error, span)

    def _at_vnnlib(self, path: Path, span: SourceSpan | None) -> None:
        absent = self._absent(path, "TL0320")
        if absent is not None:
            self._add(absent, span, _nearest(path))
        elif is_lfs_pointer(_head(path)):
            self._add(SpecError("TL0320", f"{path.name} is a Git LFS pointer, not the file"), span)

    def _absent(self, path: Path, code: str) -> SpecError | None:
        """Why no regular file stands at a path; None where one does."""
        name = shorten(shown(path, self.root), 200)
        if path.is_dir():
            return SpecError(code, f"`{name}` is a folder, not a file")
        return None if path.is_file() else SpecError(code, f"there is no file `{name}`")

    def _span_of(self, prop: PropertySpec, key: str) -> SourceSpan | None:
        listed = _value(self.tree, "properties")
        for item in listed.items if isinstance(listed, Sequence) else ():
            if isinstance(item, TreeMapping) and prop.span is not None and _starts(item, prop.span):
                return _span(item, key) or prop.span
        return prop.span

    def _add(self, error: TorchleanError, span: SourceSpan | None, hint: str = "") -> None:
        placed = SpecError(error.code, error.message, fix=hint + error.fix, span=span)
        known = {(finding.error.code, finding.error.span) for finding in self.findings}
        if (placed.code, placed.span) not in known:
            line = None if span is None else self.source.line(span.line)
            self.findings.append(Finding(placed, line))


def _model(path: Path, root: Path) -> LoadedModel | None:
    """The model, None where it is too large to be read twice. Raises ModelError."""
    try:
        large = os.stat(path).st_size > MOST_LOADED
    except OSError:
        large = False
    return None if large else load_model(path, root=root)


def _head(path: Path) -> bytes:
    """The first bytes of a regular file; none where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(512)
    except OSError:
        return b""


def _nearest(path: Path) -> str:
    """ "did you mean `x`? " with the file of the folder whose name is closest to one that is not there."""
    try:
        names = [] if path.exists() else sorted(os.listdir(path.parent))[:1000]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"did you mean `{shorten(close[0])}`? " if close else ""


def _value(tree: Tree | None, *keys: str) -> Tree | None:
    """What stands under these keys, one below the other."""
    for key in keys:
        if not isinstance(tree, TreeMapping):
            return None
        tree = next((value for name, value in tree.entries if name.text == key), None)
    return tree


def _span(tree: Tree | None, *keys: str) -> SourceSpan | None:
    found = _value(tree, *keys)
    return found.span if isinstance(found, Scalar) else None


def _starts(item: TreeMapping, span: SourceSpan) -> bool:
    """Whether the place of a property is that of this block or of its name."""
    places: Mapping[str, SourceSpan | None] = {key.text: key.span for key, _ in item.entries}
    return span in (item.span, *places.values())
