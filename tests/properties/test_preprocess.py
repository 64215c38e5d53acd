"""Preprocessing ahead of a model: claims about raw inputs, from the spec to Lean's word and to replay."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import external_data_helper, helper, numpy_helper
from onnx_models import lowered, model

from pytest_torchlean import nn, preprocessing, preprocessing_of
from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import AffineNode, Program
from pytest_torchlean.cli import main as cli
from pytest_torchlean.errors import DataError, SpecError
from pytest_torchlean.evaluator import run as run_graph
from pytest_torchlean.gate import run_one
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.jobs import jobs_of
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.replay import replay_file
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.preprocess_fields import plain_steps, read_steps
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import read_witness_file

NORMALIZE = "{normalize: {mean: [0.485, 0.456], std: [0.229, 0.224]}}"


def pair_model(channels: int = 2) -> onnx.ModelProto:
    """Two classes over an image of 2 channels and 1 x 2 pixels: the larger channel sum, through a ReLU."""
    weights = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=np.float32)
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w"], ["sums"]),
        helper.make_node("Relu", ["sums"], ["y"]),
    ]
    return model(nodes, {"x": ["n", channels, 1, 2]}, {"y": ["n", 2]}, {"w": weights})


def run(folder: Path, steps: str, prop: str, proto: onnx.ModelProto | None = None) -> PropertyResult:
    """The result of one property of the model behind the steps."""
    (folder / "m.onnx").write_bytes((proto or pair_model()).SerializeToString())
    spec = folder / "torchlean.yaml"
    spec.write_text(
        "version: 1\n"
        f"models:\n  m:\n    path: m.onnx\n    preprocess: [{steps}]\n"
        f"properties:\n  - {{name: p, model: m, {prop}}}\n"
    )
    (job,) = jobs_of(load_spec(spec, folder))
    return run_one(job, store=ModelStore(folder))


def output_range(lower: str, upper: str, box: str = "{lower: 0, upper: 1}") -> str:
    return f"check: range, input: {box}, output: {{lower: {lower}, upper: {upper}}}"


def data(folder: Path, images: Any, labels: list[int]) -> str:
    np.savez(folder / "d.npz", inputs=np.asarray(images), labels=np.array(labels, dtype=np.int64))
    return "check: robustness, data: d.npz, "


@pytest.mark.usefixtures("library")
class TestClaims:
    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_a_range_of_raw_pixels_is_proved(self, tmp_path: Path, semantics: str) -> None:
        """Two pixels at most (1 - 0.485) / 0.229 each: 4.4978; channel 1: 2 * 0.544 / 0.224 = 4.857."""
        prop = output_range("0", "4.858") + f", semantics: {semantics}"
        result = run(tmp_path, NORMALIZE, prop)
        assert result.evidence.verdict is Verdict.PROVED, result.evidence
        assert result.evidence.claim.endswith("inputs are raw, as they enter the preprocessing")
        assert "subtract (97/200, 57/125) along axis 1, then divide by" in result.evidence.trust[-1]
        assert result.preprocess == (
            "subtract (97/200, 57/125) along axis 1, then divide by (229/1000, 28/125) along axis 1",
        )

    def test_without_the_steps_the_same_claim_is_about_other_inputs(self, tmp_path: Path) -> None:
        result = run(tmp_path, "{add: 0}", output_range("0", "2.001"))
        assert result.evidence.verdict is Verdict.PROVED
        assert run(tmp_path, NORMALIZE, output_range("0", "2.001")).evidence.verdict is Verdict.REFUTED

    @pytest.mark.parametrize(
        "wrong", ["{normalize: {mean: [0.4, 0.4], std: [0.229, 0.224]}}", "{multiply: 6}"]
    )
    def test_a_wrong_step_is_refuted_with_a_raw_witness_that_replays(
        self, tmp_path: Path, wrong: str
    ) -> None:
        result = run(tmp_path, wrong, output_range("0", "4.858"))
        assert result.evidence.verdict is Verdict.REFUTED
        (witness,) = result.evidence.witnesses
        assert (from_hex_all(witness.input) >= 0).all()
        assert (from_hex_all(witness.input) <= 1).all()
        assert result.witness_file is not None
        stored = read_witness_file(tmp_path / result.witness_file, tmp_path)
        replayed = replay_file(stored, tmp_path)
        assert replayed.still_breaks
        assert replayed.same_model

    def test_a_replay_without_the_steps_does_not_break_the_claim(self, tmp_path: Path) -> None:
        result = run(tmp_path, "{multiply: 6}", output_range("0", "4.858"))
        assert result.witness_file is not None
        path = tmp_path / result.witness_file
        plain = json.loads(path.read_text())
        assert plain.pop("preprocess") == [{"multiply": {"value": "6", "axis": 1}}]
        path.write_text(json.dumps(plain))
        assert not replay_file(read_witness_file(path, tmp_path), tmp_path).still_breaks

    def test_robustness_is_about_raw_integers(self, tmp_path: Path) -> None:
        """Bytes NHWC: 200 against 40, and a radius of 20 of 255, leave the class; a radius of 90 does not."""
        image = np.zeros((2, 1, 2, 2), dtype=np.uint8)
        image[0, :, :, 0], image[0, :, :, 1] = 200, 40
        image[1, :, :, 0], image[1, :, :, 1] = 30, 180
        steps = "{cast: uint8}, {transpose: [0, 3, 1, 2]}, {divide: 255}, " + NORMALIZE
        listed = data(tmp_path, image, [0, 1])
        domain = "domain: {lower: 0, upper: 255}, "
        result = run(tmp_path, steps, listed + domain + "epsilon: 20")
        assert result.evidence.verdict is Verdict.PROVED, result.evidence
        assert result.evidence.counts is not None
        assert result.evidence.counts.proved == 2
        broken = run(tmp_path, steps, listed + domain + "epsilon: 90")
        assert broken.evidence.verdict is Verdict.REFUTED
        for witness in broken.evidence.witnesses:
            point = from_hex_all(witness.input)
            assert (point == np.rint(point)).all()
            assert witness.shape == (1, 1, 2, 2)

    def test_inputs_that_are_no_integers_are_an_error(self, tmp_path: Path) -> None:
        listed = data(tmp_path, np.full((1, 2, 1, 2), 0.5, dtype=np.float32), [0])
        result = run(tmp_path, "{cast: uint8}", listed + "epsilon: 1")
        assert result.evidence.verdict is Verdict.ERROR
        assert result.evidence.problem is not None
        assert result.evidence.problem.code == "TL0410"

    def test_integers_between_which_a_claim_breaks_do_not_refute_it(self, tmp_path: Path) -> None:
        """relu(x - 3) stays below 1/4 on the integers up to 3, but not on the numbers up to 3.5."""
        box = "{lower: 0, upper: 3.5}"
        claimed = output_range("0", "0.25", box)
        real = run(tmp_path, "{subtract: 3}", claimed)
        assert real.evidence.verdict is Verdict.REFUTED
        integers = run(tmp_path, "{cast: uint8}, {subtract: 3}", claimed)
        assert integers.evidence.verdict is Verdict.UNKNOWN

    def test_clip_and_dequantize_are_certified(self, tmp_path: Path) -> None:
        steps = "{cast: int8}, {dequantize: {scale: 0.5, zero_point: -3}}, {clip: {lower: -1, upper: 2}}"
        box = "{lower: -128, upper: 127}"
        assert run(tmp_path, steps, output_range("0", "4.001", box)).evidence.verdict is Verdict.PROVED
        assert run(tmp_path, steps, output_range("0", "3.9", box)).evidence.verdict is Verdict.REFUTED

    def test_vnnlib_names_raw_inputs(self, tmp_path: Path) -> None:
        text = "".join(
            f"(declare-const X_{i} Real)\n(assert (and (>= X_{i} 0) (<= X_{i} 255)))\n" for i in range(4)
        )
        text += "(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n"
        (tmp_path / "safe.vnnlib").write_text(text + "(assert (>= Y_0 2.01))\n")
        (tmp_path / "unsafe.vnnlib").write_text(text + "(assert (>= Y_0 1.99))\n")
        steps = "{cast: uint8}, {divide: 255}"
        safe = run(tmp_path, steps, "check: vnnlib, file: safe.vnnlib")
        assert safe.evidence.verdict is Verdict.PROVED
        broken = run(tmp_path, steps, "check: vnnlib, file: unsafe.vnnlib")
        assert broken.evidence.verdict is Verdict.REFUTED
        point = from_hex_all(broken.evidence.witnesses[0].input)
        assert (point == np.rint(point)).all()

    def test_resize_and_reshape_move_data(self, tmp_path: Path) -> None:
        steps = "{reshape: {from: [1, 8]}}, {resize: {from: [1, 4]}}"
        corner = "{lower: [0, 0, 0, 0, 0, 0, 0, 0], upper: [1, 0, 0, 0, 0, 0, 1, 0]}"
        assert run(tmp_path, steps, output_range("0", "1.001", corner)).evidence.verdict is Verdict.PROVED
        skipped = "{lower: 0, upper: [0, 9, 0, 9, 0, 9, 0, 9]}"
        assert run(tmp_path, steps, output_range("0", "0.001", skipped)).evidence.verdict is Verdict.PROVED


class TestRuntime:
    STEPS = "{cast: uint8}, {transpose: [0, 3, 1, 2]}, {divide: 255}, " + NORMALIZE

    def test_preprocessing_and_shipped_bytes_agree(self, tmp_path: Path) -> None:
        result = run(tmp_path, self.STEPS, "check: runtime, samples: 16, input: {lower: 0, upper: 255}")
        assert result.evidence.verdict is Verdict.AGREED, result.evidence
        assert "no optimisation, of the preprocessing" in "\n".join(result.evidence.details)
        assert result.evidence.samples == 16

    def test_quantized_models_are_compared(self, tmp_path: Path) -> None:
        nodes = [
            helper.make_node("DequantizeLinear", ["x", "s", "z"], ["f"]),
            helper.make_node("Relu", ["f"], ["y"]),
        ]
        weights = {"s": np.float32(0.5), "z": np.uint8(3)}
        proto = model(nodes, {"x": [1, 3]}, {"y": [1, 3]}, weights)
        proto.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
        steps = "{quantize: {scale: 0.5, zero_point: 3, type: uint8}}"
        result = run(tmp_path, steps, "check: runtime, samples: 8", proto)
        assert result.evidence.verdict is Verdict.AGREED, result.evidence
        proved = run(tmp_path, steps, output_range("-1", "1000"), proto)
        assert proved.evidence.verdict is Verdict.UNSUPPORTED


def misfits() -> dict[str, tuple[str, str]]:
    return {
        "resized from more elements than a value may have": (
            "{resize: {from: [65536, 65536]}}",
            "8589934592 elements of shape [1, 2, 65536, 65536], above 67108864",
        ),
        "channels": ("{normalize: {mean: [0, 0, 0], std: 1}}", "lists 3 numbers, but axis 1"),
        "axis": ("{divide: {value: [1, 2], axis: 7}}", "has no axis 7"),
        "rank": ("{transpose: [1, 0]}", "it names 2 axes"),
        "elements": ("{reshape: {from: [1, 5]}}", "different numbers of elements"),
        "resized-axis": ("{resize: {from: [4], axes: [6]}}", "has no axis 6"),
        "no-integer": ("{dequantize: {scale: 1}}", "its operand is no integer"),
        "after-quantize": ("{quantize: {scale: 1, type: uint8}}, {add: 1}", "put `dequantize` before it"),
        "type": ("{quantize: {scale: 1, type: uint8}}", "the steps give uint8"),
        "zero-point": (
            "{quantize: {scale: 1, type: uint8, zero_point: 300}}",
            "the zero point 300 is no uint8",
        ),
    }


@pytest.mark.parametrize("case", misfits())
def test_steps_that_do_not_fit_are_errors_with_a_place(tmp_path: Path, case: str) -> None:
    steps, message = misfits()[case]
    result = run(tmp_path, steps, "check: runtime, samples: 4")
    assert result.evidence.verdict is Verdict.ERROR
    assert result.evidence.problem is not None
    assert result.evidence.problem.code == "TL0319"
    assert message in result.evidence.problem.message
    assert "torchlean.yaml:5:" in result.evidence.problem.message
    line, caret = result.evidence.details[:2]
    shown = line[caret.index("^") : caret.rindex("^") + 1]
    assert f"`{shown}`: " in result.evidence.problem.message or message.startswith("the steps give")


@pytest.mark.usefixtures("library")
def test_types_that_the_model_states_for_other_names_stay_apart(tmp_path: Path) -> None:
    """A model may describe values that it does not have, under names that the steps would take."""
    proto = pair_model()
    for name in ("raw_input", "preprocess.Add"):
        proto.graph.value_info.append(helper.make_tensor_value_info(name, onnx.TensorProto.INT64, [7]))
    steps = "{add: 0.5}, {add: 0.5}"
    assert run(tmp_path, steps, output_range("1.999", "4.001"), proto).evidence.verdict is Verdict.PROVED
    assert run(tmp_path, steps, output_range("1.999", "3.9"), proto).evidence.verdict is Verdict.REFUTED


def test_models_with_several_inputs_are_refused(tmp_path: Path) -> None:
    proto = model([helper.make_node("Add", ["a", "b"], ["y"])], {"a": [1, 2], "b": [1, 2]}, {"y": [1, 2]})
    result = run(tmp_path, "{divide: 2}", "check: runtime, samples: 4", proto)
    assert result.evidence.problem is not None
    assert result.evidence.problem.code == "TL0319"


@pytest.mark.parametrize("opset", [7, 9, 10, 11, 13, 18, 22])
def test_every_opset_gives_the_same_bits(tmp_path: Path, opset: int) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    proto = model(nodes, {"x": [1, 2, 2]}, {"y": [1, 2, 2]}, {}, opset)
    steps = "{divide: 3}, {clip: {lower: -1, upper: 1}}, {reshape: {from: [1, 4]}}, {add: 0.1}"
    result = run(tmp_path, steps, "check: runtime, samples: 8", proto)
    assert result.evidence.verdict is Verdict.AGREED, result.evidence


def test_names_of_the_model_stay_its_own(tmp_path: Path) -> None:
    """A model whose values are called like ours."""
    nodes = [
        helper.make_node("Neg", ["raw_input"], ["preprocess.Sub"]),
        helper.make_node("Relu", ["preprocess.Sub"], ["y"]),
    ]
    proto = model(nodes, {"raw_input": [1, 2]}, {"y": [1, 2]})
    result = run(tmp_path, "{normalize: {mean: 1, std: 2}}", "check: runtime, samples: 8", proto)
    assert result.evidence.verdict is Verdict.AGREED, result.evidence


@pytest.mark.usefixtures("library")
def test_the_guard_notices_other_steps_than_the_stated_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph behind the proof divides by 2, what onnxruntime runs divides by 3."""
    compose = preprocessing.compose

    def swapped(*arguments: Any) -> preprocessing.Front:
        front = compose(*arguments)
        other = compose(*arguments[:2], read_steps([{"divide": 3}], "steps"))
        return replace(front, alone=other.alone, system=other.system)

    claimed = output_range("0", "1.001")
    assert run(tmp_path, "{divide: 2}", claimed).evidence.verdict is Verdict.PROVED
    monkeypatch.setattr(preprocessing, "compose", swapped)
    evidence = run(tmp_path, "{divide: 2}", claimed).evidence
    assert evidence.verdict is Verdict.ERROR
    assert evidence.problem is not None
    assert evidence.problem.code == "TL0610"


