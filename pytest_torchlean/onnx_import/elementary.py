"""Lowering of the elementary functions."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering, plain

_UNARY = plain()
_ALPHA = plain(alpha=1.0)


def gelu(context: Context, node: OnnxNode) -> None:
    """Gelu since 20, by the error function or by the hyperbolic tangent."""
    kinds = {"none": "Gelu", "tanh": "GeluTanh"}
    kind = node.string("approximate", "none")
    if kind not in kinds:
        raise Refusal(f"approximation {kind!r} is not known")
    context.emit(node, kinds[kind], node.inputs)


def power(context: Context, node: OnnxNode) -> None:
    """Pow since 7. From 12 on the exponent may be integers, here constant ones that binary32 holds."""
    base, exponent = node.inputs
    if context.type_of(exponent).dtype != "float32":
        value = context.constant(exponent, "the integer exponent")
        converted = value.astype(np.float32)
        if (converted.astype(np.float64) != value.astype(np.float64)).any() or (
            np.abs(converted) > 2**24
        ).any():
            raise Refusal("an integer exponent is not a binary32 number")
        exponent = context.new_constant(f"{node.outputs[0]}.exponent", converted)
    context.emit(node, "Pow", [base, exponent])


LOWERINGS = {
    "Acos": Lowering((7, 22), _UNARY),
    "Acosh": Lowering((9, 22), _UNARY),
    "Asin": Lowering((7, 22), _UNARY),
    "Asinh": Lowering((9, 22), _UNARY),
    "Atan": Lowering((7, 22), _UNARY),
    "Atanh": Lowering((9, 22), _UNARY),
    "Celu": Lowering((12, 28), _ALPHA),
    "Cos": Lowering((7, 22), _UNARY),
    "Cosh": Lowering((9, 22), _UNARY),
    "Elu": Lowering((6, 22), _ALPHA),
    "Erf": Lowering((9, 13), _UNARY),
    "Exp": Lowering((6, 13), _UNARY),
    "Gelu": Lowering((20,), gelu),
    "HardSigmoid": Lowering((6, 22), plain(alpha=0.2, beta=0.5)),
    "HardSwish": Lowering((14, 22), _UNARY),
    "Log": Lowering((6, 13), _UNARY),
    "Mish": Lowering((18, 22), _UNARY),
    "Pow": Lowering((7, 12, 13, 15), power),
    "Reciprocal": Lowering((6, 13), _UNARY),
    "Selu": Lowering((6, 22), plain(alpha=1.6732631921768188, gamma=1.0507010221481323)),
    "Sigmoid": Lowering((6, 13), _UNARY),
    "Sin": Lowering((7, 22), _UNARY),
    "Sinh": Lowering((9, 22), _UNARY),
    "Softplus": Lowering((1, 22), _UNARY),
    "Softsign": Lowering((1, 22), _UNARY),
    "Sqrt": Lowering((6, 13), _UNARY),
    "Swish": Lowering((24,), _ALPHA),
    "Tan": Lowering((7, 22), _UNARY),
    "Tanh": Lowering((6, 13), _UNARY),
}
