"""Derivatives of networks that bend, from specs to Lean's word: Relu and its kin, Max and Min, and signs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from exact_differences import assert_slopes_are_differences
from onnx import helper
from onnx_models import model

from pytest_torchlean import gradient, output_range, residual
from pytest_torchlean.derivatives import differentiated, gradient_graph
from pytest_torchlean.errors import CertificateError, UnsupportedError
from pytest_torchlean.gate import run_spec
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.properties import run_property
from pytest_torchlean.properties.ledger import EXPONENTIAL
from pytest_torchlean.replay import replay_file
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.model import PropertySpec
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import WitnessFile, read_witness_file

BENDING = ("Relu", "Abs", "LeakyRelu", "PRelu", "steep PRelu", "Clip", "one-sided Clip", "Max", "Min")


def bending(op: str, read: str, written: str) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray]]:
    """An operation by its name in BENDING. Max and Min choose among a value, a multiple of it and 1/2."""
    kind = op.rpartition(" ")[2]
    number = {
        "PRelu": [0.25],
        "steep PRelu": [-3.0],
        "Clip": [-0.5, 0.75],
        "one-sided Clip": [-0.5, float(np.finfo(np.float32).max)],
    }.get(op, [0.5])
    weights = {f"{written}_{place}": np.array(value, dtype=np.float32) for place, value in enumerate(number)}
    node = helper.make_node(kind, [read], [written])
    if kind in ("PRelu", "Clip"):
        node.input.extend(weights)
    elif kind == "LeakyRelu":
        node.attribute.append(helper.make_attribute("alpha", 0.1))
    elif kind in ("Max", "Min"):
        node = helper.make_node(kind, [f"{written}_0", f"{written}_scaled", read], [written])
        weights[f"{written}_factor"] = np.array(-0.75, dtype=np.float32)
        scaled = helper.make_node("Mul", [read, f"{written}_factor"], [f"{written}_scaled"])
        return [scaled, node], weights
    return [node], {name: value for name, value in weights.items() if name in node.input}


def stairs(op: str = "Relu") -> onnx.ModelProto:
    """relu(x) + relu(x - 1) / 2: its derivative is 0, 1 and 3/2."""
    weights = {
        "w": np.array([[1.0], [1.0]], dtype=np.float32),
        "b": np.array([0.0, -1.0], dtype=np.float32),
        "v": np.array([[1.0, 0.5]], dtype=np.float32),
    }
    bent, more = bending(op, "z", "h")
    weights |= more
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1),
        *bent,
        helper.make_node("Gemm", ["h", "v"], ["u"], transB=1),
    ]
    return model(nodes, {"x": [1, 1]}, {"u": [1, 1]}, weights)


def deep(op: str = "Relu", inputs: int = 4) -> onnx.ModelProto:
    """Three layers at random."""
    rng = np.random.default_rng(5)
    weights, nodes, here = {}, [], "x"
    for number, (rows, columns) in enumerate(((6, inputs), (6, 6), (1, 6))):
        weights[f"w{number}"] = rng.normal(size=(rows, columns)).astype(np.float32)
        weights[f"b{number}"] = rng.normal(size=rows).astype(np.float32)
        nodes.append(helper.make_node("Gemm", [here, f"w{number}", f"b{number}"], [f"z{number}"], transB=1))
        if number < 2:
            bent, more = bending(op, f"z{number}", f"h{number}")
            nodes += bent
            weights |= more
        here = f"h{number}"
    return model(nodes, {"x": [1, inputs]}, {"z2": [1, 1]}, weights)


def folded(first: float, second: float, *, twice: bool = False) -> onnx.ModelProto:
    """first * relu(x) + second * relu(relu(x) - x), or without the x that is subtracted."""
    weights = {name: np.array([[number]], np.float32) for name, number in (("a", first), ("b", second))}
    nodes = [
        helper.make_node("Relu", ["x"], ["h"]),
        helper.make_node("Sub", ["h", "x"], ["z"]),
        helper.make_node("Relu", ["h" if twice else "z"], ["r"]),
        helper.make_node("Mul", ["h", "a"], ["p"]),
        helper.make_node("Mul", ["r", "b"], ["q"]),
        helper.make_node("Add", ["p", "q"], ["u"]),
    ]
    return model(nodes, {"x": [1, 1]}, {"u": [1, 1]}, weights)


@pytest.fixture
def judged(context_for: Any) -> Any:
    def judge(prop: PropertySpec, proto: onnx.ModelProto | None = None) -> Any:
        return run_property(context_for(proto or stairs()), replace(prop, name="p", model="m"))

    return judge


@pytest.mark.usefixtures("library")
class TestVerdicts:
    @pytest.mark.parametrize("assurance", ["kernel", "evaluated"])
    def test_between_the_bends_the_slope_is_exact(self, judged: Any, assurance: str) -> None:
        evidence = judged(gradient(input=("1/4", "3/4"), bounds=(1, 1), assurance=assurance))
        assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, assurance)
        assert any("at a bend" in line for line in evidence.trust)
        assert EXPONENTIAL in evidence.trust

    def test_across_them_it_is_any_number_between(self, judged: Any) -> None:
        assert judged(gradient(input=(-1, 2), bounds=(0, "3/2"))).verdict is Verdict.PROVED
        assert judged(gradient(input=(-1, "1/2"), bounds=(0, 1))).verdict is Verdict.PROVED

    @pytest.mark.parametrize("bounds", [(0, 1), ("1/2", "3/2")])
    def test_a_slope_that_is_there_refutes(self, judged: Any, bounds: Any) -> None:
        assert judged(gradient(input=(-1, 2), bounds=bounds)).verdict is Verdict.REFUTED

    @pytest.mark.parametrize("bounds", [("1/4", "3/4"), ("3/4", 1), (0, "1/4")])
    def test_at_a_bend_nothing_tighter_is_proved_and_nothing_refuted(self, judged: Any, bounds: Any) -> None:
        """There onnxruntime computes 1/2, and every number from 0 to 1 counts."""
        assert judged(gradient(input=(0, 0), bounds=bounds)).verdict is Verdict.UNKNOWN
        assert judged(gradient(input=(0, 0), bounds=(0, 1))).verdict is Verdict.PROVED

    def test_a_size_has_the_signs_slope(self, judged: Any) -> None:
        """|x| + |x - 1| / 2."""
        assert judged(gradient(input=(0, 1), bounds=("-3/2", "3/2")), stairs("Abs")).verdict is Verdict.PROVED
        half = gradient(input=("1/8", "7/8"), bounds=("1/2", "1/2"))
        assert judged(half, stairs("Abs")).verdict is Verdict.PROVED

    @pytest.mark.parametrize(
        ("op", "lowest", "highest"),
        [
            ("LeakyRelu", "1/10", "3/2"),
            ("PRelu", "1/4", "3/2"),
            ("steep PRelu", "-9/2", "3/2"),
            ("Clip", 0, "3/2"),
            ("one-sided Clip", 0, "3/2"),
            ("Max", "-9/8", "3/2"),
            ("Min", "-9/8", "3/2"),
        ],
    )
    def test_bounds_of_the_slopes_are_sharp(self, judged: Any, op: str, lowest: Any, highest: Any) -> None:
        """Proved as far as slopes may go, by a little, and no further than slopes do go."""
        lowest, highest, little = Fraction(lowest), Fraction(highest), Fraction(1, 100)
        proto = stairs(op)
        whole = {"input": (-3, 3)}
        wide = (lowest - little, highest + little)
        evidence = judged(gradient(**whole, bounds=wide), proto)
        assert evidence.verdict is Verdict.PROVED
        assert any("at a bend" in line for line in evidence.trust)
        middle = (lowest + highest) / 2
        assert judged(gradient(**whole, bounds=(middle, highest + 1)), proto).verdict is Verdict.REFUTED
        assert judged(gradient(**whole, bounds=(lowest - 1, middle)), proto).verdict is Verdict.REFUTED

    @pytest.mark.parametrize("op", ["LeakyRelu", "Clip", "Max", "Min"])
    def test_on_one_side_the_slope_is_exact(self, judged: Any, op: str) -> None:
        """At the right of every bend, and at its left."""
        slopes = {
            "LeakyRelu": ("0.15", "3/2"),
            "Clip": (0, 0),
            "Max": ("-9/8", "3/2"),
            "Min": ("3/2", "-9/8"),
        }
        for box, slope in zip(((-9, -8), (8, 9)), slopes[op], strict=True):
            # LeakyRelu's slope is the binary32 number nearest to 1/10
            near = (Fraction(slope) - Fraction(1, 2**20), Fraction(slope) + Fraction(1, 2**20))
            assert judged(gradient(input=box, bounds=near), stairs(op)).verdict is Verdict.PROVED

    @pytest.mark.parametrize(("op", "at"), [("LeakyRelu", 0), ("Clip", "3/4"), ("Max", "1/2")])
    def test_no_bend_is_narrower_than_its_sides(self, judged: Any, op: str, at: Any) -> None:
        """One side breaks the lower bound, the other one the upper one."""
        evidence = judged(gradient(input=(at, at), bounds=("3/4", "7/8")), stairs(op))
        assert evidence.verdict is Verdict.UNKNOWN

    def test_a_neuron_that_is_0_all_around_hinders_no_counterexample(self, judged: Any) -> None:
        """3 relu(x) + relu(relu(x) - x): where x > 0, every input lies on the bend of the last one."""
        evidence = judged(gradient(input=("1/2", 1), bounds=(0, 2)), folded(3.0, 1.0))
        assert evidence.verdict is Verdict.REFUTED
        assert "on whichever side of the bends there" in evidence.found
        assert judged(gradient(input=("1/2", 1), bounds=(0, 4)), folded(3.0, 1.0)).verdict is Verdict.PROVED

    def test_off_a_bend_there_is_a_counterexample(self, judged: Any) -> None:
        """20 relu(x) - 19 relu(relu(x)): at 0 onnxruntime computes 21/4, at its left the derivative is 0."""
        evidence = judged(
            gradient(input=(0, Fraction(4, 2**149)), bounds=(0, "1/2")), folded(20.0, -19.0, twice=True)
        )
        assert evidence.verdict is Verdict.REFUTED
        (witness,) = evidence.witnesses
        assert float.fromhex(witness.input[0]) > 0

    @pytest.mark.parametrize("op", ["Relu", "LeakyRelu", "Clip", "Max"])
    def test_four_inputs_go_back_in_one_pass(self, judged: Any, op: str) -> None:
        wide = gradient(input=("-1/8", "1/8"), bounds=(-60, 60))
        assert judged(wide, deep(op)).verdict is Verdict.PROVED
        assert judged(gradient(input=(-1, 1), bounds=(0, 60)), deep(op)).verdict is Verdict.REFUTED

    def test_a_rule_that_errs_is_told_from_the_function(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No theorem would: the one it proves is about the graph. So the differences below are a test."""
        monkeypatch.setattr("pytest_torchlean.derivatives.bends._rest", lambda builder, share: share)
        with pytest.raises(AssertionError):
            differences("Max", back=True)

    @pytest.mark.parametrize("upper", ["3/2", 1])
    def test_the_model_is_held_against_its_file(self, context_for: Any, upper: Any) -> None:
        """Not only its derivative against the derivative's own ONNX form, as wrong as its lowering."""
        context = context_for(stairs())
        doubled = {
            name: value * 2 if name == "v" else value for name, value in context.graph.constants.items()
        }
        context = replace(context, graph=replace(context.graph, constants=doubled))
        prop = replace(gradient(input=(-1, 2), bounds=(0, 2 * Fraction(upper))), name="p", model="m")
        with pytest.raises(CertificateError) as raised:
            run_property(context, prop)
        assert raised.value.code == "TL0610"

    def test_a_first_order_residual(self, judged: Any) -> None:
        prop = residual(input=("1/4", "3/4"), inputs=["x"], residual="u_x - 1", within="1/100")
        assert judged(prop).verdict is Verdict.PROVED

    def test_a_witness_is_replayed(self, tmp_path: Path) -> None:
        (tmp_path / "m.onnx").write_bytes(stairs().SerializeToString())
        (tmp_path / "torchlean.yaml").write_text(
            "version: 1\nmodels: {m: {path: m.onnx}}\nproperties:\n"
            "  - {name: p, model: m, check: gradient, input: {lower: -1, upper: 2}, bounds: {upper: 1}}\n"
        )
        (result,) = run_spec(load_spec(tmp_path / "torchlean.yaml", tmp_path), root=tmp_path)
        assert result.evidence.verdict is Verdict.REFUTED
        stored = read_witness_file(tmp_path / str(result.witness_file), tmp_path)
        assert isinstance(stored, WitnessFile)
        assert replay_file(stored, tmp_path).still_breaks

    @pytest.mark.parametrize("semantics", ["real", "binary32"])
    def test_signs_in_a_model(self, judged: Any, semantics: Any) -> None:
        """Known on one side of 0; across it between -1 and 1."""

        def verdict(lower: Any, limits: Any) -> Verdict:
            prop = output_range(input=(lower, 1), output=limits, semantics=semantics)
            found: Verdict = judged(prop, stairs("Sign")).verdict
            return found

        assert verdict("1/4", ("1/4", "8/5")) is Verdict.PROVED
        assert verdict("1/4", ("3/4", "8/5")) is Verdict.REFUTED
        assert verdict(-1, ("-8/5", "8/5")) is Verdict.PROVED
        assert verdict(-1, ("-1", "8/5")) is Verdict.REFUTED

    def test_the_theorem_about_signs_needs_an_exponential_function(self, judged: Any) -> None:
        """Elsewhere a node that is a curve has no execution (Spec/Graph), and the record says so."""
        evidence = judged(output_range(input=("1/4", 1), output=("1/4", "8/5")), stairs("Sign"))
        assert evidence.verdict is Verdict.PROVED
        assert EXPONENTIAL in evidence.trust


