"""The example of a controller and a physics-informed network is what its README says, and is proved."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest

from pytest_torchlean.gate import run_spec
from pytest_torchlean.spec import LyapunovProperty, load_spec
from pytest_torchlean.spec.expressions import evaluate, read_expression
from pytest_torchlean.spec.model import ResidualProperty
from pytest_torchlean.verdict import Verdict

PHYSICS = Path(__file__).resolve().parent.parent / "example_repo" / "physics"


@pytest.fixture(scope="module")
def picture() -> ModuleType:
    """The script that draws the pictures."""
    found = importlib.util.spec_from_file_location("picture", PHYSICS / "picture.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_models_are_those_of_the_readme() -> None:
    for name, operators, sizes in (
        ("oscillator", ["Gemm", "Relu", "Gemm"], [(8, 2), (8,), (1, 8), (1,)]),
        ("heat", ["Gemm", "Tanh", "Gemm"], [(8, 2), (8,), (1, 8), (1,)]),
        ("burgers", ["Gemm", "Tanh"] * 2 + ["Gemm"], [(16, 1), (16,), (16, 16), (16,), (1, 16), (1,)]),
    ):
        graph = onnx.load(PHYSICS / "models" / f"{name}.onnx").graph
        assert [node.op_type for node in graph.node] == operators
        assert [tuple(tensor.dims) for tensor in graph.initializer] == sizes


def test_most_of_the_true_region_is_certified(picture: ModuleType) -> None:
    spec = load_spec(PHYSICS / "torchlean.yaml", PHYSICS)
    (prop,) = (one for one in spec.properties if isinstance(one, LyapunovProperty))
    side = (2 * np.arange(40) + 1) / 40 - 1
    states = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    true = picture.true_region(picture.system(prop), states, 1 / 8)
    values = {"x": states[:, 0], "y": states[:, 1]}
    certified = evaluate(read_expression(prop.function.text), values, picture.Arrays()) <= float(prop.level)
    assert not (certified & ~true).any()
    assert (certified & true).sum() >= 0.95 * true.sum()


def test_the_pictures_are_those_that_the_script_draws(picture: ModuleType) -> None:
    low, high = picture.residual_bounds((np.array([[0.25]]), np.array([[0.26]])))
    point = picture.residual_bounds((np.array([[0.255]]), np.array([[0.255]])))[0]
    assert low < point < high
    corner = np.array([[0.25, 0.75]])
    low, high = picture.heat_bounds((corner, corner + 0.01))
    point = picture.heat_bounds((corner + 0.005, corner + 0.005))[0]
    assert low < point < high
    for name, words in (
        ("oscillator", "97% of the true region"),
        ("burgers", "the residual, its bounds"),
        ("heat", "bounds of the residual on squares"),
    ):
        assert words in (PHYSICS / "images" / f"{name}.svg").read_text()


@pytest.mark.usefixtures("library")
def test_the_other_sign_of_diffusion_is_refuted() -> None:
    """u_t + u_xx/10 is far from 0: the words of the claim matter."""
    spec = load_spec(PHYSICS / "torchlean.yaml", PHYSICS)
    (heat,) = (one for one in spec.properties if one.name == "solves-heat")
    assert isinstance(heat, ResidualProperty)
    false = replace(heat, residual=replace(heat.residual, text="u_t + u_xx/10"))
    (result,) = run_spec(replace(spec, properties=(false,)), root=PHYSICS)
    assert result.evidence.verdict is Verdict.REFUTED


@pytest.mark.usefixtures("library")
def test_lean_proves_them() -> None:
    spec = load_spec(PHYSICS / "torchlean.yaml", PHYSICS)
    results = run_spec(spec, root=PHYSICS)
    assert [result.evidence.verdict for result in results] == [Verdict.PROVED] * 3
