"""Floor, Ceil, Round, Sign, Mod, Cast, BitCast: functions whose value IEEE-754 or integer arithmetic fixes.

ONNX Floor, Ceil since 6, Round since 11 (ties to even), Sign since 9, Mod since 10, Cast since 6. Mod
of integers takes the divisor's sign, with `fmod` the dividend's; of binary32 numbers it is exact
with `fmod`, and otherwise rounded once, where the divisor is added to give its sign. Cast to an integer cuts
the fraction off: a value that the integer type does not hold has no meaning; casts between integers wrap
around in two's complement. BitCast since 26 reads the bits of a number as another type of the same width.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_torchlean.binary32.kernels import canonical_nan
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import CurveStep, IndexStep, Step
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    DomainError,
    OpRule,
    ShapeError,
    Types,
    array,
    broadcast,
    exactly_rounded,
    floats,
    integer,
    no_step,
    number_type,
    positions,
    same_float,
    same_types,
)

_NO_STEP = no_step("its result is not a continuous function of its operand")


def _rounding(function: np.ufunc) -> OpRule:
    def evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
        with np.errstate(invalid="ignore"):
            return (canonical_nan(np.asarray(function(floats(inputs[0])), dtype=np.float32)),)

    return OpRule(same_float, evaluate, exactly_rounded, _NO_STEP)


def _infer_sign(node: Node, types: Types) -> tuple[ValueType, ...]:
    return (number_type(types[0], "the operand"),)


def _sign(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    """-1, 0 or 1, and NaN for NaN."""
    x: Any = array(inputs[0])
    with np.errstate(invalid="ignore"):
        sign = np.asarray((x > 0).astype(x.dtype) - (x < 0).astype(x.dtype), dtype=x.dtype)
    return (np.where(x == x, sign, x),)


def _sign_step(node: Node, graph: Graph) -> Step | str:
    """A node of its own, which gives any number between -1 and 1 where its operand is 0."""
    if graph.types[node.inputs[0]].dtype != "float32":
        return "certificates cover signs of binary32 numbers"
    return CurveStep(node.inputs[0], "sign")


def _infer_mod(node: Node, types: Types) -> tuple[ValueType, ...]:
    left, right = same_types(types[:2])
    number_type(left, "an operand")
    return (ValueType(left.dtype, broadcast([left.shape, right.shape])),)


def _mod(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    left: Any = array(inputs[0])
    right: Any = array(inputs[1])
    if left.dtype == np.float32:
        with np.errstate(invalid="ignore"):
            remainder = np.fmod(left, right) if integer(node, "fmod") else np.mod(left, right)
            return (canonical_nan(np.asarray(remainder, dtype=np.float32)),)
    if not right.all():
        raise DomainError("integer division by zero")
    return (np.asarray((np.fmod if integer(node, "fmod") else np.mod)(left, right), dtype=left.dtype),)


def _target(node: Node) -> str:
    to = node.attribute("to")
    if not isinstance(to, str):
        raise TypeError("attribute to of Cast is not a dtype")
    return to


def _infer_cast(node: Node, types: Types) -> tuple[ValueType, ...]:
    kind = types[0]
    if kind is None:
        raise ShapeError("the operand is missing")
    return (ValueType(_target(node), kind.shape),)


def _cast(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x: Any = array(inputs[0])
    to = np.dtype(_target(node))
    if x.dtype == np.float32 and to.kind in "iu":
        limits = np.iinfo(to)
        wide = x.astype(np.float64)
        inside = (wide > float(limits.min) - 1.0) & (wide < float(limits.max) + 1.0)
        if limits.bits == 64:
            inside = (wide >= float(limits.min)) & (wide < 2.0 ** (64 if to.kind == "u" else 63))
        if not inside.all():
            raise DomainError(f"a value is cast to {to.name} that it cannot hold")
    with np.errstate(over="ignore"):
        return (np.asarray(x.astype(to)),)


def _cast_step(node: Node, graph: Graph) -> Step | str:
    """Only a cast of float32 to float32 has one: the identity."""
    return IndexStep((node.inputs[0],), positions(graph.types[node.inputs[0]].shape).reshape(-1))


def _infer_bit_cast(node: Node, types: Types) -> tuple[ValueType, ...]:
    (result,) = _infer_cast(node, types)
    assert types[0] is not None
    if np.dtype(result.dtype).itemsize != np.dtype(types[0].dtype).itemsize:
        raise ShapeError(f"{types[0].dtype} and {result.dtype} differ in width")
    return (result,)


def _bit_cast(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    return (np.ascontiguousarray(array(inputs[0])).view(_target(node)).reshape(array(inputs[0]).shape),)


RULES = {
    "BitCast": OpRule(_infer_bit_cast, _bit_cast, exactly_rounded, _NO_STEP),
    "Floor": _rounding(np.floor),
    "Ceil": _rounding(np.ceil),
    "Round": _rounding(np.rint),
    "Sign": OpRule(_infer_sign, _sign, exactly_rounded, _sign_step),
    "Mod": OpRule(_infer_mod, _mod, exactly_rounded, _NO_STEP),
    "Cast": OpRule(_infer_cast, _cast, exactly_rounded, _cast_step),
}
