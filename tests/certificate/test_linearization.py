"""Products as rows of their factors: valid and tight, with Lean's own digits; false rows are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from certificate_examples import Network, ball, centers, quadratic
from onnx import helper
from onnx_models import model
from relaxation_examples import SMOOTH_HEADER, accepted, memory, passed_term

from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bilinear import factors_of
from pytest_torchlean.certificate.binary import decode, document_of, encode
from pytest_torchlean.certificate.concluding import Unforeseen
from pytest_torchlean.certificate.forms import bound_forms
from pytest_torchlean.certificate.linear import bounded_by_rows, relaxed_script
from pytest_torchlean.certificate.linearization import linearized, planes, tangents
from pytest_torchlean.certificate.lines import box_of
from pytest_torchlean.certificate.model import (
    Emission,
    LinearizationData,
    LinearizeScript,
    NodeScript,
    ScaleData,
    ScriptData,
    TightenScript,
)
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.relaxation import relax
from pytest_torchlean.certificate.rows import PassedNode
from pytest_torchlean.certificate.statement import BilinearData, QuotientData, Semantics
from pytest_torchlean.certificate.states import State
from pytest_torchlean.certificate.terms import number, term
from pytest_torchlean.certificate.text import parse, render
from pytest_torchlean.certificate.words import pack_words, pairs_of
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, Outcome
from pytest_torchlean.checker import evaluate as judged

RADIUS = Fraction(1, 20)
MIDDLE = [Fraction(3, 4), Fraction(-1, 2)]


def products(kind: str, seed: int = 0, width: int = 4) -> Network:
    """Two layers, their products or squares or the product of both as matrices, and a third layer."""
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {
        "w0": rng.normal(size=(2, width)).astype(np.float32),
        "w1": rng.normal(size=(2, width)).astype(np.float32),
        "w2": rng.normal(size=(width, 2)).astype(np.float32),
    }
    nodes = [helper.make_node("MatMul", ["x", name], [to]) for name, to in (("w0", "g"), ("w1", "h"))]
    if kind == "matmul":
        values["square"], values["flat"] = np.array([2, 2]), np.array([1, 4])
        nodes += [helper.make_node("Reshape", [name, "square"], [f"{name}m"]) for name in ("g", "h")]
        nodes += [
            helper.make_node("MatMul", ["gm", "hm"], ["m"]),
            helper.make_node("Reshape", ["m", "flat"], ["p"]),
        ]
    elif kind == "quotient":
        values["one"] = np.float32([1])
        nodes += [helper.make_node("Mul", ["h", "h"], ["s"]), helper.make_node("Add", ["s", "one"], ["d"])]
        nodes.append(helper.make_node("Div", ["g", "d"], ["p"]))
    else:
        nodes.append(helper.make_node("Mul", ["g", "g" if kind == "square" else "h"], ["p"]))
    nodes.append(helper.make_node("MatMul", ["p", "w2"], ["z"]))
    used = {name for node in nodes for name in node.input}
    return Network(model(nodes, {"x": [1, 2]}, ["z"], {k: v for k, v in values.items() if k in used}), 2, 2)


KINDS = ("product", "square", "matmul", "quotient")


def emission_of(given: Network, semantics: Semantics, limit: Fraction = Fraction(50)) -> Emission:
    forms = bound_forms((-limit,) * 2, (limit,) * 2, 2, strict=False)
    middle = MIDDLE if given.inputs == 2 else centers(given, 0)[0]
    return build_emission(given.program, [Goal(forms, (ball(middle, RADIUS),))], semantics)


def reached(emission: Emission) -> tuple[Account, State]:
    account = Account(emission)
    return account, bounded_by_rows(account, emission.claims[0].boxes[0])[1]


def output_bounds(account: Account, state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bounds of both outputs by rows, and the widths that intervals give."""
    scale = account.emission.certificate.scale
    found = relax(box_of(account, state), state.history_of(0), {}, np.arange(4)).bounds
    low = (found[0::2] - scale.center) / scale.unit
    high = (scale.center - found[1::2]) / scale.unit
    wide = (state.upper[-2:, 0] - state.lower[-2:, 0]) / scale.unit
    return low.astype(float), high.astype(float), wide.astype(float)


def proved(emission: Emission) -> tuple[Emission, bool]:
    account, claim = Account(emission), emission.claims[0]
    script, fine, _ = relaxed_script(account, claim, claim.boxes[0])
    assert account.forecast(claim, script).accepted.all() == fine
    return replace(emission, certificate=replace(emission.certificate, scripts=((script,),))), fine


