"""Add, Sub, Mul, Div: one correctly rounded operation per element, with numpy broadcasting; Neg.

ONNX Add, Sub, Mul, Div since opset 7, Neg since 6. IEEE-754 fixes the result's bits. Integers wrap around in
two's complement, and their quotient is rounded towards zero; a zero divisor has no meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.binary32.ulp import exact, is_binary32
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import (
    ZERO,
    AffineBlock,
    AffineStep,
    BilinearStep,
    IndexStep,
    LinearStep,
    OperandStep,
    QuotientStep,
    Step,
)
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    DomainError,
    Enclose,
    Enclosures,
    Float32,
    OpRule,
    Prepare,
    Prepared,
    Types,
    array,
    broadcast,
    constant,
    enclosed,
    exactly_rounded,
    number_type,
    positions,
    same_types,
)


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    left, right = same_types(types[:2])
    number_type(left, "the first operand")
    return (ValueType(left.dtype, broadcast([left.shape, right.shape])),)


def _evaluator(operation: np.ufunc) -> Callable[[Node, Arrays], tuple[Array, ...]]:
    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        left, right = array(inputs[0]), array(inputs[1])
        with np.errstate(all="ignore"):
            if left.dtype != np.float32:
                divide = operation is np.divide
                return (np.asarray(truncated(left, right) if divide else operation(left, right)),)
            result = np.asarray(operation(left, right), dtype=np.float32)
        return (canonical_nan(result),)

    return evaluate


def _preparer(operation: np.ufunc) -> Prepare:
    def prepare(node: Node, types: Types, constants: Arrays) -> Prepared:
        from pytest_torchlean.binary32 import loops

        (result,) = _infer(node, types)
        if result.dtype != "float32" or not result.shape:
            return partial(_evaluator(operation), node)

        def run(inputs: Arrays) -> tuple[Array, ...]:
            value = operation(inputs[0], inputs[1])
            loops.settle(value.ravel(order="K"))
            return (value,)

        return run

    return prepare


def truncated(left: Any, right: Any) -> Array:
    """The quotient of integers rounded towards zero. DomainError for a zero divisor."""
    if not right.all():
        raise DomainError("integer division by zero")
    quotient = np.floor_divide(left, right)
    upward = (np.remainder(left, right) != 0) & ((left < 0) != (right < 0))
    return np.asarray(quotient + upward.astype(quotient.dtype), dtype=left.dtype)


def _operand_indices(node: Node, graph: Graph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat index into each operand for every output element, both of shape (output size,)."""
    shape = graph.types[node.outputs[0]].shape
    left = np.broadcast_to(positions(graph.types[node.inputs[0]].shape), shape)
    right = np.broadcast_to(positions(graph.types[node.inputs[1]].shape), shape)
    return left.reshape(-1), right.reshape(-1)


def _sum_step(sign: float) -> Callable[[Node, Graph], Step | str]:
    def step(node: Node, graph: Graph) -> Step | str:
        left, right = _operand_indices(node, graph)
        first, second = node.inputs[:2]
        sources = (first,) if first == second else (first, second)
        offset = 0 if first == second else graph.types[first].size
        block = AffineBlock(
            weights=np.array([[1.0, sign]], dtype=np.float32),
            bias=None,
            gather=np.stack([left, right + offset], axis=1),
            scatter=positions((left.size, 1)),
        )
        return AffineStep(sources, (block,))

    return step


def _scale_step(node: Node, graph: Graph) -> Step | str:
    left, right = _operand_indices(node, graph)
    variable, factor, at, factor_at = node.inputs[0], constant(graph, node.inputs[1]), left, right
    if factor is None:
        variable, factor, at, factor_at = node.inputs[1], constant(graph, node.inputs[0]), right, left
    if factor is None:
        return product(IndexStep((node.inputs[0],), left), IndexStep((node.inputs[1],), right), left.size)
    return scaled(variable, factor.reshape(-1)[factor_at], at)


def scaled(name: str, factors: Float32, index: NDArray[np.int64] | None = None) -> AffineStep:
    """factors[i] * x[index[i]], both flat, for a value x; without `index`, factors[i] * x[i]."""
    places = positions(factors.shape)
    at = places if index is None else index
    blocks = [
        AffineBlock(
            weights=np.array([[value]], dtype=np.float32),
            bias=None,
            gather=at[chosen, None],
            scatter=chosen[:, None],
        )
        for value, chosen in _by_value(factors, places)
    ]
    return AffineStep((name,), tuple(blocks))


