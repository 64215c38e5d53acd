"""Matrix products take one thread while properties run, and what was set before is set again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pytest_torchlean.bounds import threads
from pytest_torchlean.bounds.processes import executor_of
from pytest_torchlean.bounds.threads import CHOSEN_BY_USER, Threads, one_thread


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CHOSEN_BY_USER:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def library() -> Iterator[Threads]:
    """An OpenBLAS that uses two threads until the test ends."""
    if not threads._libraries():
        pytest.skip("this numpy does not come with OpenBLAS")
    found = threads._libraries()[0]
    before = found[0]()
    found[1](2)
    if found[0]() != 2:
        pytest.skip("this OpenBLAS has one thread only")
    yield found
    found[1](before)


def test_one_thread_meanwhile(library: Threads) -> None:
    count, _ = library
    with one_thread():
        assert count() == 1
        with one_thread():
            assert count() == 1
        assert count() == 1
    assert count() == 2


def test_the_last_to_leave_sets_the_number_again_in_whatever_order(library: Threads) -> None:
    count, _ = library
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert count() == 1
    second.__exit__(None, None, None)
    assert count() == 2


def test_threads_that_overlap_leave_what_was_set(library: Threads) -> None:
    count, _ = library
    both, first_left = threading.Barrier(2), threading.Event()
    seen: list[int] = []

    def leave_first() -> None:
        with one_thread():
            both.wait(30)
        first_left.set()

    def leave_last() -> None:
        with one_thread():
            both.wait(30)
            assert first_left.wait(30)
            seen.append(count())

    running = [threading.Thread(target=target) for target in (leave_first, leave_last)]
    for one in running:
        one.start()
    for one in running:
        one.join(60)
    assert seen == [1]
    assert count() == 2


def test_what_was_set_is_set_again_behind_an_error(library: Threads) -> None:
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert library[0]() == 2


@pytest.mark.parametrize("name", CHOSEN_BY_USER)
def test_a_number_that_the_user_chose_stays(
    library: Threads, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "2")
    with one_thread():
        assert library[0]() == 2


def test_without_a_list_of_loaded_files_nothing_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_MAPS", tmp_path / "absent")
    threads._libraries.cache_clear()
    try:
        assert threads._libraries() == ()
        with one_thread():
            assert np.allclose(np.eye(3) @ np.eye(3), np.eye(3))
    finally:
        threads._libraries.cache_clear()


def _counts() -> list[int]:
    return [count() for count, _ in threads._libraries()]


def test_processes_of_ours_use_one_thread() -> None:
    if not _counts():
        pytest.skip("this numpy does not come with OpenBLAS")
    executor = executor_of(2)
    assert executor is not None
    with executor:
        assert set(executor.submit(_counts).result()) == {1}
