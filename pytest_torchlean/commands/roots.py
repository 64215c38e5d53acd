"""Which folder is the repository: paths of a spec may not leave it, and ids are relative to it."""

from __future__ import annotations

from pathlib import Path

MARKS = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", ".git")


def root_for(path: Path, configured: Path | None) -> Path:
    """The configured root, or the nearest folder at or above `path`'s that looks like a project.

    Without any such folder: the current folder where `path` lies in it, else `path`'s own folder.
    """
    if configured is not None:
        return configured.resolve()
    folder = path.resolve().parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in MARKS):
            return candidate
    here = Path.cwd()
    return here if folder.is_relative_to(here) else folder
