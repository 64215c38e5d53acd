"""Lowering of Gemm, MatMul, Relu and the element-wise arithmetic operators."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal


def gemm(context: Context, node: OnnxNode) -> None:
    """Gemm 7, 9, 11, 13: C is optional from 11 on."""
    attributes = [
        ("alpha", node.real("alpha", 1.0)),
        ("beta", node.real("beta", 1.0)),
        ("trans_a", int(bool(node.integer("transA", 0)))),
        ("trans_b", int(bool(node.integer("transB", 0)))),
    ]
    context.emit(node, "Gemm", node.inputs, attributes)


def unchanged(context: Context, node: OnnxNode) -> None:
    """Operators that have the same inputs here, and no attributes: MatMul, Relu."""
    context.emit(node, node.op, node.inputs)


def arithmetic(context: Context, node: OnnxNode) -> None:
    """Add, Sub, Mul, Div since 7; integer constants are shape arithmetic and folded."""
    operands = context.fold_integers(node.inputs)
    if operands is None:
        context.emit(node, node.op, node.inputs)
        return
    left, right = (operand.astype(np.int64) for operand in operands)
    try:
        if node.op == "Div":
            if (right == 0).any():
                raise Refusal("integer division by zero")
            sign = np.sign(left) * np.sign(right)
            result = sign * (np.abs(left) // np.abs(right))
        else:
            result = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}[node.op](left, right)
    except ValueError:
        raise Refusal(f"shapes {left.shape} and {right.shape} do not broadcast") from None
    context.set_constant(node.outputs[0], np.asarray(result, dtype=operands[0].dtype))
