"""MatMul and Gemm: dot products.

ONNX MatMul since opset 1, Gemm since opset 7. Schedule: the sequential kernel over k ascending; Gemm
then multiplies by alpha where alpha is not 1 and adds beta * C (beta = 1: C itself), each operation
rounded.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import kernels
from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.error_bounds import ETA, dot_bound, finish, gamma
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import AffineBlock, AffineStep, BilinearStep, IndexStep, Step
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    Float32,
    Float64,
    OpRule,
    Prepared,
    ShapeError,
    Types,
    array,
    broadcast,
    constant,
    enclosed,
    float_type,
    floats,
    integer,
    positions,
    real,
    wide,
)

Indices = NDArray[np.int64]


def _infer_matmul(node: Node, types: Types) -> tuple[ValueType, ...]:
    a = float_type(types[0], "the first operand").shape
    b = float_type(types[1], "the second operand").shape
    if not a or not b:
        raise ShapeError("a scalar operand has no matrix product")
    left = (1, *a) if len(a) == 1 else a
    right = (*b, 1) if len(b) == 1 else b
    if left[-1] != right[-2]:
        raise ShapeError(f"shapes {a} and {b} do not fit a matrix product")
    batch = broadcast([left[:-2], right[:-2]])
    rows = () if len(a) == 1 else (left[-2],)
    columns = () if len(b) == 1 else (right[-1],)
    return (ValueType("float32", (*batch, *rows, *columns)),)


def _stacked(a: Array, b: Array) -> tuple[Array, Array]:
    """Both operands as (batch, rows, k) and (batch, k, columns), broadcast; views where possible."""
    left = a.reshape(1, -1) if a.ndim == 1 else a
    right = b.reshape(-1, 1) if b.ndim == 1 else b
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, (*batch, *left.shape[-2:]))
    right = np.broadcast_to(right, (*batch, *right.shape[-2:]))
    count = int(np.prod(batch, dtype=np.int64))
    return left.reshape(count, *left.shape[-2:]), right.reshape(count, *right.shape[-2:])


def _evaluate_matmul(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    a, b = floats(inputs[0]), floats(inputs[1])
    shape = _infer_matmul(node, (ValueType("float32", a.shape), ValueType("float32", b.shape)))[0].shape
    if b.ndim <= 2:
        rows = a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
        columns = b.reshape(b.shape[0], math.prod(b.shape[1:]))
        return (kernels.matmul(rows, columns).reshape(shape),)
    left, right = _stacked(a, b)
    return (kernels.matmul_each(floats(left), floats(right)).reshape(shape),)


def _prepare_matmul(node: Node, types: Types, constants: Arrays) -> Prepared:
    """A constant right operand is cut into panels once."""
    (result,) = _infer_matmul(node, types)
    b = constants[1]
    if b is None or b.ndim > 2:
        return _prepare_each(types, result.shape)
    factor = kernels.RightFactor(floats(b).reshape(b.shape[0], math.prod(b.shape[1:])))

    rows = math.prod(float_type(types[0], "the first operand").shape[:-1])

    def shared(inputs: Arrays) -> tuple[Array, ...]:
        return (factor.product(floats(inputs[0]).reshape(rows, factor.depth)).reshape(result.shape),)

    return shared


def _prepare_each(types: Types, shape: tuple[int, ...]) -> Prepared:
    a, b = float_type(types[0], "the first operand").shape, float_type(types[1], "the second operand").shape
    if min(len(a), len(b)) > 2 and a[:-2] == b[:-2]:
        count = math.prod(a[:-2])
        left, right = (count, *a[-2:]), (count, *b[-2:])

        def alike(inputs: Arrays) -> tuple[Array, ...]:
            x, y = floats(inputs[0]).reshape(left), floats(inputs[1]).reshape(right)
            return (kernels.matmul_each(x, y, implementation="numba").reshape(shape),)

        return alike

    def broadcast_first(inputs: Arrays) -> tuple[Array, ...]:
        x, y = _stacked(array(inputs[0]), array(inputs[1]))
        return (kernels.matmul_each(floats(x), floats(y), implementation="numba").reshape(shape),)

    return broadcast_first


def _bound_matmul(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    a, b = np.abs(wide(inputs[0])), np.abs(wide(inputs[1]))
    with np.errstate(invalid="ignore", over="ignore"):
        magnitude = np.asarray(np.matmul(a, b))
    return (dot_bound(magnitude, nonzero_products(a, b)),)


def nonzero_products(a: Array, b: Array) -> Float64:
    """How many products of each output of a @ b are not zero; float64 counts, exact below 2^53.

    Where one factor has no zero, which is common, the other's count decides; it then broadcasts.
    """
    left, right = a != 0, b != 0
    if right.ndim >= 2 and right.all():
        return np.asarray(left.sum(axis=-1, keepdims=left.ndim > 1), dtype=np.float64)
    if left.ndim >= 2 and left.all():
        return np.asarray(
            right.sum(axis=-2 if right.ndim > 1 else -1, keepdims=right.ndim > 1), dtype=np.float64
        )
    return np.asarray(np.matmul(left.astype(np.float64), right.astype(np.float64)))


def _step_matmul(node: Node, graph: Graph) -> Step | str:
    a, b = node.inputs[:2]
    if 0 in (*graph.types[a].shape, *graph.types[b].shape):
        return "one of its matrices is empty"
    at_a, at_b = _stacked(positions(graph.types[a].shape), positions(graph.types[b].shape))
    outputs = positions((len(at_a), at_a.shape[1], at_b.shape[2]))
    weights = constant(graph, b)
    if weights is not None:
        return AffineStep((a,), _right_blocks(at_a, weights, at_b, outputs))
    weights = constant(graph, a)
    if weights is not None:
        return AffineStep((b,), _left_blocks(weights, at_a, at_b, outputs))
    return _computed_product(a, b, at_a, at_b)


def _computed_product(a: str, b: str, at_a: Array, at_b: Array) -> BilinearStep:
    """Sums of products of two computed values, (batch, rows, k) and (batch, k, columns)."""
    shape = (len(at_a), at_a.shape[1], at_b.shape[2], at_a.shape[2])
    left, right = (
        IndexStep((name,), np.ascontiguousarray(np.broadcast_to(index, shape), dtype=np.int64).reshape(-1))
        for name, index in ((a, at_a[:, :, None, :]), (b, at_b.transpose(0, 2, 1)[:, None, :, :]))
    )
    return BilinearStep(left, right, shape[3], math.prod(shape[:3]))


def _right_blocks(at_x: Array, weights: Float32, at_w: Array, outputs: Indices) -> tuple[AffineBlock, ...]:
    """x @ W with constant W: one block per distinct matrix of the batch, applied to every row."""
    blocks = []
    for which in _distinct(at_w):
        rows = np.asarray(at_x[which], dtype=np.int64)
        blocks.append(
            AffineBlock(
                weights=np.ascontiguousarray(weights.reshape(-1)[at_w[which[0]]].T),
                bias=None,
                gather=rows.reshape(-1, rows.shape[-1]),
                scatter=outputs[which].reshape(-1, outputs.shape[-1]),
            )
        )
    return tuple(blocks)


def _left_blocks(weights: Float32, at_w: Array, at_x: Array, outputs: Indices) -> tuple[AffineBlock, ...]:
    """W @ x with constant W: one block per distinct matrix of the batch, applied to every column."""
    blocks = []
    for which in _distinct(at_w):
        columns = np.asarray(at_x[which], dtype=np.int64).transpose(0, 2, 1)
        results = outputs[which].transpose(0, 2, 1)
        blocks.append(
            AffineBlock(
                weights=np.ascontiguousarray(weights.reshape(-1)[at_w[which[0]]]),
                bias=None,
                gather=columns.reshape(-1, columns.shape[-1]),
                scatter=results.reshape(-1, results.shape[-1]),
            )
        )
    return tuple(blocks)


def _distinct(at_w: Array) -> list[Indices]:
    """Batch indices grouped by the constant matrix they read."""
    groups: dict[int, list[int]] = {}
    for index, matrix in enumerate(at_w):
        groups.setdefault(int(matrix.reshape(-1)[0]) if matrix.size else 0, []).append(index)
    return [np.array(group, dtype=np.int64) for group in groups.values()]


def _infer_gemm(node: Node, types: Types) -> tuple[ValueType, ...]:
    a = float_type(types[0], "A").shape
    b = float_type(types[1], "B").shape
    if len(a) != 2 or len(b) != 2:
        raise ShapeError(f"A and B must be matrices, their shapes are {a} and {b}")
    rows, depth = a[::-1] if integer(node, "trans_a") else a
    inner, columns = b[::-1] if integer(node, "trans_b") else b
    if depth != inner:
        raise ShapeError(f"shapes {a} and {b} do not fit a matrix product")
    shape = (rows, columns)
    if len(types) > 2 and types[2] is not None:
        c = float_type(types[2], "C").shape
        if broadcast([c, shape]) != shape:
            raise ShapeError(f"C of shape {c} does not broadcast to {shape}")
    return (ValueType("float32", shape),)


def _matrices(node: Node, a: Array, b: Array) -> tuple[Array, Array]:
    return (a.T if integer(node, "trans_a") else a), (b.T if integer(node, "trans_b") else b)


def _evaluate_gemm(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    a, b = _matrices(node, floats(inputs[0]), floats(inputs[1]))
    return _with_c(node, kernels.matmul(floats(a), floats(b)), inputs)


def _with_c(node: Node, result: Float32, inputs: Arrays) -> tuple[Array, ...]:
    """alpha * result + beta * C."""
    alpha, beta = real(node, "alpha"), real(node, "beta")
    with np.errstate(all="ignore"):
        if alpha != 1:
            result = np.multiply(alpha, result)
        if len(inputs) > 2 and inputs[2] is not None:
            c = floats(inputs[2])
            result = np.add(result, c if beta == 1 else np.multiply(beta, c))
    return (kernels.canonical_nan(result),)


def _prepare_gemm(node: Node, types: Types, constants: Arrays) -> Prepared:
    """As MatMul; a constant C that is one number per column is added by the product itself."""
    b, c = constants[1], constants[2] if len(constants) > 2 else None
    if b is None:
        return partial(_evaluate_gemm, node)
    transposed, columns = bool(integer(node, "trans_a")), _infer_gemm(node, types)[0].shape[1]
    factor = kernels.RightFactor(floats(b.T if integer(node, "trans_b") else b))
    plain = real(node, "alpha") == 1 and real(node, "beta") == 1
    added = len(types) > 2 and types[2] is not None
    if not plain or (added and (c is None or c.shape not in ((columns,), (1, columns)))):

        def general(inputs: Arrays) -> tuple[Array, ...]:
            a = floats(inputs[0])
            return _with_c(node, factor.product(a.T if transposed else a), inputs)

        return general
    bias = floats(c).reshape(columns) if added else None

    def fused(inputs: Arrays) -> tuple[Array, ...]:
        a = floats(inputs[0])
        return (factor.product(a.T if transposed else a, bias),)

    return fused


def _bound_gemm(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    """gamma_m * S + m * eta with one more rounding each for C, alpha != 1 and beta != 1."""
    a, b = _matrices(node, np.abs(wide(inputs[0])), np.abs(wide(inputs[1])))
    alpha, beta = abs(float(real(node, "alpha"))), abs(float(real(node, "beta")))
    c = np.abs(wide(inputs[2])) if len(inputs) > 2 and inputs[2] is not None else None
    with np.errstate(invalid="ignore", over="ignore"):
        product = np.asarray(np.matmul(a, b))
        count = nonzero_products(a, b)
        magnitude = alpha * product
        roundings = count + float(alpha != 1)
        underflows = (count + 1.0) * max(1.0, alpha)
        if c is not None:
            magnitude = magnitude + beta * c
            roundings = roundings + 1.0 + float(beta != 1)
            underflows = underflows + 1.0
        g = gamma(roundings)
        bound = g * magnitude + underflows * ETA * (1.0 + g)
    return (finish(bound, np.maximum(product, magnitude)),)


def _step_gemm(node: Node, graph: Graph) -> Step | str:
    c_name = node.inputs[2] if len(node.inputs) > 2 else ""
    if real(node, "alpha") != 1 or (c_name and real(node, "beta") != 1):
        return "alpha or beta differs from 1, so the scaled weights are not binary32 numbers"
    type_a, type_b = graph.types[node.inputs[0]], graph.types[node.inputs[1]]
    at_a, at_b = _matrices(node, positions(type_a.shape), positions(type_b.shape))
    rows, columns = graph.types[node.outputs[0]].shape
    outputs = positions((rows, columns))
    a, b = constant(graph, node.inputs[0]), constant(graph, node.inputs[1])
    if b is not None:
        variable, weights = node.inputs[0], b.reshape(-1)[at_b].T
        gather, scatter = np.asarray(at_a, dtype=np.int64), outputs
    elif a is not None:
        variable, weights = node.inputs[1], a.reshape(-1)[at_a]
        gather, scatter = np.asarray(at_b, dtype=np.int64).T, outputs.T
    elif not c_name and 0 not in (*at_a.shape, *at_b.shape):
        return _computed_product(node.inputs[0], node.inputs[1], at_a[None], at_b[None])
    else:
        return "a product of two computed matrices with a bias has no certificate"
    weights = np.ascontiguousarray(weights)
    if not c_name:
        return AffineStep((variable,), (AffineBlock(weights, None, gather, scatter),))
    at_c = np.broadcast_to(positions(graph.types[c_name].shape), (rows, columns)).reshape(-1)[scatter]
    c = constant(graph, c_name)
    if c is None:
        return _with_computed_bias(variable, c_name, graph, AffineBlock(weights, None, gather, scatter), at_c)
    return AffineStep((variable,), _with_constant_bias(weights, c.reshape(-1), at_c, gather, scatter))


def _with_constant_bias(
    weights: Float32, c: Float32, at_c: Indices, gather: Indices, scatter: Indices
) -> tuple[AffineBlock, ...]:
    """One block per distinct bias vector; a bias shared by every position gives a single block."""
    distinct, which = np.unique(at_c, axis=0, return_inverse=True)
    which = which.reshape(-1)
    return tuple(
        AffineBlock(weights, np.ascontiguousarray(c[row]), gather[which == index], scatter[which == index])
        for index, row in enumerate(distinct)
    )


def _with_computed_bias(
    variable: str, c_name: str, graph: Graph, block: AffineBlock, at_c: Indices
) -> AffineStep:
    """A bias that is itself computed enters through an identity matrix beside the weights."""
    rows = block.weights.shape[0]
    weights = np.concatenate([block.weights, np.eye(rows, dtype=np.float32)], axis=1)
    offset = 0 if c_name == variable else graph.types[variable].size
    gather = np.concatenate([block.gather, at_c + offset], axis=1)
    sources = (variable,) if c_name == variable else (variable, c_name)
    return AffineStep(sources, (AffineBlock(weights, None, gather, block.scatter),))


def _enclose_matmul(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    a, b = enclosed(inputs[0]), enclosed(inputs[1])
    left = a.reshaped(1, -1) if len(a.shape) == 1 else a
    right = b.reshaped(-1, 1) if len(b.shape) == 1 else b
    product = left.matmul(right)
    axes = [axis for axis, value in ((-2, a), (-1, b)) if len(value.shape) == 1]
    return (product.dropped(tuple(axis + len(product.shape) for axis in axes)),)


def _enclose_gemm(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    a, b = enclosed(inputs[0]), enclosed(inputs[1])
    left = a.moved(lambda v: v.T) if integer(node, "trans_a") else a
    right = b.moved(lambda v: v.T) if integer(node, "trans_b") else b
    result = left.matmul(right)
    alpha, beta = real(node, "alpha"), real(node, "beta")
    if alpha != 1:
        result = result * result.constant(float(alpha))
    if len(inputs) > 2 and inputs[2] is not None:
        c = enclosed(inputs[2])
        result = result + (c if beta == 1 else c * c.constant(float(beta)))
    return (result,)


RULES = {
    "MatMul": OpRule(
        _infer_matmul,
        _evaluate_matmul,
        _bound_matmul,
        _step_matmul,
        enclose=_enclose_matmul,
        prepare=_prepare_matmul,
    ),
    "Gemm": OpRule(
        _infer_gemm,
        _evaluate_gemm,
        _bound_gemm,
        _step_gemm,
        enclose=_enclose_gemm,
        prepare=_prepare_gemm,
    ),
}
