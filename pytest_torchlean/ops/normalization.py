"""Softmax, LogSoftmax, Hardmax and the normalisations by statistics of the input.

ONNX Softmax, LogSoftmax, Hardmax since 1, InstanceNormalization since 6, LpNormalization since 1, LRN since
1, LayerNormalization since 17, GroupNormalization since 18, RMSNormalization since 23. Schedules, every
operation rounded, sums ascending: Softmax e^(x - max) / sum; LogSoftmax (x - max) - log(sum e^(x - max));
normalisations mean = sum / n, d = x - mean, variance = sum(d * d) / n, d * (1 / sqrt(variance + epsilon)) *
scale + bias; RMS and Lp the same without the mean; LRN x / (bias + alpha / size * sum of squares)^beta, the
power as exp(beta * log).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pytest_torchlean.binary32.arithmetic import Enclosed, Rounded
from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops import softmax
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.indexed import axis_in
from pytest_torchlean.ops.layer_normalization import grouped_step, normalized_step
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    OpRule,
    Prepared,
    ShapeError,
    Types,
    broadcast,
    exactly_rounded,
    float_type,
    floats,
    integer,
    no_step,
    real,
)


def _infer_axis(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = float_type(types[0], "the operand")
    axis_in(node, x)
    return (x,)


def _softmax(node: Node, operands: Sequence[Any]) -> list[Any]:
    x, axes = operands[0], (integer(node, "axis"),)
    grown = (x - x.largest(axes)).function("Exp")
    return [grown / grown.sum(axes)]


def _prepare_softmax(node: Node, types: Types, constants: Arrays) -> Prepared:
    """Along the last axis; where an infinity or NaN occurs, as the formula has it."""
    from pytest_torchlean.binary32 import loops
    from pytest_torchlean.binary32.elementary import compiled_function

    shape = float_type(types[0], "the operand").shape
    exponential = compiled_function("Exp")
    plain = partial(_SOFTMAX.evaluate, node)
    if integer(node, "axis") != len(shape) - 1 or 0 in shape:
        return plain

    def run(inputs: Arrays) -> tuple[Array, ...]:
        x = np.ascontiguousarray(floats(inputs[0])).reshape(-1, shape[-1])
        below = np.empty_like(x)
        if not loops.below_largest(x, below):
            return plain(inputs)
        grown = exponential(below.reshape(-1)).reshape(x.shape)
        loops.divide_by_sum(grown)
        return (grown.reshape(shape),)

    return run


def _log_softmax(node: Node, operands: Sequence[Any]) -> list[Any]:
    x, axes = operands[0], (integer(node, "axis"),)
    below = x - x.largest(axes)
    return [below - below.function("Exp").sum(axes).function("Log")]


def _hardmax(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x, axis = floats(inputs[0]), integer(node, "axis")
    result = np.zeros_like(x)
    if x.size:
        first = np.expand_dims(np.argmax(x, axis=axis), axis)
        np.put_along_axis(result, first, np.float32(1), axis=axis)
    return (result,)


# --- by mean and variance -----------------------------------------------------------------------------


def _centered(x: Any, axes: tuple[int, ...], epsilon: np.float32) -> tuple[Any, Any, Any]:
    """d, 1 / sqrt(variance + epsilon), mean."""
    mean = x.mean(axes)
    distance = x - mean
    variance = (distance * distance).mean(axes)
    inverse = x.constant(1.0) / (variance + x.constant(epsilon)).sqrt()
    return distance, inverse, mean


def _unless_squares_overflow(result: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Runtimes may sum the squares themselves: where those overflow, nothing is claimed."""
    if not isinstance(result, Enclosed):
        return result
    claimed = np.isfinite((x * x).sum(axes).radius)
    return Enclosed(result.center, np.where(claimed, result.radius, np.inf))


def _scaled(value: Any, scale: Any, bias: Any) -> Any:
    result = value * scale
    return result if bias is None else result + bias


def _optional(operands: Sequence[Any], index: int) -> Any:
    return operands[index] if index < len(operands) else None


