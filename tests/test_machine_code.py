"""When machine code is used, what it may hold, where it is kept, and how threads share its work."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pytest_torchlean.binary32 import kernels, machine

needs_numba = pytest.mark.skipif(not kernels.numba_available(), reason="numba is not installed")


def test_machine_code_is_kept_only_where_nobody_else_writes(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert machine._private(tmp_path / "not" / "there")
    tmp_path.chmod(0o722)
    assert not machine._private(tmp_path / "not" / "there")
    assert not machine._private(tmp_path)


@needs_numba
def test_machine_code_is_not_kept_in_a_folder_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_private", lambda folder: False)

    def doubled(x: float) -> float:
        return x + x

    function = machine.compiled(doubled)
    assert function(1.5) == 3.0
    assert not hasattr(function.stats, "cache_path") or function.stats.cache_path is None


@needs_numba
def test_numba_waits_until_numpy_has_spent_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHLEAN_KERNELS", raising=False)
    monkeypatch.setattr(machine, "_spent", {})
    assert machine.choose("kind", 0.6) == "numpy"
    assert machine.choose("other", 0.6) == "numpy"
    assert machine.choose("kind", 0.6) == "numba"
    monkeypatch.setenv("TORCHLEAN_KERNELS", "numpy")
    assert machine.choose("kind", 9.0) == "numpy"
    assert machine.choose("kind", 0.0, "numba") == "numba"


def test_the_number_of_threads_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted, expected in (("3", 3), ("0", 1), ("1000000", 64)):
        monkeypatch.setenv("TORCHLEAN_THREADS", wanted)
        assert machine.thread_count() == expected
    monkeypatch.setenv("TORCHLEAN_THREADS", "many")
    assert machine.thread_count() >= 1
    assert machine.thread_count(2) == 2


@needs_numba
@pytest.mark.parametrize("name", ["multiply", "normalize_rows", "mean_of"])
def test_machine_code_has_no_fused_operation(name: str) -> None:
    from numba import njit

    from pytest_torchlean.binary32 import loops

    row, none = np.ones((1, 8), dtype=np.float32), np.empty(0, dtype=np.float32)
    taps = np.zeros((8, 2), dtype=np.int64)
    arguments = {
        "multiply": (row, np.ones((1, 8, loops.WIDTH), dtype=np.float32), none, np.ones_like(row), 0, 1),
        "normalize_rows": (row, np.float32(1.0), row[0], row[0], np.ones_like(row)),
        "mean_of": (row, taps, row[0], np.ones_like(row)),
    }[name]
    function = njit(getattr(loops, name).py_func, fastmath=False, error_model="numpy", nogil=True)
    function(*arguments)
    (code,) = function.inspect_asm().values()
    assert not re.search(r"\b(vfn?m(add|sub)\w*|fn?m(add|sub)|fml[as])\b", code)
    assert re.search(r"\b(v?addss|v?addps|fadd)\b", code)


def test_a_thread_that_fails_is_not_overheard() -> None:
    def work(start: int, stop: int) -> None:
        if start:
            raise RuntimeError("second range")

    with pytest.raises(RuntimeError, match="second range"):
        machine.spread(8, 2, work)


def test_ranges_of_threads_are_disjoint_and_complete() -> None:
    for count in range(12):
        for threads in range(1, 6):
            seen = np.zeros(count, dtype=np.int64)

            def work(start: int, stop: int, seen: np.ndarray = seen) -> None:
                seen[start:stop] += 1

            machine.spread(count, threads, work)
            assert (seen == 1).all()
