"""Lowering of Col2Im, Det, DFT and STFT."""

from __future__ import annotations

import math

import numpy as np

from pytest_torchlean.ir.graph import Attribute
from pytest_torchlean.onnx_import.context import Context, OnnxNode, Refusal
from pytest_torchlean.onnx_import.lowering import Lowering, plain, resolved_axis


def col2im(context: Context, node: OnnxNode) -> None:
    """Col2Im 18: the image's and the block's shape are constants."""
    image = context.constant_integers(node.inputs[1], "the image's shape")
    block = context.constant_integers(node.inputs[2], "the block's shape")
    axes = len(image)
    ones = (1,) * axes
    strides, dilations = node.integers("strides") or ones, node.integers("dilations") or ones
    pads = node.integers("pads") or (0,) * (2 * axes)
    if not axes == len(block) == len(strides) == len(dilations) == len(pads) // 2 or min(pads) < 0:
        raise Refusal(f"block {block}, strides, dilations or pads do not fit the image {image}")
    if min((*image, *block, *strides, *dilations)) < 1:
        raise Refusal("an extent, a stride or a dilation is not positive")
    blocks = tuple(
        (image[axis] + pads[axis] + pads[axis + axes] - dilations[axis] * (block[axis] - 1) - 1)
        // strides[axis] + 1
        for axis in range(axes)
    )  # fmt: skip
    attributes: list[tuple[str, Attribute]] = [
        ("outputs", image), ("kernel_shape", block), ("blocks", blocks), ("strides", strides),
        ("pads", pads), ("dilations", dilations),
    ]  # fmt: skip
    context.emit(node, "Col2Im", node.inputs[:1], attributes)


def dft(context: Context, node: OnnxNode) -> None:
    """DFT 17, and 20, where the axis is an input."""
    shape = context.type_of(node.inputs[0]).shape
    rank = len(shape)
    axis = node.integer("axis", 1)
    if node.since >= 20:
        given = context.constant_integers(node.input(2), "the axis") if node.input(2) else (-2,)
        if len(given) != 1:
            raise Refusal(f"the axis is {given}, not one number")
        axis = given[0]
    at = resolved_axis(axis, rank, rank)
    if rank < 2 or at == rank - 1:
        raise Refusal(f"axis {axis} of shape {shape} is no axis of signals")
    inverse, half = node.flag("inverse", 0), node.flag("onesided", 0)
    length = 2 * (shape[at] - 1) if inverse and half else shape[at]
    if node.input(1):
        wanted = context.constant_integers(node.input(1), "the length")
        if len(wanted) != 1:
            raise Refusal(f"the length is {wanted}, not one number")
        length = wanted[0]
    if inverse and half and shape[-1] != 2:
        raise Refusal("a one-sided inverse transform needs complex numbers")
    name = _transformed(context, node, node.inputs[0], at, length, (inverse, half))
    context.emit(node, "Identity", [name])


def _transformed(
    context: Context, node: OnnxNode, name: str, axis: int, length: int, flags: tuple[int, int]
) -> str:
    shape = context.type_of(name).shape
    rank = len(shape)
    perm = (*(each for each in range(rank) if each not in (axis, rank - 1)), axis, rank - 1)
    name = context.part(node, "Transpose", [name], [("perm", perm)])
    rest = tuple(shape[each] for each in perm[:-2])
    rows = (math.prod(rest), shape[axis], shape[-1])
    name = context.part(node, "Reshape", [name], [("shape", rows)])
    attributes = [("length", length), ("inverse", flags[0]), ("onesided", flags[1])]
    name = context.part(node, "DFT", [name], attributes)
    name = context.part(node, "Reshape", [name], [("shape", (*rest, *context.type_of(name).shape[1:]))])
    return context.part(node, "Transpose", [name], [("perm", tuple(np.argsort(perm).tolist()))])


def stft(context: Context, node: OnnxNode) -> None:
    """STFT 17: frames, times the window, each transformed."""
    shape = context.type_of(node.inputs[0]).shape
    step = context.constant_integers(node.inputs[1], "the step")
    if node.input(3):
        length = context.constant_integers(node.input(3), "the frame's length")
    elif node.input(2):
        length = context.type_of(node.inputs[2]).shape
    else:
        raise Refusal("neither a window nor a frame length is given")
    if len(shape) != 3 or len(step) != 1 or len(length) != 1 or step[0] < 1 or length[0] > shape[1]:
        raise Refusal(f"frames of {length} every {step} do not fit signals of shape {shape}")
    starts = np.arange(0, shape[1] - length[0] + 1, step[0])
    index = (starts[:, None] + np.arange(length[0])).reshape(-1)
    frames: list[tuple[str, Attribute]] = [
        ("axis", 1), ("indices", tuple(int(at) for at in index)), ("shape", (len(starts), length[0])),
    ]  # fmt: skip
    name = context.part(node, "Gather", node.inputs[:1], frames)
    if node.input(2):
        if context.type_of(node.inputs[2]).shape != length:
            raise Refusal("the window does not have the frame's length")
        window = context.part(node, "Reshape", [node.inputs[2]], [("shape", (length[0], 1))])
        name = context.part(node, "Mul", [name, window])
    half = node.flag("onesided", 1)
    context.emit(node, "Identity", [_transformed(context, node, name, 2, length[0], (0, half))])


LOWERINGS = {
    "Col2Im": Lowering((18,), col2im),
    "DFT": Lowering((17, 20), dft),
    "Det": Lowering((11, 22), plain()),
    "STFT": Lowering((17,), stft),
}
