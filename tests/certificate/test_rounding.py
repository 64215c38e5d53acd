"""How rounding errors are bounded: by each row's products above 0 and below, or with one radius of all slots
that must be large enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import Network, accepted, ball, centers, mlp, model, slots_of
from onnx import helper

from pytest_torchlean.certificate import bounding
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import Matrix, products, reading, row_errors
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import bound_forms, margin_forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import (
    DecodingData,
    Emission,
    NodeScript,
    ScaleData,
    ScriptData,
    StepData,
)
from pytest_torchlean.certificate.plan import Goal, build_emission, prepare
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
        f"Affine.signed ⟨1000, {scale.center}, {scale.half}⟩ ⟨2, 9, 1, 0, 1, 0, {divisor}⟩ ⟨5, 0, 21⟩ 9 "
        f"{bounds} {packed(mass.tolist(), digit)}"
    )
    expected = packed([int(one) for one in radii[:, 0]], digit) + more
    asked = decided(f"(Nat.beq ({made}) {expected})", lean, library)
    assert asked.outcome is outcome, asked.detail


COUNTED = ((5, 5), (0, 0), (0, 9), (-3, 0), (0, 0), (-4, -4), (0, 0))
"""Bounds of slots 0 to 6, less the center; three of the slots are known to hold 0."""


@BOTH
@pytest.mark.parametrize(
    ("run", "sources", "expected"),
    [
        (5, [2, 3, 4, 5, 6, 1, 0], 4),  # slots 2, 3 and 5, and the column that reads slot 1
        (4, [2, 3, 4, 5, 6, 1, 0], 5),
        (3, [4, 5, 6, 2, 3, 1, 0], 4),
        (0, [2, 3, 4, 5, 6, 1, 0], 7),
        (6, [2, 3, 4, 5, 6, 1, 0], 7),  # six columns that read no consecutive slots
        (8, [2, 3, 4, 5, 6, 1, 0], 7),
    ],
)
def test_products_that_may_not_be_zero_are_counted_digit_for_digit(
    more: int,
    outcome: Outcome,
    run: int,
    sources: list[int],
    expected: int,
    lean: LeanInstall,
    library: BuiltLibrary,
) -> None:
    scale = ScaleData(unit=1, center=1000, half=64)
    lower, upper = (
        np.array([[scale.center + pair[side]] for pair in COUNTED], dtype=object) for side in (0, 1)
    )
    weights = np.array([[1, -2, 3, -4, 5, -6, 0], [0, 0, 0, 0, 0, 7, 0]], dtype=object)
    matrix = Matrix(np.maximum(weights, 0), np.maximum(-weights, 0), np.array([sources]))
    node = AffineData(2, 7, 1, 0, 1, packed(sources, 32), 1)
    step = StepData(DecodingData(1, 0, 10), run, 0)
    assert products(scale, node, matrix, step, lower, upper).tolist() == [expected]

    around = [(min(low, 0), max(high, 0)) for low, high in COUNTED]
    parts = matrix.positive, matrix.negative
    read = packed([scale.center + low + (scale.center + high << 64) for low, high in around], 128)
    columns = ", ".join(
        "⟨" + ", ".join(str(packed(part[:, place].tolist(), 64)) for part in parts) + "⟩"
        for place in range(7)
    )
    made = f"Affine.products ⟨1, 1000, 64⟩ ⟨2, 7, 1, 0, 1, {node.sources}, 1⟩ {run} 7 {read} [{columns}]"
    asked = decided(f"(Nat.beq ({made}) {expected + more})", lean, library)
    assert asked.outcome is outcome, asked.detail


def test_slots_known_to_hold_zero_are_not_charged(charged: Emission, ask: Ask) -> None:
    """With every column counted as a product the bounds are wider, and still accepted."""
    every = with_steps(charged, lambda index, step: replace(step, first=0))
    assert ask(every).outcome is Outcome.ACCEPTED
    fewer, all_of_them = np.array(widths(charged)), np.array(widths(every))
    assert (fewer <= all_of_them).all()
    assert fewer.sum() < all_of_them.sum()


def lost_to_rounding() -> Fraction:
    """By how much wider bounds by backward rows get in binary32, relatively, all slots behind the inputs."""
    rng = np.random.default_rng(3)
    sizes, values = (5, 50, 50, 50, 50, 3), {}
    nodes, given = [], "x"
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        most = np.sqrt(6 / inputs)
        values[f"w{layer}"] = rng.uniform(-most, most, (outputs, inputs)).astype(np.float32)
        values[f"b{layer}"] = rng.uniform(-0.1, 0.1, outputs).astype(np.float32)
        names = [given, f"w{layer}", f"b{layer}"]
        nodes.append(helper.make_node("Gemm", names, [f"h{layer}"], transB=1))
        given = f"r{layer}"
        nodes.append(helper.make_node("Relu", [f"h{layer}"], [given]))
    program = Network(model(nodes[:-1], {"x": [1, 5]}, ["h4"], values), 5, 3).program
    box = RationalBox((Fraction(-1, 100),) * 5, (Fraction(1, 100),) * 5)
    goal = Goal(bound_forms(None, (Fraction(10**6),) * 3, 3, False), (box,))
    totals = []
    for semantics in (Semantics.REAL, Semantics.BINARY32):
        account = prepare(program, [goal], semantics)
        claim = account.emission.claims[0]
        script, fine, _ = relaxed_script(account, claim, claim.boxes[0])
        found = account.forecast(claim, script)
        assert fine
        assert found.accepted.all()
        spread = (found.upper[:, 0] - found.lower[:, 0])[2 + program.inputs :]
        totals.append(Fraction(int(spread.sum()), account.emission.certificate.scale.unit))
    exact, rounded = totals
    return rounded / exact - 1


def test_rounding_costs_less_than_a_ten_thousandth_of_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    most = Fraction(1, 10_000)
    assert 0 < lost_to_rounding() < most
    monkeypatch.setattr(bounding, "consecutive", lambda matrix: 0)
    assert lost_to_rounding() > most  # with every column counted as a product
