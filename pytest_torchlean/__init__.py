"""pytest-torchlean: prove properties of ONNX model files in CI, every certificate checked by Lean 4.

The public surface is this module; everything else may change between minor versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .deployed import preprocessing_of
    from .spec.builders import (
        certified_radius,
        equivalent,
        lipschitz,
        monotone,
        output_range,
        robustness,
        runtime_agreement,
        vnnlib,
    )
    from .spec.derivative_builders import gradient, residual
    from .spec.loop_builders import invariant, lyapunov
    from .spec.unread import extension_property

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "certified_radius",
    "equivalent",
    "extension_property",
    "gradient",
    "invariant",
    "lipschitz",
    "lyapunov",
    "monotone",
    "output_range",
    "preprocessing_of",
    "residual",
    "robustness",
    "runtime_agreement",
    "vnnlib",
]

_HOMES = {
    "certified_radius": "spec.builders",
    "equivalent": "spec.builders",
    "extension_property": "spec.unread",
    "gradient": "spec.derivative_builders",
    "invariant": "spec.loop_builders",
    "lipschitz": "spec.builders",
    "lyapunov": "spec.loop_builders",
    "monotone": "spec.builders",
    "output_range": "spec.builders",
    "preprocessing_of": "deployed",
    "residual": "spec.derivative_builders",
    "robustness": "spec.builders",
    "runtime_agreement": "spec.builders",
    "vnnlib": "spec.builders",
}


def __getattr__(name: str) -> object:
    """Import functions on first use, so that importing the package stays light."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
