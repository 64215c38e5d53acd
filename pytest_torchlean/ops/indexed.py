"""Operations that copy elements to places that integers choose: Expand, Tile, Pad, Take, GatherElements,
GatherND, ScatterElements, ScatterND, Trilu, Where, ReverseSequence, OneHot.

They keep every bit. Certificates speak of them where the integers (and the condition of Where) are constants.
Indices count from the end where they are negative; one out of range has no meaning. Where two updates of a
scatter meet, the last one stays; ONNX leaves that open, so certificates do not speak of it. Take is ONNX's
Gather at indices that are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ZERO, AffineBlock, AffineStep, IndexStep, Step
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    DomainError,
    OpRule,
    ShapeError,
    Types,
    broadcast,
    exactly_rounded,
    integer,
    integers,
    positions,
    same_types,
    typed,
)

Operands = Sequence[Any]
"""Values of a node's operands: data as numbers or as positions, integers as they are."""
Move = Callable[[Node, Operands, int], Array]
"""What a node does with its operands; the last argument stands for the number zero."""

INDEX = ("int64", "int32")


def moving(infer: Callable[[Node, Types], tuple[ValueType, ...]], move: Move, data: Sequence[int]) -> OpRule:
    """The rules of an operation that only copies elements of the operands numbered `data`."""

    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        return (np.ascontiguousarray(move(node, list(inputs), 0)).reshape(_shape(node, inputs)),)

    def _shape(node: Node, inputs: Arrays) -> tuple[int, ...]:
        types = [None if x is None else ValueType(x.dtype.name, x.shape) for x in inputs]
        return infer(node, types)[0].shape

    def step(node: Node, graph: Graph) -> Step | str:
        operands: list[Any] = []
        sources: dict[str, int] = {}
        offset = 0
        for number, name in enumerate(node.inputs):
            if number in data and name:
                if name not in sources:
                    sources[name] = offset
                    offset += graph.types[name].size
                operands.append(positions(graph.types[name].shape, sources[name]))
            elif name and name not in graph.constants:
                return "where it takes its elements from is computed"
            else:
                operands.append(graph.constants[name] if name else None)
        index = np.asarray(move(node, operands, ZERO), dtype=np.int64).reshape(-1)
        if (index != ZERO).all():
            return IndexStep(tuple(sources), index)
        one = np.ones((1, 1), dtype=np.float32)
        return AffineStep(
            tuple(sources), (AffineBlock(one, None, index[:, None], positions((index.size, 1))),)
        )

    return OpRule(infer, evaluate, exactly_rounded, step, data_movement=True)


def present(kind: ValueType | None) -> ValueType:
    """The type of an operand of any dtype that must be there."""
    if kind is None:
        raise ShapeError("an operand is missing")
    return kind


def in_range(index: Any, extent: int) -> Any:
    """Indices counted from the start. DomainError where one is out of range."""
    if ((index < -extent) | (index >= extent)).any():
        raise DomainError(f"an index is out of range for extent {extent}")
    return np.where(index < 0, index + extent, index).astype(np.int64)


def axis_in(node: Node, kind: ValueType) -> int:
    """The node's axis, which must be one of the operand's."""
    axis = integer(node, "axis")
    if not 0 <= axis < len(kind.shape):
        raise ShapeError(f"axis {axis} is not an axis of shape {kind.shape}")
    return axis


# --- Expand, Tile, Pad, Trilu -----------------------------------------------------------------------


def _infer_expand(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = present(types[0])
    return (ValueType(x.dtype, broadcast([x.shape, integers(node, "shape")])),)


def _expand(node: Node, inputs: Operands, zero: int) -> Array:
    x = inputs[0]
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, integers(node, "shape")))


