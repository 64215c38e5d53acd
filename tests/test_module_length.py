"""No module of the package is longer than a reader takes in: fewer than 400 lines, tables apart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest_torchlean

PACKAGE = Path(pytest_torchlean.__file__).parent
LONGEST = 400
TABLES = {
    "error_codes.py": "a row for each code, looked up by its number",
    "spec/kinds.py": "a row for each key of each kind of property",
}
"""Modules that hold one table and nothing else to follow; each says so where it begins."""


def too_long(folder: Path, tables: Iterable[str]) -> list[str]:
    """The modules of 400 lines or more that are no tables."""
    lines = {
        path.relative_to(folder).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(folder.rglob("*.py"))
    }
    return [f"{name}: {count}" for name, count in lines.items() if count >= LONGEST and name not in tables]


def test_modules_are_short() -> None:
    assert too_long(PACKAGE, TABLES) == []


def test_every_exception_is_a_table_and_is_needed() -> None:
    for name in TABLES:
        text = (PACKAGE / name).read_text(encoding="utf-8")
        assert "table" in text.split('"""')[1]
        assert len(text.splitlines()) >= LONGEST


def test_a_long_module_is_found(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "long.py").write_text("\n" * 400)
    (tmp_path / "short.py").write_text("\n" * 399)
    (tmp_path / "table.py").write_text("\n" * 500)
    assert too_long(tmp_path, ["table.py"]) == ["inner/long.py: 400"]
