"""The preprocessing of a spec as a function, for tests that hold the deployed one against it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.discovery import load_extensions
from pytest_torchlean.errors import DataError, SpecError
from pytest_torchlean.evaluator import run
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.preprocessing import Front
from pytest_torchlean.spec import load_spec

Array = NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """What `preprocess` of a model does to raw inputs, bit for bit as claims about it have it."""

    front: Front

    @property
    def words(self) -> tuple[str, ...]:
        """Every step in words."""
        return self.front.words

    def __call__(self, raw: Array) -> Array:
        """The model's inputs for raw ones: an array of one raw input's shape, or of many along a first axis
        that is 1 for one. Its dtype is the type that `cast` names, else float32.

        Raises DataError TL0450 for another shape or dtype.
        """
        graph = self.front.alone_graph
        (name,) = graph.inputs
        shape, integers = graph.types[name].shape, self.front.integers
        wanted = "float32" if integers is None else integers.type
        many = shape[:1] == (1,) and raw.ndim == len(shape) and raw.shape[1:] == shape[1:] and len(raw) > 0
        if raw.dtype.name != wanted or not (many or raw.shape == shape):
            raise DataError(
                "TL0450",
                f"raw inputs are {wanted}{list(shape)}, but got {raw.dtype.name}{list(raw.shape)}",
            )
        parts = raw.reshape(-1, *shape).astype(np.float32)
        return np.concatenate([run(graph, {name: part})[0] for part in parts])


def preprocessing_of(spec: str | Path, model: str, *, root: str | Path | None = None) -> Preprocessing:
    """The preprocessing of a model in a torchlean.yaml, e.g. `preprocessing_of("torchlean.yaml", "digits")`.

    root: the folder that paths of the spec may not leave; the current one unless given. Raises SpecError
    TL0312 for a model that the spec does not declare, TL0306 for one without preprocessing, TL0319, and
    ModelError.
    """
    top = Path.cwd() if root is None else Path(root).resolve()
    extensions = load_extensions()
    loaded = load_spec(Path(spec).resolve(), top, extensions)
    if model not in loaded.models:
        raise SpecError("TL0312", f"{loaded.file} declares no model {model!r}")
    entry = loaded.models[model]
    front = ModelStore(top, extensions).front(entry.path, entry.preprocess, entry.inputs)
    if front is None:
        raise SpecError("TL0306", f"model {model!r} of {loaded.file} lacks the key `preprocess`")
    return Preprocessing(front)
