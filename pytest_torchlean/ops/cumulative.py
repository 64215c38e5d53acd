"""CumSum, CumProd, Range, and scatters that add, multiply or choose.

ONNX CumSum since 11, CumProd since 26, Range since 11, the reductions of the scatters since 16.
Schedule: ascending along the axis (descending with `reverse`), the accumulator starting at the first element;
Range is fl(start + fl(i * delta)); a scatter takes its updates in row-major order. Integers wrap around.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_torchlean.binary32.error_bounds import ETA, finish, gamma
from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import AffineBlock, AffineStep, Step
from pytest_torchlean.ops.indexed import (
    Places,
    axis_in,
    infer_scatter_elements,
    infer_scatter_nd,
    scatter_elements_at,
    scatter_nd_at,
)
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Float64,
    OpRule,
    ShapeError,
    Types,
    array,
    exactly_rounded,
    float_type,
    floats,
    integer,
    no_step,
    number_type,
    positions,
    wide,
)


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    x = number_type(types[0], "the operand")
    axis_in(node, x)
    return (x,)


def _shifted(node: Node, x: Any, neutral: int) -> Any:
    """The terms in the order of the schedule, along the first axis."""
    terms = np.moveaxis(x, integer(node, "axis"), 0)
    if integer(node, "reverse"):
        terms = terms[::-1]
    if integer(node, "exclusive") and len(terms):
        first = np.full((1, *terms.shape[1:]), neutral, dtype=terms.dtype)
        terms = np.concatenate([first, terms[:-1]])
    return terms


def _placed(node: Node, totals: Any) -> Any:
    if integer(node, "reverse"):
        totals = totals[::-1]
    return np.ascontiguousarray(np.moveaxis(totals, 0, integer(node, "axis")))


def _accumulated(node: Node, x: Any, product: bool) -> Any:
    terms = _shifted(node, x, int(product))
    with np.errstate(all="ignore"):
        totals = (np.multiply if product else np.add).accumulate(terms, axis=0, dtype=x.dtype)
    return _placed(node, totals)


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x: Any = array(inputs[0])
    result = _accumulated(node, x, node.op == "CumProd")
    return (canonical_nan(result) if x.dtype == np.float32 else result,)


def _error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    """gamma_{n-1} * sum |x_j| over the first n terms; for products gamma_{n-1} * |product| + underflow."""
    x = array(inputs[0])
    if x.dtype != np.float32:
        return (None,)
    product = node.op == "CumProd"
    magnitude = np.asarray(_accumulated(node, np.abs(x.astype(np.float64)), product))
    count = np.broadcast_to(
        np.arange(x.shape[integer(node, "axis")], dtype=np.float64).reshape(
            -1, *(1,) * (x.ndim - 1 - integer(node, "axis"))
        ),
        x.shape,
    )
    if integer(node, "reverse"):
        count = np.flip(count, integer(node, "axis"))
    with np.errstate(all="ignore"):
        bound = gamma(count) * magnitude
        if product:
            reach = np.asarray(_accumulated(node, np.maximum(np.abs(x.astype(np.float64)), 1.0), True))
            return (finish(bound + 2.0 * count * ETA * reach, reach),)
    return (finish(bound, magnitude),)


def _sum_step(node: Node, graph: Graph) -> Step | str:
    """A triangle of ones along the axis."""
    shape, axis = graph.types[node.inputs[0]].shape, integer(node, "axis")
    extent = shape[axis]
    if 0 in shape:
        return "it sums no element at all"
    lines = np.ascontiguousarray(np.moveaxis(positions(shape), axis, -1)).reshape(-1, extent)
    ones = np.tri(extent, k=-integer(node, "exclusive"), dtype=np.float32)
    weights = np.ascontiguousarray(ones[::-1, ::-1]) if integer(node, "reverse") else ones
    return AffineStep((node.inputs[0],), (AffineBlock(weights, None, lines, lines),))


def _infer_range(node: Node, types: Types) -> tuple[ValueType, ...]:
    start, delta = float_type(types[0], "the start"), float_type(types[1], "the step")
    if start.shape or delta.shape or integer(node, "count") < 0:
        raise ShapeError("start and step must be scalars, and the count not negative")
    return (ValueType("float32", (integer(node, "count"),)),)


def _range(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    index = positions((integer(node, "count"),)).astype(np.float32)
    with np.errstate(all="ignore"):
        values = np.add(floats(inputs[0]), np.multiply(index, floats(inputs[1])))
    return (canonical_nan(np.asarray(values, dtype=np.float32)),)


def _range_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    """gamma_{i+1} * (|start| + i |step|): also covers adding the step again and again."""
    index = positions((integer(node, "count"),)).astype(np.float64)
    magnitude = np.abs(wide(inputs[0])) + index * np.abs(wide(inputs[1]))
    return (finish(gamma(index + 1.0) * magnitude + (index > 1) * ETA, magnitude),)


_OPERATIONS: dict[str, np.ufunc] = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def _scatter(infer: Any, places: Places) -> OpRule:
    def checked(node: Node, types: Types) -> tuple[ValueType, ...]:
        number_type(types[0], "the operand")
        result: tuple[ValueType, ...] = infer(node, types)
        return result

    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        x, index, updates = (array(value) for value in inputs)
        result = np.array(x)
        with np.errstate(all="ignore"):
            _OPERATIONS[str(node.attribute("reduction"))].at(result, places(node, index, x.shape), updates)
        return (canonical_nan(result) if result.dtype == np.float32 else result,)  # type: ignore[arg-type]

    def error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
        """gamma_n * (|x| + sum |u|) for n updates of an element; products likewise, with underflow."""
        x, index, updates = (array(value) for value in inputs)
        reduction = str(node.attribute("reduction"))
        if x.dtype != np.float32 or reduction in ("max", "min"):
            return exactly_rounded(node, inputs)
        at = places(node, index, x.shape)
        count = np.zeros(x.shape)
        np.add.at(count, at, 1.0)
        magnitude, terms = np.abs(x.astype(np.float64)), np.abs(updates.astype(np.float64))
        with np.errstate(all="ignore"):
            if reduction == "add":
                np.add.at(magnitude, at, terms)
                return (finish(gamma(count) * magnitude, magnitude),)
            reach = np.maximum(magnitude, 1.0)
            np.multiply.at(magnitude, at, terms)
            np.multiply.at(reach, at, np.maximum(terms, 1.0))
            return (finish(gamma(count) * magnitude + 2.0 * count * ETA * reach, reach),)

    return OpRule(checked, evaluate, error_bound, no_step("it adds or chooses at computed places"))


_NO_STEP = no_step("it has no certificate rule")

RULES = {
    "CumSum": OpRule(_infer, _evaluate, _error_bound, _sum_step),
    "CumProd": OpRule(_infer, _evaluate, _error_bound, _NO_STEP),
    "Range": OpRule(_infer_range, _range, _range_bound, _NO_STEP),
    "ScatterElementsReduced": _scatter(infer_scatter_elements, scatter_elements_at),
    "ScatterNDReduced": _scatter(infer_scatter_nd, scatter_nd_at),
}
