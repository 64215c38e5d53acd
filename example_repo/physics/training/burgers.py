"""Train a small network to solve Burgers' equation, in numpy alone, and write it as ONNX.

    python training/burgers.py

The steady viscous equation u u_x = nu u_xx on [-1, 1], with the values of its shock u = -tanh(x / (2 nu)) at
both ends. The loss is the equation's own residual at collocation points, as physics-informed networks have
it; no solution is shown to the network. Levenberg-Marquardt, seeded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WIDTH = 16
VISCOSITY = 0.5
POINTS = 48
STEPS = 120
DECAY = 1e-5
"""What keeps weights small: bounds of the derivatives grow with them."""
SHAPES = ((WIDTH, 1), (WIDTH,), (WIDTH, WIDTH), (WIDTH,), (1, WIDTH), (1,))

Float = NDArray[np.float64]


def parts(flat: Float) -> list[Float]:
    """The weights of one flat vector."""
    sizes = [int(np.prod(shape)) for shape in SHAPES]
    pieces = np.split(flat, np.cumsum(sizes)[:-1])
    return [piece.reshape(shape) for piece, shape in zip(pieces, SHAPES, strict=True)]


def jet(flat: Float, x: Float) -> tuple[Float, Float, Float]:
    """u, u_x and u_xx at points (points,)."""
    w1, b1, w2, b2, w3, b3 = parts(flat)
    value, first, second = x[:, None], np.ones((len(x), 1)), np.zeros((len(x), 1))
    for weight, bias in ((w1, b1), (w2, b2)):
        value, first, second = value @ weight.T + bias, first @ weight.T, second @ weight.T
        value = np.tanh(value)
        slope = 1 - value**2
        first, second = slope * first, slope * second - 2 * value * slope * first**2
    return (value @ w3.T + b3)[:, 0], (first @ w3.T)[:, 0], (second @ w3.T)[:, 0]


def losses(flat: Float, x: Float) -> Float:
    """Residuals of the equation and of the values at both ends, and the weights themselves."""
    u, u_x, u_xx = jet(flat, x)
    ends = np.array([-1.0, 1.0])
    wanted = -np.tanh(ends / (2 * VISCOSITY))
    inside = (u * u_x - VISCOSITY * u_xx) / np.sqrt(len(x))
    return np.concatenate([inside, 3 * (jet(flat, ends)[0] - wanted), np.sqrt(DECAY) * flat])


def slopes(flat: Float, x: Float, at: Float) -> Float:
    """The Jacobian of the losses, by differences."""
    step = 1e-6
    columns = []
    for place in range(flat.size):
        moved = flat.copy()
        moved[place] += step
        columns.append((losses(moved, x) - at) / step)
    return np.stack(columns, axis=1)


def train() -> Float:
    """The weights, flat."""
    random = np.random.default_rng(0)
    sizes = [0.7 if len(shape) == 2 else 0.3 for shape in SHAPES]
    flat = np.concatenate(
        [
            random.normal(size=int(np.prod(shape))) * size / np.sqrt(shape[-1] if len(shape) == 2 else 1)
            for shape, size in zip(SHAPES, sizes, strict=True)
        ]
    )
    x = -np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    now, damping = losses(flat, x), 1e-2
    for _ in range(STEPS):
        matrix = slopes(flat, x, now)
        normal, right = matrix.T @ matrix, matrix.T @ now
        for _ in range(8):
            moved = flat - np.linalg.solve(normal + damping * np.eye(flat.size), right)
            found = losses(moved, x)
            if found @ found < now @ now:
                flat, now, damping = moved, found, damping / 3
                break
            damping *= 4
        else:
            break
    return flat


def save(flat: Float, path: Path) -> None:
    """Write the network as ONNX."""
    names = ("w1", "b1", "w2", "b2", "w3", "b3")
    tensors = {name: value.astype(np.float32) for name, value in zip(names, parts(flat), strict=True)}
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["z1"], transB=1),
        helper.make_node("Tanh", ["z1"], ["a1"]),
        helper.make_node("Gemm", ["a1", "w2", "b2"], ["z2"], transB=1),
        helper.make_node("Tanh", ["z2"], ["a2"]),
        helper.make_node("Gemm", ["a2", "w3", "b3"], ["u"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "steady Burgers equation",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor_value_info("u", TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main() -> None:
    """Train, write models/burgers.onnx and print how well it does."""
    flat = train()
    x = np.linspace(-1, 1, 2001)
    u, u_x, u_xx = jet(flat.astype(np.float32).astype(np.float64), x)
    print(f"largest residual {np.abs(u * u_x - VISCOSITY * u_xx).max():.2e}")
    print(f"largest error    {np.abs(u + np.tanh(x / (2 * VISCOSITY))).max():.2e}")
    save(flat, Path(__file__).resolve().parent.parent / "models" / "burgers.onnx")


if __name__ == "__main__":
    main()
