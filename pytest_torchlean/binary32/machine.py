"""Machine code by numba: when it pays, how it is kept between runs, and on how many threads it runs.

No fastmath anywhere, so nothing is fused or reordered. numba keeps machine code on disk beside the package's
own bytecode, or in the user's cache folder. A key holds a digest of the sources, so that no other code is
ever taken; a folder that others may write to is not used at all.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

Implementation = Literal["numpy", "numba"]

_PATIENCE = 1.0
"""Seconds of numpy's time that a process may spend on one kind of work before numba does it: between what its
import and machine code from disk take, and what compilation takes on a new machine."""
_MOST_THREADS = 64


@functools.cache
def numba_available() -> bool:
    """Whether numba is installed; it is not imported to find out."""
    return importlib.util.find_spec("numba") is not None


_spent: dict[str, float] = {}


def choose(kind: str, seconds: float, implementation: Implementation | None = None) -> Implementation:
    """numpy or numba, for a kind of work and the time that it takes numpy, by estimate.

    The argument decides, then `TORCHLEAN_KERNELS=numpy` or `=numba` in the environment; otherwise numba where
    it is installed, once numpy has spent on this kind what numba needs before its first result.
    """
    if implementation is not None:
        return implementation
    wanted = os.environ.get("TORCHLEAN_KERNELS", "")
    if wanted == "numpy" or not numba_available():
        return "numpy"
    if wanted == "numba":
        return "numba"
    spend(kind, seconds)
    return "numba" if _spent[kind] > _PATIENCE else "numpy"


def spend(kind: str, seconds: float) -> None:
    """Count time that numpy has taken for a kind of work."""
    _spent[kind] = _spent.get(kind, 0.0) + seconds


# --- compilation --------------------------------------------------------------------------------------


def digest(sources: tuple[str, ...]) -> str:
    """SHA-256 of source files that machine code comes from, and of this one."""
    found = hashlib.sha256()
    for source in (*sources, __file__):
        found.update(Path(source).read_bytes())
    return found.hexdigest()


def compiled(function: Any, namespace: dict[str, Any] | None = None, *, key: str = "") -> Any:
    """A function compiled at its first call, with other globals if given; it releases the interpreter lock.

    key: holds the `digest` of its sources, unless a cell of its closure does.
    """
    from numba import njit

    scope = function.__globals__ if namespace is None else namespace
    code = FunctionType(function.__code__, scope, function.__name__, None, function.__closure__)
    code.__qualname__ = f"{function.__qualname__}-{key[:32]}" if key else function.__qualname__
    code.__module__ = function.__module__
    try:
        kept: Any = njit(code, fastmath=False, error_model="numpy", nogil=True, cache=True)
        if _private(Path(str(kept.stats.cache_path))):
            return kept
    except RuntimeError:
        # no folder to keep machine code in can be written
        pass
    return njit(code, fastmath=False, error_model="numpy", nogil=True, cache=False)


def _private(folder: Path) -> bool:
    """Whether nobody but this user and root may put files into the folder, which need not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    return found.st_uid in (0, os.getuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


# --- threads ------------------------------------------------------------------------------------------


def thread_count(threads: int | None = None) -> int:
    """The argument, or `TORCHLEAN_THREADS` in the environment, or the processors this process may use."""
    if threads is None:
        given = os.environ.get("TORCHLEAN_THREADS", "")
        threads = int(given) if given.isascii() and given.isdigit() else _processors()
    return max(1, min(threads, _MOST_THREADS))


@functools.cache
def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(count: int, threads: int, work: Callable[[int, int], object]) -> None:
    """work(start, stop) on ranges that together make range(count), one for each thread.

    Ranges must be independent of each other. Each thread refuses to run where it flushes subnormal numbers.
    """
    threads = min(threads, count)
    if threads <= 1:
        work(0, count)
        return
    ends = [count * part // threads for part in range(threads + 1)]
    pool = _pool(os.getpid())
    others = [pool.submit(_checked, work, ends[part], ends[part + 1]) for part in range(1, threads)]
    try:
        work(0, ends[1])
    finally:
        for other in others:
            other.result()


def _checked(work: Callable[[int, int], object], start: int, stop: int) -> None:
    from pytest_torchlean.binary32.kernels import require_gradual_underflow

    require_gradual_underflow()
    work(start, stop)


_lock = threading.Lock()


def _pool(process: int) -> ThreadPoolExecutor:
    with _lock:
        return _made(process)


@functools.lru_cache(maxsize=1)
def _made(process: int) -> ThreadPoolExecutor:
    """The threads of a process: a forked one has none of its parent's."""
    return ThreadPoolExecutor(max_workers=_MOST_THREADS, thread_name_prefix="torchlean")
