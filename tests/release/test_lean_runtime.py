"""Repackaging Lean: only the pinned archive, only what runs, the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from small_programs import elf, mach_o, pe

from pytest_torchlean.checker import LeanInstall, install
from pytest_torchlean.checker.runtime_wheel import read_runtime_wheel

ROOT = Path(__file__).resolve().parents[2]
LINUX = {
    "LICENSE": b"Apache",
    "LICENSES": b"the others",
    "bin/lake": elf([]),
    "include/lean/lean.h": b"",
    "lib/lean/Init.olean": b"large",
    "lib/lean/libleanshared.so": elf(["libc.so.6", "libc++.so.1"], ["GLIBC_2.17"]),
    "lib/libc++.so.1": elf(["libc.so.6"], ["GLIBC_2.26"]),
    "lib/lean/libLake_shared.so": elf(["libleanshared.so"]),
}


def archive(folder: Path, files: dict[str, bytes], executable: tuple[str, ...] = ()) -> Path:
    """A zip as releases are, everything in one folder."""
    path = folder / "official.zip"
    with zipfile.ZipFile(path, "w") as written:
        for name, data in files.items():
            entry = zipfile.ZipInfo(f"lean-4.35.0-x/{name}")
            entry.external_attr = (stat.S_IFREG | (0o755 if name in executable else 0o644)) << 16
            written.writestr(entry, data)
    return path


def packed(folder: Path, platform: str, place: Path) -> Path:
    from lean_runtime import Release, pack

    result: Path = pack(platform, Release(place), "ab" * 32, folder)
    return result


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as written:
        return {entry.filename: written.read(entry) for entry in written.infolist()}


def test_only_the_pinned_archive_is_taken(tmp_path: Path) -> None:
    from lean_runtime import RELEASES, RepackagingError, verified

    path = archive(tmp_path, LINUX)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    releases: dict[str, Any] = json.loads(json.dumps(RELEASES))
    about = releases["platforms"]["linux-x86_64"]
    about["sha256"] = None
    with pytest.raises(RepackagingError, match="none yet"):
        verified("linux-x86_64", path, releases)
    about["sha256"] = "0" * 64
    with pytest.raises(RepackagingError, match=digest):
        verified("linux-x86_64", path, releases)
    about["sha256"] = digest
    assert verified("linux-x86_64", path, releases) == digest
    with pytest.raises(RepackagingError, match="none of"):
        verified("plan9", path, releases)


def test_what_linux_needs(tmp_path: Path) -> None:
    wheel = packed(tmp_path, "linux-x86_64", archive(tmp_path, LINUX))
    assert wheel.name == "pytest_torchlean_lean-4.35.0-py3-none-manylinux_2_26_x86_64.whl"
    files = contents(wheel)
    information = "pytest_torchlean_lean-4.35.0.dist-info"
    assert set(files) == {
        "pytest_torchlean_lean/__init__.py",
        "pytest_torchlean_lean/release.json",
        "pytest_torchlean_lean/lib/lean/libleanshared.so",
        "pytest_torchlean_lean/lib/libc++.so.1",
        f"{information}/METADATA",
        f"{information}/WHEEL",
        f"{information}/RECORD",
        f"{information}/licenses/LICENSE",
        f"{information}/licenses/LICENSES",
        f"{information}/sboms/lean.cdx.json",
    }
    manifest = json.loads(files["pytest_torchlean_lean/release.json"])
    assert manifest["archive"] == {"name": "lean-4.35.0-linux.zip", "sha256": "ab" * 32}
    rows = [line.rsplit(",", 2) for line in files[f"{information}/RECORD"].decode().splitlines()]
    assert {name for name, _, _ in rows} == set(files)
    for name, digest, size in rows[:-1]:
        found = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        assert (digest, size) == (f"sha256={found}", str(len(files[name])))


def test_what_macos_needs(tmp_path: Path) -> None:
    files = {
        "LICENSE": b"Apache",
        "bin/lean": mach_o(["@rpath/libleanshared.dylib", "/usr/lib/libSystem.B.dylib"], (11, 0)),
        "lib/lean/libleanshared.dylib": mach_o(["@rpath/libInit_shared.dylib"], (12, 3)),
        "lib/lean/libInit_shared.dylib": mach_o(["@loader_path/libleanshared.dylib"], (10, 15)),
        "lib/libSystem.B.dylib": mach_o([], (11, 0)),
    }
    wheel = packed(tmp_path, "macos-arm64", archive(tmp_path, files, ("bin/lean",)))
    assert wheel.name.endswith("-macosx_12_0_arm64.whl")
    with zipfile.ZipFile(wheel) as written:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in written.infolist()}
    assert modes["pytest_torchlean_lean/bin/lean"] == 0o755
    assert modes["pytest_torchlean_lean/lib/lean/libleanshared.dylib"] == 0o644
    assert "pytest_torchlean_lean/lib/libSystem.B.dylib" not in modes


def test_what_windows_needs(tmp_path: Path) -> None:
    files = {
        "LICENSE": b"Apache",
        "bin/lean.exe": pe(["KERNEL32.dll", "LibLeanShared.dll"]),
        "bin/libleanshared.dll": pe(["api-ms-win-crt-math-l1-1-0.dll", "libuv-1.dll"]),
        "bin/libuv-1.dll": pe(["WS2_32.dll"]),
        "bin/libLake_shared.dll": pe([]),
    }
    wheel = packed(tmp_path, "windows-x86_64", archive(tmp_path, files))
    assert wheel.name.endswith("-win_amd64.whl")
    found = {name for name in contents(wheel) if name.endswith((".dll", ".exe"))}
    names = ("lean.exe", "libleanshared.dll", "libuv-1.dll")
    assert found == {f"pytest_torchlean_lean/bin/{name}" for name in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lib/lean/libleanshared.so": elf(["libgmp.so.10"])}, "libgmp.so.10"),
        ({"lib/lean/libleanshared.so": b"version https://git-lfs"}, "neither ELF"),
        ({"lib/lean/libleanshared.so": elf([])}, "which system"),
        ({"lib/lean/libleanshared.so": None}, "no file lib/lean/libleanshared.so"),
        ({"LICENSE": None, "LICENSES": None}, "no licence"),
        ({"../x": b""}, "outside"),
    ],
)
def test_a_release_that_cannot_run_is_refused(
    tmp_path: Path, change: dict[str, bytes | None], message: str
) -> None:
    from lean_runtime import RepackagingError

    files = {name: data for name, data in {**LINUX, **change}.items() if data is not None}
    with pytest.raises(RepackagingError, match=message):
        packed(tmp_path, "linux-x86_64", archive(tmp_path, files))
    assert list(tmp_path.glob("*.whl")) == []


def test_the_same_bytes_wherever_it_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = packed(tmp_path / "one", "linux-x86_64", archive(tmp_path, LINUX)).read_bytes()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    second = packed(
        tmp_path / "two", "linux-x86_64", archive(tmp_path, dict(reversed(LINUX.items())))
    ).read_bytes()
    assert first == second
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert packed(tmp_path / "three", "linux-x86_64", archive(tmp_path, LINUX)).read_bytes() != first


def test_a_link_of_the_archive_is_followed(tmp_path: Path) -> None:
    path = archive(tmp_path, LINUX)
    with zipfile.ZipFile(path, "a") as written:
        entry = zipfile.ZipInfo("lean-4.35.0-x/lib/lean/libc++.so.1")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        written.writestr(entry, "../libc++.so.1")
    files = contents(packed(tmp_path, "linux-x86_64", path))
    assert files["pytest_torchlean_lean/lib/lean/libc++.so.1"] == LINUX["lib/libc++.so.1"]


def test_a_wheel_of_the_lean_that_is_here(
    lean: LeanInstall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packed, unpacked, found, and run: one file is enough, and it is the pinned one."""
    from lean_runtime import Release, pack

    if lean.sha256 != install.WHEEL_SHA256:
        pytest.skip("the wheel is not installed")
    place = tmp_path / "release/lib/lean"
    place.mkdir(parents=True)
    os.symlink(lean.path, place / "libleanshared.so")
    (tmp_path / "release/LICENSE").write_text("Apache")
    wheel = pack("linux-x86_64", Release(tmp_path / "release"), "ab" * 32, tmp_path, level=0)
    assert wheel.name.endswith("-manylinux_2_17_x86_64.whl")
    with zipfile.ZipFile(wheel) as written:
        written.extractall(tmp_path / "site")
    wheel.unlink()
    package = tmp_path / "site/pytest_torchlean_lean"
    assert read_runtime_wheel(package).sha256 == lean.sha256
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    found = install.find_lean(environment={})
    assert (found.path, found.kind, found.verified) == (package / "lib/lean/libleanshared.so", "wheel", True)
    program = (
        "import sys; from pathlib import Path; from lean_runtime import _lean; "
        "print(_lean(Path(sys.argv[1]), ['--version'], Path()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(found.path)],
        cwd=ROOT / "release",
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert "Lean (version 4.35.0" in done.stdout
    shutil.rmtree(tmp_path / "site")


def test_the_version_is_the_checkers_and_the_commit_that_trust_names() -> None:
    from lean_runtime import FORMAT, PACKAGE, RELEASES

    from pytest_torchlean.checker import runtime_wheel

    assert RELEASES["version"] == install.LEAN_VERSION
    assert RELEASES["commit"] in (ROOT / "TRUST.md").read_text(encoding="utf-8")
    assert (PACKAGE, FORMAT) == (runtime_wheel.PACKAGE, runtime_wheel.FORMAT)