def combination(operands: Sequence[tuple[OperandStep, float]], size: int, offset: float = 0.0) -> LinearStep:
    """Element by element, the operands times a binary32 number each, and an offset."""
    places = np.arange(size, dtype=np.int64)
    gather = np.stack([places + size * index for index in range(len(operands))], axis=1)
    weights = np.array([[weight for _, weight in operands]], dtype=np.float32)
    bias = np.array([offset], dtype=np.float32) if offset else None
    return LinearStep(
        tuple(operand for operand, _ in operands), (AffineBlock(weights, bias, gather, places[:, None]),)
    )


def repeated(name: str, value: np.float32, count: int) -> AffineStep:
    """One number in many places; `name` is a value of the graph, which is not read."""
    places, nothing = np.arange(count, dtype=np.int64)[None], np.full((1, 1), ZERO, dtype=np.int64)
    block = AffineBlock(np.zeros((count, 1), np.float32), np.full(count, value, np.float32), nothing, places)
    return AffineStep((name,), (block,))


def product(left: OperandStep, right: OperandStep, size: int) -> BilinearStep:
    """The products of two operands of `size` elements, element by element."""
    return BilinearStep(left, right, 1, size)


def _quotient_step(node: Node, graph: Graph) -> Step | str:
    """x / c with c = sign * m * 2^e, m odd: m * y = (sign * 2^-e) * x."""
    left, right = _operand_indices(node, graph)
    divisor = constant(graph, node.inputs[1])
    if divisor is None:
        return QuotientStep(IndexStep((node.inputs[0],), left), IndexStep((node.inputs[1],), right))
    blocks = []
    for value, chosen in _by_value(divisor, right):
        number = exact(value)
        if number == 0:
            return "division by the constant zero"
        odd = abs(number.numerator)
        odd //= odd & -odd
        weight = Fraction(odd) / number
        if not is_binary32(weight):
            return f"the reciprocal of the constant {float(value)!r} is beyond the binary32 range"
        blocks.append(
            AffineBlock(
                weights=np.array([[float(weight)]], dtype=np.float32),
                bias=None,
                gather=left[chosen, None],
                scatter=chosen[:, None],
                divisor=odd,
            )
        )
    return AffineStep((node.inputs[0],), tuple(blocks))


def _by_value(
    factor: NDArray[np.float32], at: NDArray[np.int64]
) -> list[tuple[np.float32, NDArray[np.int64]]]:
    """Each distinct value with the output elements that use it."""
    values, which = np.unique(factor.reshape(-1)[at], return_inverse=True)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which.reshape(-1), minlength=values.size))
    groups = np.split(order.astype(np.int64), ends[:-1]) if values.size else []
    return list(zip(values, groups, strict=True))


def _infer_negation(node: Node, types: Types) -> tuple[ValueType, ...]:
    return (number_type(types[0], "the operand"),)


def _negate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    return (np.asarray(np.negative(array(inputs[0]))),)


def _negation_step(node: Node, graph: Graph) -> Step | str:
    name = node.inputs[0]
    return scaled(name, np.full(graph.types[name].size, -1.0, dtype=np.float32))


def _enclose(operation: Callable[[Enclosed, Enclosed], Enclosed]) -> Enclose:
    def enclose(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
        return (operation(enclosed(inputs[0]), enclosed(inputs[1])),)

    return enclose


def _enclose_negation(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    return (-enclosed(inputs[0]),)


def _rule(
    operation: np.ufunc,
    step: Callable[[Node, Graph], Step | str],
    enclose: Callable[[Enclosed, Enclosed], Enclosed],
) -> OpRule:
    return OpRule(
        _infer,
        _evaluator(operation),
        exactly_rounded,
        step,
        enclose=_enclose(enclose),
        prepare=_preparer(operation),
    )


RULES = {
    "Add": _rule(np.add, _sum_step(1.0), lambda left, right: left + right),
    "Sub": _rule(np.subtract, _sum_step(-1.0), lambda left, right: left - right),
    "Mul": _rule(np.multiply, _scale_step, lambda left, right: left * right),
    "Div": _rule(np.divide, _quotient_step, lambda left, right: left / right),
    "Neg": OpRule(_infer_negation, _negate, exactly_rounded, _negation_step, enclose=_enclose_negation),
}
