"""The wall-clock limit that searches respect."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from pytest_torchlean.progress import SILENT, Observer


class OutOfTime(Exception):
    """A search reached its deadline; whatever it found before is lost to its caller."""


@dataclass(frozen=True)
class Budget:
    """A deadline as a `time.monotonic()` value, None never ends; and who hears how far a search is.

    seconds: what the spec grants the property. Choices depend on it (`bounds/work.py`), and on no clock.
    """

    deadline: float | None = None
    observer: Observer = SILENT
    seconds: float = math.inf

    @property
    def left(self) -> float:
        """Seconds until the deadline, never negative; infinite without one."""
        return math.inf if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def spend(self) -> None:
        """Raises OutOfTime after the deadline."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime


UNLIMITED = Budget()
