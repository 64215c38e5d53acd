"""Backward rows through smooth activations: residuals, bounds against values, and Lean's digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from certificate_examples import Network, ball
from onnx import helper
from onnx_models import model
from relaxation_examples import SMOOTH_HEADER, Stage, accepted, agrees, applied, stages

from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.budgets import GRANTED
from pytest_torchlean.certificate.curves import BITS, STAGES, Chain, curve_slopes, curve_step
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.linear import bounded_by_rows, relaxed_script
from pytest_torchlean.certificate.lines import curve_lines
from pytest_torchlean.certificate.model import Emission, ScaleData
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.relaxation import relax, tightened
from pytest_torchlean.certificate.rows import Box, Slopes
from pytest_torchlean.certificate.statement import CurveData, CurveFunction, Semantics
from pytest_torchlean.certificate.substitution import (
    BendData,
    RelaxationData,
    SkipData,
    SlideData,
    ThroughData,
)
from pytest_torchlean.certificate.words import pack_digits, unpack_digits
from pytest_torchlean.checker import BuiltLibrary, LeanInstall

SCALE = ScaleData(1 << 32, 1 << 38, 64)
ACTIVATIONS = ("Sigmoid", "Tanh", "Exp")
LOGISTIC = [function for function in CurveFunction if function.logistic]
FLAT = (CurveFunction.SIGN,)
BY_PIECES = [one for one in CurveFunction if not one.logistic and not one.fused and one not in FLAT]
STEPWISE = [one for one in BY_PIECES if one is not CurveFunction.LOG]
"""Functions whose rise is not known: each piece is enclosed by the function's own rule."""


def network(*activations: str, width: int = 3, seed: int = 0, opset: int = 13, **attributes: str) -> Network:
    rng = np.random.default_rng(seed)
    nodes, values, here = [], {}, "x"
    for index in range(len(activations) + 1):
        last = index == len(activations)
        rows = 2 if last else width
        columns = 2 if index == 0 else width
        values[f"w{index}"] = (rng.normal(size=(rows, columns)) / np.sqrt(columns)).astype(np.float32)
        values[f"b{index}"] = (0.3 * rng.normal(size=rows)).astype(np.float32)
        made = "z" if last else f"h{index}"
        nodes.append(helper.make_node("Gemm", [here, f"w{index}", f"b{index}"], [made], transB=1))
        if not last:
            here = f"a{index}"
            nodes.append(helper.make_node(activations[index], [made], [here], **attributes))
    return Network(model(nodes, {"x": [1, 2]}, ["z"], values, opset=opset), 2, 2)


def emission_of(given: Network, radius: Fraction, semantics: Semantics, bound: int = 50) -> Emission:
    reach = (Fraction(bound),) * 2
    forms = bound_forms(tuple(-x for x in reach), reach, 2, strict=False)
    middle = [Fraction(0), Fraction(1, 4)]
    return build_emission(given.program, [Goal(forms, (ball(middle, radius),))], semantics)


def slopes_of(emission: Emission, stage: Stage) -> dict[int, Slopes]:
    account, found = Account(emission), {}
    state = account.start(emission.claims[0].boxes)
    state = replace(state, lower=stage.box.lower[:, None], upper=stage.box.upper[:, None])
    for passed in stage.passed:
        if isinstance(passed.node, CurveData):
            found[passed.start] = curve_lines(account, passed.node, state)
    return found


def last_stage(emission: Emission) -> tuple[Stage, RelaxationData]:
    *_, stage = stages(emission)
    rows = relax(stage.box, stage.passed, slopes_of(emission, stage), np.arange(4)).data
    assert any(isinstance(link, SlideData) for link in rows.links)
    return stage, rows


def after(stage: Stage, rows: RelaxationData) -> tuple[Box, bool]:
    lower, upper, fine = tightened(stage.box, stage.passed, rows)
    return Box(stage.box.scale, lower, upper), fine


def sides(slope: int) -> tuple[int, int]:
    """A slope as what rises and what falls."""
    return max(slope, 0), max(-slope, 0)


