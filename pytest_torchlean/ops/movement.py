"""Operations that copy elements: Identity, Reshape, Transpose, Slice, Concat, Gather.

Reshape covers ONNX Flatten, Reshape, Squeeze and Unsqueeze with the target shape resolved; Slice has
one start, size and step per axis and covers Split; Gather has constant indices, not negative. They apply
to every dtype and keep every bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import IndexStep, Step
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    OpRule,
    Prepare,
    Prepared,
    ShapeError,
    Types,
    array,
    exactly_rounded,
    integer,
    integers,
    positions,
)

Move = Callable[[Node, Sequence[Array]], Array]


def _identity(node: Node, inputs: Sequence[Array]) -> Array:
    return inputs[0]


def _reshape(node: Node, inputs: Sequence[Array]) -> Array:
    return inputs[0].reshape(integers(node, "shape"))


def _transpose(node: Node, inputs: Sequence[Array]) -> Array:
    return np.ascontiguousarray(np.transpose(inputs[0], integers(node, "perm")))


def _parts(node: Node) -> tuple[slice, ...]:
    parts = []
    for start, size, step in zip(
        *(integers(node, name) for name in ("starts", "sizes", "steps")), strict=True
    ):
        stop = start + step * size
        parts.append(slice(start, stop if stop >= 0 else None, step) if size else slice(0, 0))
    return tuple(parts)


def _slice(node: Node, inputs: Sequence[Array]) -> Array:
    return np.ascontiguousarray(inputs[0][_parts(node)]).reshape(integers(node, "sizes"))


def _concat(node: Node, inputs: Sequence[Array]) -> Array:
    return np.concatenate(list(inputs), axis=integer(node, "axis"))


def _gather(node: Node, inputs: Sequence[Array]) -> Array:
    index = np.array(integers(node, "indices"), dtype=np.int64).reshape(integers(node, "shape"))
    return np.take(inputs[0], index, axis=integer(node, "axis"))


def _present(types: Types) -> list[ValueType]:
    present = [value for value in types if value is not None]
    if len(present) != len(types) or not present:
        raise ShapeError("an operand is missing")
    return present


def _infer_identity(node: Node, types: Types) -> tuple[ValueType, ...]:
    return (_present(types)[0],)


def _infer_reshape(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = _present(types)[0]
    shape = integers(node, "shape")
    result = ValueType(x.dtype, shape)
    if min(shape, default=0) < 0 or result.size != x.size:
        raise ShapeError(f"a value of shape {x.shape} does not fit the shape {shape}")
    return (result,)


def _infer_transpose(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = _present(types)[0]
    perm = integers(node, "perm")
    if sorted(perm) != list(range(len(x.shape))):
        raise ShapeError(f"perm {perm} is not a permutation of the axes of shape {x.shape}")
    return (ValueType(x.dtype, tuple(x.shape[axis] for axis in perm)),)


def _infer_slice(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = _present(types)[0]
    starts, sizes, steps = (integers(node, name) for name in ("starts", "sizes", "steps"))
    if not len(starts) == len(sizes) == len(steps) == len(x.shape):
        raise ShapeError(f"a slice of shape {x.shape} needs one start, size and step per axis")
    for start, size, step, extent in zip(starts, sizes, steps, x.shape, strict=True):
        last = start + step * (size - 1)
        if size < 0 or (size > 0 and not (0 <= start < extent and 0 <= last < extent)):
            raise ShapeError(f"the slice leaves an axis of extent {extent}")
    return (ValueType(x.dtype, sizes),)


def _infer_concat(node: Node, types: Types) -> tuple[ValueType, ...]:
    parts = _present(types)
    axis = integer(node, "axis")
    first = parts[0]
    if not 0 <= axis < len(first.shape):
        raise ShapeError(f"axis {axis} is not an axis of shape {first.shape}")
    for part in parts:
        rest = part.shape[:axis] + part.shape[axis + 1 :]
        if (
            len(part.shape) != len(first.shape)
            or rest != first.shape[:axis] + first.shape[axis + 1 :]
            or part.dtype != first.dtype
        ):
            raise ShapeError("operands differ in dtype or outside the axis of concatenation")
    extent = sum(part.shape[axis] for part in parts)
    return (ValueType(first.dtype, (*first.shape[:axis], extent, *first.shape[axis + 1 :])),)


def _infer_gather(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = _present(types)[0]
    axis, indices, shape = integer(node, "axis"), integers(node, "indices"), integers(node, "shape")
    if not 0 <= axis < len(x.shape):
        raise ShapeError(f"axis {axis} is not an axis of shape {x.shape}")
    if min(shape, default=0) < 0 or math.prod(shape) != len(indices):
        raise ShapeError(f"{len(indices)} indices do not fit the shape {shape}")
    if indices and not (min(indices) >= 0 and max(indices) < x.shape[axis]):
        raise ShapeError(f"an index is out of range for extent {x.shape[axis]}")
    return (ValueType(x.dtype, (*x.shape[:axis], *shape, *x.shape[axis + 1 :])),)


def _prepare_transpose(node: Node, types: Types, constants: Arrays) -> Prepared:
    perm = integers(node, "perm")
    return lambda inputs: (array(inputs[0]).transpose(perm),)


def _prepare_reshape(node: Node, types: Types, constants: Arrays) -> Prepared:
    shape = integers(node, "shape")
    return lambda inputs: (array(inputs[0]).reshape(shape),)


def _prepare_slice(node: Node, types: Types, constants: Arrays) -> Prepared:
    parts = _parts(node)
    return lambda inputs: (array(inputs[0])[parts],)


def _prepare_gather(node: Node, types: Types, constants: Arrays) -> Prepared:
    index = np.array(integers(node, "indices"), dtype=np.int64).reshape(integers(node, "shape"))
    axis = integer(node, "axis")
    return lambda inputs: (np.take(array(inputs[0]), index, axis=axis),)


def _rule(
    infer: Callable[[Node, Types], tuple[ValueType, ...]], move: Move, prepare: Prepare | None = None
) -> OpRule:
    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        present = [value for value in inputs if value is not None]
        return (move(node, present),)

    def step(node: Node, graph: Graph) -> Step | str:
        sources = tuple(dict.fromkeys(node.inputs))
        offset, at = 0, {}
        for source in sources:
            at[source] = positions(graph.types[source].shape, offset)
            offset += at[source].size
        moved = move(node, [at[name] for name in node.inputs])
        return IndexStep(sources, np.asarray(moved, dtype=np.int64).reshape(-1))

    return OpRule(infer, evaluate, exactly_rounded, step, data_movement=True, prepare=prepare)


RULES = {
    "Identity": _rule(_infer_identity, _identity),
    "Reshape": _rule(_infer_reshape, _reshape, _prepare_reshape),
    "Transpose": _rule(_infer_transpose, _transpose, _prepare_transpose),
    "Slice": _rule(_infer_slice, _slice, _prepare_slice),
    "Concat": _rule(_infer_concat, _concat),
    "Gather": _rule(_infer_gather, _gather, _prepare_gather),
}
