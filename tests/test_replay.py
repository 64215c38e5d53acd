"""Witness files: written, read back strictly, and run again on every engine."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from gate_project import write_model
from onnx import NodeProto, helper
from onnx_models import model

from pytest_torchlean import properties
from pytest_torchlean.cli import main
from pytest_torchlean.errors import DataError, SpecError
from pytest_torchlean.gate import run_spec
from pytest_torchlean.plaindata import from_plain, to_plain
from pytest_torchlean.properties.points import Reference, inside, violation
from pytest_torchlean.replay import replay_file
from pytest_torchlean.spec import Bounds, OutputBounds, RangeProperty, RobustnessProperty, load_spec
from pytest_torchlean.verdict import Evidence, Verdict, Witness
from pytest_torchlean.witness_files import file_stem, read_witness_file

SPEC = """\
version: 1
models: {tiny: {path: models/tiny.onnx}}
properties:
  - {name: bounded, model: tiny, check: range, input: {lower: 0, upper: 1}, output: {lower: 0, upper: 1}}
  - {name: robust, model: tiny, check: robustness, epsilon: 1/2, domain: {lower: 0, upper: 1}, data: data.npz}
"""
POINTS = {"bounded": (1.0, 0.5), "robust": (0.75, 1.0)}


def project(folder: Path, monkeypatch: pytest.MonkeyPatch, points: dict[str, tuple[float, float]]) -> Path:
    """A project whose properties end REFUTED at the given points."""
    write_model(folder / "models" / "tiny.onnx")
    (folder / "pyproject.toml").touch()
    (folder / "torchlean.yaml").write_text(SPEC)
    np.savez(folder / "data.npz", inputs=np.array([[1.0, 0.5]], np.float32), labels=np.array([0]))

    def run_property(context: object, prop: object) -> Evidence:
        point = tuple(value.hex() for value in points[prop.name])  # type: ignore[attr-defined]
        witness = Witness((1, 2), point, ("0x0p+0",) * 2, ("0x0p+0",) * 2, "broken", index=0)
        return Evidence(Verdict.REFUTED, claim="c", found="f", witnesses=(witness,))

    monkeypatch.setattr(properties, "run_property", run_property)
    monkeypatch.chdir(folder)
    return folder


def refuted_files(root: Path) -> dict[str, Path]:
    results = run_spec(load_spec(root / "torchlean.yaml", root), root=root)
    files = {result.name: result.witness_file for result in results}
    assert all(files.values())
    return {name: root / str(file) for name, file in files.items()}


def test_result_names_its_witness_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, monkeypatch, POINTS)
    results = run_spec(load_spec(root / "torchlean.yaml", root), root=root)
    assert results[0].witness_file == ".torchlean/witnesses/torchlean.yaml--tiny--bounded.json"
    assert results[0].reproduce.startswith("torchlean replay .torchlean/witnesses/")
    assert (root / ".torchlean" / ".gitignore").read_text() == "*\n"


def test_true_witnesses_still_refute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, monkeypatch, {"bounded": (1.0, 0.5), "robust": (0.5, 1.0)})
    (root / "data.npz").unlink()
    np.savez(root / "data.npz", inputs=np.array([[1.0, 0.5]], np.float32), labels=np.array([0]))
    files = refuted_files(root)
    assert main(["replay", str(files["bounded"])]) == 1
    output = capsys.readouterr().out
    assert "output 0 is 1.25, above the upper bound 1" in output
    assert "onnxruntime, default optimisation: output 0" in output
    assert "(unchanged)" in output
    result = replay_file(read_witness_file(files["bounded"], root), root)
    assert [execution.violation is not None for execution in result.replays[0].executions] == [True] * 4


def test_witness_that_does_not_break_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, monkeypatch, {"bounded": (0.5, 0.5), "robust": (1.0, 0.5)})
    for file in refuted_files(root).values():
        assert main(["replay", str(file)]) == 0
        assert "0 of 1 witnesses still refute" in capsys.readouterr().out


def test_witness_outside_the_region_refutes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, monkeypatch, {"bounded": (8.0, 0.5), "robust": (0.25, 1.0)})
    for file in refuted_files(root).values():
        assert main(["replay", str(file)]) == 0
        assert "OUTSIDE the region" in capsys.readouterr().out


def test_changed_model_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, monkeypatch, POINTS)
    file = refuted_files(root)["bounded"]
    write_model(root / "models" / "tiny.onnx", scale=0.25)
    assert main(["replay", str(file)]) == 0
    assert "changed: found on" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "torchlean.witness/9"},
        {"check": "runtime"},
        {"extra": 1},
        {"witnesses": [{"shape": [2]}]},
        {"witnesses": 3},
        {"prop": {"name": 3}},
        {"prop": {"input": {"lower": "1/0", "upper": "1"}}},
        {"model_path": 7},
    ],
)
def test_file_of_another_form_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    root = project(tmp_path, monkeypatch, POINTS)
    file = refuted_files(root)["bounded"]
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(DataError) as caught:
        read_witness_file(file, root)
    assert caught.value.code == "TL0490"


@pytest.mark.parametrize(
    "numbers", [["0x1p+0"], ["0.1x", "0x0p+0"], ["inf", "0x0p+0"], ["0x1.0000001p+0", "0x0p+0"]]
)
def test_input_that_is_no_binary32_point_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbers: list[str]
) -> None:
    root = project(tmp_path, monkeypatch, POINTS)
    stored = read_witness_file(refuted_files(root)["bounded"], root)
    changed = replace(stored, witnesses=(replace(stored.witnesses[0], input=tuple(numbers)),))
    with pytest.raises(DataError) as caught:
        replay_file(changed, root)
    assert caught.value.code == "TL0490"


def test_paths_may_not_leave_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, monkeypatch, POINTS)
    file = refuted_files(root)["robust"]
    plain = json.loads(file.read_text())
    plain["prop"]["data"] = "../data.npz"
    file.write_text(json.dumps(plain))
    with pytest.raises(SpecError) as caught:
        read_witness_file(file, root)
    assert caught.value.code == "TL0313"


def test_witnesses_are_not_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repository").mkdir()
    root = project(tmp_path / "repository", monkeypatch, POINTS)
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / ".torchlean").symlink_to(outside)
    results = run_spec(load_spec(root / "torchlean.yaml", root), root=root)
    assert {result.witness_file for result in results} == {None}
    assert list(outside.iterdir()) == []


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path / "gone.json")]) == 2
    assert "TL0490" in capsys.readouterr().err


def test_region_and_inequalities_are_exact() -> None:
    third = Fraction(1, 3)
    box = RangeProperty(
        input=Bounds(Fraction(0), third), output=OutputBounds(Fraction(0), third), semantics="real"
    )
    assert inside(box, [third, Fraction(0)], None)
    assert not inside(box, [third + Fraction(1, 10**30)], None)
    rounded = replace(box, semantics=None)
    above = Fraction(float(np.nextafter(np.float32(1 / 3), np.float32(1))))
    least = Fraction(float(np.float32(1 / 3)))
    assert third < least
    assert inside(rounded, [least, Fraction(0)], None)
    assert not inside(rounded, [above, Fraction(0)], None)
    assert not inside(rounded, [least, -Fraction(1, 2**149)], None)
    assert not inside(box, [least, Fraction(0)], None)
    assert violation(box, [third], None) is None
    assert violation(replace(box, strict=True), [third], None) is not None
    assert violation(box, [Fraction(0), -Fraction(1, 10**30)], None) is not None
    ball = RobustnessProperty(epsilon=third, data=Path("d"), domain=Bounds(Fraction(0), Fraction(1)))
    row = Reference((Fraction(1), Fraction(0)), label=1)
    assert inside(ball, [Fraction(2, 3), third], row)
    assert not inside(ball, [Fraction(1) + Fraction(1, 10**20), Fraction(0)], row)
    assert violation(ball, [Fraction(0), Fraction(1)], row) is None
    assert violation(ball, [Fraction(1), Fraction(1)], row) is not None


def test_plain_data_round_trips() -> None:
    prop = RobustnessProperty(
        name="a",
        model="m",
        epsilon=Fraction(8, 255),
        data=Path("d.npz"),
        indices=(1, 2),
        domain=Bounds((Fraction(0), Fraction(1, 3)), Fraction(1)),
    )
    assert from_plain(RobustnessProperty, json.loads(json.dumps(to_plain(prop)))) == prop
    with pytest.raises(ValueError, match="unknown field"):
        from_plain(RobustnessProperty, {**to_plain(prop), "extra": 1})
    with pytest.raises(TypeError):
        to_plain(object())


def test_file_names_are_safe_and_distinct() -> None:
    assert file_stem("torchlean.yaml::tiny::a") == "torchlean.yaml--tiny--a"
    assert file_stem("t.py::test[a]") != file_stem("t.py::test[b]")
    assert "/" not in file_stem("a/../../b::c")
    assert len(file_stem("x" * 5000)) < 200


def test_the_replay_line_works_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "project"
    write_model(project / "tiny.onnx")
    (project / "pyproject.toml").write_text("")
    (project / "torchlean.yaml").write_text(
        "version: 1\nmodels: {tiny: {path: tiny.onnx}}\nproperties:\n"
        "  - {name: r, model: tiny, check: range, input: {lower: 0, upper: 1}, output: {upper: 1/4}}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["check", "project"]) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "reproduce:" in line)
    command = line.split("torchlean ")[1].split()
    assert command[0] == "replay"
    assert main(command) == 1
    assert "1 of 1 witnesses still refute" in capsys.readouterr().out


INPUT_OF_TWO = (
    [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])],
    {"x": [1, 2]},
)
TWO_INPUTS = (
    [helper.make_node("Relu", ["a"], ["y"]), helper.make_node("Sub", ["a", "b"], ["z"])],
    {"a": [1], "b": [1]},
)


@pytest.mark.parametrize(
    ("given", "sizes"), [(INPUT_OF_TWO, (2, 2)), (TWO_INPUTS, (1, 1))], ids=["outputs", "inputs"]
)
def test_a_set_over_several_inputs_or_outputs_is_replayed(
    tmp_path: Path, given: tuple[list[NodeProto], dict[str, list[int]]], sizes: tuple[int, int]
) -> None:
    """The set speaks of the last element of two outputs."""
    nodes, inputs = given
    proto = model(nodes, inputs, dict(zip("yz", [next(iter(inputs.values()))] * 2, strict=True)), {})
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    last = sum(sizes) - 1
    names = [f"{letter}_{number}" for letter, count in (("X", 2), ("Y", last + 1)) for number in range(count)]
    bounds = [f"(assert (<= {name} 1.0))\n(assert (>= {name} 0.0))" for name in names[:2]]
    lines = [*(f"(declare-const {name} Real)" for name in names), *bounds, f"(assert (<= Y_{last} -0.5))"]
    (tmp_path / "p.vnnlib").write_text("\n".join(lines))
    (tmp_path / "torchlean.yaml").write_text(
        "version: 1\nmodels: {m: {path: m.onnx}}\n"
        "properties:\n  - {name: p, model: m, check: vnnlib, file: p.vnnlib}\n"
    )
    (result,) = run_spec(load_spec(tmp_path / "torchlean.yaml", tmp_path), root=tmp_path)
    assert result.evidence.verdict is Verdict.REFUTED
    assert result.witness_file is not None
    stored = read_witness_file(tmp_path / result.witness_file, tmp_path)
    assert replay_file(stored, tmp_path).still_breaks
    (witness,) = stored.witnesses
    with pytest.raises(DataError, match="the witness has 1 numbers"):
        replay_file(replace(stored, witnesses=(replace(witness, input=witness.input[:1]),)), tmp_path)
