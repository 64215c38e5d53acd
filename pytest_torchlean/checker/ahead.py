"""Begin the first build of the library while models are lowered and bounds are searched."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

from pytest_torchlean.checker.install import find_lean
from pytest_torchlean.checker.library import ensure_built
from pytest_torchlean.progress import SILENT, Observer


class Ahead(Observer):
    """A thread that builds the library, without its parts.

    Whatever goes wrong in it goes wrong again, and is told, where the library is asked for.
    """

    def __init__(self, lean: Path | None = None) -> None:
        self._lean = lean
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._listener = SILENT
        self._phase: tuple[str, int, str] | None = None
        self._done = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; called once."""
        self._thread = threading.Thread(target=self._build, name="torchlean-library", daemon=True)
        self._thread.start()

    def wait(self, observer: Observer) -> float:
        """Wait for the end of what was begun, which the observer hears of; the seconds that took."""
        if self._thread is None or self._ended.is_set():
            return 0.0
        started = time.monotonic()
        with self._lock:
            self._listener = observer
            if self._phase is not None:
                observer.phase(*self._phase)
                observer.step(self._done)
        # not join: in Python before 3.13 a thread whose join is interrupted passes for ended
        self._ended.wait()
        return time.monotonic() - started

    def stop(self) -> None:
        """Give up what nobody waited for; returns when the modules that are being compiled are."""
        self._stop.set()
        if self._thread is not None:
            self._ended.wait()

    def phase(self, name: str, total: int = 0, unit: str = "") -> None:
        with self._lock:
            self._phase, self._done = (name, total, unit), 0
            self._listener.phase(name, total, unit)

    def step(self, done: int) -> None:
        with self._lock:
            self._done = done
            self._listener.step(done)

    def _build(self) -> None:
        try:
            with contextlib.suppress(Exception):
                ensure_built(find_lean(self._lean), parts=(), observer=self, stop=self._stop)
        finally:
            self._ended.set()
