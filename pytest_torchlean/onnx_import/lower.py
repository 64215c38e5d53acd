"""Lower a loaded model to the intermediate representation, or list everything that stands against it."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from pytest_torchlean.errors import ModelError, UnsupportedError
from pytest_torchlean.ir.graph import Graph, ValueType
from pytest_torchlean.ir.names import printable, quoted
from pytest_torchlean.onnx_import.context import Context, DependsOnRefused, OnnxNode, Refusal
from pytest_torchlean.onnx_import.reader import LoadedModel
from pytest_torchlean.onnx_import.table import NEWEST_OPSET, OLDEST_OPSET, TABLE
from pytest_torchlean.onnx_import.tensors import dtype_name
from pytest_torchlean.ops.check import require_well_formed


def lower(model: LoadedModel) -> Graph:
    """The graph of a model, its first dimension fixed to 1 where it is symbolic.

    Value names are the file's own: opaque, to be escaped when shown. Nodes that no output depends on
    are left out. Only integer shape arithmetic and data movement of constants are folded.

    UnsupportedError TL0201 listing every node that cannot be lowered and why, TL0202 for an opset out
    of range, TL0203 for an input or output that is not a float32 tensor of known shape (code of the
    first problem; the message lists all). ModelError TL0105 for a malformed tensor.
    """
    proto = onnx.ModelProto.FromString(model.data)
    graph = proto.graph
    opsets = {_domain(entry.domain): int(entry.version) for entry in proto.opset_import}
    problems = _opset_problems(opsets)
    if len(opsets) != len(proto.opset_import):
        problems.append(("TL0202", "the model imports one operator set twice"))
    live, read = _live_nodes(graph)
    context = Context({tensor.name: tensor for tensor in graph.initializer}, {}, read)
    if len(context.tensors) != len(graph.initializer):
        raise ModelError("TL0105", "two initialisers have the same name")
    for sparse in graph.sparse_initializer:
        name = quoted(sparse.values.name)
        problems.append(("TL0201", f"weight {name} is sparse; only dense weights are supported"))
    inputs, free_batch, input_problems = _read_inputs(graph, context)
    problems += input_problems
    functions = {(_domain(function.domain), function.name) for function in proto.functions}
    for index in live:
        problems += _lower_node(context, graph.node[index], opsets, functions)
    outputs = tuple(value.name for value in graph.output)
    problems += _output_problems(context, outputs)
    if problems:
        raise _unsupported(printable(model.path.name), problems)
    return _finish(context, inputs, outputs, free_batch)


Problem = tuple[str, str]
"""Error code and one line of text."""


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _opset_problems(opsets: dict[str, int]) -> list[Problem]:
    version = opsets.get("")
    if version is None:
        return [("TL0202", "the model imports no version of the ONNX operator set")]
    if not OLDEST_OPSET <= version <= NEWEST_OPSET:
        return [
            ("TL0202", f"opset {version} is outside the supported range {OLDEST_OPSET} to {NEWEST_OPSET}")
        ]
    return []


def _live_nodes(graph: onnx.GraphProto) -> tuple[list[int], frozenset[str]]:
    """Indices of the nodes that an output depends on, ascending, and every value that is read."""
    needed = {value.name for value in graph.output}
    live = []
    for index in range(len(graph.node) - 1, -1, -1):
        node = graph.node[index]
        if needed.intersection(name for name in node.output if name):
            live.append(index)
            needed.update(name for name in node.input if name)
            needed.update(_captured(node))
    return live[::-1], frozenset(needed)


def _captured(node: onnx.NodeProto) -> Iterable[str]:
    """Names that a node's subgraphs mention: they may refer to values of the outer graph."""
    graphs = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    graphs += [graph for attribute in node.attribute for graph in attribute.graphs]
    while graphs:
        graph = graphs.pop()
        for inner in graph.node:
            yield from inner.input
            graphs += [attribute.g for attribute in inner.attribute if attribute.HasField("g")]
        yield from (value.name for value in graph.output)


