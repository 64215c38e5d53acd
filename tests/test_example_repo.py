"""The example repository holds what its README and its torchlean.yaml say."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import yaml
from numpy.typing import NDArray
from onnx import numpy_helper

EXAMPLE = Path(__file__).resolve().parent.parent / "example_repo"

OPERATORS = {
    "models/linear.onnx": ["Flatten", "Gemm"],
    "models/mlp.onnx": ["Flatten", "Gemm", "Relu", "Gemm", "Relu", "Gemm"],
    "models/cnn.onnx": ["Conv", "Relu", "AveragePool", "Conv", "Relu", "Flatten", "Gemm"],
    "regressed/models/mlp.onnx": ["Flatten", "Gemm", "Relu", "Gemm", "Relu", "Gemm"],
}
CORRECT = {
    "models/linear.onnx": 344,
    "models/mlp.onnx": 348,
    "models/cnn.onnx": 344,
    "regressed/models/mlp.onnx": 348,
}


def load_data() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    with np.load(EXAMPLE / "data/digits-test.npz", allow_pickle=False) as data:
        return data["inputs"], data["labels"]


def predictions(path: Path) -> NDArray[np.int64]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images, _ = load_data()
    rows = [session.run(None, {"image": images[k : k + 1]})[0] for k in range(len(images))]
    return np.concatenate(rows).argmax(axis=1)


def worst_logit_interval(path: Path) -> tuple[float, float]:
    """Smallest and largest logit by interval bounds over [0, 1]^64, written out node by node."""
    model = onnx.load(path)
    tensors = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in model.graph.initializer}
    centre, radius = np.full((1, 8, 8), 0.5), np.full((1, 8, 8), 0.5)
    for node in model.graph.node:
        if node.op_type == "Flatten":
            centre, radius = centre.ravel(), radius.ravel()
        elif node.op_type == "Relu":
            low, high = np.maximum(centre - radius, 0), np.maximum(centre + radius, 0)
            centre, radius = (low + high) / 2, (high - low) / 2
        elif node.op_type == "Gemm":
            weights, bias = tensors[node.input[1]], tensors[node.input[2]]
            centre, radius = weights @ centre + bias, np.abs(weights) @ radius
        elif node.op_type == "AveragePool":
            channels, side, _ = centre.shape
            blocks = (channels, side // 2, 2, side // 2, 2)
            centre, radius = (v.reshape(blocks).mean(axis=(2, 4)) for v in (centre, radius))
        else:
            assert node.op_type == "Conv"
            weights, bias = tensors[node.input[1]], tensors[node.input[2]]
            centre = convolve(centre, weights) + bias[:, None, None]
            radius = convolve(radius, np.abs(weights))
    return float((centre - radius).min()), float((centre + radius).max())


def convolve(image: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """3x3, stride 1, padding 1."""
    side = image.shape[1]
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    result = np.zeros((weights.shape[0], side, side))
    for row, column in itertools.product(range(3), range(3)):
        window = padded[:, row : row + side, column : column + side]
        result += np.tensordot(weights[:, :, row, column], window, axes=1)
    return result


@pytest.mark.parametrize("name", OPERATORS)
def test_model_structure(name: str) -> None:
    model = onnx.load(EXAMPLE / name)
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == OPERATORS[name]
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    assert [value.name for value in model.graph.input] == ["image"]
    assert [value.name for value in model.graph.output] == ["logits"]


@pytest.mark.parametrize("name", OPERATORS)
def test_weights_span_few_powers_of_two(name: str) -> None:
    for tensor in onnx.load(EXAMPLE / name).graph.initializer:
        values = numpy_helper.to_array(tensor)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        assert np.abs(values[values != 0]).min() >= 2.0**-12
        assert np.abs(values).max() < 2.0**3


@pytest.mark.parametrize("name", OPERATORS)
def test_accuracy_is_the_stated_one(name: str) -> None:
    _, labels = load_data()
    assert int((predictions(EXAMPLE / name) == labels).sum()) == CORRECT[name]


def test_data_form() -> None:
    images, labels = load_data()
    assert images.shape == (360, 1, 8, 8)
    assert images.dtype == np.float32
    assert labels.shape == (360,)
    assert labels.dtype == np.int64
    sixteenths = images * 16
    assert np.array_equal(sixteenths, np.round(sixteenths))
    assert images.min() == 0
    assert images.max() == 1
    assert set(labels.tolist()) == set(range(10))


def test_data_are_scikit_learn_digits() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    known = {
        (tuple(row), int(label)) for row, label in zip(digits.data.astype(int), digits.target, strict=True)
    }
    images, labels = load_data()
    seen = {
        (tuple((image.ravel() * 16).astype(int)), int(label))
        for image, label in zip(images, labels, strict=True)
    }
    assert len(seen) == 360
    assert seen <= known


def test_every_model_has_a_runtime_check_and_a_provable_property() -> None:
    spec = yaml.safe_load((EXAMPLE / "torchlean.yaml").read_text())
    for model in spec["models"]:
        checks = {entry["check"] for entry in spec["properties"] if entry["model"] == model}
        assert checks == {"runtime", "range", "robustness"}


def test_claimed_output_bounds_hold_by_a_hand_written_interval_pass() -> None:
    spec = yaml.safe_load((EXAMPLE / "torchlean.yaml").read_text())
    ranges = [entry for entry in spec["properties"] if entry["check"] == "range"]
    assert len(ranges) == 3
    for entry in ranges:
        low, high = worst_logit_interval(EXAMPLE / spec["models"][entry["model"]]["path"])
        assert entry["output"]["lower"] <= low < high <= entry["output"]["upper"]


def test_specs_name_files_that_exist() -> None:
    for file in (EXAMPLE / "torchlean.yaml", EXAMPLE / "regressed/torchlean.yaml"):
        spec = yaml.safe_load(file.read_text())
        paths = [model["path"] for model in spec["models"].values()]
        paths += [entry["data"] for entry in spec["properties"] if "data" in entry]
        assert all((file.parent / path).is_file() for path in paths)


def test_regressed_model_is_as_accurate_and_the_gate_is_the_same() -> None:
    good = yaml.safe_load((EXAMPLE / "torchlean.yaml").read_text())
    bad = yaml.safe_load((EXAMPLE / "regressed/torchlean.yaml").read_text())

    def gate(spec: dict[str, list[dict[str, object]]]) -> dict[str, object]:
        (found,) = [e for e in spec["properties"] if e["model"] == "mlp" and e["check"] == "robustness"]
        return {key: value for key, value in found.items() if key != "data"}

    assert gate(good) == gate(bad)
    assert CORRECT["models/mlp.onnx"] == CORRECT["regressed/models/mlp.onnx"]


def test_regressed_model_breaks_on_a_gradient_step_and_the_good_one_does_not() -> None:
    """One signed gradient step of 1/20, kept in [0, 1], per wrong class."""
    lost = {name: broken_by_one_step(EXAMPLE / name) for name in CORRECT if "mlp" in name}
    assert lost["models/mlp.onnx"] <= 20
    assert lost["regressed/models/mlp.onnx"] > 36


def broken_by_one_step(path: Path) -> int:
    tensors = [numpy_helper.to_array(t).astype(np.float64) for t in onnx.load(path).graph.initializer]
    layers = list(zip(tensors[::2], tensors[1::2], strict=True))
    images, labels = load_data()
    start = images.reshape(len(images), 64).astype(np.float64)

    def logits(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[NDArray[np.bool_]]]:
        active = []
        for weights, bias in layers[:-1]:
            points = points @ weights.T + bias
            active.append(points > 0)
            points = np.maximum(points, 0)
        return points @ layers[-1][0].T + layers[-1][1], active

    scores, active = logits(start)
    right = scores.argmax(axis=1) == labels
    broken = np.zeros(len(labels), dtype=bool)
    for wrong in range(10):
        slope = layers[-1][0][wrong] - layers[-1][0][labels]
        for (weights, _), mask in zip(reversed(layers[:-1]), reversed(active), strict=True):
            slope = (slope * mask) @ weights
        moved = np.clip(start + np.sign(slope) / 20, 0, 1)
        broken |= logits(moved)[0].argmax(axis=1) != labels
    return int((broken & right).sum())