@pytest.mark.parametrize("function", [*LOGISTIC, *BY_PIECES], ids=lambda one: one.name)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_residuals_contain_those_of_points_and_shrink(function: CurveFunction, depth: int) -> None:
    step, value = curve_step(function), CURVES[function.label].value
    chain = Chain(SCALE, step.first, step.radius)
    positive = function in (CurveFunction.SQRT, CurveFunction.LOG)
    unit, rng = 1 << 12, np.random.default_rng(1)
    for _ in range(12):
        low, high = np.sort(rng.uniform(0.01, 4, size=2) if positive else rng.uniform(-3, 1.5, size=2))
        slope = int(curve_slopes(function, np.array([low]), np.array([high]), 12)[0])
        ends = [round(end * SCALE.unit) + SCALE.center for end in (low, high)]
        found = chain.residual(function, unit, *sides(slope), depth, ends[0], ends[1])
        assert found is not None
        points = np.linspace(low, high, 41)
        rise, fall = sides(slope)
        images = unit * (value(points) * SCALE.unit + SCALE.center) + (
            rise * (SCALE.center - points * SCALE.unit) + fall * (SCALE.center + points * SCALE.unit)
        )
        slack = 1e-9 * abs(images).max()
        assert (found[0] <= images + slack).all()
        assert (images <= found[1] + slack).all()
        wider = chain.residual(function, unit, *sides(slope), max(0, depth - 1), ends[0], ends[1])
        assert wider is not None
        assert found[1] - found[0] <= wider[1] - wider[0]


@pytest.mark.parametrize("function", STEPWISE, ids=lambda one: one.name)
def test_what_a_piece_loses_is_halved_with_it(function: CurveFunction) -> None:
    """Where the line is good, what is left of an interval of width 1 is the line's rise over one piece."""
    step = curve_step(function)
    chain = Chain(SCALE, step.first, step.radius)
    low, high = (-0.5, 0.5) if function is not CurveFunction.COSINE else (0.5, 1.5)
    if function is CurveFunction.SQRT:
        low, high = 2.0, 3.0
    slope = int(curve_slopes(function, np.array([low]), np.array([high]), 12)[0])
    ends = [round(end * SCALE.unit) + SCALE.center for end in (low, high)]
    found = [chain.residual(function, 1 << 12, *sides(slope), depth, *ends) for depth in (0, 5)]
    assert None not in found
    one, many = ((pair[1] - pair[0]) / (SCALE.unit << 12) for pair in found if pair is not None)
    assert many < 0.25 * one


def test_a_residual_is_refused_where_the_function_has_no_value() -> None:
    chain = Chain(SCALE, STAGES, BITS)
    ends = SCALE.center - SCALE.unit, SCALE.center + SCALE.unit
    assert chain.residual(CurveFunction.SQRT, 1 << 12, 0, 0, 3, *ends) is None
    above = SCALE.top - SCALE.unit, SCALE.top + 1
    assert chain.residual(CurveFunction.SQRT, 1 << 12, 0, 0, 0, *above) is None


def of_positive(activation: str, width: int = 6) -> Network:
    """A function of sums of what Softplus made positive, between two layers."""
    rng = np.random.default_rng(0)
    values = {
        "v": rng.normal(size=(width, 2)),
        "p": np.abs(rng.normal(size=(width, width))) / width,
        "w": rng.normal(size=(2, width)) / np.sqrt(width),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "v"], ["h"], transB=1),
        helper.make_node("Softplus", ["h"], ["s"]),
        helper.make_node("Gemm", ["s", "p"], ["t"], transB=1),
        helper.make_node(activation, ["t"], ["a"]),
        helper.make_node("Gemm", ["a", "w"], ["z"], transB=1),
    ]
    weights = {name: value.astype(np.float32) for name, value in values.items()}
    return Network(model(nodes, {"x": [1, 2]}, ["z"], weights), 2, 2)


POSITIVE = ("Sqrt", "Log")


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "Sin", "Cos", "Erf", *POSITIVE])
@pytest.mark.parametrize("semantics", list(Semantics))
def test_rows_are_valid_and_much_tighter(activation: str, semantics: Semantics) -> None:
    given = network(activation, activation if activation != "Exp" else "Tanh", width=6)
    if activation in POSITIVE:
        given = of_positive(activation)
    emission = emission_of(given, Fraction(1, 10), semantics)
    account = Account(emission)
    _, state = bounded_by_rows(account, emission.claims[0].boxes[0])
    *_, stage = stages(emission)
    rows = relax(
        Box(scale_of(emission), state.lower[:, 0], state.upper[:, 0]),
        state.history_of(0),
        slopes_of(
            emission,
            Stage(state.history_of(0), Box(scale_of(emission), state.lower[:, 0], state.upper[:, 0])),
        ),
        np.arange(4),
    )
    scale = scale_of(emission)
    lower = (rows.bounds[0::2] - scale.center) / scale.unit
    upper = (scale.top - rows.bounds[1::2] - scale.center) / scale.unit
    points = np.array([0, 0.25]) + np.random.default_rng(3).uniform(-0.1, 0.1, size=(500, 2))
    values = evaluate(given.program, points)[:, given.program.outputs]
    assert (lower <= values + 1e-6).all()
    assert (values <= upper + 1e-6).all()
    by_intervals = (stage.box.upper[-2:] - stage.box.lower[-2:]) / scale.unit
    share = 0.52 if activation == "Cos" else 0.5
    assert ((upper - lower).astype(float) < share * by_intervals.astype(float)).all()


