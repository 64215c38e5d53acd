"""One property's result: where the property stands, which bytes were judged, and the evidence."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_torchlean.changes import Comparison
from pytest_torchlean.verdict import Evidence, Verdict

Outcome = Literal["passed", "warned", "failed"]


@dataclass(frozen=True)
class OtherModelResult:
    """The second model of a property about two, as `PropertyResult` describes the first."""

    name: str
    path: str
    sha256: str | None
    preprocess: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[int, ...]] | None = None


@dataclass(frozen=True)
class PropertyResult:
    """The result of one property.

    `id` is the pytest item id `file::model::name`. `spec_file`, `line` and `column` say where the
    property is written (a Python file for decorators). Paths are relative to the repository root.
    `model_sha256` is None when the model's bytes could not be read.
    """

    id: str
    spec_file: str
    line: int
    column: int
    model_name: str
    model_path: str
    model_sha256: str | None
    check: str
    evidence: Evidence
    on_unknown: Literal["fail", "warn"] = "fail"
    witness_file: str | None = None
    """Where the witnesses were written for `torchlean replay`, relative to the root."""
    preprocess: tuple[str, ...] = ()
    """What is done to a raw input before the model sees it, in words; the digest is the file's alone."""
    spec_sha256: str | None = None
    """The digest of the torchlean.yaml that the property was read from; None for a decorator."""
    model_shapes: Mapping[str, tuple[int, ...]] | None = None
    """The shape of every input, where the spec gives extents that the model file leaves open."""

    other_model: OtherModelResult | None = None
    """The second model of a property about two."""

    @property
    def name(self) -> str:
        """The property's own name, the last part of the id."""
        return self.id.rsplit("::", 1)[-1]

    @property
    def reproduce(self) -> str:
        """One shell line that shows the finding again."""
        if self.witness_file is not None:
            return f"torchlean replay {shlex.quote(self.witness_file)}"
        return f"pytest {shlex.quote(self.id)}"

    @property
    def outcome(self) -> Outcome:
        """What the gate does: only `on_unknown: warn` softens anything, and only UNKNOWN."""
        if self.evidence.verdict.passes:
            return "passed"
        if self.evidence.verdict is Verdict.UNKNOWN and self.on_unknown == "warn":
            return "warned"
        return "failed"


@dataclass(frozen=True)
class Environment:
    """The tools that gave the results. `lean` holds version, sha256 and origin; None when unused."""

    version: str
    onnxruntime: str | None = None
    lean: Mapping[str, str] | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    """Versions of further tools, e.g. {"python": "3.13.1", "numpy": "2.3.0"}."""
    extensions: Mapping[str, str] = field(default_factory=dict)
    """Versions of the extensions that were loaded."""
    ratchet: Comparison | None = None
    """The results against a baseline; None where there is none."""


def gate_passes(results: Iterable[PropertyResult], ratchet: Comparison | None = None) -> bool:
    """Whether a gate over these results is green. No result at all is a failure, and so is a step back."""
    outcomes = [result.outcome for result in results]
    return bool(outcomes) and "failed" not in outcomes and (ratchet is None or ratchet.passes)
