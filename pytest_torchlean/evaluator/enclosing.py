"""Where every binary32 execution of a whole graph lies, for given inputs.

Each node's enclosure starts from those of its inputs, so the radii of a value cover every rounding before it.
They grow with depth; one node after the other on observed values is sharper where values can be observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.ops import RULES

Array = NDArray[np.generic]

_COMPARISONS = frozenset({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
_STAIRS = {"Ceil": 0, "Floor": 0, "Round": 0, "Sign": 0, "Cast": 0, "QuantizeLinear": 0, "Requantize": 1}
"""Operations to few values that are monotone in one operand, by its number."""


class Undecided(Exception):
    """A choice depends on the rounding errors before it, or a node has no rule; the message says which."""


def enclose(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Enclosed | Array]:
    """Every value of the graph: float32 ones as enclosures, others as they are in every execution.

    inputs: one array per graph input, of its dtype and shape. Undecided where no enclosure is known.
    """
    given = {**graph.constants, **{name: np.asarray(inputs[name]) for name in graph.inputs}}
    values: dict[str, Enclosed | Array] = {name: _exact(array) for name, array in given.items()}
    for node in graph.nodes:
        operands = [values[name] if name else None for name in node.inputs]
        values.update(zip(node.outputs, enclose_node(node, operands), strict=True))
    return values


def enclose_node(node: Node, operands: list[Enclosed | Array | None]) -> tuple[Enclosed | Array, ...]:
    """Where the node's outputs lie when its inputs lie as given."""
    rule = RULES[node.op]
    spread = [operand for operand in operands if isinstance(operand, Enclosed)]
    if rule.enclose is not None and spread:
        return rule.enclose(node, operands)
    if all(not operand.radius.any() for operand in spread):
        numbers = [_number(operand) for operand in operands]
        found = rule.evaluate(node, numbers)
        bounds = rule.error_bound(node, numbers)
        return tuple(
            _exact(value) if bound is None else Enclosed(value.astype(np.float64), 2.0 * bound)
            for value, bound in zip(found, bounds, strict=True)
        )
    if rule.data_movement:
        centers = [x.center if isinstance(x, Enclosed) else x for x in operands]
        radii = [x.radius if isinstance(x, Enclosed) else x for x in operands]
        (center,), (radius,) = rule.evaluate(node, centers), rule.evaluate(node, radii)
        return (Enclosed(center.astype(np.float64), radius.astype(np.float64)),)
    return _stable(node, operands)


def _stable(node: Node, operands: list[Enclosed | Array | None]) -> tuple[Enclosed | Array, ...]:
    """Results that are the same all over the operands' enclosures."""
    rule = RULES[node.op]
    if node.op in _COMPARISONS and all(isinstance(operand, Enclosed) for operand in operands):
        left: Any = operands[0]
        right: Any = operands[1]
        with np.errstate(invalid="ignore"):
            apart = np.abs(left.center - right.center) > left.radius + right.radius
        fixed = (left.radius + right.radius == 0) | apart
        if fixed.all():
            return rule.evaluate(node, [left.center, right.center])
    if node.op in _STAIRS and isinstance(operands[_STAIRS[node.op]], Enclosed):
        x: Any = operands[_STAIRS[node.op]]
        ends = []
        for sign in (-1.0, 1.0):
            numbers = [_number(operand) for operand in operands]
            numbers[_STAIRS[node.op]] = np.asarray(x.center + sign * x.radius, dtype=np.float32)
            ends.append(rule.evaluate(node, numbers)[0])
        others = [each for each in operands if each is not x and isinstance(each, Enclosed)]
        if not any(each.radius.any() for each in others) and (ends[0] == ends[1]).all():
            return (_exact(ends[0]),)
    raise Undecided(f"{node.op} giving {quoted(node.outputs[0])}")


def _exact(array: Array) -> Enclosed | Array:
    return Enclosed.exact(array) if array.dtype == np.float32 else array


def _number(operand: Enclosed | Array | None) -> Array | None:
    if not isinstance(operand, Enclosed):
        return operand
    with np.errstate(over="ignore"):
        return operand.center.astype(np.float32)
