"""`shapes` and `dims` of a model: what the file leaves open is filled in, claimed, recorded and replayed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import loaded, model

from pytest_torchlean.checker import BuiltLibrary
from pytest_torchlean.cli import main
from pytest_torchlean.errors import DataError, ShapeError, UnsupportedError
from pytest_torchlean.gate import run_spec
from pytest_torchlean.onnx_import.given import resolve_shapes
from pytest_torchlean.properties import runtime
from pytest_torchlean.replay import replay_file
from pytest_torchlean.report.record import record
from pytest_torchlean.results import Environment, PropertyResult
from pytest_torchlean.spec import load_spec
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import read_witness_file

WEIGHTS = np.array([[1, -1], [-1, 1], [0.5, 0.25]], dtype=np.float32)


def open_model() -> onnx.ModelProto:
    """y = relu(x w) for x of shape [batch, seq, 3], flat."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"], name="product"),
        helper.make_node("Relu", ["z"], ["r"], name="bend"),
        helper.make_node("Flatten", ["r"], ["y"]),
    ]
    return model(nodes, {"x": ["batch", "seq", 3]}, {"y": ["batch", "flat"]}, {"w": WEIGHTS})


def several() -> onnx.ModelProto:
    nodes = [helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Mul", ["s", "c"], ["y"])]
    return model(nodes, {"a": ["N", "seq"], "b": ["N", "seq"], "c": ["M", 1]}, ["y"])


def run(
    folder: Path, properties: str, given: str, proto: onnx.ModelProto | None = None
) -> list[PropertyResult]:
    (folder / "m.onnx").write_bytes((proto or open_model()).SerializeToString())
    text = f"version: 1\nmodels: {{m: {{path: m.onnx{given}}}}}\nproperties:\n{properties}"
    (folder / "torchlean.yaml").write_text(text)
    return run_spec(load_spec(folder / "torchlean.yaml", folder), root=folder)


AGREES = "  - {name: agrees, model: m, check: runtime, samples: 8}\n"


def test_extents_come_from_the_file_from_shapes_and_from_symbols() -> None:
    proto = loaded(several())
    assert resolve_shapes(proto, {"a": [2, 5]}, {}) == {"a": (2, 5), "b": (2, 5), "c": (1, 1)}
    assert resolve_shapes(proto, {}, {"seq": 4, "M": 3}) == {"a": (1, 4), "b": (1, 4), "c": (3, 1)}
    assert resolve_shapes(proto, {"a": [2, 5]}, {}, batch=7) == {"a": (7, 5), "b": (7, 5), "c": (7, 1)}


def test_open_dimensions_without_a_symbol_are_filled_by_shapes() -> None:
    proto = open_model()
    proto.graph.input[0].type.tensor_type.shape.dim[0].ClearField("dim_param")
    proto.graph.input[0].type.tensor_type.shape.dim[1].ClearField("dim_param")
    assert resolve_shapes(loaded(proto), {"x": [2, 5, 3]}, {}) == {"x": (2, 5, 3)}
    assert resolve_shapes(loaded(proto), {"x": [2, 5, 3]}, {}, batch=4) == {"x": (4, 5, 3)}
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    assert resolve_shapes(loaded(proto), {"x": [2, 5, 3]}, {}) == {"x": (2, 5, 3)}


@pytest.mark.parametrize(
    ("shapes", "dims", "code", "words"),
    [
        ({"z": [1]}, {}, "TL0340", "no input 'z'"),
        ({}, {"sequence": 1}, "TL0340", "no input has a dimension 'sequence'"),
        ({"a": [1, 2, 3]}, {}, "TL0341", "has 2 dimensions in the file, ['N', 'seq'], not 3"),
        ({"c": [1, 2]}, {"seq": 1}, "TL0342", "fixes dimension 1 to 1, not 2"),
        ({"a": [1, 2], "b": [1, 3]}, {}, "TL0343", "'seq', which is given as 2 elsewhere, not 3"),
        ({"a": [1, 2]}, {"N": 2}, "TL0343", "'N', which is given as 2 elsewhere, not 1"),
    ],
)
def test_what_does_not_fit_the_file_is_refused(
    shapes: dict[str, list[int]], dims: dict[str, int], code: str, words: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        resolve_shapes(loaded(several()), shapes, dims)
    assert caught.value.code == code
    assert words in caught.value.message


def test_a_dimension_that_stays_open_is_named() -> None:
    with pytest.raises(UnsupportedError) as caught:
        resolve_shapes(loaded(several()), {}, {"N": 2})
    assert caught.value.code == "TL0203"
    assert "input 'a': dimension 1 of ['N', 'seq']" in caught.value.message


def test_a_batch_size_needs_an_open_first_dimension() -> None:
    proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": [3, 2]}, {"y": [3, 2]})
    assert resolve_shapes(loaded(proto), {}, {}, batch=3) == {"x": (3, 2)}
    with pytest.raises(ShapeError) as caught:
        resolve_shapes(loaded(proto), {}, {}, batch=7)
    assert caught.value.code == "TL0344"
    assert "fixed to 3" in caught.value.message


@pytest.mark.parametrize("given", [", shapes: {x: [1, 2, 3]}", ", dims: {seq: 2}"])
def test_every_kind_of_property_takes_the_shapes(tmp_path: Path, given: str, library: BuiltLibrary) -> None:
    np.savez(
        tmp_path / "data.npz",
        inputs=np.float32([[[1, 0, 0], [0, 0, 0]]]),
        labels=np.array([0]),
    )
    names = [f"(declare-const X_{i} Real)(assert (>= X_{i} 0))(assert (<= X_{i} 1))" for i in range(6)]
    names += [f"(declare-const Y_{i} Real)" for i in range(4)]
    (tmp_path / "unsafe.vnnlib").write_text("\n".join([*names, "(assert (>= Y_3 2))"]))
    results = run(
        tmp_path,
        AGREES
        + "  - {name: bounded, model: m, check: range, input: {lower: 0, upper: 1}, output: {upper: 2}}\n"
        + "  - {name: robust, model: m, check: robustness, epsilon: 1/8, data: data.npz}\n"
        + "  - {name: safe, model: m, check: vnnlib, file: unsafe.vnnlib}\n"
        + "  - {name: broken, model: m, check: range, input: {lower: 0, upper: 1}, output: {upper: 1/2}}\n",
        given,
    )
    found = {result.name: result.evidence.verdict for result in results}
    assert found == {
        "agrees": Verdict.AGREED,
        "bounded": Verdict.PROVED,
        "robust": Verdict.PROVED,
        "safe": Verdict.PROVED,
        "broken": Verdict.REFUTED,
    }
    for result in results:
        assert result.evidence.claim.endswith(", with model inputs x[1, 2, 3]")
        assert any("nothing is said beyond x[1, 2, 3]" in line for line in result.evidence.trust)
        assert result.model_shapes == {"x": (1, 2, 3)}
    entry = record(results, Environment("0"))["results"][0]
    assert entry["model"]["shapes"] == {"x": [1, 2, 3]}
    assert entry["sessions"][0]["options"]["inputs"] == "x[1, 2, 3]"

    stored = read_witness_file(tmp_path / str(results[-1].witness_file), tmp_path)
    assert stored.model_shapes == {"x": (1, 2, 3)}
    assert replay_file(stored, tmp_path).still_breaks


def test_a_witness_whose_shapes_no_longer_fit_is_refused(tmp_path: Path, library: BuiltLibrary) -> None:
    broken = "  - {name: broken, model: m, check: range, input: {lower: 0, upper: 1}, output: {upper: 1/2}}\n"
    (result,) = run(tmp_path, broken, ", dims: {seq: 2}")
    path = tmp_path / str(result.witness_file)
    proto = open_model()
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    with pytest.raises(DataError, match="shapes do not fit"):
        replay_file(read_witness_file(path, tmp_path), tmp_path)
    plain = json.loads(path.read_text())
    plain["model_shapes"] = {"x": [1, -2, 3]}
    path.write_text(json.dumps(plain))
    with pytest.raises(DataError, match="below 1"):
        read_witness_file(path, tmp_path)


@pytest.mark.parametrize(
    ("given", "code", "caret"),
    [
        (", shapes: {input: [1, 2, 3]}", "TL0340", "input"),
        (", dims: {sequence: 2}", "TL0340", "sequence"),
        (", shapes: {x: [1, 2]}", "TL0341", "x"),
        (", shapes: {x: [1, 2, 44]}", "TL0342", "44"),
        (", shapes: {x: [1, 22, 3]}, dims: {seq: 2}", "TL0343", "22"),
    ],
)
def test_wrong_shapes_are_shown_with_their_place(tmp_path: Path, given: str, code: str, caret: str) -> None:
    (result,) = run(tmp_path, AGREES, given)
    problem = result.evidence.problem
    assert result.evidence.verdict is Verdict.ERROR
    assert problem is not None
    assert problem.code == code
    assert problem.message.startswith("torchlean.yaml:2:")
    line, marks = result.evidence.details[:2]
    assert "models: {m:" in line
    assert line[marks.index("^") : marks.rindex("^") + 1] == caret
    assert result.model_shapes is None


def test_open_dimensions_without_shapes_are_unsupported_and_say_what_to_do(tmp_path: Path) -> None:
    (result,) = run(tmp_path, AGREES, "")
    assert result.evidence.verdict is Verdict.UNSUPPORTED
    assert "`shapes`" in result.evidence.next_steps


def test_batch_sizes_are_sessions_of_their_own(tmp_path: Path) -> None:
    box = ", input: {lower: [0, 0, 0, 1, 1, 1], upper: [1, 1, 1, 2, 2, 2]}"
    check = f"{AGREES.rstrip()[:-1]}, sessions: {{batch: [1, 7], threads: [1, 2]}}{box}}}\n"
    (result,) = run(tmp_path, check, ", dims: {seq: 2}")
    evidence = result.evidence
    assert evidence.verdict is Verdict.AGREED
    assert "on 8 samples in 8 sessions" in evidence.claim
    assert evidence.samples == 16
    assert [session.name for session in evidence.sessions] == [
        f"{level} optimisation{threads}, batch {batch}"
        for batch in (1, 7)
        for threads in ("", ", 2 threads")
        for level in ("no", "default")
    ]
    assert {session.options["inputs"] for session in evidence.sessions} == {"x[1, 2, 3]", "x[7, 2, 3]"}


def test_a_batch_size_that_the_file_fixes_is_an_error_at_the_property(tmp_path: Path) -> None:
    proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": [3, 2]}, {"y": [3, 2]})
    check = f"{AGREES.rstrip()[:-1]}, sessions: {{batch: [7]}}}}\n"
    (result,) = run(tmp_path, check, "", proto)
    assert result.evidence.problem is not None
    assert result.evidence.problem.code == "TL0344"
    assert result.evidence.problem.message.startswith("torchlean.yaml:4:")


def test_a_decorator_gives_shapes_too(pytester: pytest.Pytester) -> None:
    (pytester.path / "m.onnx").write_bytes(open_model().SerializeToString())
    (pytester.path / "test_models.py").write_text(
        "import pytest\n"
        "from pytest_torchlean import runtime_agreement\n"
        "agrees = runtime_agreement(samples=4, sessions={'batch': [1, 2], 'optimisation': ['all']})\n"
        "@pytest.mark.certify('m.onnx', agrees, shapes={'x': [1, 2, 3]})\n"
        "def test_shapes(verdict):\n"
        "    assert verdict.claim.endswith('with model inputs x[1, 2, 3]')\n"
        "@pytest.mark.certify('m.onnx', agrees, dims={'seq': 2})\n"
        "def test_dims(verdict):\n"
        "    assert len(verdict.sessions) == 2\n"
        "@pytest.mark.certify('m.onnx', agrees, shapes={'x': 'three'})\n"
        "def test_no_shape(verdict):\n"
        "    pass\n"
        "@pytest.mark.certify('m.onnx', agrees, shapes={'x': [1, 2, 4]})\n"
        "def test_wrong_shape(verdict):\n"
        "    pass\n"
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines_random(["*TL0307*list of extents*", "*TL0342*"])


def test_check_prints_the_shapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, AGREES, ", shapes: {x: [1, 2, 44]}")
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    printed = capsys.readouterr().err
    assert "TL0342" in printed
    assert "^^" in printed


def test_a_matrix_that_cannot_run_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "compare", lambda *_, **__: pytest.fail("a session ran"))
    monkeypatch.setattr(runtime, "probe_model", lambda *_, **__: pytest.fail("a node ran"))
    proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": [3, 2]}, {"y": [3, 2]})
    for sessions, code in (("batch: [3, 7]", "TL0344"), ("providers: [XExecutionProvider]", "TL0706")):
        check = f"{AGREES.rstrip()[:-1]}, sessions: {{{sessions}}}}}\n"
        (result,) = run(tmp_path, check, "", proto)
        assert result.evidence.verdict is Verdict.ERROR
        assert result.evidence.problem is not None
        assert result.evidence.problem.code == code


def test_preprocessing_and_open_dimensions_go_together(tmp_path: Path, library: BuiltLibrary) -> None:
    """Both keep their part of the claim, at every batch size, and a replayed witness has both."""
    given = ", dims: {seq: 2}, preprocess: [{divide: 4}]"
    box = "input: {lower: 0, upper: 4}"
    check = f"{AGREES.rstrip()[:-1]}, sessions: {{batch: [1, 3]}}, {box}}}\n"
    results = run(
        tmp_path,
        check
        + f"  - {{name: bounded, model: m, check: range, {box}, output: {{upper: 2}}}}\n"
        + f"  - {{name: broken, model: m, check: range, {box}, output: {{upper: 1/2}}}}\n",
        given,
    )
    assert [result.evidence.verdict.value for result in results] == ["AGREED", "PROVED", "REFUTED"]
    assert all("with model inputs x[1, 2, 3]; inputs are raw" in result.evidence.claim for result in results)
    shapes = {session.options["inputs"] for session in results[0].evidence.sessions}
    assert {"x[1, 2, 3]", "x[3, 2, 3]"} < shapes
    stored = read_witness_file(tmp_path / str(results[2].witness_file), tmp_path)
    assert replay_file(stored, tmp_path).still_breaks


def test_the_record_has_the_machine_and_every_option(tmp_path: Path) -> None:
    (result,) = run(tmp_path, AGREES, ", dims: {seq: 2}")
    entry = record([result], Environment("0"))["results"][0]
    assert {"onnxruntime", "build", "numpy", "architecture"} <= set(entry["machine"])
    assert entry["machine"]["numpy"] == np.__version__
    options = [session["options"] for session in entry["sessions"]]
    assert [chosen["optimisation"] for chosen in options] == ["none", "all"]
    for chosen in options:
        assert chosen["provider"] == "CPUExecutionProvider"
        assert chosen["intra_op_threads"] == chosen["inter_op_threads"] == "1"
        assert chosen["session.set_denormal_as_zero"] == "0"
    assert set(entry["sessions"][1]["equalities"]) == {
        "the session that writes its graph",
        "its graph loaded again",
        "every value exposed",
    }


def test_init_and_inspect_take_shapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.onnx").write_bytes(open_model().SerializeToString())
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["inspect", "m.onnx"]) == 0
    assert "open dimensions were guessed; --shape and --dim give others" in capsys.readouterr().out
    assert main(["inspect", "m.onnx", "--shape", "x=1,2,3"]) == 0
    assert "[1, 2, 3]" in capsys.readouterr().out
    for wrong in (["--shape", "x"], ["--shape", "x=1,b,3"], ["--dim", "seq=1,2"], ["--dim", "seq=0"]):
        assert main(["init", "m.onnx", *wrong]) == 2
    assert "TL030" in capsys.readouterr().err
    assert main(["init", "m.onnx", "--dim", "seq=2"]) == 0
    spec = load_spec(tmp_path / "torchlean.yaml", tmp_path)
    assert spec.models["m"].inputs.dims == {"seq": 2}
    assert main(["init", "m.onnx", "--shape", "x=1,2,3", "--force"]) == 0
    spec = load_spec(tmp_path / "torchlean.yaml", tmp_path)
    assert spec.models["m"].inputs.shapes == {"x": (1, 2, 3)}
    (result, *_) = run_spec(spec, root=tmp_path)
    assert result.evidence.verdict is Verdict.AGREED
