"""Lowering of nodes: those of the table, functions by their definition, and the subgraphs of nodes.

A function (of the model, or an operator that the ONNX standard defines by a function and that has no row in
the table) is lowered by lowering its body in place; names of the body get the name of the node's first output
in front. Subgraphs are lowered the same way where control flow is decided by constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper

from pytest_torchlean.extensions.model import Operator
from pytest_torchlean.extensions.registry import Provided
from pytest_torchlean.ir.graph import ValueType
from pytest_torchlean.ir.names import printable, quoted
from pytest_torchlean.onnx_import.context import Context, DependsOnRefused, OnnxNode, Refusal, Scope
from pytest_torchlean.onnx_import.extension_operators import (
    Operators,
    body_of,
    require_declared_shapes,
    version_of,
)
from pytest_torchlean.onnx_import.table import TABLE
from pytest_torchlean.onnx_import.tensors import ELEMENT_TYPES

Problem = tuple[str, str]
"""Error code and one line of text."""
Functions = Mapping[tuple[str, str, str], onnx.FunctionProto]
"""The model's own functions by domain, name and overload."""

MOST_DEPTH = 16
"""How deep functions and subgraphs may lie inside each other."""
MOST_NODES = 2**18
"""Nodes that one model may be lowered to."""


def domain_of(name: str) -> str:
    """The domain with ONNX's own as the empty string."""
    return "" if name == "ai.onnx" else name


def live_nodes(nodes: Sequence[onnx.NodeProto], needed: set[str]) -> list[int]:
    """Indices of the nodes that `needed` names depend on, ascending; adds what they read to `needed`."""
    live = []
    for index in range(len(nodes) - 1, -1, -1):
        node = nodes[index]
        if needed.intersection(name for name in node.output if name):
            live.append(index)
            needed.update(name for name in node.input if name)
            needed.update(_captured(node))
    return live[::-1]


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


def is_known(domain: str, name: str) -> bool:
    """Whether an operator has a meaning here, by the table or by the function that ONNX defines it by."""
    if (domain, name) in TABLE:
        return True
    try:
        schema: Any = onnx.defs.get_schema(name, domain)
    except onnx.defs.SchemaError:
        return False
    return bool(schema.has_function or schema.has_context_dependent_function)


