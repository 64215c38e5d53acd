"""Lowering of Gemm, and of operators that stay as they are."""

from __future__ import annotations

from pytest_torchlean.onnx_import.context import Context, OnnxNode


def gemm(context: Context, node: OnnxNode) -> None:
    """Gemm 7, 9, 11, 13: C is optional from 11 on."""
    attributes = [
        ("alpha", node.real("alpha", 1.0)),
        ("beta", node.real("beta", 1.0)),
        ("trans_a", node.flag("transA", 0)),
        ("trans_b", node.flag("transB", 0)),
    ]
    context.emit(node, "Gemm", node.inputs, attributes)


def unchanged(context: Context, node: OnnxNode) -> None:
    """Operators that have the same inputs here, and no attributes: MatMul, Relu, Add."""
    context.emit(node, node.op, node.inputs)
