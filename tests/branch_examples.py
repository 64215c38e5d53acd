"""Networks in which a value is read by several nodes: rows on their way back fork and join."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from certificate_examples import Network, weights
from onnx import NodeProto, helper
from onnx_models import model

Values = dict[str, np.ndarray]


def _gemm(
    name: str, source: str, rng: np.random.Generator, values: Values, inputs: int, outputs: int
) -> NodeProto:
    values[f"w{name}"], values[f"b{name}"] = weights(rng, outputs, inputs), weights(rng, outputs)
    return helper.make_node("Gemm", [source, f"w{name}", f"b{name}"], [name], transB=1)


def residual_mlp(seed: int, width: int = 4, blocks: int = 2) -> Network:
    """Blocks x + Gemm(Relu(Gemm(x))), each with a ReLU behind it; the first one reads the inputs."""
    rng, values = np.random.default_rng(seed), {}
    nodes, here = [], "x"
    for block in range(blocks):
        nodes += [
            _gemm(f"g{block}", here, rng, values, width, width + 1),
            helper.make_node("Relu", [f"g{block}"], [f"r{block}"]),
            _gemm(f"h{block}", f"r{block}", rng, values, width + 1, width),
            helper.make_node("Add", [here, f"h{block}"], [f"s{block}"]),
            helper.make_node("Relu", [f"s{block}"], [f"t{block}"]),
        ]
        here = f"t{block}"
    nodes.append(_gemm("z", here, rng, values, width, 2))
    return Network(model(nodes, {"x": [1, width]}, ["z"], values), width, 2)


def residual_conv(seed: int, side: int = 4, channels: int = 2) -> Network:
    """Conv and ReLU, then a block x + Conv(Relu(Conv(x))) with a ReLU behind it, then Gemm."""
    rng, values = np.random.default_rng(seed), {}

    def conv(name: str, source: str, inputs: int) -> NodeProto:
        values[f"w{name}"], values[f"b{name}"] = weights(rng, channels, inputs, 3, 3), weights(rng, channels)
        return helper.make_node("Conv", [source, f"w{name}", f"b{name}"], [name], pads=[1] * 4)

    nodes = [
        conv("c", "x", 1),
        helper.make_node("Relu", ["c"], ["r"]),
        conv("d", "r", channels),
        helper.make_node("Relu", ["d"], ["e"]),
        conv("f", "e", channels),
        helper.make_node("Add", ["f", "r"], ["s"]),
        helper.make_node("Relu", ["s"], ["t"]),
        helper.make_node("Flatten", ["t"], ["u"]),
        _gemm("z", "u", rng, values, channels * side * side, 2),
    ]
    return Network(model(nodes, {"x": [1, 1, side, side]}, ["z"], values), side * side, 2)


def dense_blocks(seed: int) -> Network:
    """Every layer reads the inputs and all layers before it, joined end to end."""
    rng, values, nodes = np.random.default_rng(seed), {}, []
    names, width = ["x"], 3
    for layer in range(3):
        nodes.append(helper.make_node("Concat", names, [f"k{layer}"], axis=1) if layer else None)
        nodes.append(_gemm(f"g{layer}", f"k{layer}" if layer else "x", rng, values, width, 2))
        nodes.append(helper.make_node("Relu", [f"g{layer}"], [f"r{layer}"]))
        names, width = [*names, f"r{layer}"], width + 2
    nodes.append(helper.make_node("Concat", names, ["k"], axis=1))
    nodes.append(_gemm("z", "k", rng, values, width, 2))
    return Network(model([node for node in nodes if node], {"x": [1, 3]}, ["z"], values), 3, 2)


def halves(seed: int) -> Network:
    """The two halves of a layer go different ways and are added; another sum reads one of them again."""
    rng, values = np.random.default_rng(seed), {}
    values["sizes"] = np.array([2, 3], dtype=np.int64)
    nodes = [
        _gemm("g", "x", rng, values, 3, 5),
        helper.make_node("Relu", ["g"], ["r"]),
        helper.make_node("Split", ["r", "sizes"], ["a", "b"], axis=1),
        _gemm("c", "b", rng, values, 3, 2),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Add", ["a", "d"], ["s"]),
        _gemm("h", "s", rng, values, 2, 2),
        helper.make_node("Relu", ["h"], ["i"]),
        helper.make_node("Sub", ["i", "a"], ["j"]),
        _gemm("z", "j", rng, values, 2, 2),
    ]
    return Network(model(nodes, {"x": [1, 3]}, ["z"], values), 3, 2)


def late_readers(seed: int) -> Network:
    """Two layers are written before the first of their ReLUs, and one of these reads half a layer."""
    rng, values = np.random.default_rng(seed), {}
    values["sizes"] = np.array([2, 3], dtype=np.int64)
    nodes = [
        _gemm("g", "x", rng, values, 3, 5),
        helper.make_node("Relu", ["g"], ["r"]),
        _gemm("a", "r", rng, values, 5, 5),
        _gemm("b", "r", rng, values, 5, 3),
        helper.make_node("Split", ["a", "sizes"], ["c", "d"], axis=1),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("Relu", ["b"], ["f"]),
        helper.make_node("Sub", ["e", "f"], ["s"]),
        helper.make_node("Concat", ["s", "c"], ["k"], axis=1),
        _gemm("z", "k", rng, values, 5, 2),
    ]
    return Network(model(nodes, {"x": [1, 3]}, ["z"], values), 3, 2)


NETWORKS: dict[str, Callable[[int], Network]] = {
    "residual MLP": residual_mlp,
    "residual convolution": residual_conv,
    "dense blocks": dense_blocks,
    "halves": halves,
    "late readers": late_readers,
}

ALL = tuple(itertools.product(sorted(NETWORKS), range(2)))
"""Every network with a few seeds."""
