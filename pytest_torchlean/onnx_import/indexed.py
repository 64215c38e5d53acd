"""Lowering of operators that copy elements by integers, and of those whose result only shapes decide."""

from __future__ import annotations

import numpy as np
import onnx

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import (
    FLOAT,
    Lowering,
    axis_of,
    dtype_attribute,
    plain,
    resolved_axis,
)
from pytest_torchlean.onnx_import.tensors import readable, to_array
from pytest_torchlean.ops.indexed import in_range
from pytest_torchlean.ops.rule import DomainError


def expand(context: Context, node: OnnxNode) -> None:
    """Expand since 8: the shape is a constant, and broadcasts with the operand's."""
    wanted = context.constant_integers(node.inputs[1], "the target shape")
    if min(wanted, default=0) < 0:
        raise Refusal(f"target shape {wanted} is negative")
    context.emit(node, "Expand", node.inputs[:1], [("shape", wanted)])


def tile(context: Context, node: OnnxNode) -> None:
    """Tile since 6."""
    repeats = context.constant_integers(node.inputs[1], "the repeats")
    context.emit(node, "Tile", node.inputs[:1], [("repeats", repeats)])


def pad(context: Context, node: OnnxNode) -> None:
    """Pad since 2: pads and value are attributes before 11 and inputs from then on; axes from 18 on."""
    shape = context.type_of(node.inputs[0]).shape
    rank = len(shape)
    value = ""
    if node.since < 11:
        pads = node.integers("pads")
        if node.has("value"):
            number = np.array(node.real("value", 0.0), dtype=np.float32)
            value = context.new_constant(f"{node.outputs[0]}.value", number)
    else:
        pads, value = context.constant_integers(node.inputs[1], "the pads"), node.input(2)
    if pads is None:
        raise Refusal("it has no pads")
    if node.input(3):
        axes = context.constant_integers(node.input(3), "the axes")
        at = [resolved_axis(axis, rank, rank) for axis in axes]
        if len(pads) != 2 * len(at) or len(set(at)) != len(at):
            raise Refusal(f"pads {pads} do not fit the axes {axes}")
        full = [0] * (2 * rank)
        for place, axis in enumerate(at):
            full[axis], full[axis + rank] = pads[place], pads[place + len(at)]
        pads = tuple(full)
    attributes: list[tuple[str, Attribute]] = [("pads", pads), ("mode", node.string("mode", "constant"))]
    context.emit(node, "Pad", [node.inputs[0], value], attributes)


def gather(context: Context, node: OnnxNode) -> None:
    """Gather since 1; negative indices count from the end from 11 on."""
    data, index = context.type_of(node.inputs[0]), context.type_of(node.inputs[1])
    axis = axis_of(node, len(data.shape), 0)
    indices = context.value(node.inputs[1])
    if index.dtype not in ("int64", "int32"):
        raise Refusal(f"the indices are {index.dtype}, not integers")
    if indices is None:
        context.emit(node, "Take", node.inputs, [("axis", axis)])
        return
    extent = data.shape[axis]
    at = indices.astype(np.int64)
    if node.since < 11 and (at < 0).any():
        raise Refusal(f"a negative index is out of range for extent {extent} before opset 11")
    attributes: list[tuple[str, Attribute]] = [
        ("axis", axis),
        ("indices", tuple(int(item) for item in _counted(at, extent).reshape(-1))),
        ("shape", index.shape),
    ]
    context.emit(node, "Gather", node.inputs[:1], attributes)


def _counted(index: np.ndarray, extent: int) -> np.ndarray:
    try:
        return np.asarray(in_range(index, extent))
    except DomainError as problem:
        raise Refusal(str(problem)) from None


def along_axis(context: Context, node: OnnxNode) -> None:
    """GatherElements since 11."""
    axis = axis_of(node, len(context.type_of(node.inputs[0]).shape), 0)
    context.emit(node, node.op, node.inputs, [("axis", axis)])


def scatter_elements(context: Context, node: OnnxNode) -> None:
    """ScatterElements since 11 and Scatter since 9; reductions from 16 on."""
    axis = axis_of(node, len(context.type_of(node.inputs[0]).shape), 0)
    _scatter(context, node, "ScatterElements", [("axis", axis)])