@dataclass(eq=False)
class NodeLowering:
    """Lowers nodes into a context. Lives for one call of `lower`; `problems` lists what was refused."""

    context: Context
    functions: Functions
    problems: list[Problem] = field(default_factory=list)
    operators: Operators = field(default_factory=dict)
    declared: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)
    """Shapes that the file states for values of its main graph."""
    _owners: list[tuple[str, dict[str, int]]] = field(default_factory=list)
    """The functions and subgraphs being lowered: the node each belongs to in words, and its opsets."""

    def lower(self, proto: onnx.NodeProto, opsets: dict[str, int], scope: Scope) -> None:
        """Lower one node whose names mean what `scope` says; a refusal is noted, never raised."""
        domain = domain_of(proto.domain)
        inputs = tuple(scope.get(name, name) for name in proto.input)
        outputs = tuple(scope.get(name, name) for name in proto.output)
        opset = opsets.get(domain)
        label = _describe(proto, domain, opset)
        self._owners.append((label, opsets))
        try:
            if len(self.context.nodes) >= MOST_NODES or len(self._owners) > MOST_DEPTH:
                raise Refusal(f"the model has more than {MOST_NODES} nodes, or functions inside each other")
            self._lower(proto, domain, opset, inputs, outputs, scope)
        except DependsOnRefused:
            self.context.refused.update(name for name in outputs if name)
        except Refusal as refusal:
            self._refuse(str(refusal), outputs)
        except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError, MemoryError) as problem:
            self._refuse(f"its attributes or inputs are malformed ({problem})", outputs)
        finally:
            self._owners.pop()

    def _refuse(self, reason: str, outputs: Sequence[str]) -> None:
        self.context.refused.update(name for name in outputs if name)
        path = ": in it, ".join(label for label, _ in self._owners)
        self.problems.append(("TL0201", f"{path}: {reason}"))

    def _lower(
        self,
        proto: onnx.NodeProto,
        domain: str,
        opset: int | None,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        scope: Scope,
    ) -> None:
        function = self.functions.get((domain, proto.op_type, proto.overload))
        given = self.operators.get((domain, proto.op_type))
        if function is not None:
            if given is not None:
                raise Refusal(f"the model defines a function of this name, and the {given.label} does too")
            if onnx.defs.has(proto.op_type, domain) or domain.startswith(_RUNTIME_DOMAINS):
                raise Refusal(
                    "the model defines a function of this name, but runtimes run an operator of theirs"
                )
            defaults = {attribute.name: attribute for attribute in function.attribute_proto}
            self._expand(proto, function, defaults, inputs, outputs)
            return
        attributes = {attribute.name: attribute for attribute in proto.attribute}
        if len(attributes) != len(proto.attribute):
            raise Refusal("it has an attribute twice")
        row = TABLE.get((domain, proto.op_type))
        since = row.version(opset) if row is not None and opset is not None else None
        if row is not None and since is not None:
            node = OnnxNode(proto.op_type, since, inputs, outputs, proto.name, attributes, scope)
            row.function(self.context, node)
            return
        if given is not None:
            self._extended(given, proto, opset, inputs, outputs)
            return
        definition = None if opset is None else self._definition(proto, domain, opset, inputs)
        if definition is None:
            raise Refusal("this operator is not supported")
        function, defaults = definition
        self._expand(proto, function, defaults, inputs, outputs)

    def _extended(
        self,
        given: Provided[Operator],
        proto: onnx.NodeProto,
        opset: int | None,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
    ) -> None:
        """Lower a node by the function that an extension gives. Raises ExtensionError TL1003, TL1004."""
        since = None if opset is None else version_of(given, opset)
        if since is None:
            raise Refusal(f"the {given.label} does not know this version")
        types = [self.context.type_of(name) if name else None for name in inputs]
        function = body_of(given, proto, since, types)
        label, opsets = self._owners[-1]
        self._owners[-1] = (f"{label} by extension {given.origin}", opsets)
        defaults = {attribute.name: attribute for attribute in function.attribute_proto}
        self._expand(proto, function, defaults, inputs, outputs)
        known = [(name, self.context.types.get(name)) for name in outputs if name]
        require_declared_shapes(given, known, self.declared)

    def _definition(
        self, proto: onnx.NodeProto, domain: str, opset: int, inputs: Sequence[str]
    ) -> tuple[onnx.FunctionProto, dict[str, onnx.AttributeProto]] | None:
        """The body by which ONNX defines an operator, with its defaults; None where it has none."""
        try:
            schema: Any = onnx.defs.get_schema(proto.op_type, opset, domain)
        except onnx.defs.SchemaError:
            return None
        if proto.op_type in _RANDOM:
            raise Refusal("its result is random")
        for attribute in proto.attribute:
            if attribute.name in _FLAGS and attribute.i not in (0, 1):
                raise Refusal(f"attribute {attribute.name} is {attribute.i}, not 0 or 1")
        defaults = {
            name: attribute.default_value
            for name, attribute in schema.attributes.items()
            if attribute.default_value.type != onnx.AttributeProto.UNDEFINED
        }
        plain = [version for version in schema.function_opset_versions if version <= opset]
        if plain:
            body: onnx.FunctionProto = onnx.FunctionProto.FromString(
                schema.get_function_with_opset_version(max(plain))
            )
            return (_guarded(body) if proto.op_type == "DynamicQuantizeLinear" else body), defaults
        built = [v for v in schema.context_dependent_function_opset_versions if v <= opset]
        if not built:
            return None
        types = [_type_proto(self.context.type_of(name) if name else None) for name in inputs]
        built_body = _built(schema, max(built), proto, types)
        return None if built_body is None else (built_body, defaults)

    def _expand(
        self,
        proto: onnx.NodeProto,
        function: onnx.FunctionProto,
        defaults: Mapping[str, onnx.AttributeProto],
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
    ) -> None:
        """Lower the body of a function in the place of a node, which may leave attributes to `defaults`."""
        opsets = dict(self._owners[-1][1])
        opsets.update({domain_of(entry.domain): int(entry.version) for entry in function.opset_import})
        given = dict(defaults)
        given.update({attribute.name: attribute for attribute in proto.attribute})
        padded = (*inputs, *[""] * (len(function.input) - len(inputs)))
        bindings = dict(zip(function.input, padded, strict=True))
        nodes = [_with_attributes(node, given) for node in function.node]
        self._body(nodes, tuple(function.output), bindings, outputs, opsets)

    def inline(
        self, node: OnnxNode, graph: onnx.GraphProto, inputs: Sequence[str], outputs: Sequence[str]
    ) -> None:
        """Lower a subgraph of `node`: its inputs stand for `inputs`, its results are named `outputs`."""
        bindings = dict(node.scope)
        formal = [value.name for value in graph.input]
        if len(formal) != len(inputs) or len(graph.output) < len(outputs) or graph.sparse_initializer:
            raise Refusal("a subgraph has another number of inputs or outputs than its node")
        bindings.update(zip(formal, inputs, strict=True))
        for tensor in graph.initializer:
            bindings[tensor.name] = self.context.fresh(f"{_first(outputs)}/{tensor.name}")
            self.context.tensors[bindings[tensor.name]] = tensor
        results = tuple(value.name for value in graph.output)
        self._body(graph.node, results, bindings, tuple(outputs), self._owners[-1][1])

    def _body(
        self,
        nodes: Sequence[onnx.NodeProto],
        results: tuple[str, ...],
        scope: dict[str, str],
        outputs: tuple[str, ...],
        opsets: dict[str, int],
    ) -> None:
        context = self.context
        wanted = [
            (inner, outer)
            for inner, outer in zip(results, outputs, strict=False)
            if outer and outer in context.read_outputs
        ]
        needed = {inner for inner, _ in wanted}
        live = live_nodes(nodes, needed)
        defined = {name for index in live for name in nodes[index].output if name}
        copied = []
        direct: set[str] = set()
        for inner, outer in wanted:
            if inner in defined and inner not in direct:
                direct.add(inner)
                scope[inner] = outer
            else:
                copied.append((inner, outer))
        for name in sorted(defined - direct):
            scope[name] = context.fresh(f"{_first(outputs)}/{name}")
        context.read_outputs.update(scope.get(name, name) for name in needed)
        for index in live:
            self.lower(nodes[index], opsets, scope)
        for inner, outer in copied:
            source = OnnxNode("Identity", 1, (), (outer,), "", {})
            if scope.get(inner, inner) in context.refused:
                context.refused.add(outer)
            else:
                context.emit(source, "Identity", [scope.get(inner, inner)])


