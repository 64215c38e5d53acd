"""A graph that grows by single nodes: names, types and constants are kept, zeros never become nodes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.ir.graph import Attribute, Graph, Node, ValueType

Array = NDArray[np.generic]
LARGEST = int(np.finfo(np.float32).max)


class Builder:
    """Starts as a graph, with its nodes still to be added by `keep`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes: list[Node] = []
        self._constants = dict(graph.constants)
        known = {*graph.inputs, *graph.constants}
        self.types = {name: kind for name, kind in graph.types.items() if name in known}
        self._taken = set(graph.types)

    def keep(self, node: Node) -> None:
        """A node of the graph as it is."""
        self._nodes.append(node)
        self.types |= {name: self._graph.types[name] for name in node.outputs if name}

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        shape: tuple[int, ...],
        attributes: tuple[tuple[str, Attribute], ...] = (),
    ) -> str:
        """A new float32 node's output."""
        name = self._fresh(op.lower())
        self._nodes.append(Node(op, tuple(inputs), (name,), attributes))
        self.types[name] = ValueType("float32", shape)
        return name

    def constant(self, value: Array) -> str:
        """A constant's name."""
        name = self._fresh("constant")
        self._constants[name] = value
        self.types[name] = ValueType(value.dtype.name, value.shape)
        return name

    def filled(self, number: float, shape: tuple[int, ...]) -> str:
        """A constant of one number."""
        return self.constant(np.full(shape, number, dtype=np.float32))

    def known(self, name: str) -> Array | None:
        """A constant's value; None where the name is none."""
        return self._constants.get(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a value."""
        return self.types[name].shape

    def multiplied(self, left: str, right: str) -> str:
        """The product, element by element with broadcasting."""
        return self.node("Mul", (left, right), np.broadcast_shapes(self.shape(left), self.shape(right)))

    def added(self, left: str | None, right: str | None) -> str | None:
        """The sum; None stands for 0."""
        if left is None or right is None:
            return right if left is None else left
        return self.node("Add", (left, right), np.broadcast_shapes(self.shape(left), self.shape(right)))

    def scaled(self, factor: Fraction, value: str) -> str:
        """factor * value, exact in exact arithmetic: a product and a quotient by binary32 integers.

        Raises UnsupportedError TL0363 for a factor of more than 24 bits above or below.
        """
        for number in (factor.numerator, factor.denominator):
            if abs(number) > LARGEST or Fraction(float(np.float32(number))) != number:
                raise UnsupportedError("TL0363", f"the number {factor} has more than 24 bits")
        shape = self.shape(value)
        if factor.numerator != 1:
            value = self.multiplied(value, self.filled(float(factor.numerator), shape))
        if factor.denominator != 1:
            value = self.node("Div", (value, self.filled(float(factor.denominator), shape)), shape)
        return value

    def spread(self, value: str | None, shape: tuple[int, ...]) -> str | None:
        """The value broadcast to a shape."""
        if value is None or self.shape(value) == shape:
            return value
        return self.node("Add", (value, self.filled(0.0, shape)), shape)

    def anchored(self, value: str) -> str:
        """The value, plus 0 times an input where it depends on none: runtimes take no graph of constants."""
        varies = set(self._graph.inputs)
        for node in self._nodes:
            if varies & set(node.inputs):
                varies.update(node.outputs)
        if value in varies:
            return value
        first = self._graph.inputs[0]
        size = math.prod(self.shape(first))
        flat = self.node("Reshape", (first,), (size,), (("shape", (size,)),))
        chosen = (("axis", 0), ("indices", (0,)), ("shape", (1,)))
        element = self.node("Gather", (flat,), (1,), chosen)
        nothing = self.multiplied(element, self.filled(0.0, (1,)))
        return self.node("Add", (nothing, value), self.shape(value))

    def graph(self, outputs: Sequence[str]) -> Graph:
        """The graph with these outputs, without nodes and constants that none of them reads."""
        needed, nodes = set(outputs), []
        for node in reversed(self._nodes):
            if needed & set(node.outputs):
                nodes.append(node)
                needed.update(name for name in node.inputs if name)
        nodes.reverse()
        inputs = self._graph.inputs
        constants = {name: value for name, value in self._constants.items() if name in needed}
        written = [name for node in nodes for name in node.outputs if name]
        types = {name: self.types[name] for name in (*inputs, *constants, *written)}
        return Graph(inputs, tuple(outputs), tuple(nodes), constants, types)

    def _fresh(self, stem: str) -> str:
        count = len(self._nodes) + len(self._constants)
        while (name := f"{stem}_{count}") in self._taken:
            count += 1
        self._taken.add(name)
        return name
