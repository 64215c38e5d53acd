"""Start Lean inside limits. Run by path as `python -I -S _launcher.py DATA_MB FILE_MB KIND PATH ARGS...`.

Never imported: it is a separate process that sees the standard library only. `wheel` loads Lean's
shared library and calls its `main`; `toolchain` replaces this process by the executable; `served` loads and
initialises the library once and calls its `main` in a forked child for every request (see `_serve`).
Exit code 97 means that Lean could not be started at all; the reason is on stderr.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time

CANNOT_START = 97
_PR_SET_PDEATHSIG = 1
_MEBIBYTE = 1 << 20


def _limit(kind: int, value: int) -> None:
    """Lower a resource limit, never above the hard limit that is already there."""
    hard = resource.getrlimit(kind)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bound, bound))


def _die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _call_main(library: ctypes.CDLL, arguments: list[bytes]) -> int:
    values = [b"lean", *arguments]
    vector = (ctypes.c_char_p * (len(values) + 1))(*values, None)
    return int(library.lean_main(len(values), vector))


def _serve(library: ctypes.CDLL) -> int:
    """Answer requests until standard input ends, one child at a time.

    A request is a line of hexadecimal digits: a directory and Lean's arguments, each ended by a zero byte.
    The answers are a line with the child's process id when it runs, and one with its wait status and its
    peak memory in KiB when it has ended. The directory is the child's working directory and receives
    `lean.stdout` and `lean.stderr`.
    """
    library.lean_initialize()
    _wait_for_idle_threads()
    with os.fdopen(0, "rb", closefd=False) as requests:
        for line in requests:
            directory, *arguments = bytes.fromhex(line.decode()).split(b"\0")[:-1]
            parent = os.getpid()
            child = os.fork()
            if child == 0:
                _end_as_lean(library, directory, arguments, parent)
            os.write(1, b"%d\n" % child)
            _, status, usage = os.wait4(child, 0)
            os.write(1, b"%d %d\n" % (status, usage.ru_maxrss))
    return 0


def _end_as_lean(library: ctypes.CDLL, directory: bytes, arguments: list[bytes], parent: int) -> None:
    """In a forked child: run Lean and end with its exit code."""
    code = CANNOT_START
    try:
        os.setsid()
        _die_with_parent()
        if os.getppid() == parent:
            os.chdir(directory)
            for number, name in ((1, "lean.stdout"), (2, "lean.stderr")):
                os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            code = _call_main(library, arguments)
            ctypes.CDLL(None).fflush(None)
    finally:
        os._exit(code & 0xFF)


def _wait_for_idle_threads() -> None:
    """Wait until Lean's event loop sleeps: a fork copies no thread, but the locks that one holds."""
    own = str(os.getpid())
    for _ in range(1000):
        states = []
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/stat", "rb") as stream:
                states.append((thread, stream.read().rpartition(b")")[2].split()[0]))
        if all(state == b"S" for thread, state in states if thread != own):
            return
        time.sleep(0.001)


def main(arguments: list[str]) -> int:
    data_mb, file_mb, kind, path, *lean_arguments = arguments
    _die_with_parent()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_DATA, int(data_mb) * _MEBIBYTE)
    _limit(resource.RLIMIT_FSIZE, int(file_mb) * _MEBIBYTE)
    try:
        if kind == "toolchain":
            os.execv(path, ["lean", *lean_arguments])
        library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
        library.lean_main  # noqa: B018
        if kind == "served":
            library.lean_initialize  # noqa: B018
    except (OSError, AttributeError) as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    return (
        _serve(library)
        if kind == "served"
        else _call_main(library, [os.fsencode(argument) for argument in lean_arguments])
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
