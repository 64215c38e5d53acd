"""Lean from the wheel `pytest-torchlean-lean`: an official release, repackaged by `release/lean_runtime.py`.

The package is located, never imported. Its `release.json` names the entry point and the SHA-256 of every
file; a file that differs is refused. Whether these are the files of the official release is another question:
it is answered by a digest that is pinned in `install.py`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from pytest_torchlean.errors import CheckerError
from pytest_torchlean.files import read_regular_file, reason

PACKAGE = "pytest_torchlean_lean"
MANIFEST = "release.json"
FORMAT = "torchlean.lean-runtime/1"
_MOST_MANIFEST_BYTES = 1 << 20
_MOST_FILES = 100


@dataclass(frozen=True)
class RuntimeWheel:
    """What such a wheel holds. `library`: the entry is a shared library, entered at `lean_main`.

    Otherwise it is a program. `sha256` is that of the one file, or of the digests of several in the order of
    their names.
    """

    entry: Path
    kind: Literal["library", "program"]
    version: str
    sha256: str


def read_runtime_wheel(folder: Path) -> RuntimeWheel:
    """The Lean in the package's folder, every file compared with the manifest.

    Raises CheckerError TL0502 where the manifest cannot be understood, or a file is missing or differs.
    """
    try:
        found = json.loads(read_regular_file(folder / MANIFEST, _MOST_MANIFEST_BYTES))
        if found["format"] != FORMAT:
            raise ValueError(f"its format is {str(found['format'])[:60]!r}")
        version, entry = str(found["version"]), str(found["entry"])
        listed = {str(name): str(digest) for name, digest in found["files"].items()}
        if entry not in listed or len(listed) > _MOST_FILES:
            raise ValueError("its entry point is none of its files, or they are too many")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        text = reason(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise CheckerError("TL0502", f"{folder / MANIFEST} is not understood: {text[:200]}") from error
    digests = [_compared(folder, name, listed[name]) for name in sorted(listed)]
    digest = digests[0].hex() if len(digests) == 1 else hashlib.sha256(b"".join(digests)).hexdigest()
    kind: Literal["library", "program"] = "library" if ".so" in PurePosixPath(entry).suffixes else "program"
    return RuntimeWheel((folder / entry).resolve(), kind, version, digest)


def _compared(folder: Path, name: str, expected: str) -> bytes:
    """The digest of a file, which is the expected one."""
    path = folder / name
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
        raise CheckerError(
            "TL0502", f"{folder / MANIFEST} names a file outside of its folder: {name[:100]!r}"
        )
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        raise CheckerError("TL0502", f"cannot read {path}: {reason(error)}") from error
    if digest.hex() != expected:
        raise CheckerError("TL0502", f"{path} has sha256 {digest.hex()}, its wheel says {expected[:64]}")
    return digest
