"""What the tests of property kinds share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import onnx
import pytest

from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.properties import PropertyContext


@pytest.fixture
def context_for(tmp_path: Path) -> Any:
    """`context_for(proto)`: the model in a file, lowered, with two minutes."""

    def build(proto: onnx.ModelProto) -> PropertyContext:
        path = tmp_path / "model.onnx"
        path.write_bytes(proto.SerializeToString())
        loaded = load_model(path, root=tmp_path)
        return PropertyContext(loaded, lower(loaded), tmp_path, time.monotonic() + 120)

    return build
