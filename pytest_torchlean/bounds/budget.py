"""The wall-clock limit that searches respect, and the processes that they may use."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_torchlean.errors import ExtensionError
from pytest_torchlean.progress import SILENT, Observer

T = TypeVar("T")


class OutOfTime(Exception):
    """A search reached its deadline; whatever it found before is lost to its caller."""


@dataclass(frozen=True)
class Budget:
    """A deadline as a `time.monotonic()` value, None never ends; and who hears how far a search is.

    seconds: what the spec grants the property. Choices depend on it (`bounds/work.py`), and on no clock.
    executor: where independent pieces of a search are done, None for here; what is found is the same.
    """

    deadline: float | None = None
    observer: Observer = SILENT
    seconds: float = math.inf
    executor: Executor | None = None

    @property
    def left(self) -> float:
        """Seconds until the deadline, never negative; infinite without one."""
        return math.inf if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def spend(self) -> None:
        """Raises OutOfTime after the deadline."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime

    def each(self, function: Callable[..., T], pieces: Sequence[tuple[Any, ...]]) -> list[T]:
        """The function's results for the arguments of every piece, in their order.

        Raises what the function raises, and ExtensionError TL1007 where a process of the executor died.
        """
        if self.executor is None or len(pieces) < 2:
            return [function(*piece) for piece in pieces]
        waiting: list[Future[T]] = []
        try:
            waiting += [self.executor.submit(function, *piece) for piece in pieces]
            return [one.result() for one in waiting]
        except (BrokenExecutor, CancelledError) as error:
            message = f"a process that bounded parts of a box ended: {type(error).__name__}"
            raise ExtensionError("TL1007", message) from error
        finally:
            for one in waiting:
                one.cancel()


UNLIMITED = Budget()
