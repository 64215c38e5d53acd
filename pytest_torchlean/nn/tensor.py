"""Values of modules: numbers that are there, or names in a graph under construction, under one set of rules.

An operation on arrays is computed at once by the operation's rule in `ops`; on symbolic tensors the same
operation becomes a node. So what runs eagerly and what is compiled cannot mean different things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import ModelError
from pytest_torchlean.ir.graph import Attribute, Graph, Node, ValueType
from pytest_torchlean.ir.wellformed import DTYPES
from pytest_torchlean.ops import RULES
from pytest_torchlean.ops.rule import DomainError, ShapeError

Array = NDArray[np.generic]
Attributes = Sequence[tuple[str, Attribute]]


@dataclass(frozen=True, eq=False)
class Tensor:
    """What a module's `forward` sees: numbers, or the name of a value in a trace.

    Arithmetic with other tensors, float32 arrays and Python numbers (rounded to binary32) is one operation
    each, with broadcasting.
    """

    type: ValueType
    value: Array | None = None
    trace: Trace | None = None
    name: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The static shape."""
        return self.type.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.type.shape)

    def numpy(self) -> Array:
        """The numbers. Raises ModelError TL0109 while a graph is traced."""
        if self.value is None:
            raise ModelError("TL0109", "a module's control flow reads numbers, which a graph does not have")
        return self.value

    def __bool__(self) -> bool:
        raise ModelError("TL0109", "a module's control flow reads numbers, which a graph does not have")

    def __add__(self, other: Operand) -> Tensor:
        return _binary("Add", self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return _binary("Add", other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return _binary("Sub", self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return _binary("Sub", other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return _binary("Mul", self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return _binary("Mul", other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        return _binary("Div", self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return _binary("Div", other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return _binary("MatMul", self, other)

    def __neg__(self) -> Tensor:
        return apply("Neg", [self])

    __array_ufunc__ = None
    """An array on the left leaves the operation to the tensor on the right."""


Operand = Tensor | Array | float | int
X = TypeVar("X", Tensor, NDArray[np.float32])
"""A tensor inside of a module, an array outside: an operation gives what it is given."""


@dataclass(eq=False)
class Trace:
    """A graph under construction. By identity, `names` are those of parameters and `paths` of modules."""

    names: Mapping[int, str] = field(default_factory=dict)
    paths: Mapping[int, str] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    types: dict[str, ValueType] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    scope: str = ""
    """Path of the module that is running, for the names of nodes."""
    _held: dict[int, tuple[Array, str]] = field(default_factory=dict)

    def input(self, name: str, kind: ValueType) -> Tensor:
        """A new input of the graph."""
        name = self._fresh(name)
        self.types[name] = kind
        self.inputs.append(name)
        return Tensor(kind, None, self, name)

    def constant(self, array: Array) -> str:
        """The name of an array in the graph; the same array has one name."""
        if id(array) not in self._held:
            name = self._fresh(self.names.get(id(array), "constant"))
            self.constants[name] = array.copy()
            self.types[name] = ValueType(array.dtype.name, array.shape)
            self._held[id(array)] = (array, name)
        return self._held[id(array)][1]

    def emit(self, node_of: Node, results: Sequence[ValueType]) -> Tensor:
        """Add a node with one output of its own name."""
        path = f"{self.scope}.{node_of.op}" if self.scope else node_of.op
        name = self._fresh(path)
        self.types[name] = results[0]
        self.nodes.append(Node(node_of.op, node_of.inputs, (name,), node_of.attributes, name))
        return Tensor(results[0], None, self, name)

    def graph(self, outputs: Sequence[Tensor], free_batch: bool) -> Graph:
        """The nodes that the outputs depend on, with the constants they read."""
        wanted = tuple(tensor.name for tensor in outputs)
        needed, live = set(wanted), []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                live.append(node)
                needed.update(node.inputs)
        constants = {name: value for name, value in self.constants.items() if name in needed}
        computed = {name for node in live for name in node.outputs}
        named = computed | set(self.inputs) | set(constants)
        types = {name: kind for name, kind in self.types.items() if name in named}
        return Graph(tuple(self.inputs), wanted, tuple(reversed(live)), constants, types, free_batch)

    def _fresh(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self.types:
            count += 1
            name = f"{wanted}_{count}"
        return name


def as_tensor(value: Operand) -> Tensor:
    """A tensor of the value; Python numbers round to binary32. Raises ModelError TL0109 for other dtypes."""
    if isinstance(value, Tensor):
        return value
    array = np.asarray(np.float32(value)) if isinstance(value, float | int) else np.asarray(value)
    if array.dtype.name not in DTYPES:
        raise ModelError("TL0109", f"a value is {array.dtype.name}; convert it with .astype('float32')")
    return Tensor(ValueType(array.dtype.name, array.shape), array)


def apply(op: str, operands: Sequence[Operand | None], attributes: Attributes = ()) -> Tensor:
    """One operation of the table in `ops`, now or as a node. Raises ModelError TL0109 where operands do not
    fit it, or belong to different traces."""
    tensors = [None if operand is None else as_tensor(operand) for operand in operands]
    traces = {id(t.trace): t.trace for t in tensors if t is not None and t.trace is not None}
    if len(traces) > 1:
        raise ModelError("TL0109", f"{op}: the operands belong to different graphs")
    trace = next(iter(traces.values()), None)
    names = tuple("" if tensor is None else _name(tensor, trace) for tensor in tensors)
    node = Node(op, names, ("",), tuple(attributes))
    rule = RULES[op]
    try:
        results = rule.infer(node, [None if tensor is None else tensor.type for tensor in tensors])
        if trace is not None:
            return trace.emit(node, results)
        with np.errstate(all="ignore"):
            found = rule.evaluate(node, [None if tensor is None else tensor.value for tensor in tensors])
    except (ShapeError, DomainError) as problem:
        raise ModelError("TL0109", f"{op}: {problem}") from None
    return Tensor(results[0], np.ascontiguousarray(found[0]).reshape(results[0].shape))


def _name(tensor: Tensor, trace: Trace | None) -> str:
    """The tensor's name in the trace; numbers become a constant of it."""
    return tensor.name if trace is None or tensor.value is None else trace.constant(tensor.value)


def _binary(op: str, left: Operand, right: Operand) -> Tensor:
    return apply(op, [left, right])


def like(given: X, op: str, operands: Sequence[Any], attributes: Attributes = ()) -> X:
    """`apply`, giving an array where the operands are arrays. `given` only tells the type checker which."""
    result = apply(op, operands, attributes)
    return cast(X, result if any(isinstance(operand, Tensor) for operand in operands) else result.numpy())
