"""Operations of modules as functions, named and parametrised as in PyTorch's `torch.nn.functional`.

On float32 arrays they compute at once, in binary32, in the declared order of the evaluator; on tensors inside
of a module they build what the module computes. Images are NCHW. Nothing here has a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import ModelError
from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.nn.elementwise import (
    axis_of,
    binary32,
    celu,
    elu,
    gelu,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from pytest_torchlean.nn.tensor import Operand, Tensor, X, like

Float32 = NDArray[np.float32]
Extents = int | Sequence[int]
Windowed = list[tuple[str, Attribute]]

# --- dense ------------------------------------------------------------------------------------------


def linear(x: X, weight: Float32, bias: Float32 | None = None) -> X:
    """x @ weight.T + bias; weight float32 (outputs, inputs). Matrices are one Gemm, others MatMul and Add."""
    if np.ndim(weight) != 2:
        raise ModelError("TL0109", f"linear: the weight has shape {np.shape(weight)}, not two axes")
    if len(x.shape) == 2:
        operands = [x, weight] if bias is None else [x, weight, bias]
        flags = [("alpha", 1.0), ("beta", 1.0), ("trans_a", 0), ("trans_b", 1)]
        return like(x, "Gemm", operands, flags)
    product = like(x, "MatMul", [x, np.ascontiguousarray(weight.T)])
    return product if bias is None else add(product, bias)


def matmul(x: X, other: Operand) -> X:
    """The matrix product, batched over leading axes."""
    return like(x, "MatMul", [x, other])


# --- arithmetic -------------------------------------------------------------------------------------


def add(x: X, other: Operand) -> X:
    """x + other, element by element."""
    return like(x, "Add", [x, other])


def sub(x: X, other: Operand) -> X:
    """x - other, element by element."""
    return like(x, "Sub", [x, other])


def mul(x: X, other: Operand) -> X:
    """x * other, element by element."""
    return like(x, "Mul", [x, other])


def div(x: X, other: Operand) -> X:
    """x / other, element by element."""
    return like(x, "Div", [x, other])


def maximum(x: X, other: Operand) -> X:
    """The larger of the two, element by element."""
    return like(x, "Max", [x, other])


def minimum(x: X, other: Operand) -> X:
    """The smaller of the two, element by element."""
    return like(x, "Min", [x, other])


def mean(x: X, dim: Extents, keepdim: bool = False) -> X:
    """The average along axes: their sum, then one division."""
    axes = (dim,) if isinstance(dim, int) else tuple(dim)
    resolved = tuple(sorted(axis_of(axis, len(x.shape)) for axis in axes))
    return like(x, "ReduceMean", [x], [("axes", resolved), ("keepdims", int(keepdim))])


# --- convolutions and windows -----------------------------------------------------------------------


def conv(
    x: X,
    weight: Float32,
    bias: Float32 | None = None,
    stride: Extents = 1,
    padding: Extents = 0,
    dilation: Extents = 1,
    groups: int = 1,
) -> X:
    """Convolution over all axes behind the channels; weight float32 (outputs, inputs / groups, *kernel)."""
    rank = _spatial(x, weight)
    attributes: Windowed = [
        ("strides", _extents(stride, rank)),
        ("pads", _extents(padding, rank) * 2),
        ("dilations", _extents(dilation, rank)),
        ("group", groups),
    ]
    return like(x, "Conv", [x, weight] if bias is None else [x, weight, bias], attributes)


conv1d = conv2d = conv3d = conv


def conv_transpose(
    x: X,
    weight: Float32,
    bias: Float32 | None = None,
    stride: Extents = 1,
    padding: Extents = 0,
    output_padding: Extents = 0,
    groups: int = 1,
    dilation: Extents = 1,
) -> X:
    """The transposed convolution; weight float32 (inputs, outputs / groups, *kernel)."""
    rank = _spatial(x, weight)
    strides, pads = _extents(stride, rank), _extents(padding, rank)
    dilations, extra = _extents(dilation, rank), _extents(output_padding, rank)
    outputs = tuple(
        strides[axis] * (x.shape[axis + 2] - 1)
        + extra[axis]
        + (weight.shape[axis + 2] - 1) * dilations[axis]
        + 1
        - 2 * pads[axis]
        for axis in range(rank)
    )
    attributes: Windowed = [
        ("strides", strides),
        ("pads", pads * 2),
        ("dilations", dilations),
        ("outputs", outputs),
        ("group", groups),
    ]
    return like(x, "ConvTranspose", [x, weight] if bias is None else [x, weight, bias], attributes)


conv_transpose1d = conv_transpose2d = conv_transpose


def max_pool(
    x: X,
    kernel_size: Extents,
    stride: Extents | None = None,
    padding: Extents = 0,
    dilation: Extents = 1,
    ceil_mode: bool = False,
) -> X:
    """The largest element of each window; the stride is the kernel's size unless given."""
    return like(x, "MaxPool", [x], _windows(x, kernel_size, stride, padding, dilation, ceil_mode))


