"""Folders that only this user can read or change, for files that are trusted when read back."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pytest_torchlean.errors import CheckerError

CACHE_VARIABLE = "TORCHLEAN_CACHE"


def cache_root(environment: Mapping[str, str] | None = None) -> Path:
    """The user's cache folder for this project: `$TORCHLEAN_CACHE`, else under XDG_CACHE_HOME or ~/.cache.

    Nothing is created. Raises CheckerError TL0506 if there is no home folder.
    """
    environment = os.environ if environment is None else environment
    chosen = environment.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).absolute() / "pytest-torchlean"
    base = environment.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):
        return Path(base) / "pytest-torchlean"
    try:
        return Path.home() / ".cache" / "pytest-torchlean"
    except RuntimeError as error:
        raise CheckerError("TL0506", f"there is no home folder: {error}") from error


def make_private_directory(path: Path) -> Path:
    """Create `path` with mode 0700 (parents as needed) and check it; returns `path`.

    Mode 0700 is demanded of a folder that exists as well: under the usual umask version control restores
    no folder with that mode. A checkout under umask 077, or an unpacked archive, can: the cache must not lie
    where others' files are put.

    Raises CheckerError TL0506 if it cannot be made, is a link, belongs to someone else or is open to others,
    or if a folder above it can be changed by everyone.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
    except OSError as error:
        raise CheckerError("TL0506", f"cannot create the folder {path}: {error}") from error
    require_private(path)
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise CheckerError(
                "TL0506", f"everyone may replace files in {parent}, above the cache folder {path}"
            )
    return path


def require_private(path: Path) -> None:
    """Raise CheckerError TL0506 unless `path` is a real folder of this user with mode 0700."""
    try:
        status = path.lstat()
    except OSError as error:
        raise CheckerError("TL0506", f"cannot examine {path}: {error}") from error
    if not stat.S_ISDIR(status.st_mode):
        raise CheckerError("TL0506", f"{path} is not a folder")
    if status.st_uid != os.geteuid():
        raise CheckerError("TL0506", f"{path} belongs to user {status.st_uid}, not to this user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise CheckerError(
            "TL0506", f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):04o})"
        )
