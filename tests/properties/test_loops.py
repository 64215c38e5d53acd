"""Closed loops, from specs to Lean's word: a double integrator under a controller that saturates."""

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
from pytest_torchlean.errors import SpecError, SpecErrors, UnsupportedError
from pytest_torchlean.gate import run_spec
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.properties import run_property
from pytest_torchlean.properties.closing import loop_of
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.loops import Loop
from pytest_torchlean.ratchet.order import order_of
from pytest_torchlean.replay import replay_file
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.model import LoopProperty, PropertySpec
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import WitnessFile, read_witness_file

CART = {"x": "x + v/10", "v": "v + u/10"}
NORM = "max(abs(2*x + v), abs(x + v))"
CORNERS = ["x + v <= 3/4", "x + v >= -3/4"]


def controller(gain: float = 1.0, names: int = 1) -> onnx.ModelProto:
    """u = gain * clip(-2x - 3v, -2, 2), by two ReLUs."""
    weights = {
        "w": np.array([[-2, -3], [-2, -3]], dtype=np.float32),
        "b": np.array([2, -2], dtype=np.float32),
        "v": np.array([[gain, -gain]] * names, dtype=np.float32),
        "c": np.array([-2 * gain] * names, dtype=np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["state", "w", "b"], ["z"], transB=1),
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "v", "c"], ["force"], transB=1),
    ]
    return model(nodes, {"state": [1, 2]}, {"force": [1, names]}, weights)


@pytest.fixture
def loop_for(tmp_path: Path) -> Any:
    def build(prop: LoopProperty, proto: onnx.ModelProto | None = None) -> Loop:
        (tmp_path / "model.onnx").write_bytes((proto or controller()).SerializeToString())
        loaded = load_model(tmp_path / "model.onnx", root=tmp_path)
        return loop_of(prop, Executions(loaded, lower(loaded)))

    return build


@pytest.fixture
def judged(context_for: Any) -> Any:
    def judge(prop: PropertySpec, proto: onnx.ModelProto | None = None) -> Any:
        return run_property(context_for(proto or controller()), replace(prop, name="p", model="m"))

    return judge


@pytest.mark.usefixtures("library")
class TestVerdicts:
    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_dynamics_that_are_clipped_to_the_region(self, judged: Any, semantics: Any) -> None:
        clipped = {name: f"min(max({each}, -1), 1)" for name, each in CART.items()}
        prop = invariant(dynamics=clipped, region=(-1, 1), semantics=semantics)
        evidence = judged(prop)
        assert evidence.verdict is Verdict.PROVED
        assert any("whatever the control" in line for line in evidence.details)
        wider = {name: f"min(max({each}, -1), 9/8)" for name, each in CART.items()}
        assert (
            judged(invariant(dynamics=wider, region=(-1, 1), semantics=semantics)).verdict is Verdict.REFUTED
        )

    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_a_polytope_is_left_by_no_step(self, judged: Any, semantics: Any) -> None:
        prop = invariant(
            dynamics=CART, region=(-1, 1), constraints=CORNERS, semantics=semantics, assurance="evaluated"
        )
        evidence = judged(prop)
        assert evidence.verdict is Verdict.PROVED
        assert any("The expressions are the system" in line for line in evidence.trust)
        assert any("any number of steps" in line for line in evidence.details) == (semantics == "real")

    def test_a_box_in_the_kernel(self, judged: Any) -> None:
        """|x + v/10| + ... <= 1/2 + 1/10 + ...: intervals suffice; rounded to binary32 it repeats."""
        prop = invariant(dynamics={"x": "x/2 + v/10", "v": "v/2 + u/100"}, region=(-1, 1), assurance="kernel")
        evidence = judged(prop)
        assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "kernel")
        assert evidence.theorem.name == "PytestTorchLean.sound"
        assert any("rounded to binary32, is again" in line for line in evidence.details)

    def test_without_the_constraint_a_corner_leaves(self, judged: Any) -> None:
        evidence = judged(invariant(dynamics=CART, region=(-1, 1)))
        assert evidence.verdict is Verdict.REFUTED
        assert "x leaves [-1, 1]" in evidence.found
        (witness,) = evidence.witnesses
        x, v = (float.fromhex(text) for text in witness.input)
        assert abs(x + v / 10) > 1

    def test_a_function_is_lowered_and_its_level_kept(self, judged: Any) -> None:
        prop = lyapunov(
            dynamics=CART,
            function=NORM,
            region=("-1/2", "1/2"),
            ball="1/10",
            level="1/4",
            disturbance="1/1000",
            assurance="evaluated",
        )
        evidence = judged(prop)
        assert evidence.verdict is Verdict.PROVED
        assert "lowers it from where it is at most 1/4; no step leaves those states" in evidence.found

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"function": "abs(x) + abs(v)"}, "is not lowered"),
            ({"function": "x + v"}, "not positive"),
            ({"decrease": "1/10"}, "is not lowered by 1/10"),
            ({"disturbance": "1/10"}, "is not lowered"),
            ({"level": "5/4"}, "leaves"),
            ({"ball": "1/1000", "disturbance": "1/1000"}, "is not lowered"),
        ],
    )
    def test_what_is_not_so_is_refuted(self, judged: Any, changed: dict[str, Any], words: str) -> None:
        keys: dict[str, Any] = {
            "dynamics": CART,
            "function": NORM,
            "region": ("-1/2", "1/2"),
            "ball": "1/10",
            "assurance": "evaluated",
        }
        evidence = judged(lyapunov(**(keys | changed)))
        assert evidence.verdict is Verdict.REFUTED
        assert words in evidence.found

    def test_a_controller_that_pushes_the_wrong_way(self, judged: Any) -> None:
        prop = invariant(dynamics=CART, region=(-1, 1), constraints=CORNERS)
        assert judged(prop, controller(-1.0)).verdict is Verdict.REFUTED


