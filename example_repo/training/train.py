"""Train the example models on scikit-learn's digits and write them as ONNX files.

    python training/train.py              # writes models/, data/ and regressed/models/
    python training/train.py --only mlp   # one model

Everything is seeded and runs on one thread. Equal versions of numpy and of its BLAS give equal
bytes; other versions may sum in another order and so train slightly different weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from layers import (
    Affine,
    Array,
    Indices,
    Layer,
    Relu,
    average,
    convolution,
    forward,
    gemm,
    gradients,
    worst_margins,
)
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
TEST_IMAGES = 360
SEED = 0
EPSILONS = {"0": 0.0, "1/50": 1 / 50, "8/255": 8 / 255, "1/20": 1 / 20, "1/10": 1 / 10}

SMALLEST_WEIGHT = 2.0**-12
"""Weights below this become 0.

Interval training drives many weights towards zero without reaching it. A certificate holds all
weights of a layer as integers over one power of two, so a single weight near 2^-40 would make every
integer of its layer 30 bits longer. These weights change no decision on the test images.
"""


@dataclass(frozen=True)
class Recipe:
    """How one model is built and trained. `epsilon` 0 is ordinary training."""

    build: Callable[[np.random.Generator], list[Layer]]
    batch: str | int
    epsilon: float
    clean_share: float
    """Final weight of the ordinary loss; the rest is the loss over the worst case in the box."""
    epochs: int
    path: str


def linear(random: np.random.Generator) -> list[Layer]:
    """64 -> 10."""
    return [gemm(random, 64, 10)]


def perceptron(random: np.random.Generator) -> list[Layer]:
    """64 -> 48 -> 24 -> 10 with ReLU."""
    return [gemm(random, 64, 48), Relu(), gemm(random, 48, 24), Relu(), gemm(random, 24, 10)]


def convolutional(random: np.random.Generator) -> list[Layer]:
    """Conv 1->6, ReLU, AveragePool, Conv 6->8, ReLU, Gemm 128->10."""
    return [
        convolution(random, 1, 6, 8),
        Relu(),
        average(6, 8),
        convolution(random, 6, 8, 4),
        Relu(),
        gemm(random, 128, 10),
    ]


RECIPES = {
    "linear": Recipe(linear, "N", 0.05, 0.5, 100, "models/linear.onnx"),
    "mlp": Recipe(perceptron, "N", 0.07, 0.4, 200, "models/mlp.onnx"),
    "cnn": Recipe(convolutional, 1, 0.06, 0.4, 120, "models/cnn.onnx"),
    "regressed-mlp": Recipe(perceptron, "N", 0.0, 1.0, 60, "regressed/models/mlp.onnx"),
}


@dataclass(frozen=True)
class Split:
    """Images float64 (n, 64) with values k/16, labels int64 (n,)."""

    train_images: Array
    train_labels: Indices
    test_images: Array
    test_labels: Indices


def load_split() -> Split:
    """scikit-learn's 1,797 digits: 1,437 to train on, 360 to test on, stratified by label."""
    digits = load_digits()
    train_images, test_images, train_labels, test_labels = train_test_split(
        digits.data / 16.0,
        digits.target.astype(np.int64),
        test_size=TEST_IMAGES,
        stratify=digits.target,
        random_state=SEED,
    )
    return Split(train_images, train_labels, test_images, test_labels)


def box(images: Array, epsilon: float) -> tuple[Array, Array]:
    """Centre and radius of the L-infinity ball around each image, cut off at 0 and 1."""
    lower, upper = np.maximum(images - epsilon, 0.0), np.minimum(images + epsilon, 1.0)
    return (upper + lower) / 2, (upper - lower) / 2


def certified(layers: list[Layer], images: Array, labels: Indices, epsilon: float) -> int:
    """How many images keep their class in the whole box, by interval bounds in binary64 (no proof)."""
    last = layers[-1]
    assert isinstance(last, Affine)
    centre, radius = forward(layers[:-1], *box(images, epsilon))[-1]
    margins = worst_margins(last, centre, radius, labels)
    margins[np.arange(len(labels)), labels] = -np.inf
    return int((margins.max(axis=1) < 0).sum())


def output_bounds(layers: list[Layer]) -> tuple[Array, Array]:
    """Interval bounds of the logits over the whole input box [0, 1]^64, binary64."""
    half = np.full((1, 64), 0.5)
    centre, radius = forward(layers, half, half)[-1]
    return (centre - radius)[0], (centre + radius)[0]


class Adam:
    """Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, with its default constants."""

    def __init__(self, parameters: list[Array]) -> None:
        self._parameters = parameters
        self._first = [np.zeros_like(parameter) for parameter in parameters]
        self._second = [np.zeros_like(parameter) for parameter in parameters]
        self._count = 0

    def step(self, slopes: list[Array], rate: float) -> None:
        """Move every parameter, in place."""
        self._count += 1
        bias = (1 - 0.9**self._count, 1 - 0.999**self._count)
        for parameter, slope, first, second in zip(
            self._parameters, slopes, self._first, self._second, strict=True
        ):
            first += 0.1 * (slope - first)
            second += 0.001 * (slope * slope - second)
            parameter -= rate * (first / bias[0]) / (np.sqrt(second / bias[1]) + 1e-8)


