"""Bounds for a stretch of nodes that the runtime's optimiser may have merged into one.

Between two values that both graphs name, the optimiser may reorder sums, fold constants into weights
(BatchNormalization or Mul into Conv) and fuse. Each exact output element of an affine stretch is a sum
of terms, each a product of constants and one input; such a rewrite changes only in which order the
terms are formed. If every term passes through at most n roundings, the result is within gamma_n times
the sum of the absolute terms (Higham, Accuracy and Stability, section 3.1). `SLACK` roundings per node
are granted to folding: BatchNormalization into Conv needs 10 (add, square root, division, products with
scale, mean, weight and bias, and their sums).

Elementary functions, normalisations and products of computed values are barriers: a kernel that joins them
(Gelu, QuickGelu, SkipLayerNormalization) is granted, node by node, the budgets and roundings of any execution
of the nodes it replaces (`binary32/arithmetic.py`), and `SLACK` roundings of each result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.error_bounds import ETA, finish, gamma
from pytest_torchlean.differential.reference import AffineReference
from pytest_torchlean.evaluator.enclosing import Undecided, enclose_node
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import IndexStep, ReluStep
from pytest_torchlean.ops.rule import integer, real

Float64 = NDArray[np.float64]

SLACK = 10.0


@dataclass(frozen=True, eq=False)
class ExtremumReference:
    """Element-wise maximum (where `maximum` is set) or minimum of prepared steps."""

    operands: tuple[AffineReference | IndexStep | ExtremumReference, ...]
    maximum: NDArray[np.bool_]


Prepared = AffineReference | IndexStep | ReluStep | ExtremumReference | str


@dataclass(frozen=True, eq=False)
class Spread:
    """Where a value of any rewrite lies: |value - center| <= error + gamma_roundings * terms.

    All arrays are flat float64. `terms` bounds the absolute terms since the last barrier.
    """

    center: Float64
    error: Float64
    terms: Float64
    roundings: Float64

    def allowed(self) -> Float64:
        """The whole distance from the center; infinite where an intermediate may overflow."""
        with np.errstate(invalid="ignore", over="ignore"):
            return finish(self.error + gamma(self.roundings) * self.terms, self.terms)


def known(value: NDArray[np.generic]) -> Spread:
    """A value whose bits were observed."""
    center = value.astype(np.float64).reshape(-1)
    zero = np.zeros_like(center)
    return Spread(center, zero, np.abs(center), zero)


def advance(
    node: Node, graph: Graph, prepared: Prepared, spreads: Mapping[str, Spread], output: int = 0
) -> Spread | str:
    """The spread of one of a node's outputs from those of its inputs, or why there is none."""
    if output > 0:
        return _barrier(node, graph, spreads, output)
    with np.errstate(invalid="ignore", over="ignore"):
        found = _by_terms(node, graph, prepared, spreads)
        return _barrier(node, graph, spreads) if isinstance(found, str) else found


def _by_terms(node: Node, graph: Graph, prepared: Prepared, spreads: Mapping[str, Spread]) -> Spread | str:
    """The spread of a node that keeps or selects the terms of its inputs, or why it is no such node."""
    if node.op in _ELEMENTWISE:
        return _elementwise(node, graph, spreads)
    if node.op == "Sum":
        return _summed(node, graph, spreads)
    if node.op == "BatchNormalization":
        return _normalised(node, graph, spreads)
    if node.op == "Gemm" and isinstance(prepared, str):
        return _scaled_gemm(node, graph, spreads)
    if isinstance(prepared, str):
        return prepared
    if isinstance(prepared, ReluStep):
        return _relu(spreads[node.inputs[0]])
    return _stepped(prepared, graph, spreads)


def _stepped(
    prepared: AffineReference | IndexStep | ExtremumReference, graph: Graph, spreads: Mapping[str, Spread]
) -> Spread:
    if isinstance(prepared, ExtremumReference):
        operands = [_stepped(operand, graph, spreads) for operand in prepared.operands]
        return _extremum(operands, prepared.maximum)
    source = _joined(prepared.sources, graph, spreads)
    if isinstance(prepared, IndexStep):
        return _moved(prepared, source)
    return _affine(prepared, source)


