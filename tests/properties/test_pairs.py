"""Properties of two executions at once, from specs to Lean's word, on models judged by hand."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model, two_layers

from pytest_torchlean import equivalent, lipschitz, monotone
from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import ReluNode
from pytest_torchlean.bounds.side_by_side import side_by_side
from pytest_torchlean.bundle import AcceptedText, bundle_files
from pytest_torchlean.checker.sources import read_sources, source_directory
from pytest_torchlean.errors import CertificateError, SpecError, SpecErrors, UnsupportedError
from pytest_torchlean.gate import run_one, run_spec
from pytest_torchlean.jobs import jobs_of
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.preflight import require_files
from pytest_torchlean.preprocessing import RawIntegers
from pytest_torchlean.properties import OtherModel, PropertyContext, run_property
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.pairs import pair_of
from pytest_torchlean.ratchet.claims import claim_of_job
from pytest_torchlean.ratchet.order import order_of
from pytest_torchlean.replay import replay_file
from pytest_torchlean.report.read import parse_record
from pytest_torchlean.report.record import dumps, record
from pytest_torchlean.report.text import failure
from pytest_torchlean.results import Environment
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.model import PropertySpec
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import read_witness_file

UNIT = (0, 1)


def linear(weights: list[list[float]], name: str = "x") -> onnx.ModelProto:
    """y = x w."""
    table = np.array(weights, dtype=np.float32)
    node = helper.make_node("Gemm", [name, "w"], ["y"])
    return model([node], {name: [1, len(weights)]}, {"y": [1, len(weights[0])]}, {"w": table})


def bent(slope: float = 1.0) -> onnx.ModelProto:
    """y = relu(x - 1/2) + slope * relu(x), one input."""
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"]),
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "v"], ["y"]),
    ]
    weights = {
        "w": np.array([[1, 1]], dtype=np.float32),
        "b": np.array([-0.5, 0], dtype=np.float32),
        "v": np.array([[1], [slope]], dtype=np.float32),
    }
    return model(nodes, {"x": [1, 1]}, {"y": [1, 1]}, weights)


@pytest.fixture
def context_of(tmp_path: Path) -> Any:
    def build(proto: onnx.ModelProto, other: onnx.ModelProto | None = None) -> PropertyContext:
        def read(one: onnx.ModelProto, name: str) -> Any:
            (tmp_path / name).write_bytes(one.SerializeToString())
            loaded = load_model(tmp_path / name, root=tmp_path)
            return loaded, lower(loaded)

        second = None if other is None else OtherModel(*read(other, "other.onnx"))
        return PropertyContext(*read(proto, "model.onnx"), tmp_path, time.monotonic() + 120, other=second)

    return build


@pytest.fixture
def judged(context_of: Any) -> Any:
    def judge(prop: PropertySpec, proto: onnx.ModelProto, other: onnx.ModelProto | None = None) -> Any:
        return run_property(context_of(proto, other), replace(prop, name="p", model="m"))

    return judge


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("semantics", ["real", "binary32"])
class TestEquivalent:
    def test_what_both_share_cancels(self, judged: Any, semantics: Any) -> None:
        """The outputs reach 3, their difference 1/64."""
        prop = equivalent(to="o", input=UNIT, tolerance="1/50", semantics=semantics)
        evidence = judged(prop, linear([[1], [2]]), linear([[1], [2.015625]]))
        assert evidence.verdict is Verdict.PROVED
        assert evidence.assurance == "kernel"
        assert evidence.theorem.name == "PytestTorchLean.sound"
        assert any("weights of both files" in line for line in evidence.trust)

    def test_layer_beside_layer(self, judged: Any, semantics: Any) -> None:
        prop = equivalent(to="o", input=UNIT, tolerance="1/4", semantics=semantics)
        assert judged(prop, bent(), bent(1.125)).verdict is Verdict.PROVED

    def test_a_witness_names_both_outputs(self, judged: Any, semantics: Any) -> None:
        prop = equivalent(to="o", input=UNIT, tolerance="1/100", semantics=semantics)
        evidence = judged(prop, linear([[1], [2]]), linear([[1], [2.015625]]))
        assert evidence.verdict is Verdict.REFUTED
        assert "more than the tolerance 1/100" in evidence.found
        (witness,) = evidence.witnesses
        first, second = (float.fromhex(text) for text in witness.runtime_output)
        assert abs(first - second) > 0.01

    def test_tolerances_of_single_outputs(self, judged: Any, semantics: Any) -> None:
        models = linear([[1, 1]]), linear([[1, 1.25]])
        prop = equivalent(to="o", input=UNIT, tolerance=["1/1000", "3/10"], semantics=semantics)
        assert judged(prop, *models).verdict is Verdict.PROVED
        prop = equivalent(to="o", input=UNIT, tolerance=["3/10", "1/1000"], semantics=semantics)
        assert judged(prop, *models).verdict is Verdict.REFUTED

    def test_the_same_class(self, judged: Any, semantics: Any) -> None:
        """y0 - y1 = x0 - x1 here and 5/4 x0 - x1 there: apart only near the boundary."""
        models = linear([[1, 0], [0, 1]]), linear([[1.25, 0], [0, 1]])
        far = equivalent(to="o", input=UNIT, same="class", margin="1/2", semantics=semantics)
        assert judged(far, *models).verdict is Verdict.PROVED
        near = equivalent(to="o", input=UNIT, same="class", margin="1/100", semantics=semantics)
        evidence = judged(near, *models)
        assert evidence.verdict is Verdict.REFUTED
        assert "`o` says class 0" in evidence.found


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("semantics", ["real", "binary32"])
class TestMonotone:
    def test_a_model_that_rises(self, judged: Any, semantics: Any) -> None:
        prop = monotone(along=[0], by="1/10", input=UNIT, slack="1/10", semantics=semantics)
        assert judged(prop, bent()).verdict is Verdict.PROVED

    def test_a_model_that_falls(self, judged: Any, semantics: Any) -> None:
        prop = monotone(along=[0], by="1/10", input=UNIT, slack="1/100", semantics=semantics)
        evidence = judged(prop, bent(-2))
        assert evidence.verdict is Verdict.REFUTED
        assert "output 0 falls from" in evidence.found

    def test_directions_and_outputs(self, judged: Any, semantics: Any) -> None:
        """y0 rises with x0, y1 falls."""
        proto = linear([[1, -1], [1, 1]])

        def verdict(**more: Any) -> Verdict:
            prop = monotone(
                along=["x"], by=["1/10", 0], input=UNIT, slack="1/1000", semantics=semantics, **more
            )
            return judged(prop, proto).verdict

        assert verdict(outputs=[0]) is Verdict.PROVED
        assert verdict(outputs=[1], direction="nonincreasing") is Verdict.PROVED
        assert verdict(outputs=[1]) is Verdict.REFUTED
        assert verdict() is Verdict.REFUTED


@pytest.mark.usefixtures("library")
class TestSlack:
    def test_little_is_enough_for_linear_models(self, judged: Any) -> None:
        prop = monotone(along=[0], by="1/10", input=UNIT, slack="1e-4", semantics="real")
        assert judged(prop, linear([[1], [-3]])).verdict is Verdict.PROVED

    def test_roundings_need_some(self, judged: Any) -> None:
        evidence = judged(monotone(along=[0], by="1/10", input=UNIT), linear([[1], [-3]]))
        assert evidence.verdict is not Verdict.PROVED
        if evidence.verdict is Verdict.UNKNOWN:
            assert "a certificate is foreseen" in evidence.found
            assert "roundings alone break the claim" in evidence.next_steps


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("semantics", ["real", "binary32"])
class TestLipschitz:
    def test_a_constant_that_holds(self, judged: Any, semantics: Any) -> None:
        prop = lipschitz(constant=3, apart="1/10", input=UNIT, slack="1/8", semantics=semantics)
        evidence = judged(prop, bent())
        assert evidence.verdict is Verdict.PROVED
        assert "3 times" in evidence.found

    def test_a_constant_that_does_not(self, judged: Any, semantics: Any) -> None:
        prop = lipschitz(constant="3/2", apart="1/10", input=UNIT, slack="1/100", semantics=semantics)
        evidence = judged(prop, bent())
        assert evidence.verdict is Verdict.REFUTED
        assert "times as far" in evidence.found

    def test_along_a_single_input(self, judged: Any, semantics: Any) -> None:
        """y = 2 x0 - 3 x1: 2 along x0, 3 along x1."""

        def verdict(along: int, constant: str) -> Verdict:
            prop = lipschitz(
                constant=constant, along=[along], apart="1/8", input=UNIT, slack="1/1000", semantics=semantics
            )
            found: Verdict = judged(prop, linear([[2], [-3]])).verdict
            return found

        assert [verdict(0, "2"), verdict(0, "1.9")] == [Verdict.PROVED, Verdict.REFUTED]
        assert [verdict(1, "3"), verdict(1, "2.9")] == [Verdict.PROVED, Verdict.REFUTED]

    @pytest.mark.parametrize("edge", [0, 1])
    def test_the_other_input_lies_outside_on_either_side(
        self, judged: Any, semantics: Any, edge: int
    ) -> None:
        """y is 0 inside of the box, and has slope 8 right outside of its lower, or upper, end 1/2."""
        box, sign = ((0.5, 1), -1) if edge == 0 else ((0, 0.5), 1)
        nodes = [
            helper.make_node("Gemm", ["x", "w", "b"], ["z"]),
            helper.make_node("Relu", ["z"], ["h"]),
            helper.make_node("Gemm", ["h", "v"], ["y"]),
        ]
        weights = {
            "w": np.array([[sign]], dtype=np.float32),
            "b": np.array([-sign * 0.5], dtype=np.float32),
            "v": np.array([[8]], dtype=np.float32),
        }
        proto = model(nodes, {"x": [1, 1]}, {"y": [1, 1]}, weights)
        prop = lipschitz(constant=1, along=[0], apart="1/8", input=box, slack="1/100", semantics=semantics)
        assert judged(prop, proto).verdict is Verdict.REFUTED

    def test_no_constant_at_all(self, judged: Any, semantics: Any) -> None:
        prop = lipschitz(constant=0, apart="1/16", input=UNIT, slack="1/2", semantics=semantics)
        assert judged(prop, bent()).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("prop", "code"),
    [
        (monotone(along=[2], by=1, input=UNIT), "TL0351"),
        (monotone(along=["y"], by=1, input=UNIT), "TL0351"),
        (monotone(along=[0], by=1, input=UNIT, outputs=[1]), "TL0351"),
        (monotone(along=[0], by=[1, 1], input=UNIT), "TL0318"),
        (lipschitz(constant=1, apart=[1], input=UNIT), "TL0318"),
        (lipschitz(constant=1, apart=1, along=[3], input=UNIT), "TL0351"),
        (equivalent(to="o", input=UNIT, same="class"), "TL0317"),
    ],
)
def test_claims_that_do_not_fit(judged: Any, prop: PropertySpec, code: str) -> None:
    with pytest.raises(SpecError) as caught:
        judged(prop, linear([[1], [2]]), linear([[1], [2]]))
    assert caught.value.code == code


@pytest.mark.parametrize("other", [linear([[1], [2], [3]]), linear([[1, 2], [3, 4]])])
def test_models_that_do_not_fit(judged: Any, other: onnx.ModelProto) -> None:
    with pytest.raises(SpecError) as caught:
        judged(equivalent(to="o", input=UNIT, tolerance=1), linear([[1], [2]]), other)
    assert caught.value.code == "TL0350"


@pytest.mark.parametrize(
    "arguments",
    [
        {"tolerance": 1, "same": "class"},
        {},
        {"tolerance": 1, "margin": 1},
        {"tolerance": -1},
        {"same": "output"},
    ],
)
def test_claims_that_contradict_themselves(arguments: Any) -> None:
    with pytest.raises(SpecError):
        equivalent(to="models/other.onnx", input=UNIT, **arguments)


def test_side_by_side_computes_the_same() -> None:
    """Two copies of different width: the same values in the same order, one matrix and one ReLU per layer."""
    first = Executions(*_read(bent()))
    pair = pair_of(replace(equivalent(to="o", input=UNIT, tolerance=1)), first, Executions(*_read(bent(2))))
    plain = lower_to_program(pair.executions.graph)
    joined = side_by_side(plain)
    points = np.random.default_rng(0).uniform(-2, 2, (16, 1))
    old, new = evaluate(plain, points), evaluate(joined, points)
    assert np.array_equal(old[:, plain.outputs], new[:, joined.outputs])
    for name, slots in plain.values.items():
        assert np.array_equal(old[:, slots], new[:, joined.values[name]]), name
    assert len(joined.nodes) == 3 < len(plain.nodes)
    assert sum(isinstance(node, ReluNode) for node in joined.nodes) == 1


def test_steps_are_carried_beside_the_outputs() -> None:
    pair = pair_of(lipschitz(constant=1, apart=1, input=UNIT), Executions(*_read(two_layers())), None)
    program = pair.executions.program
    points = np.random.default_rng(1).uniform(-2, 2, (16, 4)).astype(np.float32).astype(np.float64)
    values = evaluate(program, points)
    assert np.array_equal(values[:, program.outputs[2:]], points[:, 2:])
    assert program.outputs.min() >= program.size - 4, "all outputs are results of the last node"
    point = points[0].astype(np.float32)
    assert np.array_equal(pair.executions.runtime(point)[2:], point[2:])
    assert np.array_equal(pair.executions.evaluator(point)[2:], point[2:])
    assert pair.executions.exact(point)[2:] == [Fraction(float(value)) for value in point[2:]]


def test_a_missing_second_model_is_found_before_anything_runs(project: Path) -> None:
    (project / "old.onnx").unlink()
    path = project / "torchlean.yaml"
    with pytest.raises(SpecErrors) as caught:
        require_files(load_spec(path, project), path, project)
    assert [finding.error.code for finding in caught.value.findings] == ["TL0101"]


def test_steps_of_raw_integers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness could be no integer of the type."""
    monkeypatch.setattr(Executions, "integers", RawIntegers("uint8"))
    with pytest.raises(UnsupportedError) as caught:
        pair_of(monotone(along=[0], by=1, input=UNIT), Executions(*_read(two_layers())), None)
    assert caught.value.code == "TL0290"


