"""What changed against a baseline, and what the gate makes of it: the ratchet's part of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["removed", "weakened", "changed", "worse", "stronger", "better", "added", "waiver"]

KINDS: tuple[Kind, ...] = (
    "removed",
    "weakened",
    "changed",
    "worse",
    "stronger",
    "better",
    "added",
    "waiver",
)
"""A property is gone; its claim is weaker; its claim differs and neither is known to be weaker; a result is
worse than the baseline's; a claim is stronger; a result is better; a property is new; a waiver is wrong."""
_FAILING: tuple[Kind, ...] = ("removed", "weakened", "changed", "worse", "waiver")


@dataclass(frozen=True)
class Change:
    """One difference between a baseline and what is there now.

    `id` is the property's, or the path of a whole file. `key` is the part of the claim or of the result that
    differs (`epsilon`, `proved`, ...), `removed` or `added`. `before` and `after` are its values as the file
    has them, empty where there is none. The place is that of the line to look at.
    """

    kind: Kind
    id: str
    key: str
    message: str
    code: str
    fix: str
    file: str
    line: int = 1
    column: int = 1
    before: str = ""
    after: str = ""
    waived_by: str | None = None
    """Who waives it, until when and why; None where nobody does."""

    @property
    def fails(self) -> bool:
        """Whether the gate fails because of it."""
        return self.kind in _FAILING and self.waived_by is None


@dataclass(frozen=True)
class Comparison:
    """Everything that the ratchet compared in one run.

    `against` names the files and the revision that were compared with, `base` is the commit of `--base`.
    """

    against: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    base: str | None = None

    @property
    def failing(self) -> tuple[Change, ...]:
        """The changes for which the gate fails."""
        return tuple(change for change in self.changes if change.fails)

    @property
    def passes(self) -> bool:
        """Whether nothing is worse than before without a waiver."""
        return not self.failing
