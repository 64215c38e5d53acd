"""Lowering of Conv, AveragePool, GlobalAveragePool and BatchNormalization."""

from __future__ import annotations

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal


def conv(context: Context, node: OnnxNode) -> None:
    """Conv 1, 11, 22: the kernel's shape is the weight's."""
    extents = context.type_of(node.inputs[0]).shape[2:]
    kernel = context.type_of(node.inputs[1]).shape[2:]
    declared = node.integers("kernel_shape")
    if declared is not None and declared != kernel:
        raise Refusal(f"kernel_shape {declared} contradicts the weight's {kernel}")
    strides, dilations = _per_axis(node, "strides", extents), _per_axis(node, "dilations", extents)
    attributes: list[tuple[str, Attribute]] = [
        ("strides", strides),
        ("pads", _pads(node, extents, kernel, strides, dilations)),
        ("dilations", dilations),
    ]
    context.emit(node, "Conv", node.inputs, [*attributes, ("group", node.integer("group", 1))])


def average_pool(context: Context, node: OnnxNode) -> None:
    """AveragePool 7; ceil_mode from 10 on, dilations from 19 on."""
    extents = context.type_of(node.inputs[0]).shape[2:]
    kernel = node.integers("kernel_shape")
    if kernel is None or len(kernel) != len(extents):
        raise Refusal(f"kernel_shape {kernel} does not fit the spatial extents {extents}")
    strides, dilations = _per_axis(node, "strides", extents), _per_axis(node, "dilations", extents)
    ceil = int(bool(node.integer("ceil_mode", 0)))
    include = int(bool(node.integer("count_include_pad", 0)))
    mode = node.string("auto_pad", "NOTSET")
    options = {
        "ceil_mode": bool(ceil),
        "dilations": max(dilations, default=1) > 1,
        "count_include_pad": bool(include) and mode != "VALID",
    }
    unclear = [name for name, used in options.items() if used and mode != "NOTSET"]
    if unclear:
        raise Refusal(f"{unclear[0]} together with auto_pad {mode} is read differently by different runtimes")
    attributes: list[tuple[str, Attribute]] = [
        ("kernel_shape", kernel),
        ("strides", strides),
        ("pads", _pads(node, extents, kernel, strides, dilations)),
        ("dilations", dilations),
        ("ceil_mode", ceil),
        ("count_include_pad", include),
    ]
    context.emit(node, "AveragePool", node.inputs, attributes)


def global_average_pool(context: Context, node: OnnxNode) -> None:
    """GlobalAveragePool 1, 22."""
    context.emit(node, "GlobalAveragePool", node.inputs)


def batch_normalization(context: Context, node: OnnxNode) -> None:
    """BatchNormalization 7, 9, 14, 15, inference only."""
    if node.integer("training_mode", 0):
        raise Refusal("training_mode is set; only inference is supported")
    if node.since < 9 and node.integer("spatial", 1) != 1:
        raise Refusal("spatial is 0; only normalisation per channel is supported")
    if any(name and name in context.read_outputs for name in node.outputs[1:]):
        raise Refusal("its training outputs are used; only inference is supported")
    context.emit(node, "BatchNormalization", node.inputs, [("epsilon", node.real("epsilon", 1e-5))])


def _per_axis(node: OnnxNode, name: str, extents: tuple[int, ...]) -> tuple[int, ...]:
    values = node.integers(name)
    values = (1,) * len(extents) if values is None else values
    if len(values) != len(extents) or min(values, default=1) < 1:
        raise Refusal(f"{name} {values} does not fit the spatial extents {extents}")
    return values


def _pads(
    node: OnnxNode,
    extents: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> tuple[int, ...]:
    """Explicit pads, or those that auto_pad stands for: begins of all axes, then ends."""
    mode = node.string("auto_pad", "NOTSET")
    explicit = node.integers("pads")
    if mode == "NOTSET":
        pads = (0,) * (2 * len(extents)) if explicit is None else explicit
        if len(pads) != 2 * len(extents) or min(pads, default=0) < 0:
            raise Refusal(f"pads {pads} do not fit the spatial extents {extents} or are negative")
        return pads
    if explicit is not None and any(explicit):
        raise Refusal("pads and auto_pad are both given")
    if mode == "VALID":
        return (0,) * (2 * len(extents))
    if mode not in ("SAME_UPPER", "SAME_LOWER") or len(kernel) != len(extents):
        raise Refusal(f"auto_pad {mode!r} is not known")
    begins, ends = [], []
    for extent, size, stride, dilation in zip(extents, kernel, strides, dilations, strict=True):
        count = -(-extent // stride)
        total = max((count - 1) * stride + dilation * (size - 1) + 1 - extent, 0)
        small, large = total // 2, total - total // 2
        begins.append(small if mode == "SAME_UPPER" else large)
        ends.append(large if mode == "SAME_UPPER" else small)
    return (*begins, *ends)
