"""Claims about the models next to ordinary tests: the decorator proves, the test reads the evidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from pytest_torchlean import robustness

ROOT = Path(__file__).resolve().parent.parent
DATA = "data/digits-test.npz"


@pytest.mark.certify(
    "models/linear.onnx", robustness(epsilon="1/50", domain=(0, 1), data=DATA, at_least="93%")
)
def test_linear_is_robust(verdict):
    assert verdict.certified >= 335


@pytest.mark.certify("models/mlp.onnx", robustness(epsilon="8/255", domain=(0, 1), data=DATA, at_least="94%"))
def test_mlp_is_robust(verdict):
    assert verdict.certified >= 340
    assert verdict.counts.misclassified == 12


def test_mlp_accuracy():
    """An ordinary test. The regressed model passes it too."""
    data = np.load(ROOT / DATA, allow_pickle=False)
    session = onnxruntime.InferenceSession(ROOT / "models/mlp.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": data["inputs"]})
    assert (logits.argmax(axis=1) == data["labels"]).mean() >= 0.95
