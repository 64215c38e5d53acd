"""Start Lean inside limits. Run by path as `python -I -S _launcher.py DATA_MB FILE_MB KIND PATH ARGS...`.

Never imported: it is a separate process that sees the standard library only. `wheel` loads Lean's
shared library and calls its `main`; `toolchain` replaces this process by the executable.
Exit code 97 means that Lean could not be started at all; the reason is on stderr.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

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
        lean_main = library.lean_main
    except (OSError, AttributeError) as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    values = [b"lean", *(os.fsencode(argument) for argument in lean_arguments)]
    vector = (ctypes.c_char_p * (len(values) + 1))(*values, None)
    return int(lean_main(len(values), vector))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
