"""Lowering of Max, Min, Clip, LeakyRelu, Shrink and ThresholdedRelu."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering, plain


def extremum(context: Context, node: OnnxNode) -> None:
    """Max and Min since 6, of any number of operands; they broadcast from 8 on."""
    shapes = {context.type_of(name).shape for name in node.inputs}
    if node.since < 8 and len(shapes) > 1:
        raise Refusal("operands of different shapes are broadcast only from opset 8 on")
    context.emit(node, node.op, node.inputs)


def clip(context: Context, node: OnnxNode) -> None:
    """Clip since 6: the bounds are attributes before 11 and inputs from then on, either may be absent."""
    if node.since >= 11:
        context.emit(node, "Clip", node.inputs)
        return
    if node.has("min") and node.has("max") and node.real("min", 0.0) > node.real("max", 0.0):
        raise Refusal("its lower bound is above its upper bound")
    inputs = [node.inputs[0]]
    for name in ("min", "max"):
        limit = np.array(node.real(name, 0.0), dtype=np.float32)
        inputs.append(context.new_constant(f"{node.outputs[0]}.{name}", limit) if node.has(name) else "")
    context.emit(node, "Clip", inputs)


def leaky_relu(context: Context, node: OnnxNode) -> None:
    """LeakyRelu since 6."""
    context.emit(node, "LeakyRelu", node.inputs, [("alpha", node.real("alpha", 0.01))])


LOWERINGS = {
    "Shrink": Lowering((9,), plain(lambd=0.5, bias=0.0)),
    "ThresholdedRelu": Lowering((10, 22), plain(alpha=1.0)),
}
