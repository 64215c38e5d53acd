"""Forward mode: every value is followed by its derivatives along some input elements, up to second order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_torchlean.derivatives.bends import BENT, CHOICES, choice
from pytest_torchlean.derivatives.build import Builder
from pytest_torchlean.derivatives.pools import POOLS, pool
from pytest_torchlean.derivatives.rules import (
    LINEAR,
    PRODUCTS,
    SMOOTH,
    SUMS,
    of_product,
    of_sum,
    why_not,
)
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.names import quoted

Direction = tuple[int, ...]
"""Positions of input elements: one for a first derivative, two in ascending order for a second."""


@dataclass(frozen=True, eq=False)
class Jet:
    """The values of a graph with derivatives: by direction, by the name of the value; None is 0."""

    builder: Builder
    outputs: tuple[str, ...]
    tangents: dict[Direction, dict[str, str | None]]

    def derivative(self, name: str, direction: Direction) -> str:
        """A derivative of a value, zeros where it does not vary."""
        found = self.tangents[tuple(sorted(direction))].get(name)
        return found if found is not None else self.builder.filled(0.0, self.builder.shape(name))


def differentiated(graph: Graph, directions: Sequence[Direction]) -> Jet:
    """The graph's nodes with those of the derivatives along these directions, and what these need.

    directions: of length 1 or 2. Raises UnsupportedError TL0205 naming every node without a rule.
    """
    wanted = {tuple(sorted(direction)) for direction in directions}
    wanted |= {(place,) for direction in wanted for place in direction}
    first = sorted(direction for direction in wanted if len(direction) == 1)
    second = sorted(direction for direction in wanted if len(direction) == 2)
    _require_rules(graph, twice=bool(second))
    builder = Builder(graph)
    tangents: dict[Direction, dict[str, str | None]] = {direction: {} for direction in (*first, *second)}
    start = 0
    for name in graph.inputs:
        kind = graph.types[name]
        for (place,) in first:
            if start <= place < start + kind.size:
                seed = np.zeros(kind.size, dtype=np.float32)
                seed[place - start] = 1.0
                tangents[(place,)][name] = builder.constant(seed.reshape(kind.shape))
        start += kind.size
    for node in graph.nodes:
        builder.keep(node)
        _pass(builder, node, graph, tangents, first, second)
    return Jet(builder, graph.outputs, tangents)


def _require_rules(graph: Graph, *, twice: bool) -> None:
    varies, problems = set(graph.inputs), []
    for node in graph.nodes:
        if not varies & set(node.inputs):
            continue
        varies.update(node.outputs)
        problem = why_not(node, graph, varies, twice=twice)
        if problem is not None:
            problems.append(f"{node.op} {quoted(node.source or node.outputs[0])}: {problem}")
    if problems:
        more = f"; and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise UnsupportedError("TL0205", "no derivative of " + "; ".join(problems[:8]) + more)


def _pass(
    builder: Builder,
    node: Node,
    graph: Graph,
    tangents: dict[Direction, dict[str, str | None]],
    first: Sequence[Direction],
    second: Sequence[Direction],
) -> None:
    if not any(own.get(name) is not None for own in tangents.values() for name in node.inputs):
        return
    output = node.outputs[0]
    if node.op in SMOOTH:
        _smooth(builder, node, tangents, first, second)
        return
    if node.op in BENT:
        slope = BENT[node.op](builder, node)
        for direction in first:
            moved = tangents[direction].get(node.inputs[0])
            tangents[direction][output] = None if moved is None else builder.multiplied(slope, moved)
        return
    if node.op in CHOICES:
        varies = [name for name in node.inputs if any(own.get(name) is not None for own in tangents.values())]
        chosen = choice(builder, node, varies)
        for direction in first:
            tangents[direction][output] = chosen.moved(builder, tangents[direction])
        return
    if node.op in POOLS:
        pooled = pool(builder, node, graph)
        for direction in first:
            moved = tangents[direction].get(node.inputs[0])
            tangents[direction][output] = None if moved is None else pooled.moved(builder, moved)
        return
    for direction in (*first, *second):
        own = tangents[direction]
        if node.op in SUMS:
            own[output] = of_sum(builder, node, own)
        elif node.op in LINEAR:
            moved = own.get(node.inputs[0])
            if moved is not None:
                inputs = (moved, *node.inputs[1:])
                own[output] = builder.node(node.op, inputs, builder.shape(output), node.attributes)
        elif node.op in PRODUCTS:
            own[output] = _product(builder, node, tangents, direction)


def _product(
    builder: Builder, node: Node, tangents: dict[Direction, dict[str, str | None]], direction: Direction
) -> str | None:
    """(fg)' = f'g + fg', and (fg)'' = f''g + f'g' + g'f' + fg'' along two directions."""
    left, right = node.inputs[:2]
    own = tangents[direction]
    found = builder.added(
        of_product(builder, node, own.get(left), right), of_product(builder, node, left, own.get(right))
    )
    if len(direction) == 1:
        return found
    one, other = (tangents[(place,)] for place in direction)
    mixed = of_product(builder, node, one.get(left), other.get(right))
    found = builder.added(found, mixed)
    if direction[0] == direction[1]:
        return builder.added(found, mixed)
    return builder.added(found, of_product(builder, node, other.get(left), one.get(right)))


def _smooth(
    builder: Builder,
    node: Node,
    tangents: dict[Direction, dict[str, str | None]],
    first: Sequence[Direction],
    second: Sequence[Direction],
) -> None:
    """f(g)' = f'(g) g', and f(g)'' = f'(g) g'' + f''(g) g' g'."""
    (argument, *_), output = node.inputs, node.outputs[0]
    slope, bend = SMOOTH[node.op](builder, argument, output)
    for direction in first:
        own = tangents[direction].get(argument)
        tangents[direction][output] = None if own is None else builder.multiplied(slope, own)
    for direction in second:
        one, other = (tangents[(place,)].get(argument) for place in direction)
        own = tangents[direction].get(argument)
        found = None if own is None else builder.multiplied(slope, own)
        if one is not None and other is not None:
            found = builder.added(found, builder.multiplied(bend, builder.multiplied(one, other)))
        tangents[direction][output] = found
