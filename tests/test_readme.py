"""What the README shows can be typed: its commands, specs and Python."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pytest_torchlean.cli import _parser
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.spec import Spec, load_spec
from pytest_torchlean.verdict import Verdict

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "example_repo"


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(text: str = README) -> list[str]:
    """What follows a prompt in the console blocks."""
    return [
        line[2:] for block in blocks("console", text) for line in block.splitlines() if line.startswith("$ ")
    ]


def torchlean_calls(text: str) -> list[list[str]]:
    """Arguments of every call of `torchlean` in a shell line."""
    calls = []
    for part in re.split(r"&&|\|\||;", text):
        words = shlex.split(part, comments=True)
        if words and words[0].rsplit("/", 1)[-1] == "torchlean":
            calls.append(words[1:])
    return calls


def load(text: str, folder: Path) -> Spec:
    path = folder / "torchlean.yaml"
    path.write_text(text, encoding="utf-8")
    return load_spec(path, folder)


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    in_script = re.findall(r"^install_and_\w+='(.*)'$", script, re.MULTILINE)
    installing = [command for command in commands() if "pip install" in command]
    assert len(installing) == 2
    assert in_script == installing
    assert re.findall(r'^bash -c "\$(\w+)"$', script, re.MULTILINE) == [
        "install_and_check",
        "install_and_test",
    ]


def test_calls_of_torchlean_are_understood() -> None:
    calls = [call for command in commands() for call in torchlean_calls(command)]
    assert len(calls) >= 2
    for call in calls:
        options = _parser().parse_args(call)
        assert all((ROOT / path).is_dir() for path in getattr(options, "paths", ()))


def test_a_wrong_call_is_noticed() -> None:
    (call,) = torchlean_calls(".venv/bin/torchlean prove example_repo")
    with pytest.raises(SystemExit):
        _parser().parse_args(call)


def test_the_spec_loads(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    spec = load(text, tmp_path)
    assert {prop.check for prop in spec.properties} == {"runtime", "range", "robustness"}
    assert all((EXAMPLE / entry.shown).is_file() for entry in spec.models.values())


def test_a_wrong_spec_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(TorchleanError):
        load(blocks("yaml")[0].replace("epsilon:", "epsilom:"), tmp_path)


def test_python_runs() -> None:
    (text,) = [block for block in blocks("python") if "certify" in block]
    names: dict[str, object] = {}
    exec(compile(text, "README.md", "exec"), names)
    (mark,) = names["test_digits_are_robust"].pytestmark  # type: ignore[attr-defined]
    assert mark.name == "certify"
    assert (EXAMPLE / mark.args[0]).is_file()


def test_every_verdict_is_explained() -> None:
    table = README.partition("## Verdicts")[2].partition("##")[0]
    assert set(re.findall(r"^\| ([A-Z]+) \|", table, re.MULTILINE)) == {verdict.value for verdict in Verdict}


def test_the_shown_table_is_about_the_example() -> None:
    """The verdicts shown are those of the example's properties, and of no others."""
    spec = load_spec(EXAMPLE / "torchlean.yaml", EXAMPLE)
    shown = re.findall(r"^[A-Z]+ +(torchlean\.yaml::\S+)", "\n".join(blocks("console")), re.MULTILINE)
    assert shown == [spec.item_id(prop) for prop in spec.properties]
