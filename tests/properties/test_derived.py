"""Claims about derivatives, from specs to Lean's word, on a small smooth network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean import gradient, residual
from pytest_torchlean.errors import SpecError, SpecErrors, UnsupportedError
from pytest_torchlean.gate import run_spec
from pytest_torchlean.properties import run_property
from pytest_torchlean.ratchet.order import order_of
from pytest_torchlean.replay import replay_file
from pytest_torchlean.spec import load_spec
from pytest_torchlean.spec.formulas import derivative_of
from pytest_torchlean.spec.model import PropertySpec
from pytest_torchlean.verdict import Verdict
from pytest_torchlean.witness_files import WitnessFile, read_witness_file


def network(op: str = "Tanh", inputs: int = 1) -> onnx.ModelProto:
    """u = tanh(x) - tanh(2 x) / 2 of the first input, and half the second one."""
    weights = {
        "w": np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 0.5]], dtype=np.float32)[:, :inputs],
        "v": np.array([[1.0, -0.5, 0.0]], dtype=np.float32),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["z"], transB=1),
        helper.make_node(op, ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "v"], ["u"], transB=1),
    ]
    return model(nodes, {"x": [1, inputs]}, {"u": [1, 1]}, weights)


@pytest.fixture
def judged(context_for: Any) -> Any:
    def judge(prop: PropertySpec, proto: onnx.ModelProto | None = None) -> Any:
        return run_property(context_for(proto or network()), replace(prop, name="p", model="m"))

    return judge


@pytest.mark.usefixtures("library")
class TestVerdicts:
    def test_a_gradient_in_the_kernel(self, judged: Any) -> None:
        """u' = tanh'(x) - tanh'(2x) is 0 at 0 and at most 0.33."""
        evidence = judged(gradient(input=(0, "1/8"), bounds=("-1/10", "1/5"), assurance="kernel"))
        assert (evidence.verdict, evidence.assurance) == (Verdict.PROVED, "kernel")
        assert evidence.semantics == "real"
        assert any("is tested, not proved" in line for line in evidence.trust)
        assert any("derivative graph, written as ONNX, has sha256" in line for line in evidence.details)

    @pytest.mark.parametrize(
        ("prop", "words"),
        [
            (gradient(input=(0, 1), bounds=(None, "1/4")), "the derivative of output 0 along input 0 is"),
            (gradient(input=(0, 1), bounds=("1/100", None)), "below 1/100"),
            (residual(input=(0, 1), inputs=["x"], residual="u_xx", within=1), "the residual is"),
            (residual(input=(0, 1), inputs=["x"], residual="u_x - 0.1*x", within="1/5"), "above 1/5"),
        ],
    )
    def test_what_is_not_so_is_refuted(self, judged: Any, prop: Any, words: str) -> None:
        evidence = judged(prop)
        assert evidence.verdict is Verdict.REFUTED
        assert words in evidence.found

    def test_a_residual_of_two_inputs(self, judged: Any) -> None:
        prop = residual(
            input=(0, "1/16"),
            inputs=["x", "t"],
            residual="u_t + u*u_x - u_xx/10 + u_xt",
            within="2/3",
            assurance="evaluated",
        )
        assert judged(prop, network(inputs=2)).verdict is Verdict.PROVED


@pytest.mark.usefixtures("library")
def test_along_many_inputs_it_goes_back_once(judged: Any) -> None:
    """u = tanh(x0 + x1 - x2 - x3): 1/2 < 1 - tanh(z)^2 <= 1 for |z| <= 1/2."""
    weights = {"w": np.array([[1, 1, -1, -1]], dtype=np.float32)}
    nodes = [helper.make_node("Gemm", ["x", "w"], ["z"], transB=1), helper.make_node("Tanh", ["z"], ["u"])]
    proto = model(nodes, {"x": [1, 4]}, {"u": [1, 1]}, weights)
    bounds = ([0.5, 0.5, -1, -1], [1, 1, -0.5, -0.5])
    assert judged(gradient(input=(0, "1/4"), bounds=bounds), proto).verdict is Verdict.PROVED
    turned = ([0.5, 0.5, -1, -1], [1, 1, -0.5, -0.875])
    evidence = judged(gradient(input=(0, "1/4"), bounds=turned), proto)
    assert evidence.verdict is Verdict.REFUTED
    assert "along input 3 is" in evidence.found


