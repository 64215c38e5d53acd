"""When a run begins to build the Lean library before a proof asks for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_torchlean.errors import CheckerError
from pytest_torchlean.model_store import ModelStore

if TYPE_CHECKING:
    from pytest_torchlean.spec.document import InputShapes
    from pytest_torchlean.spec.preprocess import PreprocessStep


class Candidate(NamedTuple):
    """A property that is going to run: its kind and its model."""

    check: str
    model: Path
    preprocess: tuple[PreprocessStep, ...]
    inputs: InputShapes | None


@contextlib.contextmanager
def library_ahead(candidates: Sequence[Candidate], store: ModelStore, lean: Path | None) -> Iterator[None]:
    """Build the Lean library meanwhile, if a property may need it and this user has none."""
    from pytest_torchlean.checker.ahead import Ahead
    from pytest_torchlean.checker.library import has_builds

    try:
        needless = has_builds()
    except CheckerError:
        needless = True  # told where the library is asked for
    if needless or not any(_may_need_lean(candidate, store) for candidate in candidates):
        yield
        return
    store.ahead = Ahead(lean)
    store.ahead.start()
    try:
        yield
    finally:
        store.ahead.stop()
        store.ahead = None


def _may_need_lean(candidate: Candidate, store: ModelStore) -> bool:
    """Whether a property is of a kind that is proved, about a model that can be lowered for a proof."""
    from pytest_torchlean.bounds.lowering import lower_to_program
    from pytest_torchlean.properties import MODULES

    check, model, preprocess, inputs = candidate
    if check == "runtime" or check not in MODULES:
        return False
    try:
        front = store.front(model, preprocess, inputs)
        if front is None:
            lower_to_program(store.graph(model, inputs))
        else:
            lower_to_program(front.graph, front.values)
    except Exception:
        # Of any kind: this is a guess for a head start. The gate lowers the model again where the property
        # runs, and makes what is raised there the verdict of that property alone.
        return False
    return True
