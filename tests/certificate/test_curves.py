"""Smooth activations in exact integers: enclosures against mpmath, budgets, and what is refused."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import gmpy2
import numpy as np
import pytest
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.binary32.budgets import BUDGETS, allowed
from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.bounds.interval import evaluate, gradient, propagate, rounding_radius
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.passes import Passes
from pytest_torchlean.bounds.program import CurveNode, Program
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.budgets import GRANTED
from pytest_torchlean.certificate.curves import (
    BITS,
    FARTHEST,
    STAGES,
    Chain,
    curve_radius,
    curve_step,
)
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.guard import require_same_function
from pytest_torchlean.certificate.model import NodeScript, ScaleData
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.statement import CurveData, CurveFunction, Semantics
from pytest_torchlean.errors import CertificateError, DataError
from pytest_torchlean.evaluator.exact import curve, evaluate_exact
from pytest_torchlean.runtime import RuntimeSession

SCALE = ScaleData(1 << 32, 1 << 40, 64)
UNIT, CENTER = SCALE.unit, SCALE.center
EXACT: dict[CurveFunction, Callable[[gmpy2.mpfr], gmpy2.mpfr]] = {
    CurveFunction.EXP: gmpy2.exp,
    CurveFunction.SIGMOID: lambda x: 1 / (1 + gmpy2.exp(-x)),
    CurveFunction.TANH: gmpy2.tanh,
    CurveFunction.SQRT: gmpy2.sqrt,
    CurveFunction.LOG: gmpy2.log,
    CurveFunction.SOFTPLUS: lambda x: gmpy2.log1p(gmpy2.exp(x)),
    CurveFunction.ERF: gmpy2.erf,
    CurveFunction.SINE: gmpy2.sin,
    CurveFunction.COSINE: gmpy2.cos,
}
SMOOTH = list(EXACT)
"""The functions that are not the identity."""
POSITIVE = (CurveFunction.SQRT, CurveFunction.LOG)
TURNING = (CurveFunction.SINE, CurveFunction.COSINE)
functions = pytest.mark.parametrize("function", SMOOTH, ids=lambda one: one.name)
growing = pytest.mark.parametrize(
    "function", [one for one in SMOOTH if one not in TURNING], ids=lambda one: one.name
)
turning = pytest.mark.parametrize("function", TURNING, ids=lambda one: one.name)
fused = pytest.mark.parametrize(
    ("function", "name"),
    [
        (CurveFunction.FUSED_SWISH, "Swish"),
        (CurveFunction.FUSED_ELU, "Elu"),
        (CurveFunction.FUSED_SELU, "Selu"),
        (CurveFunction.FUSED_GELU_TANH, "GeluTanh"),
        (CurveFunction.FUSED_GELU, "Gelu"),
        (CurveFunction.FUSED_MISH, "Mish"),
        (CurveFunction.FUSED_SOFTSIGN, "Softsign"),
    ],
)


def chain_of(function: CurveFunction) -> Chain:
    step = curve_step(function)
    return Chain(SCALE, step.first, step.radius)


def image(function: CurveFunction, lower: int) -> gmpy2.mpfr:
    """The fixed-point number of the function's exact value at a fixed-point number."""
    with gmpy2.context(precision=400):
        return EXACT[function](gmpy2.mpfr(lower - CENTER) / UNIT) * UNIT + CENTER


def arguments(function: CurveFunction) -> list[tuple[int, int]]:
    rng = random.Random(5)
    found = [(CENTER, CENTER), (CENTER - 1, CENTER + 1), (CENTER - 3 * UNIT, CENTER + 2 * UNIT)]
    if function in POSITIVE:
        found = [(CENTER + 1, CENTER + 2), (CENTER + UNIT, CENTER + UNIT)]
    least = 0.0 if function in POSITIVE else -5.3
    for _ in range(60):
        ends = sorted(CENTER + round(rng.uniform(least, 5.3) * UNIT) for _ in range(2))
        found.append((ends[0], ends[1]))
    return found


@growing
def test_bounds_enclose_the_function_and_are_close(function: CurveFunction) -> None:
    chain = chain_of(function)
    for lower, upper in arguments(function):
        found = chain.bounds(Semantics.REAL, function, lower, upper)
        assert found is not None
        low, high = image(function, lower), image(function, upper)
        assert found[0] <= low
        assert high <= found[1]
        most = 8 if function is not CurveFunction.EXP else 8 + float(high - CENTER) * 2.0**-27
        if function is CurveFunction.ERF and max(abs(lower - CENTER), abs(upper - CENTER)) > 4 * UNIT:
            most = 2.0**-25.9 * UNIT  # 1 - erf(4)
        assert low - found[0] < most
        assert found[1] - high < most


