"""A Lean from the repackaged release: found without import, every file compared, pinned or unverified."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pytest_torchlean.checker import LEAN_VERSION, LeanInstall, find_lean, install, runtime_wheel
from pytest_torchlean.errors import CheckerError


def write(folder: Path, files: dict[str, bytes], changes: dict[str, Any] | None = None) -> Path:
    """A package with these files; the entry is the first one. `changes` replace keys of the manifest."""
    package = folder / runtime_wheel.PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    for name, data in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_bytes(data)
    manifest = {
        "format": runtime_wheel.FORMAT,
        "version": LEAN_VERSION,
        "entry": next(iter(files)),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    (package / runtime_wheel.MANIFEST).write_text(json.dumps(manifest | (changes or {})))
    return package


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages are found in, and no other wheel."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(install, "_wheel_library", lambda: None)
    return tmp_path


def code() -> str:
    with pytest.raises(CheckerError) as caught:
        find_lean(environment={"PATH": "/nowhere"})
    return caught.value.code


def test_an_unpinned_library_is_found_and_marked(here: Path) -> None:
    package = write(here, {"lib/lean/libleanshared.so": b"lean"})
    found = find_lean(environment={})
    assert found == LeanInstall(
        "wheel",
        package / "lib/lean/libleanshared.so",
        LEAN_VERSION,
        hashlib.sha256(b"lean").hexdigest(),
        False,
    )


def test_a_program_with_libraries_is_run_as_a_program(here: Path) -> None:
    package = write(here, {"bin/lean": b"program", "lib/lean/libleanshared.dylib": b"library"})
    found = find_lean(environment={})
    assert (found.kind, found.path, found.verified) == ("toolchain", package / "bin/lean", False)
    before = found.sha256
    shutil.rmtree(package)
    write(here, {"bin/lean": b"program", "lib/lean/libleanshared.dylib": b"other"})
    assert find_lean(environment={}).sha256 != before


def test_the_pinned_library_is_verified(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here, {"libleanshared.so": b"lean"})
    monkeypatch.setattr(install, "PINNED", frozenset({hashlib.sha256(b"lean").hexdigest()}))
    assert find_lean(environment={}).verified


def test_a_pinned_wheel_goes_before_an_unpinned_release(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here, {"libleanshared.so": b"lean"})
    other = here / "other.so"
    other.write_bytes(b"pinned")
    digest = hashlib.sha256(b"pinned").hexdigest()
    monkeypatch.setattr(install, "WHEEL_SHA256", digest)
    monkeypatch.setattr(install, "_wheel_library", lambda: other)
    assert find_lean(environment={}).path == other
    monkeypatch.setattr(install, "PINNED", frozenset({hashlib.sha256(b"lean").hexdigest()}))
    assert find_lean(environment={}).path.name == "libleanshared.so"


def test_a_changed_file_is_refused(here: Path) -> None:
    package = write(here, {"bin/lean": b"program", "lib/x.so": b"library"})
    (package / "lib/x.so").write_bytes(b"changed")
    assert code() == "TL0502"
    (package / "lib/x.so").unlink()
    assert code() == "TL0502"


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "torchlean.lean-runtime/2"},
        {"entry": "bin/other"},
        {"files": {}},
        {"files": None},
        {"files": {"bin/lean": "0" * 64}},
        {"entry": "../lean", "files": {"../lean": hashlib.sha256(b"x").hexdigest()}},
        {"entry": "/bin/sh", "files": {"/bin/sh": "0" * 64}},
        {"files": {f"f{k}": "0" * 64 for k in range(200)}},
    ],
)
def test_a_manifest_that_says_something_else_is_refused(here: Path, changes: dict[str, Any]) -> None:
    (here / "lean").write_bytes(b"x")
    write(here, {"bin/lean": b"program"}, changes)
    assert code() == "TL0502"


def test_a_manifest_that_is_none_is_refused(here: Path) -> None:
    package = write(here, {"bin/lean": b"program"})
    for text in ("", "[]", "{", "1", '"x"'):
        (package / runtime_wheel.MANIFEST).write_text(text)
        assert code() == "TL0502"


def test_another_version_is_refused(here: Path) -> None:
    write(here, {"bin/lean": b"program"}, {"version": "4.34.0"})
    assert code() == "TL0503"
