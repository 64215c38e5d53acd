"""Train a controller for the van der Pol oscillator, in numpy alone, and write it as ONNX.

    python training/oscillator.py

The system is x' = y, y' = (1 - x^2) y - x + u: left alone it swings for ever. The network imitates the linear
quadratic regulator of the system at rest (weights 1 and 1) and is kept small along its paths, so that bounds
of the control are hardly wider than the control itself. Seeded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WIDTH = 8
REGULATOR = np.array([np.sqrt(2) - 1, 1 + np.sqrt(2 * np.sqrt(2))])
"""u = -REGULATOR @ (x, y), from the Riccati equation."""
STEPS, BATCH, PATHS = 4000, 256, 2e-3

Float = NDArray[np.float64]


def train() -> list[Float]:
    """Hidden weights and biases, then those of the output."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(WIDTH, 2)) * 0.8
    weights = [hidden, random.normal(size=WIDTH) * 0.1, random.normal(size=WIDTH) * 0.4, np.zeros(1)]
    means, squares = ([np.zeros_like(part) for part in weights] for _ in range(2))
    for step in range(1, STEPS + 1):
        states = random.uniform(-1.02, 1.02, (BATCH, 2))
        before = states @ weights[0].T + weights[1]
        active = np.maximum(before, 0)
        off = 2 * (active @ weights[2] + weights[3] + states @ REGULATOR) / BATCH
        back = np.outer(off, weights[2]) * (before > 0)
        slopes = [
            back.T @ states + PATHS * np.abs(weights[2])[:, None] * np.sign(weights[0]),
            back.sum(axis=0) + 1e-3 * weights[1],
            active.T @ off + PATHS * np.sign(weights[2]) * np.abs(weights[0]).sum(axis=1),
            np.array([off.sum()]),
        ]
        rate = 0.01 * (1 - step / STEPS) + 1e-4
        for place, slope in enumerate(slopes):
            means[place] = 0.9 * means[place] + 0.1 * slope
            squares[place] = 0.999 * squares[place] + 0.001 * slope**2
            size = np.sqrt(squares[place] / (1 - 0.999**step)) + 1e-8
            weights[place] = weights[place] - rate * means[place] / (1 - 0.9**step) / size
    weights[3] = -np.maximum(weights[1], 0) @ weights[2] * np.ones(1)
    return weights


def save(weights: list[Float], path: Path) -> None:
    """Write the controller as ONNX."""
    shapes = {"w": (WIDTH, 2), "b": (WIDTH,), "v": (1, WIDTH), "c": (1,)}
    tensors = [
        numpy_helper.from_array(part.astype(np.float32).reshape(shape), name)
        for part, (name, shape) in zip(weights, shapes.items(), strict=True)
    ]
    nodes = [
        helper.make_node("Gemm", ["state", "w", "b"], ["before"], transB=1),
        helper.make_node("Relu", ["before"], ["active"]),
        helper.make_node("Gemm", ["active", "v", "c"], ["u"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "controller of the van der Pol oscillator",
        [helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("u", TensorProto.FLOAT, [1, 1])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


if __name__ == "__main__":
    save(train(), Path(__file__).resolve().parent.parent / "models" / "oscillator.onnx")