max_pool1d = max_pool2d = max_pool


def avg_pool(
    x: X,
    kernel_size: Extents,
    stride: Extents | None = None,
    padding: Extents = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> X:
    """The average of each window; padding counts as zeros unless told otherwise."""
    windows: Windowed = _windows(x, kernel_size, stride, padding, 1, ceil_mode)
    return like(x, "AveragePool", [x], [*windows, ("count_include_pad", int(count_include_pad))])


avg_pool1d = avg_pool2d = avg_pool


def adaptive_avg_pool(x: X, output_size: Extents) -> X:
    """Averages of equal windows, `output_size` of them along each axis, whose extents they must divide."""
    rank = len(x.shape) - 2
    wanted, extents = _extents(output_size, rank), tuple(x.shape[2:])
    if any(size < 1 or extent % size for size, extent in zip(wanted, extents, strict=True)):
        raise ModelError("TL0109", f"adaptive_avg_pool: {wanted} windows do not divide {extents}")
    if set(wanted) == {1}:
        return like(x, "GlobalAveragePool", [x])
    kernel = [extent // size for size, extent in zip(wanted, extents, strict=True)]
    return avg_pool(x, kernel)


adaptive_avg_pool1d = adaptive_avg_pool2d = adaptive_avg_pool

# --- normalisation ----------------------------------------------------------------------------------


def batch_norm(
    x: X,
    running_mean: Float32,
    running_var: Float32,
    weight: Float32 | None = None,
    bias: Float32 | None = None,
    eps: float = 1e-5,
) -> X:
    """(x - mean) * (weight / sqrt(var + eps)) + bias for each channel (axis 1): inference only."""
    scale = np.ones_like(running_mean) if weight is None else weight
    shift = np.zeros_like(running_mean) if bias is None else bias
    operands = [x, scale, shift, running_mean, running_var]
    return like(x, "BatchNormalization", operands, [("epsilon", binary32(eps))])


def layer_norm(
    x: X,
    normalized_shape: Sequence[int],
    weight: Float32 | None = None,
    bias: Float32 | None = None,
    eps: float = 1e-5,
) -> X:
    """Statistics over the last axes, whose extents are `normalized_shape`."""
    shape = tuple(normalized_shape)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        raise ModelError("TL0109", f"layer_norm: shape {tuple(x.shape)} does not end in {shape}")
    scale = np.ones(shape, dtype=np.float32) if weight is None else weight
    operands = [x, scale] if bias is None else [x, scale, bias]
    attributes = [("axis", len(x.shape) - len(shape)), ("epsilon", binary32(eps))]
    return like(x, "LayerNormalization", operands, attributes)


def group_norm(
    x: X,
    num_groups: int,
    weight: Float32 | None = None,
    bias: Float32 | None = None,
    eps: float = 1e-5,
) -> X:
    """Statistics over groups of neighbouring channels and all axes behind them; weights per channel."""
    channels = x.shape[1] if len(x.shape) > 2 else 0
    if num_groups < 1 or channels % num_groups or not channels:
        raise ModelError("TL0109", f"group_norm: {num_groups} groups do not divide shape {tuple(x.shape)}")
    return _grouped(x, num_groups, weight, bias, eps)


def instance_norm(x: X, weight: Float32 | None = None, bias: Float32 | None = None, eps: float = 1e-5) -> X:
    """Statistics over all axes behind the channels, for each channel alone."""
    return _grouped(x, 0, weight, bias, eps)


def _grouped(x: X, groups: int, weight: Float32 | None, bias: Float32 | None, eps: float) -> X:
    scale = np.ones(x.shape[1:2], dtype=np.float32) if weight is None else weight
    shift = np.zeros(x.shape[1:2], dtype=np.float32) if bias is None else bias
    attributes: Windowed = [("epsilon", binary32(eps)), ("groups", groups), ("per_group", 0)]
    return like(x, "InstanceNormalization", [x, scale, shift], attributes)


# --- data movement ----------------------------------------------------------------------------------


def pad(x: X, pad: Sequence[int], value: float = 0.0) -> X:
    """`value` around the last axes: pairs of before and after, the last axis first, as in PyTorch."""
    rank, pairs = len(x.shape), [int(item) for item in pad]
    if len(pairs) % 2 or len(pairs) > 2 * rank:
        raise ModelError("TL0109", f"pad: {pairs} does not fit {rank} axes")
    pads = [0] * (2 * rank)
    for place in range(len(pairs) // 2):
        pads[rank - 1 - place], pads[2 * rank - 1 - place] = pairs[2 * place], pairs[2 * place + 1]
    operands = [x] if value == 0.0 else [x, np.asarray(np.float32(value))]
    return like(x, "Pad", operands, [("pads", tuple(pads)), ("mode", "constant")])


def upsample(x: X, scale_factor: Extents) -> X:
    """Every element behind the channels repeated so many times along each axis: nearest neighbours."""
    for axis, scale in enumerate(_extents(scale_factor, len(x.shape) - 2), start=2):
        if scale < 1:
            raise ModelError("TL0109", f"upsample: the factor {scale} is not positive")
        places = [place for place in range(x.shape[axis]) for _ in range(scale)]
        x = index_select(x, axis, places)
    return x


def index_select(x: X, dim: int, index: Sequence[int]) -> X:
    """The elements at these places of an axis, which are known beforehand."""
    places = tuple(int(place) for place in index)
    attributes: Windowed = [
        ("axis", axis_of(dim, len(x.shape))),
        ("indices", places),
        ("shape", (len(places),)),
    ]
    return like(x, "Gather", [x], attributes)


def narrow(x: X, dim: int, start: int, length: int) -> X:
    """`length` elements of an axis from `start` on."""
    axis = axis_of(dim, len(x.shape))
    starts, sizes = [0] * len(x.shape), list(x.shape)
    starts[axis], sizes[axis] = start, length
    steps = (1,) * len(x.shape)
    return like(x, "Slice", [x], [("starts", tuple(starts)), ("sizes", tuple(sizes)), ("steps", steps)])


def reshape(x: X, shape: Sequence[int]) -> X:
    """The same elements in row-major order; one extent may be -1."""
    target = [int(extent) for extent in shape]
    known = int(np.prod([extent for extent in target if extent != -1], dtype=np.int64))
    size = int(np.prod(x.shape, dtype=np.int64))
    if target.count(-1) == 1 and known > 0 and size % known == 0:
        target[target.index(-1)] = size // known
    return like(x, "Reshape", [x], [("shape", tuple(target))])


def flatten(x: X, start_dim: int = 1, end_dim: int = -1) -> X:
    """The axes from start_dim to end_dim as one."""
    first: int = axis_of(start_dim, len(x.shape))
    last: int = axis_of(end_dim, len(x.shape))
    middle = int(np.prod(x.shape[first : last + 1], dtype=np.int64))
    return reshape(x, (*x.shape[:first], middle, *x.shape[last + 1 :]))


def permute(x: X, dims: Sequence[int]) -> X:
    """The axes in another order."""
    return like(x, "Transpose", [x], [("perm", tuple(axis_of(axis, len(x.shape)) for axis in dims))])


def cat(parts: Sequence[X], dim: int = 0) -> X:
    """The parts one behind the other along an axis."""
    if not parts:
        raise ModelError("TL0109", "cat: there is nothing to concatenate")
    return like(parts[0], "Concat", list(parts), [("axis", axis_of(dim, len(parts[0].shape)))])


# --- arguments --------------------------------------------------------------------------------------


def _extents(value: Extents, rank: int) -> tuple[int, ...]:
    values = (value,) * rank if isinstance(value, int) else tuple(int(item) for item in value)
    if len(values) != rank or min(values, default=0) < 0:
        raise ModelError("TL0109", f"{value} does not fit {rank} spatial axes")
    return values


def _spatial(x: Tensor | Float32, weight: Float32) -> int:
    rank = len(x.shape) - 2
    if rank < 1 or np.ndim(weight) != rank + 2:
        raise ModelError("TL0109", f"a weight of shape {np.shape(weight)} does not fit {tuple(x.shape)}")
    return rank


def _windows(
    x: Tensor | Float32,
    kernel_size: Extents,
    stride: Extents | None,
    padding: Extents,
    dilation: Extents,
    ceil_mode: bool,
) -> Windowed:
    rank = len(x.shape) - 2
    kernel = _extents(kernel_size, rank)
    return [
        ("kernel_shape", kernel),
        ("strides", kernel if stride is None else _extents(stride, rank)),
        ("pads", _extents(padding, rank) * 2),
        ("dilations", _extents(dilation, rank)),
        ("ceil_mode", int(ceil_mode)),
    ]


__all__ = [
    "adaptive_avg_pool", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "add", "avg_pool",
    "avg_pool1d", "avg_pool2d", "batch_norm", "cat", "celu", "conv", "conv1d", "conv2d", "conv3d",
    "conv_transpose", "conv_transpose1d", "conv_transpose2d", "div", "elu", "flatten", "gelu",
    "group_norm", "hardsigmoid", "hardswish", "hardtanh", "index_select", "instance_norm",
    "layer_norm", "leaky_relu", "linear", "log_softmax", "matmul", "max_pool", "max_pool1d",
    "max_pool2d", "maximum", "mean", "minimum", "mish", "mul", "narrow", "pad", "permute", "prelu",
    "relu", "relu6", "reshape", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "sub",
    "tanh", "upsample",
]  # fmt: skip
