"""From the intermediate representation to ONNX bytes: the operators that modules are made of."""

from __future__ import annotations

from pytest_torchlean.onnx_export.write import DEFAULT_OPSET, to_onnx

__all__ = ["DEFAULT_OPSET", "to_onnx"]
