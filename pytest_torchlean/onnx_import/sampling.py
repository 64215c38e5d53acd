"""Lowering of operators that read tensors between their elements."""

from __future__ import annotations

import math

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering
from pytest_torchlean.onnx_import.windows import conv_attributes
from pytest_torchlean.ops.sampling import PADDING

_MODES = {
    "bilinear": "linear",
    "bicubic": "cubic",
    "linear": "linear",
    "cubic": "cubic",
    "nearest": "nearest",
}


def grid_sample(context: Context, node: OnnxNode) -> None:
    """GridSample 16, 20, 22; bilinear and bicubic have other names from 20 on."""
    mode, padding = node.string("mode", "linear"), node.string("padding_mode", "zeros")
    if mode not in _MODES or padding not in PADDING:
        raise Refusal(f"mode {mode!r} with padding {padding!r} is not known")
    if _MODES[mode] == "cubic" and padding == "border":
        raise Refusal("cubic interpolation with padding by the border is read differently by runtimes")
    attributes: list[tuple[str, Attribute]] = [
        ("mode", _MODES[mode]),
        ("padding", padding),
        ("align_corners", node.flag("align_corners", 0)),
    ]
    context.emit(node, "GridSample", node.inputs, attributes)


def deform_conv(context: Context, node: OnnxNode) -> None:
    """DeformConv 19, 22: taps read at moved positions, times the mask, times the weight, plus the bias."""
    data, weight, offset = node.inputs[:3]
    x, w = context.type_of(data).shape, context.type_of(weight).shape
    group, moved = node.integer("group", 1), node.integer("offset_group", 1)
    if len(x) < 3 or len(w) != len(x) or group < 1 or moved < 1 or x[1] % moved or w[0] % group:
        raise Refusal(f"input {x} and weight {w} do not fit group {group} and offset_group {moved}")
    if x[1] != w[1] * group:
        raise Refusal(f"input {x} and weight {w} do not fit group {group}")
    windows: list[tuple[str, Attribute]] = conv_attributes(context, node, data, weight)[:-1]
    volume, kernel = math.prod(w[2:]), w[2:]
    outputs = context.type_of(offset).shape[2:]
    count = math.prod(outputs)
    name = _reshaped(context, node, data, (x[0] * moved, x[1] // moved, *x[2:]))
    places = _reshaped(context, node, offset, (x[0] * moved, volume * len(kernel), count))
    attributes: list[tuple[str, Attribute]] = [
        *windows, ("kernel_shape", kernel), ("mode", "linear"), ("padding", "zeros"), ("align_corners", 1),
    ]  # fmt: skip
    taps = context.part(node, "DeformedTaps", [name, places], attributes)
    if node.input(4):
        mask = _reshaped(context, node, node.input(4), (x[0] * moved, 1, volume, count))
        taps = context.part(node, "Mul", [taps, mask])
    columns = _reshaped(context, node, taps, (x[0], group, w[1] * volume, count))
    rows = _reshaped(context, node, weight, (1, group, w[0] // group, w[1] * volume))
    result = context.part(node, "MatMul", [rows, columns])
    result = _reshaped(context, node, result, (x[0], w[0], *outputs))
    if node.input(3):
        column = _reshaped(context, node, node.input(3), (w[0], *(1,) * len(kernel)))
        result = context.part(node, "Add", [result, column])
    context.emit(node, "Identity", [result])


def _reshaped(context: Context, node: OnnxNode, name: str, shape: tuple[int, ...]) -> str:
    return context.part(node, "Reshape", [name], [("shape", shape)])


LOWERINGS = {
    "DeformConv": Lowering((19, 22), deform_conv),
    "GridSample": Lowering((16, 20, 22), grid_sample),
}
