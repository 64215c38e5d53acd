"""Reading files that may be hostile: regular files only, read once, of bounded size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pytest_torchlean.errors import ModelError
from pytest_torchlean.ir.names import printable

_LFS_PREFIX = b"version https://git-lfs.github.com/spec/"


def read_regular_file(path: Path, most_bytes: int) -> bytes:
    """All bytes of a regular file. OSError as `open` raises it; ModelError TL0107 when too large."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ModelError("TL0107", f"{printable(path.name)} has more than {most_bytes} bytes")
    return data


def is_lfs_pointer(data: bytes) -> bool:
    """Whether these are the bytes of a Git LFS pointer file (specification version 1)."""
    return len(data) < 1024 and data.startswith(_LFS_PREFIX)
