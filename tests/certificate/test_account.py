"""The forecast is what Lean says, box by box, at the very edge of what can be proved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import (
    Network,
    accepted,
    ball,
    binary32_slots,
    centers,
    conv,
    largest_radius,
    linear,
    mlp,
    piecewise,
    residual,
    slots_of,
)
from relaxation_examples import chain, emission_of

from pytest_torchlean.bounds.program import AffineNode
from pytest_torchlean.certificate.account import Account, exact_bounds
from pytest_torchlean.certificate.forms import Forms, bound_forms, margin_forms
from pytest_torchlean.certificate.model import ComposedData, ConcludeScript, DirectData, Emission, NodeScript
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.checker import CheckResult, Outcome

Ask = Callable[..., CheckResult]
STEP = Fraction(1, 1 << 16)


def only(emission: Emission, claim: int, box: int) -> Emission:
    """The emission with one claim about one box."""
    chosen = emission.claims[claim]
    scripts = emission.certificate.scripts[claim]
    return replace(
        emission,
        claims=(replace(chosen, boxes=(chosen.boxes[box],)),),
        certificate=replace(emission.certificate, scripts=(scripts[min(box, len(scripts) - 1) :],)),
    )


def outputs_at(network: Network, center: tuple[Fraction, ...]) -> list[Fraction]:
    program = network.program
    emission = build_emission(program, [Goal(margin_forms(0, network.outputs), (ball(center, STEP),))])
    slots = slots_of(emission.graph, center)
    return [slots[slot] for slot in program.outputs]


def range_forms(network: Network, center: tuple[Fraction, ...], *, strict: bool) -> Forms:
    """Bounds a quarter away from the outputs at the centre."""
    outputs = outputs_at(network, center)
    near = [Fraction(round(value * 64), 64) for value in outputs]
    quarter = Fraction(1, 4)
    return bound_forms([v - quarter for v in near], [v + quarter for v in near], network.outputs, strict)


def edges(network: Network, seed: int, semantics: Semantics) -> list[Goal]:
    """For a margin, a strict and a weak range: the last ball the forecast accepts, and the next one."""
    goals = []
    for center in centers(network, seed, 2):
        outputs = outputs_at(network, center)
        label = max(range(network.outputs), key=outputs.__getitem__)
        for forms in (
            margin_forms(label, network.outputs),
            range_forms(network, center, strict=True),
            range_forms(network, center, strict=False),
        ):
            k = largest_radius(network.program, forms, center, semantics=semantics)
            if k >= 0:
                goals.append(Goal(forms, (ball(center, k * STEP), ball(center, (k + 1) * STEP))))
    return goals


NETWORKS = [
    pytest.param(build, seed, id=f"{build.__name__}-{seed}")
    for build in (linear, mlp, conv, residual, piecewise)
    for seed in (0, 1)
]


@pytest.mark.parametrize("semantics", Semantics, ids=lambda semantics: semantics.name.lower())
@pytest.mark.parametrize(("build", "seed"), NETWORKS)
def test_lean_accepts_exactly_the_boxes_of_the_forecast(
    build: Callable[[int], Network], seed: int, semantics: Semantics, ask: Ask
) -> None:
    network = build(seed)
    emission = build_emission(network.program, edges(network, seed, semantics), semantics)
    forecast = accepted(emission)
    yes = [(c, b) for c, boxes in enumerate(forecast) for b, fine in enumerate(boxes) if fine]
    no = [(c, b) for c, boxes in enumerate(forecast) for b, fine in enumerate(boxes) if not fine]
    assert len(yes) >= 2
    assert len(no) >= 2
    assert ask(*(only(emission, *index) for index in yes)).outcome is Outcome.ACCEPTED
    for index in no[seed::2][:2]:
        assert ask(only(emission, *index)).outcome is Outcome.REFUSED


def test_of_a_clause_the_better_row_counts(ask: Ask) -> None:
    """y0 >= s or y1 >= s: true where one is, and where neither is false."""
    network = mlp(0)
    (center,) = centers(network, 0)
    low, high = sorted(outputs_at(network, center)[:2])
    select = np.array([[256, 0, 0], [0, 256, 0]], dtype=object)
    yes = []
    for limit, alternatives in (((low + high) / 2, 2), ((low + high) / 2, 1), (high + 1, 2)):
        bound = -int(limit * 256)
        forms = Forms(select, np.array([bound, bound], dtype=object), True, alternatives)
        emission = build_emission(network.program, [Goal(forms, (ball(center, STEP),))])
        yes.append(accepted(emission) == [[True]])
        answer = Outcome.ACCEPTED if yes[-1] else Outcome.REFUSED
        assert ask(only(emission, 0, 0)).outcome is answer
    assert yes == [True, False, False]


def test_a_form_of_exactly_zero_is_weak_and_not_strict(ask: Ask) -> None:
    program = linear(0).program
    (node,) = program.nodes
    assert isinstance(node, AffineNode)
    difference = node.weights.copy()
    difference[0] = (1, -1, 0, 0, 0)
    program = replace(program, nodes=(replace(node, weights=difference),))
    half = ball((Fraction(1, 2),) * 4, Fraction(0))
    first = (np.array([[1, 0, 0]], dtype=object), np.array([0], dtype=object))
    emission = build_emission(program, [Goal(Forms(*first, strict), (half,)) for strict in (True, False)])
    assert accepted(emission) == [[False], [True]]
    assert ask(only(emission, 1, 0)).outcome is Outcome.ACCEPTED
    assert ask(only(emission, 0, 0)).outcome is Outcome.REFUSED


@pytest.mark.parametrize(("build", "seed"), NETWORKS)
def test_forecast_bounds_contain_exact_executions(build: Callable[[int], Network], seed: int) -> None:
    network = build(seed)
    (center,) = centers(network, seed)
    box = ball(center, Fraction(1, 8))
    emission = build_emission(network.program, [Goal(margin_forms(0, network.outputs), (box,))])
    found = Account(emission).forecast(emission.claims[0], emission.certificate.scripts[0][0])
    scale = emission.certificate.scale
    lower, upper = exact_bounds(scale, found.lower[:, 0]), exact_bounds(scale, found.upper[:, 0])
    rng = np.random.default_rng(seed)
    for _ in range(20):
        share = [Fraction(int(n), 16) for n in rng.integers(0, 17, network.inputs)]
        point = [low + (high - low) * s for low, high, s in zip(box.lower, box.upper, share, strict=True)]
        slots = slots_of(emission.graph, point)
        assert all(low <= x <= high for low, x, high in zip(lower, slots, upper, strict=False))


@pytest.mark.parametrize(("build", "seed"), NETWORKS)
def test_forecast_bounds_contain_binary32_executions_in_any_order(
    build: Callable[[int], Network], seed: int
) -> None:
    network = build(seed)
    (center,) = centers(network, seed)
    box = ball(center, Fraction(1, 3 * 2**20))
    goal = Goal(margin_forms(0, network.outputs), (box,))
    emission = build_emission(network.program, [goal], Semantics.BINARY32)
    (script,) = emission.certificate.scripts[0]
    lower, upper = Account(emission).all_bounds(emission.claims[0].boxes, script)
    scale = emission.certificate.scale
    least, most = exact_bounds(scale, lower[:, 0]), exact_bounds(scale, upper[:, 0])
    rng = np.random.default_rng(seed)
    seen = set()
    for _ in range(30):
        shift = rng.choice([-1, 1], network.inputs)
        point = [np.float32(float(c + s * STEP / 2**5 / 3)) for c, s in zip(center, shift, strict=True)]
        slots = binary32_slots(emission.graph, point, rng)
        seen.add(tuple(slots))
        assert all(low <= x <= high for low, x, high in zip(least, slots, most, strict=True))
    assert len(seen) > 20


def test_the_hull_of_a_box_without_binary32_numbers_has_bounds_on_both_sides() -> None:
    third = (Fraction(1, 3),) * 4
    goal = Goal(margin_forms(0, 3), (ball(third, Fraction(0)),))
    emission = build_emission(linear(0).program, [goal], Semantics.BINARY32)
    (script,) = emission.certificate.scripts[0]
    lower, upper = Account(emission).all_bounds(emission.claims[0].boxes, script)
    scale = emission.certificate.scale
    near = np.float32(1 / 3)
    below, above = sorted([Fraction(float(near)), Fraction(float(np.nextafter(near, np.float32(0))))])
    assert below < third[0] < above
    for low, high in zip(exact_bounds(scale, lower[2:6, 0]), exact_bounds(scale, upper[2:6, 0]), strict=True):
        assert low <= below
        assert above <= high
        assert high - low < Fraction(1, 2**20)


@pytest.mark.parametrize("semantics", list(Semantics))
def test_a_large_last_node_is_substituted_only_where_rows_combine_outputs(semantics: Semantics) -> None:
    large, small = chain(1, 3, 128, 8), chain(1, 3, 5, 8)
    bounds = bound_forms(None, [Fraction(10**6)] * 8, 8, False)
    for network, forms, kind in (
        (large, bounds, DirectData),
        (small, bounds, ComposedData),
        (large, margin_forms(0, 8), ComposedData),
    ):
        emission = emission_of(network, forms, semantics=semantics)
        script = emission.certificate.scripts[0][0]
        while isinstance(script, NodeScript):
            script = script.rest
        assert isinstance(script, ConcludeScript)
        assert isinstance(script.how, kind)
    emission = emission_of(large, bounds, semantics=semantics)
    assert Account(emission).forecast(emission.claims[0], emission.certificate.scripts[0][0]).accepted.all()
