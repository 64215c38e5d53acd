"""Lowering of QuantizeLinear, DequantizeLinear, MatMulInteger and QLinearMatMul."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering, resolved_axis
from pytest_torchlean.onnx_import.tensors import ELEMENT_TYPES, dtype_name
from pytest_torchlean.ops.quantization import SMALL


def quantize(context: Context, node: OnnxNode) -> None:
    """QuantizeLinear since 10: per tensor, per axis from 13 on, per block from 21 on."""
    if node.integer("precision", 0) not in (0, ELEMENT_TYPES["float32"]):
        raise Refusal("its precision is not float32")
    if node.input(2):
        to = context.type_of(node.inputs[2]).dtype
    else:
        to = dtype_name(node.integer("output_dtype", 0) or ELEMENT_TYPES["uint8"])
    if to not in SMALL:
        raise Refusal(f"values are quantised to {to}; only {', '.join(SMALL)} are supported")
    scale, zero = _spread(context, node, to)
    context.emit(node, "QuantizeLinear", [node.inputs[0], scale, zero], [("to", to)])


def dequantize(context: Context, node: OnnxNode) -> None:
    """DequantizeLinear since 10, to float32."""
    if node.integer("output_dtype", 0) not in (0, ELEMENT_TYPES["float32"]):
        raise Refusal("its result is not float32")
    scale, zero = _spread(context, node, context.type_of(node.inputs[0]).dtype)
    context.emit(node, "DequantizeLinear", [node.inputs[0], scale, zero])


def _spread(context: Context, node: OnnxNode, dtype: str) -> tuple[str, str]:
    """Scale and zero point in shapes that broadcast with the operand; blocks are repeated."""
    x, scale = context.type_of(node.inputs[0]).shape, node.inputs[1]
    zero = node.input(2)
    if not zero:
        shape = context.type_of(scale).shape
        zero = context.new_constant(f"{node.outputs[0]}.zero", np.zeros(shape, dtype=dtype))
    found = []
    for name in (scale, zero):
        shape = context.type_of(name).shape
        if len(shape) == 1 and shape != (1,):
            axis = resolved_axis(node.integer("axis", 1), len(x), len(x))
            column = (shape[0], *(1,) * (len(x) - axis - 1))
            found.append(context.part(node, "Reshape", [name], [("shape", column)]))
        elif len(shape) > 1 and node.integer("block_size", 0):
            found.append(_repeated(context, node, name, x))
        elif len(shape) <= 1:
            found.append(context.part(node, "Reshape", [name], [("shape", ())]))
        else:
            raise Refusal(f"a scale of shape {shape} needs a block_size")
    return found[0], found[1]


def _repeated(context: Context, node: OnnxNode, name: str, x: tuple[int, ...]) -> str:
    axis, block = resolved_axis(node.integer("axis", 1), len(x), len(x)), node.integer("block_size", 0)
    at = tuple(place // block for place in range(x[axis]))
    chosen: list[tuple[str, Attribute]] = [("axis", axis), ("indices", at), ("shape", (len(at),))]
    return context.part(node, "Gather", [name], chosen)


def matmul_integer(context: Context, node: OnnxNode) -> None:
    """MatMulInteger since 10: zero points subtracted, sums in int32."""
    a = _shifted(context, node, node.inputs[0], node.input(2), rows=True)
    b = _shifted(context, node, node.inputs[1], node.input(3), rows=False)
    context.emit(node, "IntegerProduct", [a, b])


def _shifted(context: Context, node: OnnxNode, name: str, zero: str, *, rows: bool) -> str:
    """The operand as int32 without its zero point, which is one number, one per row of A or column of B."""
    wide = context.part(node, "Cast", [name], [("to", "int32")])
    if not zero:
        return wide
    shape = context.type_of(zero).shape
    offset = context.part(node, "Cast", [zero], [("to", "int32")])
    if rows and len(shape) == 1 and shape != (1,):
        offset = context.part(node, "Reshape", [offset], [("shape", (shape[0], 1))])
    return context.part(node, "Sub", [wide, offset])


LOWERINGS = {
    "DequantizeLinear": Lowering((10, 13, 19, 21, 23, 24, 25, 28), dequantize),
    "MatMulInteger": Lowering((10,), matmul_integer),
    "QuantizeLinear": Lowering((10, 13, 19, 21, 23, 24, 25, 28), quantize),
}
