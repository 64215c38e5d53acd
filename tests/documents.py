"""Reads a page of documentation and does what it shows: writes its files, types its commands, compares.

- A fenced block whose first line is a comment with a path (`# torchlean.yaml`, `; specs/a.vnnlib`) is a file.
- A block `console` holds commands after `$ ` and what they print. A line `...` stands for any lines. Times,
  memory, versions and column widths may differ; everything else may not.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
EXAMPLE = ROOT / "example_repo"
PAGES = sorted(DOCS.rglob("*.md"))

_FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\A(?:#|;) ([\w./-]+\.\w+)\n")
_HEARTBEAT = "torchlean: ["
"""What a long run says while nothing else is printed."""
_VARIES = (
    (re.compile(r"\b\d+(\.\d+)? ?(s|seconds?|ms|MB|GB|KiB|MiB)\b"), "N"),
    (re.compile(r"\b(torchlean|onnxruntime|Lean|Python|numpy|numba) \d+(\.\d+)+\S*"), r"\1 V"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "COMMIT"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the file it is (or None), and the line where it stands."""

    language: str
    text: str
    path: str | None
    line: int


@dataclass(frozen=True)
class Step:
    """One command of a console block and the lines that it is said to print."""

    command: str
    shown: tuple[str, ...]


def blocks_of(page: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found = []
    for match in _FENCE.finditer(page):
        named = _FILE.match(match[2])
        found.append(
            Block(match[1], match[2], named[1] if named else None, page.count("\n", 0, match.start()) + 1)
        )
    return found


def steps_of(text: str) -> list[Step]:
    """The commands of a console block; a line that ends with a backslash goes on."""
    steps: list[Step] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).lstrip("> ")
            steps.append(Step(command, ()))
        else:
            assert steps, f"`{line}` stands before the first command"
            steps[-1] = Step(steps[-1].command, (*steps[-1].shown, line))
    return steps


def normal(text: str) -> list[str]:
    """The lines of `text` that are not empty, without what differs from run to run."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(_HEARTBEAT)]


def mismatch(shown: list[str], printed: list[str]) -> str | None:
    """The first line of `shown` that `printed` does not have in its place; None if all agree. Both normal."""
    if not shown:
        return f"prints `{printed[0]}`" if printed else None
    if shown[0] == "...":
        for skipped in range(len(printed) + 1):
            if mismatch(shown[1:], printed[skipped:]) is None:
                return None
        return f"after `...`: `{shown[1]}` is not printed"
    if not printed or shown[0] != printed[0]:
        return f"shows `{shown[0]}`, prints `{printed[0] if printed else 'nothing'}`"
    return mismatch(shown[1:], printed[1:])


def shell_environment(folder: Path) -> dict[str, str]:
    """The environment of a page's commands: `torchlean`, `pytest` and `python` are those of this run."""
    programs = folder / "programs"
    programs.mkdir()
    python = f'exec "{sys.executable}"'
    for name, call in {
        "torchlean": f'{python} -m pytest_torchlean.cli "$@"',
        "pytest": f'{python} -m pytest "$@"',
        "python": f'{python} "$@"',
    }.items():
        program = programs / name
        program.write_text(f"#!/bin/sh\n{call}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    passed_on = {
        key: value
        for key, value in os.environ.items()
        if key in ("HOME", "PYTHONPATH", "TMPDIR", "LD_LIBRARY_PATH") or key.startswith("TORCHLEAN_")
    }
    passed_on |= dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "A Developer")
    passed_on |= dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "developer@example.com")
    path = f"{programs}:{os.environ.get('PATH', os.defpath)}"
    return passed_on | {
        "PATH": path,
        "COLUMNS": "200",
        "LANG": "C.UTF-8",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }


def run(page: str, folder: Path) -> Iterator[tuple[Step, str | None]]:
    """Do what `page` shows in `folder`, which holds the models and data of the example.

    Gives each command with what is wrong about the answer shown, None where nothing is.
    """
    work = folder / "project"
    for part in ("models", "data", "regressed"):
        shutil.copytree(EXAMPLE / part, work / part)
    environment = shell_environment(folder)
    for block in blocks_of(page):
        if block.path is not None:
            target = work / block.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        code = 0
        for step in steps_of(block.text):
            done = subprocess.run(
                ["bash", "-c", f"(exit {code}); {step.command}"],
                cwd=work,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=600,
                check=False,
            )
            code = done.returncode
            wrong = mismatch(normal("\n".join(step.shown)), normal(done.stdout))
            yield step, wrong and f"line {block.line}: {wrong}\n{done.stdout}"
