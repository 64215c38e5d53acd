"""Entries as files of a private folder: written whole or not at all, read with suspicion, evicted by age.

An entry is the format's word, its key, the SHA-256 of its content, and the content. The digest finds torn and
flipped bytes; it proves nothing about who wrote them. Processes share the folder without locks: an entry
appears by `rename`, and a reader sees the old bytes or the new ones.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_torchlean.cache.known import FORMAT, MOST_BYTES
from pytest_torchlean.checker.private_directory import cache_root, make_private_directory
from pytest_torchlean.errors import CheckerError

SIZE_VARIABLE = "TORCHLEAN_CACHE_MB"
DEFAULT_MEGABYTES = 512
FOLDER = "certificates"
_SUFFIX = ".known"
_TEMPORARY = ".new-"
_STALE_SECONDS = 3600.0
"""A temporary file of this age belongs to a process that was killed."""
_HEAD = len(FORMAT) + 64
_KEPT = 0.9
"""Of the limit, what eviction leaves."""


@dataclass(frozen=True)
class CacheState:
    """What `torchlean doctor` shows."""

    folder: Path
    entries: int
    bytes: int
    limit: int


@dataclass(frozen=True)
class Store:
    """The entries in one folder. `limit`: bytes of all entries together."""

    folder: Path
    limit: int

    def read(self, key: bytes) -> bytes | None:
        """The content of an entry; None where there is none, or none that is whole, regular and ours."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            make_private_directory(self.folder)
            descriptor = os.open(self._path(key), flags | getattr(os, "O_BINARY", 0))
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(file.fileno())
                foreign = hasattr(os, "geteuid") and status.st_uid != os.geteuid()
                if not stat.S_ISREG(status.st_mode) or foreign or status.st_mode & 0o022:
                    return None
                if not _HEAD <= status.st_size <= _HEAD + MOST_BYTES:
                    return None
                data = file.read(_HEAD + MOST_BYTES + 1)
        except (OSError, CheckerError):
            return None
        content = data[_HEAD:]
        if data[:_HEAD] != FORMAT + key + hashlib.sha256(content).digest():
            return None
        return content

    def write(self, key: bytes, content: bytes) -> bool:
        """Replace an entry in one step and evict the oldest; False where that cannot be done."""
        if len(content) > min(MOST_BYTES, self.limit):
            return False
        try:
            make_private_directory(self.folder)
            descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=_TEMPORARY)
        except (OSError, CheckerError):
            return False
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(FORMAT + key + hashlib.sha256(content).digest() + content)
            os.replace(name, self._path(key))
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            return False
        self._evict()
        return True

    def touch(self, key: bytes) -> None:
        """Mark an entry as used, so that others are evicted first."""
        with contextlib.suppress(OSError):
            os.utime(self._path(key), follow_symlinks=False)

    def discard(self, key: bytes) -> None:
        """Remove an entry that misled."""
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    def clear(self) -> int:
        """Remove all entries and what killed processes left; returns how many entries there were. OSError."""
        removed = 0
        for path, _ in self._files():
            path.unlink(missing_ok=True)
            removed += path.suffix == _SUFFIX
        return removed

    @property
    def state(self) -> CacheState:
        """How much there is. Nothing is created."""
        sizes = [status.st_size for path, status in self._files() if path.suffix == _SUFFIX]
        return CacheState(self.folder, len(sizes), sum(sizes), self.limit)

    def _path(self, key: bytes) -> Path:
        return self.folder / f"{key.hex()}{_SUFFIX}"

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        """Our files, links not followed; others in the folder are left alone."""
        found = []
        with contextlib.suppress(OSError), os.scandir(self.folder) as listed:
            for item in listed:
                if not item.name.endswith(_SUFFIX) and not item.name.startswith(_TEMPORARY):
                    continue
                with contextlib.suppress(OSError):
                    if not item.is_dir(follow_symlinks=False):
                        found.append((Path(item.path), item.stat(follow_symlinks=False)))
        return found

    def _evict(self) -> None:
        files, total, now = [], 0, time.time()
        for path, status in self._files():
            if path.suffix == _SUFFIX:
                files.append((status.st_mtime, status.st_size, path))
                total += status.st_size
            elif now - status.st_mtime > _STALE_SECONDS:
                with contextlib.suppress(OSError):
                    path.unlink()
        if total <= self.limit:
            return
        for _, size, path in sorted(files):
            if total <= _KEPT * self.limit:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size


def default_store(environment: Mapping[str, str] | None = None) -> Store | None:
    """The user's store; None where TORCHLEAN_CACHE_MB is 0 or no number, or there is no home folder.

    Nothing is created.
    """
    environment = os.environ if environment is None else environment
    text = environment.get(SIZE_VARIABLE, "").strip() or str(DEFAULT_MEGABYTES)
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or int(text) == 0:
        return None
    try:
        return Store(cache_root(environment) / FOLDER, int(text) << 20)
    except CheckerError:
        return None
