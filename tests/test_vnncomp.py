"""Lists of VNN-COMP instances: read, run, reported."""

from __future__ import annotations

import gzip
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean import cli
from pytest_torchlean.errors import SpecError
from pytest_torchlean.report.errors import error_text
from pytest_torchlean.spec.instances import load_instances

HEAD = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= 0 X_0 1))"


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """y = 2 x with one property that holds, packed, and one that does not."""
    (tmp_path / "pyproject.toml").write_text("")
    folder = tmp_path / "bench"
    (folder / "onnx").mkdir(parents=True)
    gemm = helper.make_node("Gemm", ["x", "w"], ["y"])
    weights = {"w": np.array([[2]], dtype=np.float32)}
    proto = model([gemm], {"x": [1, 1]}, {"y": [1, 1]}, weights)
    (folder / "onnx" / "Double.onnx").write_bytes(proto.SerializeToString())
    (folder / "holds.vnnlib.gz").write_bytes(gzip.compress(f"{HEAD}(assert (>= Y_0 2.5))".encode()))
    (folder / "fails.vnnlib").write_text(f"{HEAD}(assert (>= Y_0 1.5))")
    (folder / "wrong.vnnlib").write_text(f"{HEAD}(assert (>= Y_0 one))")
    return folder / "instances.csv"


def listed(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


HOLDS = "./onnx/Double.onnx,holds.vnnlib,30"
FAILS = "onnx/Double.onnx, fails.vnnlib, 12.5"


def test_lines_become_instances_with_unique_names(benchmark: Path) -> None:
    found = load_instances(listed(benchmark, HOLDS, "", FAILS, HOLDS), benchmark.parent.parent)
    assert found.file == "bench/instances.csv"
    assert [(one.line, one.model_name, one.name) for one in found.listed] == [
        (1, "double", "holds"),
        (3, "double", "fails"),
        (4, "double", "holds-2"),
    ]
    assert [one.timeout for one in found.listed] == [30, Fraction(25, 2), 30]
    assert found.listed[0].file.name == "holds.vnnlib.gz"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("onnx,vnnlib,timeout", "no number of seconds"),
        ("onnx/Double.onnx,fails.vnnlib", "not 2 values"),
        ("onnx/Double.onnx,fails.vnnlib,0", "not between"),
        ("onnx/Double.onnx,fails.vnnlib,1e9", "not between"),
        ("onnx/none.onnx,fails.vnnlib,5", "there is no file"),
        ("onnx/Double.onnx,none.vnnlib,5", "there is no file"),
        ("../../x.onnx,fails.vnnlib,5", "leads outside"),
        ("/etc/passwd,fails.vnnlib,5", "absolute"),
        ('"onnx/Double.onnx,fails.vnnlib,5', "not a list of values"),
    ],
)
def test_a_wrong_line_is_shown(benchmark: Path, line: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_instances(listed(benchmark, HOLDS, line), benchmark.parent.parent)
    assert caught.value.code == "TL0330"
    assert words in error_text(caught.value)
    assert "bench/instances.csv:2:1" in error_text(caught.value)


def test_every_wrong_line_is_shown_at_once(benchmark: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_instances(listed(benchmark, "a", HOLDS, "b,c,d"), benchmark.parent.parent)
    assert "2 errors" in error_text(caught.value)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xff\xfe"])
def test_a_list_of_nothing(benchmark: Path, data: bytes) -> None:
    benchmark.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        load_instances(benchmark, benchmark.parent.parent)
    assert caught.value.code == "TL0330"


def run(*arguments: Any) -> int:
    return cli.main(["check", *map(str, arguments), "--no-color"])


@pytest.mark.usefixtures("library")
def test_a_list_runs_and_is_recorded(benchmark: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = benchmark.parent / "record.json"
    wrong = "onnx/Double.onnx,wrong.vnnlib,5"
    assert run("--vnncomp", listed(benchmark, HOLDS, FAILS, wrong), "--json", record) == cli.FAILED
    printed = capsys.readouterr().out
    assert "PROVED   bench/instances.csv::double::holds" in printed
    assert "REFUTED  bench/instances.csv::double::fails" in printed
    assert "3 properties: 1 PROVED, 1 REFUTED, 1 ERROR - gate FAILED" in printed
    assert "wrong.vnnlib:1:" in printed
    results = json.loads(record.read_text())["results"]
    assert [result["verdict"] for result in results] == ["PROVED", "REFUTED", "ERROR"]
    assert [result["spec"]["line"] for result in results] == [1, 2, 3]


@pytest.mark.usefixtures("library")
def test_a_list_of_what_holds_passes(benchmark: Path) -> None:
    assert run("--vnncomp", listed(benchmark, HOLDS)) == cli.PASSED


def test_a_list_excludes_specs(benchmark: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("torchlean.yaml", "--vnncomp", listed(benchmark, HOLDS)) == cli.BAD_INPUT
    assert "takes the place" in capsys.readouterr().err


def test_a_wrong_list_is_bad_input(benchmark: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--vnncomp", listed(benchmark, "a,b,c")) == cli.BAD_INPUT
    assert "TL0330" in capsys.readouterr().err