def train(recipe: Recipe, split: Split) -> list[Layer]:
    """Train one model; epsilon and the robust share grow from 0 over the first 60 % of the steps."""
    random = np.random.default_rng(SEED)
    layers = recipe.build(random)
    affine = [layer for layer in layers if isinstance(layer, Affine)]
    optimiser = Adam([parameter for layer in affine for parameter in (layer.weights, layer.bias)])
    count, batch = len(split.train_labels), 100
    steps = recipe.epochs * -(-count // batch)
    step = 0
    for _ in range(recipe.epochs):
        order = random.permutation(count)
        for start in range(0, count, batch):
            chosen = order[start : start + batch]
            images, labels = split.train_images[chosen], split.train_labels[chosen]
            progress = step / steps
            ramp = min(max((progress - 0.1) / 0.5, 0.0), 1.0)
            clean = 1.0 - (1.0 - recipe.clean_share) * ramp
            slopes = gradients(layers, images, np.zeros_like(images), labels, clean)
            if recipe.epsilon > 0:
                robust = gradients(layers, *box(images, recipe.epsilon * ramp), labels, 1.0 - clean)
                slopes = [(a + c, b + d) for (a, b), (c, d) in zip(slopes, robust, strict=True)]
            rate = 0.005 * (1.0 if progress < 0.7 else 0.3 if progress < 0.9 else 0.1)
            optimiser.step([slope for pair in slopes for slope in pair], rate)
            step += 1
    for layer in affine:
        layer.weights, layer.bias = stored(layer.weights), stored(layer.bias)
    return layers


def stored(values: Array) -> Array:
    """The numbers as the file will hold them: binary32, small ones 0 (as binary64 for further use)."""
    rounded = values.astype(np.float32).astype(np.float64)
    return np.where(np.abs(rounded) < SMALLEST_WEIGHT, 0.0, rounded)


def to_onnx(recipe: Recipe, layers: list[Layer]) -> onnx.ModelProto:
    """The model with the operators a training framework would export: Gemm with transB, Conv, ..."""
    nodes: list[onnx.NodeProto] = []
    tensors: list[onnx.TensorProto] = []
    current = "image"
    is_flat = False

    def add(operator: str, output: str, extra: tuple[str, ...] = (), **attributes: Any) -> None:
        nonlocal current
        nodes.append(helper.make_node(operator, [current, *extra], [output], name=output, **attributes))
        current = output

    def tensor(name: str, values: Array) -> str:
        tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    for number, layer in enumerate(layers):
        if isinstance(layer, Relu):
            add("Relu", f"relu{number}")
        elif not isinstance(layer, Affine):
            add("AveragePool", f"pool{number}", kernel_shape=[2, 2], strides=[2, 2])
        elif layer.weights.ndim == 4:
            names = (
                tensor(f"conv{number}.weight", layer.weights),
                tensor(f"conv{number}.bias", layer.bias),
            )
            add("Conv", f"conv{number}", names, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
        else:
            if not is_flat:
                add("Flatten", "flat", axis=1)
                is_flat = True
            names = (tensor(f"fc{number}.weight", layer.weights), tensor(f"fc{number}.bias", layer.bias))
            output = "logits" if number == len(layers) - 1 else f"fc{number}"
            add("Gemm", output, names, transB=1)
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [recipe.batch, 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [recipe.batch, 10])],
        tensors,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="training/train.py",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def write_data(split: Split, path: Path) -> None:
    """The test images as float32 (360, 1, 8, 8) and their labels as int64 (360,)."""
    images: NDArray[np.float32] = split.test_images.astype(np.float32).reshape(-1, 1, 8, 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, inputs=images, labels=split.test_labels)


def main() -> None:
    """Train, write, and print what interval bounds in binary64 certify."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=sorted(RECIPES), help="train one model")
    parser.add_argument("--output", type=Path, default=ROOT, help="folder to write to")
    arguments = parser.parse_args()
    split = load_split()
    write_data(split, arguments.output / "data/digits-test.npz")
    print(f"of {TEST_IMAGES} test images, right class in the whole ball (interval bounds, binary64):")
    print(f"{'model':14}" + "".join(f"{name:>7}" for name in EPSILONS) + "   logits over [0, 1]^64")
    for name in [arguments.only] if arguments.only else RECIPES:
        recipe = RECIPES[name]
        with threadpool_limits(limits=1):
            layers = train(recipe, split)
        path = arguments.output / recipe.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_onnx(recipe, layers).SerializeToString(deterministic=True))
        counts = [certified(layers, split.test_images, split.test_labels, e) for e in EPSILONS.values()]
        lower, upper = output_bounds(layers)
        print(
            f"{name:14}" + "".join(f"{c:7d}" for c in counts) + f"   [{lower.min():.2f}, {upper.max():.2f}]"
        )


if __name__ == "__main__":
    main()
