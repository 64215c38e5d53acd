"""What every operation of the intermediate representation states about itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import Step

Array = NDArray[np.generic]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Types = Sequence[ValueType | None]
"""Types of a node's inputs in order; None for an absent optional input."""
Arrays = Sequence[Array | None]
"""Values of a node's inputs in order; None for an absent optional input."""
Enclosures = Sequence["Enclosed | Array | None"]
"""A node's inputs in order: where float32 ones lie, other arrays as they are; None for an absent one."""


Enclose = Callable[["Node", Enclosures], "tuple[Enclosed | Array, ...]"]
"""Where a node's outputs lie, from where its inputs lie."""


Prepared = Callable[[Arrays], "tuple[Array, ...]"]
"""A node's outputs from its operands."""
Prepare = Callable[["Node", Types, Arrays], Prepared]
"""What runs a node whose operands have these types, and these values where they are constants, else None. It
gives the bits of `evaluate`, by compiled kernels, where floating-point warnings are off; its results may be
views of its operands."""


class ShapeError(Exception):
    """The inputs' types do not fit the operation; the message says why, for a person."""


class DomainError(Exception):
    """A value lies where the operation has no meaning (division by zero, an index out of range)."""


@dataclass(frozen=True)
class OpRule:
    """All meanings of one operation.

    infer(node, types): types of the outputs; ShapeError when the inputs do not fit.
    evaluate(node, inputs): values of the outputs under the declared schedule; DomainError where an integer
      has none.
    error_bound(node, inputs): per output None where IEEE-754 fixes every bit (NaN payloads aside), or
      float64 radii, rounded upwards, such that every schedule (any order, fused or not) lies within
      the radius of the exact value; so two schedules differ by at most twice the radius. Infinite
      where an intermediate may overflow or an input is not finite: there nothing is claimed.
    step(node, graph): how certificates see the node, or the reason why they cannot.
    exact_step(node, graph): the same where claims are about exact arithmetic, if that is simpler.
    granted_step(node, graph): another composition of the exact values, and a budget for all that binary32
      executions do: bounds may be closer. Not for exact arithmetic.
    data_movement: outputs are copies of input elements, so constants may be folded through it.
    reference(node, inputs): the first output in binary64, and how far each element may be from its real
      value; None where the step or the evaluator serves as the reference.
    enclose(node, inputs): where every execution's outputs lie when the float32 inputs lie where the
      enclosures say; None where no rule is known.
    prepare(node, types, constants): how compiled kernels run the node; None where `evaluate` does.
    """

    infer: Callable[[Node, Types], tuple[ValueType, ...]]
    evaluate: Callable[[Node, Arrays], tuple[Array, ...]]
    error_bound: Callable[[Node, Arrays], tuple[Float64 | None, ...]]
    step: Callable[[Node, Graph], Step | str]
    exact_step: Callable[[Node, Graph], Step | str] | None = None
    granted_step: Callable[[Node, Graph], Step | str] | None = None
    data_movement: bool = False
    reference: Callable[[Node, Arrays], tuple[Float64, Float64]] | None = None
    enclose: Enclose | None = None
    prepare: Prepare | None = None


def exactly_rounded(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    """The error bound of operations whose bits IEEE-754 fixes."""
    return (None,) * len(node.outputs)


def integer(node: Node, name: str) -> int:
    """An integer attribute."""
    value = node.attribute(name)
    if not isinstance(value, int):
        raise TypeError(f"attribute {name} of {node.op} is not an integer")
    return value


def real(node: Node, name: str) -> np.float32:
    """A binary32 attribute."""
    value = node.attribute(name)
    if not isinstance(value, float):
        raise TypeError(f"attribute {name} of {node.op} is not a binary32 number")
    return np.float32(value)


def integers(node: Node, name: str) -> tuple[int, ...]:
    """A list-of-integers attribute."""
    value = node.attribute(name)
    if not isinstance(value, tuple):
        raise TypeError(f"attribute {name} of {node.op} is not a list of integers")
    return tuple(int(item) for item in value)


def floats(array: Array | None) -> Float32:
    """A float32 operand that must be present."""
    if array is None or array.dtype != np.float32:
        raise TypeError("a float32 operand is missing")
    return array.astype(np.float32, copy=False)


def wide(array: Array | None) -> Float64:
    """A float32 operand as float64, exactly."""
    return floats(array).astype(np.float64)


def float_type(value: ValueType | None, what: str) -> ValueType:
    """The type of an operand that must be present and float32; ShapeError otherwise."""
    if value is None:
        raise ShapeError(f"{what} is missing")
    if value.dtype != "float32":
        raise ShapeError(f"{what} is {value.dtype}; only float32 is supported")
    return value


def same_float(node: Node, types: Types) -> tuple[ValueType, ...]:
    """The output type of an operation that keeps the shape of its only float32 operand."""
    return (float_type(types[0], "the operand"),)


INTEGERS = ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8")


def number_type(value: ValueType | None, what: str) -> ValueType:
    """The type of an operand that must be present and float32 or integer; ShapeError otherwise."""
    if value is None:
        raise ShapeError(f"{what} is missing")
    if value.dtype != "float32" and value.dtype not in INTEGERS:
        raise ShapeError(f"{what} is {value.dtype}; only float32 and integers are supported")
    return value


def typed(value: ValueType | None, what: str, *dtypes: str) -> ValueType:
    """The type of an operand that must be present and of one of the dtypes; ShapeError otherwise."""
    if value is None:
        raise ShapeError(f"{what} is missing")
    if value.dtype not in dtypes:
        raise ShapeError(f"{what} is {value.dtype}; it must be {' or '.join(dtypes)}")
    return value


def same_types(types: Types, what: str = "operands") -> tuple[ValueType, ...]:
    """Types of operands that must all be present and of one dtype; ShapeError otherwise."""
    present = tuple(value for value in types if value is not None)
    if len(present) != len(types) or not present:
        raise ShapeError("an operand is missing")
    if len({value.dtype for value in present}) > 1:
        raise ShapeError(f"{what} differ in dtype: {', '.join(value.dtype for value in present)}")
    return present


def array(value: Array | None) -> Array:
    """An operand that must be present."""
    if value is None:
        raise TypeError("an operand is missing")
    return value


def enclosed(value: Enclosed | Array | None) -> Enclosed:
    """A float32 operand's enclosure, which must be present."""
    if not isinstance(value, Enclosed):
        raise TypeError("a float32 operand is missing")
    return value


def no_step(reason: str) -> Callable[[Node, Graph], Step | str]:
    """The step of an operation that certificates do not speak about."""

    def step(node: Node, graph: Graph) -> Step | str:
        return reason

    return step


def broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Multidirectional (numpy) broadcasting of shapes; ShapeError when they do not fit."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError("shapes " + " and ".join(map(str, shapes)) + " do not broadcast") from None


def positions(shape: tuple[int, ...], start: int = 0) -> NDArray[np.int64]:
    """Flat indices of a value of this shape, as an int64 array of that shape, counted from `start`."""
    size = 1
    for extent in shape:
        size *= extent
    return np.arange(start, start + size, dtype=np.int64).reshape(shape)


def constant(graph: Graph, name: str) -> Float32 | None:
    """A float32 constant of the graph, or None when the value is computed or absent."""
    array = graph.constants.get(name)
    if array is None or array.dtype != np.float32:
        return None
    return array.astype(np.float32, copy=False)