def _read_inputs(graph: onnx.GraphProto, context: Context) -> tuple[tuple[str, ...], bool, list[Problem]]:
    """Inputs that are not initialisers; an initialiser that is also an input keeps its stored value."""
    names, problems, free_batch = [], [], False
    for value in graph.input:
        if value.name in context.tensors:
            continue
        names.append(value.name)
        shown = f"input {quoted(value.name)}"
        if not value.type.HasField("tensor_type"):
            problems.append(("TL0203", f"{shown} is not a tensor"))
            context.refused.add(value.name)
            continue
        tensor = value.type.tensor_type
        if tensor.elem_type != onnx.TensorProto.FLOAT:
            problems.append(
                ("TL0203", f"{shown} is {dtype_name(tensor.elem_type)}; only float32 is supported")
            )
            context.refused.add(value.name)
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
                        f"{shown}: the extent of axis {axis} is {symbol}; only the first may be symbolic",
                    )
                )
                context.refused.add(value.name)
                extents.append(1)
        context.types[value.name] = ValueType("float32", tuple(extents))
    return tuple(names), free_batch, problems


def _lower_node(
    context: Context, proto: onnx.NodeProto, opsets: dict[str, int], functions: set[tuple[str, str]]
) -> list[Problem]:
    domain = _domain(proto.domain)
    opset = opsets.get(domain)
    try:
        row = TABLE.get((domain, proto.op_type))
        if (domain, proto.op_type) in functions:
            raise Refusal("it is a function defined in the model; functions are not supported")
        since = row.version(opset) if row is not None and opset is not None else None
        if row is None or since is None:
            raise Refusal("this operator is not supported")
        attributes = {attribute.name: attribute for attribute in proto.attribute}
        if len(attributes) != len(proto.attribute):
            raise Refusal("it has an attribute twice")
        node = OnnxNode(
            proto.op_type,
            since,
            tuple(proto.input),
            tuple(proto.output),
            proto.name,
            attributes,
        )
        row.function(context, node)
    except DependsOnRefused:
        context.refused.update(name for name in proto.output if name)
    except Refusal as refusal:
        context.refused.update(name for name in proto.output if name)
        return [("TL0201", f"{_describe(proto, domain, opset)}: {refusal}")]
    return []


def _describe(proto: onnx.NodeProto, domain: str, opset: int | None) -> str:
    label = proto.name or next((name for name in proto.output if name), "")
    operator = f"{printable(domain)}.{printable(proto.op_type)}" if domain else printable(proto.op_type)
    return f"node {quoted(label)} ({operator}, opset {opset if opset is not None else 'missing'})"


def _output_problems(context: Context, outputs: tuple[str, ...]) -> list[Problem]:
    problems = []
    for name in outputs:
        try:
            dtype = context.type_of(name).dtype
        except DependsOnRefused:
            continue
        except Refusal as refusal:
            problems.append(("TL0203", f"output {quoted(name)}: {refusal}"))
            continue
        if dtype != "float32":
            problems.append(("TL0203", f"output {quoted(name)} is {dtype}; only float32 is supported"))
    if not outputs:
        problems.append(("TL0203", "the model has no output"))
    return problems


def _unsupported(name: str, problems: list[Problem]) -> UnsupportedError:
    lines = "\n".join(f"  {text}" for _, text in problems)
    count = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
    return UnsupportedError(problems[0][0], f"{name} cannot be given a meaning here ({count}):\n{lines}")


def _finish(context: Context, inputs: tuple[str, ...], outputs: tuple[str, ...], free_batch: bool) -> Graph:
    used = {name for node in context.nodes for name in node.inputs} | set(outputs)
    constants = {name: value for name, value in context.constants.items() if name in used}
    computed = {name for node in context.nodes for name in node.outputs}
    types = {
        name: kind
        for name, kind in context.types.items()
        if name in constants or name in inputs or name in computed
    }
    graph = Graph(inputs, outputs, tuple(context.nodes), constants, types, free_batch)
    try:
        require_well_formed(graph)
    except ValueError as problem:
        raise ModelError("TL0105", f"the model's graph is not well-formed: {problem}") from None
    return graph
