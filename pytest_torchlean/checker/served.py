"""Run Lean many times from one process that has loaded and initialised it: Linux, Lean as a library.

Starting Python, loading Lean and initialising it take as long as a small module takes to compile. Here a
launcher does this once and forks a child for each run, so every run still has a process of its own with the
limits of `run_lean`. A run that the child does not finish by itself is made again with `run_lean`: a fork
copies what Lean had in memory, and nothing here should depend on that.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pytest_torchlean.checker.install import LeanInstall
from pytest_torchlean.checker.lean_process import (
    End,
    ProcessResult,
    anonymous_mb,
    environment,
    finished,
    kill_group,
    launcher_command,
    lean_arguments,
    run_lean,
)

_LOOK_SECONDS = 0.02
"""Between two looks at a running child."""


class ServedLean:
    """A launcher and its one child at a time; for one thread. Close it, or use it in `with`.

    `lean_path`, `memory_mb`, `file_mb` and `threads` are those of `run_lean` for all runs.
    """

    def __init__(
        self,
        lean: LeanInstall,
        *,
        lean_path: Sequence[Path],
        memory_mb: int,
        file_mb: int = 256,
        threads: int = 2,
    ) -> None:
        self._lean = lean
        self._lean_path = lean_path
        self._memory_mb = memory_mb
        self._file_mb = file_mb
        self._threads = threads
        self._launcher: subprocess.Popen[bytes] | None = None
        self._usable = lean.kind == "wheel" and sys.platform == "linux"
        self._folder = tempfile.TemporaryDirectory(prefix="torchlean-") if self._usable else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the launcher and the child that it has."""
        self._end_launcher()
        if self._folder is not None:
            self._folder.cleanup()

    def run(self, arguments: Sequence[str], *, directory: Path, wall_seconds: float) -> ProcessResult:
        """As `run_lean`."""
        result: ProcessResult | None = None
        if self._usable:
            try:
                result = self._served(arguments, directory, wall_seconds)
            except BaseException:
                self._end_launcher()
                raise
        return result or run_lean(
            self._lean,
            arguments,
            directory=directory,
            lean_path=self._lean_path,
            wall_seconds=wall_seconds,
            memory_mb=self._memory_mb,
            file_mb=self._file_mb,
            threads=self._threads,
        )

    def _served(self, arguments: Sequence[str], directory: Path, wall_seconds: float) -> ProcessResult | None:
        """The result of a forked child; None if there is none, or Lean did not end by itself."""
        started = time.monotonic()
        options = lean_arguments(arguments, self._memory_mb, self._threads)
        request = b"".join(os.fsencode(field) + b"\0" for field in (str(directory), *options))
        deadline = started + wall_seconds
        child = b""
        try:
            launcher = self._started()
            assert launcher.stdin is not None
            launcher.stdin.write(request.hex().encode() + b"\n")
            while not child.endswith(b"\n"):
                child += self._answer(launcher, deadline)
            pid, _, answer = child.partition(b"\n")
            while not answer.endswith(b"\n"):
                answer += self._answer(launcher, deadline, int(pid))
            status, peak = (int(field) for field in answer.split())
        except _Killed:
            self._end_launcher()
            return None
        except (OSError, ValueError):
            self._end_launcher()
            self._usable = False
            return None
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 1):
            return None
        seconds = time.monotonic() - started
        return finished(self._lean, directory, End.EXITED, code, seconds, peak / 1024)

    def _answer(self, launcher: subprocess.Popen[bytes], deadline: float, child: int | None = None) -> bytes:
        """Some bytes of the launcher; raises _Killed at a limit, OSError where no more bytes come."""
        assert launcher.stdout is not None
        while not select.select([launcher.stdout], [], [], _LOOK_SECONDS)[0]:
            if time.monotonic() >= deadline:
                raise _Killed
            if child is not None and anonymous_mb(child) > self._memory_mb:
                raise _Killed
        data = os.read(launcher.stdout.fileno(), 64)
        if not data:
            raise OSError("the launcher has ended")
        return data

    def _started(self) -> subprocess.Popen[bytes]:
        if self._launcher is None:
            assert self._folder is not None
            self._launcher = subprocess.Popen(
                launcher_command("served", self._lean.path, self._memory_mb, self._file_mb),
                cwd=self._folder.name,
                env=environment(Path(self._folder.name), self._lean_path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        return self._launcher

    def _end_launcher(self) -> None:
        """Kill the launcher; the kernel then kills its child, which asked for it."""
        launcher, self._launcher = self._launcher, None
        if launcher is not None:
            kill_group(launcher.pid)
            launcher.wait()
            for pipe in (launcher.stdin, launcher.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()


class _Killed(Exception):
    """The child has reached a limit."""
