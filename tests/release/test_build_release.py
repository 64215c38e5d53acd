"""A release is built twice to the same bytes, and only for the tag of its version."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SMALL = {
    "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    '[project]\nname = "small"\nversion = "1.2.3"\n[tool.hatch.build.targets.wheel]\npackages = ["small"]\n',
    "small/__init__.py": "",
    "CHANGELOG.md": "# Changelog\n\n## 1.2.3 (2026-01-31)\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    for name, text in SMALL.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def _epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hatchling")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


def test_this_project_is_built_to_the_same_bytes_twice(tmp_path: Path) -> None:
    from build_release import build

    digests = build(ROOT, tmp_path)
    assert sorted(name.rpartition(".")[2] for name in digests) == ["gz", "whl"]
    for name, digest in digests.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_a_build_that_is_not_reproducible_is_refused(small: Path, tmp_path: Path) -> None:
    from build_release import BuildError, build

    hook = "import time\nfrom hatchling.metadata.plugin.interface import MetadataHookInterface\n"
    hook += "class H(MetadataHookInterface):\n    def update(self, metadata):\n"
    hook += "        metadata['description'] = str(time.time_ns())\n"
    (small / "hatch_build.py").write_text(hook)
    text = SMALL["pyproject.toml"].replace(
        'version = "1.2.3"', 'version = "1.2.3"\ndynamic = ["description"]'
    )
    (small / "pyproject.toml").write_text(text + "[tool.hatch.metadata.hooks.custom]\n")
    with pytest.raises(BuildError, match="differ"):
        build(small, tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_the_tag_is_the_version(small: Path) -> None:
    from build_release import BuildError, require_tag

    require_tag(small, "v1.2.3")
    for tag in ("1.2.3", "v1.2.4", "v1.2.3; rm -rf"):
        with pytest.raises(BuildError, match="tag"):
            require_tag(small, tag)
    (small / "CHANGELOG.md").write_text("## 1.2.3 (unreleased)\n")
    with pytest.raises(BuildError, match="CHANGELOG"):
        require_tag(small, "v1.2.3")


def test_a_build_without_a_date_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from build_release import main

    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert main([str(tmp_path)]) == 2