def test_other_wiring_is_noticed() -> None:
    pair = pair_of(monotone(along=[0], by=1, input=UNIT), Executions(*_read(two_layers())), None)
    wiring = dict(pair.executions.program.values)
    pair.executions.require_wiring(wiring)
    name = pair.executions.parts[1].own("x")
    with pytest.raises(CertificateError) as caught:
        pair.executions.require_wiring({**wiring, name: wiring[name][::-1]})
    assert caught.value.code == "TL0610"


def _read(proto: onnx.ModelProto) -> Any:
    from onnx_models import loaded, lowered

    return loaded(proto), lowered(proto)


SPEC = """\
version: 1
models:
  new: {path: new.onnx}
  old: {path: old.onnx}
properties:
  - {name: close, model: new, check: equivalent, to: old, input: {lower: 0, upper: 1}, tolerance: 1/100}
  - {name: rises, model: new, check: monotone, along: [x], by: 1/8, input: {lower: 0, upper: 1}}
  - {name: smooth, model: new, check: lipschitz, constant: 1, apart: 1/8, input: {lower: 0, upper: 1}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "new.onnx").write_bytes(linear([[1], [-2]]).SerializeToString())
    (tmp_path / "old.onnx").write_bytes(linear([[1], [-1.5]]).SerializeToString())
    (tmp_path / "torchlean.yaml").write_text(SPEC)
    return tmp_path


def test_record_witness_and_replay(project: Path) -> None:
    results = run_spec(load_spec(project / "torchlean.yaml", project), root=project)
    assert [result.evidence.verdict for result in results] == [Verdict.REFUTED] * 3
    other = results[0].other_model
    assert other is not None
    assert (other.name, other.path) == ("old", "old.onnx")
    assert other.sha256 != results[0].model_sha256
    assert results[1].other_model is None
    text = dumps(record(results, Environment(version="1")))
    assert json.loads(text)["results"][0]["other_model"]["sha256"] == other.sha256
    assert [read.other_model for read in parse_record(text.encode())[0]] == [other, None, None]
    assert f"old.onnx  sha256 {other.sha256}" in failure(results[0])
    for result in results:
        assert result.witness_file is not None
        stored = read_witness_file(project / result.witness_file, project)
        replayed = replay_file(stored, project)
        assert replayed.same_model
        assert replayed.still_breaks
    # with the old model in place of the new one the outputs are equal, and the file is another
    (project / "new.onnx").write_bytes((project / "old.onnx").read_bytes())
    assert results[0].witness_file is not None
    replayed = replay_file(read_witness_file(project / results[0].witness_file, project), project)
    assert not replayed.same_model
    assert not replayed.still_breaks


def test_a_changed_second_model_is_noticed_in_a_replay(project: Path) -> None:
    results = run_spec(load_spec(project / "torchlean.yaml", project), root=project)
    (project / "old.onnx").write_bytes(linear([[1], [-1]]).SerializeToString())
    assert results[0].witness_file is not None
    replayed = replay_file(read_witness_file(project / results[0].witness_file, project), project)
    assert not replayed.same_model
    assert replayed.still_breaks


def test_witnesses_lie_in_their_regions(project: Path) -> None:
    results = run_spec(load_spec(project / "torchlean.yaml", project), root=project)
    for result in results[1:]:
        point = [float(value) for value in from_hex_all(result.evidence.witnesses[0].input)]
        assert all(0 <= value <= 1 for value in point[:2])
        assert all(abs(step) <= 0.125 for step in point[2:])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{name: p, model: new, check: equivalent, to: older, input: BOX, tolerance: 1}", "TL0312"),
        ("{name: p, model: new, check: equivalent, to: new, input: BOX, tolerance: 1}", "TL0317"),
        ("{name: p, model: new, check: equivalent, input: BOX, tolerance: 1}", "TL0306"),
        ("{name: p, model: new, check: monotone, along: [0, 0], by: 1, input: BOX}", "TL0309"),
        ("{name: p, model: new, check: monotone, along: 0, by: 1, input: BOX}", "TL0307"),
        ("{name: p, model: new, check: monotone, along: [], by: 1, input: BOX}", "TL0309"),
        ("{name: p, model: new, check: monotone, along: [-1], by: 1, input: BOX}", "TL0309"),
        ("{name: p, model: new, check: monotone, along: [0], by: -1, input: BOX}", "TL0309"),
        ("{name: p, model: new, check: lipschitz, constant: -1, apart: 1, input: BOX}", "TL0309"),
    ],
)  # fmt: skip
def test_spec_mistakes(project: Path, line: str, code: str) -> None:
    text = SPEC[: SPEC.index("  - ")] + f"  - {line}\n".replace("BOX", "{lower: 0, upper: 1}")
    (project / "torchlean.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:
        load_spec(project / "torchlean.yaml", project)
    assert caught.value.code == code


@pytest.mark.usefixtures("library")
def test_a_bundle_names_both_files(project: Path) -> None:
    text = SPEC.replace("tolerance: 1/100", "tolerance: 1")
    (project / "torchlean.yaml").write_text(text)
    spec = load_spec(project / "torchlean.yaml", project)
    store, kept = ModelStore(project), list[AcceptedText]()

    def keep(given: str | bytes, axioms: tuple[str, ...]) -> None:
        assert isinstance(given, str)
        kept.append(AcceptedText(given, axioms))

    result = run_one(jobs_of(spec)[0], store=store, keep=keep)
    assert result.evidence.verdict is Verdict.PROVED
    files = bundle_files(result, kept, read_sources(source_directory()), b"readme")
    words = files["Claim.lean"].decode()
    assert result.other_model is not None
    assert "new.onnx" in words
    assert "old.onnx" in words
    assert str(result.other_model.sha256) in words


def test_another_second_model_is_another_claim(project: Path) -> None:
    """A pull request must not turn a comparison green by pointing it at the new model itself."""

    def claim() -> Any:
        job = jobs_of(load_spec(project / "torchlean.yaml", project))[0]
        return claim_of_job(job, project, lambda path: hashlib.sha256(path.read_bytes()).hexdigest())["to"]

    before = claim()
    (project / "torchlean.yaml").write_text(SPEC.replace("old: {path: old.onnx}", "old: {path: new.onnx}"))
    assert order_of("equivalent", "to")(before, claim()) is None
    (project / "torchlean.yaml").write_text(SPEC)
    assert order_of("equivalent", "to")(before, claim()) == 0
    (project / "old.onnx").write_bytes((project / "new.onnx").read_bytes())
    assert order_of("equivalent", "to")(before, claim()) is None


@pytest.mark.parametrize(
    ("kind", "key", "weaker"),
    [("equivalent", "tolerance", "1/10"), ("monotone", "slack", "1/10"), ("lipschitz", "constant", "5")],
)
def test_larger_allowances_are_weaker_claims(kind: str, key: str, weaker: str) -> None:
    assert order_of(kind, key)("1/100", weaker) == -1
    assert order_of(kind, key)(weaker, "1/100") == 1


def test_decorators_take_the_path_of_the_second_model(project: Path, pytester: pytest.Pytester) -> None:
    for name in ("new.onnx", "old.onnx"):
        (pytester.path / name).write_bytes((project / name).read_bytes())
    pytester.makepyfile(
        """
        import pytest
        from pytest_torchlean import equivalent

        @pytest.mark.certify("new.onnx", equivalent(to="old.onnx", input=(0, 1), tolerance="1/100"))
        def test_close(verdict):
            pass

        @pytest.mark.certify("new.onnx", equivalent(to="gone.onnx", input=(0, 1), tolerance="1/100"))
        def test_gone(verdict):
            pass
        """
    )
    outcome = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    outcome.stdout.fnmatch_lines(["*that of `old.onnx`*", "*gone.onnx*"])
    assert outcome.ret == 1


def test_numbers_follow_the_inputs_as_they_are_named(judged: Any) -> None:
    """`along: [1, 0]` with two numbers: the first one is about input 1."""
    plane = linear([[3.0], [4.0]])
    box = {"input": (0, 1), "along": [1, 0], "semantics": "real"}
    steep = lipschitz(constant="31/10", slack="1/50", apart=[1, "1/1000"], **box)
    assert judged(steep, plane).verdict is Verdict.REFUTED
    shallow = lipschitz(constant="31/10", slack="1/50", apart=["1/1000", 1], **box)
    assert judged(shallow, plane).verdict is Verdict.PROVED
    rising = monotone(direction="nonincreasing", slack="31/10", by=[1, "1/1000"], **box)
    assert judged(rising, plane).verdict is Verdict.REFUTED