def test_a_runtime_that_does_other_steps_diverges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compose = preprocessing.compose

    def swapped(*arguments: Any) -> preprocessing.Front:
        front = compose(*arguments)
        return replace(front, alone=compose(*arguments[:2], read_steps([{"divide": 3}], "steps")).alone)

    monkeypatch.setattr(preprocessing, "compose", swapped)
    evidence = run(tmp_path, "{multiply: 3}", "check: runtime, samples: 8").evidence
    assert evidence.verdict is Verdict.DIVERGENT
    assert "session with no optimisation, of the preprocessing" in evidence.found


def test_steps_survive_a_witness_file() -> None:
    written = [
        {"cast": "int8"},
        {"dequantize": {"scale": "1/3", "zero_point": 2}},
        {"normalize": {"mean": ["0.1", "0.2"], "std": 3, "axis": 3}},
        {"clip": {"lower": -1, "upper": "1e-3"}},
        {"transpose": [0, 3, 1, 2]},
        {"resize": {"from": [3, 3], "axes": [1, 2]}},
        {"reshape": {"from": [1, 8]}},
        {"quantize": {"scale": "0.5", "type": "int8"}},
    ]
    steps = read_steps(written, "steps")
    assert read_steps(json.loads(json.dumps(plain_steps(steps))), "steps") == steps


