"""A runner whose Python installs nothing, and a small repository with a pull request."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gate_project import write_model
from workflow_runner import Runner

from pytest_torchlean.checker import BuiltLibrary

ROOT = Path(__file__).resolve().parents[1]
ACTIONS = ROOT / ".github/actions"

# `-m venv` makes a folder with this very script and `torchlean`; `-m pip` writes down what it is given.
PYTHON = f"""#!/bin/sh
[ "$1" = -I ] || {{ echo "Python is not isolated: $*" >&2; exit 99; }}
shift
case "$1 $2" in
  "-m venv") mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && cp "$(dirname "$0")/torchlean" "$4/bin/" ;;
  "-m pip") shift 2; printf '%s\\n' "$@" >"$PIP_LOG" ;;
  *) exec '{sys.executable}' "$@" ;;
esac
"""
TORCHLEAN = f"""#!/bin/sh
exec '{sys.executable}' -P -m pytest_torchlean.cli "$@"
"""

SPEC = """\
version: 1
models:
  tiny: {path: models/tiny.onnx}
properties:
  - name: runtime-agrees
    model: tiny
    check: runtime
    samples: 8
    sampling: [uniform]
  - name: outputs-bounded
    model: tiny
    check: range
    input: {lower: 0, upper: 1}
    output: {lower: -1, upper: 2}
"""


def git(folder: Path, *arguments: str) -> str:
    """Output of git, with an identity and without the machine's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{
            f"GIT_{who}_{what}": "a@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ["git", "-c", "commit.gpgsign=false", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip()


def write_small_project(folder: Path) -> None:
    write_model(folder / "models/tiny.onnx")
    (folder / "torchlean.yaml").write_text(SPEC)
    (folder / "README.md").write_text("Models.\n")


def commit(folder: Path, message: str = "change") -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def pull_request(folder: Path, change: Callable[[Path], object]) -> str:
    """Check out the merge commit that GitHub would make of a branch with this change; returns its hash."""
    git(folder, "switch", "--quiet", "--create", "topic")
    change(folder)
    commit(folder, "topic")
    git(folder, "switch", "--quiet", "main")
    git(folder, "switch", "--quiet", "--detach", "main")
    git(folder, "merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    return git(folder, "rev-parse", "HEAD")


def make_runner(repository: Path, tmp_path: Path, **github: object) -> Runner:
    """A runner on this clone. `setup-python` and uploads do nothing; caches are empty."""
    temp = tmp_path / "temp"
    tools = tmp_path / "tools"
    for folder in (temp, tools, tmp_path / "home"):
        folder.mkdir()
    for name, script in (("python3", PYTHON), ("torchlean", TORCHLEAN)):
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    event = {"repository": {"default_branch": "main"}, "pull_request": {"head": {"repo": {}}}}
    runner = Runner(
        workspace=repository,
        temp=temp,
        github={
            "event_name": "push",
            "ref": "refs/heads/main",
            "repository": "octo/models",
            "sha": git(repository, "rev-parse", "HEAD"),
            "event": event,
            **github,
        },
        environment={
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path / "home"),
            "PIP_LOG": str(tmp_path / "pip.log"),
            "GIT_CONFIG_NOSYSTEM": "1",
        },
    )
    nothing = dict.fromkeys(
        (
            "actions/setup-python",
            "actions/checkout",
            "actions/cache/restore",
            "actions/cache/save",
            "actions/upload-artifact",
            "github/codeql-action/upload-sarif",
        ),
        lambda runner, given: None,
    )
    runner.players = nothing
    return runner


def restore_library(library: BuiltLibrary, target: Path) -> None:
    """Put the built library where a cache would, by hard links."""
    build = library.olean_directory.parent
    target.mkdir(mode=0o700, parents=True)
    shutil.copytree(build, target / build.name, copy_function=os.link)
