"""BatchNormalization, inference: y = (x - mean) * (scale / sqrt(var + epsilon)) + bias.

ONNX BatchNormalization 7, 9, 14, 15. Schedule: fl(fl(fl(x - mean) * i) + bias) with
i = fl(scale / fl(sqrt(fl(var + epsilon)))).
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from pytest_torchlean.binary32.error_bounds import ETA, finish, gamma
from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import (
    CurveStep,
    IndexStep,
    PickStep,
    QuotientStep,
    Step,
)
from pytest_torchlean.ops.elementwise import combination, product, repeated
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Float64,
    OpRule,
    Prepared,
    ShapeError,
    Types,
    constant,
    float_type,
    floats,
    real,
    wide,
)


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = float_type(types[0], "the input")
    if len(x.shape) < 2:
        raise ShapeError(f"the input has shape {x.shape}, which has no channel axis")
    for kind, what in zip(types[1:], ("scale", "bias", "mean", "variance"), strict=True):
        if float_type(kind, what).shape != (x.shape[1],):
            raise ShapeError(f"{what} does not have shape {(x.shape[1],)}")
    return (x,)


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x = floats(inputs[0])
    scale, bias, mean, variance = (floats(value).reshape(-1, *(1,) * (x.ndim - 2)) for value in inputs[1:5])
    with np.errstate(all="ignore"):
        factor = np.divide(scale, np.sqrt(np.add(variance, real(node, "epsilon"))))
        result = np.add(np.multiply(np.subtract(x, mean), factor), bias)
    return (canonical_nan(np.asarray(result, dtype=np.float32)),)


def _prepare(node: Node, types: Types, constants: Arrays) -> Prepared:
    """With constant parameters, whose factor is computed once."""
    if any(value is None for value in constants[1:5]):
        return partial(_evaluate, node)
    from pytest_torchlean.binary32 import loops

    column = (-1, *(1,) * (len(float_type(types[0], "the input").shape) - 2))
    scale, bias, mean, variance = (floats(value).reshape(column) for value in constants[1:5])
    with np.errstate(all="ignore"):
        factor = np.divide(scale, np.sqrt(np.add(variance, real(node, "epsilon"))))

    def run(inputs: Arrays) -> tuple[Array, ...]:
        result = np.subtract(floats(inputs[0]), mean)
        np.multiply(result, factor, out=result)
        np.add(result, bias, out=result)
        loops.settle(result.ravel(order="K"))
        return (result,)

    return run


def _error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    """gamma_8 * (|x i| + |mean i| + |bias|) + 8 eta + 3 eta (|x| + |mean|), i = scale / sqrt(var + eps).

    Covers the fused forms too: x * i + (bias - mean * i), folded before or at run time.
    """
    x = np.abs(wide(inputs[0]))
    scale, bias, mean, variance = (wide(value).reshape(-1, *(1,) * (x.ndim - 2)) for value in inputs[1:5])
    with np.errstate(all="ignore"):
        shifted = variance + float(real(node, "epsilon"))
        factor = np.abs(scale) / np.sqrt(shifted)
        size = (x + np.abs(mean)) * factor + np.abs(bias)
        reach = x + np.abs(mean)
        bound = gamma(8) * size + 8.0 * ETA + 3.0 * ETA * reach
        largest = np.maximum(np.maximum(size, reach), np.maximum(np.abs(shifted), factor))
    return (finish(bound, np.broadcast_to(largest, bound.shape)),)


def _step(node: Node, graph: Graph) -> Step | str:
    """x * factor + (bias - mean * factor), the factor 1 / sqrt(variance + epsilon) * scale, each operation
    rounded: what the runtime's kernel computes.
    """
    name, scale, bias, mean, variance = node.inputs[:5]
    if any(constant(graph, value) is None for value in (scale, bias, mean, variance)):
        return "its parameters are computed"
    if (floats(constant(graph, variance)) + real(node, "epsilon") <= 0).any():
        return "its variance and epsilon add up to 0"
    shape = graph.types[name].shape
    size, channels = math.prod(shape), shape[1]
    places, each = np.arange(size, dtype=np.int64), np.arange(channels, dtype=np.int64)
    channel = np.broadcast_to(each.reshape(-1, *(1,) * (len(shape) - 2)), shape).reshape(-1)
    scales, biases, means, variances = (IndexStep((one,), each) for one in (scale, bias, mean, variance))
    epsilon = float(real(node, "epsilon"))
    root = CurveStep(combination([(variances, 1.0)], channels, epsilon), "sqrt")
    inverse = QuotientStep(repeated(variance, np.float32(1), channels), root)
    factor = product(inverse, scales, channels)
    offset = combination([(biases, 1.0), (product(means, factor, channels), -1.0)], channels)
    scaled = product(IndexStep((name,), places), PickStep(factor, channel), size)
    return combination([(scaled, 1.0), (PickStep(offset, channel), 1.0)], size)


RULES = {"BatchNormalization": OpRule(_infer, _evaluate, _error_bound, _step, prepare=_prepare)}
