"""Closed loops whose dynamics are a model, from specs to Lean's word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean import invariant, lyapunov
from pytest_torchlean.cache.known import Known
from pytest_torchlean.errors import CertificateError, SpecError, SpecErrors
from pytest_torchlean.gate import run_spec
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.jobs import jobs_of
from pytest_torchlean.model_store import ModelStore
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.preflight import require_files
from pytest_torchlean.properties.closing import loop_of
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.memory import Memory
from pytest_torchlean.properties.nonlinear_loops import NonlinearLoop, closed_loop_of
from pytest_torchlean.ratchet.claims import claim_of_job
from pytest_torchlean.ratchet.order import order_of
from pytest_torchlean.replay import replay_file
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.model import LoopProperty
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import WitnessFile, read_witness_file


def controller(gain: float = 1.0) -> onnx.ModelProto:
    """u = gain * clip(-2x - 3v, -2, 2), by two ReLUs."""
    weights = {
        "w": np.array([[-2, -3], [-2, -3]], dtype=np.float32),
        "b": np.array([2, -2], dtype=np.float32),
        "v": np.array([[gain, -gain]], dtype=np.float32),
        "c": np.array([-2 * gain], dtype=np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["state", "w", "b"], ["z"], transB=1),
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "v", "c"], ["force"], transB=1),
    ]
    return model(nodes, {"state": [1, 2]}, {"force": [1, 1]}, weights)


def brake(gain: float = 3.0) -> onnx.ModelProto:
    """u = -gain * y."""
    weights = {"w": np.array([[0], [-gain]], dtype=np.float32)}
    nodes = [helper.make_node("MatMul", ["state", "w"], ["force"])]
    return model(nodes, {"state": [1, 2]}, {"force": [1, 1]}, weights)


def plant(step: float = 0.125, inputs: Mapping[str, list[int]] | None = None) -> onnx.ModelProto:
    """x + v * step, v + u * step: of state and control, or of one input that holds both."""
    weights = {"a": np.array([[1, 0], [step, 1], [0, step]], dtype=np.float32)}
    given = dict(inputs or {"state": [1, 2], "force": [1, 1]})
    whole = next(iter(given)) if len(given) == 1 else "all"
    nodes = [helper.make_node("MatMul", [whole, "a"], ["next"])]
    if len(given) > 1:
        nodes.insert(0, helper.make_node("Concat", list(given), [whole], axis=1))
    return model(nodes, given, {"next": [1, 2]}, weights)


def oscillator() -> onnx.ModelProto:
    """The derivatives y, (1 - x^2) y - x + u of a van der Pol oscillator."""
    nodes = [
        helper.make_node("Split", ["state", "ones"], ["x", "y"], axis=1),
        helper.make_node("Mul", ["x", "x"], ["xx"]),
        helper.make_node("Sub", ["one", "xx"], ["p"]),
        helper.make_node("Mul", ["p", "y"], ["py"]),
        helper.make_node("Sub", ["py", "x"], ["q"]),
        helper.make_node("Add", ["q", "force"], ["r"]),
        helper.make_node("Concat", ["y", "r"], ["speed"], axis=1),
    ]
    weights = {"ones": np.array([1, 1]), "one": np.array([[1]], dtype=np.float32)}
    return model(nodes, {"state": [1, 2], "force": [1, 1]}, {"speed": [1, 2]}, weights)


BLOCK = {
    "check": "invariant",
    "dynamics": "plant",
    "state": ["x", "v"],
    "region": {"lower": -1, "upper": 1},
    "constraints": ["x + v <= 3/4", "x + v >= -3/4"],
    "assurance": "evaluated",
}
FALLING = {
    "check": "lyapunov",
    "dynamics": "plant",
    "state": ["x", "y"],
    "function": "x^2 + x*y/2 + y^2",
    "region": {"lower": "-1/2", "upper": "1/2"},
    "ball": "1/4",
    "time": "continuous",
    "semantics": "real",
    "assurance": "evaluated",
}


@pytest.fixture
def project(tmp_path: Path) -> Any:
    """`project(block, first, second)`: a folder with the spec of one property about two models."""

    def build(
        block: Mapping[str, Any], first: onnx.ModelProto | None = None, second: onnx.ModelProto | None = None
    ) -> Path:
        (tmp_path / "cart.onnx").write_bytes((first or controller()).SerializeToString())
        (tmp_path / "plant.onnx").write_bytes((second or plant()).SerializeToString())
        prop = json.dumps({"name": "p", "model": "cart", **block})
        (tmp_path / "torchlean.yaml").write_text(
            "version: 1\nmodels: {cart: {path: cart.onnx}, plant: {path: plant.onnx}}\n"
            f"properties:\n  - {prop}\n"
        )
        return tmp_path

    return build


def result_of(root: Path) -> PropertyResult:
    (result,) = run_spec(load_spec(root / "torchlean.yaml", root), root=root)
    return result


@pytest.mark.usefixtures("library")
class TestVerdicts:
    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_no_step_leaves_a_polytope(self, project: Any, semantics: str) -> None:
        result = result_of(project({**BLOCK, "semantics": semantics}))
        evidence = result.evidence
        assert evidence.verdict is Verdict.PROVED
        assert evidence.claim.startswith("a step (x, v) := `plant` never leads out of [-1, 1]")
        assert any("The model `plant` is the system" in line for line in evidence.trust)
        assert any("any number of steps" in line for line in evidence.details)
        assert result.other_model is not None
        assert result.other_model.path == "plant.onnx"
        assert "inputs of the dynamics: 'state' takes the state x, v; 'force' takes the control u" in (
            evidence.details
        )

    def test_another_system_under_the_same_controller(self, project: Any) -> None:
        """PROVED with one file of the dynamics; with another REFUTED, by a witness that replays."""
        root = project(BLOCK)
        before = result_of(root)
        (root / "plant.onnx").write_bytes(plant(2.0).SerializeToString())
        after = result_of(root)
        assert (before.evidence.verdict, after.evidence.verdict) == (Verdict.PROVED, Verdict.REFUTED)
        assert before.model_sha256 == after.model_sha256
        assert before.other_model is not None
        assert after.other_model is not None
        assert before.other_model.sha256 != after.other_model.sha256
        stored = read_witness_file(root / str(after.witness_file), root)
        assert isinstance(stored, WitnessFile)
        replayed = replay_file(stored, root)
        assert (replayed.still_breaks, replayed.same_model) == (True, True)
        (root / "plant.onnx").write_bytes(plant(0.25).SerializeToString())
        assert not replay_file(stored, root).same_model

    def test_a_step_takes_the_control_of_the_controller(self, project: Any) -> None:
        assert result_of(project(BLOCK, controller(-1.0))).evidence.verdict is Verdict.REFUTED

    def test_one_input_may_hold_both(self, project: Any) -> None:
        both = plant(inputs={"all": [1, 3]})
        evidence = result_of(project(BLOCK, None, both)).evidence
        assert evidence.verdict is Verdict.PROVED
        assert "inputs of the dynamics: 'all' takes the state x, v and the control u" in evidence.details

    def test_inputs_of_one_size_are_told_by_name(self, project: Any) -> None:
        """Where they are exchanged nothing fails, and another system is judged: the record says which."""
        given = {"control": [1, 1], "speed": [1, 1]}
        brake_of_one = model(
            [helper.make_node("Neg", ["speed"], ["force"])], {"speed": [1, 1]}, {"force": [1, 1]}, {}
        )
        sums = model([helper.make_node("Add", list(given), ["next"])], given, {"next": [1, 1]}, {})
        block = {key: value for key, value in BLOCK.items() if key != "constraints"} | {"state": ["v"]}
        evidence = result_of(project(block, brake_of_one, sums)).evidence
        assert evidence.verdict is Verdict.PROVED
        assert "inputs of the dynamics: 'control' takes the state v; 'speed' takes the control u" in (
            evidence.details
        )

    def test_the_ledger_names_the_preprocessing_of_the_dynamics(self, project: Any) -> None:
        root = project(BLOCK, None, plant(inputs={"all": [1, 3]}))
        path = root / "torchlean.yaml"
        path.write_text(
            path.read_text().replace(
                "path: plant.onnx",
                "path: plant.onnx, preprocess: [{divide: {value: 1}}]",
            )
        )
        evidence = result_of(root).evidence
        assert evidence.verdict is Verdict.PROVED
        (line,) = (
            line
            for line in evidence.trust
            if line.startswith("Ahead of the file of the dynamics: divide by 1.")
        )
        assert "must do exactly these operations" in line
        assert not any("The claim is about raw inputs" in line for line in evidence.trust)

    def test_a_disturbance_counts(self, project: Any) -> None:
        assert result_of(project({**BLOCK, "disturbance": "1/4"})).evidence.verdict is Verdict.REFUTED

    def test_derivatives_by_time(self, project: Any) -> None:
        evidence = result_of(project(FALLING, brake(), oscillator())).evidence
        assert evidence.verdict is Verdict.PROVED
        assert "falls along (x, y)/dt = `plant`" in evidence.claim
        assert any("derivatives by time are its exact value" in line for line in evidence.trust)
        evidence = result_of(project(FALLING, brake(0.5), oscillator())).evidence
        assert evidence.verdict is Verdict.REFUTED
        assert "the function does not fall" in evidence.found

    @pytest.mark.parametrize(("gain", "verdict"), [(3.0, Verdict.PROVED), (0.5, Verdict.REFUTED)])
    def test_what_is_multiplied_out_is_held_against_both_files(
        self, project: Any, monkeypatch: pytest.MonkeyPatch, gain: float, verdict: Verdict
    ) -> None:
        """Nothing is said of a model lowered wrongly, though its graph agrees with its own ONNX form."""
        root = project({**FALLING, "assurance": "evaluated"}, brake(gain), oscillator())
        right = ModelStore.graph

        def wrong(store: ModelStore, path: Path, *given: Any) -> Graph:
            graph = right(store, path, *given)
            halves = {name: value / 2 if name == "one" else value for name, value in graph.constants.items()}
            return replace(graph, constants=halves)

        assert result_of(root).evidence.verdict is verdict
        monkeypatch.setattr(ModelStore, "graph", wrong)
        problem = result_of(root).evidence.problem
        assert problem is not None
        assert problem.code == "TL0610"


class TestLoops:
    @pytest.fixture
    def executions_of(self, tmp_path: Path) -> Any:
        def build(proto: onnx.ModelProto) -> Executions:
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.onnx"
            path.write_bytes(proto.SerializeToString())
            loaded = load_model(path, root=tmp_path)
            return Executions(loaded, lower(loaded))

        return build

    def prop(self, **changed: Any) -> LoopProperty:
        given = {"dynamics": "plant.onnx", "state": ["x", "v"], "region": (-1, 1), "semantics": "real"}
        return invariant(**{**given, **changed})

    def test_values_are_those_of_one_model_after_the_other(self, executions_of: Any) -> None:
        loop = loop_of(self.prop(), executions_of(controller()), executions_of(plant()))
        point = np.array([0.25, -0.5], dtype=np.float32)
        wanted = [1.0, 0.25 - 0.5 / 8, -0.5 + 1.0 / 8, 0.25, -0.5]
        runs = (loop.executions.runtime, loop.executions.unoptimised, loop.executions.evaluator)
        assert all(run(point).tolist() == wanted for run in runs)
        assert [float(value) for value in loop.executions.exact(point)] == wanted
        assert loop.controls == ("u", "x'", "v'")

    def test_products_of_what_the_model_gives(self, executions_of: Any) -> None:
        loop = closed_loop_of(
            lyapunov(
                dynamics="plant.onnx",
                state=["x", "v"],
                function="x^2 + v^2",
                region=(-1, 1),
                ball="1/2",
                semantics="real",
            ),
            executions_of(controller()),
            executions_of(plant()),
        )
        assert isinstance(loop, NonlinearLoop)
        values = loop.executions.runtime(np.array([0.25, -0.5], dtype=np.float32)).tolist()
        assert dict(zip(loop.outputs, values, strict=True)) == {
            "x^2": 0.25**2,
            "v^2": 0.5**2,
            "x'^2": 0.1875**2,
            "v'^2": 0.375**2,
        }

    def test_inputs_that_are_wired_otherwise_are_refused(self, executions_of: Any) -> None:
        """The guard demands that the second model reads the state and what the first one wrote, in order."""
        loop = loop_of(self.prop(), executions_of(controller()), executions_of(plant()))
        values = dict(loop.executions.program.values)
        loop.executions.require_wiring(values)
        for name in ("dynamics: state", "dynamics: force"):
            with pytest.raises(CertificateError, match="wired otherwise than meant"):
                loop.executions.require_wiring({**values, name: values[name] - 1})

    def test_sizes_must_fit(self, executions_of: Any) -> None:
        cart, system = executions_of(controller()), executions_of(plant())
        with pytest.raises(SpecError, match="`state` has 3 elements, but the model's input has 2"):
            loop_of(self.prop(state=["x", "y", "z"]), cart, system)
        with pytest.raises(SpecError, match=r"takes 2 elements, but the state and the control have 2 \+ 1"):
            loop_of(self.prop(), cart, cart)
        wide = model([helper.make_node("Relu", ["all"], ["next"])], {"all": [1, 3]}, {"next": [1, 3]}, {})
        with pytest.raises(SpecError, match="gives 3 elements, but the state has 2") as raised:
            loop_of(self.prop(), cart, executions_of(wide))
        assert raised.value.code == "TL0362"

    def test_inputs_stand_in_the_order_of_state_and_control(self, executions_of: Any) -> None:
        """As many elements in another order are another system, about which nothing was asked."""
        for inputs in ({"force": [1, 1], "state": [1, 2]}, {"state": [1, 1], "force": [1, 2]}):
            with pytest.raises(SpecError, match="would take elements of the state and the control") as raised:
                loop_of(self.prop(), executions_of(controller()), executions_of(plant(inputs=inputs)))
            assert raised.value.code == "TL0362"
        each = plant(inputs={"x": [1, 1], "v": [1, 1], "force": [1, 1]})
        assert loop_of(self.prop(), executions_of(controller()), executions_of(each)).controls[0] == "u"


class TestSpecs:
    @pytest.mark.parametrize(
        ("changed", "code", "words"),
        [
            ({"dynamics": "plan"}, "TL0312", "declares no `plan`"),
            ({"dynamics": "Plant One"}, "TL0310", "not a valid model name"),
            ({"state": None}, "TL0306", "names the model `plant`, but `state` is missing"),
            (
                {"dynamics": {"x": "x", "v": "v"}},
                "TL0317",
                "`state` names what a model",
            ),
            ({"dynamics": ["plant"]}, "TL0307", "or the name of a model"),
            ({"control": ["x"]}, "TL0309", "`control` and `state` both name `x`"),
            ({"constraints": ["x + u <= 1"]}, "TL0361", "`u` is not known here"),
        ],
    )
    def test_mistakes_are_named(self, project: Any, changed: dict[str, Any], code: str, words: str) -> None:
        root = project({key: value for key, value in {**BLOCK, **changed}.items() if value is not None})
        with pytest.raises(SpecErrors) as raised:
            load_spec(root / "torchlean.yaml", root)
        found = [finding.error for finding in raised.value.findings]
        assert [error.code for error in found] == [code]
        assert words in found[0].message
        assert found[0].span is not None

    def test_a_file_that_is_not_there_is_shown_before_anything_runs(self, project: Any) -> None:
        root = project(BLOCK)
        (root / "plant.onnx").unlink()
        path = root / "torchlean.yaml"
        with pytest.raises(SpecErrors, match=r"there is no file `plant\.onnx`"):
            require_files(load_spec(path, root), path, root)

    def test_in_python_it_is_a_path(self) -> None:
        prop = invariant(dynamics=Path("models/plant.onnx"), state=["x", "v"], region=(-1, 1))
        assert (prop.dynamics, prop.states, prop.formulas) == ("models/plant.onnx", ("x", "v"), ())
        with pytest.raises(SpecError, match="`state` is missing"):
            lyapunov(dynamics="plant.onnx", function="abs(x)", region=(-1, 1), ball="1/2")

    def test_the_cache_is_asked_for_this_system(self, project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[dict[str, str]] = []

        def recall(_: Memory, **digests: str) -> Known:
            asked.append(digests)
            raise RuntimeError("nothing more is wanted here")

        monkeypatch.setattr(Memory, "recall", recall)
        for system in (plant(), plant(2.0), plant()):
            result_of(project(BLOCK, None, system))
        one, other, again = asked
        assert one == again
        assert one["unsafe"] == other["unsafe"]
        assert one["other"] != other["other"]

    def test_other_bytes_are_another_claim(self, project: Any) -> None:
        """A baseline does not take a property about one system for one about another."""
        root = project(BLOCK)
        (job,) = jobs_of(load_spec(root / "torchlean.yaml", root))
        one = claim_of_job(job, root, lambda _: "a" * 64)
        other = claim_of_job(job, root, lambda _: "b" * 64)
        assert dict(one["dynamics"])["path"] == "plant.onnx"
        assert order_of("invariant", "dynamics")(one["dynamics"], other["dynamics"]) is None
        assert "to" not in one
