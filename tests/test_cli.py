"""`torchlean`: exit codes, output, and no traceback for anything a user can do wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from gate_project import write_model, write_project
from onnx import helper
from onnx_models import model

from pytest_torchlean import properties
from pytest_torchlean.cli import main
from pytest_torchlean.error_codes import CODES
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.report.read import parse_record
from pytest_torchlean.spec import PropertySpec, load_spec
from pytest_torchlean.spec.schema import schema_text
from pytest_torchlean.verdict import Evidence, Verdict


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder that is the current one."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Properties whose name is their verdict."""

    def run_property(context: PropertyContext, prop: PropertySpec) -> Evidence:
        if prop.name == "interrupt":
            raise KeyboardInterrupt
        if prop.name == "crash":
            raise RuntimeError("a defect")
        return Evidence(Verdict[prop.name.upper()], claim="the claim", found="the finding")

    monkeypatch.setattr(properties, "run_property", run_property)


def test_check_passes_on_a_real_model(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(here, ["agrees"])
    assert main(["check", "--json", "out/record.json", "--junit", "out/junit.xml"]) == 0
    output = capsys.readouterr().out
    assert "AGREED   torchlean.yaml::tiny::agrees" in output
    assert "\x1b" not in output
    results, environment = parse_record((here / "out" / "record.json").read_bytes())
    assert results[0].outcome == "passed"
    assert environment.onnxruntime
    assert (here / "out" / "junit.xml").read_text().startswith("<?xml")


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["agreed"], 0),
        (["proved", "refuted"], 1),
        (["unknown"], 1),
        (["unsupported"], 1),
        (["divergent"], 1),
        (["crash", "agreed"], 3),
    ],
)
def test_exit_codes_of_verdicts(here: Path, names: list[str], code: int) -> None:
    write_project(here, names)
    assert main(["check"]) == code


@pytest.mark.usefixtures("fake")
def test_failure_text_and_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(here, ["refuted", "agreed"])
    assert main(["check"]) == 1
    output = capsys.readouterr().out
    assert output.index("claimed:    the claim") < output.index("gate FAILED")
    assert output.count("claimed:") == 1


