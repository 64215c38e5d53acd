"""How rounding errors are bounded: each slot by itself, or all with one radius that must be large enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import accepted, ball, centers, mlp, slots_of

from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import reading, slot_charges
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.model import (
    AffineData,
    Emission,
    NodeScript,
    ScaleData,
    ScriptData,
    Semantics,
    StepData,
)
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, Outcome, check

Ask = Callable[..., CheckResult]


@pytest.fixture(scope="module")
def charged() -> Emission:
    """A true claim about one box; every slot is charged by itself."""
    network = mlp(0)
    (center,) = centers(network, 0)
    probe = build_emission(network.program, [Goal(margin_forms(0, 3), (ball(center, Fraction(0)),))])
    slots = slots_of(probe.graph, center)
    label = max(range(3), key=lambda k: slots[network.program.outputs[k]])
    goal = Goal(margin_forms(label, 3), (ball(center, Fraction(1, 4096)),))
    return build_emission(network.program, [goal], Semantics.BINARY32)


def with_steps(emission: Emission, change: Callable[[int, StepData], StepData]) -> Emission:
    def apply(script: ScriptData, index: int = 0) -> ScriptData:
        if not isinstance(script, NodeScript):
            return script
        return NodeScript(change(index, script.step), apply(script.rest, index + 1))

    ((script,),) = emission.certificate.scripts
    certificate = replace(emission.certificate, scripts=((apply(script),),))
    return replace(emission, certificate=certificate)


def with_radii(emission: Emission) -> Emission:
    """The same with one radius for each node, the smallest that will do."""
    account = Account(emission)
    state = account.start(emission.claims[0].boxes)
    ((script,),) = emission.certificate.scripts
    steps: list[StepData] = []
    for index, node in enumerate(emission.graph.nodes):
        assert isinstance(script, NodeScript)
        step, script = script.step, script.rest
        if isinstance(node, AffineData):
            matrix = account.matrix(index, node, step.decoding)
            own = reading(emission.certificate.scale, matrix, state.lower, state.upper)
            step = StepData(step.decoding, *own)
        steps.append(step)
        state = account.node(step, state)
    return with_steps(emission, lambda index, _: steps[index])


def widths(emission: Emission) -> list[int]:
    lower, upper = Account(emission).all_bounds(emission.claims[0].boxes, emission.certificate.scripts[0][0])
    return [int(width) for width in (upper - lower)[:, 0]]


def test_both_ways_are_accepted_and_single_charges_are_tighter(charged: Emission, ask: Ask) -> None:
    radii = with_radii(charged)
    for emission in (charged, radii):
        assert accepted(emission) == [[True]]
        assert ask(emission).outcome is Outcome.ACCEPTED
    fine, coarse = np.array(widths(charged)), np.array(widths(radii))
    assert (fine <= coarse).all()
    assert (fine < coarse).any()


def test_a_radius_that_is_too_small_is_refused(charged: Emission, ask: Ask) -> None:
    small = with_steps(
        with_radii(charged), lambda index, step: replace(step, radius=step.radius - 1) if index == 0 else step
    )
    assert accepted(small) == [[False]]
    assert ask(small).outcome is Outcome.REFUSED


def test_a_first_slot_behind_one_that_is_read_is_refused(charged: Emission, ask: Ask) -> None:
    late = with_steps(
        with_radii(charged), lambda index, step: replace(step, first=step.first + 1) if index == 0 else step
    )
    assert ask(late).outcome is Outcome.REFUSED


@pytest.mark.parametrize(("more", "outcome"), [(0, Outcome.ACCEPTED), (1, Outcome.REFUSED)])
def test_slots_are_charged_the_larger_of_their_bounds_digit_for_digit(
    more: int, outcome: Outcome, lean: LeanInstall, library: BuiltLibrary
) -> None:
    scale = ScaleData(unit=1000, center=10**9, half=64)
    apart = ((0, 0), (-3, 3), (-7, 2), (-2, 7), (4, 9), (-9, -4), (0, 5), (-5, 0), (-(10**9), 10**9))
    lower, upper = (
        np.array([[scale.center + pair[side]] for pair in apart], dtype=object) for side in (0, 1)
    )
    node = AffineData(rows=1, lanes=1, lane_columns=5000, weights=0, positions=1, sources=0, divisor=1)
    charged = slot_charges(scale, node, lower, upper)
    assert charged[-1, 0] == 10**9 * (5000 * 2**24 + 5000**2) // 2**48 + 1

    def packed(numbers: list[int]) -> int:
        return sum(number << (2 * scale.half * slot) for slot, number in enumerate(numbers))

    memory = packed(
        [int(low[0]) + (int(high[0]) << scale.half) for low, high in zip(lower, upper, strict=True)]
    )
    expected = packed([int(one[0]) for one in charged]) + more
    made = f"Affine.charges ⟨1000, {scale.center}, {scale.half}⟩ (growth 5000) {len(apart)} {memory}"
    text = f"""prelude
import PytestTorchLean
namespace PytestTorchLean.Charged
theorem charged : Nat.beq ({made}) {expected} = Bool.true := by decide +kernel
end PytestTorchLean.Charged
"""
    name = "PytestTorchLean.Charged.charged"
    asked = check(text, theorem=name, built=library, lean=lean, wall_seconds=60, memory_mb=2048)
    assert asked.outcome is outcome, asked.detail
