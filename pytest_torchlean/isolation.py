"""Keeps the code of a checked repository out of this process; imports the standard library only."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def keep_out(folder: Path) -> str | None:
    """Take a folder out of the places from which modules are imported.

    Returns the name of a module that was loaded from it before, None where there is none. The environment
    that this Python runs in is no part of the folder, even where it lies inside.
    """
    inside = os.path.realpath(folder)
    sys.path[:] = [entry for entry in sys.path if not _in(entry or os.getcwd(), inside)]
    sys.path_importer_cache.clear()
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and _in(file, inside):
            return name
    return None


def _in(path: str, folder: str) -> bool:
    real = os.path.realpath(path)
    return _below(real, folder) and not any(
        _below(real, os.path.realpath(prefix)) and _below(os.path.realpath(prefix), folder)
        for prefix in (sys.prefix, sys.base_prefix)
    )


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
