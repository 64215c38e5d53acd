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
        gradient,
        invariant,
        lipschitz,
        lyapunov,
        monotone,
        output_range,
        residual,
        robustness,
        runtime_agreement,
        vnnlib,
    )
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

_BUILDERS = (
    "certified_radius",
    "equivalent",
    "gradient",
    "invariant",
    "lipschitz",
    "lyapunov",
    "monotone",
    "output_range",
    "residual",
    "robustness",
    "runtime_agreement",
    "vnnlib",
)


def __getattr__(name: str) -> object:
    """Import functions on first use, so that importing the package stays light."""
    if name in _BUILDERS:
        from .spec import builders

        return getattr(builders, name)
    if name == "extension_property":
        from .spec.unread import extension_property

        return extension_property
    if name == "preprocessing_of":
        from .deployed import preprocessing_of

        return preprocessing_of
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
