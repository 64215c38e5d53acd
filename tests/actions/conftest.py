"""A small repository to run actions in."""

from __future__ import annotations

from pathlib import Path

import pytest
from actions_support import commit, git, write_small_project


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone of one commit on main: a spec with a runtime check and a proof."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    write_small_project(folder)
    commit(folder, "first")
    return folder
