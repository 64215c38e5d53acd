"""Det and DFT: determinants, and discrete Fourier transforms along one axis.

ONNX Det 11, 22; DFT 17, 20. Det: elimination with the largest pivot of each column, then the product of the
pivots. DFT: one matrix product with the cosines and sines, rounded to binary32; real and imaginary part are
the last axis. A runtime may use a fast transform: each entry of the matrix is then a product of about log n
rounded entries, and for lengths that are no power of two a convolution with a chirp, so the error bound
grants every entry as much. The bound of Det is Wilkinson's backward error with the largest growth that
partial pivoting allows, brought forward by Hadamard's inequality.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.error_bounds import ETA, UNIT_ROUNDOFF, finish, gamma
from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.binary32.ulp import LARGEST
from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    Float64,
    OpRule,
    ShapeError,
    Types,
    enclosed,
    float_type,
    floats,
    integer,
    no_step,
)

LARGEST_DETERMINANT = 16
"""Rows of the largest matrix: the allowed growth doubles with each row."""
MOST_ENTRIES = 2**24
"""Entries of the largest matrix of a transform."""


# --- Det ----------------------------------------------------------------------------------------------


def _infer_det(node: Node, types: Types) -> tuple[ValueType, ...]:
    shape = float_type(types[0], "the operand").shape
    if len(shape) < 2 or shape[-1] != shape[-2] or not 1 <= shape[-1] <= LARGEST_DETERMINANT:
        raise ShapeError(f"shape {shape} is no square matrix of at most {LARGEST_DETERMINANT} rows")
    return (ValueType("float32", shape[:-2]),)


def _determinant(matrix: NDArray[Any]) -> Any:
    """Of one matrix, in its own precision; the matrix is overwritten."""
    size, result = len(matrix), matrix.dtype.type(1)
    for column in range(size):
        pivot = column + int(np.argmax(np.abs(matrix[column:, column])))
        if matrix[pivot, column] == 0:
            return matrix.dtype.type(0)
        if pivot != column:
            matrix[[pivot, column]] = matrix[[column, pivot]]
            result = -result
        result = result * matrix[column, column]
        factors = matrix[column + 1 :, column] / matrix[column, column]
        matrix[column + 1 :] -= factors[:, None] * matrix[column]
    return result


def _det(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x = floats(inputs[0])
    with np.errstate(all="ignore"):
        found = [_determinant(matrix.copy()) for matrix in x.reshape(-1, *x.shape[-2:])]
    return (canonical_nan(np.array(found, dtype=np.float32).reshape(x.shape[:-2])),)


def _enclose_det(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    x = enclosed(inputs[0])
    size = x.shape[-1]
    with np.errstate(all="ignore"):
        matrices = x.center.reshape(-1, size, size)
        found = np.array([_determinant(matrix.copy()) for matrix in matrices]).reshape(x.shape[:-2])
        largest = x.size.max(axis=(-1, -2))
        backward = gamma(2 * size) * size * 2.0 ** (size - 1) * largest + size * ETA
        rows = np.sqrt((x.size**2).sum(axis=-1))
        moved = rows + np.sqrt((x.radius**2).sum(axis=-1)) + math.sqrt(size) * backward[..., None]
        whole = moved.prod(axis=-1)
        radius = whole - rows.prod(axis=-1) + gamma(size + 2) * whole + 2.0**-40 * whole
        radius = finish(radius + 2.0 * size * ETA * (1.0 + np.maximum(moved, 1.0).prod(axis=-1)), whole)
    return (Enclosed(found, np.where(np.isfinite(found), radius, np.inf)),)


def _det_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    return (enclosed(_enclose_det(node, [Enclosed.exact(floats(inputs[0]))])[0]).radius,)


# --- DFT ----------------------------------------------------------------------------------------------


def _infer_dft(node: Node, types: Types) -> tuple[ValueType, ...]:
    """The operand: (rows, length, 1 or 2), the transform along the middle axis."""
    shape, length = float_type(types[0], "the operand").shape, integer(node, "length")
    if len(shape) != 3 or shape[2] not in (1, 2) or length < 1 or shape[1] < 1:
        raise ShapeError(f"shape {shape} is no list of {length} real or complex numbers")
    if 4 * length * length > MOST_ENTRIES:
        raise ShapeError(f"a transform of length {length} is too large")
    half = integer(node, "onesided")
    if half and integer(node, "inverse"):
        return (ValueType("float32", (shape[0], length, 1)),)
    return (ValueType("float32", (shape[0], length // 2 + 1 if half else length, 2)),)


def _matrix(node: Node, given: int, parts: int) -> Float64:
    """The transform as a matrix from (given, parts) to (results, parts of a result), flat."""
    length, inverse, half = (integer(node, name) for name in ("length", "inverse", "onesided"))
    real_result = bool(inverse and half)
    results = length if real_result or not half else length // 2 + 1
    used = min(given, length // 2 + 1 if real_result else length)
    turns = (np.arange(used)[:, None] * np.arange(results)) % length
    angle = 2.0 * np.pi * turns / length * (1.0 if inverse else -1.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.zeros((given, parts, results, 1 if real_result else 2))
    matrix[:used, 0, :, 0] = cosine
    if not real_result:
        matrix[:used, 0, :, 1] = sine
    if parts == 2:
        matrix[:used, 1, :, 0] = -sine
        if not real_result:
            matrix[:used, 1, :, 1] = cosine
    if real_result:
        inner = slice(1, (length + 1) // 2)
        matrix[inner] *= 2.0
    return matrix.reshape(given * parts, -1)


def _dft(node: Node, operands: Sequence[Any]) -> list[Any]:
    x = operands[0]
    rows, given, parts = x.shape
    length = integer(node, "length")
    matrix = _matrix(node, given, parts)
    weights = x.constant(matrix.astype(np.float32))
    if isinstance(weights, Enclosed):
        used = np.repeat(np.any(matrix.reshape(given, -1) != 0.0, axis=1), parts)
        weights = Enclosed(weights.center, weights.radius + np.where(used, _doubt(length), 0.0)[:, None])
    result = x.reshaped(rows, given * parts).matmul(weights)
    if isinstance(result, Enclosed):
        with np.errstate(over="ignore"):
            large = x.size.sum(axis=(1, 2))[:, None] > LARGEST / 4.0
        result = Enclosed(result.center, np.where(large, np.inf, result.radius))
    if integer(node, "inverse"):
        result = result / x.constant(float(length))
    last = 1 if integer(node, "inverse") and integer(node, "onesided") else 2
    return [result.reshaped(rows, -1, last)]


def _doubt(length: int) -> float:
    """What a fast transform may change of an entry, even 0: its factors' roundings, times a chirp's size."""
    depth = math.ceil(math.log2(length)) + 2.0
    chirp = 1.0 if length & (length - 1) == 0 else 4.0 * math.sqrt(length)
    return 16.0 * UNIT_ROUNDOFF * depth * chirp


RULES: dict[str, OpRule] = {
    "Det": OpRule(_infer_det, _det, _det_bound, no_step("it has no certificate rule"), enclose=_enclose_det),
    "DFT": rule_of(_infer_dft, _dft),
}
