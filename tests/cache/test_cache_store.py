"""Entries as files: what is no entry of ours is a miss, and nothing more happens."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_torchlean.cache import known
from pytest_torchlean.cache.store import DEFAULT_MEGABYTES, FOLDER, Store, default_store

KEY, OTHER = b"k" * 32, b"o" * 32
CONTENT = b"content" * 99


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "found", 1 << 20)


def entry(store: Store, key: bytes = KEY) -> Path:
    return store.folder / f"{key.hex()}.known"


def test_an_entry_comes_back_and_is_replaced_whole(store: Store) -> None:
    assert store.read(KEY) is None
    assert store.write(KEY, CONTENT)
    assert store.read(KEY) == CONTENT
    assert store.write(KEY, b"new")
    assert store.read(KEY) == b"new"
    assert store.read(OTHER) is None
    assert os.listdir(store.folder) == [entry(store).name]
    assert entry(store).stat().st_mode & 0o777 == 0o600


def link(path: Path, store: Store) -> None:
    store.write(OTHER, CONTENT)
    path.symlink_to(entry(store, OTHER))


def folder(path: Path, store: Store) -> None:
    path.mkdir()
    (path / "file").touch()


def huge(path: Path, store: Store) -> None:
    with path.open("wb") as file:
        file.truncate(known.MOST_BYTES * 3)


def grown(path: Path, store: Store) -> None:
    store.write(KEY, CONTENT)
    path.write_bytes(path.read_bytes() + b"more")


def cut(path: Path, store: Store) -> None:
    store.write(KEY, CONTENT)
    path.write_bytes(path.read_bytes()[:-1])


def of_another_key(path: Path, store: Store) -> None:
    store.write(OTHER, CONTENT)
    path.write_bytes(entry(store, OTHER).read_bytes())


def of_another_format(path: Path, store: Store) -> None:
    path.write_bytes(b"tlknown0" + KEY + hashlib.sha256(CONTENT).digest() + CONTENT)


def open_to_others(path: Path, store: Store) -> None:
    store.write(KEY, CONTENT)
    path.chmod(0o666)


def pipe(path: Path, store: Store) -> None:
    os.mkfifo(path)


WRONG = [link, folder, huge, grown, cut, of_another_key, of_another_format, open_to_others, pipe]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_what_is_no_entry_of_ours_is_a_miss(store: Store, wrong: Callable[[Path, Store], None]) -> None:
    store.write(OTHER, b"so that there is a folder")
    wrong(entry(store), store)
    assert store.read(KEY) is None
    if wrong is not folder:
        assert store.write(KEY, b"new")
        assert store.read(KEY) == b"new"
    else:
        assert not store.write(KEY, b"new")
        assert not list(store.folder.glob(".new-*"))


def test_every_flipped_bit_is_seen(store: Store) -> None:
    store.write(KEY, b"some content")
    whole = entry(store).read_bytes()
    for place in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        entry(store).write_bytes(bytes(flipped))
        assert store.read(KEY) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_entry_is_a_miss(store: Store) -> None:
    store.write(KEY, CONTENT)
    entry(store).chmod(0)
    assert store.read(KEY) is None


@pytest.mark.parametrize("how", ["open", "link", "file"])
def test_a_folder_that_is_not_private_is_not_used(store: Store, tmp_path: Path, how: str) -> None:
    if how == "open":
        store.write(KEY, CONTENT)
        store.folder.chmod(0o755)
    elif how == "link":
        Store(tmp_path / "elsewhere", 1 << 20).write(KEY, CONTENT)
        store.folder.symlink_to(tmp_path / "elsewhere")
    else:
        store.folder.write_text("")
    assert store.read(KEY) is None
    assert not store.write(OTHER, CONTENT)


def test_the_oldest_entries_go_and_used_ones_stay(tmp_path: Path) -> None:
    store = Store(tmp_path / "found", 10_000)
    now = time.time()
    for number in range(9):
        key = bytes([number]) * 32
        assert store.write(key, b"x" * 1000)
        os.utime(entry(store, key), (now - 1000 + number,) * 2)
    store.touch(b"\0" * 32)
    assert store.write(b"n" * 32, b"x" * 1000)
    assert store.state.bytes <= 10_000
    assert store.read(b"\0" * 32) is not None
    assert store.read(b"n" * 32) is not None
    assert store.read(b"\1" * 32) is None


def test_what_is_larger_than_the_cache_is_not_written(tmp_path: Path) -> None:
    store = Store(tmp_path / "found", 100)
    assert not store.write(KEY, b"x" * 101)
    assert store.state.entries == 0


def test_leftovers_of_killed_processes_go_when_they_are_old(store: Store) -> None:
    store.write(KEY, CONTENT)
    old, young, foreign = (store.folder / name for name in (".new-old", ".new-young", "notes.txt"))
    for path in (old, young, foreign):
        path.write_text("x")
    os.utime(old, (0, 0))
    os.utime(foreign, (0, 0))
    store.write(OTHER, CONTENT)
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()
    assert store.state.entries == 2
    assert store.clear() == 2
    assert os.listdir(store.folder) == ["notes.txt"]


def test_discarding_and_touching_what_is_not_there_is_no_error(store: Store) -> None:
    store.discard(KEY)
    store.touch(KEY)
    assert store.clear() == 0
    assert store.state.entries == 0
    assert not store.folder.exists()


def _hammer(folder: Path, seed: int) -> bool:
    """Writes and reads the same few entries as the other processes; whether all that was read was whole."""
    store = Store(folder, 40_000)
    for step in range(150):
        key = bytes([(step * 7 + seed) % 5]) * 32
        store.write(key, key * (100 + (step + seed) % 300))
        content = store.read(key)
        if content is not None and (len(content) % 32 or set(content) != set(key)):
            return False
    return True


def test_processes_share_the_folder_without_harm(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert all(pool.starmap(_hammer, [(tmp_path / "found", seed) for seed in range(4)]))
    assert Store(tmp_path / "found", 40_000).state.bytes <= 40_000


def test_the_place_and_the_limit_come_from_the_environment(tmp_path: Path) -> None:
    own = {"TORCHLEAN_CACHE": str(tmp_path)}
    found = default_store(own)
    assert found == Store(tmp_path / "pytest-torchlean" / FOLDER, DEFAULT_MEGABYTES << 20)
    assert default_store(own | {"TORCHLEAN_CACHE_MB": "3"}) == Store(found.folder, 3 << 20)
    for off in ("0", "none", "-1", "1" * 10):
        assert default_store(own | {"TORCHLEAN_CACHE_MB": off}) is None
    assert not list(tmp_path.iterdir())
