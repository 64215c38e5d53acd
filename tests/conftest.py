"""Fixtures of several folders: a real Lean, the whole library; and pytest run inside pytest."""

from __future__ import annotations

import os
import shutil

import hypothesis  # noqa: F401  (inner runs unload what they import; this one takes seconds to load)
import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall, ensure_built, find_lean
from pytest_torchlean.checker.sources import ROOT, source_directory
from pytest_torchlean.errors import CheckerError

pytest_plugins = ["pytester"]

# tests find everything anew, here and in the processes they start; those of the cache have one of their own
os.environ["TORCHLEAN_CACHE_MB"] = "0"


@pytest.fixture(scope="session")
def lean() -> LeanInstall:
    try:
        return find_lean()
    except CheckerError as error:
        if error.code == "TL0501":
            pytest.skip("no Lean is installed")
        raise


@pytest.fixture(scope="session")
def library(lean: LeanInstall) -> BuiltLibrary:
    return ensure_built(lean)


@pytest.fixture(scope="session")
def theorems(lean: LeanInstall, tmp_path_factory: pytest.TempPathFactory) -> BuiltLibrary:
    """The library with all that it proves, built: instances and what no certificate rests on, too."""
    folder = tmp_path_factory.mktemp("theorems")
    shutil.copytree(source_directory() / ROOT, folder / ROOT)
    root = (source_directory() / f"{ROOT}.lean").read_text(encoding="utf-8")
    (folder / f"{ROOT}.lean").write_text(root.replace("prelude\n", f"prelude\nimport {ROOT}.Theorems\n", 1))
    return ensure_built(lean, sources=folder)
