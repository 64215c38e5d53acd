"""Operators of extensions: one node at a time, as an ONNX function of operators that are known here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import onnx
import onnx.parser

from pytest_torchlean.errors import ExtensionError
from pytest_torchlean.extensions.model import AttributeValue, Operator, OperatorNode
from pytest_torchlean.extensions.registry import Provided
from pytest_torchlean.ir.graph import ValueType
from pytest_torchlean.ir.names import quoted

Operators = Mapping[tuple[str, str], Provided[Operator]]

MOST_BODY_NODES = 4096
_MOST_TEXT = 1 << 20


def version_of(given: Provided[Operator], opset: int) -> int | None:
    """The version that an opset selects, None where the operator is newer than the opset."""
    return max((version for version in given.it.since if version <= opset), default=None)


def body_of(
    given: Provided[Operator], proto: onnx.NodeProto, since: int, types: Sequence[ValueType | None]
) -> onnx.FunctionProto:
    """The function that a node means. Raises ExtensionError TL1003, TL1004."""
    node = OperatorNode(
        since,
        {attribute.name: _value(given, attribute) for attribute in proto.attribute},
        tuple(None if kind is None else kind.shape for kind in types),
        len(proto.output),
    )
    body = given.call(given.it.body, node)
    if isinstance(body, str):
        if len(body) > _MOST_TEXT:
            raise given.wrong("gave a body of more than a million characters")
        try:
            body = onnx.parser.parse_function(body)
        except Exception as error:
            raise given.wrong(f"gave a body that is no ONNX function: {_parse_error(error)}") from None
    if not isinstance(body, onnx.FunctionProto):
        raise given.wrong(f"gave a {type(body).__name__} as its body, not text or a FunctionProto")
    _require_form(given, body, proto)
    return body


def _parse_error(error: Exception) -> str:
    """What onnx's parser says, which some versions give as bytes, on one line."""
    first = error.args[0] if error.args else error
    text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    return " ".join(text.split())[:300]


def _require_form(given: Provided[Operator], body: onnx.FunctionProto, proto: onnx.NodeProto) -> None:
    if len(body.input) < len(proto.input) or len(body.output) < len(proto.output):
        raise given.wrong(
            f"gave a body with {len(body.input)} inputs and {len(body.output)} outputs for a node with "
            f"{len(proto.input)} and {len(proto.output)}"
        )
    foreign = [node.domain for node in body.node if node.domain not in ("", "ai.onnx")]
    if foreign or len(body.node) > MOST_BODY_NODES:
        raise given.wrong(
            f"gave a body that uses the domain {quoted(foreign[0])}; it may only use ONNX's own operators"
            if foreign
            else f"gave a body of more than {MOST_BODY_NODES} nodes"
        )
    if not any(entry.domain in ("", "ai.onnx") for entry in body.opset_import):
        raise given.wrong('gave a body that imports no ONNX opset; begin it with <opset_import: ["": 17]>')


def require_declared_shapes(
    given: Provided[Operator],
    outputs: Iterable[tuple[str, ValueType | None]],
    declared: Mapping[str, tuple[int | None, ...]],
) -> None:
    """The shapes that a body gives are those that the model file declares, where it declares any.

    Raises ExtensionError TL1004.
    """
    for name, kind in outputs:
        wanted = declared.get(name)
        if kind is None or wanted is None:
            continue
        fits = len(wanted) == len(kind.shape) and all(
            extent is None or extent == own for extent, own in zip(wanted, kind.shape, strict=True)
        )
        if not fits:
            shown = ", ".join("?" if extent is None else str(extent) for extent in wanted)
            raise given.wrong(
                f"gives output {quoted(name)} the shape {list(kind.shape)}, the model file declares [{shown}]"
            )


def declared_shapes(graph: onnx.GraphProto) -> dict[str, tuple[int | None, ...]]:
    """The shapes that a file states for computed values; None for an extent that it leaves open."""
    found = {}
    for value in (*graph.value_info, *graph.output):
        if value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape"):
            found[value.name] = tuple(
                int(extent.dim_value) if extent.HasField("dim_value") else None
                for extent in value.type.tensor_type.shape.dim
            )
    return found


def used_operators(data: bytes, operators: Operators) -> tuple[Provided[Operator], ...]:
    """The operators of extensions that a model names, in subgraphs and functions too, each once."""
    if not operators:
        return ()
    proto = onnx.ModelProto.FromString(data)
    pending: list[Iterable[onnx.NodeProto]] = [proto.graph.node, *(body.node for body in proto.functions)]
    named: set[tuple[str, str]] = set()
    while pending:
        for node in pending.pop():
            named.add(("" if node.domain == "ai.onnx" else node.domain, node.op_type))
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    pending.append(attribute.g.node)
                pending += [graph.node for graph in attribute.graphs]
    return tuple(given for key, given in sorted(operators.items()) if key in named)


def _value(given: Provided[Operator], attribute: onnx.AttributeProto) -> AttributeValue:
    kinds = onnx.AttributeProto
    match attribute.type:
        case kinds.INT:
            return int(attribute.i)
        case kinds.FLOAT:
            return float(attribute.f)
        case kinds.STRING:
            return bytes(attribute.s).decode("utf-8", "replace")
        case kinds.INTS:
            return tuple(int(value) for value in attribute.ints)
        case kinds.FLOATS:
            return tuple(float(value) for value in attribute.floats)
        case kinds.STRINGS:
            return tuple(bytes(value).decode("utf-8", "replace") for value in attribute.strings)
    raise ExtensionError(
        "TL1004",
        f"attribute {quoted(attribute.name)} is a tensor or a graph, which the {given.label} cannot get",
    )
