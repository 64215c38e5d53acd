"""Train a small network to solve the heat equation, in numpy alone, and write it as ONNX.

    python training/heat.py

u_t = nu u_xx for t and x in [0, 1], with u = sin(pi x) at t = 0 and u = 0 at both ends. The loss is the
equation's own residual at collocation points besides the values on the three sides, as physics-informed
networks have it; no solution is shown to the network. Levenberg-Marquardt, seeded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WIDTH = 8
DIFFUSION = 0.1
POINTS = 14
STEPS = 200
DECAY = 2e-5
"""What keeps weights small: bounds of the derivatives grow with them."""
SHAPES = ((WIDTH, 2), (WIDTH,), (1, WIDTH), (1,))

Float = NDArray[np.float64]


def parts(flat: Float) -> list[Float]:
    """The weights of one flat vector."""
    sizes = [int(np.prod(shape)) for shape in SHAPES]
    pieces = np.split(flat, np.cumsum(sizes)[:-1])
    return [piece.reshape(shape) for piece, shape in zip(pieces, SHAPES, strict=True)]


def jet(flat: Float, points: Float) -> tuple[Float, Float, Float]:
    """u, u_t and u_xx at points (points, 2) of time and place."""
    w1, b1, w2, b2 = parts(flat)
    value = np.tanh(points @ w1.T + b1)
    slope = 1 - value**2
    in_time, twice = slope * w1[:, 0], -2 * value * slope * w1[:, 1] ** 2
    return (value @ w2.T + b2)[:, 0], (in_time @ w2.T)[:, 0], (twice @ w2.T)[:, 0]


def places() -> tuple[Float, Float, Float]:
    """Collocation points inside, and points on three sides with the values there."""
    ends = (1 - np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)) / 2
    inside = np.stack(np.meshgrid(ends, ends), axis=-1).reshape(-1, 2)
    zero = np.zeros(POINTS)
    sides = np.concatenate(
        [np.stack(side, axis=1) for side in ((zero, ends), (ends, zero), (ends, zero + 1))]
    )
    return inside, sides, np.concatenate([np.sin(np.pi * ends), zero, zero])


def losses(flat: Float, inside: Float, sides: Float, wanted: Float) -> Float:
    """Residuals of the equation and of the values on the sides, and the weights themselves."""
    _, u_t, u_xx = jet(flat, inside)
    equation = (u_t - DIFFUSION * u_xx) / np.sqrt(len(inside))
    off = 3 * (jet(flat, sides)[0] - wanted) / np.sqrt(len(sides))
    return np.concatenate([equation, off, np.sqrt(DECAY) * flat])


def train() -> Float:
    """The weights, flat."""
    random = np.random.default_rng(3)
    flat = random.normal(size=sum(int(np.prod(shape)) for shape in SHAPES))
    given = places()
    now, damping = losses(flat, *given), 1e-2
    for _ in range(STEPS):
        moved = np.eye(flat.size) * 1e-6
        matrix = np.stack([(losses(flat + step, *given) - now) / 1e-6 for step in moved], axis=1)
        normal, right = matrix.T @ matrix, matrix.T @ now
        for _ in range(8):
            found = flat - np.linalg.solve(normal + damping * np.eye(flat.size), right)
            loss = losses(found, *given)
            if loss @ loss < now @ now:
                flat, now, damping = found, loss, damping / 3
                break
            damping *= 4
        else:
            break
    return flat


def save(flat: Float, path: Path) -> None:
    """Write the network as ONNX."""
    tensors = dict(
        zip(("w1", "b1", "w2", "b2"), (one.astype(np.float32) for one in parts(flat)), strict=True)
    )
    nodes = [
        helper.make_node("Gemm", ["tx", "w1", "b1"], ["z"], transB=1),
        helper.make_node("Tanh", ["z"], ["a"]),
        helper.make_node("Gemm", ["a", "w2", "b2"], ["u"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "heat equation",
        [helper.make_tensor_value_info("tx", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("u", TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main() -> None:
    """Train, write models/heat.onnx and print how well it does."""
    flat = train()
    side = np.linspace(0, 1, 101)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    u, u_t, u_xx = jet(flat.astype(np.float32).astype(np.float64), points)
    solution = np.exp(-DIFFUSION * np.pi**2 * points[:, 0]) * np.sin(np.pi * points[:, 1])
    print(f"largest residual {np.abs(u_t - DIFFUSION * u_xx).max():.2e}")
    print(f"largest error    {np.abs(u - solution).max():.2e}")
    save(flat, Path(__file__).resolve().parent.parent / "models" / "heat.onnx")


if __name__ == "__main__":
    main()
