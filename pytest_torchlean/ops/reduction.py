"""Reductions over axes, and Sum and Mean of several operands.

ONNX ReduceSum, ReduceMean, ReduceProd, ReduceMax, ReduceMin, ReduceL1, ReduceL2, ReduceSumSquare,
ReduceLogSum, ReduceLogSumExp since 1; Sum and Mean since 6. Schedule: sums and products run over the
reduced elements in row-major order, the accumulator starting at +0 or 1; means divide by the count;
ReduceLogSumExp subtracts the largest element first. Nothing at all sums to 0, multiplies to 1, and has the
largest element minus infinity. Integers wrap around, their mean is cut to an integer; bool knows only the
largest and the least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import numpy as np

from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import AffineBlock, AffineStep, BilinearStep, IndexStep, Step
from pytest_torchlean.ops.elementwise import truncated
from pytest_torchlean.ops.extremum import extremum
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    OpRule,
    Prepared,
    ShapeError,
    Types,
    array,
    broadcast,
    float_type,
    integer,
    integers,
    number_type,
    positions,
    same_types,
)


def _axes(node: Node) -> tuple[int, ...]:
    return integers(node, "axes")


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = types[0]
    if x is None or not (x.dtype == "bool" and node.op in ("ReduceMax", "ReduceMin")):
        x = number_type(x, "the operand")
        if x.dtype != "float32" and node.op not in _WHOLE:
            raise ShapeError(f"the operand is {x.dtype}; only float32 is supported")
    axes, rank = _axes(node), len(x.shape)
    if len(set(axes)) != len(axes) or any(not 0 <= axis < rank for axis in axes):
        raise ShapeError(f"axes {axes} do not fit shape {x.shape}")
    kept = bool(integer(node, "keepdims"))
    shape = [1 if axis in axes else extent for axis, extent in enumerate(x.shape)]
    if not kept:
        shape = [extent for axis, extent in enumerate(x.shape) if axis not in axes]
    return (ValueType(x.dtype, tuple(shape)),)


def _reducing(values: Callable[[Any, tuple[int, ...]], Any]) -> Callable[[Node, Sequence[Any]], list[Any]]:
    def formula(node: Node, operands: Sequence[Any]) -> list[Any]:
        result = values(operands[0], _axes(node))
        return [result if integer(node, "keepdims") else result.dropped(_axes(node))]

    return formula


def _log_sum_exp(x: Any, axes: tuple[int, ...]) -> Any:
    """An infinite largest element is not subtracted."""
    largest = x.largest(axes)
    shift = largest.moved(lambda values: values)
    shift = _where_finite(largest, shift)
    return (x - shift).function("Exp").sum(axes).function("Log") + shift


def _where_finite(largest: Any, value: Any) -> Any:
    from pytest_torchlean.binary32.arithmetic import Enclosed, Rounded

    if isinstance(value, Rounded):
        return Rounded(np.where(np.isfinite(largest.values), value.values, np.float32(0)))
    finite = np.isfinite(largest.center)
    return Enclosed(np.where(finite, value.center, 0.0), np.where(finite, value.radius, 0.0))


_FORMULAS: dict[str, Callable[[Any, tuple[int, ...]], Any]] = {
    "ReduceSum": lambda x, axes: x.sum(axes),
    "ReduceMean": lambda x, axes: x.mean(axes),
    "ReduceProd": lambda x, axes: x.product(axes),
    "ReduceMax": lambda x, axes: x.largest(axes),
    "ReduceMin": lambda x, axes: x.largest(axes, least=True),
    "ReduceL1": lambda x, axes: abs(x).sum(axes),
    "ReduceL2": lambda x, axes: (x * x).sum(axes).sqrt(),
    "ReduceSumSquare": lambda x, axes: (x * x).sum(axes),
    "ReduceLogSum": lambda x, axes: x.sum(axes).function("Log"),
    "ReduceLogSumExp": _log_sum_exp,
}


def _mean(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    count = np.asarray(np.prod([x.shape[at] for at in axis], dtype=np.int64), dtype=x.dtype)
    return truncated(np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype), count)


def _least(dtype: Any) -> Any:
    return False if dtype == np.bool_ else np.iinfo(dtype).min


def _most(dtype: Any) -> Any:
    return True if dtype == np.bool_ else np.iinfo(dtype).max


_WHOLE: dict[str, Callable[[Any, tuple[int, ...], bool], Any]] = {
    "ReduceSum": lambda x, axis, kept: np.sum(x, axis=axis, keepdims=kept, dtype=x.dtype),
    "ReduceMean": _mean,
    "ReduceProd": lambda x, axis, kept: np.prod(x, axis=axis, keepdims=kept, dtype=x.dtype),
    "ReduceMax": lambda x, axis, kept: np.max(x, axis=axis, keepdims=kept, initial=_least(x.dtype)),
    "ReduceMin": lambda x, axis, kept: np.min(x, axis=axis, keepdims=kept, initial=_most(x.dtype)),
    "ReduceL1": lambda x, axis, kept: np.sum(np.abs(x), axis=axis, keepdims=kept, dtype=x.dtype),
    "ReduceSumSquare": lambda x, axis, kept: np.sum(x * x, axis=axis, keepdims=kept, dtype=x.dtype),
}


def _whole(node: Node, inputs: Sequence[Any]) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(_WHOLE[node.op](inputs[0], _axes(node), bool(integer(node, "keepdims"))))


def _infer_many(node: Node, types: Types) -> tuple[ValueType, ...]:
    kinds = same_types(types)
    float_type(kinds[0], "an operand")
    return (ValueType("float32", broadcast([kind.shape for kind in kinds])),)


def _sum(node: Node, operands: Sequence[Any]) -> list[Any]:
    return [reduce(lambda left, right: left + right, operands)]


def _mean_of(node: Node, operands: Sequence[Any]) -> list[Any]:
    (total,) = _sum(node, operands)
    return [total / operands[0].constant(float(len(operands)))]


def _reduced(node: Node, graph: Graph) -> Any:
    """Flat indices of what each output element reduces, in the order of the schedule: (outputs, count)."""
    shape, axes = graph.types[node.inputs[0]].shape, _axes(node)
    order = (*(axis for axis in range(len(shape)) if axis not in axes), *axes)
    count = math.prod(shape[axis] for axis in axes)
    results = math.prod(extent for axis, extent in enumerate(shape) if axis not in axes)
    return np.ascontiguousarray(positions(shape).transpose(order)).reshape(results, count)


def _sum_step(node: Node, graph: Graph) -> Step | str:
    """Weights 1; for a mean the divisor is the count."""
    gather = _reduced(node, graph)
    count = gather.shape[1]
    if not count:
        return "it reduces no element at all"
    block = AffineBlock(
        weights=np.ones((1, count), dtype=np.float32),
        bias=None,
        gather=gather,
        scatter=positions((len(gather), 1)),
        divisor=count if node.op == "ReduceMean" else 1,
    )
    return AffineStep((node.inputs[0],), (block,))


def _squares_step(node: Node, graph: Graph) -> Step | str:
    """Each reduced element times itself."""
    gather = _reduced(node, graph)
    if not gather.shape[1]:
        return "it reduces no element at all"
    operand = IndexStep((node.inputs[0],), gather.reshape(-1))
    return BilinearStep(operand, operand, gather.shape[1], len(gather))


def _extremum_step(node: Node, graph: Graph) -> Step | str:
    """One operand for each reduced element."""
    gather = _reduced(node, graph)
    if not gather.shape[1]:
        return "it reduces no element at all"
    operands = tuple(
        IndexStep((node.inputs[0],), np.ascontiguousarray(gather[:, at])) for at in range(gather.shape[1])
    )
    return extremum(operands, node.op == "ReduceMax", len(gather))


def _sum_of_step(node: Node, graph: Graph) -> Step | str:
    """Every operand broadcast to the output, with weight 1; for a mean the divisor is their number."""
    shape = graph.types[node.outputs[0]].shape
    sources = tuple(dict.fromkeys(node.inputs))
    starts = dict(zip(sources, np.cumsum([0, *(graph.types[name].size for name in sources)]), strict=False))
    columns = [
        np.broadcast_to(positions(graph.types[name].shape), shape).reshape(-1) + starts[name]
        for name in node.inputs
    ]
    block = AffineBlock(
        weights=np.ones((1, len(columns)), dtype=np.float32),
        bias=None,
        gather=np.stack(columns, axis=1),
        scatter=positions((math.prod(shape), 1)),
        divisor=len(columns) if node.op == "Mean" else 1,
    )
    return AffineStep(sources, (block,))


def _prepare(node: Node, types: Types, constants: Arrays) -> Prepared:
    """Sums and means of float32, compiled."""
    from pytest_torchlean.binary32 import loops

    x, (result,), axes = float_type(types[0], "the operand"), _infer(node, types), _axes(node)
    order = (*axes, *(axis for axis in range(len(x.shape)) if axis not in axes))
    count = math.prod(x.shape[axis] for axis in axes)
    divisor = np.float32(count) if node.op == "ReduceMean" else np.float32(1)

    def run(inputs: Arrays) -> tuple[Array, ...]:
        terms = np.ascontiguousarray(array(inputs[0]).transpose(order)).reshape(count, result.size)
        total = np.zeros(result.size, dtype=np.float32)
        loops.add_up(terms, total)
        np.divide(total, divisor, out=total)
        loops.settle(total)
        return (total.reshape(result.shape),)

    return run


def _summing(rule: OpRule) -> OpRule:
    def prepare(node: Node, types: Types, constants: Arrays) -> Prepared:
        if types[0] is None or types[0].dtype != "float32":
            return partial(rule.evaluate, node)
        return _prepare(node, types, constants)

    return replace(rule, prepare=prepare)


_BY_FORMULA = {
    op: rule_of(_infer, _reducing(values), integers=_whole if op in _WHOLE else None)
    for op, values in _FORMULAS.items()
}

RULES: dict[str, OpRule] = {
    **_BY_FORMULA,
    "ReduceSum": replace(_summing(_BY_FORMULA["ReduceSum"]), step=_sum_step),
    "ReduceMean": replace(_summing(_BY_FORMULA["ReduceMean"]), step=_sum_step),
    "ReduceMax": replace(_BY_FORMULA["ReduceMax"], step=_extremum_step),
    "ReduceMin": replace(_BY_FORMULA["ReduceMin"], step=_extremum_step),
    "ReduceSumSquare": replace(_BY_FORMULA["ReduceSumSquare"], step=_squares_step),
    "Sum": replace(rule_of(_infer_many, _sum), step=_sum_of_step),
    "Mean": replace(rule_of(_infer_many, _mean_of), step=_sum_of_step),
}
