"""What the README shows can be typed: its commands, specs and Python."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean.cli import _parser
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.gate import ModelStore, jobs_of, run_one
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
        words = shlex.split(part)
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
        assert all((ROOT / path).is_dir() for path in options.paths)


def test_a_wrong_call_is_noticed() -> None:
    (call,) = torchlean_calls(".venv/bin/torchlean prove example_repo")
    with pytest.raises(SystemExit):
        _parser().parse_args(call)


def test_specs_load(tmp_path: Path) -> None:
    shown = blocks("yaml")
    assert shown
    for text in shown:
        spec = load(text, tmp_path)
        checks = {prop.check for prop in spec.properties}
        if any(entry.preprocess or entry.inputs for entry in spec.models.values()):
            continue
        assert checks in ({"runtime", "range", "robustness"}, {"vnnlib"})
        for entry in spec.models.values():
            assert checks == {"vnnlib"} or (EXAMPLE / entry.shown).is_file()


@pytest.mark.usefixtures("library")
def test_the_vnnlib_example_runs(tmp_path: Path) -> None:
    """Straight: |angle| / 2; turn: 1 - distance. Near, on either side, turn is larger."""
    (text,) = [block for block in blocks("yaml") if "vnnlib" in block]
    (file,) = blocks("lisp")
    for folder in ("models", "specs"):
        (tmp_path / folder).mkdir()
    weights = {
        "w": np.array([[0, 0, -1], [1, -1, 0]], dtype=np.float32),
        "b": np.array([0, 0, 1], dtype=np.float32),
        "v": np.array([[0.5, 0], [0.5, 0], [0, 1]], dtype=np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["y"]),
    ]
    controller = model(nodes, {"x": [1, 2]}, {"y": [1, 2]}, weights)
    (tmp_path / "models/controller.onnx").write_bytes(controller.SerializeToString())
    (tmp_path / "specs/turn.vnnlib").write_text(file)
    spec = load(text, tmp_path)
    store = ModelStore(tmp_path)
    (job,) = jobs_of(spec)
    assert job.prop is not None
    evidence = run_one(job, store=store).evidence
    assert evidence.verdict is Verdict.PROVED
    (tmp_path / "specs/turn.vnnlib").write_text(file.replace("0.2", "0.75"))
    assert run_one(job, store=store).evidence.verdict is Verdict.REFUTED


@pytest.mark.usefixtures("library")
def test_the_preprocessing_example_runs(tmp_path: Path) -> None:
    """Two classes by the mean of red and of blue: far apart they keep their class, close together not."""
    (text,) = [block for block in blocks("yaml") if "preprocess" in block]
    for folder in ("models", "data"):
        (tmp_path / folder).mkdir()
    weights = np.array([[0.25] * 4 + [0.0] * 8, [0.0] * 8 + [0.25] * 4], dtype=np.float32).T
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])]
    flowers = model(nodes, {"x": ["n", 3, 2, 2]}, {"y": ["n", 2]}, {"w": weights})
    (tmp_path / "models/flowers.onnx").write_bytes(flowers.SerializeToString())
    images = np.full((2, 2, 2, 3), 100, dtype=np.uint8)
    images[0, :, :, 0], images[1, :, :, 2] = 180, 180
    np.savez(tmp_path / "data/flowers-test.npz", inputs=images, labels=np.array([0, 1]))
    spec = load(text, tmp_path)
    (job,) = jobs_of(spec)
    evidence = run_one(job, store=ModelStore(tmp_path)).evidence
    assert evidence.verdict is Verdict.PROVED
    assert evidence.certified == 2
    (job,) = jobs_of(load(text.replace("epsilon: 2 ", "epsilon: 60 "), tmp_path))
    assert run_one(job, store=ModelStore(tmp_path)).evidence.verdict is Verdict.REFUTED


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


def test_modules_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = [block for block in blocks("python") if "nn.Module" in block]
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "README.md", "exec"), {"__name__": "readme"})
    store = ModelStore(tmp_path)
    assert store.graph(tmp_path / "net.onnx").free_batch


def test_every_verdict_is_explained() -> None:
    table = README.partition("## Verdicts")[2].partition("##")[0]
    assert set(re.findall(r"^\| ([A-Z]+) \|", table, re.MULTILINE)) == {verdict.value for verdict in Verdict}


def test_the_shown_table_is_about_the_example() -> None:
    """The verdicts shown are those of the example's properties, and of no others."""
    spec = load_spec(EXAMPLE / "torchlean.yaml", EXAMPLE)
    shown = re.findall(r"^[A-Z]+ +(torchlean\.yaml::\S+)", "\n".join(blocks("console")), re.MULTILINE)
    assert shown == [spec.item_id(prop) for prop in spec.properties]
