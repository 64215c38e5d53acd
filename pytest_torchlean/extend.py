"""Everything that an extension imports; see docs/extending.md. Nothing else of this package is promised.

Importing it loads neither numpy nor onnx nor onnxruntime.
"""

from __future__ import annotations

from pytest_torchlean.errors import ExtensionError
from pytest_torchlean.extensions.model import (
    Claim,
    Falsifier,
    Inequality,
    ModelView,
    Operator,
    OperatorNode,
    PropertyKind,
    Reporter,
    Search,
)
from pytest_torchlean.spec.blocks import Field
from pytest_torchlean.spec.boxes import Box
from pytest_torchlean.spec.fields import (
    Choice,
    FilePath,
    Flag,
    IntegerList,
    duration,
    integer,
    memory,
    number,
    share,
)
from pytest_torchlean.spec.model import Bounds, OutputBounds, elements

__all__ = [
    "Bounds",
    "Box",
    "Choice",
    "Claim",
    "ExtensionError",
    "Falsifier",
    "Field",
    "FilePath",
    "Flag",
    "Inequality",
    "IntegerList",
    "ModelView",
    "Operator",
    "OperatorNode",
    "OutputBounds",
    "PropertyKind",
    "Reporter",
    "Search",
    "duration",
    "elements",
    "integer",
    "memory",
    "number",
    "share",
]
