"""One thread for numpy's matrix products.

The matrices of bounds are small. OpenBLAS shares each product among all cores, and a thread that has nothing
left waits in a loop: that costs processor time, slows down what runs beside it, and makes the last bits of a
sum depend on the machine's number of cores.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy  # noqa: F401  (loads the library that is looked for)

CHOSEN_BY_USER = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""Environment variables by which users choose a number themselves."""
_MAPS = Path("/proc/self/maps")
_NAMES = (("", ""), ("", "64_"), ("scipy_", "64_"), ("scipy_", ""))
"""What builds of OpenBLAS put before and behind the names of its functions."""

Threads = tuple[Callable[[], int], Callable[[int], None]]
"""How a library gives its number of threads, and how it takes one."""
Before = list[tuple[Callable[[int], None], int]]
"""How each library takes a number of threads, and the one that it had."""

_inside = threading.Lock()
_depth = 0
_before: Before = []
"""What had been set when the first of those that are inside came in; the last one to leave sets it again."""


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenBLAS uses one thread meanwhile, unless the user chose a number; other libraries do as before.

    Threads of this process may be inside at once, and leave in any order.
    """
    global _depth, _before
    with _inside:
        if _depth == 0:
            _before = one_thread_from_now_on()
        _depth += 1
    try:
        yield
    finally:
        with _inside:
            _depth -= 1
            if _depth == 0:
                for set_threads, count in _before:
                    set_threads(count)


def one_thread_from_now_on() -> Before:
    """The same without an end; returns what had been set, and how to set it again."""
    found = () if any(os.environ.get(name) for name in CHOSEN_BY_USER) else _libraries()
    before = [(set_threads, get_threads()) for get_threads, set_threads in found]
    for set_threads, _ in before:
        set_threads(1)
    return before


@functools.cache
def _libraries() -> tuple[Threads, ...]:
    """How every OpenBLAS of this process gives and takes its number of threads, where that is known."""
    try:
        lines = _MAPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    paths = {line.split(maxsplit=5)[-1] for line in lines if "openblas" in line}
    return tuple(threads for path in sorted(paths) if (threads := _functions(path)) is not None)


def _functions(path: str) -> Threads | None:
    try:
        library = ctypes.CDLL(path)
    except OSError:
        return None
    for before, behind in _NAMES:
        get_threads = getattr(library, f"{before}openblas_get_num_threads{behind}", None)
        set_threads = getattr(library, f"{before}openblas_set_num_threads{behind}", None)
        if get_threads is not None and set_threads is not None:
            get_threads.argtypes, get_threads.restype = (), ctypes.c_int
            set_threads.argtypes, set_threads.restype = (ctypes.c_int,), None
            return get_threads, set_threads
    return None
