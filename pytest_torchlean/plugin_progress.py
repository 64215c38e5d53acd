"""Heartbeat lines of long properties under pytest, on the standard error that pytest does not capture."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from pytest_torchlean.heartbeat import Heartbeat
from pytest_torchlean.plugin import REAL_STDERR


class PluginHeartbeat:
    """One heartbeat for a pytest process. Silent with -q, and where standard error is no descriptor.

    A line starts where the terminal reporter stopped in the middle of its own; in the verbose format the
    reporter then names the item again. A worker of xdist names itself, and cannot know where the line is.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._verbosity: int = getattr(config.option, "verbose", 0)
        """The terminal reporter's option, which is absent with `-p no:terminal`."""
        self._reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._worker: str | None = getattr(config, "workerinput", {}).get("workerid")
        self._fresh = False
        self.heartbeat = Heartbeat(self._write, live=False, name=self._name())

    @contextlib.contextmanager
    def during(self, what: str) -> Iterator[Heartbeat]:
        """The heartbeat while a property is decided."""
        self._fresh = False
        if self._verbosity < 0 or REAL_STDERR not in self._config.stash:
            yield self.heartbeat
            return
        with self.heartbeat.running():
            self.heartbeat.begin(what)
            yield self.heartbeat

    def _name(self) -> str:
        return "torchlean" if self._worker is None else f"torchlean {self._worker}"

    def _write(self, text: str) -> None:
        os.write(self._config.stash[REAL_STDERR], ("" if self._fresh else "\n").encode() + text.encode())
        self._fresh = self._worker is None
        if self._reporter is not None and self._verbosity > 0:
            self._reporter.currentfspath = None
