"""Lowering of operators that read tensors between their elements."""

from __future__ import annotations

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering
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


LOWERINGS = {
    "GridSample": Lowering((16, 20, 22), grid_sample),
}