def _infer_layer(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = axis_type = float_type(types[0], "the input")
    axis = axis_in(node, axis_type)
    for number, what in ((1, "the scale"), (2, "the bias")):
        if number == 1 or (number < len(types) and types[number] is not None):
            other = float_type(types[number] if number < len(types) else None, what)
            if broadcast([x.shape, other.shape]) != x.shape:
                raise ShapeError(f"{what} of shape {other.shape} does not broadcast to {x.shape}")
    statistics = ValueType("float32", (*x.shape[:axis], *(1,) * (len(x.shape) - axis)))
    return (x, statistics, statistics)[: len(node.outputs)]


def _layer(node: Node, operands: Sequence[Any]) -> list[Any]:
    x = operands[0]
    axes = tuple(range(integer(node, "axis"), len(x.shape)))
    distance, inverse, mean = _centered(x, axes, real(node, "epsilon"))
    result = _scaled(distance * inverse, operands[1], _optional(operands, 2))
    result = _unless_squares_overflow(result, x, axes)
    return [result, mean, inverse][: len(node.outputs)]


def _prepare_layer(node: Node, types: Types, constants: Arrays) -> Prepared:
    """With one output, and a scale and bias for each element of a row."""
    from pytest_torchlean.binary32 import loops

    shape, epsilon = float_type(types[0], "the input").shape, real(node, "epsilon")
    own = shape[integer(node, "axis") :]
    n = math.prod(own)
    parameters = [kind.shape for kind in types[1:] if kind is not None]
    if len(node.outputs) > 1 or n == 0 or any(parameter != own for parameter in parameters):
        return partial(_LAYER.evaluate, node)
    none = np.empty(0, dtype=np.float32)

    def run(inputs: Arrays) -> tuple[Array, ...]:
        x = np.ascontiguousarray(floats(inputs[0])).reshape(-1, n)
        scale, bias = np.ascontiguousarray(floats(inputs[1])).reshape(n), _optional(inputs, 2)
        out = np.empty_like(x)
        added = none if bias is None else np.ascontiguousarray(floats(bias)).reshape(n)
        loops.normalize_rows(x, epsilon, scale, added, out)
        return (out.reshape(shape),)

    return run


def _rms(node: Node, operands: Sequence[Any]) -> list[Any]:
    x = operands[0]
    axes = tuple(range(integer(node, "axis"), len(x.shape)))
    root = ((x * x).mean(axes) + x.constant(real(node, "epsilon"))).sqrt()
    return [(x / root) * operands[1]]


def _infer_instance(node: Node, types: Types) -> tuple[ValueType, ...]:
    """Scale and bias: one number per channel, or per group for GroupNormalization before opset 21."""
    x = float_type(types[0], "the input")
    groups = integer(node, "groups")
    if len(x.shape) < 2 or not x.shape[1] or groups < 0 or (groups and x.shape[1] % groups):
        raise ShapeError(f"the input of shape {x.shape} does not split into {groups} groups of channels")
    wanted = (groups,) if groups and integer(node, "per_group") else (x.shape[1],)
    for kind, what in zip(types[1:3], ("the scale", "the bias"), strict=True):
        if float_type(kind, what).shape != wanted:
            raise ShapeError(f"{what} does not have shape {wanted}")
    return (x,)


def _instance(node: Node, operands: Sequence[Any]) -> list[Any]:
    """groups = 0 stands for one group per channel."""
    x, scale, bias = operands[:3]
    batch, channels, *rest = x.shape
    groups = integer(node, "groups") or channels
    grouped = x.reshaped(batch, groups, channels // groups, int(np.prod(rest, dtype=np.int64)))
    distance, inverse, mean = _centered(grouped, (2, 3), real(node, "epsilon"))
    shape = (1, groups, 1, 1) if integer(node, "per_group") else (1, groups, channels // groups, 1)
    scale, bias = scale.reshaped(*shape), bias.reshaped(*shape)
    factor = inverse * scale
    folded = grouped * factor + (bias - mean * factor)
    result = _scaled(distance * inverse, scale, bias).or_by(folded)
    result = _unless_squares_overflow(result, grouped, (2, 3))
    return [result.reshaped(*x.shape)]


# --- by norms and neighbours --------------------------------------------------------------------------


def _lp(node: Node, operands: Sequence[Any]) -> list[Any]:
    """Where the norm is 0 the result is 0."""
    x, axes = operands[0], (integer(node, "axis"),)
    norm = abs(x).sum(axes) if integer(node, "p") == 1 else (x * x).sum(axes).sqrt()
    if isinstance(norm, Rounded):
        return [x / Rounded(np.where(norm.values == 0, np.float32(1), norm.values))]
    zero = (norm.center == 0) & (norm.radius == 0)
    return [x / Enclosed(np.where(zero, 1.0, norm.center), norm.radius)]


def _infer_lrn(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = float_type(types[0], "the input")
    if len(x.shape) < 2 or integer(node, "size") < 1:
        raise ShapeError(f"the input has shape {x.shape}, which has no channel axis, or the size is 0")
    return (x,)


def _lrn(node: Node, operands: Sequence[Any]) -> list[Any]:
    """The window of channel c reaches from c - (size - 1) // 2 to c + size // 2 where there are channels."""
    x, size = operands[0], integer(node, "size")
    before, after = (size - 1) // 2, size // 2
    channels = x.shape[1]

    def windows(values: Any) -> Any:
        padded = np.pad(values, [(0, 0), (before, after), *[(0, 0)] * (values.ndim - 2)])
        return np.stack([padded[:, at : at + channels] for at in range(size)])

    total = (x * x).moved(windows).sum((0,)).dropped((0,))
    share = x.constant(real(node, "alpha")) / x.constant(float(size))
    base = x.constant(real(node, "bias")) + share * total
    power = (x.constant(real(node, "beta")) * base.function("Log")).function("Exp")
    return [x / power]


_SOFTMAX = rule_of(_infer_axis, _softmax)
_LAYER = rule_of(_infer_layer, _layer)

RULES: dict[str, OpRule] = {
    "Softmax": replace(
        _SOFTMAX,
        step=softmax.step,
        exact_step=softmax.exact_step,
        granted_step=softmax.granted_step,
        prepare=_prepare_softmax,
    ),
    "LogSoftmax": rule_of(_infer_axis, _log_softmax),
    "Hardmax": OpRule(
        _infer_axis, _hardmax, exactly_rounded, no_step("which element it chooses depends on the input")
    ),
    "LayerNormalization": replace(
        _LAYER,
        step=normalized_step,
        exact_step=partial(normalized_step, exact=True),
        prepare=_prepare_layer,
    ),
    "RMSNormalization": replace(rule_of(_infer_layer, _rms), step=normalized_step),
    "InstanceNormalization": replace(
        rule_of(_infer_instance, _instance),
        step=grouped_step,
        exact_step=partial(grouped_step, exact=True),
    ),
    "LpNormalization": rule_of(_infer_axis, _lp),
    "LRN": rule_of(_infer_lrn, _lrn),
}
