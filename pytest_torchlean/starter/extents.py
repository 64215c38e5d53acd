"""Extents for the dimensions that a model file leaves open, found by trying."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.onnx_import.given import Extent, declared_shapes
from pytest_torchlean.properties.lowering import lower_as_given
from pytest_torchlean.spec.document import InputShapes

_PICTURES = (64, 32, 48, 96, 128, 224, 256, 320, 640)
"""Heights and widths that are tried: small first, because cost grows with them."""
_LENGTHS = (16, 8, 32, 64, 128, 256, 512, 576, 1, 2)
"""Other extents that are tried, such as lengths of sequences."""
_BATCH_WORDS = ("batch", "bs", "n", "b", "none", "unk")
_SECONDS = 20.0


def lower_with_guesses(model: LoadedModel, given: InputShapes) -> tuple[Graph, InputShapes, tuple[str, ...]]:
    """The lowered model, the shapes it was lowered under, and the names of inputs whose extents were guessed.

    Dimensions are guessed only where the file and `given` leave some open beyond the first. Raises what
    lowering raises where no guess helps.
    """
    try:
        return lower_as_given(model, given), given, ()
    except TorchleanError as error:
        first = error
    declared = declared_shapes(model)
    guessed = tuple(name for name, shape in declared.items() if shape and _open(shape, given, name))
    if not guessed:
        raise first
    stop = time.monotonic() + _SECONDS
    refusals: dict[str, TorchleanError] = {}
    for shapes in _candidates(declared, given, guessed):
        try:
            graph = lower_as_given(model, shapes)
        except TorchleanError as error:
            refusals[error.message] = error
            if time.monotonic() > stop:
                break
            continue
        if _runs(model, graph):
            return graph, shapes, guessed
    # where every guess is refused for one reason, that reason stands in the way, not the open dimensions
    raise next(iter(refusals.values())) if len(refusals) == 1 else first


def _open(shape: Sequence[Extent], given: InputShapes, name: str) -> bool:
    """Whether a dimension other than the first is neither fixed nor given."""
    rest = [extent for extent in shape[1:] if not isinstance(extent, int)]
    return name not in given.shapes and any(extent not in given.dims for extent in rest)


def _candidates(
    declared: Mapping[str, Sequence[Extent] | None], given: InputShapes, guessed: Sequence[str]
) -> Iterator[InputShapes]:
    count = max(len(_PICTURES), len(_LENGTHS))
    for turn in range(count):
        picture, length = _PICTURES[turn % len(_PICTURES)], _LENGTHS[turn % len(_LENGTHS)]
        shapes = dict(given.shapes)
        for name in guessed:
            extents = declared[name] or ()
            shapes[name] = tuple(
                _guess(extent, axis, extents, given, picture, length) for axis, extent in enumerate(extents)
            )
        dims = {symbol: extent for symbol, extent in given.dims.items() if _used(symbol, declared, guessed)}
        yield InputShapes(shapes, dims, given.places)


def _used(symbol: str, declared: Mapping[str, Sequence[Extent] | None], guessed: Sequence[str]) -> bool:
    """Whether an input that is not written out has the symbol."""
    return any(symbol in (shape or ()) for name, shape in declared.items() if name not in guessed)


def _guess(
    extent: Extent, axis: int, shape: Sequence[Extent], given: InputShapes, picture: int, length: int
) -> int:
    if isinstance(extent, int):
        return extent
    if extent in given.dims:
        return given.dims[extent or ""]
    if axis == 0 or (extent or "").lower().split("_")[0] in _BATCH_WORDS:
        return 1
    channels_last = isinstance(shape[-1], int)
    spatial = (1, 2) if channels_last else (2, 3)
    return picture if len(shape) == 4 and axis in spatial else length


def _runs(model: LoadedModel, graph: Graph) -> bool:
    """Whether onnxruntime takes zeros of these shapes."""
    import numpy as np

    from pytest_torchlean.runtime import SessionSettings, open_session

    try:
        kinds = {name: graph.types[name] for name in graph.inputs}
        zeros = {name: np.zeros(kind.shape, kind.dtype) for name, kind in kinds.items()}
        open_session(model.data, SessionSettings("none")).run(zeros)
    except TorchleanError:
        return False
    return True
