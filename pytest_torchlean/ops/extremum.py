"""Max, Min, Clip and Abs: selections, so no rounding.

ONNX Max, Min since 6 (broadcasting from 8 on); Clip 6, 11, 12, 13 with absent bounds at the largest finite
numbers; Abs since 6. A NaN operand gives NaN. Where two operands are zeros of different sign, runtimes differ
in which they return: values are fixed there, bits are not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ExtremumStep, IndexStep, OperandStep, Step
from pytest_torchlean.ops.elementwise import scaled
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Enclosures,
    Float64,
    OpRule,
    ShapeError,
    Types,
    array,
    broadcast,
    constant,
    enclosed,
    exactly_rounded,
    floats,
    number_type,
    positions,
    same_types,
)

LARGEST = np.finfo(np.float32).max


Evaluate = Callable[[Node, Arrays], tuple[Array, ...]]


def selected(evaluate: Evaluate) -> Callable[[Node, Arrays], tuple[Float64 | None, ...]]:
    """The error bound of a selection: 0 where the result is finite, and no claim elsewhere."""

    def bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
        (result,) = evaluate(node, inputs)
        if result.dtype != np.float32:
            return (None,)
        return (np.where(np.isfinite(floats(result)), 0.0, np.inf),)

    return bound


def moved(graph: Graph, node: Node, name: str) -> IndexStep:
    """An operand broadcast to the node's output."""
    shape = graph.types[node.outputs[0]].shape
    index = np.broadcast_to(positions(graph.types[name].shape), shape)
    return IndexStep((name,), np.ascontiguousarray(index).reshape(-1))


def extremum(operands: tuple[OperandStep, ...], maximum: bool, size: int) -> ExtremumStep:
    """The same choice for every element."""
    return ExtremumStep(operands, np.full(size, maximum, dtype=np.bool_))


# --- Max, Min ---------------------------------------------------------------------------------------


def _infer_many(node: Node, types: Types) -> tuple[ValueType, ...]:
    if not types:
        raise ShapeError("it has no operand")
    kinds = same_types(types)
    number_type(kinds[0], "an operand")
    return (ValueType(kinds[0].dtype, broadcast([kind.shape for kind in kinds])),)


def _many(choose: np.ufunc) -> Evaluate:
    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        with np.errstate(invalid="ignore"):
            return (np.asarray(reduce(choose, [array(value) for value in inputs])),)

    return evaluate


def _many_step(maximum: bool) -> Callable[[Node, Graph], Step | str]:
    def step(node: Node, graph: Graph) -> Step | str:
        operands = tuple(moved(graph, node, name) for name in node.inputs)
        return extremum(operands, maximum, graph.types[node.outputs[0]].size)

    return step


# --- Clip -------------------------------------------------------------------------------------------


def _infer_clip(node: Node, types: Types) -> tuple[ValueType, ...]:
    for kind, name in zip(types[1:], ("the lower bound", "the upper bound"), strict=False):
        if kind is not None and number_type(kind, name).shape not in ((), (1,)):
            raise ShapeError(f"{name} has shape {kind.shape}; it must be one number")
    same_types([kind for kind in types if kind is not None])
    return (number_type(types[0], "the operand"),)


def _clip(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x: Any = array(inputs[0])
    least, largest = (
        (-LARGEST, LARGEST) if x.dtype == np.float32 else (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
    )

    def limit(index: int, default: Any) -> Any:
        value = inputs[index] if index < len(inputs) else None
        return np.asarray(default if value is None else value, dtype=x.dtype).reshape(())

    lower, upper = limit(1, least), limit(2, largest)
    with np.errstate(invalid="ignore"):
        raised = np.where(x < lower, lower, x)
        return (np.asarray(np.where(raised > upper, upper, raised), dtype=x.dtype),)


def _clip_step(node: Node, graph: Graph) -> Step | str:
    """min(max(x, lower), upper), which is the upper bound where the bounds are the wrong way round.

    A lower bound at the least finite number is none, nor is an upper one at the largest.
    """
    size = graph.types[node.outputs[0]].size
    result: OperandStep = moved(graph, node, node.inputs[0])
    for name, maximum in zip(node.inputs[1:], (True, False), strict=False):
        known = constant(graph, name)
        none = -LARGEST if maximum else LARGEST
        if name and (known is None or known.reshape(()) != none):
            limit = IndexStep((name,), np.zeros(size, dtype=np.int64))
            result = extremum((result, limit), maximum, size)
    return result


# --- Abs --------------------------------------------------------------------------------------------


def _infer_abs(node: Node, types: Types) -> tuple[ValueType, ...]:
    return (number_type(types[0], "the operand"),)


def _abs(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    return (np.asarray(np.abs(array(inputs[0]))),)


def _abs_step(node: Node, graph: Graph) -> Step | str:
    """max(x, -x)"""
    name = node.inputs[0]
    size = graph.types[name].size
    return extremum((moved(graph, node, name), scaled(name, np.full(size, -1.0, np.float32))), True, size)


def _enclose_many(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    choose = Enclosed.maximum if node.op == "Max" else Enclosed.minimum
    return (reduce(choose, [enclosed(value) for value in inputs]),)


def _enclose_clip(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    x = enclosed(inputs[0])
    for value, choose in zip(inputs[1:], (Enclosed.maximum, Enclosed.minimum), strict=False):
        if value is not None:
            x = choose(x, enclosed(value).reshaped())
    return (x,)


def _enclose_abs(node: Node, inputs: Enclosures) -> tuple[Enclosed | Array, ...]:
    return (abs(enclosed(inputs[0])),)


def _many_rule(choose: np.ufunc, maximum: bool) -> OpRule:
    evaluate = _many(choose)
    return OpRule(_infer_many, evaluate, selected(evaluate), _many_step(maximum), enclose=_enclose_many)


RULES = {
    "Max": _many_rule(np.maximum, True),
    "Min": _many_rule(np.minimum, False),
    "Clip": OpRule(_infer_clip, _clip, selected(_clip), _clip_step, enclose=_enclose_clip),
    "Abs": OpRule(_infer_abs, _abs, exactly_rounded, _abs_step, enclose=_enclose_abs),
}
