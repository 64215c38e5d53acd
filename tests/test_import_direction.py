"""Data flows one way: each part imports only from those above it (ARCHITECTURE.md), plugin and CLI last."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pytest_torchlean

PACKAGE = Path(pytest_torchlean.__file__).parent

ORDER = [
    "__init__",
    "error_codes",
    "error_examples",
    "error_reference",
    "errors",
    "extensions",
    "verdict",
    "changes",
    "isolation",
    "results",
    "files",
    "machine",
    "progress",
    "colours",
    "plaindata",
    "binary32",
    "ir",
    "ops",
    "onnx_import",
    "onnx_export",
    "derivatives",
    "runtime",
    "arithmetic",
    "evaluator",
    "nn",
    "approximation",
    "differential",
    "bounds",
    "certificate",
    "checker",
    "cache",
    "spec",
    "preprocessing",
    "properties",
    "jobs",
    "model_store",
    "library_ahead",
    "gate",
    "ratchet",
    "witness_files",
    "replay",
    "report",
    "outputs",
    "journal",
    "bundle",
    "preflight",
    "heartbeat",
    "starter",
    "hookspecs",
    "discovery",
    "deployed",
    "extend",
    "cli",
    "commands",
    "plugin_decorator",
    "plugin_progress",
    "plugin_ratchet",
    "plugin_session",
    "plugin_items",
    "plugin_scheduler",
    "plugin",
]
PUBLIC = ("spec", "deployed")
"""What the package's own `__init__` reaches, on first use."""

ALLOWED_UP = {
    ("gate", "witness_files"),  # a result names the file that its witnesses went to
    ("cli", "report"),
    ("cli", "commands"),  # one small module before all others, to keep the repository's code out
    ("plugin_scheduler", "plugin"),  # the name of a spec
    ("plugin_items", "plugin"),  # an item asks for the run's state when it runs
    ("plugin_progress", "plugin"),  # where pytest configures
    ("plugin_session", "plugin"),  # the names of the report options stand where pytest reads them first
}


def part_of(module: str) -> str:
    """The part a dotted module below the package belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def is_part(name: str) -> bool:
    """Whether the package has a module or a folder of this name."""
    return (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()


def imports_of(file: Path) -> set[str]:
    """Dotted names below the package that a file imports, at any level, type checking excluded."""
    package = ["pytest_torchlean", *file.relative_to(PACKAGE).with_suffix("").parts]
    tree = ast.parse(file.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("pytest_torchlean")}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: -node.level], *([base] if base else [])])
            if base == "pytest_torchlean":
                found |= {f"{base}.{alias.name}" if is_part(alias.name) else base for alias in node.names}
            elif base.startswith("pytest_torchlean."):
                found.add(base)
    return found


FILES = sorted(file for file in PACKAGE.rglob("*.py") if "lean" not in file.relative_to(PACKAGE).parts)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_file_imports_only_from_above(file: Path) -> None:
    own = file.relative_to(PACKAGE).with_suffix("").parts[0]
    assert own in ORDER, f"{own} has no place in the order; add it to ARCHITECTURE.md and here"
    for module in imports_of(file):
        other = part_of(module)
        if other == own or (own, other) in ALLOWED_UP or (own == "__init__" and other in PUBLIC):
            continue
        assert ORDER.index(other) < ORDER.index(own), f"{own} imports {module}"


def names_imported(file: Path) -> set[str]:
    """First names of every absolute import in a file."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("onnxruntime", {"runtime"}),
        ("yaml", {"spec"}),
        ("junit_xml", {"report"}),
        ("onnx", {"onnx_import", "runtime", "onnx_export", "preprocessing", "starter"}),
        ("pickle", set()),
    ],
)
def test_library_has_one_door(library: str, places: set[str]) -> None:
    users = {
        file.relative_to(PACKAGE).with_suffix("").parts[0]
        for file in FILES
        if library in names_imported(file)
    }
    assert users <= places


def test_the_check_sees_a_wrong_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule says no: a file that imports upwards is found, absolute or relative."""
    wrong = tmp_path / "errors.py"
    wrong.write_text(
        "def late():\n    from pytest_torchlean.gate import run_one\n    from .plugin import x\n"
    )
    (tmp_path / "gate.py").touch()
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    assert imports_of(wrong) == {"pytest_torchlean.gate", "pytest_torchlean.plugin"}
    with pytest.raises(AssertionError, match="errors imports"):
        test_file_imports_only_from_above(wrong)
