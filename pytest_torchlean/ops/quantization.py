"""QuantizeLinear, DequantizeLinear, products and convolutions of small integers, and Requantize.

ONNX QuantizeLinear and DequantizeLinear since 10, MatMulInteger, ConvInteger, QLinearMatMul and QLinearConv
since 10. Quantising divides, rounds to nearest (ties to even), adds the zero point and cuts to the type's
range, NaN to the least; dequantising subtracts the zero point exactly and multiplies once. Products of
integers accumulate in int32, which wraps. Requantize takes such a sum to a small type: as a binary32 number
times a factor, both rounded, then like quantising.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.conv import RULES as CONVOLUTIONS
from pytest_torchlean.ops.conv import convolution_of
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    OpRule,
    ShapeError,
    Types,
    array,
    broadcast,
    exactly_rounded,
    float_type,
    floats,
    no_step,
    typed,
)

SMALL = ("int8", "uint8", "int16", "uint16")
"""Types that values are quantised to."""


def _target(node: Node) -> str:
    to = node.attribute("to")
    if not isinstance(to, str) or to not in SMALL:
        raise ShapeError(f"values are not quantised to {to}")
    return to


def _infer_quantize(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Operands x, scale and zero point, already of shapes that broadcast."""
    x, scale = float_type(types[0], "the operand"), float_type(types[1], "the scale")
    zero = typed(types[2], "the zero point", _target(node))
    if broadcast([x.shape, scale.shape, zero.shape]) != x.shape:
        raise ShapeError(f"a scale of shape {scale.shape} does not broadcast to {x.shape}")
    return (ValueType(_target(node), x.shape),)


def _quantize(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x, scale, zero = floats(inputs[0]), floats(inputs[1]), array(inputs[2])
    limits = np.iinfo(_target(node))
    with np.errstate(all="ignore"):
        steps = np.rint(np.divide(x, scale)).astype(np.float64) + zero.astype(np.float64)
    cut = np.where(np.isnan(steps), float(limits.min), np.clip(steps, limits.min, limits.max))
    return (np.asarray(cut.astype(_target(node))),)


def _infer_dequantize(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Operands x, scale and zero point (of x's type), already of shapes that broadcast."""
    x = typed(types[0], "the operand", *SMALL, "int32")
    scale, zero = float_type(types[1], "the scale"), typed(types[2], "the zero point", x.dtype)
    if broadcast([x.shape, scale.shape, zero.shape]) != x.shape:
        raise ShapeError(f"a scale of shape {scale.shape} does not broadcast to {x.shape}")
    return (ValueType("float32", x.shape),)


def _dequantize(node: Node, operands: Sequence[Any]) -> list[Any]:
    x, scale, zero = operands
    steps = (x.astype(np.int64) - zero.astype(np.int64)).astype(np.float32)
    return [scale.constant(steps) * scale]


def _infer_product(node: Node, types: Types) -> tuple[ValueType, ...]:
    a, b = (typed(kind, "an operand", "int32") for kind in types[:2])
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"shapes {a.shape} and {b.shape} do not fit a matrix product")
    batch = broadcast([a.shape[:-2], b.shape[:-2]])
    return (ValueType("int32", (*batch, a.shape[-2], b.shape[-1])),)


def _product(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    with np.errstate(over="ignore"):
        return (np.asarray(np.matmul(array(inputs[0]), array(inputs[1])), dtype=np.int32),)


MOST_TERMS = 2**22
"""Products in one sum of a convolution of int16: their sum is exact in binary64."""


def _infer_convolution(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, w = typed(types[0], "the input", "int16"), typed(types[1], "the weight", "int16")
    floating = [ValueType("float32", x.shape), ValueType("float32", w.shape)]
    (result,) = CONVOLUTIONS["Conv"].infer(node, floating)
    if w.size > MOST_TERMS * max(w.shape[0], 1):
        raise ShapeError(f"a weight of shape {w.shape} sums more than {MOST_TERMS} products")
    return (ValueType("int32", result.shape),)


def _convolution(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x, w = (array(value).astype(np.float64) for value in inputs[:2])
    sums = convolution_of(node, x.shape, w.shape).apply(x, w.reshape(*w.shape[:2], -1))
    return (sums.astype(np.int64).astype(np.int32),)


def _infer_requantize(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Operands: int32, a factor and a zero point of shapes that broadcast to it."""
    x, factor = typed(types[0], "the operand", "int32"), float_type(types[1], "the factor")
    zero = typed(types[2], "the zero point", _target(node))
    if broadcast([x.shape, factor.shape, zero.shape]) != x.shape:
        raise ShapeError(f"a factor of shape {factor.shape} does not broadcast to {x.shape}")
    return (ValueType(_target(node), x.shape),)


def _requantize(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x, factor, zero = array(inputs[0]), floats(inputs[1]), array(inputs[2])
    limits = np.iinfo(_target(node))
    with np.errstate(all="ignore"):
        scaled = np.multiply(x.astype(np.float32), factor)
    steps = np.rint(scaled).astype(np.float64) + zero.astype(np.float64)
    cut = np.where(np.isnan(steps), float(limits.min), np.clip(steps, limits.min, limits.max))
    return (np.asarray(cut.astype(_target(node))),)


_NO_STEP = no_step("its result is not a continuous function of its operands")

RULES = {
    "QuantizeLinear": OpRule(_infer_quantize, _quantize, exactly_rounded, _NO_STEP),
    "DequantizeLinear": rule_of(_infer_dequantize, _dequantize),
    "IntegerConvolution": OpRule(_infer_convolution, _convolution, exactly_rounded, _NO_STEP),
    "Requantize": OpRule(_infer_requantize, _requantize, exactly_rounded, _NO_STEP),
    "IntegerProduct": OpRule(_infer_product, _product, exactly_rounded, _NO_STEP),
}
