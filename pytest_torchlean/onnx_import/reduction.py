"""Lowering of reductions and of the normalisations by statistics of the input."""

from __future__ import annotations

import math

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.dense import unchanged
from pytest_torchlean.onnx_import.lowering import Lowering, axis_of, optional_axes


def reduce(context: Context, node: OnnxNode) -> None:
    """Reduce* since 1: axes are an attribute before 18 (ReduceSum before 13) and an input from then on.

    Without axes all are reduced, or none with noop_with_empty_axes.
    """
    rank = len(context.type_of(node.inputs[0]).shape)
    axes = optional_axes(context, node, rank, 13 if node.op == "ReduceSum" else 18)
    if not axes:
        axes = () if node.flag("noop_with_empty_axes", 0) else tuple(range(rank))
    attributes: list[tuple[str, Attribute]] = [
        ("axes", tuple(sorted(axes))), ("keepdims", node.flag("keepdims", 1)),
    ]  # fmt: skip
    context.emit(node, node.op, node.inputs[:1], attributes)


def soft(context: Context, node: OnnxNode) -> None:
    """Softmax, LogSoftmax, Hardmax: one axis from 13 on; before, all axes from `axis` on together."""
    shape = context.type_of(node.inputs[0]).shape
    if node.since >= 13:
        context.emit(node, node.op, node.inputs, [("axis", axis_of(node, len(shape), -1))])
        return
    axis = axis_of(node, len(shape), 1)
    matrix = (math.prod(shape[:axis]), math.prod(shape[axis:]))
    flat = context.part(node, "Reshape", node.inputs[:1], [("shape", matrix)])
    result = context.part(node, node.op, [flat], [("axis", 1)])
    context.emit(node, "Reshape", [result], [("shape", shape)])


def layer(context: Context, node: OnnxNode) -> None:
    """LayerNormalization since 17, in float32."""
    _require_float_stash(node)
    if "" in node.inputs:
        raise Refusal("its bias has the empty name, at which onnxruntime crashes; leave that input out")
    rank = len(context.type_of(node.inputs[0]).shape)
    attributes: list[tuple[str, Attribute]] = [
        ("axis", axis_of(node, rank, -1)), ("epsilon", node.real("epsilon", 1e-5)),
    ]  # fmt: skip
    outputs = [name or context.fresh(f"{node.outputs[0]}.unused") for name in node.outputs]
    while len(outputs) > 1 and outputs[-1] not in context.read_outputs:
        outputs.pop()
    context.emit(node, "LayerNormalization", node.inputs, attributes, outputs)


def rms(context: Context, node: OnnxNode) -> None:
    """RMSNormalization since 23, in float32."""
    _require_float_stash(node)
    rank = len(context.type_of(node.inputs[0]).shape)
    attributes: list[tuple[str, Attribute]] = [
        ("axis", axis_of(node, rank, -1)), ("epsilon", node.real("epsilon", 1e-5)),
    ]  # fmt: skip
    context.emit(node, "RMSNormalization", node.inputs, attributes)


def _require_float_stash(node: OnnxNode) -> None:
    if node.integer("stash_type", 1) != 1:
        raise Refusal("its statistics are not float32")


def instance(context: Context, node: OnnxNode) -> None:
    """InstanceNormalization since 6: a group for every channel."""
    _groups(context, node, 0, False)


def group(context: Context, node: OnnxNode) -> None:
    """GroupNormalization since 18: scale and bias per group before 21, per channel from then on."""
    _require_float_stash(node)
    groups = node.integer("num_groups", 0)
    if groups < 1:
        raise Refusal(f"num_groups is {groups}")
    _groups(context, node, groups, node.since < 21)


def _groups(context: Context, node: OnnxNode, groups: int, per_group: bool) -> None:
    attributes: list[tuple[str, Attribute]] = [
        ("epsilon", node.real("epsilon", 1e-5)), ("groups", groups), ("per_group", int(per_group)),
    ]  # fmt: skip
    context.emit(node, "InstanceNormalization", node.inputs, attributes)


def lp(context: Context, node: OnnxNode) -> None:
    """LpNormalization since 1."""
    p = node.integer("p", 2)
    if p not in (1, 2):
        raise Refusal(f"p is {p}; only 1 and 2 are defined")
    rank = len(context.type_of(node.inputs[0]).shape)
    context.emit(node, "LpNormalization", node.inputs, [("axis", axis_of(node, rank, -1)), ("p", p)])


def lrn(context: Context, node: OnnxNode) -> None:
    """LRN since 1; the size is required."""
    attributes: list[tuple[str, Attribute]] = [
        ("alpha", node.real("alpha", 1e-4)), ("beta", node.real("beta", 0.75)),
        ("bias", node.real("bias", 1.0)), ("size", node.integer("size", 0)),
    ]  # fmt: skip
    context.emit(node, "LRN", node.inputs, attributes)


def einsum(context: Context, node: OnnxNode) -> None:
    """Einsum since 12."""
    context.emit(node, "Einsum", node.inputs, [("equation", node.string("equation", ""))])


LOWERINGS = {
    "Einsum": Lowering((12, 28), einsum),
    "GroupNormalization": Lowering((18, 21), group),
    "Hardmax": Lowering((1, 11, 13), soft),
    "InstanceNormalization": Lowering((6, 22), instance),
    "LRN": Lowering((1, 13), lrn),
    "LayerNormalization": Lowering((17,), layer),
    "LogSoftmax": Lowering((1, 11, 13), soft),
    "LpNormalization": Lowering((1, 22), lp),
    "Mean": Lowering((6, 8, 13), unchanged),
    "RMSNormalization": Lowering((23,), rms),
    "ReduceL1": Lowering((1, 11, 13, 18), reduce),
    "ReduceL2": Lowering((1, 11, 13, 18), reduce),
    "ReduceLogSum": Lowering((1, 11, 13, 18, 28), reduce),
    "ReduceLogSumExp": Lowering((1, 11, 13, 18, 28), reduce),
    "ReduceMax": Lowering((1, 11, 12, 13, 18, 20), reduce),
    "ReduceMean": Lowering((1, 11, 13, 18), reduce),
    "ReduceMin": Lowering((1, 11, 12, 13, 18, 20), reduce),
    "ReduceProd": Lowering((1, 11, 13, 18), reduce),
    "ReduceSum": Lowering((1, 11, 13), reduce),
    "ReduceSumSquare": Lowering((1, 11, 13, 18), reduce),
    "Softmax": Lowering((1, 11, 13), soft),
    "Sum": Lowering((6, 8, 13), unchanged),
}
