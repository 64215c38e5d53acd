"""How each operation carries first and second derivatives of what it reads to what it writes.

An operation is linear in what varies, a product of two such values, or a smooth function of one, whose first
and second derivative are nodes themselves; or it bends, and has a first derivative only (`bends.py`).
Anything else has no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from pytest_torchlean.derivatives.bends import BENT, CHOICES
from pytest_torchlean.derivatives.build import Builder
from pytest_torchlean.derivatives.pools import POOLS, places_of
from pytest_torchlean.ir.graph import Graph, Node

Tangents = Mapping[str, str | None]
"""The derivative of each value along one direction; None, or no entry, is 0."""

Slopes = Callable[[Builder, str, str], tuple[str, str]]
"""First and second derivative of a function, from its argument and its value."""


def _one_minus(builder: Builder, value: str) -> str:
    shape = builder.shape(value)
    return builder.node("Sub", (builder.filled(1.0, shape), value), shape)


def _twice(builder: Builder, value: str) -> str:
    return builder.multiplied(value, builder.filled(2.0, builder.shape(value)))


def _negated(builder: Builder, value: str) -> str:
    return builder.node("Neg", (value,), builder.shape(value))


def _tanh(builder: Builder, argument: str, value: str) -> tuple[str, str]:
    """1 - y^2, and -2 y (1 - y^2)"""
    first = _one_minus(builder, builder.multiplied(value, value))
    return first, builder.multiplied(_negated(builder, _twice(builder, value)), first)


def _sigmoid(builder: Builder, argument: str, value: str) -> tuple[str, str]:
    """y (1 - y), and y (1 - y) (1 - 2 y)"""
    first = builder.multiplied(value, _one_minus(builder, value))
    return first, builder.multiplied(first, _one_minus(builder, _twice(builder, value)))


def _exp(builder: Builder, argument: str, value: str) -> tuple[str, str]:
    return value, value


def _softplus(builder: Builder, argument: str, value: str) -> tuple[str, str]:
    """s, and s (1 - s), where s is the sigmoid"""
    first = builder.node("Sigmoid", (argument,), builder.shape(argument))
    return first, builder.multiplied(first, _one_minus(builder, first))


def _sin(builder: Builder, argument: str, value: str) -> tuple[str, str]:
    return builder.node("Cos", (argument,), builder.shape(argument)), _negated(builder, value)


def _cos(builder: Builder, argument: str, value: str) -> tuple[str, str]:
    sine = builder.node("Sin", (argument,), builder.shape(argument))
    return _negated(builder, sine), _negated(builder, value)


SMOOTH: Mapping[str, Slopes] = {
    "Cos": _cos,
    "Exp": _exp,
    "Sigmoid": _sigmoid,
    "Sin": _sin,
    "Softplus": _softplus,
    "Tanh": _tanh,
}
"""Smooth functions of one argument."""

LINEAR = frozenset(
    {"Expand", "Flatten", "Gather", "Identity", "Neg", "ReduceMean", "ReduceSum", "Reshape", "Slice"}
    | {"Squeeze", "Transpose", "Unsqueeze"}
)
"""Operations that are linear in their first input, where their others are constants."""

SUMS = frozenset({"Add", "Concat", "Sub"})
"""Operations that are linear in all of their inputs together."""

PRODUCTS = frozenset({"Conv", "Div", "Gemm", "MatMul", "Mul"})
"""Operations that are linear in each of their first two inputs; a quotient in the first alone."""


def of_sum(builder: Builder, node: Node, tangents: Tangents) -> str | None:
    """The derivative of a sum, a difference or a concatenation."""
    shape = builder.shape(node.outputs[0])
    own = [tangents.get(name) for name in node.inputs]
    if all(one is None for one in own):
        return None
    if node.op == "Concat":
        parts = [
            builder.filled(0.0, builder.shape(name)) if one is None else one
            for one, name in zip(own, node.inputs, strict=True)
        ]
        return builder.node("Concat", parts, shape, node.attributes)
    left, right = own
    if node.op == "Sub" and right is not None:
        if left is not None:
            return builder.spread(builder.node("Sub", (left, right), _joint(builder, left, right)), shape)
        left, right = _negated(builder, right), None
    return builder.spread(builder.added(left, right), shape)


def _joint(builder: Builder, left: str, right: str) -> tuple[int, ...]:
    return np.broadcast_shapes(builder.shape(left), builder.shape(right))


def of_product(builder: Builder, node: Node, first: str | None, second: str | None) -> str | None:
    """The product of these two in place of the node's own factors, without its bias; None where one is 0."""
    if first is None or second is None:
        return None
    shape = builder.shape(node.outputs[0])
    found = builder.node(
        node.op, (first, second), _product_shape(builder, node, first, second), node.attributes
    )
    return builder.spread(found, shape)


def _product_shape(builder: Builder, node: Node, first: str, second: str) -> tuple[int, ...]:
    if node.op in ("Mul", "Div"):
        return _joint(builder, first, second)
    return builder.shape(node.outputs[0])


def why_not(node: Node, graph: Graph, varies: set[str], *, twice: bool) -> str | None:
    """Why a node that reads something that varies has no rule; None where it has one. twice: second
    derivatives are needed."""
    which = [name in varies for name in node.inputs]
    if node.op in BENT or node.op in CHOICES or node.op in POOLS:
        if twice:
            return "it bends, so that it has no second derivative"
        if node.op in POOLS and (any(which[1:]) or places_of(node, graph) is None):
            return "what it chooses from is not known"
        return "its slope or bounds vary" if node.op in BENT and any(which[1:]) else None
    if node.op in SMOOTH or node.op in SUMS:
        return None
    if node.op in LINEAR:
        return "it reads a computed shape or index" if any(which[1:]) else None
    if node.op in PRODUCTS:
        if node.op == "Div" and which[1]:
            return "it divides by a value that varies"
        return "its bias varies" if any(which[2:]) else None
    return "it has no derivative everywhere, or none that is known here"