def scatter_nd(context: Context, node: OnnxNode) -> None:
    """ScatterND since 11; reductions from 16 on."""
    _scatter(context, node, "ScatterND", [])


def _scatter(context: Context, node: OnnxNode, op: str, attributes: list[tuple[str, Attribute]]) -> None:
    reduction = node.string("reduction", "none")
    if reduction == "none":
        context.emit(node, op, node.inputs, attributes)
    elif reduction in ("add", "mul", "max", "min"):
        context.emit(node, f"{op}Reduced", node.inputs, [*attributes, ("reduction", reduction)])
    else:
        raise Refusal(f"reduction {reduction!r} is not known")


def trilu(context: Context, node: OnnxNode) -> None:
    """Trilu since 14: k is a constant."""
    k = context.constant_integers(node.input(1), "k") if node.input(1) else (0,)
    if len(k) != 1:
        raise Refusal(f"k is {k}, not one number")
    context.emit(node, "Trilu", node.inputs[:1], [("upper", node.flag("upper", 1)), ("k", k[0])])


def compress(context: Context, node: OnnxNode) -> None:
    """Compress since 9 by a constant condition."""
    shape = context.type_of(node.inputs[0]).shape
    condition = context.constant(node.inputs[1], "the condition").reshape(-1)
    source = node.inputs[0]
    if node.has("axis"):
        axis = axis_of(node, len(shape), 0)
    else:
        size = context.type_of(source).size
        source, axis = context.part(node, "Reshape", [source], [("shape", (size,))]), 0
    at = np.flatnonzero(condition)
    if len(at) and at[-1] >= context.type_of(source).shape[axis]:
        raise Refusal("the condition is longer than the axis")
    chosen: list[tuple[str, Attribute]] = [
        ("axis", axis), ("indices", tuple(int(item) for item in at)), ("shape", (len(at),)),
    ]  # fmt: skip
    context.emit(node, "Gather", [source], chosen)


def reverse_sequence(context: Context, node: OnnxNode) -> None:
    """ReverseSequence since 10."""
    axes = [("time_axis", node.integer("time_axis", 0)), ("batch_axis", node.integer("batch_axis", 1))]
    context.emit(node, "ReverseSequence", node.inputs, axes)


def one_hot(context: Context, node: OnnxNode) -> None:
    """OneHot since 9: the depth is a constant; indices of another dtype are cut to integers."""
    depth = context.constant(node.inputs[1], "the depth").reshape(-1)
    if depth.size != 1:
        raise Refusal("the depth is not one number")
    index, kind = node.inputs[0], context.type_of(node.inputs[0])
    if kind.dtype != "int64":
        index = context.part(node, "Cast", [index], [("to", "int64")])
    rank = len(kind.shape)
    axis = resolved_axis(node.integer("axis", -1), rank + 1, rank + 1)
    wanted: list[tuple[str, Attribute]] = [("axis", axis), ("depth", int(depth[0]))]
    context.emit(node, "OneHot", [index, node.inputs[2]], wanted)


def top_k(context: Context, node: OnnxNode) -> None:
    """TopK since 1: k is an attribute before 10 and a constant input from then on; largest from 11 on."""
    rank = len(context.type_of(node.inputs[0]).shape)
    k = (node.integer("k", 0),) if node.since < 10 else context.constant_integers(node.inputs[1], "k")
    if len(k) != 1:
        raise Refusal(f"k is {k}, not one number")
    attributes: list[tuple[str, Attribute]] = [
        ("axis", axis_of(node, rank, -1)), ("k", k[0]), ("largest", node.flag("largest", 1)),
    ]  # fmt: skip
    outputs = [name or context.fresh(f"{node.name}.unused") for name in node.outputs]
    context.emit(node, "TopK", node.inputs[:1], attributes, outputs)


def arg(context: Context, node: OnnxNode) -> None:
    """ArgMax and ArgMin since 1; select_last_index from 12 on."""
    attributes: list[tuple[str, Attribute]] = [
        ("axis", axis_of(node, len(context.type_of(node.inputs[0]).shape), 0)),
        ("keepdims", node.flag("keepdims", 1)),
        ("select_last", node.flag("select_last_index", 0)),
    ]
    context.emit(node, node.op, node.inputs, attributes)


