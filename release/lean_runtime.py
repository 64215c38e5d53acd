"""Repackage an official Lean release as the wheel `pytest-torchlean-lean`: what Lean needs to run, no more.

    python release/lean_runtime.py archive PLATFORM
    python release/lean_runtime.py pack PLATFORM ARCHIVE OUTPUT
    python release/lean_runtime.py try WHEEL

`archive` prints the name of the release's archive. `pack` compares it with the SHA-256 pinned in
`lean_releases.json`, takes the entry point and every library of the release that it is linked to, directly or
not (`linked.py`), and writes one wheel whose bytes depend on the archive and on SOURCE_DATE_EPOCH only. A
library that is neither in the release nor part of the system is an error. `try` unpacks a wheel, asks its
Lean for its version and compiles our Core with it.

A Lean of this wheel is found by `pytest_torchlean/checker/install.py`, which compares every file with
`release.json`. Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from linked import UnknownFormat, linked

NAME = "pytest-torchlean-lean"
PACKAGE = "pytest_torchlean_lean"
FORMAT = "torchlean.lean-runtime/1"
HERE = Path(__file__).resolve().parent
RELEASES: dict[str, Any] = json.loads((HERE / "lean_releases.json").read_text(encoding="utf-8"))

_SYSTEM = re.compile(
    r"(?:libc|libm|libdl|librt|libpthread|libgcc_s)\.so\.\d+|ld-linux-[\w-]+\.so\.\d+"
    r"|/usr/lib/.*|/System/Library/.*"
    r"|(?:api-ms-win-[\w-]+|kernel32|ntdll|msvcrt|ucrtbase|user32|advapi32|shell32|ole32|ws2_32|iphlpapi|psapi"
    r"|userenv|dbghelp|bcrypt|bcryptprimitives|secur32|crypt32|icu|synchronization)\.dll",
    re.IGNORECASE,
)
"""Libraries that the operating system brings."""
_LICENCE = re.compile(r"LICENSES?(?:\..*)?")
_MOST_BYTES = 1 << 30

README = """\
# pytest-torchlean-lean

The run-time part of the official release {version} of Lean, byte for byte, for `pytest-torchlean`. It holds
what `lean` needs to check a proof, and neither Lean's library nor its build tools; `release.json` names the
archive that it was taken from and the SHA-256 of every file. For anything else install Lean itself.

Lean is the work of its authors, under the licences in this wheel. This package is not affiliated with them.
"""


class RepackagingError(Exception):
    """The archive is not the pinned one, or Lean cannot run from what it holds."""


@dataclass(frozen=True)
class File:
    """A file of the release: its bytes, and whether it may be executed."""

    data: bytes
    executable: bool


class Release:
    """The files of a release, from its zip archive or an unpacked folder, by path below the top folder."""

    def __init__(self, place: Path) -> None:
        self._folder = place if place.is_dir() else None
        if self._folder is not None:
            self._names = {
                path.relative_to(place).as_posix(): path.relative_to(place).as_posix()
                for path in place.rglob("*")
                if path.is_file()
            }
            return
        self._archive = zipfile.ZipFile(place)
        self._names = {}
        for entry in self._archive.infolist():
            _, _, inner = entry.filename.partition("/")
            if inner and not entry.is_dir():
                if ".." in PurePosixPath(inner).parts or "\\" in inner:
                    raise RepackagingError(f"the archive has a file outside its folder: {entry.filename!r}")
                self._names[inner] = entry.filename

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def read(self, name: str) -> File:
        """A file; a link inside the archive is followed once."""
        if name not in self._names:
            raise RepackagingError(f"the release has no file {name}")
        if self._folder is not None:
            path = self._folder / name
            return File(path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))
        entry = self._archive.getinfo(self._names[name])
        if entry.file_size > _MOST_BYTES:
            raise RepackagingError(f"{name} has {entry.file_size} bytes")
        mode = entry.external_attr >> 16
        data = self._archive.read(entry)
        if stat.S_ISLNK(mode):
            parts: list[str] = []
            for part in (*PurePosixPath(name).parent.parts, *PurePosixPath(data.decode()).parts):
                parts = parts[:-1] if part == ".." else [*parts, part]
            target = self._archive.getinfo(self._names["/".join(parts)])
            return File(self._archive.read(target), bool(target.external_attr >> 16 & stat.S_IXUSR))
        return File(data, bool(mode & stat.S_IXUSR))


@dataclass(frozen=True)
class Runtime:
    """What runs: the files by their path in the release, and the oldest system that loads all of them."""

    files: Mapping[str, File]
    format: str
    minimum: tuple[int, ...]


def closure(release: Release, entry: str) -> Runtime:
    """The entry and every library of the release that it loads, directly or not."""
    places: dict[str, list[str]] = {}
    for name in release:
        places.setdefault(name.rpartition("/")[2].lower(), []).append(name)
    files: dict[str, File] = {}
    waiting, form = [entry], ""
    minimum: tuple[int, ...] = ()
    while waiting:
        name = waiting.pop()
        if name in files:
            continue
        files[name] = release.read(name)
        try:
            found = linked(files[name].data)
        except UnknownFormat as error:
            raise RepackagingError(f"{name}: {error}") from error
        minimum, form = max(minimum, found.minimum), found.format
        for needed in found.needed:
            own = places.get(needed.rpartition("/")[2].lower(), [])
            nearest = sorted(own, key=lambda path: (path.rpartition("/")[0] != name.rpartition("/")[0], path))
            if nearest and not needed.startswith(("/usr/lib/", "/System/")):
                waiting.append(nearest[0])
            elif not _SYSTEM.fullmatch(needed):
                raise RepackagingError(
                    f"{name} needs {needed}, which is neither in the release nor of the system"
                )
    return Runtime(dict(sorted(files.items())), form, minimum)


def platform_tag(runtime: Runtime, machine: str) -> str:
    """The wheel's platform, from the oldest system that its files ask for."""
    if runtime.format == "pe":
        return f"win_{machine}"
    if len(runtime.minimum) != 2:
        raise RepackagingError("no file says which system it needs")
    major, minor = runtime.minimum
    if runtime.format == "elf":
        return f"manylinux_{major}_{max(minor, 17)}_{machine}"
    return f"macosx_{major}_{minor if major == 10 else 0}_{machine}"