def _joined(names: tuple[str, ...], graph: Graph, spreads: Mapping[str, Spread]) -> Spread:
    constants = graph.constants
    parts = [known(constants[name]) if name in constants else spreads[name] for name in names]
    if len(parts) == 1:
        return parts[0]
    return Spread(
        np.concatenate([part.center for part in parts]),
        np.concatenate([part.error for part in parts]),
        np.concatenate([part.terms for part in parts]),
        np.concatenate([part.roundings for part in parts]),
    )


def _moved(step: IndexStep, source: Spread) -> Spread:
    index = step.index.reshape(-1)
    outside = index < 0

    def pick(values: Float64) -> Float64:
        return np.where(outside, 0.0, values[index])

    return Spread(pick(source.center), pick(source.error), pick(source.terms), pick(source.roundings))


def _relu(source: Spread) -> Spread:
    """A barrier: max(x, 0) is 1-Lipschitz, and nothing is folded through it."""
    center = np.maximum(source.center, 0.0)
    error = source.allowed()
    return Spread(center, error, np.maximum(source.center + error, 0.0), np.zeros_like(center))


def _extremum(operands: list[Spread], maximum: NDArray[np.bool_]) -> Spread:
    """A barrier, as for ReLU: no further off than the worst operand."""
    centers = np.stack([operand.center for operand in operands])
    center = np.where(maximum, centers.max(axis=0), centers.min(axis=0))
    error = np.stack([operand.allowed() for operand in operands]).max(axis=0)
    return Spread(center, error, np.abs(center) + error, np.zeros_like(center))


def _affine(step: AffineReference, source: Spread) -> Spread:
    center = step.apply(source.center)
    terms = step.magnitude(source.terms)
    inherited = step.magnitude(source.error, bias=False)
    deepest = float(source.roundings.max(initial=0.0))
    roundings = step.terms + (deepest + SLACK)
    largest = float(source.terms.max(initial=0.0))
    underflow = (step.terms + SLACK) * ETA * (2.0 + largest)
    return Spread(center, inherited + step.radius(terms) + underflow, terms, roundings)


_ELEMENTWISE = ("Add", "Sub", "Mul", "Div")


def _elementwise(node: Node, graph: Graph, spreads: Mapping[str, Spread]) -> Spread | str:
    left, right = (_operand(name, graph, spreads) for name in node.inputs[:2])
    shape = graph.types[node.outputs[0]].shape
    constants = [name in graph.constants for name in node.inputs[:2]]
    if node.op in ("Add", "Sub"):
        sign = 1.0 if node.op == "Add" else -1.0
        center = left.center + sign * right.center
        error = left.error + right.error
        terms = left.terms + right.terms
    elif node.op == "Mul" and any(constants):
        center, terms = left.center * right.center, left.terms * right.terms
        error = left.error * right.terms + left.terms * right.error
    elif node.op == "Div" and constants[1] and (right.center != 0).all():
        center, terms = left.center / right.center, left.terms / right.terms
        error = left.error / right.terms
    else:
        return "a product or quotient of two computed values"
    deepest = np.maximum(left.roundings, right.roundings)
    scale = 2.0 + np.maximum(left.terms, right.terms)
    error = error + terms * 2.0**-50 + SLACK * ETA * scale
    return _flat(np.broadcast_to(center, shape), error, terms, deepest + SLACK)


def _summed(node: Node, graph: Graph, spreads: Mapping[str, Spread]) -> Spread:
    """Like Add: a kernel may start the sum of one operand's terms with the others."""
    operands = [_operand(name, graph, spreads) for name in node.inputs]
    shape = graph.types[node.outputs[0]].shape
    center, error, terms, deepest = (
        np.zeros(shape, dtype=np.float64) for _ in ("center", "error", "terms", "deepest")
    )
    for operand in operands:
        center, error = center + operand.center, error + operand.error
        terms, deepest = terms + operand.terms, np.maximum(deepest, operand.roundings)
    error = error + terms * len(operands) * 2.0**-51 + SLACK * ETA * (2.0 + terms)
    return _flat(center, error, terms, deepest + (SLACK + len(operands)))


