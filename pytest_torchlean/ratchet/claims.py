"""The canonical form of a property: everything that makes its claim stronger or weaker, as plain text.

What bounds only the work (timeout, memory) is no part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path, PurePath
from typing import TypeGuard

from pytest_torchlean.jobs import Job
from pytest_torchlean.spec.document import ModelEntry
from pytest_torchlean.spec.model import ExtensionProperty, LoopProperty
from pytest_torchlean.spec.paths import shown
from pytest_torchlean.spec.preprocess import words

Plain = str | tuple["Plain", ...] | Mapping[str, "Plain"]
"""Text, a list or a block, as the baseline file holds it."""

Digest = Callable[[Path], str]
"""The sha256 of a file of the repository, or why there is none."""

_NO_PART = frozenset(
    {"name", "model", "span", "timeout", "memory", "indices", "limit", "on_unknown", "semantics", "provided"}
)


def is_block(value: Plain | None) -> TypeGuard[Mapping[str, Plain]]:
    """Whether a plain value is a block."""
    return isinstance(value, Mapping)


def claim_of_job(job: Job, root: Path, digest: Digest) -> dict[str, Plain]:
    """The claim of a job that has a property, by the names of its keys."""
    prop = job.prop
    if prop is None:
        raise ValueError("a job without a property claims nothing")
    claim: dict[str, Plain] = {"check": prop.check, "model": job.model_shown}
    if job.preprocess:
        claim["preprocess"] = tuple(words(step) for step in job.preprocess)
    if job.inputs:
        shapes = {name: tuple(map(str, extents)) for name, extents in sorted(job.inputs.shapes.items())}
        dims = {name: str(extent) for name, extent in sorted(job.inputs.dims.items())}
        claim["shapes"] = {"inputs": shapes, "dims": dims}
    if prop.check != "runtime":
        claim["semantics"] = prop.chosen_semantics
    claim["on_unknown"] = prop.on_unknown
    names = {field.name for field in fields(prop)}
    skipped = _NO_PART | ({"assurance"} if prop.check == "runtime" else set())
    if "indices" in names:
        claim["listed"] = _listed(getattr(prop, "indices", None), getattr(prop, "limit", None))
    for field in fields(prop):
        value = getattr(prop, field.name)
        if field.name not in skipped and value is not None:
            claim[field.name] = _plain(value, root, digest)
    if isinstance(prop, ExtensionProperty):
        # what the word after `check:` means is up to whoever gives it
        origin = prop.provided.origin
        claim["extension"] = {"name": origin.name, "version": origin.version}
    if job.other is not None:
        claim["dynamics" if isinstance(prop, LoopProperty) else "to"] = _other(job.other, digest)
    return claim


def _other(other: ModelEntry, digest: Digest) -> Plain:
    """The second model of a property about two: another file, or other bytes, are another claim."""
    shapes = {name: tuple(map(str, extents)) for name, extents in sorted(other.inputs.shapes.items())}
    dims = {name: str(extent) for name, extent in sorted(other.inputs.dims.items())}
    return {
        "path": other.shown,
        "sha256": digest(other.path),
        "preprocess": tuple(words(step) for step in other.preprocess),
        "shapes": {"inputs": shapes, "dims": dims},
    }


def _listed(indices: tuple[int, ...] | None, limit: int | None) -> Plain:
    if indices is not None:
        return tuple(map(str, sorted(indices)))
    return "all" if limit is None else {"first": str(limit)}


def _plain(value: object, root: Path, digest: Digest) -> Plain:
    """A value of a property's field. Raises TypeError for a type that has no canonical form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | Fraction):
        return str(value)
    if isinstance(value, PurePath):
        path = Path(value)
        return {"path": shown(path, root), "sha256": digest(path)}
    if isinstance(value, Enum):
        return _plain(value.value, root, digest)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value) if field.name != "span"}
        return {name: _plain(part, root, digest) for name, part in parts.items() if part is not None}
    if isinstance(value, Mapping):
        return {str(name): _plain(part, root, digest) for name, part in sorted(value.items())}
    if isinstance(value, tuple | list):
        return tuple(_plain(part, root, digest) for part in value)
    raise TypeError(f"no canonical form for {type(value).__name__}")
