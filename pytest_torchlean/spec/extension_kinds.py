"""Property kinds of extensions beside the package's own, for the decoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pytest_torchlean.extensions.model import PropertyKind
from pytest_torchlean.extensions.registry import Extensions, Provided
from pytest_torchlean.spec.blocks import Field
from pytest_torchlean.spec.kinds import KINDS, Kind
from pytest_torchlean.spec.model import ExtensionProperty, PropertySpec

_COMMON = frozenset(entry.name for entry in fields(PropertySpec))


def kinds_with(extensions: Extensions) -> Mapping[str, Kind]:
    """Every kind that `check:` may name. Raises ExtensionError TL1004 for one whose keys are not fields."""
    return {**KINDS, **{name: _kind(given) for name, given in extensions.kinds.items()}}


def _kind(given: Provided[PropertyKind]) -> Kind:
    for entry in given.it.fields:
        if not isinstance(entry, Field) or not type(entry.type).__module__.startswith(f"{__package__}."):
            raise given.wrong("has a key that is no Field with a type of `pytest_torchlean.extend`")
    own = type(given.it.name, (ExtensionProperty,), {"check": given.it.name, "__doc__": given.it.doc})

    def build(**values: Any) -> PropertySpec:
        common = {key: value for key, value in values.items() if key in _COMMON}
        rest = {key: value for key, value in values.items() if key not in _COMMON}
        prop = own(provided=given, values=rest, **common)
        assert isinstance(prop, PropertySpec)
        return prop

    return Kind(given.it.name, given.it.doc, build, tuple(given.it.fields))
