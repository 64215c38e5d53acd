"""LeakyRelu and PRelu: x where it is not negative, slope * x elsewhere, rounded once.

ONNX LeakyRelu 6, 16; PRelu 7, 9, 16, whose slope broadcasts to the operand. For a certificate the result is
max(x, slope * x) where the slope is at most 1, and min(x, slope * x) where it is larger.
"""

from __future__ import annotations

import numpy as np

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ExtremumStep, IndexStep, Step
from pytest_torchlean.ops.elementwise import scaled
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    Float32,
    OpRule,
    ShapeError,
    Types,
    broadcast,
    constant,
    enclosed,
    exactly_rounded,
    float_type,
    floats,
    positions,
    real,
    same_float,
)


def _infer_prelu(node: Node, types: Types) -> tuple[ValueType, ...]:
    x, slope = float_type(types[0], "the operand"), float_type(types[1], "the slope")
    if broadcast([x.shape, slope.shape]) != x.shape:
        raise ShapeError(f"a slope of shape {slope.shape} does not broadcast to the operand's {x.shape}")
    return (x,)


def _bent(x: Float32, slope: Float32) -> tuple[Array, ...]:
    with np.errstate(all="ignore"):
        product = np.asarray(slope * x, dtype=np.float32)
        return (canonical_nan(np.where(x >= 0, x, product)),)


def _leaky(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    return _bent(floats(inputs[0]), np.asarray(real(node, "alpha")))


def _prelu(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    return _bent(floats(inputs[0]), floats(inputs[1]))


def _step(name: str, slopes: Float32) -> ExtremumStep:
    """slopes: float32 (size,), one for every element of the operand."""
    whole = IndexStep((name,), np.arange(slopes.size, dtype=np.int64))
    return ExtremumStep((whole, scaled(name, slopes)), slopes <= 1)


def _leaky_step(node: Node, graph: Graph) -> Step | str:
    size = graph.types[node.inputs[0]].size
    return _step(node.inputs[0], np.full(size, real(node, "alpha"), dtype=np.float32))


def _prelu_step(node: Node, graph: Graph) -> Step | str:
    slope = constant(graph, node.inputs[1])
    if slope is None:
        return "a slope that is computed makes a product of two computed values"
    at = np.broadcast_to(positions(slope.shape), graph.types[node.inputs[0]].shape)
    return _step(node.inputs[0], slope.reshape(-1)[at.reshape(-1)])


def _enclose(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    """max(x, slope * x) where the slope is at most 1, else min(x, slope * x)."""
    x = enclosed(inputs[0])
    slope = enclosed(inputs[1]) if node.op == "PRelu" else x.constant(float(real(node, "alpha")))
    product = x * slope
    return (x.maximum(product).selected(slope.center <= 1, x.minimum(product)),)


RULES = {
    "LeakyRelu": OpRule(same_float, _leaky, exactly_rounded, _leaky_step, enclose=_enclose),
    "PRelu": OpRule(_infer_prelu, _prelu, exactly_rounded, _prelu_step, enclose=_enclose),
}