def only_by_rows(semantics: Semantics = Semantics.BINARY32) -> Emission:
    """A claim of products that intervals do not prove."""
    account, state = reached(emission_of(products("product", 2), semantics))
    low, high, _ = output_bounds(account, state)
    limit = Fraction(float(np.abs([low, high]).max())).limit_denominator(1000) + Fraction(1, 500)
    emission = emission_of(products("product", 2), semantics, limit)
    assert Account(emission).forecasts(0) == (False,)
    return emission


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("semantics", Semantics)
def test_rows_through_products_are_valid_and_tight(kind: str, seed: int, semantics: Semantics) -> None:
    given = products(kind, seed)
    account, state = reached(emission_of(given, semantics))
    low, high, wide = output_bounds(account, state)
    points = np.array([0.75, -0.5]) + np.random.default_rng(3).uniform(-0.05, 0.05, size=(500, 2))
    values = evaluate(given.program, points)[:, given.program.outputs]
    assert (low <= values + 1e-6).all()
    assert (values <= high + 1e-6).all()
    assert (high - low < wide).all()
    assert (high - low <= 1.6 * np.ptp(values, axis=0)).all()


def test_a_square_is_charged_half_of_what_a_product_is() -> None:
    """Where both factors are the same slot its vertex counts."""
    for kind, most in (("square", 0.51), ("product", 1.01)):
        account, state = reached(emission_of(products(kind), Semantics.REAL))
        scale, history = account.emission.certificate.scale, state.history
        (place,) = [
            k for k, node in enumerate(account.emission.graph.nodes) if isinstance(node, BilinearData)
        ]
        node = account.emission.graph.nodes[place]
        assert isinstance(node, BilinearData)
        pairs = factors_of(node)[:, 0]
        width = ((state.upper[:, 0] - state.lower[:, 0]) / scale.unit).astype(float)
        error = history[place].error
        assert error is not None
        unit = 2.0 ** (150 - history[place].decoding.base) * scale.unit
        charged = error[:, 0].astype(float) / unit
        assert (charged <= most * width[pairs[:, 0]] * width[pairs[:, 1]] / 4 + 1e-6).all()


def test_a_claim_that_only_rows_prove(ask: Callable[..., CheckResult]) -> None:
    emission, fine = proved(only_by_rows())
    assert fine
    assert ask(emission).outcome is Outcome.ACCEPTED
    script: ScriptData = emission.certificate.scripts[0][0]
    without = replace(emission, certificate=replace(emission.certificate, scripts=((unlinearized(script),),)))
    assert ask(without).outcome is Outcome.REFUSED


def test_the_evaluated_level_accepts_it_too(lean: LeanInstall, library: BuiltLibrary) -> None:
    emission, _ = proved(only_by_rows())
    found = judged(
        document_of([emission]), files=(), built=library, lean=lean, wall_seconds=120, memory_mb=2048
    )
    assert found.outcome is Outcome.ACCEPTED


def unlinearized(script: Any) -> Any:
    """The script without the rows that stand for products."""
    if isinstance(script, LinearizeScript):
        return unlinearized(script.rest)
    if isinstance(script, NodeScript | TightenScript):
        return replace(script, rest=unlinearized(script.rest))
    return script


@pytest.mark.parametrize("semantics", Semantics)
def test_a_false_claim_is_not_proved(semantics: Semantics) -> None:
    given = products("product", 2)
    values = evaluate(given.program, np.array([[0.75, -0.5]]))[0, given.program.outputs]
    limit = Fraction(float(np.abs(values).max())) * Fraction(9, 10)
    assert not proved(emission_of(given, semantics, limit))[1]


def test_text_and_bytes_come_back() -> None:
    emission, _ = proved(only_by_rows())
    assert parse(render([emission])) == (emission,)
    document = document_of([emission])
    assert decode(encode(document)) == document


# --- Lean's digits ----------------------------------------------------------------------------------


def test_narrow_factors_far_from_0_lose_little() -> None:
    """A product 0.7 * x of a known number and x in 1000 +- 0.01: its row is as wide as x makes it."""
    scale = ScaleData(1 << 40, 1 << 56, 64)
    ends = np.array([[0, 0], [1, 1], [999.99, 1000.01], [0.7, 0.7 + 1e-13]])
    low, high = (
        np.array([round(value * scale.unit) + scale.center for value in side], dtype=object)
        for side in ends.T.tolist()
    )
    node = BilinearData(1, 1, pack_words(np.array([2, 3])))
    how = planes(scale, node, low, high, 8)
    found = linearized(scale, node, 4, how, None, low[:, None], high[:, None])
    unit = 2.0 ** (150 - how.decoding.base) * scale.unit
    assert found.fine.all()
    assert float(found.error[0, 0]) / unit < 1e-4 * 0.7 * 0.02


def stage(emission: Emission, kind: type = BilinearData) -> tuple[Account, State, State, LinearizationData]:
    """Before and after the first node of a kind is stated as rows."""
    account = Account(emission)
    state = account.start(emission.claims[0].boxes)
    for node, step in zip(emission.graph.nodes, account.steps(emission.claims[0].boxes), strict=True):
        state = account.node(step, state)
        if isinstance(node, kind):
            scale = emission.certificate.scale
            low, high, lanes = state.lower[:, 0], state.upper[:, 0], scale.half // 16
            if isinstance(node, BilinearData):
                how = planes(scale, node, low, high, lanes)
            else:
                assert isinstance(node, QuotientData)
                how = tangents(scale, node, state.history[-1].start, low, high, lanes)
            return account, state, account.linearize(how, state), how
    raise AssertionError("no such node")