def test_there_is_no_second_derivative(judged: Any) -> None:
    prop = residual(input=(0, 1), inputs=["x"], residual="u_xx", within=1)
    with pytest.raises(UnsupportedError, match=r"Relu.*it bends, so that it has no second") as raised:
        judged(prop)
    assert raised.value.code == "TL0205"


@pytest.mark.parametrize("op", BENDING)
@pytest.mark.parametrize("back", [True, False])
def test_derivatives_are_differences(op: str, back: bool) -> None:
    differences(op, back=back)


def differences(op: str, *, back: bool) -> None:
    graph = lower(LoadedModel(Path("m.onnx"), deep(op, 2).SerializeToString(), ""))
    assert_slopes_are_differences(graph, "z2", back=back)


def test_a_slope_that_varies_has_no_rule() -> None:
    nodes = [helper.make_node("PRelu", ["x", "x"], ["u"], name="bent")]
    graph = lower(
        LoadedModel(Path("m.onnx"), model(nodes, {"x": [1, 2]}, {"u": [1, 2]}, {}).SerializeToString(), "")
    )
    with pytest.raises(UnsupportedError, match="PRelu 'bent': its slope or bounds vary"):
        differentiated(graph, [(0,)])
    with pytest.raises(UnsupportedError, match="no reverse rule for PRelu"):
        gradient_graph(graph, 0)