@pytest.mark.parametrize(
    "wrong", [[{"divide": 0}], [{"divide": None}], [], "divide", [{"cast": "uint8"}] * 2]
)
def test_wrong_steps_of_a_decorator_or_file_are_errors(wrong: Any) -> None:
    with pytest.raises(SpecError):
        read_steps(wrong, "steps")


@pytest.mark.usefixtures("library")
def test_a_module_of_nn_is_certified_behind_its_preprocessing(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(2, 2))
    module.load_state_dict(
        {
            "0.weight": np.full((2, 1, 2, 2), 0.25, dtype=np.float32),
            "0.bias": np.array([0.0, -1.0], dtype=np.float32),
            "3.weight": np.array([[1.0, 1.0], [1.0, -1.0]], dtype=np.float32),
            "3.bias": np.zeros(2, dtype=np.float32),
        }
    )
    proto = onnx.ModelProto.FromString(module.compile([1, 1, 2, 2], free_batch=True).to_onnx())
    steps = "{cast: uint8}, {divide: 255}"
    for upper, verdict in (("1.001", Verdict.PROVED), ("0.999", Verdict.REFUTED)):
        claimed = output_range("-0.001", upper, "{lower: 0, upper: 255}")
        assert run(tmp_path, steps, claimed, proto).evidence.verdict is verdict


