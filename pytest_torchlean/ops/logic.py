"""Comparisons, logic, bits and number classes: results that no rounding enters.

ONNX Equal, Greater, Less since 7, GreaterOrEqual, LessOrEqual since 12, And, Or, Xor since 7, Not since 1,
BitShift since 11, BitwiseAnd/Or/Xor/Not since 18, IsNaN since 9, IsInf since 10. Comparisons with
NaN are false, as IEEE-754 has it; a shift to the right
keeps the sign; a shift by a negative amount, or by the integer's width or more, leaves the sign alone: -1 for
a negative number shifted to the right, else 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.rule import (
    INTEGERS,
    Array,
    Arrays,
    OpRule,
    Types,
    array,
    broadcast,
    exactly_rounded,
    integer,
    no_step,
    same_types,
    typed,
)

_NO_STEP = no_step("its result is not a continuous function of its operands")


def _binary(operation: Callable[[Any, Any], Any], result: str, *dtypes: str) -> OpRule:
    """A rule for two operands of one dtype; `result` is the result's dtype, "" for the operands' own."""

    def infer(node: Node, types: Types) -> tuple[ValueType, ...]:
        left, right = same_types(types[:2])
        typed(left, "an operand", *dtypes)
        return (ValueType(result or left.dtype, broadcast([left.shape, right.shape])),)

    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        left, right = array(inputs[0]), array(inputs[1])
        return (np.asarray(operation(left, right), dtype=result or left.dtype),)

    return OpRule(infer, evaluate, exactly_rounded, _NO_STEP)


def _unary(operation: Callable[[Any], Any], result: str, *dtypes: str) -> OpRule:
    def infer(node: Node, types: Types) -> tuple[ValueType, ...]:
        kind = typed(types[0], "the operand", *dtypes)
        return (ValueType(result or kind.dtype, kind.shape),)

    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        x = array(inputs[0])
        return (np.asarray(operation(x), dtype=result or x.dtype),)

    return OpRule(infer, evaluate, exactly_rounded, _NO_STEP)


def _infer_shift(node: Node, types: Types) -> tuple[ValueType, ...]:
    left, right = same_types(types[:2])
    typed(left, "an operand", *INTEGERS)
    return (ValueType(left.dtype, broadcast([left.shape, right.shape])),)


def _shift(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x: Any = array(inputs[0])
    by: Any = array(inputs[1])
    width = x.dtype.itemsize * 8
    left = integer(node, "left")
    inside = (by >= 0) & (by < width)
    amount = np.where(inside, by, 0).astype(x.dtype)
    shifted = np.left_shift(x, amount) if left else np.right_shift(x, amount)
    beyond = np.zeros_like(x) if left else np.where(x < 0, np.asarray(-1).astype(x.dtype), x.dtype.type(0))
    return (np.asarray(np.where(inside, shifted, beyond), dtype=x.dtype),)


def _is_inf(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x: Any = array(inputs[0])
    positive, negative = bool(integer(node, "detect_positive")), bool(integer(node, "detect_negative"))
    return (np.asarray(((x == np.inf) & positive) | ((x == -np.inf) & negative)),)


_NUMBERS = ("float32", *INTEGERS)

RULES = {
    "Equal": _binary(np.equal, "bool", *_NUMBERS, "bool"),
    "Greater": _binary(np.greater, "bool", *_NUMBERS),
    "GreaterOrEqual": _binary(np.greater_equal, "bool", *_NUMBERS),
    "Less": _binary(np.less, "bool", *_NUMBERS),
    "LessOrEqual": _binary(np.less_equal, "bool", *_NUMBERS),
    "And": _binary(np.logical_and, "bool", "bool"),
    "Or": _binary(np.logical_or, "bool", "bool"),
    "Xor": _binary(np.logical_xor, "bool", "bool"),
    "Not": _unary(np.logical_not, "bool", "bool"),
    "BitwiseAnd": _binary(np.bitwise_and, "", *INTEGERS),
    "BitwiseOr": _binary(np.bitwise_or, "", *INTEGERS),
    "BitwiseXor": _binary(np.bitwise_xor, "", *INTEGERS),
    "BitwiseNot": _unary(np.bitwise_not, "", *INTEGERS),
    "BitShift": OpRule(_infer_shift, _shift, exactly_rounded, _NO_STEP),
    "IsNaN": _unary(np.isnan, "bool", "float32"),
    "IsInf": OpRule(_unary(np.isinf, "bool", "float32").infer, _is_inf, exactly_rounded, _NO_STEP),
}
