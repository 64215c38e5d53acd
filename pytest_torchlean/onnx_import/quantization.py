"""Lowering of QuantizeLinear, DequantizeLinear, MatMulInteger, ConvInteger, QLinearMatMul and QLinearConv."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering, resolved_axis
from pytest_torchlean.onnx_import.tensors import ELEMENT_TYPES, dtype_name
from pytest_torchlean.onnx_import.windows import conv_attributes
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


def conv_integer(context: Context, node: OnnxNode) -> None:
    """ConvInteger since 10: zero points subtracted, so that padding is zero, sums in int32."""
    sums = _integer_sums(context, node, node.inputs[0], node.input(2), node.inputs[1], node.input(3))
    context.emit(node, "Identity", [sums])


def qlinear_conv(context: Context, node: OnnxNode) -> None:
    """QLinearConv since 10: an int32 convolution and bias, times x_scale * w_scale / y_scale."""
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = node.inputs[:8]
    sums = _integer_sums(context, node, x, x_zero, w, w_zero)
    column = (1, -1, *(1,) * (len(context.type_of(x).shape) - 2))
    if node.input(8):
        sums = context.part(node, "Add", [sums, _shaped(context, node, node.input(8), column)])
    factor = _factor(context, node, x_scale, _shaped(context, node, w_scale, column), y_scale)
    _requantized(context, node, sums, factor, y_zero)


def qlinear_matmul(context: Context, node: OnnxNode) -> None:
    """QLinearMatMul 10, 21: an int32 product times a_scale * b_scale / y_scale."""
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = node.inputs
    left = _shifted(context, node, a, a_zero, rows=True)
    right = _shifted(context, node, b, b_zero, rows=False)
    sums = context.part(node, "IntegerProduct", [left, right])
    factor = _factor(context, node, _shaped(context, node, a_scale, (-1, 1)), b_scale, y_scale)
    _requantized(context, node, sums, factor, y_zero)


def _integer_sums(context: Context, node: OnnxNode, x: str, x_zero: str, w: str, w_zero: str) -> str:
    moved = []
    for name, zero, shape in (
        (x, x_zero, ()),
        (w, w_zero, (-1, *(1,) * (len(context.type_of(w).shape) - 1))),
    ):
        if context.type_of(name).dtype not in ("int8", "uint8"):
            raise Refusal(f"an operand is {context.type_of(name).dtype}; only int8 and uint8 are supported")
        wide = context.part(node, "Cast", [name], [("to", "int16")])
        if zero:
            offset = context.part(node, "Cast", [_shaped(context, node, zero, shape)], [("to", "int16")])
            wide = context.part(node, "Sub", [wide, offset])
        moved.append(wide)
    return context.part(node, "IntegerConvolution", moved, conv_attributes(context, node, x, w))


def _shaped(context: Context, node: OnnxNode, name: str, shape: tuple[int, ...]) -> str:
    """One number as a scalar; a list of numbers along the axis that is -1 in `shape`."""
    own = context.type_of(name).shape
    if len(own) > 1:
        raise Refusal(f"a scale or zero point of shape {own} is neither a number nor a list")
    if context.type_of(name).size == 1 and own != (0,):
        shape = ()
    elif not shape:
        raise Refusal(f"a scale or zero point of shape {own} is not one number")
    wanted = tuple(own[0] if extent < 0 else extent for extent in shape)
    return context.part(node, "Reshape", [name], [("shape", wanted)])


def _factor(context: Context, node: OnnxNode, left: str, right: str, result: str) -> str:
    product = context.part(node, "Mul", [left, right])
    return context.part(node, "Div", [product, _shaped(context, node, result, ())])


def _requantized(context: Context, node: OnnxNode, sums: str, factor: str, zero: str) -> None:
    to = context.type_of(zero).dtype
    if to not in ("int8", "uint8"):
        raise Refusal(f"its result is {to}; only int8 and uint8 are supported")
    context.emit(node, "Requantize", [sums, factor, _shaped(context, node, zero, ())], [("to", to)])


LOWERINGS = {
    "ConvInteger": Lowering((10,), conv_integer),
    "QLinearConv": Lowering((10,), qlinear_conv),
    "QLinearMatMul": Lowering((10, 21), qlinear_matmul),
    "DequantizeLinear": Lowering((10, 13, 19, 21, 23, 24, 25, 28), dequantize),
    "MatMulInteger": Lowering((10,), matmul_integer),
    "QuantizeLinear": Lowering((10, 13, 19, 21, 23, 24, 25, 28), quantize),
}
