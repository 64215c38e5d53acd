"""ReLU phases of models with curves, sought behind a certificate's own lines, from the search to Lean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import Network, ball, mlp, model, weights
from onnx import helper
from phase_examples import foreseen, script_of, with_script, without
from test_slide import network as smooth

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.budget import UNLIMITED
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.bounds.phase_tree import PhaseCut, PhaseTree, over_rows, search
from pytest_torchlean.bounds.program import ONE_SLOT, Program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.linearization import stated
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.phased import unsought
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.reached import reached_bounds
from pytest_torchlean.certificate.rows import NotRelaxable, Slopes
from pytest_torchlean.certificate.statement import BilinearData, Semantics
from pytest_torchlean.certificate.states import State
from pytest_torchlean.certificate.words import pack_words
from pytest_torchlean.checker import CheckResult
from pytest_torchlean.properties.curved_phases import seeking
from pytest_torchlean.properties.linear import cases_of, slot_rows

INPUTS = 18
"""More than are ever cut."""
RADIUS = Fraction(1, 8)
BOTH = [Semantics.REAL, Semantics.BINARY32]
SEEDS = [1, 2, 4]


@dataclass(frozen=True, eq=False)
class Curved:
    """`forms` hold in `box`, half-way between what rows prove and what is reached."""

    program: Program
    forms: Forms
    box: RationalBox


def network(seed: int, *, product: bool = False) -> Network:
    """Two layers of ReLUs, then tanh(a) + b or a * b of two affine functions, then two outputs."""
    rng = np.random.default_rng(seed)
    nodes, values, here, width = [], {}, "x", INPUTS
    for index in range(2):
        values[f"w{index}"] = weights(rng, 6, width) * np.float32(1.5)
        values[f"b{index}"] = weights(rng, 6)
        made = f"h{index}"
        nodes.append(helper.make_node("Gemm", [here, f"w{index}", f"b{index}"], [made], transB=1))
        nodes.append(helper.make_node("Relu", [made], [f"r{index}"]))
        here, width = f"r{index}", 6
    for name in "ab":
        values["w" + name], values["b" + name] = weights(rng, 4, width), weights(rng, 4)
        nodes.append(helper.make_node("Gemm", [here, "w" + name, "b" + name], ["s" + name], transB=1))
    if product:
        nodes.append(helper.make_node("Mul", ["sa", "sb"], ["m"]))
    else:
        nodes += [helper.make_node("Tanh", ["sa"], ["t"]), helper.make_node("Add", ["t", "sb"], ["m"])]
    values["wz"], values["bz"] = weights(rng, 2, 4), weights(rng, 2)
    nodes.append(helper.make_node("Gemm", ["m", "wz", "bz"], ["z"], transB=1))
    return Network(model(nodes, {"x": [1, INPUTS]}, ["z"], values), INPUTS, 2)


def points(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.random((count, INPUTS)) * 2 - 1) * float(RADIUS)


def example(seed: int) -> Curved:
    program = network(seed).program
    box = ball([Fraction(0)] * INPUTS, RADIUS)
    rows = np.zeros((1, program.size))
    rows[0, program.outputs] = 1.0, -1.0
    low = float(np.min(reached(program, box, rows)))
    corners = np.sign(points(20000)) * float(RADIUS)
    seen = float((evaluate(program, corners) @ rows[0]).min())
    constant = round((low + seen) / 2 * 4096)
    forms = Forms(
        np.array([[4096, -4096]], dtype=object),
        np.array([-constant], dtype=object),
        strict=True,
        alternatives=1,
    )
    return Curved(program, forms, box)


def reached(program: Program, box: RationalBox, rows: np.ndarray) -> np.ndarray:
    """Lower bounds of rows of the slots by the bounds that a certificate for the box has."""
    found: list[np.ndarray] = []

    def seek(state: State, slopes: dict[int, Slopes]) -> None:
        found.append(crown.minimum(reached_bounds(account, program, state, slopes), rows)[0])

    hopeless = Forms(
        np.array([[1, -1]], dtype=object), np.array([-(1 << 20)], dtype=object), strict=True, alternatives=1
    )
    account = prepare(program, [Goal(hopeless, (box,))], Semantics.REAL)
    claim = account.emission.claims[0]
    assert not relaxed_script(account, claim, claim.boxes[0], None, seek=seek)[1]
    return found[0]


@pytest.mark.parametrize("far", [1e6, np.nan])
def test_nothing_is_sought_where_bounds_leave_no_row_open(far: float) -> None:
    """Integers may lose what binary64 shows, and overflowing bounds are no numbers."""
    own = example(SEEDS[0])
    rows = slot_rows(own.program, own.forms)
    rows[:, ONE_SLOT] = far
    found: list[PhaseTree | None] = []

    def seek(state: State, slopes: Mapping[int, Slopes]) -> None:
        found.append(seeking(own.program, account, rows, 1, UNLIMITED)(state, slopes))

    account = prepare(own.program, [Goal(own.forms, (own.box,))], Semantics.REAL)
    claim = account.emission.claims[0]
    relaxed_script(account, claim, claim.boxes[0], None, seek=seek)
    assert found == [None]


def proof(own: Curved, semantics: Semantics) -> Emission:
    """The claim with the certificate that a property would get."""
    account = prepare(own.program, [Goal(own.forms, (own.box,))], semantics)
    claim = account.emission.claims[0]
    cases = cases_of(own.program, own.forms, own.box, phases=True)
    assert not relaxed_script(account, claim, claim.boxes[0], cases)[1]
    seek = seeking(own.program, account, slot_rows(own.program, own.forms), 1, UNLIMITED)
    script, fine, _ = relaxed_script(account, claim, claim.boxes[0], cases, seek=seek)
    assert fine
    return with_script(account.emission, script)


@pytest.mark.parametrize("semantics", BOTH)
@pytest.mark.parametrize("seed", SEEDS)
def test_lean_accepts_phases_behind_curves(
    seed: int, semantics: Semantics, ask: Callable[..., CheckResult]
) -> None:
    emission = proof(example(seed), semantics)
    assert foreseen(emission)
    assert ask(emission).accepted


@pytest.mark.parametrize("seed", SEEDS)
def test_dropped_and_exchanged_cases_prove_nothing(seed: int, ask: Callable[..., CheckResult]) -> None:
    emission = proof(example(seed), Semantics.REAL)
    mutants = [with_script(emission, one) for one in without(script_of(emission))]
    assert mutants
    refused = [one for one in mutants if not foreseen(one)]
    assert refused
    assert not ask(refused[0]).accepted


@pytest.mark.parametrize("product", [False, True])
def test_rows_in_the_stead_of_curves_and_products_bound_what_is_computed(product: bool) -> None:
    program = network(3, product=product).program
    rows = np.zeros((4, program.size))
    rows[np.arange(2), program.outputs] = 1.0
    rows[2 + np.arange(2), program.outputs] = -1.0
    least = reached(program, ball([Fraction(0)] * INPUTS, RADIUS), rows)
    assert np.isfinite(least).all()
    assert (least <= (evaluate(program, points(5000)) @ rows.T).min(axis=0) + 1e-9).all()


def test_models_without_curves_or_relus_and_alternatives_are_not_searched() -> None:
    own = example(1)
    account = prepare(own.program, [Goal(own.forms, (own.box,))], Semantics.REAL)
    rows = slot_rows(own.program, own.forms)
    assert seeking(own.program, account, rows, 2, UNLIMITED) is unsought
    assert seeking(own.program, account, rows, 1, UNLIMITED) is not unsought
    for other in (mlp(0), smooth("Tanh")):
        assert seeking(other.program, account, rows, 1, UNLIMITED) is unsought


def test_a_tree_for_some_rows_has_no_multipliers_for_the_others() -> None:
    own = example(1)
    rows = slot_rows(own.program, own.forms)
    trees = []

    def seek(state: State, slopes: dict[int, Slopes]) -> None:
        bounds = reached_bounds(account, own.program, state, slopes)
        trees.append(search(bounds, rows, most=64, slack=2e-3).tree)

    account = prepare(own.program, [Goal(own.forms, (own.box,))], Semantics.REAL)
    claim = account.emission.claims[0]
    relaxed_script(account, claim, claim.boxes[0], None, seek=seek)
    (tree,) = trees
    assert isinstance(tree, PhaseCut)
    wider = over_rows(tree, np.array([2]), 4)
    pairs = [(tree, wider)]
    while pairs:
        before, after = pairs.pop()
        if isinstance(before, PhaseCut):
            pairs += [(before.off, after.off), (before.on, after.on)]
            continue
        assert after.case == before.case
        assert (after.point.multipliers[:, 2] == before.point.multipliers[:, 0]).all()
        assert not np.delete(after.point.multipliers, 2, axis=1).any()


def test_more_entries_than_lean_adds_up_are_not_stated() -> None:
    count = 800
    pairs = np.stack([np.arange(2, 2 + count), np.arange(2 + count, 2 + 2 * count)], axis=1)
    node = BilinearData(count, 1, pack_words(pairs.reshape(-1)))
    with pytest.raises(NotRelaxable, match="more entries"):
        stated(node, np.ones((count, 3)), np.zeros(2 + 2 * count), 1.0, 6)
    small = BilinearData(16, 1, pack_words(pairs[:16].reshape(-1)))
    assert stated(small, np.ones((16, 3)), np.zeros(2 + 2 * count), 1.0, 6).rows.rows == 16
