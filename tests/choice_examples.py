"""Networks with maxima and minima between their layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from certificate_examples import Network, weights
from onnx import NodeProto, helper
from onnx_models import model

Values = dict[str, np.ndarray]


class _Layers:
    """Gemm nodes with random weights, and whatever stands between them."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.values: Values = {}
        self.nodes: list[NodeProto] = []

    def gemm(self, name: str, source: str, inputs: int, outputs: int) -> str:
        self.values[f"w{name}"] = weights(self.rng, outputs, inputs)
        self.values[f"b{name}"] = weights(self.rng, outputs)
        return self.add("Gemm", [source, f"w{name}", f"b{name}"], name, transB=1)

    def conv(self, name: str, source: str, inputs: int, outputs: int) -> str:
        self.values[f"w{name}"] = weights(self.rng, outputs, inputs, 3, 3)
        self.values[f"b{name}"] = weights(self.rng, outputs)
        return self.add("Conv", [source, f"w{name}", f"b{name}"], name, pads=[1] * 4)

    def number(self, name: str, value: float | np.ndarray) -> str:
        self.values[name] = np.asarray(value, dtype=np.float32)
        return name

    def add(self, op: str, sources: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, sources, [name], **attributes))
        return name

    def network(self, inputs: int, outputs: int, shape: list[int] | None = None) -> Network:
        return Network(model(self.nodes, {"x": shape or [1, inputs]}, ["z"], self.values), inputs, outputs)


def maxout(seed: int) -> Network:
    """Maxima, then minima of two layers each."""
    net = _Layers(seed)
    for level, (op, inputs) in enumerate((("Max", 3), ("Min", 5))):
        source = "x" if level == 0 else "m0"
        pieces = [net.gemm(f"{part}{level}", source, inputs, 5) for part in "ab"]
        net.add(op, pieces, f"m{level}")
    net.gemm("z", "m1", 5, 2)
    return net.network(3, 2)


def clipped(seed: int) -> Network:
    """A Clip behind every layer but the last: constants on both sides."""
    net, here = _Layers(seed), "x"
    net.number("least", -0.25)
    net.number("most", 0.75)
    for level, (inputs, outputs) in enumerate(((3, 5), (5, 4))):
        made = net.gemm(f"g{level}", here, inputs, outputs)
        here = net.add("Clip", [made, "least", "most"], f"c{level}")
    net.gemm("z", here, 4, 2)
    return net.network(3, 2)


def folded(seed: int) -> Network:
    """Absolute values, then a PRelu of slopes below and above 1."""
    net = _Layers(seed)
    net.add("Abs", [net.gemm("g", "x", 3, 4)], "a")
    slopes = net.number("slopes", np.array([0.25, 1.5, 0.5, 2.0]))
    net.add("PRelu", [net.gemm("h", "a", 4, 4), slopes], "p")
    net.gemm("z", "p", 4, 2)
    return net.network(3, 2)


def pooled(seed: int, side: int = 4, channels: int = 2) -> Network:
    """Conv, Relu, MaxPool, then Gemm, Relu, Gemm."""
    net = _Layers(seed)
    net.add("Relu", [net.conv("c", "x", 1, channels)], "r")
    net.add("MaxPool", ["r"], "p", kernel_shape=[2, 2], strides=[2, 2])
    net.add("Flatten", ["p"], "f")
    net.add("Relu", [net.gemm("g", "f", channels * (side // 2) ** 2, 4)], "h")
    net.gemm("z", "h", 4, 2)
    return net.network(side * side, 2, [1, 1, side, side])


def bypassed(seed: int) -> Network:
    """A maximum of a layer and an earlier value, which a later node reads again."""
    net = _Layers(seed)
    net.add("Relu", [net.gemm("g", "x", 3, 3)], "r")
    net.add("Max", [net.gemm("h", "r", 3, 3), "r"], "m")
    net.add("Add", ["m", "r"], "s")
    net.gemm("z", "s", 3, 2)
    return net.network(3, 2)


NETWORKS: dict[str, Callable[[int], Network]] = {
    "maxout": maxout,
    "clipped": clipped,
    "folded": folded,
    "pooled": pooled,
    "bypassed": bypassed,
}
