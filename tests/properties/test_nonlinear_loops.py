"""Closed loops with products and in continuous time, from specs to Lean's word: a van der Pol oscillator."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean import invariant, lyapunov
from pytest_torchlean.bounds import cells
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.splitting import Inequalities, leaves
from pytest_torchlean.errors import SpecError, UnsupportedError
from pytest_torchlean.gate import run_spec
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.properties import run_property
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.linear import slot_rows
from pytest_torchlean.properties.loops import Loop
from pytest_torchlean.properties.nonlinear_loops import NonlinearLoop, closed_loop_of
from pytest_torchlean.properties.unsafe import questions
from pytest_torchlean.replay import replay_file
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.expressions import ExpressionError, read_expression
from pytest_torchlean.spec.expressions.polynomial import (
    MOST_TERMS,
    Polynomials,
    derivative,
    polynomial,
    variable,
    written,
)
from pytest_torchlean.spec.model import LoopProperty, PropertySpec
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import read_witness_file

OSCILLATOR = {"x": "y", "y": "(1 - x^2)*y - x + u"}
ENERGY = "x^2 + x*y/2 + y^2"


def controller(gain: float = 3.0, function: str = "Relu") -> onnx.ModelProto:
    """u = -gain * y, by two ReLUs or about so by a tanh."""
    weights = {
        "w": np.array([[0, 1], [0, -1]], dtype=np.float32),
        "v": np.array([[-gain, gain]], dtype=np.float32) / (1 if function == "Relu" else 2),
    }
    nodes = [
        helper.make_node("Gemm", ["state", "w"], ["z"], transB=1),
        helper.make_node(function, ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "v"], ["force"], transB=1),
    ]
    return model(nodes, {"state": [1, 2]}, {"force": [1, 1]}, weights)


def falling(**changed: Any) -> LoopProperty:
    given = {
        "dynamics": OSCILLATOR,
        "function": ENERGY,
        "region": ("-1/2", "1/2"),
        "ball": "1/4",
        "time": "continuous",
        "semantics": "real",
        "assurance": "evaluated",
    }
    return lyapunov(**{**given, **changed})


@pytest.fixture
def loop_for(tmp_path: Path) -> Any:
    def build(prop: LoopProperty, proto: onnx.ModelProto | None = None) -> Loop | NonlinearLoop:
        (tmp_path / "model.onnx").write_bytes((proto or controller()).SerializeToString())
        loaded = load_model(tmp_path / "model.onnx", root=tmp_path)
        return closed_loop_of(prop, Executions(loaded, lower(loaded)))

    return build


@pytest.fixture
def judged(context_for: Any) -> Any:
    def judge(prop: PropertySpec, proto: onnx.ModelProto | None = None) -> Any:
        return run_property(context_for(proto or controller()), replace(prop, name="p", model="m"))

    return judge


@pytest.mark.usefixtures("library")
class TestVerdicts:
    @pytest.mark.parametrize("function", ["Relu", "Tanh"])
    def test_the_function_falls_along_solutions(self, judged: Any, function: str) -> None:
        evidence = judged(falling(level="1/5"), controller(function=function))
        assert evidence.verdict is Verdict.PROVED
        assert "no solution leaves" in evidence.found
        assert any("solutions exist" in " ".join(line.split()) for line in evidence.trust)

    def test_a_pendulum_falls_along_its_solutions(self, judged: Any) -> None:
        """Hanging; upright with a control that only brakes it, it does not."""
        assert judged(falling(dynamics={"x": "y", "y": "-sin(x) + u"})).verdict is Verdict.PROVED
        assert judged(falling(dynamics={"x": "y", "y": "sin(x) + u"})).verdict is Verdict.REFUTED

    def test_a_solution_that_gains_energy_is_found(self, judged: Any) -> None:
        evidence = judged(falling(), controller(gain=0.5))
        assert evidence.verdict is Verdict.REFUTED
        assert "the function does not fall" in evidence.found

    def test_a_level_that_touches_the_edge_is_refuted(self, judged: Any) -> None:
        evidence = judged(falling(level="1/3"))
        assert evidence.verdict is Verdict.REFUTED
        assert "region's edge" in evidence.found

    def test_a_level_inside_of_the_ball_is_refuted(self, judged: Any) -> None:
        evidence = judged(falling(level="1/20"))
        assert evidence.verdict is Verdict.REFUTED
        assert "in the ball" in evidence.found

    def test_a_rate_is_claimed_or_refuted(self, judged: Any) -> None:
        assert judged(falling(decrease="1/100")).verdict is Verdict.PROVED
        assert judged(falling(decrease="1/2")).verdict is Verdict.REFUTED

    def test_a_disturbance_counts(self, judged: Any) -> None:
        assert judged(falling(disturbance="1/100", ball="3/8")).verdict is Verdict.PROVED
        assert judged(falling(disturbance="1/2", ball="3/8")).verdict is Verdict.REFUTED

    def test_steps_of_a_nonlinear_system(self, judged: Any) -> None:
        steps = {"x": "x + y/10", "y": "y + ((1 - x^2)*y - x + u)/10"}
        prop = falling(dynamics=steps, time="steps", level="1/5", ball="3/8")
        assert judged(prop).verdict is Verdict.PROVED
        assert judged(prop, controller(gain=0.0)).verdict is Verdict.REFUTED

    def test_an_invariant_box_under_products(self, judged: Any) -> None:
        prop = invariant(
            dynamics={"x": "x/2 + x*y/4", "y": "y/2 - x^2/4"},
            region=(-1, 1),
            constraints=["x + y <= 3/2"],
            semantics="real",
            assurance="evaluated",
        )
        assert judged(prop).verdict is Verdict.PROVED
        worse = replace(
            prop, dynamics=invariant(dynamics={"x": "x/2 + x*y", "y": "y/2"}, region=(-1, 1)).dynamics
        )
        evidence = judged(worse)
        assert evidence.verdict is Verdict.REFUTED
        assert "takes x out of" in evidence.found

    def test_what_no_state_could_break_is_proved(self, judged: Any) -> None:
        prop = invariant(dynamics={"x": "1/2", "y": "x - x"}, region=(-1, 1), semantics="real")
        assert judged(prop).verdict is Verdict.PROVED

    @pytest.mark.parametrize(
        ("dynamics", "constraint"),
        [("2*x*x + 5", "x*x <= -1"), ("2*x*x + 5", "1 <= 0"), ("x*x", "exp(x) <= 1/4")],
    )
    def test_a_region_without_states_is_an_error(self, judged: Any, dynamics: str, constraint: str) -> None:
        prop = invariant(dynamics={"x": dynamics, "y": "y"}, region=(-1, 1), constraints=[constraint])
        with pytest.raises(SpecError, match="no state of the region was found"):
            judged(replace(prop, semantics="real"))

    def test_curved_regions_have_states(self, judged: Any) -> None:
        prop = invariant(
            dynamics={"x": "x/2", "y": "y/2"}, region=(-1, 1), constraints=["x^2 + exp(y) <= 3/2"]
        )
        assert judged(replace(prop, semantics="real")).verdict is not Verdict.REFUTED

    def test_a_level_below_the_origin_is_an_error(self, judged: Any) -> None:
        prop = falling(dynamics={"x": "5*x", "y": "y"}, function="exp(x^2 + y^2)", level="1/2", time=None)
        with pytest.raises(SpecError, match="is 1 at the origin, above the `level` 1/2"):
            judged(prop)

    @pytest.mark.parametrize("gone", ["0*sqrt(x)", "sqrt(x - 2) - sqrt(x - 2)", "0*x^-1"])
    def test_what_cancels_must_have_a_value(self, judged: Any, gone: str) -> None:
        prop = falling(dynamics={"x": "-x", "y": "-y"}, function=f"x^2 + y^2 + {gone}", level=None)
        assert judged(prop).verdict is Verdict.UNKNOWN
        assert (
            judged(replace(prop, function=replace(prop.function, text="x^2 + y^2"))).verdict is Verdict.PROVED
        )

    def test_what_exact_arithmetic_leaves_open_refutes_nothing(self, judged: Any) -> None:
        """Where tanh is 1 but for 1e-58, the function is positive all the same."""
        prop = falling(
            dynamics={"x": "2*x", "y": "y/2"},
            function="x^2*(1 - tanh(200*x^2)) + y^2",
            level=None,
            time=None,
        )
        assert judged(prop).verdict is not Verdict.REFUTED

    def test_what_stands_still_does_not_fall(self, judged: Any) -> None:
        evidence = judged(falling(dynamics={"x": "0*x", "y": "0*y"}, function="x^2 + y^2", level=None))
        assert evidence.verdict is Verdict.REFUTED
        assert "the function does not fall (0 above what is allowed)" in evidence.found

    def test_a_witness_is_replayed(self, tmp_path: Path) -> None:
        (tmp_path / "m.onnx").write_bytes(controller(gain=0.5).SerializeToString())
        (tmp_path / "torchlean.yaml").write_text(
            "version: 1\nmodels: {m: {path: m.onnx}}\nproperties:\n"
            "  - {name: falls, model: m, check: lyapunov, time: continuous, semantics: real, ball: 1/4,\n"
            f"     dynamics: {json.dumps(OSCILLATOR)}, function: {ENERGY},\n"
            "     region: {lower: -1/2, upper: 1/2}}\n"
        )
        (result,) = run_spec(load_spec(tmp_path / "torchlean.yaml", tmp_path), root=tmp_path)
        assert result.evidence.verdict is Verdict.REFUTED
        stored = read_witness_file(tmp_path / str(result.witness_file), tmp_path)
        assert replay_file(stored, tmp_path).still_breaks


class TestClaims:
    def test_binary32_is_refused_by_name(self, loop_for: Any) -> None:
        with pytest.raises(UnsupportedError, match="exact arithmetic") as error:
            loop_for(falling(semantics="binary32"))
        assert error.value.code == "TL0363"
        with pytest.raises(UnsupportedError, match="product of two unknowns") as error:
            loop_for(falling(semantics="binary32", time=None))
        assert "semantics: real" in str(error.value.fix)

    def test_piecewise_linear_loops_stay_as_they_are(self, loop_for: Any) -> None:
        prop = invariant(dynamics={"x": "x + y/10", "y": "y + u/10"}, region=(-1, 1), semantics="real")
        assert isinstance(loop_for(prop), Loop)

    def test_a_function_that_bends_has_no_rate(self, loop_for: Any) -> None:
        with pytest.raises(UnsupportedError, match="no derivative everywhere"):
            loop_for(falling(function="abs(x) + abs(y)"))

    def test_what_cancels_is_gone(self, loop_for: Any) -> None:
        """Of 2xy - 2xy in the rate nothing is left; x times y stands in 0.5 * (x y' + x' y) alone."""
        loop = loop_for(falling(function="x^2 + y^2"))
        assert set(loop.outputs) == {"x^2", "y^2", "u*y", "x^2*y^2"}

    def test_values_are_those_of_the_expressions(self, loop_for: Any) -> None:
        loop = loop_for(falling(dynamics={"x": "sin(y) + x/(2 + y^2)", "y": "-x*y^3 + u"}))
        point = np.array([0.25, -0.5], dtype=np.float32)
        values = dict(zip(loop.outputs, loop.executions.runtime(point).tolist(), strict=True))
        assert values["x^2"] == 0.0625
        assert values["y^2"] == 0.25
        assert values["u*x"] == 0.375
        assert values["x*sin(y)"] == pytest.approx(0.25 * np.sin(-0.5), rel=1e-6)
        assert values["x*(x)/(2 + y^2)"] == pytest.approx(0.0625 / 2.25, rel=1e-6)


class TestPolynomials:
    def test_they_are_multiplied_out_and_collected(self) -> None:
        names = {"x": variable("x"), "y": variable("y")}
        found = polynomial(read_expression("(x + y)^2 - x^2 - 2*x*y"), names)
        assert [(written(one), value) for one, value in found.terms] == [("y^2", 1)]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("x^3*y", "3*x^2*y"),
            ("sin(x*y)", "y*cos(x*y)"),
            ("cos(x)", "-sin(x)"),
            ("exp(2*x)", "2*exp(2*x)"),
            ("tanh(x)", "1 - tanh(x)^2"),
            ("sigmoid(x)", "sigmoid(x) - sigmoid(x)^2"),
            ("y/x", "-(y/x)/x"),
            ("sqrt(x)", "1/(2*sqrt(x))"),
        ],
    )
    def test_derivatives(self, text: str, expected: str) -> None:
        names = {"x": variable("x"), "y": variable("y")}
        found, wanted = (polynomial(read_expression(one), names) for one in (text, expected))
        difference = Polynomials().add(derivative(found, "x"), Polynomials().scale(Fraction(-1), wanted))
        assert difference.terms == ()

    def test_sizes_are_bounded(self) -> None:
        names = {name: variable(name) for name in "abcdefgh"}
        with pytest.raises(ExpressionError, match=f"more than {MOST_TERMS} terms"):
            polynomial(read_expression("(a+b+c+d+e+f+g+h)^9"), names)
        with pytest.raises(ExpressionError, match="a degree above"):
            polynomial(read_expression("a^20*b^20"), names)


class TestCells:
    def test_too_few_cells_are_no_proof(self, loop_for: Any) -> None:
        loop = loop_for(falling())
        program = lower_to_program(loop.executions.graph)
        question = questions(loop.unsafe)[0]
        inequalities = Inequalities(slot_rows(program, question.forms), question.forms.alternatives)
        box = [np.array([float(end) for end in side]) for side in (question.box.lower, question.box.upper)]
        tree = cells.search(program, inequalities, *box, most=5000)
        assert tree is not None
        count = len(list(leaves(tree)))
        assert count > 4
        assert cells.search(program, inequalities, *box, most=count - 1) is None

    def test_a_broken_middle_ends_the_search(self, loop_for: Any) -> None:
        loop = loop_for(falling(), controller(gain=0.5))
        program = lower_to_program(loop.executions.graph)
        question = questions(loop.unsafe)[0]
        inequalities = Inequalities(slot_rows(program, question.forms), question.forms.alternatives)
        box = [np.array([float(end) for end in side]) for side in (question.box.lower, question.box.upper)]
        assert cells.search(program, inequalities, *box, most=5000) is None