def wheel_files(
    runtime: Runtime, licences: Mapping[str, bytes], about: Mapping[str, Any], tag: str
) -> dict[str, File]:
    """Every file of the wheel but RECORD."""
    version = about["version"]
    information = f"{PACKAGE}-{version}.dist-info"
    manifest = {
        "format": FORMAT,
        **about,
        "files": {name: hashlib.sha256(file.data).hexdigest() for name, file in runtime.files.items()},
    }
    metadata = [
        "Metadata-Version: 2.4",
        f"Name: {NAME}",
        f"Version: {version}",
        f"Summary: What Lean {version} needs to run, for pytest-torchlean",
        "License-Expression: Apache-2.0 AND LGPL-3.0-or-later AND MIT",
        *(f"License-File: {name}" for name in licences),
        "Requires-Python: >=3.11",
        "Description-Content-Type: text/markdown",
        "",
        README.format(version=version),
    ]
    wheel = [
        "Wheel-Version: 1.0",
        "Generator: lean_runtime",
        "Root-Is-Purelib: false",
        f"Tag: py3-none-{tag}",
        "",
    ]
    initial = f'"""The run-time part of Lean {version}: pytest-torchlean finds it, and imports nothing."""\n'
    texts = {
        f"{PACKAGE}/__init__.py": initial,
        f"{PACKAGE}/release.json": json.dumps(manifest, indent=1) + "\n",
        f"{information}/METADATA": "\n".join(metadata),
        f"{information}/WHEEL": "\n".join(wheel),
        f"{information}/sboms/lean.cdx.json": json.dumps(bill_of_materials(manifest), indent=1) + "\n",
    }
    files = {f"{PACKAGE}/{name}": file for name, file in runtime.files.items()}
    files |= {f"{information}/licenses/{name}": File(data, False) for name, data in licences.items()}
    return files | {name: File(text.encode(), False) for name, text in texts.items()}


def bill_of_materials(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """CycloneDX 1.6: Lean, its files, and what is linked into it."""
    version = manifest["version"]
    files = [
        {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}
        for name, digest in manifest["files"].items()
    ]
    lean: dict[str, Any] = {
        "type": "application",
        "bom-ref": "lean",
        "name": "lean4",
        "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "purl": f"pkg:github/leanprover/lean4@v{version}",
        "components": files,
    }
    within = [("gmp", "LGPL-3.0-or-later"), ("libuv", "MIT"), ("mimalloc", "MIT")]
    parts = [
        {"type": "library", "bom-ref": name, "name": name, "licenses": [{"license": {"id": licence}}]}
        for name, licence in within
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(manifest, sort_keys=True))}",
        "version": 1,
        "metadata": {"component": {"type": "library", "bom-ref": NAME, "name": NAME, "version": version}},
        "components": [lean, *parts],
        "dependencies": [
            {"ref": NAME, "dependsOn": ["lean"]},
            {"ref": "lean", "dependsOn": [name for name, _ in within]},
        ],
    }


def write_wheel(output: Path, files: Mapping[str, File], version: str, tag: str, *, level: int = 9) -> Path:
    """The wheel, with RECORD last: sorted entries, one time for all, no trace of this machine."""
    path = output / f"{PACKAGE}-{version}-py3-none-{tag}.whl"
    record = f"{PACKAGE}-{version}.dist-info/RECORD"
    when = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", "315532800")), 315532800))[:6]
    lines = []
    output.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files, key=lambda name: (".dist-info/" in name, name)):
            file = files[name]
            digest = base64.urlsafe_b64encode(hashlib.sha256(file.data).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(file.data)}")
            _add(archive, name, file, when, level)
        _add(archive, record, File("\n".join([*lines, f"{record},,", ""]).encode(), False), when, level)
    return path