def test_cases_say_what_the_words_say(loop_for: Any) -> None:
    """At random states and controls: unsafe exactly where the exact step breaks the claim."""
    generator = np.random.default_rng(5)
    properties = [
        invariant(dynamics=CART, region=(-1, 1), constraints=CORNERS),
        lyapunov(dynamics=CART, function=NORM, region=(-1, 1), ball="1/5", level="9/10"),
        lyapunov(dynamics=CART, function="abs(x) + abs(v)", region=(-1, 1), ball=("1/5", "1/10")),
        lyapunov(dynamics=CART, function=NORM, region=(-1, 1), ball="1/5", decrease="1/50"),
    ]
    for prop in properties:
        loop = loop_for(prop)
        seen = set()
        for _ in range(300):
            point = [Fraction(int(k), 16) for k in generator.integers(-16, 17, 2)]
            control = [Fraction(int(generator.integers(-40, 41)), 16)]
            outputs = [*control, *point]
            cases = [
                case
                for case in loop.unsafe.cases
                if all(
                    low <= own <= high
                    for low, own, high in zip(case.box.lower, point, case.box.upper, strict=True)
                )
            ]
            reached = any(
                all(
                    total < 0 or (total == 0 and not atom.strict)
                    for atom in case.atoms
                    for total in [atom.constant + sum(factor * outputs[k] for k, factor in atom.outputs)]
                )
                for case in cases
            )
            assert reached == (loop.broken(point, outputs) is not None), (prop, point, control)
            seen.add(reached)
        assert seen == {True, False}


def test_a_disturbance_counts_at_its_worst(loop_for: Any) -> None:
    """x + v/10 + w <= 1 for every |w| <= 1/8: a point is unsafe where one of the ends is."""
    loop = loop_for(invariant(dynamics=CART, region=(-1, 1), disturbance=("1/8", 0)))
    zero = Fraction(0)
    assert loop.broken([Fraction(7, 8), zero], [zero]) is None
    assert "x leaves" in str(loop.broken([Fraction(15, 16), zero], [zero]))
    (above,) = [
        case.atoms[0]
        for case in loop.unsafe.cases
        if dict(case.atoms[0].outputs) == {1: -1, 2: Fraction(-1, 10)}
    ]
    assert above.constant == 1 - Fraction(1, 8)


@pytest.mark.parametrize(
    ("prop", "code", "words"),
    [
        (invariant(dynamics={"x": "x"}, region=(-1, 1)), "TL0362", "input has 2"),
        (invariant(dynamics=CART, control=["u", "w"], region=(-1, 1)), "TL0362", "output has 1"),
        (invariant(dynamics={"x": "x + u1", "v": "v"}, region=(-1, 1)), "TL0361", "`u1` is not known"),
        (invariant(dynamics=CART, region=([-1], [1])), "TL0318", "region.lower"),
        (lyapunov(dynamics=CART, function="abs(x)", region=(1, 2), ball=1), "TL0317", "origin"),
        (lyapunov(dynamics=CART, function="abs(x)", region=(-1, 1), ball=0), "TL0317", "positive"),
        (lyapunov(dynamics=CART, function="abs(x)", region=(-1, 1), ball=1), "TL0317", "whole region"),
        (
            lyapunov(dynamics=CART, function="abs(x)", region=(-1, 1), ball="1/2", level=-1),
            "TL0317",
            "at the origin",
        ),
        (invariant(dynamics={"u": "u", "v": "v"}, region=(-1, 1)), "TL0362", "name outputs with `control`"),
        (invariant(dynamics=CART, region=(-1, 1), constraints=["x >= 2"]), "TL0317", "no state"),
        (
            invariant(dynamics=CART, region=(-1, 1), constraints=["x + v >= 1/2", "x + v <= 1/4"]),
            "TL0317",
            "no state",
        ),
    ],
)
def test_what_does_not_fit_the_model(loop_for: Any, prop: Any, code: str, words: str) -> None:
    with pytest.raises(SpecError, match=words) as raised:
        _ = loop_for(prop).unsafe
    assert raised.value.code == code


