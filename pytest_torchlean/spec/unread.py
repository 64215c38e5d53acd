"""Properties of extensions' kinds in decorators: kept as given until the extensions of the run are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_torchlean.errors import SpecError
from pytest_torchlean.extensions.registry import Extensions
from pytest_torchlean.spec.arguments import read_arguments
from pytest_torchlean.spec.boxes import Box
from pytest_torchlean.spec.context import Context
from pytest_torchlean.spec.extension_kinds import kinds_with
from pytest_torchlean.spec.model import PropertySpec


@dataclass(frozen=True, kw_only=True)
class UnreadProperty(PropertySpec):
    """A decorator's property of an extension's kind, which is read when extensions are known."""

    kind: str
    keys: Mapping[str, Any]


def extension_property(check: str, **keys: Any) -> UnreadProperty:
    """A property of a kind that an extension gives, for the `certify` mark.

    keys: as below `check:` in torchlean.yaml; boxes may be pairs (lower, upper). Read, and refused where they
    are wrong, when pytest collects the test.
    """
    return UnreadProperty(kind=check, keys=keys)


def read_unread(prop: UnreadProperty, extensions: Extensions, root: Path) -> PropertySpec:
    """The property, with its paths placed under `root`. Raises SpecError TL0314 and as a spec does."""
    if prop.kind not in extensions.kinds:
        known = ", ".join(extensions.kinds) or "none"
        raise SpecError(
            "TL0314",
            f"no extension gives the kind {prop.kind!r}",
            fix=f"install the distribution that gives it; kinds of extensions here: {known}",
        )
    table = kinds_with(extensions)
    kind = table[prop.kind]
    boxes = {entry.key for entry in kind.fields if isinstance(entry.type, Box)}
    context = Context(base=root, root=root, kinds=table)
    return read_arguments(f"extension_property({prop.kind!r})", kind, _paired(prop.keys, boxes), context)


def _paired(keys: Mapping[str, Any], boxes: set[str]) -> dict[str, Any]:
    """The keys with a pair (lower, upper) as the block that the decoder reads, None for an open side."""
    return {
        key: {side: bound for side, bound in zip(("lower", "upper"), value, strict=True) if bound is not None}
        if key in boxes and isinstance(value, tuple) and len(value) == 2
        else value
        for key, value in keys.items()
    }
