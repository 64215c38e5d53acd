"""Build the sdist and the wheel twice, and write them only if both times give the same bytes.

    SOURCE_DATE_EPOCH=... python release/build_release.py OUTPUT [--tag vX.Y.Z]

Each build works on a copy of the sources in a folder of its own, the second with other times and file modes;
the wheel is also built from the sdist. `--tag` compares a tag with the version and demands a dated entry of
the changelog. Needs hatchling, which is used as it is installed: what is built depends on its version, too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LEFT_OUT = (
    ".git",
    ".venv",
    "__pycache__",
    ".*_cache",
    ".torchlean",
    ".hypothesis",
    "dist",
    "build",
    "*.olean",
)
_HOOKS = "import sys; from hatchling import build; getattr(build, sys.argv[1])(sys.argv[2])"


class BuildError(Exception):
    """The build is not reproducible, or the tag does not fit the sources."""


def copy_sources(source: Path, target: Path, *, changed: bool) -> None:
    """A copy of the sources: what git tracks, or all but leftovers where there is no git. `changed`: other
    times and modes."""
    listed = subprocess.run(
        ["git", "-C", str(source), "ls-files", "-z"],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if listed.returncode == 0 and (source / ".git").exists():
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (source / name).is_file():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / name, target / name)
    else:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)
    if changed:
        for path in target.rglob("*"):
            if path.is_file():
                path.chmod(path.stat().st_mode & 0o700)
                os.utime(path, (10**9, 10**9))


def run_hook(hook: str, folder: Path, output: Path) -> Path:
    """Call a build hook of hatchling in a process of its own; returns what it wrote."""
    output.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "-I", "-c", _HOOKS, hook, str(output)],
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    (built,) = output.iterdir()
    return built


def build(source: Path, output: Path) -> dict[str, str]:
    """Digests of sdist and wheel, written to `output`. Raises BuildError if a second build differs."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for copy in ("first", "second"):
            copy_sources(source, work / copy, changed=copy == "second")
        sdists = [
            run_hook("build_sdist", work / copy, work / f"sdist-{copy}") for copy in ("first", "second")
        ]
        with tarfile.open(sdists[0]) as archive:
            archive.extractall(work / "unpacked", filter="data")
        (unpacked,) = (work / "unpacked").iterdir()
        wheels = [
            run_hook("build_wheel", folder, work / f"wheel-{folder.name}")
            for folder in (work / "second", unpacked)
        ]
        digests = {}
        for pair in (sdists, wheels):
            found = {hashlib.sha256(path.read_bytes()).hexdigest() for path in pair}
            if len(found) > 1 or len({path.name for path in pair}) > 1:
                raise BuildError(f"two builds of {pair[0].name} differ")
            digests[pair[0].name] = found.pop()
        output.mkdir(parents=True, exist_ok=True)
        for path in (sdists[0], wheels[0]):
            shutil.copyfile(path, output / path.name)
    return digests


def require_tag(source: Path, tag: str) -> None:
    """Raises BuildError unless the tag is `v` and the version, which the changelog has with a date."""
    version = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise BuildError(f"the tag is {tag}, the version of pyproject.toml is {version}")
    changes = (source / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", changes, re.MULTILINE):
        raise BuildError(f"CHANGELOG.md has no entry `## {version} (YYYY-MM-DD)`")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--tag")
    options = parser.parse_args(arguments)
    if not os.environ.get("SOURCE_DATE_EPOCH", "").isdecimal():
        print("error: set SOURCE_DATE_EPOCH, as by `git log -1 --format=%ct`", file=sys.stderr)
        return 2
    try:
        if options.tag is not None:
            require_tag(ROOT, options.tag)
        for name, digest in build(ROOT, options.output).items():
            print(f"{digest}  {name}")
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
