"""The queue of parts: the hardest first, the same whatever the executor, ended by what breaks a clause."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.queue import Bounded, Rounds, Searched, cut_hardest_first
from pytest_torchlean.errors import ExtensionError
from pytest_torchlean.progress import Observer

LOWER, UPPER = np.array([-1.0, 0.0]), np.array([1.0, 1.0])
ROUNDS = Rounds(batch=4, calls=2)


def least_width(low: np.ndarray, high: np.ndarray) -> Bounded:
    """Parts are proved where they are small, and the later the nearer they are to the corner (-1, 0)."""
    widths = high - low
    least = 0.05 + low[:, 0] / 8 + low[:, 1] / 8 + 1 / 8 - widths.max(axis=1) / 2
    return Bounded(least, widths, np.zeros(len(low), dtype=bool))


def never(low: np.ndarray, high: np.ndarray) -> Bounded:
    """Nothing is proved, and the middle of a part near (1, 1) breaks the clause."""
    middle = (low + high) / 2
    return Bounded(-np.ones(len(low)), high - low, (middle > 0.9).all(axis=1))


def search(executor: Executor | None = None, most: int = 10_000) -> Searched:
    budget = Budget(executor=executor)
    return cut_hardest_first(least_width, LOWER, UPPER, most=most, rounds=ROUNDS, budget=budget)


def test_all_parts_are_proved_and_tile_the_box() -> None:
    found = search()
    assert found.proved
    cut = {index for index in range(len(found.boxes)) if index in found.cuts}
    leaves = [box for index, box in enumerate(found.boxes) if index not in cut]
    assert sum(float(np.prod(high - low)) for low, high in leaves) == pytest.approx(2.0)
    assert all(least_width(low[None], high[None]).least[0] > 0 for low, high in leaves)
    assert found.bounded == len(found.boxes)


def test_the_hardest_part_is_cut_first() -> None:
    found = search(most=40)
    assert not found.proved
    assert found.gap < 0
    cut_at = [tuple(found.boxes[index][0]) for index in found.cuts]
    assert cut_at[0] == (-1.0, 0.0)
    assert cut_at.count((-1.0, 0.0)) > 3


def test_no_more_parts_are_bounded_than_allowed() -> None:
    assert search(most=40).bounded <= 40
    assert search(most=0).bounded == 0


def test_a_point_that_breaks_a_clause_ends_the_search() -> None:
    found = cut_hardest_first(never, LOWER, UPPER, most=10_000, rounds=ROUNDS)
    assert not found.proved
    assert found.broken is not None
    assert (found.broken > 0.9).all()
    assert found.bounded < 10_000


def test_a_part_that_cannot_be_cut_ends_the_search() -> None:
    point = np.array([0.5, 0.5])
    found = cut_hardest_first(never, point, point, most=100, rounds=ROUNDS)
    assert not found.proved
    assert found.bounded == 1


def test_an_executor_changes_nothing() -> None:
    alone = search()
    with ThreadPoolExecutor(3) as executor:
        beside = search(executor)
    assert alone.cuts == beside.cuts
    assert alone.bounded == beside.bounded


def test_the_clock_ends_a_search() -> None:
    with pytest.raises(OutOfTime):
        cut_hardest_first(never, LOWER, UPPER, most=100, rounds=ROUNDS, budget=Budget(deadline=0.0))


def test_progress_is_told() -> None:
    class Heard(Observer):
        told: list[int] = []  # noqa: RUF012

        def step(self, done: int) -> None:
            self.told.append(done)

    cut_hardest_first(least_width, LOWER, UPPER, most=10_000, rounds=ROUNDS, budget=Budget(observer=Heard()))
    assert Heard.told == sorted(Heard.told)
    assert Heard.told[-1] == search().bounded


class Dying(Executor):
    """Its processes end at once."""

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        found: Future[Any] = Future()
        found.set_exception(BrokenExecutor("killed"))
        return found


def test_a_process_that_ends_is_an_error() -> None:
    with pytest.raises(ExtensionError) as caught:
        search(Dying())
    assert caught.value.code == "TL1007"
