"""The scripts of `release/` as modules, and small programs in the three formats."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, scope="package")
def _release_scripts() -> Iterator[None]:
    sys.path.insert(0, str(ROOT / "release"))
    yield
    sys.path.remove(str(ROOT / "release"))
