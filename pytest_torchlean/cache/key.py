"""The key of an entry: everything that a search depends on, in one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest_torchlean
from pytest_torchlean.cache.known import FORMAT

_PACKAGE = Path(pytest_torchlean.__file__).parent
_SUFFIXES = (".py", ".lean")


@cache
def tool_digest() -> str:
    """The digest of this release: the format of entries, the version, and every source file of the package.

    Raises OSError where a file cannot be read.
    """
    digest = hashlib.sha256(FORMAT + pytest_torchlean.__version__.encode())
    roots = [_PACKAGE, *([_PACKAGE.parent / "lean"] if not (_PACKAGE / "lean").is_dir() else [])]
    for root in roots:
        for file in sorted(path for path in root.rglob("*") if path.suffix in _SUFFIXES and path.is_file()):
            name, data = file.relative_to(root).as_posix().encode(), file.read_bytes()
            digest.update(b"%d %s %d\n" % (len(name), name, len(data)))
            digest.update(data)
    return digest.hexdigest()


def key_of(parts: Mapping[str, object]) -> bytes:
    """The digest of named parts, each plain JSON data."""
    text = json.dumps({"tool": tool_digest(), **parts}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
