"""Impulses: inputs that are zero but for a single power of two, so that an output is one weight times it.

Each weight of a node is read alone, whatever the length of the sums: a change by one unit in the last place
shows. Where there is a bias, the power of two is so large that the weight's last bit survives the addition,
and a row of zeros reads the bias. Impulses of one node are stacked along its batch axis, and convolutions run
on the smallest extents on which every weight is reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.differential.alone import Alone
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ir.linear import ZERO, AffineStep
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.certifiability import step_of
from pytest_torchlean.ops.rule import integer, integers, real

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Indices = NDArray[np.int64]
F = TypeVar("F", np.float32, np.float64)

MOST_RUN_BYTES = 2**26
"""Inputs and outputs of one run."""
FULL_MANTISSA = np.float32(1.3333334)
"""0x1.555556p+0: no bit of its significand can be dropped without a change."""
_MOST_FULL = 64


@dataclass(frozen=True, eq=False)
class Plan:
    """The impulses that reach every weight of a node.

    `stack_axis` of `shape`, the shape of one impulse, is the batch. elements: flat positions of the
    impulses. `tail` is what the kernel applies to the sums. `weights` is how many weights the node has,
    `products` what one impulse costs.
    """

    name: str
    output: str
    shape: tuple[int, ...]
    stack_axis: int
    out_shape: tuple[int, ...]
    out_axis: int
    step: AffineStep
    elements: Indices
    tail: Node | None
    weights: int
    products: int


@dataclass(frozen=True, eq=False)
class Stack:
    """Some impulses in one run: the input, what every schedule must stay near, and how near.

    The radius is infinite where a product or a sum may overflow: nothing is claimed there.
    """

    name: str
    output: str
    input: Float32
    expected: Float64
    radius: Float64
    out_axis: int


def plan(alone: Alone) -> Plan | None:
    """How to reach every weight of the node by stacked impulses; None where its form is another."""
    node = alone.first
    if len(alone.single.inputs) != 1 or (len(alone.graph.nodes) > 1 and alone.tail is None):
        return None
    form = _stacked_form(node, alone.graph)
    if form is None:
        return None
    shape, axis, out_axis = form
    name = alone.single.inputs[0]
    try:
        graph = alone.lowered({name: shape})
    except TorchleanError:
        return None
    step = step_of(graph.nodes[0], graph)
    if not isinstance(step, AffineStep) or len(step.sources) != 1:
        return None
    output = graph.nodes[-1].outputs[0]
    elements = _elements(step, math.prod(shape))
    return Plan(
        name=name,
        output=output,
        shape=shape,
        stack_axis=axis,
        out_shape=graph.types[output].shape,
        out_axis=out_axis,
        step=step,
        elements=elements,
        tail=alone.tail,
        weights=sum(block.weights.size for block in step.blocks),
        products=sum(block.weights.size * len(block.gather) for block in step.blocks),
    )


def _stacked_form(node: Node, graph: Graph) -> tuple[tuple[int, ...], int, int] | None:
    """Shape of one impulse, the axis of the input and of the output along which impulses are stacked."""
    known = [name in graph.constants for name in node.inputs]
    shapes = [graph.types[name].shape if name else () for name in node.inputs]
    if node.op == "MatMul" and known == [False, True] and len(shapes[1]) == 2:
        return (1, shapes[1][0]), 0, 0
    if node.op == "MatMul" and known == [True, False] and len(shapes[0]) == 2 and len(shapes[1]) >= 2:
        return (shapes[0][1], 1), 1, 1
    if node.op == "Gemm" and known[:2] == [False, True]:
        if len(known) > 2 and node.inputs[2] and (not known[2] or _rows(shapes[2]) != 1):
            return None
        turned = bool(integer(node, "trans_a"))
        depth = shapes[0][0] if turned else shapes[0][1]
        return ((depth, 1), 1, 0) if turned else ((1, depth), 0, 0)
    if node.op == "Conv" and known[:2] == [False, True]:
        kernel = shapes[1][2:]
        strides, dilations = integers(node, "strides"), integers(node, "dilations")
        reach = [
            min(extent, (size - 1) * dilation + stride)
            for extent, size, stride, dilation in zip(shapes[0][2:], kernel, strides, dilations, strict=True)
        ]
        return (1, shapes[0][1], *reach), 0, 0
    if node.op == "ConvTranspose" and known[:2] == [False, True]:
        return (1, *shapes[0][1:]), 0, 0
    return None


def _rows(shape: tuple[int, ...]) -> int:
    return shape[0] if len(shape) > 1 else 1


def _elements(step: AffineStep, size: int) -> Indices:
    """For each weight one element that it is applied to; few elements that reach many weights."""
    degree = np.zeros(size + 1, dtype=np.int64)
    for block in step.blocks:
        np.add.at(degree, block.gather.reshape(-1), 1)
    degree[ZERO] = 0
    chosen = []
    for block in step.blocks:
        best = degree[block.gather].argmax(axis=0)
        chosen.append(block.gather[best, np.arange(block.gather.shape[1])])
    found = np.unique(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)
    return np.asarray(found[found != ZERO], dtype=np.int64)


def stacks(found: Plan, count: int) -> Iterator[Stack]:
    """Runs of `count` impulses by an even choice, powers of two, then some of a full significand."""
    elements = found.elements
    if count < len(elements):
        elements = elements[np.linspace(0, len(elements) - 1, count).astype(np.int64)]
    value = _above_bias(found.step)
    size = 4 * (math.prod(found.shape) + math.prod(found.out_shape)) * 3
    rows = max(1, MOST_RUN_BYTES // max(1, size))
    values = [value] if found.tail is None else [value, -value]
    for start in range(0, len(elements), rows):
        for signed in values:
            yield _stack(found, elements[start : start + rows], signed, exactly=True)
    for value in _near_bias(found):
        yield _stack(found, elements[: min(_MOST_FULL, rows)], value, exactly=True)
    most = min(_MOST_FULL, rows, len(elements))
    few = elements[np.linspace(0, len(elements) - 1, most).astype(np.int64)]
    if len(few):
        yield _stack(found, few, FULL_MANTISSA, exactly=False)


def _above_bias(step: AffineStep) -> np.float32:
    """A power of two by which every weight exceeds every bias, where the range of binary32 allows it."""
    weights = np.concatenate([np.abs(block.weights).reshape(-1) for block in step.blocks])
    biases = [np.abs(block.bias).max(initial=0.0) for block in step.blocks if block.bias is not None]
    largest, used = float(max(biases, default=0.0)), weights[weights > 0]
    if largest == 0.0 or not used.size:
        return np.float32(1)
    wanted = math.frexp(largest)[1] - math.frexp(float(used.min()))[1] + 2
    room = 120 - math.frexp(max(float(used.max()), 1.0))[1]
    return np.float32(2.0 ** max(0, min(wanted, room)))


def _near_bias(found: Plan) -> list[np.float32]:
    """Powers of two that lift biases of any sign just above zero, where a tail hides negative results."""
    biases = [np.abs(block.bias).max(initial=0.0) for block in found.step.blocks if block.bias is not None]
    weights = np.concatenate([np.abs(block.weights).reshape(-1) for block in found.step.blocks])
    largest, used = float(max(biases, default=0.0)), weights[weights > 0]
    if found.tail is None or largest == 0.0 or not used.size:
        return []
    power = math.frexp(largest)[1] - math.frexp(float(np.median(used)))[1]
    powers = [step for step in (power - 3, power - 1, power + 1) if abs(step) < 100]
    return [np.float32(sign * 2.0**step) for step in powers for sign in (1.0, -1.0)]


@np.errstate(over="ignore", invalid="ignore")
def _stack(found: Plan, elements: Indices, value: np.float32, *, exactly: bool) -> Stack:
    """The inputs, a row of zeros last, and the outputs: a single rounding, or a product and a sum."""
    count, size = len(elements) + 1, math.prod(found.out_shape)
    data = np.zeros((count, math.prod(found.shape)), dtype=np.float32)
    data[np.arange(count - 1), elements] = value
    exact = np.zeros((count, size), dtype=np.float32 if exactly else np.float64)
    sizes = np.zeros((count, size), dtype=np.float64)
    place = np.full(math.prod(found.shape) + 1, -1, dtype=np.int64)
    place[elements] = np.arange(count - 1)
    for block in found.step.blocks:
        if block.bias is not None:
            at = block.scatter.reshape(-1)
            exact[:, at] += np.tile(block.bias, len(block.scatter))
            sizes[:, at] += np.abs(np.tile(block.bias, len(block.scatter)))
        positions, columns = np.nonzero(place[block.gather] >= 0)
        which = place[block.gather[positions, columns]][:, None]
        products = block.weights.T[columns].astype(exact.dtype) * exact.dtype.type(value)
        exact[which, block.scatter[positions]] += products
        sizes[which, block.scatter[positions]] += np.abs(products)
    overflowing = sizes > np.finfo(np.float32).max
    if found.tail is not None:
        (bent,) = RULES[found.tail.op].evaluate(found.tail, [exact.astype(np.float32)])
        exact = bent.astype(exact.dtype) if exactly else _bent(found.tail, exact)
        sizes *= max(1.0, abs(_slope(found.tail)))
    radius = np.zeros_like(sizes) if exactly else sizes * 2.0**-24 * 3.001 + 2.0**-149
    overflowing |= sizes > np.finfo(np.float32).max
    radius[overflowing] = np.inf
    expected = np.where(overflowing, 0.0, exact.astype(np.float64))
    return Stack(
        name=found.name,
        output=found.output,
        input=_placed(data, found.shape, found.stack_axis),
        expected=_placed(expected, found.out_shape, found.out_axis),
        radius=_placed(radius, found.out_shape, found.out_axis),
        out_axis=found.out_axis,
    )


def _bent(tail: Node, exact: Float64) -> Float64:
    return np.where(exact > 0, exact, exact * _slope(tail))


def _slope(tail: Node) -> float:
    return 0.0 if tail.op == "Relu" else float(real(tail, "alpha"))


def _placed(rows: NDArray[F], shape: tuple[int, ...], axis: int) -> NDArray[F]:
    """Rows of a (count, size) array as one array whose `axis` counts them."""
    stacked = rows.reshape(len(rows), *shape)
    moved = np.moveaxis(stacked, 0, axis)
    return np.ascontiguousarray(moved.reshape(*shape[:axis], len(rows) * shape[axis], *shape[axis + 1 :]))
