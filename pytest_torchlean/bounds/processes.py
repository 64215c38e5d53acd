"""Processes of this machine for searches that cut boxes into many parts."""

from __future__ import annotations

from concurrent.futures import Executor


def executor_of(count: int) -> Executor | None:
    """So many processes, started when they are first needed; None for less than two.

    They are started anew and not forked: a fork of a process with threads may hang.
    """
    if count < 2:
        return None
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from pytest_torchlean.bounds.threads import one_thread_from_now_on

    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=one_thread_from_now_on)
