"""What a lowering function sees of the file, and where it puts the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Attribute, Node, ValueType
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.onnx_import.tensors import dtype_name, readable, to_array
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.rule import DomainError, ShapeError, exactly_rounded

MOST_VALUE_ELEMENTS = 2**26
"""Largest value a graph may compute, in elements."""

MOST_KNOWN_ELEMENTS = 2**16
"""Largest computed float32 value that is also kept as a number, for shapes that are computed from it."""


class Refusal(Exception):
    """This node cannot be lowered; the message says why, for a person."""


class DependsOnRefused(Exception):
    """This node reads a value whose producer was refused, so nothing more can be said about it."""


Scope = Mapping[str, str]
"""Names inside a function or subgraph to the names that stand for them in the graph."""


@dataclass(frozen=True, eq=False)
class OnnxNode:
    """A node of the file. `since` is the operator version its opset selects.

    `scope` holds what names mean inside the node's subgraphs, for a node of a function or subgraph.
    """

    op: str
    since: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    name: str
    attributes: Mapping[str, onnx.AttributeProto]
    scope: Scope = field(default_factory=dict)

    def input(self, index: int) -> str:
        """Name of an input, "" when absent."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def has(self, name: str) -> bool:
        """Whether the node carries this attribute."""
        return name in self.attributes

    def integer(self, name: str, default: int) -> int:
        """An integer attribute."""
        return int(self._typed(name, onnx.AttributeProto.INT).i) if self.has(name) else default

    def flag(self, name: str, default: int) -> int:
        """An attribute that is 0 or 1; other integers are read differently by different runtimes."""
        value = self.integer(name, default)
        if value not in (0, 1):
            raise Refusal(f"attribute {name} is {value}, not 0 or 1")
        return value

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

    def reals(self, name: str) -> tuple[float, ...] | None:
        """A list of binary32 numbers, None when absent; Refusal when one is not finite."""
        if not self.has(name):
            return None
        values = np.array(self._typed(name, onnx.AttributeProto.FLOATS).floats, dtype=np.float32)
        if not np.isfinite(values).all():
            raise Refusal(f"attribute {name} is not finite")
        return tuple(float(value) for value in values)

    def strings(self, name: str) -> tuple[str, ...] | None:
        """A list of strings, None when absent."""
        if not self.has(name):
            return None
        values = self._typed(name, onnx.AttributeProto.STRINGS).strings
        return tuple(bytes(value).decode("utf-8", "replace") for value in values)

    def graph(self, name: str) -> onnx.GraphProto:
        """A subgraph; Refusal when absent."""
        if not self.has(name):
            raise Refusal(f"it has no {name}")
        return self._typed(name, onnx.AttributeProto.GRAPH).g

    def wants(self, context: Context, index: int) -> bool:
        """Whether an output is there and read."""
        return index < len(self.outputs) and self.outputs[index] in context.read_outputs

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
    read_outputs: set[str]
    """Values that some node reads or that the graph returns."""
    inline: Callable[[OnnxNode, onnx.GraphProto, Sequence[str], Sequence[str]], None]
    """Lower a subgraph of a node: its inputs stand for the first names, its outputs define the second."""
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    known: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    """Small float32 values that nodes compute from constants with operations whose bits IEEE-754 fixes."""
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
                    f"weight {quoted(name)} is {dtype_name(tensor.data_type)}; only float32, integer and "
                    "bool tensors are supported"
                )
            self.set_constant(name, to_array(tensor))
            return self.types[name]
        raise Refusal(f"input {quoted(name)} is not defined in this graph")

    def set_constant(self, name: str, value: NDArray[np.generic]) -> None:
        """Give a value that is known now."""
        value = np.asarray(value)
        self.constants[name] = value
        self.types[name] = ValueType(value.dtype.name, value.shape)

    def fresh(self, name: str) -> str:
        """This name, changed where it is taken."""
        while name in self.types or name in self.tensors or name in self.read_outputs or name in self.refused:
            name += "'"
        return name

    def new_constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Give a value that the file holds as an attribute; returns its name, changed where it is taken."""
        name = self.fresh(name)
        self.set_constant(name, value)
        return name

    def value(self, name: str) -> NDArray[np.generic] | None:
        """The numbers of a value that the file fixes, None for one that the model's inputs decide."""
        self.type_of(name)
        return self.constants.get(name, self.known.get(name))

    def constant(self, name: str, what: str) -> NDArray[np.generic]:
        """The value of an input that must be known now; Refusal when it is computed at run time."""
        value = self.value(name)
        if value is None:
            raise Refusal(f"{what} {quoted(name)} is computed at run time; it must be a constant")
        return value

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
        outputs: Sequence[str] | None = None,
    ) -> str:
        """Add a node that computes `outputs`, by default the source's first output; returns the first name.

        An output of integers or of moved data whose operands are all constant is folded. Refusal where the
        operands do not fit.
        """
        trimmed = list(inputs)
        while trimmed and not trimmed[-1]:
            trimmed.pop()
        names = (source.outputs[0],) if outputs is None else tuple(outputs)
        node = Node(op, tuple(trimmed), names, tuple(attributes), source.name)
        types = [self.type_of(name) if name else None for name in trimmed]
        rule = RULES[op]
        try:
            results = rule.infer(node, types)
        except ShapeError as problem:
            raise Refusal(str(problem)) from None
        for result in results:
            if result.size > MOST_VALUE_ELEMENTS:
                raise Refusal(
                    f"its output would have {result.size} elements, more than {MOST_VALUE_ELEMENTS}"
                )
        if self._folded(node, results):
            return names[0]
        self.types.update(zip(names, results, strict=True))
        self.nodes.append(node)
        return names[0]

    def part(
        self,
        source: OnnxNode,
        op: str,
        inputs: Sequence[str],
        attributes: Sequence[tuple[str, Attribute]] = (),
    ) -> str:
        """Add a node that is one part of what `source` means; returns the name of its value."""
        name = self.fresh(f"{next(filter(None, source.outputs))}/{op}")
        return self.emit(source, op, inputs, attributes, [name])

    def _folded(self, node: Node, results: Sequence[ValueType]) -> bool:
        """Whether the node's outputs are constants now; small exact float32 results are noted as known."""
        values = [self.value(name) if name else None for name in node.inputs]
        if any(name and value is None for name, value in zip(node.inputs, values, strict=True)):
            return False
        rule = RULES[node.op]
        integral = all(result.dtype != "float32" for result in results)
        moved = rule.data_movement and all(not name or name in self.constants for name in node.inputs)
        small = max(result.size for result in results) <= MOST_KNOWN_ELEMENTS
        if not (integral or moved or (small and rule.error_bound is exactly_rounded)):
            return False
        try:
            found = rule.evaluate(node, values)
        except DomainError as problem:
            raise Refusal(str(problem)) from None
        if integral or moved:
            for name, value in zip(node.outputs, found, strict=True):
                self.set_constant(name, value)
            return True
        self.known.update(zip(node.outputs, found, strict=True))
        return False
