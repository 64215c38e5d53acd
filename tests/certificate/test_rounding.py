"""How rounding errors are bounded: by each row's products above 0 and below, or with one radius of all slots
that must be large enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import accepted, ball, centers, mlp, slots_of

from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import Matrix, reading, row_errors
from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.model import (
    DecodingData,
    Emission,
    NodeScript,
    ScaleData,
    ScriptData,
    StepData,
)
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import AffineData, Semantics
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, Outcome, check

Ask = Callable[..., CheckResult]


@pytest.fixture(scope="module")
def charged() -> Emission:
    """A true claim about one box; every row is charged with its products above 0 and below."""
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


APART = ((0, 0), (-3, 3), (-7, 2), (-2, 7), (4, 9), (-9, -4), (0, 5), (-5, 0), (-(10**9), 10**9))
"""Bounds of slots, less the center."""
BOTH = pytest.mark.parametrize(("more", "outcome"), [(0, Outcome.ACCEPTED), (1, Outcome.REFUSED)])


def packed(numbers: list[int], bits: int) -> int:
    return sum(number << (bits * slot) for slot, number in enumerate(numbers))


def decided(statement: str, lean: LeanInstall, library: BuiltLibrary) -> CheckResult:
    text = f"""prelude
import PytestTorchLean
namespace PytestTorchLean.Charged
theorem charged : {statement} = Bool.true := by decide +kernel
end PytestTorchLean.Charged
"""
    name = "PytestTorchLean.Charged.charged"
    return check(text, theorem=name, built=library, lean=lean, wall_seconds=60, memory_mb=2048)


@BOTH
def test_bounds_enclose_zero_digit_for_digit(
    more: int, outcome: Outcome, lean: LeanInstall, library: BuiltLibrary
) -> None:
    center, half = 10**9, 64

    def memory(bounds: list[tuple[int, int]]) -> tuple[int, int]:
        direct = [low + (high << half) for low, high in bounds]
        mirrored = [(2 * center - high) + (2 * center - low << half) for low, high in bounds]
        return packed(direct, 2 * half), packed(mirrored, 2 * half)

    given = memory([(center + low, center + high) for low, high in APART])
    wanted = memory([(center + min(low, 0), center + max(high, 0)) for low, high in APART])
    found = f"both (Nat.beq direct {wanted[0]}) (Nat.beq mirrored {wanted[1] + more})"
    made = f"Affine.withZero ⟨1000, {center}, {half}⟩ {len(APART)} {given[0]} {given[1]}"
    asked = decided(f"({made} fun direct mirrored => {found})", lean, library)
    assert asked.outcome is outcome, asked.detail


@BOTH
@pytest.mark.parametrize("divisor", [1, 3])
def test_rows_are_charged_the_larger_of_their_sums_digit_for_digit(
    more: int, outcome: Outcome, divisor: int, lean: LeanInstall, library: BuiltLibrary
) -> None:
    scale = ScaleData(unit=1000, center=10**9, half=64)
    lower, upper = (
        np.array([[scale.center + pair[side]] for pair in APART], dtype=object) for side in (0, 1)
    )
    weights = np.array([[5, -2, 7, 0, -9, 4, 1, -3, 2**20], [1, 1, 1, 1, 1, 1, 1, 1, 0]], dtype=object)
    matrix = Matrix(np.maximum(weights, 0), np.maximum(-weights, 0), np.arange(9)[None])
    node = AffineData(2, 9, 1, 0, 1, 0, divisor)
    step = StepData(DecodingData(5, 0, 21), 0, 0)
    radii = row_errors(scale, node, matrix, step, lower, upper)
    assert radii[0, 0] > 2**20 * 10**9 * 10 // 2**24

    up, down = (np.array([max(sign * pair[side], 0) for pair in APART]) for side, sign in ((1, 1), (0, -1)))
    mass = scale.center * matrix.mass
    low = mass - matrix.positive @ down - matrix.negative @ up
    high = mass + matrix.positive @ up + matrix.negative @ down
    digit = 32 * node.lanes
    bounds = packed(
        [int(one) + (int(other) << scale.half) for one, other in zip(low, high, strict=True)], digit
    )
    made = (
        f"Affine.signed ⟨1000, {scale.center}, {scale.half}⟩ ⟨2, 9, 1, 0, 1, 0, {divisor}⟩ ⟨5, 0, 21⟩ "
        f"{bounds} {packed(mass.tolist(), digit)}"
    )
    expected = packed([int(one) for one in radii[:, 0]], digit) + more
    asked = decided(f"(Nat.beq ({made}) {expected})", lean, library)
    assert asked.outcome is outcome, asked.detail
