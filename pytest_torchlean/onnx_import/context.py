"""What a lowering function sees of the file, and where it puts the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Attribute, Node, ValueType
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.onnx_import.tensors import dtype_name, readable, to_array
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.rule import ShapeError

MOST_VALUE_ELEMENTS = 2**26
"""Largest value a graph may compute, in elements."""

_SHAPE_DTYPES = ("int64", "int32", "bool")


class Refusal(Exception):
    """This node cannot be lowered; the message says why, for a person."""


class DependsOnRefused(Exception):
    """This node reads a value whose producer was refused, so nothing more can be said about it."""


@dataclass(frozen=True, eq=False)
class OnnxNode:
    """A node of the file. `since` is the operator version its opset selects."""

    op: str
    since: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    name: str
    attributes: Mapping[str, onnx.AttributeProto]

    def input(self, index: int) -> str:
        """Name of an input, "" when absent."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def has(self, name: str) -> bool:
        """Whether the node carries this attribute."""
        return name in self.attributes

    def integer(self, name: str, default: int) -> int:
        """An integer attribute."""
        return int(self._typed(name, onnx.AttributeProto.INT).i) if self.has(name) else default

    def real(self, name: str, default: float) -> float:
        """A binary32 attribute; Refusal when it is not finite."""
        value = float(
            np.float32(self._typed(name, onnx.AttributeProto.FLOAT).f if self.has(name) else default)
        )
        if not np.isfinite(value):
            raise Refusal(f"attribute {name} is not finite")
        return value

    def string(self, name: str, default: str) -> str:
        """A string attribute."""
        if not self.has(name):
            return default
        return bytes(self._typed(name, onnx.AttributeProto.STRING).s).decode("utf-8", "replace")

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A list-of-integers attribute, None when absent."""
        if not self.has(name):
            return None
        return tuple(int(value) for value in self._typed(name, onnx.AttributeProto.INTS).ints)

    def _typed(self, name: str, kind: int) -> onnx.AttributeProto:
        attribute = self.attributes[name]
        if attribute.type != kind or attribute.ref_attr_name:
            raise Refusal(f"attribute {name} has an unexpected type")
        return attribute


@dataclass(eq=False)
class Context:
    """The graph under construction. Lives for one call of `lower`."""

    tensors: dict[str, onnx.TensorProto]
    """Initialisers and Constant tensors that no node has read yet."""
    types: dict[str, ValueType]
    read_outputs: frozenset[str]
    """Values that some node reads or that the graph returns."""
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def type_of(self, name: str) -> ValueType:
        """Type of a value. DependsOnRefused, or Refusal for a tensor of a dtype that is not read."""
        if name in self.refused:
            raise DependsOnRefused
        if name in self.types:
            return self.types[name]
        if name in self.tensors:
            tensor = self.tensors[name]
            if not readable(tensor):
                raise Refusal(
                    f"weight {quoted(name)} is {dtype_name(tensor.data_type)}; only float32 is supported"
                )
            self.set_constant(name, to_array(tensor))
            return self.types[name]
        raise Refusal(f"input {quoted(name)} is not defined in this graph")

    def set_constant(self, name: str, value: NDArray[np.generic]) -> None:
        """Give a value that is known now."""
        self.constants[name] = value
        self.types[name] = ValueType(value.dtype.name, value.shape)

    def new_constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Give a value that the file holds as an attribute; returns its name, changed where it is taken."""
        while name in self.types or name in self.tensors or name in self.read_outputs:
            name += "'"
        self.set_constant(name, value)
        return name

    def constant(self, name: str, what: str) -> NDArray[np.generic]:
        """The value of an input that must be known now; Refusal when it is computed at run time."""
        self.type_of(name)
        if name not in self.constants:
            raise Refusal(f"{what} {quoted(name)} is computed at run time; it must be a constant")
        return self.constants[name]

    def constant_integers(self, name: str, what: str) -> tuple[int, ...]:
        """A constant tensor of integers, flat."""
        value = self.constant(name, what)
        if value.dtype.name not in ("int64", "int32"):
            raise Refusal(f"{what} {quoted(name)} is {value.dtype.name}, not an integer tensor")
        return tuple(int(item) for item in value.reshape(-1).tolist())

    def emit(
        self,
        source: OnnxNode,
        op: str,
        inputs: Sequence[str],
        attributes: Sequence[tuple[str, Attribute]] = (),
    ) -> None:
        """Add a node that computes the source's first output; fold it where that moves data only."""
        trimmed = list(inputs)
        while trimmed and not trimmed[-1]:
            trimmed.pop()
        node = Node(op, tuple(trimmed), (source.outputs[0],), tuple(attributes), source.name)
        types = [self.type_of(name) if name else None for name in trimmed]
        rule = RULES[op]
        if not rule.data_movement:
            self._require_float(trimmed)
        try:
            (result,) = rule.infer(node, types)
        except ShapeError as problem:
            raise Refusal(str(problem)) from None
        if result.size > MOST_VALUE_ELEMENTS:
            raise Refusal(f"its output would have {result.size} elements, more than {MOST_VALUE_ELEMENTS}")
        if rule.data_movement and all(name in self.constants for name in trimmed):
            (folded,) = rule.evaluate(node, [self.constants[name] for name in trimmed])
            self.set_constant(source.outputs[0], folded)
            return
        if result.dtype != "float32":
            raise Refusal(f"it works on {result.dtype} values at run time; only float32 is supported")
        self.types[source.outputs[0]] = result
        self.nodes.append(node)

    def fold_integers(self, names: Sequence[str]) -> list[NDArray[np.generic]] | None:
        """The operands when all are integer constants (shape arithmetic), None otherwise."""
        types = [self.type_of(name) for name in names]
        if all(name in self.constants for name in names) and all(
            kind.dtype in _SHAPE_DTYPES for kind in types
        ):
            return [self.constants[name] for name in names]
        return None

    def _require_float(self, names: Sequence[str]) -> None:
        for name in names:
            if name and self.types[name].dtype != "float32":
                kind = "weight" if name in self.constants else "value"
                raise Refusal(f"{kind} {quoted(name)} is {self.types[name].dtype}; only float32 is supported")
