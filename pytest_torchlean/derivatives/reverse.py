"""Reverse mode: one pass from an output back gives its derivatives along all inputs.

The result is a graph like any other, so forward mode through it gives second derivatives, a row of the
Hessian at a time.
"""

from __future__ import annotations

import numpy as np

from pytest_torchlean.derivatives.bends import BENT, CHOICES, choice
from pytest_torchlean.derivatives.build import Builder
from pytest_torchlean.derivatives.pools import POOLS, places_of, pool
from pytest_torchlean.derivatives.rules import SMOOTH
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.names import quoted

MOVED = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operations that keep the order of elements."""


def gradient_graph(graph: Graph, place: int) -> Graph:
    """A graph with the inputs of this one, whose outputs are the derivatives of output element `place` along
    them, one for each input and of its shape.

    Raises UnsupportedError TL0205 naming every node without a rule, IndexError where there is no element.
    """
    _require_rules(graph)
    builder = Builder(graph)
    for node in graph.nodes:
        builder.keep(node)
    arriving: dict[str, str] = {}
    seed = place
    for name in graph.outputs:
        kind = graph.types[name]
        if 0 <= seed < kind.size:
            one = np.zeros(kind.size, dtype=np.float32)
            one[seed] = 1.0
            arriving[name] = builder.constant(one.reshape(kind.shape))
            break
        seed -= kind.size
    else:
        raise IndexError(place)
    varies = _varying(graph)
    for node in reversed(graph.nodes):
        own = arriving.get(node.outputs[0])
        if own is None or node.outputs[0] not in varies:
            continue
        for name, flowing in _flowing(builder, node, graph, own, varies):
            total = builder.added(arriving.get(name), _summed(builder, flowing, builder.shape(name)))
            assert total is not None
            arriving[name] = total
    outputs = [
        builder.anchored(arriving.get(name) or builder.filled(0.0, builder.shape(name)))
        for name in graph.inputs
    ]
    return builder.graph(outputs)


def _varying(graph: Graph) -> set[str]:
    varies = set(graph.inputs)
    for node in graph.nodes:
        if varies & set(node.inputs):
            varies.update(node.outputs)
    return varies


def _require_rules(graph: Graph) -> None:
    varies = _varying(graph)
    problems = [
        f"{node.op} {quoted(node.source or node.outputs[0])}"
        for node in graph.nodes
        if varies & set(node.inputs) and not _has_rule(node, graph, varies)
    ]
    if problems:
        more = f"; and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise UnsupportedError("TL0205", "no reverse rule for " + "; ".join(problems[:8]) + more)


def _has_rule(node: Node, graph: Graph, varies: set[str]) -> bool:
    which = [name in varies for name in node.inputs]
    if node.op in SMOOTH or node.op in CHOICES or node.op in ("Add", "Sub", "Mul", "Neg"):
        return True
    if node.op in BENT or node.op in MOVED:
        return not any(which[1:])
    if node.op in POOLS:
        return not any(which[1:]) and places_of(node, graph) is not None
    if node.op == "Div":
        return not which[1]
    if node.op in ("Gemm", "MatMul"):
        flat = all(len(graph.types[name].shape) == 2 for name in node.inputs[:2])
        given = dict(node.attributes)
        plain = given.get("alpha", 1.0) == 1.0 and not given.get("trans_a", 0)
        return flat and plain and not any(which[1:])
    return False


def _flowing(builder: Builder, node: Node, graph: Graph, own: str, varies: set[str]) -> list[tuple[str, str]]:
    """What flows back to each of a node's operands that vary."""
    left = node.inputs[0]
    if node.op in SMOOTH:
        slope, _ = SMOOTH[node.op](builder, left, node.outputs[0])
        return [(left, builder.multiplied(slope, own))]
    if node.op in BENT:
        return [(left, builder.multiplied(BENT[node.op](builder, node), own))]
    if node.op in CHOICES:
        chosen = choice(builder, node, [name for name in node.inputs if name in varies])
        return [(name, value) for name, value in chosen.flowing(builder, own) if name in varies]
    if node.op in POOLS:
        return [(left, pool(builder, node, graph).flowing(builder, own, builder.shape(left)))]
    if node.op in MOVED:
        shape = builder.shape(left)
        return [(left, builder.node("Reshape", (own,), shape, (("shape", shape),)))]
    if node.op == "Neg":
        return [(left, _negated(builder, own))]
    if node.op == "Div":
        return [(left, builder.node("Div", (own, node.inputs[1]), builder.shape(own)))]
    if node.op in ("Gemm", "MatMul"):
        weight = node.inputs[1]
        rows, columns = builder.shape(weight)
        if not dict(node.attributes).get("trans_b", 0):
            weight = builder.node("Transpose", (weight,), (columns, rows), (("perm", (1, 0)),))
        return [(left, builder.node("MatMul", (own, weight), builder.shape(left)))]
    right = node.inputs[1]
    if node.op == "Mul":
        pairs = [(left, builder.multiplied(own, right)), (right, builder.multiplied(own, left))]
    else:
        pairs = [(left, own), (right, own if node.op == "Add" else _negated(builder, own))]
    return [(name, value) for name, value in pairs if name in varies]


def _negated(builder: Builder, value: str) -> str:
    return builder.node("Neg", (value,), builder.shape(value))


def _summed(builder: Builder, value: str, shape: tuple[int, ...]) -> str:
    """The value summed over what was broadcast from a shape."""
    found = builder.shape(value)
    if found == shape:
        return value
    padded = (1,) * (len(found) - len(shape)) + shape
    axes = tuple(axis for axis, (one, other) in enumerate(zip(found, padded, strict=True)) if one != other)
    if axes:
        attributes = (("axes", axes), ("keepdims", 1))
        value = builder.node("ReduceSum", (value,), padded, attributes)
    if padded == shape:
        return value
    return builder.node("Reshape", (value,), shape, (("shape", shape),))