def _infer_tile(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, repeats = present(types[0]), integers(node, "repeats")
    if len(repeats) != len(x.shape) or min(repeats, default=0) < 0:
        raise ShapeError(f"repeats {repeats} do not fit shape {x.shape}")
    return (ValueType(x.dtype, tuple(a * b for a, b in zip(x.shape, repeats, strict=True))),)


def _tile(node: Node, inputs: Operands, zero: int) -> Array:
    return np.asarray(np.tile(inputs[0], integers(node, "repeats")))


_MODES = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def _infer_pad(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, pads, mode = present(types[0]), integers(node, "pads"), node.attribute("mode")
    rank = len(x.shape)
    if len(pads) != 2 * rank:
        raise ShapeError(f"pads {pads} do not fit shape {x.shape}")
    if len(types) > 1 and types[1] is not None and (types[1].size != 1 or types[1].dtype != x.dtype):
        raise ShapeError("the padding value is not one number of the operand's dtype")
    shape = tuple(extent + pads[axis] + pads[axis + rank] for axis, extent in enumerate(x.shape))
    if min(shape, default=0) < 0:
        raise ShapeError(f"pads {pads} leave less than nothing of shape {x.shape}")
    for axis, extent in enumerate(x.shape):
        before, after = max(pads[axis], 0), max(pads[axis + rank], 0)
        if mode != "constant" and (before or after) and extent + min(pads[axis], 0, pads[axis + rank]) < 1:
            raise ShapeError("an axis without elements cannot be padded from itself")
    if mode != "constant" and mode not in _MODES:
        raise ShapeError(f"mode {mode!r} is not known")
    return (ValueType(x.dtype, shape),)


def _pad(node: Node, inputs: Operands, zero: int) -> Array:
    """Negative pads crop first, as onnxruntime does."""
    x, pads = inputs[0], integers(node, "pads")
    rank = x.ndim
    crop = tuple(
        slice(max(-pads[axis], 0), x.shape[axis] - max(-pads[axis + rank], 0)) for axis in range(rank)
    )
    widths = [(max(pads[axis], 0), max(pads[axis + rank], 0)) for axis in range(rank)]
    mode = str(node.attribute("mode"))
    if mode != "constant":
        return np.asarray(np.pad(x[crop], widths, mode=_MODES[mode]))  # type: ignore[call-overload]
    value = inputs[1].reshape(()) if len(inputs) > 1 and inputs[1] is not None else zero
    return np.asarray(np.pad(x[crop], widths, constant_values=value))


def _infer_trilu(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = present(types[0])
    if len(x.shape) < 2:
        raise ShapeError(f"the operand has shape {x.shape}, which is no matrix")
    return (x,)


def _trilu(node: Node, inputs: Operands, zero: int) -> Array:
    x, k = inputs[0], integer(node, "k")
    rows, columns = np.arange(x.shape[-2])[:, None], np.arange(x.shape[-1])
    kept = columns - rows >= k if integer(node, "upper") else columns - rows <= k
    return np.where(kept, x, np.asarray(zero, dtype=x.dtype))


# --- gathering --------------------------------------------------------------------------------------


def _infer_take(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, index = present(types[0]), typed(types[1], "the indices", *INDEX)
    axis = axis_in(node, x)
    return (ValueType(x.dtype, (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])),)


def _take(node: Node, inputs: Operands, zero: int) -> Array:
    x, axis = inputs[0], integer(node, "axis")
    return np.asarray(np.take(x, in_range(inputs[1], x.shape[axis]), axis=axis))


def _infer_gather_elements(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, index = present(types[0]), typed(types[1], "the indices", *INDEX)
    axis = axis_in(node, x)
    fits = len(index.shape) == len(x.shape) and all(
        a <= b or at == axis for at, (a, b) in enumerate(zip(index.shape, x.shape, strict=True))
    )
    if not fits:
        raise ShapeError(f"indices of shape {index.shape} do not fit shape {x.shape}")
    return (ValueType(x.dtype, index.shape),)


def _along(index: Any, axis: int, extent: int) -> tuple[Any, ...]:
    """Full coordinates of elements chosen along one axis."""
    grids = list(np.indices(index.shape, sparse=True))
    grids[axis] = in_range(index, extent)
    return tuple(grids)


def _gather_elements(node: Node, inputs: Operands, zero: int) -> Array:
    x, axis = inputs[0], integer(node, "axis")
    return np.asarray(x[_along(inputs[1], axis, x.shape[axis])])


def _infer_gather_nd(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, index = present(types[0]), typed(types[1], "the indices", "int64")
    batch = integer(node, "batch_dims")
    if not index.shape or not 0 <= batch < min(len(index.shape), len(x.shape)):
        raise ShapeError(f"batch_dims {batch} does not fit indices of shape {index.shape}")
    depth = index.shape[-1]
    if x.shape[:batch] != index.shape[:batch] or not 1 <= depth <= len(x.shape) - batch:
        raise ShapeError(f"indices of shape {index.shape} do not fit shape {x.shape}")
    return (ValueType(x.dtype, (*index.shape[:-1], *x.shape[batch + depth :])),)


def _coordinates(index: Any, shape: tuple[int, ...], batch: int) -> tuple[Any, ...]:
    """The last axis of `index` as coordinates into a value of this shape, after `batch` shared axes."""
    shared = np.indices(index.shape[:-1], sparse=True)[:batch] if batch else ()
    own = [in_range(index[..., at], shape[batch + at]) for at in range(index.shape[-1])]
    return (*shared, *own)


def _gather_nd(node: Node, inputs: Operands, zero: int) -> Array:
    x, index = inputs[0], inputs[1]
    return np.asarray(x[_coordinates(index, x.shape, integer(node, "batch_dims"))])


# --- scattering -------------------------------------------------------------------------------------


def infer_scatter_elements(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Types of ScatterElements: (data, indices, updates)."""
    x, index = present(types[0]), typed(types[1], "the indices", *INDEX)
    updates = same_types([x, types[2]])[1]
    axis = axis_in(node, x)
    fits = len(index.shape) == len(x.shape) and all(
        a <= b or at == axis for at, (a, b) in enumerate(zip(index.shape, x.shape, strict=True))
    )
    if not fits or updates.shape != index.shape:
        raise ShapeError(
            f"indices of shape {index.shape} and updates of {updates.shape} do not fit {x.shape}"
        )
    return (x,)


def scatter_elements_at(node: Node, index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Full coordinates that the updates of ScatterElements go to."""
    axis = integer(node, "axis")
    return _along(index, axis, shape[axis])


def infer_scatter_nd(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Types of ScatterND: (data, indices, updates)."""
    x, index = present(types[0]), typed(types[1], "the indices", "int64")
    updates = same_types([x, types[2]])[1]
    depth = index.shape[-1] if index.shape else 0
    if not 1 <= depth <= len(x.shape) or updates.shape != (*index.shape[:-1], *x.shape[depth:]):
        raise ShapeError(
            f"indices of shape {index.shape} and updates of {updates.shape} do not fit {x.shape}"
        )
    return (x,)


def scatter_nd_at(node: Node, index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Coordinates that the updates of ScatterND go to."""
    return _coordinates(index, shape, 0)


Places = Callable[[Node, Any, tuple[int, ...]], tuple[Any, ...]]


def _scatter(places: Places) -> Move:
    def move(node: Node, inputs: Operands, zero: int) -> Array:
        x, index, updates = inputs
        result = np.array(x)
        result[places(node, index, x.shape)] = updates
        return result

    return move


def _scattering(infer: Callable[[Node, Types], tuple[ValueType, ...]], places: Places) -> OpRule:
    rule = moving(infer, _scatter(places), (0, 2))

    def step(node: Node, graph: Graph) -> Step | str:
        index, shape = graph.constants.get(node.inputs[1]), graph.types[node.inputs[0]].shape
        if index is not None:
            updates = np.zeros(shape, dtype=np.int64)
            np.add.at(updates, places(node, index, shape), 1)
            if (updates > 1).any():
                return "two of its updates go to one element, and ONNX leaves open which one stays"
        return rule.step(node, graph)

    return replace(rule, step=step)


# --- Where, ReverseSequence, OneHot -----------------------------------------------------------------


def _infer_where(node: Node, types: Types) -> tuple[ValueType, ...]:
    condition = typed(types[0], "the condition", "bool")
    x, y = same_types(types[1:3])
    return (ValueType(x.dtype, broadcast([condition.shape, x.shape, y.shape])),)


def _where(node: Node, inputs: Operands, zero: int) -> Array:
    return np.asarray(np.where(inputs[0], inputs[1], inputs[2]))


def _infer_reverse(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, lengths = present(types[0]), typed(types[1], "the lengths", "int64")
    time, batch = integer(node, "time_axis"), integer(node, "batch_axis")
    if {time, batch} != {0, 1} or len(x.shape) < 2 or lengths.shape != (x.shape[batch],):
        raise ShapeError(f"lengths of shape {lengths.shape} do not fit shape {x.shape}")
    return (x,)


def _reverse(node: Node, inputs: Operands, zero: int) -> Array:
    """The first `length` steps of every sequence backwards, the rest as they are."""
    x, lengths, time = inputs[0], inputs[1], integer(node, "time_axis")
    extent = x.shape[time]
    if ((lengths < 0) | (lengths > extent)).any():
        raise DomainError(f"a length is out of range for {extent} steps")
    steps = np.arange(extent)[:, None]
    at = np.where(steps < lengths, lengths - 1 - steps, steps)
    if time == 0:
        return np.asarray(x[at, np.arange(x.shape[1])])
    return np.asarray(x[np.arange(x.shape[0])[:, None], at.T])


def _infer_one_hot(node: Node, types: Types) -> tuple[ValueType, ...]:
    index, values = typed(types[0], "the indices", *INDEX), present(types[1])
    axis, depth = integer(node, "axis"), integer(node, "depth")
    if values.shape != (2,) or depth < 1 or not 0 <= axis <= len(index.shape):
        raise ShapeError("depth, axis or values do not fit the indices")
    return (ValueType(values.dtype, (*index.shape[:axis], depth, *index.shape[axis:])),)


def _one_hot(node: Node, inputs: Operands, zero: int) -> Array:
    """An index beyond the depth gives a row without a mark."""
    index, values = inputs[0].astype(np.int64), inputs[1]
    axis, depth = integer(node, "axis"), integer(node, "depth")
    marks = np.arange(depth).reshape(-1, *(1,) * (index.ndim - axis))
    wanted = np.expand_dims(np.where(index < 0, index + depth, index), axis)
    return np.asarray(np.where(wanted == marks, values[1], values[0]))


RULES = {
    "Expand": moving(_infer_expand, _expand, (0,)),
    "Tile": moving(_infer_tile, _tile, (0,)),
    "Pad": moving(_infer_pad, _pad, (0, 1)),
    "Trilu": moving(_infer_trilu, _trilu, (0,)),
    "Take": moving(_infer_take, _take, (0,)),
    "GatherElements": moving(_infer_gather_elements, _gather_elements, (0,)),
    "GatherND": moving(_infer_gather_nd, _gather_nd, (0,)),
    "ScatterElements": _scattering(infer_scatter_elements, scatter_elements_at),
    "ScatterND": _scattering(infer_scatter_nd, scatter_nd_at),
    "Where": moving(_infer_where, _where, (1, 2)),
    "ReverseSequence": moving(_infer_reverse, _reverse, (0,)),
    "OneHot": moving(_infer_one_hot, _one_hot, (1,)),
}