@pytest.mark.usefixtures("fake")
def test_selection_by_id(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(here, ["refuted", "agreed"])
    assert main(["check", "torchlean.yaml::tiny::agreed", "--json", "record.json"]) == 0
    assert "1 further properties were not run" in capsys.readouterr().out
    results, _ = parse_record((here / "record.json").read_bytes())
    assert {result.name: result.outcome for result in results} == {"agreed": "passed", "refuted": "failed"}
    assert main(["check", "torchlean.yaml::tiny"]) == 1
    assert main(["check", "torchlean.yaml::tiny::gone"]) == 2
    assert main(["check", "torchlean.yaml::a::b::c"]) == 2


def test_nothing_to_check(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 5
    assert "torchlean init" in capsys.readouterr().err
    assert main(["check", "absent.yaml"]) == 2
    assert main(["check", "."]) == 2


def test_bad_spec_shows_its_place_and_is_recorded(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = write_project(here, ["agrees"])
    spec.write_text(spec.read_text().replace("samples: 8", "samples: -8"))
    assert main(["check", "--json", "record.json"]) == 2
    errors = capsys.readouterr().err
    assert "torchlean.yaml:4:" in errors
    assert "^^" in errors
    assert "Traceback" not in errors
    results, _ = parse_record((here / "record.json").read_bytes())
    assert results[0].outcome == "failed"


@pytest.mark.usefixtures("fake")
def test_interrupt_keeps_what_was_found(here: Path) -> None:
    write_project(here, ["agreed", "interrupt", "proved"])
    assert main(["check", "--json", "record.json"]) == 130
    results, _ = parse_record((here / "record.json").read_bytes())
    assert [(result.name, result.outcome) for result in results] == [
        ("agreed", "passed"),
        ("interrupt", "failed"),
        ("proved", "failed"),
    ]


def test_specs_below_the_root_name_their_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "nested").mkdir()
    write_project(here / "nested", ["agrees"])
    assert main(["check", "nested"]) == 0
    assert "nested/torchlean.yaml::tiny::agrees" in capsys.readouterr().out


def test_usage_errors_exit_with_two(here: Path) -> None:
    for arguments in ([], ["nothing"], ["check", "--nothing"], ["inspect"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2


def test_inspect_shows_graph_and_certifiability(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(here / "tiny.onnx")
    assert main(["inspect", "tiny.onnx", "--graph"]) == 0
    output = capsys.readouterr().out
    assert "%hidden = Gemm(%x, %w, %b)" in output
    assert "FusedGemm" in output
    assert "certifiable" in output


def test_inspect_has_a_row_for_each_operator(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Relu", ["r"], ["q"]),
        helper.make_node("Tan", ["q"], ["y"]),
    ]
    onnx.save(model(nodes, {"x": [1, 4]}, {"y": [1, 4]}), "net.onnx")
    assert main(["inspect", "net.onnx"]) == 0
    output = capsys.readouterr().out
    assert "Relu      2      yes  yes\n" in output
    assert "Tan       1      yes  no      no bounds of it are proved in Lean\n" in output
    assert "Not certifiable: `check: runtime` works" in output
    assert main(["inspect", "net.onnx", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "torchlean.inspect/1"
    assert found["inputs"] == [{"name": "x", "dtype": "float32", "shape": [1, 4]}]
    assert found["certifiable"] is False
    assert [(row["op"], row["nodes"], row["certifiable_nodes"]) for row in found["operators"]] == [
        ("Relu", 2, 2),
        ("Tan", 1, 0),
    ]


def test_inspect_foretells_the_cost_of_a_proof(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(here / "tiny.onnx")
    assert main(["inspect", "tiny.onnx", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["certifiable"] is True
    assert 0 < found["kernel_seconds"] < 2
    assert found["weights"] == 6


def test_inspect_of_what_has_no_meaning_names_the_operator(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("RandomUniformLike", ["r"], ["y"])]
    onnx.save(model(nodes, {"x": [1, 4]}, {"y": [1, 4]}), "net.onnx")
    assert main(["inspect", "net.onnx"]) == 2
    shown = capsys.readouterr()
    assert "RandomUniformLike  1      no   -" in shown.out
    assert "Relu               1      yes  -" in shown.out
    assert "TL020" in shown.err
    assert main(["inspect", "net.onnx", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["evaluated"] is False


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TL0103"),
        (b"not a model", "TL0103"),
        (b"version https://git-lfs.github.com/spec/v1\n", "TL0102"),
    ],
)
def test_inspect_of_a_bad_model(
    here: Path, capsys: pytest.CaptureFixture[str], data: bytes, code: str
) -> None:
    (here / "bad.onnx").write_bytes(data)
    assert main(["inspect", "bad.onnx"]) == 2
    errors = capsys.readouterr().err
    assert code in errors
    assert "fix:" in errors


def test_output_escapes_what_a_file_name_holds(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "a\x1b[31m\n.onnx"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_init_writes_a_spec_that_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(here / "models" / "My net (1).onnx")
    assert main(["init", "models/My net (1).onnx"]) == 0
    spec = load_spec(here / "torchlean.yaml", here)
    assert list(spec.models) == ["my-net-1"]
    assert main(["check"]) == 0
    capsys.readouterr()
    assert main(["init", "models/My net (1).onnx"]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["init", "models/My net (1).onnx", "--force"]) == 0


def test_init_names_the_schema_that_it_writes_for_editors(here: Path) -> None:
    write_model(here / "tiny.onnx")
    assert main(["init", "tiny.onnx"]) == 0
    first = (here / "torchlean.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=torchlean.schema.json"
    schema = here / first.partition("=")[2]
    assert schema.read_text() == schema_text()
    schema.write_text("{}")
    assert main(["init", "tiny.onnx"]) == 2
    assert schema.read_text() == "{}"
    assert main(["init", "tiny.onnx", "--force"]) == 0
    assert schema.read_text() == schema_text()


def test_uncommented_examples_of_init_are_valid(here: Path) -> None:
    write_model(here / "tiny.onnx")
    main(["init", "tiny.onnx"])
    path = here / "torchlean.yaml"
    lines = path.read_text().splitlines()
    marked = [
        line.replace("  # - ", "  - ").replace("  #   ", "    ") if line.startswith("  # ") else line
        for line in lines
    ]
    path.write_text("\n".join(marked) + "\n")
    names = [prop.name for prop in load_spec(path, here).properties]
    assert names == [
        "runtime-agrees",
        "outputs-bounded",
        "robust",
        "safe-radius",
        "never-unsafe",
        "rises",
        "does-not-jump",
        "gentle",
        "nearly-solved",
        "stays-inside",
        "comes-to-rest",
    ]


def test_init_refuses_a_model_outside_its_folder(here: Path) -> None:
    write_model(here / "tiny.onnx")
    (here / "sub").mkdir()
    assert main(["init", "tiny.onnx", "--output", "sub/torchlean.yaml"]) == 2


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    for code in CODES:
        assert main(["explain", code.lower()]) == 0
    assert main(["explain"]) == 0
    assert "TL0101  model file not found" in capsys.readouterr().out
    assert main(["explain", "TL0100"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_doctor_without_lean_says_so(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--lean", str(here / "absent")]) == 1
    output = capsys.readouterr().out
    assert "BROKEN   Lean" in output
    assert "ok       onnxruntime" in output


def test_internal_error_has_no_traceback_unless_asked(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_torchlean.commands import explain

    def broken(options: object) -> int:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(explain, "run", broken)
    assert main(["explain"]) == 3
    assert "TL0901" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        main(["explain", "--debug"])


def test_unwritable_report_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(here, ["agrees"])
    (here / "file").touch()
    assert main(["check", "--json", "file/record.json"]) == 2
    assert "file" in capsys.readouterr().err


def test_colour_only_where_wanted(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse

    from pytest_torchlean import cli

    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "CLICOLOR"):
        monkeypatch.delenv(name, raising=False)
    assert cli.wants_colour(argparse.Namespace(colour=None))
    assert not cli.wants_colour(argparse.Namespace(colour=False))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not cli.wants_colour(argparse.Namespace(colour=None))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_no_terminal_is_too_poor_for_the_output(here: Path, encoding: str) -> None:
    write_project(here, ["agrees"])
    spec = here / "torchlean.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("tiny.onnx", "モデル.onnx"), encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C", "TERM": "dumb"}
    command = [sys.executable, "-m", "pytest_torchlean.cli", "check"]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    text = done.stderr.decode(encoding)
    assert "TL0101" in text
    assert "Traceback" not in text
    assert ("モデル" if encoding == "utf-8" else "\\u30e2") in text


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_sees_a_live_line_and_colours(here: Path) -> None:
    import pty

    write_project(here, ["agrees"])
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "CLICOLOR")}
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "pytest_torchlean.cli", "check"]
    done = subprocess.run(
        command, cwd=here, env={**environment, "TERM": "xterm"}, stdout=follower, stderr=follower, check=False
    )
    os.close(follower)
    seen = b""
    try:
        while chunk := os.read(leader, 65536):
            seen += chunk
    except OSError:  # the end of a pseudo-terminal
        pass
    os.close(leader)
    assert done.returncode == 0
    assert b"\r\x1b[K[1/1] torchlean.yaml::tiny::agrees: starting, 0 s" in seen
    assert b"\r\x1b[KAGREED      torchlean.yaml::tiny::agrees\r\n" in seen
    assert b"\x1b[32mAGREED" in seen


def test_record_is_ascii_json(here: Path) -> None:
    write_project(here, ["agrees"])
    main(["check", "--json", "record.json"])
    text = (here / "record.json").read_bytes()
    assert text.isascii()
    assert json.loads(text)["schema"] == "torchlean.report/1"
