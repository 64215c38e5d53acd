"""Forms of the inputs, carried forward: they hold, cuts make them tighter, and Lean computes the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from certificate_examples import Network, ball, points_of, slots_of
from copy_examples import copies, rising
from relaxation_examples import chain

from pytest_torchlean.bounds import forward as floating
from pytest_torchlean.bounds.splitting import leaves
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.binary import decode, document_of, encode
from pytest_torchlean.certificate.bounding import matrix_of
from pytest_torchlean.certificate.carried import SLOPE_BITS, carried_script, floating_chain, needed
from pytest_torchlean.certificate.concluding import Unforeseen
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.forward import prepared, property_rows
from pytest_torchlean.certificate.forward_parts import least, parts_of
from pytest_torchlean.certificate.linear import bounded_by_rows
from pytest_torchlean.certificate.model import (
    NO_STEP,
    CertificateData,
    ComposedData,
    ConcludeScript,
    CutData,
    CutsData,
    Emission,
    ForwardData,
    LeafData,
    NodeScript,
    ScriptData,
)
from pytest_torchlean.certificate.plan import Goal, prepare
from pytest_torchlean.certificate.plan import chain as script_chain
from pytest_torchlean.certificate.relaxation import Box
from pytest_torchlean.certificate.statement import Semantics
from pytest_torchlean.certificate.text import parse, render
from pytest_torchlean.certificate.words import decoding_of, patterns_of
from pytest_torchlean.checker import BuiltLibrary, LeanInstall, evaluate

UNIT = 1 << 20
WIDTHS = ((2, 5, 4, 3), (3, 6, 2), (2, 4, 4, 4, 2))
SEMANTICS = (Semantics.REAL, Semantics.BINARY32)
Judge = Callable[..., list[int]]


def network(seed: int, widths: tuple[int, ...]) -> Network:
    return chain(seed, *widths)


def above(outputs: int, threshold: int) -> Forms:
    """The first output is above the threshold, in units of 2^-20, or the second one is above the third."""
    coefficients = np.zeros((2, outputs), dtype=object)
    coefficients[0, 0], coefficients[1, 1] = UNIT, UNIT
    constants = np.array([-threshold, -64 * UNIT], dtype=object)
    return Forms(coefficients, constants, strict=True, alternatives=2)


def account_of(
    own: Network, threshold: int, semantics: Semantics = Semantics.REAL, radius: Fraction = Fraction(1, 2)
) -> Account:
    middle = [Fraction(index % 3, 4) for index in range(own.inputs)]
    return prepare(own.program, [Goal(above(own.outputs, threshold), (ball(middle, radius),))], semantics)


def grid(account: Account, depth: int) -> CutsData:
    """Every input halved in turn."""
    scale, inputs = account.emission.certificate.scale, account.emission.graph.inputs
    state = account.start(account.emission.claims[0].boxes)

    def cut(low: tuple[int, ...], high: tuple[int, ...], left: int) -> CutsData:
        if left == 0:
            return LeafData()
        place = left % inputs
        value = (low[place] + high[place]) // 2 + left % 2
        assert 0 <= value <= scale.top
        below = (*high[:place], value, *high[place + 1 :])
        over = (*low[:place], value, *low[place + 1 :])
        return CutData(place, value, cut(low, below, left - 1), cut(over, high, left - 1))

    here = slice(2, 2 + inputs)
    return cut(tuple(state.lower[here, 0]), tuple(state.upper[here, 0]), depth)


def forward(account: Account, cuts: CutsData, **changes: Any) -> Emission:
    """The emission with a conclusion by forms."""
    emission = account.emission
    claim, nodes = emission.claims[0], emission.graph.nodes
    decoding = decoding_of(patterns_of(claim.property.forms))
    last = account.decodings[-1]
    size = (nodes[-1].rows << (last.bits + decoding.bits + 1)).bit_length()  # type: ignore[union-attr]
    how = replace(ForwardData(decoding, size, 8, 24, 2, False, cuts), **changes)
    script = script_chain(account.steps(claim.boxes), how, emission.semantics)
    return replace(emission, certificate=CertificateData(emission.certificate.scale, ((script,),)))


def answer(emission: Emission) -> bool:
    return Account(emission).forecasts(0) == (True,)


def best(own: Network, depth: int, semantics: Semantics, **changes: Any) -> int:
    """The largest threshold that the forecast accepts with cuts of this depth."""
    low, high = -64 * UNIT, 64 * UNIT
    while high - low > 1:
        middle = (low + high) // 2
        account = account_of(own, middle, semantics)
        fine = answer(forward(account, grid(account, depth), **changes))
        low, high = (middle, high) if fine else (low, middle)
    return low


def conclusion(script: ScriptData) -> ForwardData:
    while not isinstance(script, ConcludeScript):
        assert isinstance(script, NodeScript)
        script = script.rest
    assert isinstance(script.how, ForwardData)
    return script.how


@pytest.mark.parametrize("symbols", [False, True])
@pytest.mark.parametrize("widths", WIDTHS)
def test_forms_hold_on_every_part(widths: tuple[int, ...], symbols: bool) -> None:
    own = network(1, widths)
    account = account_of(own, 0)
    emission = forward(account, grid(account, 3), symbols=symbols)
    claim, how = emission.claims[0], conclusion(emission.certificate.scripts[0][0])
    state = account.start(claim.boxes)
    for step in account.steps(claim.boxes):
        state = account.node(step, state)
    scale = emission.certificate.scale
    ready = prepared(
        Box(scale, state.lower[:, 0], state.upper[:, 0]), state.history_of(0), claim.property, how
    )
    matrix = matrix_of(claim.property.forms, how.forms)
    numbers = scale.unit * (matrix.positive - matrix.negative) << (150 - account.decodings[-1].base)
    for low, high in parts_of(how.cuts, ready.low, ready.high):
        rows = property_rows(scale, ready, how, low[:, None], high[:, None])[:, 0]
        for images in (low, high, (low + high) // 2, np.append(low[:1], high[1:])):
            point = [Fraction(int(image) - scale.center, scale.unit) for image in images]
            slots = np.array(slots_of(emission.graph, point), dtype=object)
            assert (rows <= numbers @ slots[matrix.sources[0]]).all()


@pytest.mark.parametrize("seed", range(4))
def test_cuts_make_forms_tighter_and_forms_beat_intervals(seed: int) -> None:
    own = network(seed, (2, 5, 4, 3))
    by_depth = [best(own, depth, Semantics.REAL) for depth in (0, 4, 7)]
    assert by_depth[0] <= by_depth[1] <= by_depth[2]
    assert by_depth[0] < by_depth[2]
    account = account_of(own, by_depth[2])
    assert account.forecasts(0) == (False,)


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_lean_stops_accepting_where_the_forecast_does(semantics: Semantics, wrongly_judged: Judge) -> None:
    yes, no = [], []
    for seed, widths in enumerate(WIDTHS):
        for depth in (0, 2):
            own = network(seed, widths)
            threshold = best(own, depth, semantics)
            for found, at in ((yes, threshold), (no, threshold + 1)):
                account = account_of(own, at, semantics)
                found.append(forward(account, grid(account, depth)))
    assert wrongly_judged(yes, True) == []
    assert wrongly_judged(no, False) == []


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_lean_stops_accepting_symbols_where_the_forecast_does(
    semantics: Semantics, wrongly_judged: Judge
) -> None:
    yes, no = [], []
    changes = {"symbols": True, "fraction": 30}
    for seed, widths in enumerate(WIDTHS):
        own = network(seed, widths)
        threshold = best(own, 1, semantics, **changes)
        for found, at in ((yes, threshold), (no, threshold + 1)):
            account = account_of(own, at, semantics)
            found.append(forward(account, grid(account, 1), **changes))
    assert wrongly_judged(yes, True) == []
    assert wrongly_judged(no, False) == []


def test_lean_refuses_symbols_without_room(wrongly_judged: Judge) -> None:
    own = network(0, (2, 5, 4, 3))
    account = account_of(own, best(own, 1, Semantics.REAL, symbols=True, fraction=30))
    cuts = grid(account, 1)
    assert answer(forward(account, cuts, symbols=True, fraction=30))
    # a symbol's coefficient is 2^(fraction - slope - 1), and no coefficient may reach the center
    mutants = [
        forward(account, cuts, symbols=True, slope=slope, fraction=fraction)
        for slope, fraction in ((8, 8), (8, 9), (30, 30), (8, 400), (0, 30))
    ]
    assert not any(map(answer, mutants))
    assert wrongly_judged(mutants, False) == []


def test_symbols_that_two_values_share_cancel() -> None:
    tighter = [
        best(network(seed, (2, 5, 4, 3)), 4, Semantics.REAL, symbols=True, fraction=30)
        - best(network(seed, (2, 5, 4, 3)), 4, Semantics.REAL)
        for seed in range(6)
    ]
    assert sum(gain > 0 for gain in tighter) >= 3


def test_a_script_keeps_the_differences_that_later_rows_may_read() -> None:
    account = Account(rising(copies(0, 3, 5, 4, 2), Fraction(1, 16)))
    pieces, _ = bounded_by_rows(account, account.emission.claims[0].boxes[0])
    differences = next(piece for piece in pieces if isinstance(piece, tuple))
    rows, step = differences[0], NO_STEP
    assert needed([step, differences, step, rows, step]) == [step, differences, step, rows, step]
    assert needed([rows, differences, step, differences]) == [rows, step]
    assert needed([step, differences]) == [step]


def changed(own: Network, threshold: int) -> list[Emission]:
    """Changes of a certificate with four cuts that is only just enough."""
    account = account_of(own, threshold)
    cuts = grid(account, 2)
    assert isinstance(cuts, CutData)
    assert answer(forward(account, cuts))
    decoding = decoding_of(patterns_of(account.emission.claims[0].property.forms))
    top = account.emission.certificate.scale.top
    return [
        forward(account, LeafData()),
        forward(account, cuts.below),
        forward(account, replace(cuts, input=own.inputs)),
        forward(account, replace(cuts, input=1 - cuts.input)),
        forward(account, replace(cuts, value=0)),
        forward(account, replace(cuts, value=4 * top)),
        forward(account, cuts, size=8),
        forward(account, cuts, slope=0),
        forward(account, cuts, slope=400),
        forward(account, cuts, fraction=0),
        forward(account, cuts, fraction=400),
        forward(account, cuts, origin=3),
        forward(account, cuts, origin=0),
        forward(account, cuts, origin=2 + own.inputs),
        forward(account, cuts, forms=replace(decoding, base=decoding.base + 1)),
        forward(account, cuts, forms=replace(decoding, bits=1)),
    ]


def test_lean_refuses_changed_conclusions(wrongly_judged: Judge) -> None:
    own = network(0, (2, 5, 4, 3))
    threshold = best(own, 2, Semantics.REAL)
    mutants = changed(own, threshold)
    assert len({render((mutant,)) for mutant in mutants}) == len(mutants)
    assert [number for number, mutant in enumerate(mutants) if answer(mutant)] == []
    assert wrongly_judged(mutants, False) == []


def test_no_cuts_prove_what_is_false(wrongly_judged: Judge) -> None:
    own = network(2, (2, 5, 4, 3))
    account = account_of(own, 0)
    points = points_of(account.emission.claims[0].boxes[0], own.inputs)
    values = [slots_of(account.emission.graph, point)[-own.outputs] for point in points]
    false = account_of(own, int(min(values) * UNIT) + 1)
    emissions = [forward(false, grid(false, depth)) for depth in (0, 3, 5)]
    assert not any(map(answer, emissions))
    assert wrongly_judged(emissions, False) == []
    claim = false.emission.claims[0]
    assert carried_script(false, claim, claim.boxes[0], most_parts=200) is None


def test_conclusions_come_back_from_text_and_bytes() -> None:
    own = network(0, (2, 5, 4, 3))
    account = account_of(own, 0)
    emission = forward(account, grid(account, 3))
    assert parse(render((emission,))) == (emission,)
    document = document_of([emission])
    assert decode(encode(document)) == document


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_a_search_finds_cuts_that_the_compiled_checker_accepts(
    semantics: Semantics, lean: LeanInstall, library: BuiltLibrary
) -> None:
    own = network(1, (2, 5, 4, 3))
    threshold = best(own, 6, Semantics.REAL) - UNIT // 256
    account = account_of(own, threshold, semantics)
    claim = account.emission.claims[0]
    assert account.forecasts(0) == (False,)
    script = carried_script(account, claim, claim.boxes[0], most_parts=500)
    assert script is not None
    certificate = CertificateData(account.emission.certificate.scale, ((script,),))
    emission = replace(account.emission, certificate=certificate)
    assert answer(emission)
    result = evaluate(document_of([emission]), built=library, lean=lean, wall_seconds=120, memory_mb=2048)
    assert result.accepted


@pytest.mark.parametrize("symbols", [False, True])
def test_bounds_in_binary64_are_those_of_the_certificate(symbols: bool) -> None:
    own = network(3, (3, 6, 2))
    account = account_of(own, 0)
    emission = forward(account, LeafData(), slope=SLOPE_BITS, symbols=symbols, fraction=30)
    claim, how = emission.claims[0], conclusion(emission.certificate.scripts[0][0])
    state = account.start(claim.boxes)
    for step in account.steps(claim.boxes):
        state = account.node(step, state)
    scale = emission.certificate.scale
    box = Box(scale, state.lower[:, 0], state.upper[:, 0])
    ready = prepared(box, state.history_of(0), claim.property, how)
    exact = property_rows(scale, ready, how, ready.low[:, None], ready.high[:, None])[:, 0]
    low, high = (
        np.asarray((side - scale.center) / scale.unit, dtype=float) for side in (ready.low, ready.high)
    )
    layers = floating_chain(scale, ready, 2, symbols=symbols)
    rows, _ = floating.lower_rows(layers, low[None], high[None])
    np.testing.assert_allclose(np.asarray(exact / scale.unit, dtype=float), rows[0], rtol=1e-5)
    found = floating.split(layers, low, high, most_parts=64, slack=float(rows[0].max()) + 1e-9)
    assert found.tree is None or len(list(leaves(found.tree))) > 1
    with pytest.raises(Unforeseen):
        least(box, state.history_of(0)[:-1], claim.property, how)


def test_a_composed_conclusion_is_no_place_for_forms() -> None:
    own = network(0, (2, 5, 4, 3))
    account = account_of(own, 0)
    script: ScriptData = account.emission.certificate.scripts[0][0]
    while not isinstance(script, ConcludeScript):
        assert isinstance(script, NodeScript)
        script = script.rest
    assert isinstance(script.how, ComposedData)