def _normalised(node: Node, graph: Graph, spreads: Mapping[str, Spread]) -> Spread | str:
    """BatchNormalization with constant statistics: (x - mean) * scale / sqrt(var + epsilon) + bias."""
    if any(name not in graph.constants for name in node.inputs[1:5]):
        return "a normalisation by computed statistics"
    x = _operand(node.inputs[0], graph, spreads)
    column = (-1,) + (1,) * (x.center.ndim - 2)
    scale, bias, mean, variance = (
        graph.constants[name].astype(np.float64).reshape(column) for name in node.inputs[1:5]
    )
    factor = scale / np.sqrt(variance + float(real(node, "epsilon")))
    size = np.abs(factor)
    terms = (x.terms + np.abs(mean)) * size + np.abs(bias)
    underflow = SLACK * ETA * (2.0 + x.terms + np.abs(mean) + size)
    return _flat(
        (x.center - mean) * factor + bias,
        x.error * size + terms * 2.0**-48 + underflow,
        terms,
        x.roundings + SLACK,
    )


def _scaled_gemm(node: Node, graph: Graph, spreads: Mapping[str, Spread]) -> Spread | str:
    """Gemm whose alpha or beta is not 1, with at least one constant factor."""
    a, b = (_operand(name, graph, spreads) for name in node.inputs[:2])
    if all(name not in graph.constants for name in node.inputs[:2]):
        return "a product of two computed values"
    if integer(node, "trans_a"):
        a = _transposed(a)
    if integer(node, "trans_b"):
        b = _transposed(b)
    alpha, beta = float(real(node, "alpha")), float(real(node, "beta"))
    depth = a.center.shape[1]
    center, terms = alpha * (a.center @ b.center), abs(alpha) * (a.terms @ b.terms)
    error = abs(alpha) * (a.error @ b.terms + a.terms @ b.error)
    deepest = max(float(a.roundings.max(initial=0.0)), float(b.roundings.max(initial=0.0)))
    if len(node.inputs) > 2 and node.inputs[2]:
        c = _operand(node.inputs[2], graph, spreads)
        center, terms = center + beta * c.center, terms + abs(beta) * c.terms
        error = error + abs(beta) * c.error
        deepest = max(deepest, float(c.roundings.max(initial=0.0)))
    largest = max(1.0, abs(alpha)) * (2.0 + float(a.terms.max(initial=0.0)) + float(b.terms.max(initial=0.0)))
    binary64 = (depth + 4) * 2.0**-52 * terms
    error = error + binary64 + (depth + SLACK) * ETA * largest
    return _flat(center, error, terms, np.full_like(center, deepest + depth + SLACK))


def _barrier(node: Node, graph: Graph, spreads: Mapping[str, Spread], output: int = 0) -> Spread | str:
    """Every execution of the node on inputs within their own spreads, and `SLACK` roundings more."""
    operands: list[Enclosed | NDArray[np.generic] | None] = []
    for name in node.inputs:
        constant = graph.constants.get(name)
        if not name:
            operands.append(None)
        elif constant is not None:
            operands.append(Enclosed.exact(constant) if constant.dtype == np.float32 else constant)
        else:
            shape, spread = graph.types[name].shape, spreads[name]
            operands.append(Enclosed(spread.center.reshape(shape), spread.allowed().reshape(shape)))
    try:
        found = enclose_node(node, operands)[output]
    except Undecided as problem:
        return f"{problem} depends on rounding errors"
    if not isinstance(found, Enclosed):
        return "its result is not float32"
    size = np.abs(found.center) + found.radius
    return _flat(found.center, found.radius, size, np.full_like(size, SLACK))


def _transposed(spread: Spread) -> Spread:
    return Spread(spread.center.T, spread.error.T, spread.terms.T, spread.roundings.T)


def _flat(center: Float64, error: Float64, terms: Float64, roundings: Float64) -> Spread:
    shape = np.broadcast_shapes(center.shape, error.shape, terms.shape, roundings.shape)
    parts = (center, error, terms, roundings)
    return Spread(*(np.broadcast_to(part, shape).reshape(-1) for part in parts))


def _operand(name: str, graph: Graph, spreads: Mapping[str, Spread]) -> Spread:
    spread = known(graph.constants[name]) if name in graph.constants else spreads[name]
    shape = graph.types[name].shape
    return Spread(
        spread.center.reshape(shape),
        spread.error.reshape(shape),
        spread.terms.reshape(shape),
        spread.roundings.reshape(shape),
    )
