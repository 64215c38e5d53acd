"""Bounds by auto_LiRPA, timed: run by benchmarks/relaxation.py in an environment that has torch and it.

    PYTHON benchmarks/peer_bounds.py MODEL < boxes.json > seconds.json

Reads `{"lo": [...], "hi": [...], "repeats": n}`. Prints the least processor time of CROWN in binary32 and
binary64 and of 20 steps of optimised slopes, and its bounds in binary64. It has one thread.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import torch
from auto_LiRPA import BoundedModule, BoundedTensor, PerturbationLpNorm
from onnx import numpy_helper
from torch import nn


def network(path: str) -> nn.Sequential:
    """A chain of dense layers and ReLUs with the file's weights."""
    graph = onnx.load(path).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers: list[nn.Module] = [nn.Flatten()]
    matrix = None

    def dense(weight: np.ndarray, bias: np.ndarray) -> None:
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias.reshape(-1))
        layers.append(layer)

    for node in graph.node:
        values = [stored[name] for name in node.input if name in stored]
        if node.op_type == "Gemm":
            transposed = any(one.name == "transB" and one.i for one in node.attribute)
            dense(values[0] if transposed else values[0].T, values[1])
        elif node.op_type == "MatMul":
            matrix = values[0].T
        elif node.op_type == "Add" and matrix is not None:
            dense(matrix, values[0])
            matrix = None
        elif node.op_type == "Sub" and not values[0].any():
            continue
        elif node.op_type == "Relu":
            layers.append(nn.ReLU())
        elif node.op_type not in ("Flatten", "Reshape", "Constant"):
            raise SystemExit(f"{node.op_type} is not part of a dense chain")
    return nn.Sequential(*layers)


def fastest(action: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    times, result = [], None
    for _ in range(repeats):
        begun = time.process_time()
        result = action()
        times.append(time.process_time() - begun)
    return result, min(times)


def main() -> None:
    torch.set_num_threads(1)
    asked = json.load(sys.stdin)
    found: dict[str, Any] = {}
    for name, dtype in (("binary32", torch.float32), ("binary64", torch.float64)):
        model = network(sys.argv[1]).to(dtype)
        low, high = (torch.tensor(asked[side], dtype=dtype)[None] for side in ("lo", "hi"))
        bounded = BoundedModule(model, torch.zeros_like(low), verbose=False)
        box = BoundedTensor((low + high) / 2, PerturbationLpNorm(norm=np.inf, x_L=low, x_U=high))

        def crown(bounded: Any = bounded, box: Any = box) -> Any:
            with torch.no_grad():
                return bounded.compute_bounds(x=(box,), method="CROWN")

        (least, most), found[f"CROWN {name}"] = fastest(crown, asked["repeats"])
        found[f"bounds {name}"] = least[0].tolist(), most[0].tolist()
        if dtype is torch.float64:
            bounded.set_bound_opts({"optimize_bound_args": {"iteration": 20}})
            _, found["slopes"] = fastest(
                lambda bounded=bounded, box=box: bounded.compute_bounds(x=(box,), method="CROWN-Optimized"), 1
            )
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
