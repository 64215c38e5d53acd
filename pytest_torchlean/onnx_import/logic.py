"""Lowering of comparisons, logic, rounding to integers and casts."""

from __future__ import annotations

from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.dense import unchanged
from pytest_torchlean.onnx_import.lowering import Lowering, dtype_attribute, plain


def cast(context: Context, node: OnnxNode) -> None:
    """Cast since 6 between float32, integers and bool."""
    _to(context, node, dtype_attribute(node, "to", 0))


def bit_cast(context: Context, node: OnnxNode) -> None:
    """BitCast since 26."""
    context.emit(node, "BitCast", node.inputs, [("to", dtype_attribute(node, "to", 0))])


def cast_like(context: Context, node: OnnxNode) -> None:
    """CastLike since 15: the dtype of the second input."""
    _to(context, node, context.type_of(node.inputs[1]).dtype)


def _to(context: Context, node: OnnxNode, dtype: str) -> None:
    if dtype == context.type_of(node.inputs[0]).dtype:
        context.emit(node, "Identity", node.inputs[:1])
    else:
        context.emit(node, "Cast", node.inputs[:1], [("to", dtype)])


def bit_shift(context: Context, node: OnnxNode) -> None:
    """BitShift since 11; the direction is required."""
    direction = node.string("direction", "")
    if direction not in ("LEFT", "RIGHT"):
        raise Refusal(f"direction {direction!r} is not known")
    context.emit(node, "BitShift", node.inputs, [("left", int(direction == "LEFT"))])


_INFINITIES = plain(detect_negative=1, detect_positive=1)

LOWERINGS = {
    "And": Lowering((7,), unchanged),
    "BitShift": Lowering((11, 28), bit_shift),
    "BitwiseAnd": Lowering((18,), unchanged),
    "BitwiseNot": Lowering((18,), unchanged),
    "BitwiseOr": Lowering((18,), unchanged),
    "BitwiseXor": Lowering((18,), unchanged),
    "BitCast": Lowering((26,), bit_cast),
    "Cast": Lowering((6, 9, 13, 19, 21, 23, 24, 25, 28), cast),
    "CastLike": Lowering((15, 19, 21, 23, 24, 25), cast_like),
    "Ceil": Lowering((6, 13), unchanged),
    "Equal": Lowering((7, 11, 13, 19), unchanged),
    "Floor": Lowering((6, 13), unchanged),
    "Greater": Lowering((7, 9, 13), unchanged),
    "GreaterOrEqual": Lowering((12, 16), unchanged),
    "IsInf": Lowering((10, 20), _INFINITIES),
    "IsNaN": Lowering((9, 13, 20), unchanged),
    "Less": Lowering((7, 9, 13), unchanged),
    "LessOrEqual": Lowering((12, 16), unchanged),
    "Mod": Lowering((10, 13, 28), plain(fmod=0)),
    "Not": Lowering((1,), unchanged),
    "Or": Lowering((7,), unchanged),
    "Round": Lowering((11, 22), unchanged),
    "Sign": Lowering((9, 13), unchanged),
    "Xor": Lowering((7,), unchanged),
}