@turning
@pytest.mark.parametrize("radius", [0, 1, 2**20, 2**28])
def test_bounds_of_sine_and_cosine_enclose_them_up_to_the_square_of_the_width(
    function: CurveFunction, radius: int
) -> None:
    chain, rng = chain_of(function), random.Random(8)
    other = TURNING[1 - TURNING.index(function)]
    for _ in range(60):
        middle = CENTER + round(rng.uniform(-31, 31) * UNIT)
        found = chain.bounds(Semantics.REAL, function, middle - radius, middle + radius)
        assert found is not None
        slope = abs(image(other, middle) - CENTER) / UNIT
        least, most = (image(function, middle) + sign * (slope * radius) for sign in (-1, 1))
        allowance = radius * radius / UNIT + 8
        assert least - allowance <= found[0]
        assert found[1] <= most + allowance
        for part in (-1.0, -0.5, 0.0, 0.5, 1.0):
            assert found[0] <= image(function, middle + int(part * radius)) <= found[1]


@turning
def test_far_and_wide_arguments_of_sine_and_cosine_give_what_holds_everywhere(
    function: CurveFunction,
) -> None:
    chain = chain_of(function)
    far = CENTER + 33 * UNIT
    for lower, upper in ((far, far), (CENTER - 2 * UNIT, CENTER + UNIT), (CENTER - far // 2, CENTER)):
        assert chain.bounds(Semantics.REAL, function, lower, upper) == (CENTER - UNIT, CENTER + UNIT)


@growing
def test_under_binary32_the_budget_is_added(function: CurveFunction) -> None:
    """As far as the table of budgets says, at the point that is furthest from 0."""
    chain = chain_of(function)
    granted = GRANTED[function]
    for lower, upper in arguments(function):
        exactly = chain.bounds(Semantics.REAL, function, lower, upper)
        rounded = chain.bounds(Semantics.BINARY32, function, lower, upper)
        assert exactly is not None
        assert rounded is not None
        most = max(exactly[1] - CENTER, CENTER - exactly[0], 1)
        ulp = 2.0 ** (math.floor(math.log2(most / UNIT)) - 23) * UNIT
        least = granted.eighths / 8 * ulp + granted.absolute * 2.0**-149 * UNIT
        for moved in (exactly[0] - rounded[0], rounded[1] - exactly[1]):
            assert least <= moved <= 4 * least + 4


@functions
def test_the_budgets_of_the_theorem_are_those_of_the_table(function: CurveFunction) -> None:
    granted = GRANTED[function]
    if function is CurveFunction.SQRT:
        # half a unit in the last place: IEEE-754
        assert (granted.eighths, granted.absolute) == (4, 0)
        return
    budget = BUDGETS[{"SINE": "Sin", "COSINE": "Cos"}.get(function.name, function.name.capitalize())]
    assert granted.eighths == 8 * budget.ulps
    stated = Fraction(granted.absolute, 1 << 149)
    assert budget.absolute <= stated <= Fraction(budget.absolute) * Fraction(101, 100)
    assert (budget.of_input, budget.scaled, budget.edge) == (0.0, False, 0.0)


@fused
def test_what_is_granted_to_fused_operations_covers_their_budget(function: CurveFunction, name: str) -> None:
    """At all sizes of values; what depends on the argument is the sigmoid's own."""
    alpha, gamma = (1.6732632, 1.050701) if name == "Selu" else (1.0, 1.0)
    for value in np.ldexp(1.0 + np.arange(8) / 8, np.arange(-149, 20)[:, None]).reshape(-1):
        most = allowed(BUDGETS[name], np.array(value), np.array(0.0), alpha, gamma)
        exactly = Fraction(GRANTED[function].eighths, 8) * (Fraction(value) / 2**23 + Fraction(1, 2**149))
        exactly += Fraction(GRANTED[function].absolute, 1 << 149)
        assert Fraction(float(most)) <= exactly * (1 + Fraction(1, 2**20))
    gate = GRANTED[CurveFunction.SIGMOID]
    assert BUDGETS["Swish"].of_input * (1 + 2.0**-23) <= gate.absolute * 2.0**-149


def test_the_gate_of_hard_swish_is_granted_three_roundings() -> None:
    granted = Fraction(GRANTED[CurveFunction.FUSED_HARD_SWISH_GATE].absolute, 1 << 149)
    u = Fraction(1, 1 << 24)
    assert 3 * u / (1 - 3 * u) < granted < Fraction(1001, 1000) * 3 * u


def test_far_arguments_are_bounded_without_being_computed() -> None:
    chain = Chain(SCALE, STAGES, BITS)
    far = CENTER + (FARTHEST + 1) * UNIT
    half = CENTER + UNIT // 2
    assert chain.bounds(Semantics.REAL, CurveFunction.SIGMOID, CENTER, far) == (half, CENTER + UNIT + 1)
    assert chain.bounds(Semantics.REAL, CurveFunction.EXP, CENTER, far) is None
    assert chain.bounds(Semantics.REAL, CurveFunction.EXP, 0, CENTER) is not None


@pytest.mark.parametrize(
    "chain",
    [
        Chain(SCALE, 0, BITS),
        Chain(ScaleData(1 << 32, 1 << 31, 64), STAGES, BITS),
        Chain(ScaleData(1, 1 << 128, 130), STAGES, BITS),
    ],
)
def test_scales_and_stages_that_lean_refuses(chain: Chain) -> None:
    assert not chain.fits
    assert Chain(SCALE, 1, BITS).fits


@pytest.mark.parametrize("function", POSITIVE)
def test_roots_and_logarithms_that_do_not_exist_are_refused(function: CurveFunction) -> None:
    chain = chain_of(function)
    assert chain.bounds(Semantics.REAL, function, CENTER - 1, CENTER + UNIT) is None
    assert chain.bounds(Semantics.REAL, function, CENTER + 1, CENTER + UNIT) is not None
    with pytest.raises(DataError) as caught:
        curve(function.label, Fraction(-1, 8))
    assert caught.value.code == "TL0451"


def network(*activations: str, seed: int = 0) -> Program:
    return lower_to_program(lowered(smooth_model(*activations, seed=seed)))


def smooth_model(*activations: str, seed: int = 0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    nodes, weights, x = [], {}, "x"
    for index, activation in enumerate(activations):
        weights[f"w{index}"] = rng.normal(size=(3, 3)).astype(np.float32)
        weights[f"b{index}"] = rng.normal(size=3).astype(np.float32)
        nodes.append(helper.make_node("Gemm", [x, f"w{index}", f"b{index}"], [f"h{index}"]))
        x = "y" if index == len(activations) - 1 else f"a{index}"
        nodes.append(helper.make_node(activation, [f"h{index}"], [x]))
    return model(nodes, {"x": [1, 3]}, {"y": [1, 3]}, weights)


def goal(bound: int = 200) -> Goal:
    box = RationalBox((Fraction(-1, 4),) * 3, (Fraction(1, 4),) * 3)
    return Goal(bound_forms((Fraction(-bound),) * 3, (Fraction(bound),) * 3, 3, strict=False), (box,))


@pytest.mark.parametrize("semantics", list(Semantics))
def test_a_network_of_all_three_is_foreseen_and_changed_certificates_are_not(semantics: Semantics) -> None:
    account = prepare(network("Tanh", "Sigmoid", "Exp"), [goal()], semantics)
    assert account.forecasts(0) == (True,)
    emission = account.emission
    (claim,), ((script,),) = emission.claims, emission.certificate.scripts

    def with_step(script: NodeScript, index: int, **changes: int) -> NodeScript:
        if index:
            assert isinstance(script.rest, NodeScript)
            return replace(script, rest=with_step(script.rest, index - 1, **changes))
        return replace(script, step=replace(script.step, **changes))

    assert isinstance(script, NodeScript)
    assert account.forecast(claim, with_step(script, 1, first=5)).accepted.all()
    assert not account.forecast(claim, with_step(script, 1, first=0)).accepted.any()
    nodes = list(emission.graph.nodes)
    assert [type(node) for node in nodes[1::2]] == [CurveData] * 3
    moved = replace(nodes[5], first=10_000)  # type: ignore[arg-type]
    other = replace(emission, graph=replace(emission.graph, nodes=(*nodes[:5], moved)))
    assert Account(other).forecasts(0) == (False,)


def test_the_guard_notices_another_function_and_another_slot() -> None:
    proto = smooth_model("Tanh", "Sigmoid", "Exp")
    program = lower_to_program(lowered(proto))
    graph = prepare(program, [goal()]).emission.graph
    session = RuntimeSession(proto.SerializeToString(), optimise=False)
    points = np.random.default_rng(1).uniform(-0.25, 0.25, size=(32, 3)).astype(np.float32)

    def run(point: np.ndarray) -> np.ndarray:
        return session.run({"x": point.reshape(1, 3)})[0]

    assert 0 < require_same_function(graph, program.outputs, points, run) < 1
    for index, node in enumerate(graph.nodes):
        if not isinstance(node, CurveData):
            continue
        others = [replace(node, function=other) for other in CurveFunction if other is not node.function]
        for changed in (*others, replace(node, first=2)):
            nodes = (*graph.nodes[:index], changed, *graph.nodes[index + 1 :])
            with pytest.raises(CertificateError) as caught:
                require_same_function(replace(graph, nodes=nodes), program.outputs, points, run)
            assert caught.value.code == "TL0610"


@functions
def test_the_exact_evaluators_value_is_exact_to_2_to_the_minus_180(function: CurveFunction) -> None:
    with gmpy2.context(precision=400):
        for x in (Fraction(0), Fraction(1, 3), Fraction(-20), Fraction(7, 2)):
            if x <= 0 and function in POSITIVE:
                continue
            found = curve(function.label, x)
            exact = EXACT[function](gmpy2.mpfr(gmpy2.mpq(x.numerator, x.denominator)))
            difference = abs(gmpy2.mpfr(gmpy2.mpq(found.numerator, found.denominator)) - exact)
            assert difference <= gmpy2.exp2(-180) * (1 + abs(exact))


@functions
def test_radii_cover_moved_arguments_and_the_budget(function: CurveFunction) -> None:
    center, radius = np.linspace(-6, 6, 49), np.full(49, 0.01)
    if function in POSITIVE:
        center = center + 6.1
    found = curve_radius(function, center, radius)
    value = CURVES[function.label].value
    for end in (center - radius, center + radius):
        assert (np.abs(value(end) - value(center)) <= found).all()
    assert (curve_radius(function, center, 0 * radius) < found).all()


def test_gradients_are_those_of_differences() -> None:
    program = network("Tanh", "Sigmoid", "Exp", seed=3)
    point = np.array([[0.1, -0.2, 0.05]])
    cotangents = np.array([[1.0, -0.5, 0.25]])

    def at(x: np.ndarray) -> float:
        return float((evaluate(program, x)[:, program.outputs] * cotangents).sum())

    steps = 1e-6 * np.eye(3)
    expected = [(at(point + step) - at(point - step)) / 2e-6 for step in steps]
    values = evaluate(program, point)
    passes = Passes(program)
    assert np.allclose(gradient(program, values, cotangents)[0], expected, rtol=1e-6)
    assert np.allclose(passes.values(point), values)
    assert np.allclose(passes.gradient(values, cotangents)[0], expected, rtol=1e-6)


def test_rounding_radii_cover_what_binary64_does() -> None:
    """Against the same program on exact rationals."""
    proto = smooth_model("Exp", "Tanh", "Exp", seed=4)
    graph = lowered(proto)
    program = lower_to_program(graph)
    points = np.random.default_rng(2).uniform(-0.5, 0.5, size=(4, 3)).astype(np.float32)
    radius = rounding_radius(program, points.astype(np.float64))
    values = evaluate(program, points.astype(np.float64))[:, program.outputs]
    for row, point in enumerate(points):
        exact = evaluate_exact(graph, {"x": [Fraction(float(x)) for x in point]})["y"]
        for place, number in enumerate(exact):
            assert abs(Fraction(float(values[row, place])) - number) <= Fraction(float(radius[row, place]))


def test_intervals_contain_the_values() -> None:
    program = network("Sigmoid", "Exp", "Tanh", seed=6)
    assert sum(isinstance(node, CurveNode) for node in program.nodes) == 3
    rng = np.random.default_rng(0)
    lower, upper = np.full((1, 3), -0.5), np.full((1, 3), 0.75)
    low, high = propagate(program, lower, upper)
    values = evaluate(program, rng.uniform(-0.5, 0.75, size=(200, 3)))
    assert (low <= values + 1e-12).all()
    assert (values <= high + 1e-12).all()


@pytest.mark.parametrize("value", [1.0, 17.5, 1.5e6])
def test_logarithms_are_bounded_in_fine_units_too(value: float) -> None:
    """A box's denominators make the unit fine; with the steps of a coarse one Lean finds no bounds there."""
    scale = ScaleData(1 << 63, 1 << 91, 160)
    point = scale.center + round(value * scale.unit)
    for step, found in ((curve_step(CurveFunction.LOG), False), (curve_step(CurveFunction.LOG, scale), True)):
        bounds = Chain(scale, step.first, step.radius).at(CurveFunction.LOG, point)
        assert (bounds is not None) is found or (value == 1.0 and not found)
        if bounds is not None:
            with gmpy2.context(precision=400):
                exact = scale.center + gmpy2.log(gmpy2.mpfr(value)) * scale.unit
                assert bounds[0] <= exact <= bounds[1]
