"""`preprocess:` of a model: its steps as ONNX nodes and as graph nodes ahead of the model's own.

The shipped file stays as it is: its bytes are what is hashed and what onnxruntime runs, fed with what the
preprocessing gives. Graph and certificates are about both together.
"""

from __future__ import annotations

from pytest_torchlean.preprocessing.front import Front, compose
from pytest_torchlean.preprocessing.raw import RawIntegers
from pytest_torchlean.preprocessing.session import Session, open_session

__all__ = ["Front", "RawIntegers", "Session", "compose", "open_session"]