@pytest.mark.parametrize(
    "constraints",
    [["x + v <= 0", "x + v >= 0"], ["x >= 1"], ["max(x, v) <= -99/100"], ["min(x, -v) <= -1", "v <= -1/2"]],
)
def test_a_thin_region_is_no_empty_one(loop_for: Any, constraints: list[str]) -> None:
    assert loop_for(invariant(dynamics=CART, region=(-1, 1), constraints=constraints)).unsafe.cases


def test_faces_that_a_ball_shares_with_the_region_are_claimed(tmp_path: Path, loop_for: Any) -> None:
    """At x = 1 the function is 0: not positive, on a face of the ball."""
    prop = lyapunov(dynamics=CART, function="abs(v)", region=(-1, 1), ball=[1, "1/10"])
    loop = loop_for(prop)
    faces = [(case.box.lower[0], case.box.upper[0]) for case in loop.unsafe.cases]
    assert {(-1, -1), (1, 1)} <= set(faces)
    assert "not positive" in str(loop.broken([Fraction(1), Fraction(0)], [Fraction(-2)]))


@pytest.mark.parametrize("text", ["x + x*u", "sin(x)", "x + v/u"])
def test_what_is_not_piecewise_linear(loop_for: Any, text: str) -> None:
    prop = invariant(dynamics={"x": text, "v": "v"}, region=(-1, 1))
    with pytest.raises(UnsupportedError, match="not piecewise linear, at column") as raised:
        _ = loop_for(prop).unsafe
    assert raised.value.code == "TL0363"


def test_decorators_name_their_mistakes() -> None:
    with pytest.raises(SpecError, match="`w` is not known here, at column 5") as raised:
        invariant(dynamics={"x": "x + w"}, region=(-1, 1))
    assert raised.value.code == "TL0361"
    with pytest.raises(SpecError, match="`function`: an operator"):
        lyapunov(dynamics=CART, function="2x", region=(-1, 1), ball=1)
    with pytest.raises(SpecError, match="both name `x`"):
        invariant(dynamics=CART, control=["x"], region=(-1, 1))


SPEC = """
version: 1
models: {cart: {path: cart.onnx}}
properties:
  - name: stays
    model: cart
    check: invariant
    dynamics:
      x: x + v/10
      v: v + u/10
    region: {lower: -1, upper: 1}
"""


def test_a_witness_is_written_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "cart.onnx").write_bytes(controller().SerializeToString())
    (tmp_path / "torchlean.yaml").write_text(SPEC)
    (result,) = run_spec(load_spec(tmp_path / "torchlean.yaml", tmp_path), root=tmp_path)
    assert result.evidence.verdict is Verdict.REFUTED
    assert result.witness_file is not None
    stored = read_witness_file(tmp_path / result.witness_file, tmp_path)
    assert isinstance(stored, WitnessFile)
    replayed = replay_file(stored, tmp_path)
    assert replayed.still_breaks
    assert all("x leaves [-1, 1]" in str(one.violation) for one in replayed.replays[0].executions)
    plain = json.loads((tmp_path / result.witness_file).read_text())
    assert plain["prop"]["dynamics"][0]["formula"]["text"] == "x + v/10"


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("x: x + v/10 +", "TL0360", 20),
        ("x: 2x", "TL0360", 11),
        ("x: x + w", "TL0361", 14),
        ('x: "x + w"', "TL0361", 15),
        ("1x: x", "TL0309", 7),
        ("max: x", "TL0309", 7),
    ],
)
def test_a_mistake_in_a_file_is_shown_at_its_character(
    tmp_path: Path, line: str, code: str, column: int
) -> None:
    (tmp_path / "torchlean.yaml").write_text(SPEC.replace("x: x + v/10", line))
    with pytest.raises(SpecErrors) as raised:
        load_spec(tmp_path / "torchlean.yaml", tmp_path)
    error = raised.value.findings[0].error
    assert (error.code, error.span and error.span.line, error.span and error.span.column) == (code, 9, column)


def test_the_ratchet_knows_what_is_weaker() -> None:
    assert order_of("lyapunov", "ball")("1/10", "1/5") == -1
    assert order_of("lyapunov", "decrease")("0", "1/100") == 1
    assert order_of("invariant", "disturbance")("1/100", "0") == -1
    assert order_of("lyapunov", "function")("abs(x)", "abs(v)") is None
    assert order_of("invariant", "dynamics")("x", "v") is None