def called(account: Account, state: State, how: LinearizationData, then: str) -> str:
    """The Lean term of `Linearize.run`."""
    box = box_of(account, state)
    direct, _ = memory(box)
    last = state.history[-1]
    worst = 0 if last.error is None else int(last.error[0, 0])
    head = f"⟨{term(last.node)}, {number(last.start)}, {term(last.decoding)}, {number(worst)}⟩"
    return (
        f"Linearize.run {term(box.scale)} {term(how)} [{head}] ({number(direct)}) "
        f"({number(len(box.lower))}) (fun passed => {then})"
    )


def has_error(state: State, change: int = 0) -> str:
    node: PassedNode = state.history_of(0)[-1]
    assert node.error is not None
    node = replace(node, error=node.error + change)
    error = passed_term(node).rsplit(", ", 1)[1][:-1]
    return (
        "List.rec (motive := fun _ => Bool) false (fun head _ _ => Passed.rec (motive := fun _ => Bool) "
        f"(fun _ _ _ error => Nat.beq error ({error})) head) passed"
    )


def test_lean_computes_the_same_radii(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    lines = []
    for kind in (*KINDS, "cubes"):
        for semantics in Semantics:
            given = quadratic(1) if kind == "cubes" else products(kind)
            last = QuotientData if kind == "quotient" else BilinearData
            account, before, after, how = stage(emission_of(given, semantics), last)
            name = f"{kind}_{semantics.name.lower()}"
            for change, answer in ((0, "true"), (1, "false")):
                run = called(account, before, how, has_error(after, change))
                lines.append(f"theorem {name}_{answer} : ({run}) = {answer} := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path, SMOOTH_HEADER)


Change = Callable[[LinearizationData], LinearizationData]
_UNIT = 1 << 32
REFUSED: dict[str, Change] = {
    "another column": lambda how: replace(how, entries=how.entries + 1),
    "another slope": lambda how: replace(how, entries=how.entries + _UNIT),
    "another slope of a later entry": lambda how: replace(how, entries=how.entries + (_UNIT << 96)),
    "a slope longer than its digits": lambda how: replace(how, entries=how.entries | (1 << 95)),
    "another weight": lambda how: replace(how, rows=replace(how.rows, weights=how.rows.weights ^ 1 << 22)),
    "another sign": lambda how: replace(how, rows=replace(how.rows, weights=how.rows.weights ^ 1 << 31)),
    "another slot": lambda how: replace(how, rows=replace(how.rows, sources=how.rows.sources ^ 1)),
    "two positions": lambda how: replace(how, rows=replace(how.rows, positions=2)),
    "a divisor": lambda how: replace(how, rows=replace(how.rows, divisor=2)),
    "fewer rows": lambda how: replace(how, rows=replace(how.rows, rows=how.rows.rows - 1)),
    "another unit": lambda how: replace(how, decoding=replace(how.decoding, base=how.decoding.base - 1)),
    "shorter weights": lambda how: replace(how, decoding=replace(how.decoding, bits=how.decoding.bits - 1)),
    "no entries": lambda how: replace(how, entries=0),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("kind", ["product", "quotient"])
def test_changed_rows_are_not_forecast(name: str, kind: str) -> None:
    node = QuotientData if kind == "quotient" else BilinearData
    account, before, _, how = stage(emission_of(products(kind), Semantics.REAL), node)
    with pytest.raises(Unforeseen):
        account.linearize(REFUSED[name](how), before)


def test_changed_rows_are_refused(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    lines = []
    for kind, node in (("product", BilinearData), ("quotient", QuotientData)):
        account, before, _, how = stage(emission_of(products(kind), Semantics.REAL), node)
        run = called(account, before, how, "true")
        lines.append(f"theorem {kind} : ({run}) = true := by decide +kernel")
        for place, change in enumerate(REFUSED.values()):
            run = called(account, before, change(how), "true")
            lines.append(f"theorem {kind}{place} : ({run}) = false := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path, SMOOTH_HEADER)


def test_rows_of_quotients_by_what_may_be_zero_are_not_accepted() -> None:
    account, before, _, how = stage(emission_of(products("quotient"), Semantics.REAL), QuotientData)
    last, scale = before.history[-1], account.emission.certificate.scale
    assert isinstance(last.node, QuotientData)
    lower = before.lower.copy()
    lower[pairs_of(last.node)[:, 1]] = scale.center
    assert not linearized(scale, last.node, last.start, how, None, lower, before.upper).fine.any()
    assert linearized(scale, last.node, last.start, how, None, before.lower, before.upper).fine.all()


def test_rows_in_the_stead_of_another_node_are_not_forecast() -> None:
    account, before, after, how = stage(emission_of(products("product"), Semantics.REAL))
    for state in (after, account.start(account.emission.claims[0].boxes)):
        with pytest.raises(Unforeseen):
            account.linearize(how, state)
    last = before.history[-1]
    assert isinstance(last.node, BilinearData)
    scale = account.emission.certificate.scale
    wider = linearized(scale, last.node, last.start, how, None, before.lower - scale.unit, before.upper)
    known = after.history[-1].error
    assert known is not None
    assert (wider.error > known).all()
