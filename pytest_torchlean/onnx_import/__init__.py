"""From ONNX bytes to the intermediate representation. Protobuf is known only here."""

from __future__ import annotations

from pytest_torchlean.onnx_import.lower import lower
from pytest_torchlean.onnx_import.reader import LoadedModel, load_model

__all__ = ["LoadedModel", "load_model", "lower"]