@pytest.mark.usefixtures("library")
class TestConstants:
    """Derivatives that do not depend on the input have a verdict too."""

    def affine(self) -> onnx.ModelProto:
        nodes = [helper.make_node("Gemm", ["x", "w"], ["u"], transB=1)]
        return model(nodes, {"x": [1, 2]}, {"u": [1, 1]}, {"w": np.array([[3, -2]], dtype=np.float32)})

    def test_a_constant_gradient_is_proved(self, judged: Any) -> None:
        assert judged(gradient(input=(0, 1), bounds=(-2, 3)), self.affine()).verdict is Verdict.PROVED

    def test_a_wrong_constant_is_refuted(self, judged: Any) -> None:
        evidence = judged(gradient(input=(0, 1), bounds=(-2, 2)), self.affine())
        assert evidence.verdict is Verdict.REFUTED
        assert "along input 0 is 3" in evidence.found

    def test_a_residual_of_second_derivatives_that_are_none(self, judged: Any) -> None:
        prop = residual(input=(0, 1), inputs=["x", "t"], residual="u_xx + u_x - 3", within="1/8")
        assert judged(prop, self.affine()).verdict is Verdict.PROVED
        assert judged(replace(prop, within=1), self.affine()).verdict is Verdict.PROVED
        wrong = residual(input=(0, 1), inputs=["x", "t"], residual="u_x - 2", within="1/8")
        assert judged(wrong, self.affine()).verdict is Verdict.REFUTED


def test_bounds_follow_the_inputs_as_they_are_named(judged: Any) -> None:
    weights = {"w": np.array([[3], [4]], dtype=np.float32)}
    proto = model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": [1, 2]}, {"y": [1, 1]}, weights)
    assert judged(gradient(input=(0, 1), along=[1, 0], bounds=(["4", "3"], ["4", "3"])), proto).verdict is (
        Verdict.PROVED
    )
    assert judged(gradient(input=(0, 1), along=[1, 0], bounds=(["3", "4"], ["3", "4"])), proto).verdict is (
        Verdict.REFUTED
    )


@pytest.mark.parametrize("inputs", [3, 4])
def test_a_scaled_product_is_not_taken_for_a_plain_one(judged: Any, inputs: int) -> None:
    """Gemm with alpha 0 is constant; certificates do not take it, in neither mode."""
    weights = {"w": np.ones((inputs, 1), dtype=np.float32), "b": np.zeros(1, dtype=np.float32)}
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], alpha=0.0)]
    with pytest.raises(UnsupportedError):
        judged(
            gradient(input=(0, 1), bounds=(1, 1)), model(nodes, {"x": [1, inputs]}, {"y": [1, 1]}, weights)
        )


def test_names_of_derivatives() -> None:
    prop = residual(input=(0, 1), inputs=["x", "xy", "t"], outputs=["u", "w"], residual="u", within=1)
    assert derivative_of("u", prop) == (0, ())
    assert derivative_of("w_t", prop) == (1, (2,))
    assert derivative_of("u_xt", prop) == derivative_of("u_tx", prop) == (0, (0, 2))
    assert derivative_of("u_xy", prop) == (0, (1,))
    assert derivative_of("u_xyt", prop) == derivative_of("u_xy_t", prop) == (0, (1, 2))
    for name in ("v", "u_", "u_z", "u_xxx", "u_x_", "x_u", "ux"):
        assert derivative_of(name, prop) is None


