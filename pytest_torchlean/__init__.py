"""pytest-torchlean: prove properties of ONNX model files in CI, every certificate checked by Lean 4.

The public surface is this module; everything else may change between minor versions.
"""

__version__ = "0.1.0"
