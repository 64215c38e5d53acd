"""Faults put into the graph that the runtime runs: is each named, at the right node, and by what?

    python benchmarks/faults.py --output benchmarks/FAULTS.md

The stored model stays as it is; every session that the check opens runs a copy of it (or of one of its nodes,
or of the optimiser's graph) with one fault. "named by" is the first probe of a node alone that shows the
fault, or the samples; the last column says whether 64 samples of the whole model would have shown it
without probes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pytest_torchlean.differential import Divergence, compare, probe_model
from pytest_torchlean.differential.samples import samples
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.runtime import RuntimeSession, SessionSettings

Mutate = Callable[[onnx.GraphProto, onnx.NodeProto], None]
"""Changes a graph at one of its nodes."""
DEPTH = 4096
"""Length of the sums of the node `dense`."""


def model(depth: int = DEPTH) -> onnx.ModelProto:
    """A network of every kind of node that the faults are put into; `dense` adds `depth` products, a
    multiple of 64."""
    rng = np.random.default_rng(20)
    node = helper.make_node

    def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    tensors: dict[str, Any] = {
        "w1": normal(16, 8, 3, 3, scale=0.1), "b1": normal(16),
        "scale": normal(16), "offset": normal(16), "mean": normal(16),
        "var": np.abs(normal(16)) + np.float32(0.1),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "w2": normal(depth // 64, 16, 3, 3, scale=0.1), "low": np.float32(-1.1), "high": np.float32(2.3),
        "w3": normal(depth, 64, scale=0.02), "b3": normal(64), "gain": normal(64), "shift": normal(64),
        "begin": np.array([8]), "end": np.array([40]), "axis": np.array([1]), "half": normal(1, 32),
        "w4": normal(32, 32, scale=0.2), "shape": np.array([4, 8]), "w5": normal(8, 8), "b5": normal(8),
    }  # fmt: skip
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["c1"], name="convolution", pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c1", "scale", "offset", "mean", "var"], ["n1"], name="normalisation"),
        node("Relu", ["n1"], ["r1"], name="activation"),
        node("Pad", ["r1", "pads"], ["p1"], name="padding", mode="reflect"),
        node(
            "AveragePool",
            ["p1"],
            ["a1"],
            name="pooling",
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[0, 0, 1, 1],
        ),
        node("Conv", ["a1", "w2"], ["c2"], name="dilated", pads=[1, 1, 1, 1], dilations=[2, 2]),
        node("Clip", ["c2", "low", "high"], ["k2"], name="clip"),
        node("Flatten", ["k2"], ["f2"], name="flatten"),
        node("Gemm", ["f2", "w3", "b3"], ["d3"], name="dense"),
        node("LayerNormalization", ["d3", "gain", "shift"], ["l3"], name="layer-norm"),
        node("Gelu", ["l3"], ["g3"], name="gelu"),
        node("Slice", ["g3", "begin", "end", "axis"], ["s3"], name="slice"),
        node("Sub", ["s3", "half"], ["u3"], name="difference"),
        node("Mul", ["u3", "half"], ["m3"], name="product"),
        node("MatMul", ["m3", "w4"], ["d4"], name="square"),
        node("Reshape", ["d4", "shape"], ["h4"], name="rows"),
        node("Gemm", ["h4", "w5", "b5"], ["d5"], name="last"),
        node("Relu", ["d5"], ["r5"], name="last-activation"),
        node("Softmax", ["r5"], ["y"], name="softmax"),
    ]
    graph = helper.make_graph(
        nodes, "faults",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 18, 18])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 8])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def weight(place: int, change: Callable[[np.ndarray], np.ndarray]) -> Mutate:
    """Change the constant at a place of the node's inputs."""

    def mutate(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
        name = node.input[place] if place < len(node.input) else ""
        for tensor in graph.initializer:
            if tensor.name == name:
                array = np.ascontiguousarray(change(numpy_helper.to_array(tensor).copy()))
                tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

    return mutate


def attribute(name: str, value: Any) -> Mutate:
    """Give an attribute another value."""

    def mutate(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
        kept = [item for item in node.attribute if item.name != name]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute(name, value)])

    return mutate


