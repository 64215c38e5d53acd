"""Col2Im: blocks of an image added up where they overlap.

ONNX Col2Im 18. Column l of channel c holds the elements of one block in row-major order; an element of the
image is the sum of the block elements that lie on it, ascending by their place in the block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ZERO, AffineBlock, AffineStep, Step
from pytest_torchlean.ops.conv import transposed_taps
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.rule import ShapeError, Types, float_type, integers, positions
from pytest_torchlean.ops.windows import MOST_TAPS


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Attributes: `outputs`, the image's extents; `kernel_shape`, the block's; `blocks` along each axis."""
    shape = float_type(types[0], "the input").shape
    outputs, kernel, blocks = (integers(node, name) for name in ("outputs", "kernel_shape", "blocks"))
    if len(shape) != 3 or not len(outputs) == len(kernel) == len(blocks) or min((*outputs, *kernel)) < 1:
        raise ShapeError(f"an input of shape {shape} is no list of blocks {kernel} of an image {outputs}")
    if min(blocks) < 1 or shape[1] % math.prod(kernel) or shape[2] != math.prod(blocks):
        raise ShapeError(f"an input of shape {shape} is no list of {blocks} blocks of {kernel}")
    if math.prod(outputs) * math.prod(kernel) > MOST_TAPS:
        raise ShapeError("image and block are too large")
    return (ValueType("float32", (shape[0], shape[1] // math.prod(kernel), *outputs)),)


def _gather(node: Node, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Flat input element, or ZERO, that each output element adds: int64 (outputs, volume)."""
    kernel, blocks = integers(node, "kernel_shape"), integers(node, "blocks")
    taps = transposed_taps(node, blocks, kernel)
    volume = math.prod(kernel)
    channels = np.arange(shape[0] * shape[1] // volume, dtype=np.int64)[:, None, None]
    at = (channels * volume + np.arange(volume)) * shape[2] + taps
    return np.where(taps == ZERO, ZERO, at).reshape(-1, volume)


def _formula(node: Node, operands: Sequence[Any]) -> list[Any]:
    x = operands[0]
    gather = _gather(node, x.shape)

    def terms(values: NDArray[Any]) -> NDArray[Any]:
        padded = np.append(values.reshape(-1), values.dtype.type(0))
        return np.ascontiguousarray(padded[gather].T)

    channels = x.shape[1] // math.prod(integers(node, "kernel_shape"))
    return [x.moved(terms).sum((0,)).reshaped(x.shape[0], channels, *integers(node, "outputs"))]


def _step(node: Node, graph: Graph) -> Step | str:
    gather = _gather(node, graph.types[node.inputs[0]].shape)
    ones = np.ones((1, gather.shape[1]), dtype=np.float32)
    block = AffineBlock(ones, None, gather, positions((len(gather), 1)))
    return AffineStep((node.inputs[0],), (block,))


RULES = {"Col2Im": replace(rule_of(_infer, _formula), step=_step)}
