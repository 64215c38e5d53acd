"""Outputs that another framework recorded are compared with all that the stored graph may give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from gate_project import write_project
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.differential.recorded import RECORDED, compare_recorded
from pytest_torchlean.gate import run_spec
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.dataset import load_outputs
from pytest_torchlean.verdict import Evidence, Verdict

INPUTS = np.float32([[1, 2], [-3, 0.5], [0, 0]])
WEIGHTS = np.float32([[1.0, -0.5], [0.25, 0.75]])
BIAS = np.float32([0.125, -0.25])
OUTPUTS = np.maximum(INPUTS @ WEIGHTS + BIAS, 0).astype(np.float32)


def judged(folder: Path, **arrays: np.ndarray) -> Evidence:
    np.savez(folder / "data.npz", inputs=INPUTS, **arrays)
    spec = write_project(folder, ["recorded"], extra=", data: data.npz")
    (result,) = run_spec(load_spec(spec, folder), root=folder)
    return result.evidence


def test_outputs_of_the_same_function_agree(tmp_path: Path) -> None:
    evidence = judged(tmp_path, outputs=OUTPUTS)
    assert evidence.verdict is Verdict.AGREED
    assert any(line.startswith(RECORDED) for line in evidence.details)
    assert not any(line.startswith(RECORDED) for line in judged(tmp_path).details)


@pytest.mark.parametrize(("row", "element"), [(0, 1), (2, 0)])
def test_one_changed_output_is_divergent(tmp_path: Path, row: int, element: int) -> None:
    changed = OUTPUTS.copy()
    changed[row, element] += 1e-3
    evidence = judged(tmp_path, outputs=changed)
    assert evidence.verdict is Verdict.DIVERGENT
    assert (
        f"the recorded output of input {row} is no output of this graph: element {element}" in evidence.found
    )
    assert "an axis, an epsilon" in evidence.next_steps


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (OUTPUTS[:2], "lists 2 outputs for 3 inputs"),
        (OUTPUTS[:, :1], "outputs have shape (3, 1), the model needs (n, 2)"),
        (np.float32([[1, np.nan]] * 3), "output 0 holds NaN or infinity (3 of 3 outputs)"),
        (np.full((3, 2), 0.1), "output 0 holds a number that binary32 cannot hold exactly"),
    ],
)
def test_outputs_that_do_not_fit_are_an_error(tmp_path: Path, outputs: np.ndarray, words: str) -> None:
    evidence = judged(tmp_path, outputs=outputs)
    assert evidence.verdict is Verdict.ERROR
    assert words in evidence.found


def test_rows_that_fill_no_batch_are_an_error(tmp_path: Path) -> None:
    """They would be compared with nothing, and a wrong output among them would agree."""
    np.savez(tmp_path / "data.npz", inputs=INPUTS, outputs=OUTPUTS + np.float32([[0], [0], [9]]))
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    pairs = model(nodes, {"x": [2, 2]}, {"y": [2, 2]}, {"w": WEIGHTS, "b": BIAS})
    (tmp_path / "pairs.onnx").write_bytes(pairs.SerializeToString())
    spec = tmp_path / "torchlean.yaml"
    spec.write_text(
        "version: 1\nmodels:\n  pairs: {path: pairs.onnx}\n"
        "properties:\n  - {name: recorded, model: pairs, check: runtime, samples: 2, data: data.npz}\n"
    )
    (result,) = run_spec(load_spec(spec, tmp_path), root=tmp_path)
    assert result.evidence.verdict is Verdict.ERROR
    assert result.evidence.problem is not None
    assert result.evidence.problem.code == "TL0405"
    assert "3 outputs for 3 inputs, which are not whole batches of the model's 2" in result.evidence.found


def test_a_file_without_outputs_has_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", inputs=INPUTS)
    assert load_outputs(tmp_path / "data.npz", (2,)) is None


def chosen_by_a_sum() -> onnx.ModelProto:
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        helper.make_node("Greater", ["s", "zero"], ["c"]),
        helper.make_node("Where", ["c", "x", "zero"], ["y"]),
    ]
    return model(nodes, {"x": [1, 3]}, ["y"], {"zero": np.float32(0)})


def test_a_choice_that_rounding_decides_is_not_covered() -> None:
    rows = np.float32([[[1, 2, 3]], [[1, 2**-24, -1]]])
    report, divergence = compare_recorded(lowered(chosen_by_a_sum()), rows, rows)
    assert divergence is None
    assert not report.outputs_covered
    assert "a choice depends on rounding" in report.uncovered[0]
    report, _ = compare_recorded(lowered(chosen_by_a_sum()), rows[:1], rows[:1])
    assert report.outputs_covered


def test_an_overflow_is_not_covered() -> None:
    graph = lowered(model([helper.make_node("ReduceSum", ["x"], ["y"])], {"x": [1, 3]}, ["y"]))
    rows = np.full((1, 1, 3), 3e38, dtype=np.float32)
    report, divergence = compare_recorded(graph, rows, np.ones((1, 1, 1), np.float32))
    assert divergence is None
    assert not report.outputs_covered
