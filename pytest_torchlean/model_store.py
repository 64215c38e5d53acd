"""The models of one run: bytes read once, lowered once for each choice of shapes."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_torchlean.errors import ShapeError, TorchleanError
from pytest_torchlean.extensions.registry import NONE, Extensions
from pytest_torchlean.results import OtherModelResult

if TYPE_CHECKING:
    from pytest_torchlean.cache.store import Store
    from pytest_torchlean.checker.ahead import Ahead
    from pytest_torchlean.ir.graph import Graph
    from pytest_torchlean.onnx_import import LoadedModel
    from pytest_torchlean.preprocessing import Front
    from pytest_torchlean.spec.document import InputShapes, ModelEntry
    from pytest_torchlean.spec.preprocess import PreprocessStep

T = TypeVar("T")


class ModelStore:
    """The models of one run. Each file is read once, so every property judges the same bytes.

    `cache` holds what earlier runs found; None for a run that neither reads nor writes it. `executor` is
    where parts of boxes are bounded; that of an extension comes before it.
    A failure to read or lower is remembered and raised again.
    """

    def __init__(
        self,
        root: Path,
        extensions: Extensions = NONE,
        cache: Store | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.root = root
        given = extensions.executor
        self.ahead: Ahead | None = None
        """The library's build, where a run began it before a proof asks for it."""
        self.executor: Executor | None = executor if given is None else given.it
        self.extensions = extensions
        self.cache = cache
        self._loaded: dict[Path, LoadedModel | TorchleanError] = {}
        self._graphs: dict[tuple[object, ...], Graph | TorchleanError] = {}
        self._fronts: dict[tuple[object, ...], Front | TorchleanError] = {}

    def model(self, path: Path) -> LoadedModel:
        """The model's bytes. Raises ModelError."""
        from pytest_torchlean.onnx_import import load_model

        if path not in self._loaded:
            try:
                loaded = load_model(path, root=self.root)
                self._loaded[path] = replace(loaded, operators=self.extensions.operators)
            except TorchleanError as error:
                self._loaded[path] = error
        return _value(self._loaded[path])

    def graph(self, path: Path, inputs: InputShapes | None = None) -> Graph:
        """The lowered model, under the given shapes. Raises ModelError, UnsupportedError or ShapeError."""
        from pytest_torchlean.properties.lowering import lower_as_given
        from pytest_torchlean.spec.document import InputShapes

        given = inputs or InputShapes()
        key = (path, given.key)
        if key not in self._graphs:
            try:
                self._graphs[key] = lower_as_given(self.model(path), given)
            except ShapeError:
                raise
            except TorchleanError as error:
                self._graphs[key] = error
        return _value(self._graphs[key])

    def shapes(self, path: Path, inputs: InputShapes) -> dict[str, tuple[int, ...]] | None:
        """The shape of every input of a graph that was lowered; None where it was not."""
        graph = self._graphs.get((path, inputs.key))
        if graph is None or isinstance(graph, TorchleanError):
            return None
        return {name: graph.types[name].shape for name in graph.inputs}

    def front(
        self, path: Path, steps: tuple[PreprocessStep, ...], inputs: InputShapes | None = None
    ) -> Front | None:
        """The preprocessing ahead of the model; None without steps. SpecError, and what `graph` raises."""
        if not steps:
            return None
        from pytest_torchlean.preprocessing import compose

        key = (path, steps, inputs.key if inputs else ())
        if key not in self._fronts:
            try:
                self._fronts[key] = compose(self.model(path), self.graph(path, inputs), steps)
            except TorchleanError as error:
                self._fronts[key] = error
        return _value(self._fronts[key])

    def described(self, entry: ModelEntry) -> OtherModelResult:
        """A second model for the record."""
        from pytest_torchlean.spec.preprocess import words

        return OtherModelResult(
            name=entry.name,
            path=entry.shown,
            sha256=self.sha256(entry.path),
            preprocess=tuple(words(step) for step in entry.preprocess),
            shapes=self.shapes(entry.path, entry.inputs) if entry.inputs else None,
        )

    def sha256(self, path: Path) -> str | None:
        """The digest of the bytes that were judged; None where none were read."""
        loaded = self._loaded.get(path)
        return None if loaded is None or isinstance(loaded, TorchleanError) else loaded.sha256


def _value(stored: T | TorchleanError) -> T:
    if isinstance(stored, TorchleanError):
        raise stored
    return stored
