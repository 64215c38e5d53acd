"""A small repository under git in which a pull request can try what it likes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from gate_project import write_model

from pytest_torchlean.cli import main

SPEC = """\
version: 1
models:
  tiny: {path: models/tiny.onnx}
properties:
  - {name: bounded, model: tiny, check: range, input: {lower: 0, upper: 1}, output: {upper: 2}, timeout: 30s}
  - {name: robust, model: tiny, check: robustness, epsilon: 1/100, data: data/d.npz, at_least: 50%}
"""
BOUNDED, ROBUST = "torchlean.yaml::tiny::bounded", "torchlean.yaml::tiny::robust"


def git(folder: Path, *arguments: str) -> str:
    """One git command, with no configuration of the machine."""
    environment = os.environ | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def write_data(path: Path, labels: tuple[int, ...] = (0, 0, 0, 1)) -> None:
    """Four inputs of models/tiny.onnx; the labels are right by default, with wide margins."""
    inputs = np.array([[1, 0], [1, 0.25], [0.75, 0], [0, 1]], dtype=np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        np.savez(stream, inputs=inputs, labels=np.array(labels, dtype=np.int64))


def repository(folder: Path, spec: str = SPEC) -> Path:
    """A repository whose only commit has model, data and spec. Returns its working folder."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    write_model(folder / "models" / "tiny.onnx")
    write_data(folder / "data" / "d.npz")
    (folder / "torchlean.yaml").write_text(spec)
    return folder


def commit(folder: Path) -> str:
    """Commit everything; the commit's name."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "a commit")
    return git(folder, "rev-parse", "HEAD")


def edit(path: Path, old: str, new: str) -> None:
    """Replace a part of a file that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def check(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """`torchlean check` in this process: its exit code, and its record where it wrote one."""
    record = folder.parent / "record.json"
    record.unlink(missing_ok=True)
    code = main(["check", *arguments, "--no-extensions", "--json", str(record)])
    return code, json.loads(record.read_bytes()) if record.exists() else {}


def failing(record: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Kind, id and key of every change that fails the gate."""
    return {
        (change["kind"], change["id"], change["key"])
        for change in record["ratchet"]["changes"]
        if change["fails"]
    }


def verdicts(record: dict[str, Any]) -> dict[str, str]:
    """The verdicts by the ids."""
    return {result["id"]: result["verdict"] for result in record["results"]}