_RANDOM = frozenset({"Bernoulli", "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"})


_RUNTIME_DOMAINS = ("com.microsoft", "com.ms.")
"""Domains of operators that onnxruntime has and ONNX does not define."""


_FLAGS = frozenset({"interleaved", "is_causal", "periodic"})
"""Attributes of operators that ONNX defines by a function, which runtimes read differently beyond 0 and 1."""


def _first(outputs: Sequence[str]) -> str:
    return next((name for name in outputs if name), "")


def _built(
    schema: Any, version: int, proto: onnx.NodeProto, types: Sequence[bytes]
) -> onnx.FunctionProto | None:
    """The body that ONNX builds for this node's attributes and types."""
    try:
        body = schema.get_context_dependent_function_with_opset_version(
            version, proto.SerializeToString(), list(types)
        )
    except Exception:  # whatever ONNX's C++ raises, the operator is refused by name
        return None
    function: onnx.FunctionProto = onnx.FunctionProto.FromString(body)
    return function if body else None


def _type_proto(kind: ValueType | None) -> bytes:
    if kind is None:
        return b""
    proto = onnx.helper.make_tensor_type_proto(ELEMENT_TYPES[kind.dtype], kind.shape)
    return bytes(proto.SerializeToString())


def _guarded(body: onnx.FunctionProto) -> onnx.FunctionProto:
    """DynamicQuantizeLinear's body with the scale 1 where its definition has 0, and then divides 0 by 0.

    That is so for operands that are all 0; onnxruntime then takes 1.
    """
    nodes: list[onnx.NodeProto] = []
    for node in body.node:
        if list(node.output) != ["Scale"]:
            nodes.append(node)
            continue
        plain = onnx.NodeProto()
        plain.CopyFrom(node)
        plain.output[0] = "Plain_Scale"
        nodes += [
            plain,
            *(
                onnx.helper.make_node(
                    "Constant", [], [name], value=onnx.numpy_helper.from_array(np.array(number, np.float32))
                )
                for name, number in (("Zero", 0.0), ("One", 1.0))
            ),
            onnx.helper.make_node("Equal", ["Plain_Scale", "Zero"], ["No_Scale"]),
            onnx.helper.make_node("Where", ["No_Scale", "One", "Plain_Scale"], ["Scale"]),
        ]
    guarded = onnx.FunctionProto()
    guarded.CopyFrom(body)
    del guarded.node[:]
    guarded.node.extend(nodes)
    return guarded


def _with_attributes(node: onnx.NodeProto, given: Mapping[str, onnx.AttributeProto]) -> onnx.NodeProto:
    """The node with every reference to an attribute of the function replaced by its value, or left out."""
    bound = onnx.NodeProto()
    bound.CopyFrom(node)
    del bound.attribute[:]
    for attribute in node.attribute:
        if attribute.ref_attr_name:
            if attribute.ref_attr_name in given:
                value = bound.attribute.add()
                value.CopyFrom(given[attribute.ref_attr_name])
                value.name = attribute.name
            continue
        value = bound.attribute.add()
        value.CopyFrom(attribute)
        if value.HasField("g"):
            inner = [_with_attributes(each, given) for each in value.g.node]
            del value.g.node[:]
            value.g.node.extend(inner)
    return bound


def _describe(proto: onnx.NodeProto, domain: str, opset: int | None) -> str:
    label = proto.name or next((name for name in proto.output if name), "")
    operator = f"{printable(domain)}.{printable(proto.op_type)}" if domain else printable(proto.op_type)
    return f"node {quoted(label)} ({operator}, opset {opset if opset is not None else 'missing'})"