def scale_of(emission: Emission) -> ScaleData:
    return emission.certificate.scale


Change = Callable[[SlideData], SlideData]
REFUSED: dict[str, Change] = {
    "more slopes than neurons": lambda link: replace(link, slopes=link.slopes | 1 << 6 * link.size),
    "a line that falls": lambda link: replace(link, slopes=link.slopes | 1 << 3 * link.size),
    "no stages": lambda link: replace(link, stages=0),
    "longer slopes than digits have room for": lambda link: replace(link, size=link.size + 200),
}


@pytest.mark.parametrize("name", REFUSED)
def test_changed_links_are_refused(name: str) -> None:
    stage, rows = last_stage(emission_of(network("Tanh"), Fraction(1, 8), Semantics.REAL))
    links = tuple(REFUSED[name](link) if isinstance(link, SlideData) else link for link in rows.links)
    assert after(stage, rows)[1]
    assert not after(stage, replace(rows, links=links))[1]


@pytest.mark.parametrize("other", [BendData(8, 0, 0), ThroughData(2, 2, 0, 30), SkipData()])
def test_another_link_in_its_place_is_refused(other: BendData | ThroughData | SkipData) -> None:
    stage, rows = last_stage(emission_of(network("Sigmoid"), Fraction(1, 8), Semantics.REAL))
    links = tuple(other if isinstance(link, SlideData) else link for link in rows.links)
    assert not after(stage, replace(rows, links=links))[1]


STEEP: dict[str, tuple[int, bool]] = {
    "a line that falls as much as it rises": (1, True),
    "more than a digit together": ((1 << 13) - 1, False),
}