@pytest.mark.usefixtures("library")
class TestOtherChecks:
    IMAGE = np.array([[[[200, 180]], [[40, 60]]]], dtype=np.uint8)

    def test_radius_is_in_raw_units(self, tmp_path: Path) -> None:
        """The sums 380 and 100 meet when every pixel moves by 70."""
        listed = data(tmp_path, self.IMAGE, [0]).replace("robustness", "radius")
        prop = listed + "epsilon: 50, up_to: 100, domain: {lower: 0, upper: 255}"
        result = run(tmp_path, "{cast: uint8}, {divide: 255}", prop)
        assert result.evidence.verdict is Verdict.PROVED, result.evidence
        (radius,) = result.evidence.radii
        assert 65 <= radius.radius < 70

    def test_the_evaluated_level_reads_the_shipped_weights(self, tmp_path: Path) -> None:
        result = run(tmp_path, NORMALIZE, output_range("0", "4.858") + ", assurance: evaluated")
        assert (result.evidence.verdict, result.evidence.assurance) == (Verdict.PROVED, "evaluated")
        assert result.model_sha256 == sha256((tmp_path / "m.onnx").read_bytes()).hexdigest()
        assert any("of 8 weights" in line or "weights" in line for line in result.evidence.trust)

    def test_a_bundle_names_the_steps(self, tmp_path: Path) -> None:
        assert run(tmp_path, "{divide: 255}", output_range("0", "2.001")).evidence.verdict is Verdict.PROVED
        options = ["bundle", str(tmp_path / "torchlean.yaml"), "--root", str(tmp_path)]
        assert cli([*options, "-o", str(tmp_path / "out")]) == 0
        text = (tmp_path / "out" / "Claim.lean").read_text()
        assert "Raw input: divide by 255" in " ".join(text.split())
        assert "inputs are raw" in text

    def test_open_dimensions_and_steps(self, tmp_path: Path) -> None:
        weights = {"w": np.ones((2, 2), dtype=np.float32)}
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
        proto = model([node], {"x": ["n", "m", 2]}, {"y": ["n", "m", 2]}, weights)
        prop = output_range("-0.001", "2.001")
        (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
        spec = tmp_path / "torchlean.yaml"
        spec.write_text(
            "version: 1\nmodels:\n  m:\n    path: m.onnx\n    dims: {m: 3}\n"
            "    preprocess: [{transpose: [0, 2, 1]}, {divide: {value: [1, 2, 4], axis: 1}}]\n"
            f"properties:\n  - {{name: p, model: m, {prop}}}\n"
        )
        (job,) = jobs_of(load_spec(spec, tmp_path))
        result = run_one(job, store=ModelStore(tmp_path))
        assert result.evidence.verdict is Verdict.PROVED, result.evidence
        assert preprocessing_of(spec, "m", root=tmp_path)(np.ones((1, 2, 3), np.float32)).shape == (1, 3, 2)


class TestPreprocessingAsAFunction:
    STEPS = "{cast: uint8}, {transpose: [0, 3, 1, 2]}, {divide: 255}, " + NORMALIZE

    def written(self, folder: Path, steps: str = STEPS) -> Path:
        run(folder, steps, "check: runtime, samples: 1")
        return folder / "torchlean.yaml"

    def deployed(self, images: np.ndarray) -> np.ndarray:
        """What a careful deployment does."""
        planes = np.transpose(images, (0, 3, 1, 2)).astype(np.float32) / np.float32(255)
        mean, std = (np.float32([a, b]).reshape(2, 1, 1) for a, b in ((0.485, 0.456), (0.229, 0.224)))
        return np.asarray((planes - mean) / std)

    def test_it_has_the_bits_of_the_stated_operations(self, tmp_path: Path) -> None:
        stated = preprocessing_of(self.written(tmp_path), "m", root=tmp_path)
        assert stated.words[0] == "cast from uint8 (exact)"
        images = np.arange(256, dtype=np.uint8).reshape(64, 1, 2, 2)
        assert stated(images).tobytes() == self.deployed(images).tobytes()
        assert stated(images[:1]).shape == (1, 2, 1, 2)

    def test_another_arithmetic_has_other_bits(self, tmp_path: Path) -> None:
        stated = preprocessing_of(self.written(tmp_path), "m", root=tmp_path)
        images = np.arange(256, dtype=np.uint8).reshape(64, 1, 2, 2)
        planes = np.transpose(images, (0, 3, 1, 2)) * np.float32(1 / 255)
        mean, std = np.float32([0.485, 0.456]).reshape(2, 1, 1), np.float32([0.229, 0.224]).reshape(2, 1, 1)
        assert stated(images).tobytes() != np.asarray((planes - mean) / std, dtype=np.float32).tobytes()

    @pytest.mark.parametrize(
        "raw",
        [np.zeros((1, 1, 2, 2), np.float32), np.zeros((1, 2, 2), np.uint8), np.zeros((0, 1, 2, 2), np.uint8)],
    )
    def test_other_arrays_are_refused(self, tmp_path: Path, raw: np.ndarray) -> None:
        with pytest.raises(DataError) as caught:
            preprocessing_of(self.written(tmp_path), "m", root=tmp_path)(raw)
        assert caught.value.code == "TL0450"

    def test_models_without_it_are_refused(self, tmp_path: Path) -> None:
        spec = self.written(tmp_path)
        with pytest.raises(SpecError, match="declares no model"):
            preprocessing_of(spec, "other", root=tmp_path)
        spec.write_text(spec.read_text().replace(f"    preprocess: [{self.STEPS}]\n", ""))
        with pytest.raises(SpecError, match="lacks the key"):
            preprocessing_of(spec, "m", root=tmp_path)


def test_faults_of_the_shipped_model_are_probed_behind_steps(tmp_path: Path) -> None:
    result = run(tmp_path, "{divide: 255}", "check: runtime, samples: 4")
    assert result.evidence.verdict is Verdict.AGREED
    assert "probe" in "\n".join(result.evidence.details)


class TestComposition:
    """Preprocessing ahead of models of unusual form."""

    def agreed(self, folder: Path, proto: onnx.ModelProto, steps: str = "{divide: 3}, {add: 0.5}") -> None:
        result = run(folder, steps, "check: runtime, samples: 6", proto)
        assert result.evidence.verdict is Verdict.AGREED, result.evidence

    def test_an_input_that_is_also_an_output(self, tmp_path: Path) -> None:
        proto = model([helper.make_node("Neg", ["x"], ["y"])], {"x": [1, 2]}, {"y": [1, 2], "x": [1, 2]})
        store = ModelStore(tmp_path)
        (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
        front = store.front(tmp_path / "m.onnx", read_steps([{"divide": 4}], "steps"))
        assert front is not None
        session = preprocessing.open_session(store.model(tmp_path / "m.onnx"), front, optimise=True)
        x = np.array([[1.0, 3.0]], dtype=np.float32)
        answers = session.run({session.inputs[0]: x})
        for answer, own in zip(answers, run_graph(front.graph, {front.graph.inputs[0]: x}), strict=True):
            assert answer.tobytes() == own.tobytes()

    def test_an_old_file_whose_weights_are_inputs_too(self, tmp_path: Path) -> None:
        weights = {"w": np.array([[1.0], [2.0]], dtype=np.float32)}
        proto = model(
            [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": [1, 2]}, {"y": [1, 1]}, weights, 9
        )
        proto.ir_version = 3
        proto.graph.input.append(helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, [2, 1]))
        self.agreed(tmp_path, proto)

    def test_a_branch_that_reads_the_input_from_outside(self, tmp_path: Path) -> None:
        def branch(op: str) -> onnx.GraphProto:
            out = helper.make_tensor_value_info("b", onnx.TensorProto.FLOAT, [1, 2])
            return helper.make_graph([helper.make_node(op, ["x"], ["b"])], op, [], [out])

        node = helper.make_node("If", ["c"], ["y"], then_branch=branch("Neg"), else_branch=branch("Abs"))
        proto = model([node], {"x": [1, 2]}, {"y": [1, 2]}, {"c": np.array(True)})
        self.agreed(tmp_path, proto)

    def test_weights_in_another_file(self, tmp_path: Path) -> None:
        proto = pair_model()
        external_data_helper.convert_model_to_external_data(proto, location="w.bin", size_threshold=0)
        onnx.save_model(proto, tmp_path / "shipped.onnx")
        stored = onnx.ModelProto.FromString((tmp_path / "shipped.onnx").read_bytes())
        prop = output_range("-0.001", "2.001") + ", assurance: evaluated"
        assert stored.graph.initializer[0].external_data
        evidence = run(tmp_path, "{divide: 1}", prop, stored).evidence
        assert evidence.verdict is Verdict.PROVED, evidence

    def test_an_unused_input(self, tmp_path: Path) -> None:
        node = helper.make_node("Constant", [], ["y"], value=numpy_helper.from_array(np.float32([[1, 2]])))
        proto = model([node], {"x": [1, 2]}, {"y": [1, 2]})
        self.agreed(tmp_path, proto)


def test_pytorchs_arithmetic_has_the_bits_of_the_steps(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", exc_type=ImportError)
    run(tmp_path, TestPreprocessingAsAFunction.STEPS, "check: runtime, samples: 1")
    stated = preprocessing_of(tmp_path / "torchlean.yaml", "m", root=tmp_path)
    images = np.arange(256, dtype=np.uint8).reshape(64, 1, 2, 2)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).to(torch.float32).div(255)
    mean, std = (torch.tensor(pair).view(2, 1, 1) for pair in ([0.485, 0.456], [0.229, 0.224]))
    assert stated(images).tobytes() == tensor.sub(mean).div(std).numpy().tobytes()


class TestDiagonalMatrices:
    """Element-wise steps enter Lean as diagonal matrices: the same function, in other nodes."""

    def programs(self, folder: Path, steps: list[Any]) -> tuple[Program, Program, Graph]:
        proto = model([helper.make_node("Relu", ["x"], ["y"])], {"x": [1, 3, 5, 7]}, {"y": [1, 3, 5, 7]})
        (folder / "m.onnx").write_bytes(proto.SerializeToString())
        front = ModelStore(folder).front(folder / "m.onnx", read_steps(steps, "steps"))
        assert front is not None
        return lower_to_program(front.graph), lower_to_program(front.graph, front.values), front.graph

    @pytest.mark.parametrize(
        "steps",
        [
            [{"divide": 255}, {"normalize": {"mean": ["0.5", "0.4", "0.3"], "std": ["0.2", "0.3", "0.7"]}}],
            [{"transpose": [0, 2, 3, 1]}, {"multiply": {"value": [3, 2, 1], "axis": 1}}, {"add": 7}],
            [{"clip": {"lower": -1, "upper": 2}}, {"subtract": 1}],
        ],
    )
    def test_both_programs_compute_the_same(self, tmp_path: Path, steps: list[Any]) -> None:
        plain, diagonal, graph = self.programs(tmp_path, steps)
        points = np.random.default_rng(0).integers(-9, 9, (4, plain.inputs)).astype(np.float64)
        left = evaluate(plain, points)[:, plain.outputs]
        right = evaluate(diagonal, points)[:, diagonal.outputs]
        assert (left == right).all()
        shaped = points[0].astype(np.float32).reshape(graph.types[graph.inputs[0]].shape)
        (own,) = run_graph(graph, {graph.inputs[0]: shaped})
        np.testing.assert_allclose(own.reshape(-1), right[0], rtol=1e-6, atol=1e-6)
        matrices = [node for node in diagonal.nodes if isinstance(node, AffineNode)]
        assert all(node.sources.shape[0] == 1 for node in matrices)
        assert any(node.weights.shape[0] == 32 for node in matrices)

    def test_an_operand_that_is_read_twice_keeps_its_columns(self) -> None:
        graph = lowered(model([helper.make_node("Add", ["x", "x"], ["y"])], {"x": [1, 40]}, {"y": [1, 40]}))
        program = lower_to_program(graph, ["y"])
        points = np.arange(40, dtype=np.float64)[None]
        assert (evaluate(program, points)[:, program.outputs] == 2 * points).all()
