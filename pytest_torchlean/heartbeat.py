"""Shows on standard error what a long run is at: one live line on a terminal, plain lines elsewhere.

A plain line comes only after some seconds without any, so short runs print none, and a log that a CI system
watches is never silent for ten seconds. Every line is ASCII.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from pytest_torchlean.colours import is_terminal
from pytest_torchlean.progress import Observer
from pytest_torchlean.report.escape import terminal_line

QUIET_SECONDS = 8.0
"""Without a line for so long, a plain one is written; below the ten seconds that are promised."""
LIVE_SECONDS = 0.2
"""Between two looks at the live line."""
_ERASE = "\r\x1b[K"
_LONGEST_NAME = 60

Write = Callable[[str], None]
Clock = Callable[[], float]


class Heartbeat(Observer):
    """The state of a run and the line that shows it. Thread-safe; `tick` decides whether to write.

    write: receives text and flushes it. width: the terminal's columns now. name: how a plain line starts.
    """

    def __init__(
        self,
        write: Write,
        *,
        live: bool,
        clock: Clock = time.monotonic,
        width: Callable[[], int] = lambda: 80,
        name: str = "torchlean",
    ) -> None:
        self.live = live
        self._write, self._clock, self._width = write, clock, width
        self._name = name
        self._lock = threading.RLock()
        self._what: str | None = None
        self._number, self._count = 0, 0
        self._phase, self._done, self._total, self._unit = "", 0, 0, ""
        self._started = self._last = clock()
        self._shown = ""

    def begin(self, what: str, number: int = 0, count: int = 0) -> None:
        """Work on `what` begins, the `number`-th of `count` where there are several."""
        with self._lock:
            self._what, self._number, self._count = what, number, count
            self._phase, self._done, self._total, self._unit = "", 0, 0, ""
            self._started = self._clock()
            if self.live:
                self._show()

    def end(self, word: str = "") -> None:
        """The work ended; on a terminal, a word for how stays there with its name."""
        with self._lock:
            if self.live and self._what is not None:
                kept = f"{word:<12}{terminal_line(self._what)}\n" if word else ""
                self._put(f"{_ERASE}{kept}")
            self._what, self._shown = None, ""

    def phase(self, name: str, total: int = 0, unit: str = "") -> None:
        with self._lock:
            self._phase, self._done, self._total, self._unit = name, 0, total, unit

    def step(self, done: int) -> None:
        with self._lock:
            self._done = done

    def tick(self) -> None:
        """Renew the live line, or write a plain one if none was written for QUIET_SECONDS."""
        with self._lock:
            if self._what is None:
                return
            if self.live:
                self._show()
            elif self._clock() - self._last >= QUIET_SECONDS:
                self._put(f"{self._name}: {self._text()}\n")

    @contextlib.contextmanager
    def running(self) -> Iterator[Heartbeat]:
        """A thread that ticks until the block ends; a line left by an exception is erased."""
        stop = threading.Event()
        pause = LIVE_SECONDS if self.live else 1.0

        def beat() -> None:
            while not stop.wait(pause):
                self.tick()

        thread = threading.Thread(target=beat, name="torchlean-heartbeat", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()
            self.end()

    def _show(self) -> None:
        text = self._text()[: max(20, self._width() - 1)]
        if text != self._shown:
            self._shown = text
            self._put(_ERASE + text)

    def _text(self) -> str:
        name = terminal_line(self._what or "")
        if len(name) > _LONGEST_NAME:
            name = "..." + name[3 - _LONGEST_NAME :]
        parts = [f"{self._phase or 'starting'}, {self._clock() - self._started:.0f} s"]
        if self._total:
            parts.append(f"{self._done} of {self._total} {self._unit}".rstrip())
        place = f"[{self._number}/{self._count}] " if self._count else ""
        return f"{place}{name}: {', '.join(parts)}".encode("ascii", "backslashreplace").decode()

    def _put(self, text: str) -> None:
        """Write; progress that cannot be shown is no failure of the run."""
        self._last = self._clock()
        with contextlib.suppress(OSError, ValueError):
            self._write(text)


def heartbeat_on(stream: TextIO) -> Heartbeat:
    """A heartbeat on a stream: live where that is a terminal that can erase a line."""

    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    live = is_terminal(stream) and os.environ.get("TERM") != "dumb"
    return Heartbeat(write, live=live, width=lambda: shutil.get_terminal_size().columns)


def heartbeat_of_process() -> Heartbeat:
    """A heartbeat on this process's standard error."""
    return heartbeat_on(sys.stderr)
