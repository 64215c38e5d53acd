"""Witness files: what `torchlean replay` needs to run a counterexample again, self-contained.

A file lies under `.torchlean/witnesses/` of the repository root. Model and data are named by paths
relative to that root; the property travels with the witness, so that decorators replay too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_torchlean.errors import DataError, SpecError
from pytest_torchlean.files import read_regular_file, reason
from pytest_torchlean.jobs import Job
from pytest_torchlean.plaindata import from_plain, to_plain
from pytest_torchlean.properties.node_witness import NodeWitness, is_node_witness, node_witness_of
from pytest_torchlean.properties.stored_claim import StoredClaim, stored_form
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec.model import (
    EquivalentProperty,
    GradientProperty,
    InvariantProperty,
    LipschitzProperty,
    LyapunovProperty,
    MonotoneProperty,
    PropertySpec,
    RadiusProperty,
    RangeProperty,
    ResidualProperty,
    RobustnessProperty,
    VnnlibProperty,
    second_model,
)
from pytest_torchlean.spec.paths import resolve_inside, shown
from pytest_torchlean.spec.preprocess import PreprocessStep
from pytest_torchlean.spec.preprocess_fields import plain_steps, read_steps
from pytest_torchlean.verdict import Witness

SCHEMA = "torchlean.witness/1"
FOLDER = ".torchlean/witnesses"
_MOST_WITNESSES = 100
_MOST_BYTES = 2**26
_KINDS: Mapping[str, type[PropertySpec]] = {
    "range": RangeProperty,
    "radius": RadiusProperty,
    "robustness": RobustnessProperty,
    "vnnlib": VnnlibProperty,
    "extension": StoredClaim,
    "equivalent": EquivalentProperty,
    "monotone": MonotoneProperty,
    "lipschitz": LipschitzProperty,
    "invariant": InvariantProperty,
    "lyapunov": LyapunovProperty,
    "gradient": GradientProperty,
    "residual": ResidualProperty,
}


@dataclass(frozen=True)
class OtherStored:
    """The second model of a property about two, as a witness file names it."""

    path: str
    sha256: str
    shapes: Mapping[str, tuple[int, ...]] | None = None
    preprocess: tuple[PreprocessStep, ...] = ()


@dataclass(frozen=True)
class WitnessFile:
    """Everything in a witness file. `property` is the plain form of the property's dataclass."""

    schema: str
    id: str
    check: str
    model_path: str
    model_sha256: str
    model_shapes: Mapping[str, tuple[int, ...]] | None
    """The shape of every input, where the spec gave extents that the model file leaves open."""
    prop: PropertySpec
    witnesses: tuple[Witness, ...]
    preprocess: tuple[PreprocessStep, ...] = ()
    other: OtherStored | None = None


@dataclass(frozen=True)
class _Shapes:
    """The plain form of `model_shapes`."""

    of: Mapping[str, tuple[int, ...]] | None


def write_witness_file(job: Job, result: PropertyResult, root: Path) -> str | None:
    """Write a result's witnesses; the file's path relative to `root`, or None where nothing is written.

    Nothing is written without witnesses, for a kind that has no replay, through a symbolic link that
    leaves the root, or on a file system that refuses.
    """
    evidence = result.evidence
    prop = stored_form(job.prop, evidence)
    if not evidence.witnesses or prop is None or prop.check not in _KINDS or result.model_sha256 is None:
        return None
    from pytest_torchlean.files import write_atomically

    folder = root / FOLDER
    if not folder.resolve().is_relative_to(root.resolve()):
        return None
    plain = {
        "schema": SCHEMA,
        "id": job.id,
        "check": prop.check,
        "model_path": job.model_shown,
        "model_sha256": result.model_sha256,
        "model_shapes": to_plain(result.model_shapes),
        "prop": _property_to_plain(prop, root),
        "witnesses": to_plain(evidence.witnesses[:_MOST_WITNESSES]),
    }
    if job.preprocess:
        plain["preprocess"] = plain_steps(job.preprocess)
    other = result.other_model
    if other is not None and job.other is not None:
        plain["other"] = {
            "path": other.path,
            "sha256": other.sha256,
            "shapes": to_plain(other.shapes),
            "preprocess": plain_steps(job.other.preprocess),
        }
    target = folder / f"{file_stem(job.id)}.json"
    try:
        write_atomically(target, (json.dumps(plain, indent=1) + "\n").encode())
        ignore = root / ".torchlean" / ".gitignore"
        if not ignore.exists():
            write_atomically(ignore, b"*\n")
    except OSError:
        return None
    return target.relative_to(root).as_posix()


