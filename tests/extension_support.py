"""Installs extensions for tests: a module and the metadata of its distribution in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from pytest_torchlean.checker import BuiltLibrary

EXAMPLE = Path(__file__).parent / "extension_example" / "acme_torchlean" / "__init__.py"


def install(
    folder: Path, text: str | None = None, *, module: str = "acme_torchlean", name: str = "acme-torchlean"
) -> Path:
    """Write a distribution with one module and its entry point; the folder belongs on `sys.path`.

    text: the module's source; the worked example where it is None.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(EXAMPLE.read_text() if text is None else text)
    metadata = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(f"[torchlean.extensions]\nacme = {module}\n")
    return folder


def changed(old: str, new: str) -> str:
    """The worked example with one piece of its source replaced."""
    text = EXAMPLE.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example"
    return text.replace(old, new)


def write_fused_model(path: Path, outputs: int = 3) -> Path:
    """relu(x W + b) with inputs [1, 2] and three outputs, as one node of onnxruntime's own domain."""
    weights = np.array([[1.0, -0.5, 0.25], [0.25, 0.75, -1.0]], dtype=np.float32)
    bias = np.array([0.125, -0.25, 0.5], dtype=np.float32)
    node = helper.make_node(
        "FusedGemm", ["x", "w", "b"], ["y"], name="fused", domain="com.microsoft", activation="Relu"
    )
    graph = helper.make_graph(
        [node],
        "fused",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, outputs])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    return path


def share_library(monkeypatch: pytest.MonkeyPatch, library: BuiltLibrary) -> None:
    """Let pytest inside pytest, which has a home folder of its own, find the library built here."""
    monkeypatch.setenv("TORCHLEAN_CACHE", str(library.olean_directory.parents[3]))


SPEC = """\
version: 1
models: {fused: {path: models/fused.onnx}}
properties:
  - {name: sum-holds, model: fused, check: acme-sum, input: {lower: 0, upper: 1}, at_most: 5}
  - {name: sum-breaks, model: fused, check: acme-sum, input: {lower: 0, upper: 1}, at_most: 1/2}
  - {name: bounded, model: fused, check: range, input: {lower: 0, upper: 1}, output: {lower: 0, upper: 2}}
  - {name: agrees, model: fused, check: runtime, samples: 8}
"""


def write_fused_project(folder: Path) -> Path:
    """The model and a spec that uses the worked extension."""
    write_fused_model(folder / "models" / "fused.onnx")
    spec = folder / "torchlean.yaml"
    spec.write_text(SPEC)
    return spec
