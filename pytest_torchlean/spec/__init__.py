"""torchlean.yaml and the decorators: text -> exact values with places -> frozen dataclasses.

Read `kinds.py` first: its tables drive decoding, suggestions, the decorators and the JSON Schema.
`exact.py` reads numbers, `yaml_source.py` turns a file into a tree, `decode.py` the tree into a `Spec`
(`document.py`), `arguments.py` what is given to a decorator into a property.
"""

from pytest_torchlean.spec.decode import decode_spec, load_spec
from pytest_torchlean.spec.document import Defaults, ModelEntry, Spec
from pytest_torchlean.spec.model import (
    Bounds,
    EquivalentProperty,
    GradientProperty,
    InvariantProperty,
    LipschitzProperty,
    LyapunovProperty,
    MonotoneProperty,
    OutputBounds,
    PropertySpec,
    RadiusProperty,
    RangeProperty,
    ResidualProperty,
    RobustnessProperty,
    RuntimeProperty,
    VnnlibProperty,
    bind,
    elements,
)

__all__ = [
    "Bounds",
    "Defaults",
    "EquivalentProperty",
    "GradientProperty",
    "InvariantProperty",
    "LipschitzProperty",
    "LyapunovProperty",
    "ModelEntry",
    "MonotoneProperty",
    "OutputBounds",
    "PropertySpec",
    "RadiusProperty",
    "RangeProperty",
    "ResidualProperty",
    "RobustnessProperty",
    "RuntimeProperty",
    "Spec",
    "VnnlibProperty",
    "bind",
    "decode_spec",
    "elements",
    "load_spec",
]