def depth_to_space(context: Context, node: OnnxNode) -> None:
    """DepthToSpace since 1: a reshape, a transposition, a reshape; mode from 11 on."""
    block, shape = node.integer("blocksize", 0), context.type_of(node.inputs[0]).shape
    mode = node.string("mode", "DCR")
    if len(shape) != 4 or block < 1 or shape[1] % (block * block) or mode not in ("DCR", "CRD"):
        raise Refusal(f"blocksize {block} and mode {mode!r} do not fit shape {shape}")
    n, c, h, w = shape
    depth = c // (block * block)
    first = (n, block, block, depth, h, w) if mode == "DCR" else (n, depth, block, block, h, w)
    perm = (0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3)
    _blocks(context, node, first, perm, (n, depth, h * block, w * block))


def space_to_depth(context: Context, node: OnnxNode) -> None:
    """SpaceToDepth since 1; mode from 28 on."""
    block, shape = node.integer("blocksize", 0), context.type_of(node.inputs[0]).shape
    mode = node.string("mode", "DCR")
    if len(shape) != 4 or block < 1 or shape[2] % block or shape[3] % block or mode not in ("DCR", "CRD"):
        raise Refusal(f"blocksize {block} and mode {mode!r} do not fit shape {shape}")
    n, c, h, w = shape
    first = (n, c, h // block, block, w // block, block)
    perm = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    _blocks(context, node, first, perm, (n, c * block * block, h // block, w // block))


def _blocks(
    context: Context, node: OnnxNode, first: tuple[int, ...], perm: tuple[int, ...], last: tuple[int, ...]
) -> None:
    split = context.part(node, "Reshape", node.inputs[:1], [("shape", first)])
    moved = context.part(node, "Transpose", [split], [("perm", perm)])
    context.emit(node, "Reshape", [moved], [("shape", last)])


def size(context: Context, node: OnnxNode) -> None:
    """Size since 1."""
    context.set_constant(node.outputs[0], np.array(context.type_of(node.inputs[0]).size, dtype=np.int64))


def constant_of_shape(context: Context, node: OnnxNode) -> None:
    """ConstantOfShape since 9: zeros of float32 unless a value is given."""
    wanted = context.constant_integers(node.inputs[0], "the shape")
    value = np.zeros(1, dtype=np.float32)
    if node.has("value"):
        tensor = node.attributes["value"].t
        if node.attributes["value"].type != onnx.AttributeProto.TENSOR or not readable(tensor):
            raise Refusal("its value is not float32, integers or bool")
        value = np.asarray(to_array(tensor)).reshape(-1)
    count = 1
    for extent in wanted:
        count *= extent
    if len(value) != 1 or min(wanted, default=0) < 0 or count > 2**26:
        raise Refusal(f"shape {wanted} or its value is not valid")
    context.set_constant(node.outputs[0], np.full(wanted, value[0]))


def eye_like(context: Context, node: OnnxNode) -> None:
    """EyeLike since 9."""
    kind = context.type_of(node.inputs[0])
    dtype = dtype_attribute(node, "dtype", FLOAT) if node.has("dtype") else kind.dtype
    if len(kind.shape) != 2:
        raise Refusal(f"the operand has shape {kind.shape}, which is no matrix")
    eye = np.eye(*kind.shape, k=node.integer("k", 0), dtype=dtype)
    context.set_constant(node.outputs[0], eye)


def non_zero(context: Context, node: OnnxNode) -> None:
    """NonZero since 9 of a constant: how many there are is part of the shape."""
    value = np.atleast_1d(context.constant(node.inputs[0], "the operand"))
    found = np.array(np.nonzero(value), dtype=np.int64)
    context.set_constant(node.outputs[0], found)


def unique(context: Context, node: OnnxNode) -> None:
    """Unique since 11 of a constant: how many there are is part of the shape."""
    x = context.constant(node.inputs[0], "the operand")
    axis = axis_of(node, x.ndim, 0) if node.has("axis") else None
    values, first, inverse, counts = np.unique(
        x, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    if not node.flag("sorted", 1):
        order = np.argsort(first)
        place = np.argsort(order)
        values = np.take(values, order, axis=0 if axis is None else axis)
        first, counts, inverse = first[order], counts[order], place[inverse.reshape(-1)]
    results = (values, first, inverse.reshape(-1), counts)
    for number, name in enumerate(node.outputs):
        if name:
            value = results[number]
            context.set_constant(name, value if number == 0 else value.astype(np.int64))


def range_(context: Context, node: OnnxNode) -> None:
    """Range since 11 of constants, whose count is part of the shape; also for float32."""
    start, limit, delta = (
        context.constant(name, what)
        for name, what in zip(node.inputs, ("start", "limit", "delta"), strict=True)
    )
    if start.size != 1 or limit.size != 1 or delta.size != 1:
        raise Refusal("start, limit and delta are not single numbers")
    first, last, by = (float(value.reshape(())) for value in (start, limit, delta))
    if by == 0:
        raise Refusal("delta is zero")
    if start.dtype != np.float32:
        values = np.arange(*(int(value.reshape(())) for value in (start, limit, delta)), dtype=start.dtype)
        context.set_constant(node.outputs[0], values)
        return
    count = max(int(np.ceil((last - first) / by)), 0)
    operands = [
        context.part(node, "Reshape", [name], [("shape", ())]) if context.type_of(name).shape else name
        for name in (node.inputs[0], node.inputs[2])
    ]
    context.emit(node, "Range", operands, [("count", count)])


def cumulative(context: Context, node: OnnxNode) -> None:
    """CumSum since 11 and CumProd since 26: the axis is a constant."""
    axis = context.constant_integers(node.inputs[1], "the axis")
    rank = len(context.type_of(node.inputs[0]).shape)
    if len(axis) != 1:
        raise Refusal(f"the axis is {axis}, not one number")
    attributes: list[tuple[str, Attribute]] = [
        ("axis", resolved_axis(axis[0], rank, rank)),
        ("exclusive", node.flag("exclusive", 0)),
        ("reverse", node.flag("reverse", 0)),
    ]
    context.emit(node, node.op, node.inputs[:1], attributes)


LOWERINGS = {
    "ArgMax": Lowering((1, 11, 12, 13), arg),
    "ArgMin": Lowering((1, 11, 12, 13), arg),
    "Compress": Lowering((9, 11, 28), compress),
    "ConstantOfShape": Lowering((9, 20, 21, 23, 24, 25), constant_of_shape),
    "CumProd": Lowering((26,), cumulative),
    "CumSum": Lowering((11, 14), cumulative),
    "DepthToSpace": Lowering((1, 11, 13, 28), depth_to_space),
    "Expand": Lowering((8, 13), expand),
    "EyeLike": Lowering((9, 22), eye_like),
    "Gather": Lowering((1, 11, 13), gather),
    "GatherElements": Lowering((11, 13), along_axis),
    "GatherND": Lowering((11, 12, 13), plain(batch_dims=0)),
    "NonZero": Lowering((9, 13), non_zero),
    "OneHot": Lowering((9, 11, 28), one_hot),
    "Pad": Lowering((2, 11, 13, 18, 19, 21, 23, 24, 25), pad),
    "Range": Lowering((11, 27), range_),
    "ReverseSequence": Lowering((10, 28), reverse_sequence),
    "Scatter": Lowering((9, 11), scatter_elements),
    "ScatterElements": Lowering((11, 13, 16, 18), scatter_elements),
    "ScatterND": Lowering((11, 13, 16, 18), scatter_nd),
    "Size": Lowering((1, 13, 19, 21, 23, 24, 25), size),
    "SpaceToDepth": Lowering((1, 13, 28), space_to_depth),
    "Tile": Lowering((6, 13), tile),
    "TopK": Lowering((1, 10, 11, 24), top_k),
    "Trilu": Lowering((14,), trilu),
    "Unique": Lowering((11, 28), unique),
    "Where": Lowering((9, 16), plain()),
}
