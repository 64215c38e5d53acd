"""What the nodes mean that onnxruntime's optimiser introduces, as models of ONNX's own operators.

A blocked kernel (domain com.microsoft.nchwc) reads and writes tensors whose channels lie in blocks, and
holds its filters so: the filter's element (o, i, y, x) lies at [o / B][i / B][y][x][i % B][o % B], or at
[o / B][i][y][x][o % B] where the input is not blocked or every channel stands alone. Its model gets
reordering nodes around it, so that what goes in and comes out lies as ONNX has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import ValueType
from pytest_torchlean.onnx_import.single import SingleNode

Array = NDArray[np.generic]
Move = Callable[[Array], Array]

MICROSOFT = "com.microsoft."
BLOCKED = "com.microsoft.nchwc."
_NEWEST_MEANING = 20
"""Operator set in which every meaning below can be said."""


@dataclass
class _Meaning:
    """Nodes in ONNX's operators, constants of their own, and how stored tensors become plain and back."""

    nodes: list[Any] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)
    plain: dict[str, tuple[Move, Move]] = field(default_factory=dict)
    opset: int | None = None
    finished_sums: bool = True
    """Whether sums are finished before anything else in the kernel starts."""


def with_meaning(single: SingleNode, types: Mapping[str, ValueType], block: int | None) -> SingleNode | str:
    """The node with its meaning where it has one of onnxruntime's own operators, or why that is not known.

    types: of the node's inputs and outputs. block: channels of a block, None where that could not be told.
    """
    node = single.model.graph.node[0]
    if single.label not in _BUILDERS:
        return "its meaning is not known" if single.label.startswith("com.") else single
    if single.label.startswith(BLOCKED) and block is None:
        return "the size of a block is not known"
    given = _Node(single, node, types, block or 1)
    built = _BUILDERS[single.label](given)
    if isinstance(built, str):
        return built
    meaning = onnx.ModelProto()
    meaning.CopyFrom(single.model)
    del meaning.graph.node[:]
    meaning.graph.node.extend(built.nodes)
    meaning.graph.initializer.extend(built.extra)
    for tensor in meaning.graph.initializer:
        if tensor.name in built.plain:
            moved = built.plain[tensor.name][0](np.asarray(onnx.numpy_helper.to_array(tensor)))
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(moved), tensor.name))
    for entry in meaning.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = max(entry.version, built.opset or entry.version)
    stored = {name: moves[1] for name, moves in built.plain.items()}
    found = replace(single, meaning=meaning, stored=stored, finished_sums=built.finished_sums)
    return _reordered(found, given) if single.label.startswith(BLOCKED) else found


@dataclass(frozen=True)
class _Node:
    """A node to be given a meaning."""

    single: SingleNode
    node: Any
    types: Mapping[str, ValueType]
    block: int

    def attributes(self) -> dict[str, Any]:
        return {item.name: onnx.helper.get_attribute_value(item) for item in self.node.attribute}

    def input(self, place: int) -> str:
        return str(self.node.input[place]) if place < len(self.node.input) else ""

    def shape(self, name: str) -> tuple[int, ...]:
        if name in self.single.tensors:
            return tuple(self.single.tensors[name].dims)
        return self.types[name].shape


