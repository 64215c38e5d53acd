"""Lowering of Conv, the pooling operators and BatchNormalization."""

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


def conv_transpose(context: Context, node: OnnxNode) -> None:
    """ConvTranspose 1, 11, 22: pads follow from output_shape or auto_pad where one is given.

    Half of the padding, rounded down, is at the end, or at the begin where auto_pad is SAME_UPPER.
    """
    extents = context.type_of(node.inputs[0]).shape[2:]
    kernel = context.type_of(node.inputs[1]).shape[2:]
    declared = node.integers("kernel_shape")
    if declared is not None and declared != kernel:
        raise Refusal(f"kernel_shape {declared} contradicts the weight's {kernel}")
    strides, dilations = _per_axis(node, "strides", extents), _per_axis(node, "dilations", extents)
    extra = node.integers("output_padding") or (0,) * len(extents)
    wanted, mode = node.integers("output_shape"), node.string("auto_pad", "NOTSET")
    if len(extra) != len(extents) or min(extra, default=0) < 0:
        raise Refusal(f"output_padding {extra} does not fit the spatial extents {extents}")
    full = tuple(
        stride * (extent - 1) + more + (size - 1) * dilation + 1
        for extent, size, stride, dilation, more in zip(
            extents, kernel, strides, dilations, extra, strict=True
        )
    )
    if wanted is None and mode in ("SAME_UPPER", "SAME_LOWER"):
        wanted = tuple(extent * stride for extent, stride in zip(extents, strides, strict=True))
    if wanted is None:
        pads = _pads(node, extents, kernel, strides, dilations)
    else:
        if len(wanted) not in (len(extents), len(extents) + 2):
            raise Refusal(f"output_shape {wanted} does not fit the spatial extents {extents}")
        total = [a - b for a, b in zip(full, wanted[-len(extents) :], strict=True)]
        if min(total, default=0) < 0:
            raise Refusal(f"an output of {wanted} is larger than what the kernel reaches, {full}")
        small = [amount // 2 for amount in total]
        large = [amount - half for amount, half in zip(total, small, strict=True)]
        begins, ends = (small, large) if mode == "SAME_UPPER" else (large, small)
        pads = (*begins, *ends)
    axes = len(extents)
    outputs = tuple(full[axis] - pads[axis] - pads[axis + axes] for axis in range(axes))
    attributes: list[tuple[str, Attribute]] = [
        ("strides", strides), ("pads", pads), ("dilations", dilations), ("outputs", outputs),
        ("group", node.integer("group", 1)),
    ]  # fmt: skip
    context.emit(node, "ConvTranspose", node.inputs, attributes)


def lp_pool(context: Context, node: OnnxNode) -> None:
    """LpPool 1, 2, 11, 18, 22, for p of 1 and 2."""
    attributes = _pooling(context, node)
    context.emit(node, "LpPool", node.inputs, [*attributes, ("p", _p(node))])


def global_lp_pool(context: Context, node: OnnxNode) -> None:
    """GlobalLpPool 1, 2, 22, for p of 1 and 2."""
    context.emit(node, "GlobalLpPool", node.inputs, [("p", _p(node))])


def _p(node: OnnxNode) -> int:
    p = node.integer("p", 2)
    if p not in (1, 2):
        raise Refusal(f"p is {p}; only 1 and 2 are supported")
    return p


def average_pool(context: Context, node: OnnxNode) -> None:
    """AveragePool 7; ceil_mode from 10 on, dilations from 19 on."""
    include = node.flag("count_include_pad", 0)
    attributes = _pooling(context, node)
    _no_second_reading(node, "count_include_pad", include and node.string("auto_pad", "NOTSET") != "VALID")
    context.emit(node, "AveragePool", node.inputs, [*attributes, ("count_include_pad", include)])


def max_pool(context: Context, node: OnnxNode) -> None:
    """MaxPool 1; storage_order and the second output from 8 on, ceil_mode and dilations from 10 on."""
    if len(node.outputs) > 1 and node.outputs[1] in context.read_outputs:
        raise Refusal("its output of indices is used")
    context.emit(node, "MaxPool", node.inputs, _pooling(context, node))


def _pooling(context: Context, node: OnnxNode) -> list[tuple[str, Attribute]]:
    """The windows of a pooling operator."""
    extents = context.type_of(node.inputs[0]).shape[2:]
    kernel = node.integers("kernel_shape")
    if kernel is None or len(kernel) != len(extents):
        raise Refusal(f"kernel_shape {kernel} does not fit the spatial extents {extents}")
    strides, dilations = _per_axis(node, "strides", extents), _per_axis(node, "dilations", extents)
    ceil = node.flag("ceil_mode", 0)
    _no_second_reading(node, "ceil_mode", ceil)
    _no_second_reading(node, "dilations", max(dilations, default=1) > 1)
    return [
        ("kernel_shape", kernel),
        ("strides", strides),
        ("pads", _pads(node, extents, kernel, strides, dilations)),
        ("dilations", dilations),
        ("ceil_mode", ceil),
    ]


def _no_second_reading(node: OnnxNode, option: str, used: int) -> None:
    mode = node.string("auto_pad", "NOTSET")
    if used and mode != "NOTSET":
        raise Refusal(f"{option} together with auto_pad {mode} is read differently by different runtimes")


def global_average_pool(context: Context, node: OnnxNode) -> None:
    """GlobalAveragePool 1, 22."""
    context.emit(node, "GlobalAveragePool", node.inputs)


def global_max_pool(context: Context, node: OnnxNode) -> None:
    """GlobalMaxPool 1, 22."""
    context.emit(node, "GlobalMaxPool", node.inputs)


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
