"""How operations that bend carry first derivatives: slopes that jump, and choices between operands.

Each rule is written with the signs of what decides. At a bend, where such a sign is that of 0, the derivative
is any number between those on both sides, as Clarke's generalised derivative is; there is no second one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.derivatives.build import LARGEST, Builder
from pytest_torchlean.ir.graph import Node
from pytest_torchlean.ops.rule import real

Slope = Callable[[Builder, Node], str]
"""The first derivative of a node's value along its first input."""


def _sign(builder: Builder, value: str) -> str:
    return builder.node("Sign", (value,), builder.shape(value))


def _half(builder: Builder, value: str) -> str:
    shape = builder.shape(value)
    raised = builder.node("Add", (value, builder.filled(1.0, shape)), shape)
    return builder.multiplied(raised, builder.filled(0.5, shape))


def _above(builder: Builder, value: str) -> str:
    """(1 + sign) / 2: 0 below 0, 1 above, and at 0 whatever certificates allow a sign to be"""
    return _half(builder, _sign(builder, value))


def _difference(builder: Builder, left: str, right: str) -> str:
    shape = np.broadcast_shapes(builder.shape(left), builder.shape(right))
    return builder.node("Sub", (left, right), shape)


def _abs(builder: Builder, node: Node) -> str:
    return _sign(builder, node.inputs[0])


def _relu(builder: Builder, node: Node) -> str:
    return _above(builder, node.inputs[0])


def _leaky(builder: Builder, node: Node) -> str:
    shape = builder.shape(node.inputs[0])
    return _bent(builder, node, builder.constant(np.full(shape, real(node, "alpha"), dtype=np.float32)))


def _prelu(builder: Builder, node: Node) -> str:
    return _bent(builder, node, node.inputs[1])


def _bent(builder: Builder, node: Node, slope: str) -> str:
    """1 above 0 and the slope below it.

    The larger one of sign and slope where the slope is from -1 to 1: bounds of that are exact. Else a sum, of
    (1 + sign) / 2 and (1 - sign) / 2 times the slope.
    """
    sign, shape = _sign(builder, node.inputs[0]), builder.shape(node.inputs[0])
    known = builder.known(slope)
    if known is not None and bool((np.abs(known) <= 1).all()):
        return builder.node("Max", (sign, slope), shape)
    below = _half(builder, builder.node("Neg", (sign,), shape))
    found = builder.added(_half(builder, sign), builder.multiplied(below, slope))
    assert found is not None
    return found


def _clip(builder: Builder, node: Node) -> str:
    """1 where the operand is above the lower bound and below the upper one, else 0."""
    operand, *bounds = node.inputs
    sides = []
    for name, lower in zip(bounds, (True, False), strict=False):
        known = builder.known(name) if name else None
        if name and (known is None or known.reshape(()) != (-LARGEST if lower else LARGEST)):
            pair = (operand, name) if lower else (name, operand)
            sides.append(_above(builder, _difference(builder, *pair)))
    if len(sides) == 2:
        return builder.node("Min", sides, builder.shape(operand))
    return sides[0] if sides else builder.filled(1.0, builder.shape(operand))


BENT: Mapping[str, Slope] = {"Abs": _abs, "Clip": _clip, "LeakyRelu": _leaky, "PRelu": _prelu, "Relu": _relu}
"""Functions of one argument that bend; their other inputs are constants."""

CHOICES = frozenset({"Max", "Min"})
"""Operations that choose one of their operands."""


@dataclass(frozen=True)
class Choice:
    """A maximum or minimum of several operands as one of two after the other.

    operands: those that vary first. earlier: for each but the first of them 1 where what was chosen before it
    stays chosen, 0 where it is chosen itself, and any number between where both are equal.
    """

    operands: tuple[str, ...]
    earlier: tuple[str, ...]

    def moved(self, builder: Builder, tangents: Mapping[str, str | None]) -> str | None:
        """The derivative along one direction: other + earlier * (own - other), step by step."""
        own = tangents.get(self.operands[0])
        for name, earlier in zip(self.operands[1:], self.earlier, strict=True):
            other = tangents.get(name)
            if own is not None and other is not None:
                own = builder.added(other, builder.multiplied(earlier, _difference(builder, own, other)))
            elif own is not None:
                own = builder.multiplied(earlier, own)
            elif other is not None:
                own = builder.multiplied(_rest(builder, earlier), other)
        return own

    def flowing(self, builder: Builder, own: str) -> list[tuple[str, str]]:
        """What flows back to each operand."""
        found = []
        for name, earlier in zip(self.operands[:0:-1], self.earlier[::-1], strict=True):
            found.append((name, builder.multiplied(_rest(builder, earlier), own)))
            own = builder.multiplied(earlier, own)
        return [*found, (self.operands[0], own)]


def _rest(builder: Builder, share: str) -> str:
    shape = builder.shape(share)
    return builder.node("Sub", (builder.filled(1.0, shape), share), shape)


def choice(builder: Builder, node: Node, varies: Sequence[str]) -> Choice:
    """The nodes that say which operand a node chooses. varies: the operands that vary, at least one."""
    operands = (*varies, *(name for name in node.inputs if name not in varies))
    return chain(builder, operands, largest=node.op == "Max")


def chain(
    builder: Builder, operands: Sequence[str], *, largest: bool, again: Sequence[NDArray[np.bool_]] = ()
) -> Choice:
    """The same for the largest or smallest of operands in this order. again: for each but the first of them
    where it is one of those before it once more, so that these stay chosen.
    """
    reached, earlier = operands[0], []
    for number, name in enumerate(operands[1:]):
        margin = _difference(builder, *((reached, name) if largest else (name, reached)))
        if again and again[number].any():
            # 1 there, and not 0, which would be a bend
            kept = builder.multiplied(margin, builder.constant((~again[number]).astype(np.float32)))
            margin = builder.node(
                "Add", (kept, builder.constant(again[number].astype(np.float32))), builder.shape(margin)
            )
        earlier.append(_above(builder, margin))
        if len(earlier) < len(operands) - 1:
            shape = np.broadcast_shapes(builder.shape(reached), builder.shape(name))
            reached = builder.node("Max" if largest else "Min", (reached, name), shape)
    return Choice(tuple(operands), tuple(earlier))
