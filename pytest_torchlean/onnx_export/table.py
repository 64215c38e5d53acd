"""Which operations are written, since which opset, and how: the lowering of `onnx_import` read backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Graph, Node
from pytest_torchlean.ops.rule import integer, integers, real

Constant = Callable[[NDArray[np.generic]], str]
"""Adds a constant tensor and gives its name."""


@dataclass(frozen=True)
class Written:
    """An ONNX node without its outputs."""

    op: str
    inputs: Sequence[str]
    attributes: Mapping[str, Any]


Write = Callable[[Node, Graph, Constant], Written]


@dataclass(frozen=True)
class Row:
    """One operation: the first opset whose meaning is the one written here, and the writing."""

    since: int | Callable[[Node], int]
    write: Write

    def first_opset(self, node: Node) -> int:
        """The opset that this node needs."""
        return self.since if isinstance(self.since, int) else self.since(node)


def _same(node: Node, graph: Graph, constant: Constant) -> Written:
    """The same operator with the same attributes."""
    return Written(node.op, node.inputs, dict(node.attributes))


def _renamed(op: str, **names: str) -> Write:
    """Attributes under the names that ONNX gives them."""

    def write(node: Node, graph: Graph, constant: Constant) -> Written:
        return Written(op, node.inputs, {names.get(key, key): value for key, value in node.attributes})

    return write


def _gelu(node: Node, graph: Graph, constant: Constant) -> Written:
    return Written("Gelu", node.inputs, {"approximate": "tanh" if node.op == "GeluTanh" else "none"})


def _reshape(node: Node, graph: Graph, constant: Constant) -> Written:
    """A free batch dimension stays free where the shape keeps it in front: 0 copies its extent."""
    shape = list(integers(node, "shape"))
    before = graph.types[node.inputs[0]].shape
    if graph.free_batch and shape[:1] == [1] and before[:1] == (1,):
        shape[0] = 0
    return Written("Reshape", [node.inputs[0], constant(np.array(shape, dtype=np.int64))], {})


def _slice(node: Node, graph: Graph, constant: Constant) -> Written:
    starts, sizes, steps = (integers(node, name) for name in ("starts", "sizes", "steps"))
    extents = graph.types[node.inputs[0]].shape
    chosen = [
        axis
        for axis, (start, size, step, extent) in enumerate(zip(starts, sizes, steps, extents, strict=True))
        if (start, size, step) != (0, extent, 1)
    ]
    columns = (
        [starts[axis] for axis in chosen],
        [starts[axis] + sizes[axis] * steps[axis] for axis in chosen],
        chosen,
        [steps[axis] for axis in chosen],
    )
    return Written(
        "Slice", [node.inputs[0], *(constant(np.array(part, dtype=np.int64)) for part in columns)], {}
    )


def _average_pool(node: Node, graph: Graph, constant: Constant) -> Written:
    """Without dilations, which the operator has only from 19 on."""
    attributes = dict(node.attributes)
    dilations = attributes.pop("dilations")
    if isinstance(dilations, tuple) and max(dilations, default=1) > 1:
        attributes["dilations"] = dilations
    return Written("AveragePool", node.inputs, attributes)


def _conv_transpose(node: Node, graph: Graph, constant: Constant) -> Written:
    """The outputs' extents as output_padding."""
    extents, kernel = graph.types[node.inputs[0]].shape[2:], graph.types[node.inputs[1]].shape[2:]
    strides, pads = integers(node, "strides"), integers(node, "pads")
    dilations, outputs = integers(node, "dilations"), integers(node, "outputs")
    rank = len(extents)
    extra = [
        outputs[axis]
        + pads[axis]
        + pads[axis + rank]
        - strides[axis] * (extents[axis] - 1)
        - (kernel[axis] - 1) * dilations[axis]
        - 1
        for axis in range(rank)
    ]
    attributes = {
        "strides": strides,
        "pads": pads,
        "dilations": dilations,
        "output_padding": extra,
        "group": integer(node, "group"),
    }
    return Written("ConvTranspose", node.inputs, attributes)


def _reduce(node: Node, graph: Graph, constant: Constant) -> Written:
    axes = constant(np.array(integers(node, "axes"), dtype=np.int64))
    return Written(node.op, [node.inputs[0], axes], {"keepdims": integer(node, "keepdims")})


def _layer_normalization(node: Node, graph: Graph, constant: Constant) -> Written:
    attributes = {"axis": integer(node, "axis"), "epsilon": float(real(node, "epsilon"))}
    return Written(node.op, node.inputs, attributes)


def _pad(node: Node, graph: Graph, constant: Constant) -> Written:
    pads = constant(np.array(integers(node, "pads"), dtype=np.int64))
    return Written("Pad", [node.inputs[0], pads, *node.inputs[1:]], {"mode": node.attribute("mode")})


def _gather(node: Node, graph: Graph, constant: Constant) -> Written:
    places = np.array(integers(node, "indices"), dtype=np.int64).reshape(integers(node, "shape"))
    return Written("Gather", [node.inputs[0], constant(places)], {"axis": integer(node, "axis")})


def _groups(node: Node, graph: Graph, constant: Constant) -> Written:
    """One group for each channel, or groups with weights for each channel."""
    groups, epsilon = integer(node, "groups"), float(real(node, "epsilon"))
    if not groups:
        return Written("InstanceNormalization", node.inputs, {"epsilon": epsilon})
    return Written("GroupNormalization", node.inputs, {"epsilon": epsilon, "num_groups": groups})


OLDEST_OPSET = 13
_PLAIN = (
    "Abs", "Add", "BatchNormalization", "Concat", "Conv", "Cos", "Div", "Elu", "Erf", "Exp", "Clip",
    "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid", "Identity", "LeakyRelu", "Log", "LogSoftmax",
    "MatMul", "Max", "MaxPool", "Min", "Mul", "Neg", "PRelu", "Pow", "Reciprocal", "Relu", "Selu",
    "Sigmoid", "Sign", "Sin", "Softmax", "Softplus", "Softsign", "Sqrt", "Sub", "Tanh", "Transpose",
)  # fmt: skip

TABLE: Mapping[str, Row] = {
    **{op: Row(OLDEST_OPSET, _same) for op in _PLAIN},
    "AveragePool": Row(OLDEST_OPSET, _average_pool),
    "Celu": Row(OLDEST_OPSET, _same),
    "ConvTranspose": Row(OLDEST_OPSET, _conv_transpose),
    "Gelu": Row(20, _gelu),
    "GeluTanh": Row(20, _gelu),
    "Gemm": Row(OLDEST_OPSET, _renamed("Gemm", trans_a="transA", trans_b="transB")),
    "HardSwish": Row(14, _same),
    "Gather": Row(OLDEST_OPSET, _gather),
    "InstanceNormalization": Row(lambda node: 21 if integer(node, "groups") else OLDEST_OPSET, _groups),
    "Pad": Row(OLDEST_OPSET, _pad),
    "LayerNormalization": Row(17, _layer_normalization),
    "Mish": Row(18, _same),
    "ReduceMax": Row(18, _reduce),
    "ReduceMean": Row(18, _reduce),
    "ReduceMin": Row(18, _reduce),
    "ReduceSum": Row(OLDEST_OPSET, _reduce),
    "Reshape": Row(OLDEST_OPSET, _reshape),
    "Slice": Row(OLDEST_OPSET, _slice),
}
"""Operation tag to its row."""
