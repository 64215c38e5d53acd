"""Files written whole or not at all, and read with a limit: what is read may be hostile."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_LFS_PREFIX = b"version https://git-lfs.github.com/spec/"


_NOTED: ContextVar[dict[Path, str] | None] = ContextVar("noted", default=None)


class FileTooLarge(OSError):
    """The file holds more bytes than its reader takes."""


def read_regular_file(path: Path, most_bytes: int) -> bytes:
    """All bytes of a regular file, read once.

    Raises OSError as `open` does, or where the path names a folder, device or pipe (which could block for
    ever); FileTooLarge where it holds more than `most_bytes`.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise FileTooLarge(f"it holds more than {most_bytes} bytes")
    return data


def read_input(path: Path, most_bytes: int) -> bytes:
    """As `read_regular_file`, for a file that a verdict rests on: `noting_inputs` learns its digest.

    Raises OSError too where a file that was read before holds other bytes now.
    """
    data = read_regular_file(path, most_bytes)
    noted = _NOTED.get()
    if noted is not None:
        digest = hashlib.sha256(data).hexdigest()
        if noted.setdefault(path, digest) != digest:
            raise OSError("it changed while it was used")
    return data


@contextmanager
def noting_inputs() -> Iterator[dict[Path, str]]:
    """The digests of all files that `read_input` reads inside, by path."""
    noted: dict[Path, str] = {}
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def reason(error: OSError) -> str:
    """Why a file could not be read, in the words of the system or of `read_regular_file`."""
    return error.strerror or str(error) or type(error).__name__


def is_lfs_pointer(data: bytes) -> bool:
    """Whether these are the bytes of a Git LFS pointer file (specification version 1)."""
    return len(data) < 1024 and data.startswith(_LFS_PREFIX)


def write_atomically(target: Path, data: bytes) -> None:
    """Replace a file in one step, making its folder where needed. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
