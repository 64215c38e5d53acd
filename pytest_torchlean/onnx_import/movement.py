"""Lowering of the operators that move data, and of Constant and Dropout."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import onnx

from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal


def identity(context: Context, node: OnnxNode) -> None:
    """Identity since 1 (tensors only)."""
    context.emit(node, "Identity", node.inputs[:1])


def flatten(context: Context, node: OnnxNode) -> None:
    """Flatten since 1; a negative axis from 11 on."""
    shape = context.type_of(node.inputs[0]).shape
    axis = node.integer("axis", 1)
    if not (-len(shape) if node.since >= 11 else 0) <= axis <= len(shape):
        raise Refusal(f"axis {axis} is out of range for shape {shape}")
    if axis < 0:
        axis += len(shape)
    target = (math.prod(shape[:axis]), math.prod(shape[axis:]))
    context.emit(node, "Reshape", node.inputs[:1], [("shape", target)])


def reshape(context: Context, node: OnnxNode) -> None:
    """Reshape since 5: the shape is a constant input; allowzero from 14 on."""
    allow_zero = bool(node.integer("allowzero", 0))
    wanted = context.constant_integers(node.inputs[1], "the target shape")
    shape = context.type_of(node.inputs[0]).shape
    target = list(wanted)
    for axis, extent in enumerate(wanted):
        if extent == 0 and not allow_zero:
            if axis >= len(shape):
                raise Refusal(f"target shape {wanted} copies axis {axis}, but the input has shape {shape}")
            target[axis] = shape[axis]
    if wanted.count(-1) > 1 or min(wanted, default=0) < -1:
        raise Refusal(f"target shape {wanted} is not valid")
    if -1 in wanted:
        known = math.prod(extent for extent in target if extent != -1)
        if known == 0 or math.prod(shape) % known:
            raise Refusal(f"a value of shape {shape} does not fit the target shape {wanted}")
        target[wanted.index(-1)] = math.prod(shape) // known
    context.emit(node, "Reshape", node.inputs[:1], [("shape", tuple(target))])


def transpose(context: Context, node: OnnxNode) -> None:
    """Transpose since 1: the axes are reversed by default."""
    perm = node.integers("perm")
    if perm is None:
        perm = tuple(reversed(range(len(context.type_of(node.inputs[0]).shape))))
    context.emit(node, "Transpose", node.inputs[:1], [("perm", perm)])


def _axes(context: Context, node: OnnxNode, rank: int) -> tuple[int, ...] | None:
    """Axes of Squeeze and Unsqueeze, an attribute before 13 and an input from then on, not negative."""
    if node.since < 13:
        axes = node.integers("axes")
    else:
        axes = context.constant_integers(node.input(1), "the axes") if node.input(1) else None
    if axes is None:
        return None
    lowest = -rank if node.since >= 11 else 0
    if any(not lowest <= axis < rank for axis in axes):
        raise Refusal(f"axes {axes} are out of range for rank {rank}")
    resolved = tuple(axis % rank for axis in axes)
    if len(set(resolved)) != len(resolved):
        raise Refusal(f"axes {axes} repeat an axis")
    return resolved


def squeeze(context: Context, node: OnnxNode) -> None:
    """Squeeze since 1: without axes every axis of extent 1 goes."""
    shape = context.type_of(node.inputs[0]).shape
    axes = _axes(context, node, len(shape))
    if axes == ():
        raise Refusal("an empty list of axes is read differently by different runtimes")
    if axes is None:
        axes = tuple(axis for axis, extent in enumerate(shape) if extent == 1)
    if any(shape[axis] != 1 for axis in axes):
        raise Refusal(f"axes {axes} of shape {shape} do not all have extent 1")
    target = tuple(extent for axis, extent in enumerate(shape) if axis not in axes)
    context.emit(node, "Reshape", node.inputs[:1], [("shape", target)])


def unsqueeze(context: Context, node: OnnxNode) -> None:
    """Unsqueeze since 1: axes count in the output."""
    shape = context.type_of(node.inputs[0]).shape
    count = len(node.integers("axes") or ()) if node.since < 13 else 0
    if node.since >= 13 and node.input(1):
        count = len(context.constant_integers(node.input(1), "the axes"))
    axes = _axes(context, node, len(shape) + count)
    if axes is None:
        raise Refusal("it has no axes")
    rest = iter(shape)
    target = tuple(1 if axis in axes else next(rest) for axis in range(len(shape) + count))
    context.emit(node, "Reshape", node.inputs[:1], [("shape", target)])


def concat(context: Context, node: OnnxNode) -> None:
    """Concat since 4: axis is required; negative from 11 on."""
    rank = len(context.type_of(node.inputs[0]).shape)
    axis = node.integer("axis", 0)
    if not (-rank if node.since >= 11 else 0) <= axis < rank:
        raise Refusal(f"axis {axis} is out of range for rank {rank}")
    context.emit(node, "Concat", node.inputs, [("axis", axis % rank)])


def slice_(context: Context, node: OnnxNode) -> None:
    """Slice since 1: attributes before 10, constant inputs and steps from then on.

    Starts and ends are clamped as Python clamps slices.
    """
    shape = context.type_of(node.inputs[0]).shape
    starts: tuple[int, ...] | None
    ends: tuple[int, ...] | None
    axes: tuple[int, ...] | None
    steps: tuple[int, ...] | None = None
    if node.since < 10:
        starts, ends, axes = node.integers("starts"), node.integers("ends"), node.integers("axes")
    else:
        starts = context.constant_integers(node.inputs[1], "the starts")
        ends = context.constant_integers(node.inputs[2], "the ends")
        axes = context.constant_integers(node.input(3), "the axes") if node.input(3) else None
        steps = context.constant_integers(node.input(4), "the steps") if node.input(4) else None
    if starts is None or ends is None:
        raise Refusal("it has no starts or ends")
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise Refusal("starts, ends, axes and steps differ in length")
    if 0 in steps:
        raise Refusal("a step is zero")
    rank = len(shape)
    if any(not -rank <= axis < rank for axis in axes) or len({axis % rank for axis in axes}) != len(axes):
        raise Refusal(f"axes {axes} are out of range for rank {rank} or repeat")
    taken = [range(extent) for extent in shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        extent = shape[axis]
        if step < 0 and (start < -extent or end >= extent):
            raise Refusal(
                "a negative step from or to beyond the axis is read differently by different runtimes"
            )
        taken[axis] = range(extent)[slice(start, end, step)]
    attributes = [
        ("starts", tuple(part.start if len(part) else 0 for part in taken)),
        ("sizes", tuple(len(part) for part in taken)),
        ("steps", tuple(part.step if len(part) else 1 for part in taken)),
    ]
    context.emit(node, "Slice", node.inputs[:1], attributes)


def split(context: Context, node: OnnxNode) -> None:
    """Split since 2: one slice for every output that is read. Sizes are an input from 13 on.

    Without sizes the parts are equal; with num_outputs, from 18 on, the last may be smaller.
    """
    shape = context.type_of(node.inputs[0]).shape
    axis = node.integer("axis", 0)
    if not -len(shape) <= axis < len(shape):
        raise Refusal(f"axis {axis} is out of range for shape {shape}")
    axis %= len(shape)
    sizes = _split_sizes(context, node, shape[axis])
    if len(sizes) != len(node.outputs) or sum(sizes) != shape[axis] or min(sizes) < 0:
        raise Refusal(f"parts {sizes} do not fit {len(node.outputs)} outputs and extent {shape[axis]}")
    start = 0
    for name, size in zip(node.outputs, sizes, strict=True):
        if name in context.read_outputs:
            starts = tuple(start if at == axis and size else 0 for at in range(len(shape)))
            extents = (*shape[:axis], size, *shape[axis + 1 :])
            attributes = [("starts", starts), ("sizes", extents), ("steps", (1,) * len(shape))]
            context.emit(replace(node, outputs=(name,)), "Slice", node.inputs[:1], attributes)
        start += size


def _split_sizes(context: Context, node: OnnxNode, extent: int) -> tuple[int, ...]:
    declared = node.integers("split") if node.since < 13 else None
    if node.since >= 13 and node.input(1):
        declared = context.constant_integers(node.input(1), "the sizes of the parts")
    if declared is not None:
        return declared
    count = len(node.outputs)
    if node.since >= 18:
        if node.integer("num_outputs", count) != count:
            raise Refusal(f"num_outputs contradicts its {count} outputs")
        part = -(-extent // count)
        return (*[part] * (count - 1), extent - part * (count - 1))
    if extent % count:
        raise Refusal(f"extent {extent} does not split into {count} equal parts")
    return (extent // count,) * count


def dropout(context: Context, node: OnnxNode) -> None:
    """Dropout since 7, inference only: the identity; from 12 on the mask is true everywhere."""
    if node.input(2):
        training = context.constant(node.input(2), "training_mode")
        if training.size != 1 or bool(training.reshape(-1)[0]):
            raise Refusal("training_mode is true; only inference is supported")
    if node.wants(context, 1):
        if node.since < 12:
            raise Refusal("its mask output is used, which is left open before opset 12")
        shape = context.type_of(node.inputs[0]).shape
        context.set_constant(node.outputs[1], np.ones(shape, dtype=np.bool_))
    if node.outputs[0]:
        context.emit(node, "Identity", node.inputs[:1])


def constant(context: Context, node: OnnxNode) -> None:
    """Constant since 1: value, and from 12 on value_int(s), value_float(s).

    A tensor of a dtype that is not supported is refused where it is used.
    """
    for name, dtype in (("value_int", "int64"), ("value_float", "float32")):
        if node.has(name):
            item = node.integer(name, 0) if dtype == "int64" else node.real(name, 0.0)
            context.set_constant(node.outputs[0], np.array(item, dtype=dtype))
            return
    if node.has("value_ints"):
        context.set_constant(node.outputs[0], np.array(node.integers("value_ints"), dtype=np.int64))
        return
    if node.has("value_floats"):
        values = np.array(node.attributes["value_floats"].floats, dtype=np.float32)
        if not np.isfinite(values).all():
            raise Refusal("attribute value_floats is not finite")
        context.set_constant(node.outputs[0], values)
        return
    if not node.has("value") or node.attributes["value"].type != onnx.AttributeProto.TENSOR:
        raise Refusal("only numeric tensors are supported")
    context.tensors[node.outputs[0]] = node.attributes["value"].t
