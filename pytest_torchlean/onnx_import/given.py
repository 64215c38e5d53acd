"""Shapes that a spec gives for inputs whose dimensions the file leaves open, held against the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx

from pytest_torchlean.errors import ShapeError, UnsupportedError
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.onnx_import.reader import LoadedModel

Extent = int | str | None
"""A dimension as the file declares it: its extent, its symbol, or None where it has neither."""


def declared_shapes(model: LoadedModel) -> dict[str, tuple[Extent, ...] | None]:
    """The declared shape of every tensor input that is not an initialiser; None where the file has none."""
    graph = onnx.ModelProto.FromString(model.data).graph
    stored = {tensor.name for tensor in graph.initializer}
    shapes: dict[str, tuple[Extent, ...] | None] = {}
    for value in graph.input:
        if value.name in stored or not value.type.HasField("tensor_type"):
            continue
        tensor = value.type.tensor_type
        shapes[value.name] = (
            tuple(_extent(item) for item in tensor.shape.dim) if tensor.HasField("shape") else None
        )
    return shapes


def _extent(dimension: onnx.TensorShapeProto.Dimension) -> Extent:
    if dimension.HasField("dim_value") and dimension.dim_value >= 0:
        return int(dimension.dim_value)
    return dimension.dim_param or None


def resolve_shapes(
    model: LoadedModel,
    shapes: Mapping[str, Sequence[int]],
    dims: Mapping[str, int],
    batch: int | None = None,
) -> dict[str, tuple[int, ...]]:
    """The shape of each input, by what is given and by the file; one without any shape is left out.

    shapes: by input. dims: extents by the file's symbols. A symbol has one extent in all inputs, whichever
    of both gives it. batch: the extent of the first dimension of every input where the file leaves it open,
    whatever else was given for it. An open first dimension is 1 where nothing says otherwise.

    Raises ShapeError TL0340 for a name that the file does not have, TL0341 for another number of dimensions,
    TL0342 for a fixed dimension, TL0343 for a symbol with two extents, TL0344 for a batch size that the
    model does not leave open; UnsupportedError TL0203 where a dimension stays open.
    """
    declared = declared_shapes(model)
    bound = _bound(declared, shapes, dims)
    if batch is not None:
        bound |= _batch(declared, batch)
    resolved = {}
    missing: list[str] = []
    for name, extents in declared.items():
        given = shapes.get(name)
        if extents is None:
            if given is not None:
                resolved[name] = tuple(given)
            continue
        shape = [
            _resolved(extent, axis, None if given is None else given[axis], bound, batch)
            for axis, extent in enumerate(extents)
        ]
        open_axes = [axis for axis, extent in enumerate(shape) if extent is None]
        missing += [
            f"  input {quoted(name)}: dimension {axis} of {_shown(extents)} has no extent"
            for axis in open_axes
        ]
        resolved[name] = tuple(extent or 0 for extent in shape)
    if missing:
        lines = "\n".join(missing)
        raise UnsupportedError(
            "TL0203", f"dimensions are still open; give `shapes` or `dims` for them:\n{lines}"
        )
    return resolved


def _bound(
    declared: Mapping[str, tuple[Extent, ...] | None],
    shapes: Mapping[str, Sequence[int]],
    dims: Mapping[str, int],
) -> dict[str, int]:
    """The extent of each symbol. Raises ShapeError."""
    symbols = dict.fromkeys(
        extent for extents in declared.values() for extent in extents or () if isinstance(extent, str)
    )
    for symbol in dims:
        if symbol not in symbols:
            known = ", ".join(map(quoted, symbols)) or "none"
            raise ShapeError(
                "TL0340",
                f"no input has a dimension {quoted(symbol)}; the file's open dimensions are {known}",
                ("dims", symbol, None),
            )
    bound = dict(dims)
    for name, given in shapes.items():
        if name not in declared:
            known = ", ".join(map(quoted, declared)) or "none"
            raise ShapeError(
                "TL0340", f"the model has no input {quoted(name)}; it has {known}", ("shapes", name, None)
            )
        extents = declared[name]
        if extents is None:
            continue
        if len(given) != len(extents):
            raise ShapeError(
                "TL0341",
                f"input {quoted(name)} has {len(extents)} dimensions in the file, {_shown(extents)}, "
                f"not {len(given)}",
                ("shapes", name, None),
            )
        for axis, (extent, wanted) in enumerate(zip(extents, given, strict=True)):
            place = ("shapes", name, axis)
            if isinstance(extent, int) and extent != wanted:
                raise ShapeError(
                    "TL0342",
                    f"input {quoted(name)}: the file fixes dimension {axis} to {extent}, not {wanted}",
                    place,
                )
            if isinstance(extent, str) and bound.setdefault(extent, wanted) != wanted:
                raise ShapeError(
                    "TL0343",
                    f"input {quoted(name)}: dimension {axis} is {quoted(extent)}, which is given as "
                    f"{bound[extent]} elsewhere, not {wanted}",
                    place,
                )
    return bound


def _batch(declared: Mapping[str, tuple[Extent, ...] | None], batch: int) -> dict[str, int]:
    """The symbols of first dimensions, bound to the batch size. Raises ShapeError TL0344."""
    first = [extents[0] for extents in declared.values() if extents]
    if all(isinstance(extent, int) for extent in first) and any(extent != batch for extent in first):
        fixed = ", ".join(str(extent) for extent in dict.fromkeys(first)) or "nothing"
        raise ShapeError(
            "TL0344",
            f"batch size {batch}: the model's first dimension is fixed to {fixed}",
            ("batch", str(batch), None),
        )
    return {extent: batch for extent in first if isinstance(extent, str)}


def _resolved(
    extent: Extent, axis: int, given: int | None, bound: Mapping[str, int], batch: int | None
) -> int | None:
    if isinstance(extent, int):
        return extent
    if isinstance(extent, str) and extent in bound:
        return bound[extent]
    if axis == 0 and batch is not None:
        return batch
    if given is not None:
        return given
    return 1 if axis == 0 else None


def _shown(extents: Sequence[Extent]) -> str:
    words = (
        "?" if extent is None else quoted(extent) if isinstance(extent, str) else str(extent)
        for extent in extents
    )
    return f"[{', '.join(words)}]"
