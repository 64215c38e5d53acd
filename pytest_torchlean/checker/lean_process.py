"""Run Lean as a subprocess with wall-clock, memory and output limits; never in our own process.

The child runs `python -I -S` on a launcher, in a session of its own, with a private temporary folder
as working directory and an environment that holds nothing of the caller's. At the deadline its whole
process group is killed. Output goes to files, is bounded by a file-size limit, and is read back once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pytest_torchlean.checker.install import LeanInstall
from pytest_torchlean.errors import CheckerError

_LAUNCHER = Path(__file__).with_name("_launcher.py")
_CANNOT_START = 97

# Address space that Lean reserves and does not use: a 1 GiB main stack, a 1 GiB allocator arena and
# the stacks of its worker threads. RLIMIT_DATA counts reservations, so they come on top of the limit.
_RESERVED_MB = 4096
_THREAD_STACK_KB = 262144
_READ_LIMIT = 1 << 20


class End(Enum):
    """How a Lean process ended."""

    EXITED = "exited"
    SIGNALLED = "ended by a signal"
    DEADLINE = "killed at the deadline"
    MEMORY = "killed at the memory limit"


@dataclass(frozen=True)
class ProcessResult:
    """One finished Lean process; `code` is the exit code, or the signal's number.

    processor_seconds: of user and system, 0.0 where it is not known.
    """

    end: End
    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    peak_memory_mb: float
    truncated: bool = False
    processor_seconds: float = 0.0


def run_lean(
    lean: LeanInstall,
    arguments: Sequence[str],
    *,
    directory: Path,
    lean_path: Sequence[Path],
    wall_seconds: float,
    memory_mb: int,
    file_mb: int = 256,
    threads: int = 2,
) -> ProcessResult:
    """Run `lean ARGUMENTS` with `directory` as working directory.

    `directory` is private to this run and receives `lean.stdout` and `lean.stderr`. `lean_path` lists the
    folders of `.olean` files. `memory_mb` bounds its anonymous memory: Lean is told, it is watched
    where the system shows it (Linux), and a resource limit above Lean's reservations is the backstop. No
    file it writes may exceed `file_mb`.

    Raises CheckerError TL0503 if Lean cannot be started.
    """
    command = [
        *launcher_command(lean.kind, lean.path, memory_mb, file_mb),
        *lean_arguments(arguments, memory_mb, threads),
    ]
    stdout_path, stderr_path = directory / "lean.stdout", directory / "lean.stderr"
    started = time.monotonic()
    with stdout_path.open("wb") as stdout, stderr_path.open("wb") as stderr:
        try:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment(directory, lean_path),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except OSError as error:
            raise CheckerError("TL0503", f"cannot start {sys.executable}: {error}") from error
        end, code, peak, processor = _wait(process, started + wall_seconds, memory_mb)
    return finished(lean, directory, end, code, time.monotonic() - started, peak, processor)


def launcher_command(kind: str, path: Path, memory_mb: int, file_mb: int) -> list[str]:
    """How the launcher is started, without Lean's arguments."""
    limits = [str(memory_mb + _RESERVED_MB), str(file_mb)]
    # a fork of a process with threads is what `served` is about, and Python warns of it
    return [sys.executable, "-I", "-S", "-W", "ignore", str(_LAUNCHER), *limits, kind, str(path)]


def lean_arguments(arguments: Sequence[str], memory_mb: int, threads: int) -> list[str]:
    """Lean's arguments with the ones for its threads and its memory."""
    return [
        f"--threads={threads}",
        f"--tstack={_THREAD_STACK_KB}",
        f"--memory={memory_mb}",
        *arguments,
    ]


def environment(directory: Path, lean_path: Sequence[Path]) -> dict[str, str]:
    """The whole environment of a Lean process that may write to `directory`."""
    return {
        "LEAN_PATH": os.pathsep.join(str(path) for path in lean_path),
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        # long numbers are written once: huge pages save page faults (other C libraries ignore this)
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        # Lean's event loop waits for nothing here: no kernel thread for it
        "UV_USE_IO_URING": "0",
    }


def finished(
    lean: LeanInstall,
    directory: Path,
    end: End,
    code: int,
    seconds: float,
    peak: float,
    processor: float = 0.0,
) -> ProcessResult:
    """The result of a process that has ended, with what it wrote; raises as `run_lean`."""
    stdout_path, stderr_path = directory / "lean.stdout", directory / "lean.stderr"
    out, out_truncated = _read(stdout_path)
    err, err_truncated = _read(stderr_path)
    if end is End.EXITED and code == _CANNOT_START:
        reason = err.decode("utf-8", "replace").strip()[:500]
        raise CheckerError("TL0503", f"Lean at {lean.path} does not start: {reason}")
    truncated = out_truncated or err_truncated
    return ProcessResult(end, code, out, err, seconds, peak, truncated, processor)


def _wait(process: subprocess.Popen[bytes], deadline: float, memory_mb: int) -> tuple[End, int, float, float]:
    """Reap the child, killing its process group at a limit; returns end, code, peak MiB, its processor s."""
    pause = 0.0005
    killed: End | None = None
    try:
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG if killed is None else 0)
            if pid == process.pid:
                break
            if time.monotonic() >= deadline:
                killed = End.DEADLINE
            elif anonymous_mb(process.pid) > memory_mb:
                killed = End.MEMORY
            if killed is not None:
                kill_group(process.pid)
                continue
            time.sleep(pause)
            pause = min(2 * pause, 0.01)
    except BaseException:
        kill_group(process.pid)
        process.wait()
        raise
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    processor = usage.ru_utime + usage.ru_stime
    if killed is not None:
        return killed, abs(code), peak, processor
    return (End.SIGNALLED if code < 0 else End.EXITED), abs(code), peak, processor


def anonymous_mb(pid: int) -> float:
    """Resident memory of a process that is not a mapped file, in MiB; 0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as stream:
            fields = stream.read().split()
        return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    except (OSError, ValueError, IndexError):
        return 0.0


def kill_group(pid: int) -> None:
    """Kill the process group of a child that has not been reaped yet."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _read(path: Path) -> tuple[bytes, bool]:
    """At most 1 MiB of the file, and whether there was more."""
    with path.open("rb") as stream:
        data = stream.read(_READ_LIMIT + 1)
    return data[:_READ_LIMIT], len(data) > _READ_LIMIT
