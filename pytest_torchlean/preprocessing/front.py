"""Preprocessing alone and ahead of a shipped model, as ONNX bytes and as lowered graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import onnx
from onnx import helper

from pytest_torchlean.errors import SpecError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.onnx_import.tensors import ELEMENT_TYPES
from pytest_torchlean.preprocessing.nodes import Builder, shapes_before
from pytest_torchlean.preprocessing.raw import RawIntegers
from pytest_torchlean.spec.preprocess import Cast, PreprocessStep, words

RAW_INPUT = "raw_input"
"""Name of the system's input, with underscores behind it where the model has a value of that name."""


@dataclass(frozen=True, eq=False)
class Front:
    """Preprocessing ahead of a model. The model's own bytes are in neither of the two ONNX models here.

    alone: from the raw input to the model's input. system: the same nodes followed by the shipped model's,
    for the comparison of the emitted data with onnxruntime; its `sha256` is the shipped file's.
    model_graph: the shipped model alone.
    """

    steps: tuple[PreprocessStep, ...]
    alone: LoadedModel
    alone_graph: Graph
    system: LoadedModel
    graph: Graph
    model_graph: Graph

    @property
    def integers(self) -> RawIntegers | None:
        """The raw input's type where it is one of integers."""
        first = self.steps[0] if self.steps else None
        return RawIntegers(first.type) if isinstance(first, Cast) else None

    @property
    def values(self) -> frozenset[str]:
        """The values of `graph` that the steps compute, the model's input among them."""
        own = {name for node in self.model_graph.nodes for name in node.outputs}
        return frozenset(name for node in self.graph.nodes for name in node.outputs if name not in own)

    @property
    def words(self) -> tuple[str, ...]:
        """Every step in words."""
        return tuple(words(step) for step in self.steps)


def compose(model: LoadedModel, graph: Graph, steps: Sequence[PreprocessStep]) -> Front:
    """The steps ahead of a model; `graph` is the model's own lowering.

    Raises SpecError TL0319 at the step that does not fit, UnsupportedError TL02xx.
    """
    first, last = steps[0], steps[-1]
    if len(graph.inputs) != 1:
        raise SpecError(
            "TL0319",
            f"preprocessing needs a model with one input, but this one has {len(graph.inputs)}",
            span=first.span,
        )
    (name,) = graph.inputs
    proto = onnx.ModelProto.FromString(model.data)
    opset = next(entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx"))
    fresh = _fresh_names(proto)
    raw = fresh(RAW_INPUT)
    shapes = shapes_before(steps, graph.types[name].shape)
    builder = Builder(opset, fresh, raw)
    for step, before, after in zip(steps, shapes, shapes[1:], strict=False):
        builder.add(step, before, after)
    wanted = graph.types[name].dtype
    if builder.dtype != wanted:
        raise SpecError(
            "TL0319",
            f"the steps give {builder.dtype}, but the model's input {quoted(name)} is {wanted}",
            span=last.span,
        )
    builder.finish(name)
    taken = helper.make_tensor_value_info(raw, onnx.TensorProto.FLOAT, shapes[0])
    alone = _alone(model, proto, builder.nodes, taken, graph, name)
    system = replace(model, data=_ahead(proto, builder.nodes, taken, name))
    together = replace(lower(system), free_batch=graph.free_batch)
    return Front(tuple(steps), alone, lower(alone), system, together, graph)


def _alone(
    model: LoadedModel,
    proto: onnx.ModelProto,
    nodes: Sequence[onnx.NodeProto],
    taken: onnx.ValueInfoProto,
    graph: Graph,
    name: str,
) -> LoadedModel:
    kind = graph.types[name]
    given = helper.make_tensor_value_info(name, ELEMENT_TYPES[kind.dtype], kind.shape)
    own = helper.make_model(
        helper.make_graph(nodes, "preprocessing", [taken], [given]),
        opset_imports=[entry for entry in proto.opset_import if entry.domain in ("", "ai.onnx")],
        ir_version=proto.ir_version,
    )
    return replace(model, data=bytes(own.SerializeToString(deterministic=True)))


def _ahead(
    proto: onnx.ModelProto, nodes: Sequence[onnx.NodeProto], taken: onnx.ValueInfoProto, name: str
) -> bytes:
    system = onnx.ModelProto()
    system.CopyFrom(proto)
    graph = system.graph
    kept = [value for value in graph.input if value.name != name]
    behind = list(graph.node)
    del graph.input[:], graph.node[:]
    graph.input.extend([taken, *kept])
    graph.node.extend([*nodes, *behind])
    return bytes(system.SerializeToString(deterministic=True))


def _fresh_names(proto: onnx.ModelProto) -> Callable[[str], str]:
    """A function that gives names which neither the model nor an earlier call uses."""
    used = set(_names(proto.graph))

    def fresh(wanted: str) -> str:
        name, count = wanted, 1
        while name in used:
            count += 1
            name = f"{wanted}_{count}"
        used.add(name)
        return name

    return fresh


def _names(graph: onnx.GraphProto) -> Iterator[str]:
    yield from (value.name for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer))
    yield from (sparse.values.name for sparse in graph.sparse_initializer)
    for node in graph.node:
        yield from (node.name, *node.input, *node.output)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
                    yield from _names(inner)
