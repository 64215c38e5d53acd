"""The jobs that build and repackage, their steps run by a shell: what they refuse, and what they hand on."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import sys
import zipfile
from pathlib import Path

import pytest
from actions_support import ROOT, commit, git
from small_programs import elf
from workflow_runner import Runner

WORKFLOWS = ROOT / ".github/workflows"

# Nothing is installed: `-m venv` makes a folder whose pip does nothing, and so do `-m pip` and cyclonedx-py.
PYTHON = f"""#!/bin/sh
case "$1 $2" in
  "-m pip") ;;
  "-m venv") mkdir -p "$3/bin" && echo '#!/bin/sh' >"$3/bin/pip" && chmod +x "$3/bin/pip" ;;
  *) exec '{sys.executable}' "$@" ;;
esac
"""
CYCLONEDX = '#!/bin/sh\nwhile [ $# -gt 1 ]; do [ "$1" != --output-file ] || echo "{}" >"$2"; shift; done\n'
GH = """#!/bin/sh
[ $1 = release ] || exit 0
mkdir official && cp "$RELEASE" official/ && echo "$@" >"$GH_LOG"
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner on an empty repository with our release scripts."""
    workspace = tmp_path / "repository"
    shutil.copytree(ROOT / "release", workspace / "release", ignore=shutil.ignore_patterns("__pycache__"))
    git(workspace, "init", "--quiet", "--initial-branch=main")
    for folder in ("temp", "tools"):
        (tmp_path / folder).mkdir()
    for name, script in (("python", PYTHON), ("cyclonedx-py", CYCLONEDX), ("gh", GH)):
        (tmp_path / "tools" / name).write_text(script)
        (tmp_path / "tools" / name).chmod(0o755)
    others = ("actions/checkout", "actions/setup-python", "actions/upload-artifact")
    return Runner(
        workspace=workspace,
        temp=tmp_path / "temp",
        github={"ref_name": "v1.2.3", "token": "none"},
        environment={
            "PATH": f"{tmp_path / 'tools'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "RELEASE": str(tmp_path / "lean-4.35.0-linux.zip"),
            "GH_LOG": str(tmp_path / "gh.log"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        players=dict.fromkeys(others, lambda runner, given: None),
        matrix={"platform": "linux-x86_64", "runner": "ubuntu-24.04"},
    )


def test_a_release_is_built_listed_and_handed_on(runner: Runner) -> None:
    pytest.importorskip("hatchling")
    workspace = runner.workspace
    (workspace / "small").mkdir()
    (workspace / "small/__init__.py").write_text("")
    (workspace / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "small"\nversion = "1.2.3"\nrequires-python = ">=3.11"\n'
    )
    (workspace / "CHANGELOG.md").write_text("## 1.2.3 (2026-01-31)\n")
    commit(workspace)
    assert runner.run_job(WORKFLOWS / "release.yml", "build") == "success", runner.log
    listed = dict(reversed(line.split()) for line in (workspace / "SHA256SUMS").read_text().splitlines())
    assert set(listed) == {"small-1.2.3.tar.gz", "small-1.2.3-py3-none-any.whl"}
    for name, digest in listed.items():
        assert hashlib.sha256((workspace / "dist" / name).read_bytes()).hexdigest() == digest
    assert (workspace / "sbom.cdx.json").is_file()
    handed = [given["path"].split() for used, given in runner.used if used == "actions/upload-artifact"]
    assert handed == [["dist"], ["SHA256SUMS", "sbom.cdx.json"]]
    (check,) = re.findall(
        r"^```sh\n(.*?)^```$", (ROOT / "RELEASING.md").read_text(), re.MULTILINE | re.DOTALL
    )
    shutil.rmtree(workspace / "dist")
    assert runner.run_steps([{"shell": "bash", "run": check}]) == "success"
    for name, digest in listed.items():
        assert hashlib.sha256((workspace / "dist" / name).read_bytes()).hexdigest() == digest


def test_a_tag_of_another_version_builds_nothing(runner: Runner) -> None:
    (runner.workspace / "pyproject.toml").write_text('[project]\nname = "small"\nversion = "1.2.4"\n')
    commit(runner.workspace)
    assert runner.run_job(WORKFLOWS / "release.yml", "build") == "failure"
    assert runner.step("Build twice").outcome == "failure", "also before a pipe"
    assert "the tag is v1.2.3" in runner.step("Build twice").log
    assert not (runner.workspace / "dist").exists()
    assert "actions/upload-artifact" not in {used for used, _ in runner.used}


def official(path: Path) -> str:
    """An archive laid out as a release, of programs that are linked but do nothing; returns its digest."""
    with zipfile.ZipFile(path, "w") as written:
        for name, data in {
            "LICENSE": b"Apache",
            "lib/lean/libleanshared.so": elf(["libc.so.6"], ["GLIBC_2.17"]),
        }.items():
            entry = zipfile.ZipInfo(f"lean-4.35.0-linux/{name}")
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            written.writestr(entry, data)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_lean_is_repackaged_from_the_pinned_archive_only(runner: Runner, tmp_path: Path) -> None:
    digest = official(Path(runner.environment["RELEASE"]))
    commit(runner.workspace)
    assert runner.run_job(WORKFLOWS / "lean-runtime.yml", "pack") == "failure"
    assert (tmp_path / "gh.log").read_text().split()[-3:] == ["lean-4.35.0-linux.zip", "--dir", "official"]
    refused = runner.step("Compare its hash and repackage it, twice")
    assert refused.outcome == "failure"
    assert digest in refused.log
    assert not (runner.workspace / "dist").exists()

    pins = runner.workspace / "release/lean_releases.json"
    releases = json.loads(pins.read_text())
    releases["platforms"]["linux-x86_64"]["sha256"] = digest
    pins.write_text(json.dumps(releases))
    shutil.rmtree(runner.workspace / "official")
    runner.steps.clear()
    assert runner.run_job(WORKFLOWS / "lean-runtime.yml", "pack") == "failure"
    assert runner.step("Compare its hash and repackage it, twice").outcome == "success"
    assert runner.step("Try it").outcome == "failure", "this Lean does not run, and is not handed on"
    assert "actions/upload-artifact" not in {used for used, _ in runner.used}