@pytest.mark.parametrize(
    ("prop", "code", "words"),
    [
        (gradient(input=(0, 1), bounds=(0, 1), output=1), "TL0351", "no output 1"),
        (gradient(input=(0, 1), bounds=(0, 1), along=[3]), "TL0351", "no input element 3"),
        (residual(input=(0, 1), inputs=["x", "t"], residual="u", within=1), "TL0362", "has 1"),
        (residual(input=(0, 1), inputs=["x"], outputs=["u", "w"], residual="u", within=1), "TL0362", "has 1"),
    ],
)
def test_what_does_not_fit_the_model(judged: Any, prop: Any, code: str, words: str) -> None:
    with pytest.raises(SpecError, match=words) as raised:
        judged(prop)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("inputs", "outputs", "text"),
    [
        (["x", "xx"], ["u"], "u_xx"),  # along x twice, or along xx
        (["x", "t"], ["u", "u_x"], "u_x"),  # a derivative, or the other output
        (["x", "u_x"], ["u"], "u_x"),  # a derivative, or the other input
    ],
)
def test_names_that_can_be_read_in_two_ways(inputs: list[str], outputs: list[str], text: str) -> None:
    with pytest.raises((SpecError, SpecErrors), match="can be read in 2 ways"):
        residual(input=(0, 1), inputs=inputs, outputs=outputs, residual=text, within=1)
    residual(input=(0, 1), inputs=["x", "t"], outputs=["u"], residual="u_xt + u_tx", within=1)


@pytest.mark.parametrize("number", ["1e39", "1e-39", "1e300", "1e-300", "0.123456789"])
def test_numbers_that_no_quotient_gives(judged: Any, number: str) -> None:
    prop = residual(input=(0, 1), inputs=["x"], residual=f"u - {number}*x", within=1)
    with pytest.raises(UnsupportedError, match="more than 24 bits") as raised:
        judged(prop)
    assert raised.value.code == "TL0363"


def test_what_exact_arithmetic_cannot_tell_from_zero_is_not_refuted(judged: Any) -> None:
    """It is 0 everywhere; smooth functions are evaluated to within 2^-180."""
    text = "2*sigmoid(2*x) - 1 - tanh(x)"
    prop = residual(input=("1/4", "1/2"), inputs=["x"], residual=text, within=0, assurance="evaluated")
    assert judged(prop).verdict is not Verdict.REFUTED


def test_a_model_that_jumps_is_unsupported(judged: Any) -> None:
    with pytest.raises(UnsupportedError, match="no derivative of Floor") as raised:
        judged(gradient(input=(0, 1), bounds=(0, 1)), network("Floor"))
    assert raised.value.code == "TL0205"


def test_unknown_names_are_shown() -> None:
    with pytest.raises(SpecError, match="`u_t` is not known here, at column 7") as raised:
        residual(input=(0, 1), inputs=["x"], residual="u_x + u_t", within=1)
    assert raised.value.code == "TL0361"
    with pytest.raises(SpecError, match="both name `u`"):
        residual(input=(0, 1), inputs=["u"], residual="u", within=1)


SPEC = """
version: 1
models: {net: {path: net.onnx}}
properties:
  - {name: flat, model: net, check: gradient, input: {lower: 0, upper: 1}, bounds: {upper: 1/4}}
"""


def test_a_witness_is_replayed_on_the_derivative(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(network().SerializeToString())
    (tmp_path / "torchlean.yaml").write_text(SPEC)
    (result,) = run_spec(load_spec(tmp_path / "torchlean.yaml", tmp_path), root=tmp_path)
    assert result.evidence.verdict is Verdict.REFUTED
    assert result.witness_file is not None
    stored = read_witness_file(tmp_path / result.witness_file, tmp_path)
    assert isinstance(stored, WitnessFile)
    assert replay_file(stored, tmp_path).still_breaks


def test_derivatives_have_no_semantics_to_choose(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(network().SerializeToString())
    (tmp_path / "torchlean.yaml").write_text(
        SPEC.replace("check: gradient", "check: gradient, semantics: real")
    )
    with pytest.raises(SpecErrors, match="unknown key `semantics`"):
        load_spec(tmp_path / "torchlean.yaml", tmp_path)
    (tmp_path / "torchlean.yaml").write_text(
        SPEC.replace("properties", "defaults: {semantics: binary32}\nproperties")
    )
    assert load_spec(tmp_path / "torchlean.yaml", tmp_path).properties[0].chosen_semantics == "real"


def test_the_ratchet_knows_what_is_weaker() -> None:
    assert order_of("residual", "within")("1/10", "1/5") == -1
    assert order_of("gradient", "bounds")({"lower": "0", "upper": "1"}, {"lower": "0", "upper": "2"}) == -1
    assert order_of("residual", "residual")("u_x", "u_xx") is None
