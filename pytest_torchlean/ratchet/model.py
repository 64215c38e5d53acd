"""A baseline file and a file of waivers as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pytest_torchlean.errors import SourceSpan
from pytest_torchlean.ratchet.claims import Plain

BASELINE_NAME = "torchlean.baseline.yaml"
"""Beside the torchlean.yaml that it is about."""
WAIVERS_NAME = "torchlean.waivers.yaml"
"""Beside the baseline."""


@dataclass(frozen=True)
class Entry:
    """One property of a baseline: what it claims and what was found."""

    id: str
    claim: Mapping[str, Plain]
    result: Mapping[str, Plain]
    span: SourceSpan | None = None


@dataclass(frozen=True)
class Baseline:
    """A whole baseline file. `file` is its path relative to the root."""

    file: str
    entries: Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiver:
    """Somebody's word that a property may get worse, down to the values in `waives`, until a day.

    `waives` has keys of claims and results with the weakest value that is let through, and `removed: true`
    where the property may go.
    """

    id: str
    waives: Mapping[str, Plain]
    owner: str
    reason: str
    expires: date
    span: SourceSpan | None = None
    places: Mapping[str, SourceSpan | None] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Who, until when and why."""
        return f"{self.owner}, until {self.expires.isoformat()}: {self.reason}"


@dataclass(frozen=True)
class Waivers:
    """A whole file of waivers. `file` is its path relative to the root."""

    file: str
    listed: tuple[Waiver, ...] = ()
