"""How long work tells what it is at.

Searches, Lean and the runtime check are handed an `Observer` by their caller and tell it which phase begins
and how far it is. The one here says nothing; `heartbeat` has the one that shows it to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Observer:
    """Hears of phases and of steps in them. It must not raise, and may be told from any thread."""

    def phase(self, name: str, total: int = 0, unit: str = "") -> None:
        """A phase begins. total: how many of `unit` it has to do, 0 where that is not known."""

    def step(self, done: int) -> None:
        """So many of the phase's units are done."""


SILENT = Observer()


def counted(items: Iterable[T], observer: Observer, name: str, total: int, unit: str) -> Iterator[T]:
    """The items; the observer hears that the phase begins and, before each, how many were done."""
    observer.phase(name, total, unit)
    for done, item in enumerate(items):
        observer.step(done)
        yield item
