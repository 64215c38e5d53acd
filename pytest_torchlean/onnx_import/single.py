"""Each node of a model as a model of its own: the same weights, attributes and names, nothing else.

What the node computes at run time becomes an input without a declared shape, so that one such model takes
the node's own shapes and stacks of probes alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import ValueType
from pytest_torchlean.onnx_import.extension_operators import Operators
from pytest_torchlean.onnx_import.tensors import ELEMENT_TYPES

Array = NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class SingleNode:
    """One node alone. `inputs` are the values it reads that are computed at run time, `outputs` all that it
    gives, both by the model's own names; `tensors` are the constants it reads."""

    label: str
    source: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    model: onnx.ModelProto
    tensors: Mapping[str, onnx.TensorProto]
    meaning: onnx.ModelProto | None = None
    """The same function in ONNX's operators where the node has another one; None for the node itself."""
    stored: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)
    """How the runtime's node holds constants that the meaning has in another order."""
    operators: Operators = field(default_factory=dict)
    """Operators of extensions, for the lowering."""
    finished_sums: bool = True
    """Whether the kernel finishes its sums before it does anything else."""

    @property
    def data(self) -> bytes:
        """The model as bytes."""
        return bytes(self.model.SerializeToString())

    @property
    def digest(self) -> bytes:
        """Equal for nodes of the same operator, names, attributes and constants."""
        node = self.model.graph.node[0]
        attributes = sorted(item.SerializeToString() for item in node.attribute)
        tensors = [
            (name, tensor.data_type, tuple(tensor.dims), onnx.numpy_helper.to_array(tensor).tobytes())
            for name, tensor in sorted(self.tensors.items())
        ]
        names = (self.label, tuple(node.input), tuple(node.output), attributes)
        return hashlib.sha256(repr((names, tensors)).encode()).digest()

    @property
    def meant(self) -> bytes:
        """The meaning as bytes of a model."""
        return self.data if self.meaning is None else bytes(self.meaning.SerializeToString())

    def with_tensors(self, changed: Mapping[str, Array]) -> tuple[bytes, bytes]:
        """Node and meaning as bytes, some constants replaced by arrays of the same shape and type."""
        held = {
            name: np.ascontiguousarray(self.stored[name](value)) if name in self.stored else value
            for name, value in changed.items()
        }
        data = _replaced(self.model, held)
        return data, data if self.meaning is None else _replaced(self.meaning, changed)


def _replaced(model: onnx.ModelProto, changed: Mapping[str, Array]) -> bytes:
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for tensor in result.graph.initializer:
        if tensor.name in changed:
            tensor.CopyFrom(onnx.numpy_helper.from_array(changed[tensor.name], tensor.name))
    return bytes(result.SerializeToString())


@dataclass(frozen=True)
class Unprobed:
    """A node that cannot stand alone, and why."""

    label: str
    output: str
    reason: str


def single_nodes(
    data: bytes,
    types: Mapping[str, ValueType],
    constants: Mapping[str, Array],
    operators: Operators | None = None,
) -> Iterator[SingleNode | Unprobed]:
    """The top-level nodes of a model that compute something at run time, in order.

    types: of every value that can be an input. constants: values that are known beyond the stored
    initialisers, because only data movement leads to them.
    """
    proto = onnx.load_from_string(data)
    stored = {tensor.name: tensor for tensor in proto.graph.initializer}
    functions = {(function.domain, function.name) for function in proto.functions}
    for node in proto.graph.node:
        outputs = tuple(name for name in node.output if name)
        if node.op_type == "Constant" or not outputs or outputs[0] in constants:
            continue
        label = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
        names = tuple(dict.fromkeys(name for name in node.input if name))
        inputs = tuple(name for name in names if name not in stored and name not in constants)
        if not inputs or not all(name in types for name in outputs):
            continue
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            yield Unprobed(label, outputs[0], "it holds a graph")
            continue
        unknown = [name for name in inputs if name not in types or types[name].dtype not in ELEMENT_TYPES]
        if unknown:
            yield Unprobed(label, outputs[0], "the type of an input is not known")
            continue
        tensors = {
            name: stored[name] if name in stored else onnx.numpy_helper.from_array(constants[name], name)
            for name in names
            if name not in inputs
        }
        model = onnx.ModelProto(ir_version=proto.ir_version)
        model.opset_import.extend(proto.opset_import)
        if (node.domain, node.op_type) in functions:
            model.functions.extend(proto.functions)
        graph = model.graph
        graph.name = "node"
        graph.node.append(node)
        graph.initializer.extend(tensors.values())
        graph.input.extend(_open_value(name, types[name].dtype) for name in inputs)
        graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
        yield SingleNode(label, node.name, inputs, outputs, model, tensors, operators=operators or {})


def _open_value(name: str, dtype: str) -> onnx.ValueInfoProto:
    value = onnx.ValueInfoProto(name=name)
    value.type.tensor_type.elem_type = ELEMENT_TYPES[dtype]
    return value
