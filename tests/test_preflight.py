"""Files that a spec names: each mistake has its line, a caret, a code and a fix; all of them in one run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from golden_support import GOLDEN, assert_golden
from onnx_models import random_layers

from pytest_torchlean.cli import main
from pytest_torchlean.error_codes import CODES

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a good model, good data, and bad ones of every sort."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "models").mkdir()
    (tmp_path / "data").mkdir()
    proto = onnx.shape_inference.infer_shapes(random_layers(1))
    onnx.save(proto, tmp_path / "models/digits.onnx")
    (tmp_path / "models/lfs.onnx").write_bytes(LFS)
    (tmp_path / "models/text.onnx").write_bytes(b"hello")
    (tmp_path / "models/empty.onnx").touch()
    rows, labels = np.zeros((3, 4), np.float32), np.zeros(3, np.int64)
    arrays = {
        "digits": {"inputs": rows, "labels": labels},
        "misnamed": {"images": rows, "labels": labels},
        "unlabelled": {"inputs": rows},
        "empty": {"inputs": rows[:0], "labels": labels[:0]},
        "wide": {"inputs": np.zeros((3, 5), np.float32), "labels": labels},
        "short": {"inputs": rows, "labels": labels[:2]},
        "nan": {"inputs": np.full((3, 4), np.nan, np.float32), "labels": labels},
    }
    for name, content in arrays.items():
        np.savez(tmp_path / f"data/{name}.npz", **content)
    (tmp_path / "data/lfs.npz").write_bytes(LFS)
    (tmp_path / "data/text.npz").write_bytes(b"hello")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_model(given: str) -> str:
    return (
        f"version: 1\nmodels:\n  digits:\n    {given}\nproperties:\n"
        "  - {name: agrees, model: digits, check: runtime}\n"
    )


def with_data(path: str, check: str = "robustness\n    epsilon: 1/10") -> str:
    return (
        "version: 1\nmodels:\n  digits: {path: models/digits.onnx}\nproperties:\n"
        f"  - name: robust\n    model: digits\n    check: {check}\n    data: {path}\n"
    )


def with_vnnlib(path: str) -> str:
    return (
        "version: 1\nmodels:\n  digits: {path: models/digits.onnx}\nproperties:\n"
        f"  - {{name: safe, model: digits, check: vnnlib, file: {path}}}\n"
    )


MISTAKES = {
    "model-missing": with_model("path: models/digits.onx"),
    "model-missing-far": with_model("path: else/where.onnx"),
    "model-is-a-folder": with_model("path: models"),
    "model-is-an-lfs-pointer": with_model("path: models/lfs.onnx"),
    "model-is-text": with_model("path: models/text.onnx"),
    "model-is-empty": with_model("path: models/empty.onnx"),
    "model-is-a-spec": with_model("path: torchlean.yaml"),
    "shape-of-another-extent": with_model("path: models/digits.onnx\n    shapes: {x: [1, 5]}"),
    "shape-of-another-rank": with_model("path: models/digits.onnx\n    shapes: {x: [1, 2, 2]}"),
    "shape-of-no-input": with_model("path: models/digits.onnx\n    shapes: {y: [1, 4]}"),
    "dim-of-no-input": with_model("path: models/digits.onnx\n    dims: {seq: 5}"),
    "data-missing": with_data("data/digit.npz"),
    "data-is-a-folder": with_data("data"),
    "data-is-an-lfs-pointer": with_data("data/lfs.npz"),
    "data-is-text": with_data("data/text.npz"),
    "data-misnamed": with_data("data/misnamed.npz"),
    "data-unlabelled": with_data("data/unlabelled.npz"),
    "data-empty": with_data("data/empty.npz"),
    "data-of-another-shape": with_data("data/wide.npz"),
    "data-with-few-labels": with_data("data/short.npz"),
    "data-with-nan": with_data("data/nan.npz"),
    "runtime-data-misnamed": with_data("data/misnamed.npz", "runtime"),
    "vnnlib-missing": with_vnnlib("specs/a.vnnlib"),
    "vnnlib-is-a-folder": with_vnnlib("data"),
    "vnnlib-is-an-lfs-pointer": with_vnnlib("data/lfs.npz"),
    "several": with_data("data/digit.npz").replace("digits.onnx", "digit.onnx")
    + "  - {name: safe, model: digits, check: vnnlib, file: specs/a.vnnlib}\n",
    "beside-other-mistakes": with_data("data/digit.npz").replace("digits.onnx", "digit.onnx")
    + "  - {name: safe, model: digit, check: vnnlib, file: specs/a.vnnlib}\n"
    + "  - {name: bounded, model: digits, chek: range, file: ../elsewhere}\n",
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", MISTAKES)
def test_message_is_as_pinned_and_nothing_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("torchlean.yaml").write_text(MISTAKES[name])
    assert main(["check"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert_golden(f"named_files/{name}.txt", shown.err.rstrip("\n") + "\n")
    first = re.match(r"torchlean\.yaml:\d+:\d+: (TL\d{4}): ", shown.err)
    assert first is not None
    assert first[1] in CODES
    assert "^" in shown.err
    assert "fix: " in shown.err


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in (GOLDEN / "named_files").iterdir()} == set(MISTAKES)


@pytest.mark.usefixtures("here")
def test_only_files_of_what_is_selected_count(capsys: pytest.CaptureFixture[str]) -> None:
    text = with_data("data/absent.npz") + "  - {name: agrees, model: digits, check: runtime, samples: 2}\n"
    Path("torchlean.yaml").write_text(text)
    assert main(["check", "torchlean.yaml::digits::agrees"]) == 0
    assert main(["check", "torchlean.yaml::digits::robust"]) == 2
    assert "TL0401" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_a_record_says_where_the_mistake_is() -> None:
    from pytest_torchlean.report.read import parse_record

    Path("torchlean.yaml").write_text(MISTAKES["data-missing"])
    assert main(["check", "--json", "record.json"]) == 2
    (result,), _ = parse_record(Path("record.json").read_bytes())
    assert result.outcome == "failed"
    (mistake,) = result.evidence.mistakes
    assert (mistake.line, mistake.column, mistake.code) == (9, 11, "TL0401")