def read_witness_file(path: Path, root: Path) -> WitnessFile | NodeWitness:
    """A witness file, with the property's data path placed inside `root`, or that of a divergent node.

    Raises DataError TL0490 for a file that cannot be read or is of another form, SpecError TL0313 where
    a path in it leaves `root`.
    """
    try:
        data = read_regular_file(path, _MOST_BYTES)
    except OSError as error:
        raise DataError("TL0490", f"{path.name} cannot be read: {reason(error)}") from None
    try:
        plain = json.loads(data)
        return node_witness_of(plain) if is_node_witness(plain) else _from_plain(plain, root)
    except SpecError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError("TL0490", f"{path.name} is not a witness file: {str(error)[:200]}") from None


def file_stem(identifier: str) -> str:
    """A file name for an item id; a part of its digest keeps ids apart that look alike once cleaned."""
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "--", identifier).strip("-.")
    if cleaned.replace("--", "::") == identifier and len(cleaned) <= 150:
        return cleaned
    return f"{cleaned[:150]}-{hashlib.sha256(identifier.encode()).hexdigest()[:8]}"


def _property_to_plain(prop: PropertySpec, root: Path) -> Any:
    if isinstance(prop, RobustnessProperty):
        prop = replace(prop, data=Path(shown(prop.data, root)))
    if isinstance(prop, VnnlibProperty):
        prop = replace(prop, file=Path(shown(prop.file, root)))
    return to_plain(prop)


def _from_plain(plain: Any, root: Path) -> WitnessFile:
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    kind = _KINDS.get(str(plain.get("check")))
    if kind is None:
        raise ValueError("its check is not one that has witnesses")
    expected = {"schema", "id", "check", "model_path", "model_sha256", "model_shapes", "prop", "witnesses"}
    if set(plain) - {"preprocess", "other"} != expected:
        raise ValueError("its fields are not those of a witness file")
    texts = {key: plain[key] for key in expected - {"model_shapes", "prop", "witnesses"}}
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(plain["witnesses"], list):
        raise ValueError("a field has another type than expected")
    prop = from_plain(kind, plain["prop"])
    if isinstance(prop, RobustnessProperty):
        prop = replace(prop, data=resolve_inside(prop.data.as_posix(), base=root, root=root))
    if isinstance(prop, VnnlibProperty):
        prop = replace(prop, file=resolve_inside(prop.file.as_posix(), base=root, root=root))
    witnesses = tuple(from_plain(Witness, witness) for witness in plain["witnesses"])
    shapes = _shapes(plain["model_shapes"])
    other = _other(plain["other"]) if "other" in plain else None
    if second_model(prop) is not None and other is None:
        raise ValueError("it names no second model")
    steps = read_steps(plain["preprocess"], "`preprocess`") if "preprocess" in plain else ()
    return WitnessFile(
        **texts, model_shapes=shapes, prop=prop, witnesses=witnesses, preprocess=steps, other=other
    )


def _shapes(plain: Any) -> Mapping[str, tuple[int, ...]] | None:
    shapes = from_plain(_Shapes, {"of": plain}).of
    if any(extent < 1 for shape in (shapes or {}).values() for extent in shape):
        raise ValueError("a shape has an extent below 1")
    return shapes


def _other(plain: Any) -> OtherStored:
    if not isinstance(plain, dict) or set(plain) != {"path", "sha256", "shapes", "preprocess"}:
        raise ValueError("its second model has another form than expected")
    if not isinstance(plain["path"], str) or not isinstance(plain["sha256"], str):
        raise ValueError("its second model has another form than expected")
    steps = read_steps(plain["preprocess"], "`preprocess`") if plain["preprocess"] else ()
    return OtherStored(plain["path"], plain["sha256"], _shapes(plain["shapes"]), steps)