@pytest.mark.parametrize("name", STEEP)
def test_lines_that_rise_and_fall(
    name: str, lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    """The difference of both counts; Lean computes the same, and refuses the same."""
    stage, rows = last_stage(emission_of(network("Cos"), Fraction(1, 8), Semantics.REAL))
    (link,) = (one for one in rows.links if isinstance(one, SlideData))
    assert link.size == 13
    digits = unpack_digits(link.slopes, link.size, 6)
    assert any(digits[3:])
    assert all(not (rise and fall) for rise, fall in zip(digits[:3], digits[3:], strict=True))
    more, fits = STEEP[name]
    rises, falls = ([digit + more if fits else more for digit in part] for part in (digits[:3], digits[3:]))
    steeper = replace(link, slopes=pack_digits([*rises, *falls], link.size))
    changed = replace(rows, links=tuple(steeper if one is link else one for one in rows.links))
    found, fine = after(stage, changed)
    assert fine == fits
    if fine:
        mine, own = after(stage, rows)
        assert own
        near = np.abs((found.upper - mine.upper).astype(float)) / scale_of_box(stage)
        assert (near < 0.05).all()
    check = agrees(found) if fits else "Bool.true"
    answer = "true" if fits else "false"
    lines = [f"theorem found : ({applied(stage, changed, check)}) = {answer} := by decide +kernel"]
    assert accepted(lines, lean, library, tmp_path, SMOOTH_HEADER)


def scale_of_box(stage: Stage) -> int:
    return stage.box.scale.unit


def test_a_claim_that_only_rows_prove() -> None:
    emission = emission_of(network("Tanh", "Tanh", width=8), Fraction(1, 4), Semantics.BINARY32, bound=1)
    account = Account(emission)
    assert account.forecasts(0) == (False,)
    script, fine, _ = relaxed_script(account, emission.claims[0], emission.claims[0].boxes[0])
    assert fine
    assert account.forecast(emission.claims[0], script).accepted.all()


FUSED = [function for function in CurveFunction if function.fused]


@pytest.mark.parametrize("function", FUSED, ids=lambda one: one.name)
def test_a_fused_operations_residual_is_its_budget(function: CurveFunction) -> None:
    chain, unit, center = Chain(SCALE, 0, 0), 1 << 12, SCALE.center
    low, high = center - SCALE.unit, center + 3 * SCALE.unit
    found = chain.residual(function, unit, unit, 0, 0, low, high)
    assert found is not None
    radius = unit * GRANTED[function].radius(SCALE, low, high)
    assert found == (unit * SCALE.top - radius, unit * SCALE.top + radius)
    flat = chain.residual(function, unit, 0, 0, 0, low, high)
    assert flat == (unit * low - radius, unit * high + radius)
    assert chain.residual(function, unit, unit + 1, 0, 0, low, high) is None
    assert chain.residual(function, unit, 0, 1, 0, low, high) is None
    assert chain.residual(function, unit, unit, 0, 0, low, SCALE.top + 1) is None


COMPOSED = {"Swish": 2.0, "HardSwish": 1.5, "Gelu": 2.0}
"""How much wider than the values that are seen the bounds by rows may be."""


def composed(activation: str) -> Network:
    attributes = {"approximate": "tanh"} if activation == "Gelu" else {}
    return network(activation, activation, width=6, opset=24, **attributes)


@pytest.mark.parametrize("activation", COMPOSED)
def test_rows_go_through_composed_activations(activation: str) -> None:
    given = composed(activation)
    points = np.array([0, 0.25]) + np.random.default_rng(3).uniform(-0.1, 0.1, size=(500, 2))
    values = evaluate(given.program, points)[:, given.program.outputs]
    middle, reach = (values.max(axis=0) + values.min(axis=0)) / 2, np.ptp(values, axis=0) / 2
    reach = COMPOSED[activation] * reach + 1e-3
    ends = [tuple(Fraction(float(x)) for x in side) for side in (middle - reach, middle + reach)]
    forms = bound_forms(ends[0], ends[1], 2, strict=False)
    tight = Account(
        build_emission(
            given.program,
            [Goal(forms, (ball([Fraction(0), Fraction(1, 4)], Fraction(1, 10)),))],
            Semantics.BINARY32,
        )
    )
    claim = tight.emission.claims[0]
    assert tight.forecasts(0) == (False,)
    script, fine, _ = relaxed_script(tight, claim, claim.boxes[0])
    assert fine
    assert tight.forecast(claim, script).accepted.all()


def test_lean_computes_the_same_bounds(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    lines = []
    cases = [("Sigmoid",), ("Tanh", "Sigmoid"), ("Exp", "Tanh"), ("Sin", "Cos"), ("Erf",), ("Sqrt",)]
    for number, activations in enumerate(cases):
        for semantics in Semantics:
            given = of_positive(*activations, 2) if activations[0] in POSITIVE else network(*activations)
            stage, rows = last_stage(emission_of(given, Fraction(1, 8), semantics))
            found, fine = after(stage, rows)
            assert fine
            assert (found.upper < stage.box.upper).any()
            name = f"{number}_{semantics.name.lower()}"
            lines.append(
                f"theorem same{name} : ({applied(stage, rows, agrees(found))}) = true := by decide +kernel"
            )
            found.upper[-1] += 1
            lines.append(
                f"theorem other{name} : ({applied(stage, rows, agrees(found))}) = false := by decide +kernel"
            )
    assert accepted(lines, lean, library, tmp_path, SMOOTH_HEADER)


def test_what_the_forecast_refuses_lean_refuses(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    stage, rows = last_stage(emission_of(network("Tanh"), Fraction(1, 8), Semantics.REAL))
    lines = []
    for number, change in enumerate(REFUSED.values()):
        links = tuple(change(link) if isinstance(link, SlideData) else link for link in rows.links)
        refused = applied(stage, replace(rows, links=links), "Bool.true")
        lines.append(f"theorem refused{number} : ({refused}) = false := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path, SMOOTH_HEADER)


@pytest.mark.parametrize(("width", "depth"), [(0.01, 1), (0.12, 1), (0.2, 2), (1.0, 4), (50.0, 5)])
def test_wider_intervals_are_halved_more_often(width: float, depth: int) -> None:
    """Two pieces up to 1/8; what they lose is no more than what pieces of 1/16 lose of wider ones."""
    given = network("Tanh", "Tanh", width=6)
    emission = emission_of(given, Fraction(1, 100), Semantics.REAL)
    account, (stage, *_) = Account(emission), stages(emission)
    scale = scale_of(emission)
    node = next(own for own in emission.graph.nodes if isinstance(own, CurveData))
    lower = np.full(len(stage.box.lower), scale.center, dtype=object)
    state = replace(
        account.start(emission.claims[0].boxes),
        lower=lower[:, None],
        upper=(lower + int(width * scale.unit))[:, None],
    )
    assert curve_lines(account, node, state).depth == depth
