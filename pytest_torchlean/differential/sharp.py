"""Where the operands of a sum leave no room: the bits that every order of summation gives.

A sum of products has the same result in every order, fused or not, where at most one product is not zero and
that one is exact (a factor is a power of two, at least 1), or where all numbers are integers whose absolute
terms add up to less than 2^24, so that every partial sum is one of binary32's integers. An average of such
integers is one division, or one product with a rounded reciprocal, away from an exact sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.error_bounds import ETA, UNIT_ROUNDOFF
from pytest_torchlean.ir.graph import Node
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.rule import Arrays, floats, integers, real

Float64 = NDArray[np.float64]
_INTEGERS = np.float32(2**24)

PRODUCTS = {"MatMul": 2, "Gemm": 2, "Conv": 2, "ConvTranspose": 2, "Einsum": 9}
"""Operators that add products: how many of their operands are factors; the one behind is added."""
_SUMS = frozenset({"ReduceSum", "ReduceL1", "Sum", "CumSum"})
_AVERAGES = frozenset({"ReduceMean", "AveragePool", "GlobalAveragePool"})
LINEAR = frozenset({*PRODUCTS, *_SUMS, *_AVERAGES})


def sharp_radius(node: Node, operands: Arrays, expected: NDArray[np.float32]) -> Float64 | None:
    """How far any execution may be from the evaluator's result, flat; infinite where nothing is known.

    None for operators that this module says nothing about.
    """
    if node.op not in LINEAR or len(node.outputs) != 1:
        return None
    numbers = [None if operand is None else operand for operand in operands]
    given = [number for number in numbers if number is not None and number.dtype == np.float32]
    if not all(np.isfinite(floats(number)).all() for number in given):
        return None
    if node.op == "Gemm" and _scaled(node, operands):
        return None
    with np.errstate(all="ignore"):
        whole = all((number == np.rint(floats(number))).all() for number in given)
        sizes = _applied(node, [_changed(number, np.abs) for number in numbers])
        fixed = np.zeros(expected.size, dtype=np.bool_)
        if node.op in _AVERAGES:
            return _average(node, operands, expected, sizes, whole)
        if whole:
            fixed |= sizes < _INTEGERS
        if node.op in PRODUCTS:
            fixed |= _one_product(node, numbers) & np.isfinite(sizes)
    return np.where(fixed, 0.0, np.inf)


def _scaled(node: Node, operands: Arrays) -> bool:
    has_bias = len(operands) > 2 and operands[2] is not None
    return bool(real(node, "alpha") != 1 or (has_bias and real(node, "beta") != 1))


def _one_product(node: Node, operands: Arrays) -> NDArray[np.bool_]:
    """Where at most one product is not zero and all its factors but one are powers of two, at least 1."""
    factors = [floats(operand) for operand in operands[: PRODUCTS[node.op]] if operand is not None]
    plain = [
        bool(((factor == 0) | ((np.abs(np.frexp(factor)[0]) == 0.5) & (np.abs(factor) >= 1))).all())
        for factor in factors
    ]
    if sum(plain) < len(factors) - 1:
        return np.zeros(1, dtype=np.bool_)
    used = [_changed(factor, lambda values: values != 0) for factor in factors]
    return np.asarray(_applied(node, used) <= 1)


def _average(
    node: Node, operands: Arrays, expected: NDArray[np.float32], sizes: NDArray[np.float32], whole: bool
) -> Float64 | None:
    if not whole:
        return None
    x = floats(operands[0])
    if node.op == "AveragePool":
        terms = math.prod(integers(node, "kernel_shape"))
    else:
        terms = max(1, x.size // max(1, expected.size))
    exact = sizes.astype(np.float64) * terms < 2**24 - 1
    size = np.abs(expected.reshape(-1).astype(np.float64))
    return np.where(exact, size * UNIT_ROUNDOFF * 3.0 * (1.0 + 2.0**-20) + 3.0 * ETA, np.inf)


def _changed(operand: object, change: object) -> NDArray[np.generic] | None:
    if not isinstance(operand, np.ndarray) or operand.dtype != np.float32:
        return operand if isinstance(operand, np.ndarray) else None
    assert callable(change)
    return np.asarray(change(operand), dtype=np.float32)


def _applied(node: Node, operands: Sequence[NDArray[np.generic] | None]) -> NDArray[np.float32]:
    """The node's result on other operands, flat."""
    return floats(RULES[node.op].evaluate(node, operands)[0]).reshape(-1)