def _add(archive: zipfile.ZipFile, name: str, file: File, when: tuple[int, ...], level: int) -> None:
    entry = zipfile.ZipInfo(name, (when[0], when[1], when[2], when[3], when[4], when[5]))
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | (0o755 if file.executable else 0o644)) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, file.data, compresslevel=level)


def verified(platform: str, archive: Path, releases: Mapping[str, Any] = RELEASES) -> str:
    """The SHA-256 of the archive, which is the pinned one. Raises RepackagingError."""
    about = _platform(platform, releases)
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != about["sha256"]:
        pinned = about["sha256"] or "none yet: compare this one with the digest of the release, then pin it"
        raise RepackagingError(f"{archive.name} has sha256 {digest}; lean_releases.json has {pinned}")
    return digest


def pack(
    platform: str,
    release: Release,
    digest: str,
    output: Path,
    *,
    releases: Mapping[str, Any] = RELEASES,
    level: int = 9,
) -> Path:
    """The wheel of one platform, from a release whose archive has this SHA-256. Raises RepackagingError."""
    about = _platform(platform, releases)
    runtime = closure(release, about["entry"])
    licences = {name: release.read(name).data for name in release if _LICENCE.fullmatch(name)}
    if not licences:
        raise RepackagingError("the release has no licence at its top")
    manifest = {
        "version": releases["version"],
        "commit": releases["commit"],
        "platform": platform,
        "archive": {"name": about["archive"], "sha256": digest},
        "entry": about["entry"],
    }
    tag = platform_tag(runtime, about["machine"])
    files = wheel_files(runtime, licences, manifest, tag)
    return write_wheel(output, files, releases["version"], tag, level=level)


def _platform(platform: str, releases: Mapping[str, Any]) -> Mapping[str, Any]:
    about: Mapping[str, Any] | None = releases["platforms"].get(platform)
    if about is None:
        raise RepackagingError(f"{platform!r} is none of {', '.join(releases['platforms'])}")
    return about


def try_out(wheel: Path, core: Path) -> str:
    """Run the Lean of a wheel: its version, and our Core compiled module by module."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        package = folder / PACKAGE
        manifest = json.loads((package / "release.json").read_text(encoding="utf-8"))
        entry = package / manifest["entry"]
        banner = _lean(entry, ["--version"], folder)
        expected = f"Lean (version {manifest['version']},"
        if not banner.startswith(expected) or manifest["commit"] not in banner:
            raise RepackagingError(f"it says {banner!r}, expected {expected} ... commit {manifest['commit']}")
        compiled = 0
        for module in _in_order(core):
            target = folder / "olean" / module.with_suffix(".olean")
            target.parent.mkdir(parents=True, exist_ok=True)
            _lean(
                entry,
                [
                    "-DwarningAsError=true",
                    "-Dlinter.all=false",
                    "-o",
                    str(target),
                    str(core.parents[1] / module),
                ],
                folder,
            )
            compiled += 1
        return f"{banner.strip()}\n{compiled} modules of Core compiled"


def _in_order(core: Path) -> list[Path]:
    """Modules below `core` that rest on no others, in order, as paths below the library's folder."""
    root = core.parents[1]
    imports = {}
    for path in sorted(core.rglob("*.lean")):
        named = re.findall(r"^import (\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        imports[path.relative_to(root)] = {Path(*name.split(".")).with_suffix(".lean") for name in named}
    ordered: list[Path] = []
    while True:
        ready = [module for module in imports if module not in ordered and imports[module] <= set(ordered)]
        if not ready:
            return ordered
        ordered += ready


def _lean(entry: Path, arguments: Sequence[str], folder: Path) -> str:
    """Standard output of Lean. A shared library is entered at `lean_main`, an executable is run."""
    if ".so" in entry.suffixes:
        program = (
            "import ctypes, sys\n"
            "a = [x.encode() for x in ['lean', *sys.argv[2:]]]\n"
            "l = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)\n"
            "sys.exit(l.lean_main(len(a), (ctypes.c_char_p * (len(a) + 1))(*a, None)))\n"
        )
        command = [sys.executable, "-I", "-c", program, str(entry), *arguments]
    else:
        entry.chmod(0o755)
        command = [str(entry), *arguments]
    environment = {**os.environ, "LEAN_PATH": str(folder / "olean")}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=False
    )
    if done.returncode:
        text = (done.stdout + done.stderr).decode("utf-8", "replace")[:2000]
        raise RepackagingError(f"`lean {' '.join(arguments)}` ended with exit code {done.returncode}: {text}")
    return done.stdout.decode("utf-8", "replace")


def main(arguments: Sequence[str]) -> int:
    try:
        match list(arguments):
            case ["pack", platform, archive, output]:
                digest = verified(platform, Path(archive))
                print(pack(platform, Release(Path(archive)), digest, Path(output)))
            case ["archive", platform]:
                print(_platform(platform, RELEASES)["archive"])
            case ["try", wheel]:
                print(try_out(Path(wheel), HERE.parent / "lean/PytestTorchLean/Core"))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except RepackagingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
