"""Lowering of Conv, the pooling operators and BatchNormalization."""

from __future__ import annotations

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal


def conv(context: Context, node: OnnxNode) -> None:
    """Conv 1, 11, 22: the kernel's shape is the weight's."""
    context.emit(node, "Conv", node.inputs, conv_attributes(context, node, *node.inputs[:2]))


def conv_attributes(context: Context, node: OnnxNode, data: str, weight: str) -> list[tuple[str, Attribute]]:
    """The attributes of a convolution of these values."""
    extents = context.type_of(data).shape[2:]
    kernel = context.type_of(weight).shape[2:]
    declared = node.integers("kernel_shape")
    if declared is not None and declared != kernel:
        raise Refusal(f"kernel_shape {declared} contradicts the weight's {kernel}")
    strides, dilations = _per_axis(node, "strides", extents), _per_axis(node, "dilations", extents)
    attributes: list[tuple[str, Attribute]] = [
        ("strides", strides),
        ("pads", _pads(node, extents, kernel, strides, dilations)),
        ("dilations", dilations),
    ]
    return [*attributes, ("group", node.integer("group", 1))]


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
    """LpPool 1, 2, 11, 18, 22, for p from 1 to 4."""
    attributes = _pooling(context, node)
    context.emit(node, "LpPool", node.inputs, [*attributes, ("p", _p(node))])


def global_lp_pool(context: Context, node: OnnxNode) -> None:
    """GlobalLpPool 1, 2, 22, for p from 1 to 4."""
    context.emit(node, "GlobalLpPool", node.inputs, [("p", _p(node))])


def _p(node: OnnxNode) -> int:
    p = node.integer("p", 2)
    if p not in (1, 2, 3, 4):
        raise Refusal(f"p is {p}; only 1 to 4 are supported")
    return p


def average_pool(context: Context, node: OnnxNode) -> None:
    """AveragePool 7; ceil_mode from 10 on, dilations from 19 on."""
    include = node.flag("count_include_pad", 0)
    attributes = _pooling(context, node)
    _no_second_reading(node, "count_include_pad", include and node.string("auto_pad", "NOTSET") != "VALID")
    context.emit(node, "AveragePool", node.inputs, [*attributes, ("count_include_pad", include)])


def max_pool(context: Context, node: OnnxNode) -> None:
    """MaxPool 1; storage_order and the second output from 8 on, ceil_mode and dilations from 10 on."""
    attributes, outputs = _pooling(context, node), None
    if node.wants(context, 1):
        attributes.append(("storage_order", node.flag("storage_order", 0)))
        outputs = [name or context.fresh(f"{node.name}.unused") for name in node.outputs]
    context.emit(node, "MaxPool", node.inputs, attributes, outputs)


def max_unpool(context: Context, node: OnnxNode) -> None:
    """MaxUnpool 9, 11, 22: places count in the shape that kernel, strides and pads lead back to.

    An output_shape beyond it pads with zeros at the end, as ONNX's own node test has it.
    """
    shape = context.type_of(node.inputs[0]).shape
    kernel = node.integers("kernel_shape")
    if kernel is None or len(kernel) != len(shape) - 2 or not kernel:
        raise Refusal(f"kernel_shape {kernel} does not fit the input of shape {shape}")
    strides = _per_axis(node, "strides", kernel)
    axes = len(kernel)
    pads = node.integers("pads") or (0,) * (2 * axes)
    if len(pads) != 2 * axes or min(pads) < 0:
        raise Refusal(f"pads {pads} do not fit the kernel {kernel} or are negative")
    within = shape[:2] + tuple(
        (shape[axis + 2] - 1) * strides[axis] - pads[axis] - pads[axis + axes] + kernel[axis]
        for axis in range(axes)
    )
    wanted = within
    if node.input(2):
        wanted = context.constant_integers(node.inputs[2], "the output shape")
    attributes: list[tuple[str, Attribute]] = [("within", within), ("shape", wanted)]
    context.emit(node, "MaxUnpool", node.inputs[:2], attributes)


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