def operator(name: str, drop: int = 0, **given: Any) -> Mutate:
    """Another operator on the same operands, `drop` of them left out."""

    def mutate(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
        node.op_type = name
        for _ in range(drop):
            del node.input[-1]
        for key, value in given.items():
            attribute(key, value)(graph, node)

    return mutate


def around(before: Sequence[tuple[str, Any]] = (), after: Sequence[tuple[str, Any]] = ()) -> Mutate:
    """Casts of the node's first operand, or of its result, to other types and back."""

    def mutate(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
        place = next(index for index, other in enumerate(graph.node) if other.name == node.name)
        kept = list(graph.node)
        added_before, added_after = [], []
        for number, (op, to) in enumerate(before):
            added_before.append(helper.make_node(op, [node.input[0]], [f"before {number}"], to=to))
            node.input[0] = f"before {number}"
        output = node.output[0]
        for number, (op, to) in enumerate(after):
            source = "after" if number == 0 else f"after {number - 1}"
            result = output if number == len(after) - 1 else f"after {number}"
            added_after.append(helper.make_node(op, [source], [result], to=to))
        if after:
            node.output[0] = "after"
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        del graph.node[:]
        graph.node.extend([*kept[:place], *added_before, changed, *added_after, *kept[place + 1 :]])

    return mutate


def shortened(factor: float, *, output: bool = False) -> Mutate:
    """The first operand, or the result, with a significand shortened by Veltkamp's splitting."""

    def mutate(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
        place = next(index for index, other in enumerate(graph.node) if other.name == node.name)
        kept = list(graph.node)
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        source, result = ("inner", node.output[0]) if output else (node.input[0], "short")
        steps = [
            helper.make_node("Constant", [], ["factor"], value_float=factor),
            helper.make_node("Mul", [source, "factor"], ["larger"]),
            helper.make_node("Sub", ["larger", source], ["rest"]),
            helper.make_node("Sub", ["larger", "rest"], [result]),
        ]
        if output:
            changed.output[0] = "inner"
        else:
            changed.input[0] = "short"
        new = [changed, *steps] if output else [*steps, changed]
        del graph.node[:]
        graph.node.extend([*kept[:place], *new, *kept[place + 1 :]])

    return mutate


def flushing(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    """Results below the normal range become zero."""
    place = next(index for index, other in enumerate(graph.node) if other.name == node.name)
    kept = list(graph.node)
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    changed.output[0] = "inner"
    steps = [
        helper.make_node("Constant", [], ["least"], value_float=2.0**-126),
        helper.make_node("Abs", ["inner"], ["size"]),
        helper.make_node("GreaterOrEqual", ["size", "least"], ["normal"]),
        helper.make_node("Cast", ["normal"], ["factor"], to=_FLOAT),
        helper.make_node("Mul", ["inner", "factor"], [node.output[0]]),
    ]
    del graph.node[:]
    graph.node.extend([*kept[:place], changed, *steps, *kept[place + 1 :]])


def swapped(first: int, second: int) -> Mutate:
    """Two operands exchanged."""

    def mutate(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
        node.input[first], node.input[second] = node.input[second], node.input[first]

    return mutate


def without_bias(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    """The third operand left out."""
    del node.input[2]


def ulp(array: np.ndarray) -> np.ndarray:
    """One element, in the middle, one unit in the last place further."""
    array.reshape(-1).view(np.int32)[array.size // 2] += 1
    return array


def first_ulp(array: np.ndarray) -> np.ndarray:
    """The first element one unit in the last place further."""
    array.reshape(-1).view(np.int32)[0] += 1
    return array


def bfloat16(array: np.ndarray) -> np.ndarray:
    """Every element cut to the upper half of its bits."""
    array.view(np.uint32)[...] &= np.uint32(0xFFFF0000)
    return array


def one(change: Callable[[Any], Any]) -> Callable[[np.ndarray], np.ndarray]:
    """One element, in the middle, changed."""

    def changed(array: np.ndarray) -> np.ndarray:
        flat = array.reshape(-1)
        flat[flat.size // 2] = change(flat[flat.size // 2])
        return array

    return changed


def exchanged(array: np.ndarray) -> np.ndarray:
    """The first two slices along the first axis exchanged."""
    array[[0, 1]] = array[[1, 0]]
    return array


@dataclass(frozen=True)
class Fault:
    """One fault at the node of a name, or at the optimiser's first node of an operator (`label`)."""

    text: str
    node: str
    mutate: Mutate
    label: str = ""

    def apply(self, data: bytes) -> bytes:
        """The model with the fault, where it has the node."""
        proto = onnx.load_from_string(data)
        for node in list(proto.graph.node):
            own = node.op_type if not node.domain else f"{node.domain}.{node.op_type}"
            if own == self.label if self.label else node.name == self.node:
                self.mutate(proto.graph, node)
                break
        return bytes(proto.SerializeToString())


_HALF, _FLOAT, _BRAIN = int(TensorProto.FLOAT16), int(TensorProto.FLOAT), int(TensorProto.BFLOAT16)
FUSED, BLOCKED = "com.microsoft.FusedGemm", "com.microsoft.nchwc.Conv"
NONE = Fault("none", " ", without_bias)
"""The runtime as it is: no node has this name."""
FAULTS: tuple[Fault, ...] = (
    Fault("another operator: Abs for Relu", "activation", operator("Abs")),
    Fault("another operator: LeakyRelu 0.01 for Relu", "activation", operator("LeakyRelu", alpha=0.01)),
    Fault("another operator: Mul for Sub", "difference", operator("Mul")),
    Fault("swapped operands of Sub", "difference", swapped(0, 1)),
    Fault("dilation 1 for 2, padding to match", "dilated", attribute("dilations", [1, 1])),
    Fault("padding by the edge, not by reflection", "padding", attribute("mode", "edge")),
    Fault("padding counted in the average", "pooling", attribute("count_include_pad", 1)),
    Fault("epsilon 1e-3 for 1e-5", "normalisation", attribute("epsilon", 1e-3)),
    Fault("epsilon 1e-6 for 1e-5", "layer-norm", attribute("epsilon", 1e-6)),
    Fault("Gelu by tanh", "gelu", attribute("approximate", "tanh")),
    Fault("Softmax over the other axis", "softmax", attribute("axis", 0)),
    Fault("Slice starts one later", "slice", weight(1, lambda array: array + 1)),
    Fault("Clip bound off by 1 ulp", "clip", weight(2, ulp)),
    Fault("one of 262144 weights off by 1 ulp, sums of 4096", "dense", weight(1, ulp)),
    Fault("one weight negated, sums of 4096", "dense", weight(1, one(lambda x: -x))),
    Fault("one weight zero, sums of 4096", "dense", weight(1, one(lambda x: 0 * x))),
    Fault("bf16 weights, sums of 4096", "dense", weight(1, bfloat16)),
    Fault("inputs as in TF32 (11 bits), sums of 4096", "dense", shortened(2.0**13 + 1)),
    Fault("result through float16", "dense", around(after=(("Cast", _HALF), ("Cast", _FLOAT)))),
    Fault("result of 23 bits", "dense", shortened(3.0, output=True)),
    Fault("bf16 inputs", "square", around(before=(("Cast", _BRAIN), ("Cast", _FLOAT)))),
    Fault("bias left out", "dense", without_bias),
    Fault("one bias off by 1 ulp", "dense", weight(2, ulp)),
    Fault("alpha 1.0000001 for 1", "dense", attribute("alpha", 1.0000001)),
    Fault("beta 0.9999999 for 1", "last", attribute("beta", 0.9999999)),
    Fault("weight transposed", "square", weight(1, lambda array: array.T)),
    Fault("two filters exchanged", "convolution", weight(1, exchanged)),
    Fault("one filter weight off by 1 ulp", "dilated", weight(1, ulp)),
    Fault("subnormal results flushed to zero", "product", flushing),
    Fault("fused node: one weight off by 1 ulp", "", weight(1, ulp), FUSED),
    Fault("fused node: Sigmoid for Relu", "", attribute("activation", "Sigmoid"), FUSED),
    Fault("blocked node: one bias off by 1 ulp", "", weight(2, first_ulp), BLOCKED),
    Fault("blocked node: two blocks of filters exchanged", "", weight(1, exchanged), BLOCKED),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a check says of one fault: the node it names, and by what; empty where nothing was seen."""

    node: str
    by: str
    detail: str

    @classmethod
    def of(cls, divergence: Divergence | None) -> Found:
        """What a divergence names."""
        if divergence is None:
            return cls("", "", "")
        by = divergence.probe or "samples"
        node = divergence.source if by == "samples" or "." not in divergence.label else divergence.label
        distance = "NaN" if divergence.ulps is None else f"{divergence.ulps} ulp"
        return cls(node, by, distance)


def judge(fault: Fault, proto: onnx.ModelProto, *, probes: bool = True, count: int = 64) -> Found:
    """Run the check on a runtime with the fault; with probes it is what `check: runtime` does."""
    loaded = LoadedModel(Path("faults.onnx"), proto.SerializeToString(), "")
    graph = lower(loaded)

    def opened(data: bytes, settings: SessionSettings) -> RuntimeSession:
        return RuntimeSession(fault.apply(data), settings=settings)

    try:
        if probes:
            _, found = probe_model(loaded, graph, open_session=opened)
            if found is not None:
                return Found.of(found)
        result = compare(loaded, graph, list(samples(graph, count, 0)), open_session=opened)
    except TorchleanError as refused:
        return Found("", f"refused: {refused.code}", "")
    return Found.of(result.divergence)


def right(fault: Fault, found: Found) -> bool:
    """Whether the check names the node that the fault is in."""
    return found.node == (fault.label or fault.node)


def main() -> None:
    """Judge every fault and write the table; the exit code is 1 where one is not named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    proto = model()
    rows, named, sampled = [], 0, 0
    clean = judge(NONE, proto)
    for fault in FAULTS:
        found, alone = judge(fault, proto), judge(fault, proto, probes=False)
        named += right(fault, found)
        sampled += right(fault, alone)
        seen = "yes" if right(fault, alone) else (f"at {alone.node}" if alone.node else "no")
        answer = found.node if right(fault, found) else f"WRONG: {found.node or 'nothing'}"
        rows.append(f"| {fault.text} | {answer} | {found.by} | {found.detail} | {seen} |")
        print(rows[-1], flush=True)
    text = "\n".join(
        [
            "# Injected faults\n",
            "Written by `python benchmarks/faults.py --output benchmarks/FAULTS.md`.\n",
            __doc__.split("\n\n", 2)[2].strip() + "\n",
            f"{named} of {len(FAULTS)} faults are named at the right node; {sampled} by the samples alone. "
            f"Without a fault the check names {clean.node or 'nothing'}.\n",
            "| fault | node named | named by | distance | samples alone |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    print(f"{named} of {len(FAULTS)} named, {sampled} by samples alone; clean: {clean}")
    raise SystemExit(named != len(FAULTS) or bool(clean.node))


if __name__ == "__main__":
    main()