def _make(op: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(op, list(inputs), [output], **attributes)


_HIDDEN = "inside "
"""Begins the names of values inside a kernel."""


def _activated(
    meaning: _Meaning, source: str, output: str, name: str, parameters: Sequence[float]
) -> str | None:
    """Add the activation; why it is not known, or None."""
    if name in ("Relu", "Tanh", "Sigmoid"):
        meaning.nodes.append(_make(name, [source], output))
    elif name == "LeakyRelu":
        meaning.nodes.append(_make(name, [source], output, alpha=parameters[0]))
    elif name == "HardSigmoid":
        meaning.nodes.append(_make(name, [source], output, alpha=parameters[0], beta=parameters[1]))
    elif name == "Clip":
        bounds = [f"{_HIDDEN}lower", f"{_HIDDEN}upper"]
        meaning.extra += [
            onnx.numpy_helper.from_array(np.asarray(value, dtype=np.float32), bound)
            for value, bound in zip(parameters, bounds, strict=False)
        ]
        meaning.nodes.append(_make("Clip", [source, *bounds], output))
        meaning.opset = 13
    else:
        return f"its activation {name} is not known"
    return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _fused_gemm(given: _Node) -> _Meaning | str:
    attributes = given.attributes()
    activation = _text(attributes.pop("activation", ""))
    parameters = [attributes.pop(f"activation_{name}", 0.0) for name in ("alpha", "beta", "gamma")]
    meaning = _Meaning()
    output = given.node.output[0]
    meaning.nodes.append(_make("Gemm", given.node.input, f"{_HIDDEN}sum", **attributes))
    problem = _activated(meaning, f"{_HIDDEN}sum", output, activation, parameters)
    return problem or meaning


def _fused_matmul(given: _Node) -> _Meaning | str:
    """Gemm where both operands are matrices; else transpositions, a product and a factor, in any order."""
    attributes = given.attributes()
    if attributes.get("transBatchA") or attributes.get("transBatchB"):
        return "it transposes the batch"
    a, b = given.input(0), given.input(1)
    shapes = given.shape(a), given.shape(b)
    alpha, turned = attributes.get("alpha", 1.0), (attributes.get("transA", 0), attributes.get("transB", 0))
    meaning, output = _Meaning(), given.node.output[0]
    if len(shapes[0]) == len(shapes[1]) == 2:
        meaning.nodes.append(_make("Gemm", [a, b], output, alpha=alpha, transA=turned[0], transB=turned[1]))
        return meaning
    names = []
    for place, (name, turn, shape) in enumerate(zip((a, b), turned, shapes, strict=True)):
        if turn and len(shape) >= 2:
            axes = list(range(len(shape)))
            axes[-2:] = axes[:-3:-1]
            meaning.nodes.append(_make("Transpose", [name], f"{_HIDDEN}{place}", perm=axes))
            name = f"{_HIDDEN}{place}"
        names.append(name)
    if alpha == 1.0:
        meaning.nodes.append(_make("MatMul", names, output))
        return meaning
    meaning.finished_sums = False
    meaning.extra.append(onnx.numpy_helper.from_array(np.asarray(alpha, dtype=np.float32), f"{_HIDDEN}alpha"))
    meaning.nodes.append(_make("MatMul", names, f"{_HIDDEN}product"))
    meaning.nodes.append(_make("Mul", [f"{_HIDDEN}product", f"{_HIDDEN}alpha"], output))
    return meaning


def _convolution(given: _Node) -> _Meaning | str:
    """Conv, a computed term added to it, an activation; each where there is one."""
    attributes = given.attributes()
    activation = _text(attributes.pop("activation", ""))
    parameters = list(attributes.pop("activation_params", ()))
    meaning, output = _Meaning(), given.node.output[0]
    term = given.input(3)
    names = [name for name in given.node.input[:3] if name]
    value = f"{_HIDDEN}sum" if term or activation else output
    attributes = {key: _text(item) if isinstance(item, bytes) else item for key, item in attributes.items()}
    meaning.nodes.append(_make("Conv", names, value, **attributes))
    if term:
        meaning.finished_sums = False
        total = f"{_HIDDEN}total" if activation else output
        meaning.nodes.append(_make("Add", [value, term], total))
        value = total
    problem = _activated(meaning, value, output, activation, parameters) if activation else None
    return problem or meaning


def _blocked_convolution(given: _Node) -> _Meaning | str:
    meaning = _convolution(given)
    if isinstance(meaning, str):
        return meaning
    name, group = given.input(1), int(given.attributes().get("group", 1))
    if name not in given.single.tensors:
        return "its filter is computed"
    shape = given.shape(name)
    if len(shape) != 4 or shape[0] % given.block:
        return "its filter has another form than expected"
    inner = input_is_blocked(given) and not (group > 1 and shape[1] == 1)
    if inner and shape[1] % given.block:
        return "its filter has another form than expected"
    meaning.plain[name] = _filter_moves(shape, given.block, inner)
    return meaning


def input_is_blocked(given: _Node) -> bool:
    """Whether a blocked convolution reads blocked channels: not where there are fewer than a block."""
    group = int(given.attributes().get("group", 1))
    return group > 1 or given.shape(given.input(0))[1] >= given.block


def _filter_moves(shape: tuple[int, ...], block: int, inner: bool) -> tuple[Move, Move]:
    """A blocked filter as (out, in, height, width), and back."""
    out, inputs, height, width = shape
    split: tuple[int, ...] = (out // block, inputs, height, width, block)
    order: tuple[int, ...] = (0, 4, 1, 2, 3)
    back: tuple[int, ...] = (0, 2, 3, 4, 1)
    apart: tuple[int, ...] = (out // block, block, inputs, height, width)
    if inner:
        split = (out // block, inputs // block, height, width, block, block)
        order, back = (0, 5, 1, 4, 2, 3), (0, 2, 4, 5, 3, 1)
        apart = (out // block, block, inputs // block, block, height, width)

    def plain(values: Array) -> Array:
        return values.reshape(split).transpose(order).reshape(shape)

    def stored(values: Array) -> Array:
        return values.reshape(apart).transpose(back).reshape(shape)

    return plain, stored


def _same(op: str, opset: int | None = None, drop: tuple[str, ...] = ()) -> Callable[[_Node], _Meaning | str]:
    """ONNX's own operator of another name or from another operator set."""

    def build(given: _Node) -> _Meaning | str:
        attributes = {
            key: _text(item) if isinstance(item, bytes) else item
            for key, item in given.attributes().items()
            if key not in drop
        }
        node = onnx.helper.make_node(op, list(given.node.input), list(given.node.output), **attributes)
        return _Meaning([node], opset=opset)

    return build


def _quick_gelu(given: _Node) -> _Meaning | str:
    """x * Sigmoid(alpha * x)."""
    alpha = given.attributes().get("alpha", 1.702)
    source, output = given.input(0), given.node.output[0]
    meaning = _Meaning(finished_sums=False)
    meaning.extra.append(onnx.numpy_helper.from_array(np.asarray(alpha, dtype=np.float32), f"{_HIDDEN}alpha"))
    meaning.nodes += [
        _make("Mul", [source, f"{_HIDDEN}alpha"], f"{_HIDDEN}scaled"),
        _make("Sigmoid", [f"{_HIDDEN}scaled"], f"{_HIDDEN}share"),
        _make("Mul", [source, f"{_HIDDEN}share"], output),
    ]
    return meaning


def _biased_gelu(given: _Node) -> _Meaning | str:
    meaning = _Meaning(finished_sums=False, opset=_NEWEST_MEANING)
    meaning.nodes += [
        _make("Add", given.node.input[:2], f"{_HIDDEN}sum"),
        _make("Gelu", [f"{_HIDDEN}sum"], given.node.output[0]),
    ]
    return meaning


def _reorder_input(given: _Node) -> _Meaning | str:
    if given.attributes().get("channels_last"):
        return "its channels come last"
    return _Meaning([_make("Identity", given.node.input[:1], given.node.output[0])])


def _reorder_output(given: _Node) -> _Meaning | str:
    """Without the channels that only fill a block."""
    if given.attributes().get("channels_last"):
        return "its channels come last"
    meaning = _Meaning(opset=13)
    names = [f"{_HIDDEN}{name}" for name in ("start", "end", "axis")]
    numbers = (0, int(given.attributes()["channels"]), 1)
    meaning.extra += [
        onnx.numpy_helper.from_array(np.array([number], dtype=np.int64), name)
        for name, number in zip(names, numbers, strict=True)
    ]
    meaning.nodes.append(_make("Slice", [given.node.input[0], *names], given.node.output[0]))
    return meaning


_BUILDERS: Mapping[str, Callable[[_Node], _Meaning | str]] = {
    f"{MICROSOFT}FusedGemm": _fused_gemm,
    f"{MICROSOFT}FusedMatMul": _fused_matmul,
    f"{MICROSOFT}FusedConv": _convolution,
    f"{MICROSOFT}Gelu": _same("Gelu", _NEWEST_MEANING),
    f"{MICROSOFT}BiasGelu": _biased_gelu,
    f"{MICROSOFT}QuickGelu": _quick_gelu,
    "LayerNormalization": _same("LayerNormalization", 17),
    f"{BLOCKED}Conv": _blocked_convolution,
    f"{BLOCKED}MaxPool": _same("MaxPool"),
    f"{BLOCKED}AveragePool": _same("AveragePool"),
    f"{BLOCKED}GlobalMaxPool": _same("GlobalMaxPool"),
    f"{BLOCKED}GlobalAveragePool": _same("GlobalAveragePool"),
    f"{BLOCKED}ReorderInput": _reorder_input,
    f"{BLOCKED}ReorderOutput": _reorder_output,
}


def _reordered(single: SingleNode, given: _Node) -> SingleNode | str:
    """The blocked node between reordering nodes, so that its model reads and gives plain tensors."""
    model = onnx.ModelProto()
    model.CopyFrom(single.model)
    graph = model.graph
    node = onnx.NodeProto()
    node.CopyFrom(graph.node[0])
    output = node.output[0]
    shapes = [given.shape(name) for name in (*single.inputs, output)]
    if len(node.output) != 1 or any(len(shape) != 4 for shape in shapes):
        return "it has another form than expected"
    before, after = [], []
    if node.op_type != "ReorderInput":
        for place, name in enumerate(node.input):
            first = node.op_type == "Conv" and place == 0
            if name in single.inputs and not (first and not input_is_blocked(given)):
                before.append(_reorder("ReorderInput", name, f"{_HIDDEN}blocked {place}"))
                node.input[place] = f"{_HIDDEN}blocked {place}"
    if node.op_type != "ReorderOutput":
        node.output[0] = f"{_HIDDEN}blocked"
        channels = given.shape(given.node.input[0])[1] if node.op_type == "ReorderInput" else shapes[-1][1]
        after.append(_reorder("ReorderOutput", f"{_HIDDEN}blocked", output, channels))
    del graph.node[:]
    graph.node.extend([*before, node, *after])
    return replace(single, model=model)


def _reorder(op: str, source: str, output: str, channels: int | None = None) -> Any:
    given: dict[str, Any] = {} if channels is None else {"channels": channels}
    return onnx.helper.make_node(op, [source], [output], domain=BLOCKED[:-1], **given)


def reordering_model(channels: int) -> bytes:
    """A model that only brings (1, channels, 1, 2) into blocks: what it gives tells the size of a block."""
    shape = [1, channels, 1, 2]
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [_reorder("ReorderInput", "x", "y")],
        "blocks",
        [info("x", onnx.TensorProto.FLOAT, shape)],
        [info("y", onnx.TensorProto.FLOAT, shape)],
    )
    opsets = [onnx.helper.make_opsetid("", 13), onnx.helper.make_opsetid(BLOCKED[:-1], 1)]
    return bytes(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
