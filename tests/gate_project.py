"""A small repository with a model and a spec, for tests of the gate, the plugin and the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # noqa: F401  (imported here so that runs inside this process find it loaded)
from onnx import TensorProto, helper, numpy_helper

import pytest_torchlean.commands.check
import pytest_torchlean.differential
import pytest_torchlean.plugin_items
import pytest_torchlean.properties.runtime
import pytest_torchlean.report.junit  # noqa: F401

FAKE_KINDS = '''
"""Lets a property's name choose its verdict: agreed-*, refuted-*, unknown-*, crash-*, die-*."""
import os
import re
import pytest_torchlean.properties as properties
from pytest_torchlean.verdict import Evidence, Verdict, Witness

WITNESS = Witness(
    shape=(1, 2), input=("0x1p+0", "0x0p+0"), runtime_output=("0x1p+0",) * 2,
    evaluator_output=("0x1p+0",) * 2, violation="output 0 is above 40",
)

def run_property(context, prop):
    word = re.search("agreed|refuted|unknown|crash|die", prop.name)[0]
    if word == "crash":
        raise RuntimeError("a defect \\x1b[31m in the property")
    if word == "die":
        os._exit(13)
    verdict = Verdict[word.upper()]
    witnesses = (WITNESS,) if verdict is Verdict.REFUTED else ()
    return Evidence(verdict, claim="the claim", found=f"found {word}", witnesses=witnesses)

def pytest_configure(config):
    original = properties.run_property
    properties.run_property = run_property
    config.add_cleanup(lambda: setattr(properties, "run_property", original))
'''


def write_model(path: Path, scale: float = 1.0) -> Path:
    """A model with input x of shape [1, 2] and two outputs: relu(x W + b)."""
    weights = np.array([[1.0, -0.5], [0.25, 0.75]], dtype=np.float32) * np.float32(scale)
    bias = np.array([0.125, -0.25], dtype=np.float32)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["hidden"], name="dense"),
        helper.make_node("Relu", ["hidden"], ["y"], name="activation"),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto)
    path.write_bytes(proto.SerializeToString())
    return path


def write_spec(folder: Path, names: list[str], extra: str = "") -> Path:
    """A torchlean.yaml with one runtime property per name on models/tiny.onnx."""
    lines = ["version: 1", "models: {tiny: {path: models/tiny.onnx}}", "properties:"]
    for name in names:
        lines.append(f"  - {{name: {name}, model: tiny, check: runtime, samples: 8{extra}}}")
    spec = folder / "torchlean.yaml"
    spec.write_text("\n".join(lines) + "\n")
    return spec


def write_project(folder: Path, names: list[str], *, fake: bool = False, extra: str = "") -> Path:
    """Model and spec; `fake` adds the conftest that lets names choose verdicts."""
    write_model(folder / "models" / "tiny.onnx")
    if fake:
        (folder / "conftest.py").write_text(FAKE_KINDS)
    return write_spec(folder, names, extra)
