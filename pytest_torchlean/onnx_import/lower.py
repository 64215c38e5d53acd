"""Lower a loaded model to the intermediate representation, or list everything that stands against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from pytest_torchlean.errors import ModelError, UnsupportedError
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.names import printable, quoted
from pytest_torchlean.ir.wellformed import DTYPES
from pytest_torchlean.onnx_import.context import Context, DependsOnRefused, Refusal
from pytest_torchlean.onnx_import.extension_operators import declared_shapes
from pytest_torchlean.onnx_import.nodes import NodeLowering, Problem, domain_of, live_nodes
from pytest_torchlean.onnx_import.reader import LoadedModel
from pytest_torchlean.onnx_import.table import NEWEST_OPSET, OLDEST_OPSET
from pytest_torchlean.onnx_import.tensors import dtype_name
from pytest_torchlean.ops.check import require_well_formed


def lower(
    model: LoadedModel,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    values: Mapping[str, NDArray[np.generic]] | None = None,
) -> Graph:
    """The graph of a model, its first dimension fixed to 1 where it is symbolic.

    shapes: the shape of inputs, where the file leaves dimensions open. values: inputs that become constants,
    because shapes or axes depend on them.

    Value names are the file's own: opaque, to be escaped when shown. Nodes that no output depends on
    are left out. Only integers, comparisons and data movement of constants are folded.

    UnsupportedError TL0201 listing every node that cannot be lowered and why, TL0202 for an opset out
    of range, TL0203 for an input or output that is not a tensor of a known dtype and shape (code of the
    first problem; the message lists all). ModelError TL0105 for a malformed tensor.
    """
    proto = onnx.ModelProto.FromString(model.data)
    graph = proto.graph
    opsets = {domain_of(entry.domain): int(entry.version) for entry in proto.opset_import}
    problems = _opset_problems(opsets)
    if len(opsets) != len(proto.opset_import):
        problems.append(("TL0202", "the model imports one operator set twice"))
    read = {value.name for value in graph.output}
    live = live_nodes(graph.node, read)
    context = Context({tensor.name: tensor for tensor in graph.initializer}, {}, read, _no_subgraph)
    if len(context.tensors) != len(graph.initializer):
        raise ModelError("TL0105", "two initialisers have the same name")
    for sparse in graph.sparse_initializer:
        name = quoted(sparse.values.name)
        problems.append(("TL0201", f"weight {name} is sparse; only dense weights are supported"))
    inputs, free_batch, input_problems = _read_inputs(graph, context, shapes or {}, values or {})
    problems += input_problems
    functions = {(domain_of(f.domain), f.name, f.overload): f for f in proto.functions}
    lowering = NodeLowering(context, functions, problems, model.operators, declared_shapes(graph))
    context.inline = lowering.inline
    for index in live:
        lowering.lower(graph.node[index], opsets, {})
    outputs = tuple(value.name for value in graph.output)
    problems += _output_problems(context, outputs)
    if problems:
        raise _unsupported(printable(model.path.name), problems)
    return _finish(context, inputs, outputs, free_batch)


def _no_subgraph(*_: object) -> None:
    raise Refusal("its subgraph is not read")


def _opset_problems(opsets: dict[str, int]) -> list[Problem]:
    version = opsets.get("")
    if version is None:
        return [("TL0202", "the model imports no version of the ONNX operator set")]
    if not OLDEST_OPSET <= version <= NEWEST_OPSET:
        return [
            ("TL0202", f"opset {version} is outside the supported range {OLDEST_OPSET} to {NEWEST_OPSET}")
        ]
    return []


def _read_inputs(
    graph: onnx.GraphProto,
    context: Context,
    shapes: Mapping[str, Sequence[int]],
    values: Mapping[str, NDArray[np.generic]],
) -> tuple[tuple[str, ...], bool, list[Problem]]:
    """Inputs that are not initialisers; an initialiser that is also an input keeps its stored value."""
    names, problems, free_batch = [], [], False
    for value in graph.input:
        if value.name in context.tensors:
            continue
        if value.name in values:
            context.set_constant(value.name, values[value.name])
            continue
        names.append(value.name)
        shown = f"input {quoted(value.name)}"
        if not value.type.HasField("tensor_type"):
            problems.append(("TL0203", f"{shown} is not a tensor"))
            context.refused.add(value.name)
            continue
        tensor = value.type.tensor_type
        dtype = dtype_name(tensor.elem_type)
        if dtype not in DTYPES:
            problems.append(("TL0203", f"{shown} is {dtype}; only float32, integers and bool are supported"))
            context.refused.add(value.name)
            continue
        if value.name in shapes:
            context.types[value.name] = ValueType(dtype, tuple(int(extent) for extent in shapes[value.name]))
            continue
        if not tensor.HasField("shape"):
            problems.append(("TL0203", f"{shown} has no shape"))
            context.refused.add(value.name)
            continue
        extents = []
        for axis, dimension in enumerate(tensor.shape.dim):
            if dimension.HasField("dim_value") and dimension.dim_value >= 0:
                extents.append(int(dimension.dim_value))
            elif axis == 0:
                extents.append(1)
                free_batch = True
            else:
                symbol = quoted(dimension.dim_param) if dimension.dim_param else "unknown"
                problems.append(
                    (
                        "TL0203",
                        f"{shown}: the extent of axis {axis} is {symbol}; only the first may be symbolic, "
                        "unless the spec gives it an extent (`shapes`, `dims`)",
                    )
                )
                context.refused.add(value.name)
                extents.append(1)
        context.types[value.name] = ValueType(dtype, tuple(extents))
    return tuple(names), free_batch, problems


def _output_problems(context: Context, outputs: tuple[str, ...]) -> list[Problem]:
    problems = []
    for name in outputs:
        try:
            context.type_of(name)
        except DependsOnRefused:
            continue
        except Refusal as refusal:
            problems.append(("TL0203", f"output {quoted(name)}: {refusal}"))
            continue
    if not outputs:
        problems.append(("TL0203", "the model has no output"))
    return problems


def _unsupported(name: str, problems: list[Problem]) -> UnsupportedError:
    lines = "\n".join(f"  {text}" for _, text in problems)
    count = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
    return UnsupportedError(problems[0][0], f"{name} cannot be given a meaning here ({count}):\n{lines}")


def _finish(context: Context, inputs: tuple[str, ...], outputs: tuple[str, ...], free_batch: bool) -> Graph:
    nodes = _live(context.nodes, set(outputs))
    used = {name for node in nodes for name in node.inputs} | set(outputs)
    constants = {name: value for name, value in context.constants.items() if name in used}
    computed = {name for node in nodes for name in node.outputs}
    types = {
        name: kind
        for name, kind in context.types.items()
        if name in constants or name in inputs or name in computed
    }
    graph = Graph(inputs, outputs, nodes, constants, types, free_batch)
    try:
        require_well_formed(graph)
    except ValueError as problem:
        raise ModelError("TL0105", f"the model's graph is not well-formed: {problem}") from None
    return graph


def _live(nodes: Sequence[Node], needed: set[str]) -> tuple[Node, ...]:
    """The nodes that `needed` depends on; what only shapes were computed from is left out."""
    live = []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            live.append(node)
            needed.update(node.inputs)
    return tuple(reversed(live))
