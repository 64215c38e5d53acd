"""The documents at the top name files, versions and hashes that are really there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pytest_torchlean
from pytest_torchlean.checker.check import ALLOWED_AXIOMS
from pytest_torchlean.checker.install import LEAN_VERSION, WHEEL_SHA256
from pytest_torchlean.error_codes import CODES

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "TRUST.md",
    "DIVERGENCES.md",
    "CHANGELOG.md",
    "RELEASING.md",
    "SECURITY.md",
    "lean/README.md",
    "example_repo/README.md",
    ".github/actions/certify/README.md",
)

_PATH = re.compile(r"`([\w./-]*[\w-]+(?:\.py|\.md|\.yaml|\.lean|\.npz|\.onnx|/))`")
_USERS_OWN = {
    "conftest.py",
    "torchlean.yaml",
    "torchlean.baseline.yaml",
    "torchlean.waivers.yaml",
    "Claim.lean",
}


def named_paths(text: str) -> list[str]:
    return [name for name in _PATH.findall(text) if name not in _USERS_OWN]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    package = ROOT / "pytest_torchlean"
    folders = tuple(package / name for name in ("ir", "nn", "differential", "bounds", "properties"))
    bases = (ROOT, package, (ROOT / document).parent, *folders)
    missing = [name for name in named_paths(text) if not any((base / name).exists() for base in bases)]
    missing += [name for name in _links(text) if not (ROOT / document).parent.joinpath(name).exists()]
    assert missing == []


def test_a_missing_file_is_noticed() -> None:
    assert named_paths("see `pytest_torchlean/nowhere.py` and `lean/none/`") == [
        "pytest_torchlean/nowhere.py",
        "lean/none/",
    ]
    assert _links("[x](TRUST.md) [y](https://example.org)") == ["TRUST.md"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_error_codes_exist(document: str) -> None:
    codes = re.findall(r"\bTL\d{4}\b", (ROOT / document).read_text(encoding="utf-8"))
    assert set(codes) <= set(CODES)


def test_every_package_is_on_the_map() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "pytest_torchlean").glob("*/__init__.py")}
    assert {name for name in packages if f"`pytest_torchlean/{name}/`" not in text} == set()
    folders = {path.name for path in (ROOT / "lean/PytestTorchLean").iterdir() if path.is_dir()}
    assert {name for name in folders if f"`lean/PytestTorchLean/{name}/`" not in text} == set()


def test_the_lean_readme_names_what_its_files_state() -> None:
    text = (ROOT / "lean/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`([\w.]+)[^`]*`\]\(([\w/]+\.lean)\)", text, re.MULTILINE)
    assert len(rows) >= 18
    missing = [
        name
        for name, file in rows
        if not re.search(
            rf"\b(?:def|theorem|structure|class|inductive|instance|namespace) (?:\w+\.)*{_last(name)}\b",
            (ROOT / "lean" / file).read_text(encoding="utf-8"),
        )
    ]
    assert missing == []


def test_trust_names_the_pinned_lean() -> None:
    text = (ROOT / "TRUST.md").read_text(encoding="utf-8")
    assert WHEEL_SHA256 in text
    assert f"Lean {LEAN_VERSION}" in text
    assert all(f"`{axiom}`" in text for axiom in ALLOWED_AXIOMS)
    assert len(ALLOWED_AXIOMS) == 2


def test_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(pytest_torchlean.__version__)}\b", text, re.MULTILINE)


def _last(name: str) -> str:
    return name.split(".")[-1]


def _links(text: str) -> list[str]:
    return [target for target in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in target]
