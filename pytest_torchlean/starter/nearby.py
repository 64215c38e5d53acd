"""Data and VNN-LIB files that lie beside a model and fit it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential.samples import only_input, row_shape
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.spec.dataset import Dataset, check_labels, load_dataset, load_inputs
from pytest_torchlean.starter.look import classes

_FOLDERS = (".", "data", "test", "tests", "specs", "vnnlib")
_MOST_FILES = 20
"""Files of one kind that are looked into."""


@dataclass(frozen=True, eq=False)
class Found:
    """Files that fit, relative to the spec's folder.

    labelled: an npz file with inputs and labels, and these. unlabelled: one with inputs alone, and these.
    """

    labelled: tuple[str, Dataset] | None = None
    unlabelled: tuple[str, NDArray[np.float32]] | None = None
    vnnlib: str | None = None


def files_nearby(model: Path, folder: Path, graph: Graph) -> Found:
    """What lies beside the model or the spec, and in the usual folders there; the first that fits."""
    labelled = unlabelled = None
    if only_input(graph) is not None:
        for path in _listed(model, folder, "*.npz"):
            try:
                data = load_dataset(path, row_shape(graph))
                check_labels(data.labels, classes(graph), path)
            except TorchleanError:
                data = None
            if data is not None and len(data):
                labelled = (path.relative_to(folder).as_posix(), data)
                break
            unlabelled = unlabelled or _inputs(path, folder, graph)
    vnnlib = next(iter(_listed(model, folder, "*.vnnlib")), None)
    return Found(labelled, unlabelled, None if vnnlib is None else vnnlib.relative_to(folder).as_posix())


def _inputs(path: Path, folder: Path, graph: Graph) -> tuple[str, NDArray[np.float32]] | None:
    try:
        inputs = load_inputs(path, row_shape(graph))
    except TorchleanError:
        return None
    return (path.relative_to(folder).as_posix(), inputs) if len(inputs) else None


def _listed(model: Path, folder: Path, pattern: str) -> Iterator[Path]:
    """Regular files below the spec's folder, in a fixed order, at most _MOST_FILES."""
    seen: dict[Path, None] = {}
    for start in (model.parent, folder):
        for name in _FOLDERS:
            place = (start / name).resolve()
            if place.is_dir() and place.is_relative_to(folder):
                seen.update(dict.fromkeys(sorted(place.glob(pattern))))
    chosen = [path for path in seen if path.is_file() and path.resolve().is_relative_to(folder)]
    yield from chosen[:_MOST_FILES]
