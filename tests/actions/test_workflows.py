"""What holds for every workflow and action here, and what actionlint, zizmor and shellcheck say of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from actions_support import ROOT
from workflow_runner import load

FOLDERS = (ROOT / ".github", ROOT / "example_repo/.github")
ACTIONS = sorted(path for folder in FOLDERS for path in folder.rglob("action.yml"))
WORKFLOWS = sorted(path for folder in FOLDERS for path in folder.glob("workflows/*.yml"))
SCRIPTS = sorted(path for folder in FOLDERS for path in folder.rglob("*.sh"))


def steps(path: Path) -> Iterator[dict[str, Any]]:
    document = load(path)
    if "runs" in document:
        yield from document["runs"]["steps"]
    for job in document.get("jobs", {}).values():
        yield from job["steps"]


def named(paths: list[Path]) -> Any:
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(ROOT)))


def test_there_are_some() -> None:
    assert len(ACTIONS) >= 2
    assert len(WORKFLOWS) >= 2
    assert len(SCRIPTS) >= 5


@named(ACTIONS + WORKFLOWS)
def test_no_expression_reaches_a_shell(path: Path) -> None:
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


@named(ACTIONS + WORKFLOWS)
def test_actions_of_others_are_pinned_by_hash_with_their_version(path: Path) -> None:
    lines = re.findall(r"^\s*(?:- )?uses: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    for line in lines:
        if line.startswith(("./", "YOUR_ORG/")):
            continue
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_one_version_of_each_action_is_used() -> None:
    used: dict[str, set[str]] = {}
    for path in ACTIONS + WORKFLOWS:
        for target, version in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", path.read_text()):
            used.setdefault("/".join(target.split("/")[:2]), set()).add(version)
    assert {name: sorted(versions) for name, versions in used.items() if len(versions) > 1} == {}


@named(WORKFLOWS)
def test_permissions_are_given_by_job_and_runs_end(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    if any("run" in step for step in steps(path)):
        assert workflow["defaults"] == {"run": {"shell": "bash"}}, "the runner's default has no pipefail"
    for job in workflow["jobs"].values():
        assert "timeout-minutes" in job
        assert "permissions" in job
        written = {name for name, right in job["permissions"].items() if right == "write"}
        assert written <= {"security-events", "id-token", "attestations", "contents"}
    if "pull_request" in workflow["on"]:
        rights = [right for job in workflow["jobs"].values() for right in job["permissions"].items()]
        assert {name for name, right in rights if right == "write"} <= {"security-events"}
    assert "pull_request_target" not in workflow["on"]


@named(WORKFLOWS)
def test_a_checkout_keeps_no_credentials(path: Path) -> None:
    for step in steps(path):
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@named(SCRIPTS)
def test_scripts_stop_at_errors(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text or "Sourced, never run." in text
    subprocess.run(["bash", "-n", str(path)], check=True)


def tool(name: str) -> str:
    """The program, from beside this Python or from the PATH; skips without it."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_shellcheck() -> None:
    run(tool("shellcheck"), "-x", *SCRIPTS, ROOT / ".ci/run")


def test_zizmor() -> None:
    run(tool("zizmor"), "--offline", "--no-progress", *FOLDERS)


def test_actionlint() -> None:
    run(tool("actionlint"), "-no-color", *WORKFLOWS)
