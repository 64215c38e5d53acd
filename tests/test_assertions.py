"""Every test can fail by what it sees: it asserts something, itself or through a function of the tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
WORDS = ("raises", "warns", "fail", "fnmatch_lines", "no_fnmatch_line", "re_match_lines")
"""Of pytest, besides everything that is called `assert_...`, also of numpy."""

Function = ast.FunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    """All functions and methods of a file."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def calls(function: Function) -> Iterator[tuple[str, bool]]:
    """The last name of everything that is called, and whether it may be a function of the tests."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, True
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr, ast.unparse(node.func.value) == "self"


def without_assertion(files: Mapping[str, ast.Module]) -> list[str]:
    """The tests that neither assert nor call what asserts; files by their path without `.py`."""
    known = {(file, own.name): own for file, tree in files.items() for own in functions(tree)}
    modules = {file.rpartition("/")[2]: file for file in files}
    imports = {
        (file, alias.asname or alias.name): (modules.get(str(node.module), ""), alias.name)
        for file, tree in files.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    answers: dict[tuple[str, str], bool] = {}

    def asserts(place: tuple[str, str]) -> bool:
        if place not in known:
            return place in imports and imports[place] in known and asserts(imports[place])
        if place not in answers:
            answers[place] = False
            own = known[place]
            answers[place] = any(isinstance(node, ast.Assert) for node in ast.walk(own)) or any(
                name in WORDS or name.startswith("assert_") or (ours and asserts((place[0], name)))
                for name, ours in calls(own)
            )
        return answers[place]

    tests = [place for place in known if place[1].startswith("test_")]
    return [f"{file}: {name}" for file, name in tests if not asserts((file, name))]


def test_every_test_asserts() -> None:
    paths = sorted(FOLDER.rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    names = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in paths]
    files = dict(zip(names, trees, strict=True))
    assert without_assertion(files) == []


def test_a_test_that_asserts_nothing_is_found() -> None:
    source = """
from helpers import judged, prepared

def own(): prepared(); own()
def test_direct(): assert 1
def test_helped(): judged()
def test_raising():
    with pytest.raises(ValueError): f()
def test_idle(): own()
def test_of_another(): box.judged()
"""
    helpers = "def judged():\n    assert 1\ndef prepared(): pass\n"
    files = {"test_x": ast.parse(source), "helpers": ast.parse(helpers)}
    assert without_assertion(files) == ["test_x: test_idle", "test_x: test_of_another"]
