"""Fixtures: the core of our library, built, and scripts that pretend to be Lean."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall, ensure_built
from pytest_torchlean.checker.sources import source_directory


@pytest.fixture(scope="session")
def core_sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library cut down to its core, so that these tests do not depend on the rest."""
    folder = tmp_path_factory.mktemp("core-sources")
    shutil.copytree(source_directory() / "PytestTorchLean" / "Core", folder / "PytestTorchLean" / "Core")
    shutil.copy(
        source_directory() / "PytestTorchLean" / "Core.lean", folder / "PytestTorchLean" / "Core.lean"
    )
    modules = ("Core", "Core.Int", "Core.Eval", "Core.IO")
    imports = "".join(f"import PytestTorchLean.{name}\n" for name in modules)
    (folder / "PytestTorchLean.lean").write_text(f"prelude\n{imports}")
    return folder


@pytest.fixture(scope="session")
def core(lean: LeanInstall, core_sources: Path) -> BuiltLibrary:
    return ensure_built(lean, sources=core_sources)


@pytest.fixture
def fake_lean(tmp_path: Path) -> Callable[[str], LeanInstall]:
    """`fake_lean(body)`: a shell script in the place of Lean. `$nonce` is this run's nonce."""

    def make(body: str) -> LeanInstall:
        script = tmp_path / "fake-lean"
        find = r"nonce=$(sed -n 's/.*_root_\.\(accepted_[0-9a-f]*\).*/\1/p' Certificate.lean | head -n 1)"
        script.write_text(f"#!/bin/sh\n{find}\n{body}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return LeanInstall("toolchain", script, "4.35.0", "0" * 64, verified=False)

    return make
