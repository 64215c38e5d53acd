"""A whole torchlean.yaml as frozen values: its models, its defaults, its properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from pytest_torchlean.errors import SourceSpan
from pytest_torchlean.spec.model import Assurance, OnUnknown, PropertySpec, Semantics
from pytest_torchlean.spec.preprocess import PreprocessStep


@dataclass(frozen=True)
class Defaults:
    """The `defaults` block as written; None where it is silent. Already merged into each property."""

    timeout: Fraction | None = None
    semantics: Semantics | None = None
    on_unknown: OnUnknown | None = None
    memory: int | None = None
    assurance: Assurance | None = None


@dataclass(frozen=True)
class InputShapes:
    """What a spec says about dimensions that the model file leaves open; false where it says nothing.

    `shapes` has the whole shape of inputs by name, `dims` the extents of the file's symbols. `places` has
    where each entry stands, and each extent of a shape: ("shapes", "x", 2), ("dims", "seq", None).
    """

    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    dims: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[tuple[str, str, int | None], SourceSpan | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.shapes or self.dims)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal shapes, wherever they are written."""
        return tuple(sorted(self.shapes.items())), tuple(sorted(self.dims.items()))


@dataclass(frozen=True)
class ModelEntry:
    """One model of the `models` block. `shown` is the path relative to the root, for reports."""

    name: str
    path: Path
    shown: str
    span: SourceSpan | None = None
    preprocess: tuple[PreprocessStep, ...] = ()
    """What is done to a raw input before the model sees it; claims are about the raw input."""
    inputs: InputShapes = field(default_factory=InputShapes)


@dataclass(frozen=True)
class Spec:
    """A whole torchlean.yaml. `file` is its path relative to the root, with forward slashes."""

    file: str
    models: Mapping[str, ModelEntry]
    properties: tuple[PropertySpec, ...]
    defaults: Defaults = Defaults()
    sha256: str | None = None
    """The digest of the file's bytes."""
    suffix: str = ""
    """Ends every id, where two versions of a spec run side by side."""

    def item_id(self, prop: PropertySpec) -> str:
        """The id `file::model::name`, as pytest shows it."""
        return f"{self.file}::{prop.model}::{prop.name}{self.suffix}"
