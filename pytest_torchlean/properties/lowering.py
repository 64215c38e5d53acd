"""The graph of a model under the shapes that its spec gives."""

from __future__ import annotations

from pytest_torchlean.errors import ShapeError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import printable
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.onnx_import.given import resolve_shapes
from pytest_torchlean.spec.document import InputShapes


def lower_as_given(model: LoadedModel, given: InputShapes, batch: int | None = None) -> Graph:
    """The lowered model. Raises ModelError, UnsupportedError, ShapeError TL034x with its place."""
    if not given and batch is None:
        return lower(model)
    try:
        return lower(model, shapes=resolve_shapes(model, given.shapes, given.dims, batch))
    except ShapeError as error:
        raise error.at(given.places.get(error.place)) from None


def shapes_text(graph: Graph) -> str:
    """The shapes of all inputs: `x[1, 3, 224, 224], mask[1, 16]`, names escaped."""
    return ", ".join(f"{printable(name)}{list(graph.types[name].shape)}" for name in graph.inputs)
