"""Forms with noise symbols in words of 64 bits: the numbers of Python's integers, or none."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import Network
from relaxation_examples import chain
from test_forward import account_of, conclusion, forward, grid

from pytest_torchlean.certificate import forward_parts
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.concluding import Unforeseen
from pytest_torchlean.certificate.forward import Layers, Rows, prepared, property_rows
from pytest_torchlean.certificate.forward_parts import least, parts_of
from pytest_torchlean.certificate.forward_words import TooLong, in_words
from pytest_torchlean.certificate.forward_words import property_rows as rows_in_words
from pytest_torchlean.certificate.model import ForwardData, ScaleData
from pytest_torchlean.certificate.rows import Box, PassedNode
from pytest_torchlean.certificate.statement import PropertyData, Semantics

WIDTHS = ((2, 5, 4, 3), (3, 6, 2), (2, 4, 4, 4, 2), (5, 30, 30, 4))


class Case:
    """A network whose last node is concluded from by forms of 8 or 16 parts."""

    def __init__(self, own: Network, semantics: Semantics = Semantics.REAL, **changes: int) -> None:
        account = account_of(own, 0, semantics, Fraction(3, 2))
        changed = {"symbols": True, "slope": 10, "fraction": 30, **changes}
        emission = forward(account, grid(account, 4), **changed)
        claim, self.how = emission.claims[0], conclusion(emission.certificate.scripts[0][0])
        state = account.start(claim.boxes)
        for step in account.steps(claim.boxes):
            state = account.node(step, state)
        self.scale: ScaleData = emission.certificate.scale
        self.about: PropertyData = claim.property
        self.box = Box(self.scale, state.lower[:, 0], state.upper[:, 0])
        self.history: list[PassedNode] = list(state.history_of(0))
        self.ready: Layers = prepared(self.box, self.history, self.about, self.how)

    def parts(self) -> tuple[Integers, Integers]:
        parts = list(parts_of(self.how.cuts, self.ready.low, self.ready.high))
        low, high = (np.stack([part[side] for part in parts], axis=1) for side in (0, 1))
        return low, high

    def in_words(self, how: ForwardData | None = None) -> Integers:
        words = in_words(self.scale, self.ready, how or self.how)
        assert words is not None
        return rows_in_words(self.scale, words, how or self.how, *self.parts())


@pytest.mark.parametrize("semantics", [Semantics.REAL, Semantics.BINARY32])
@pytest.mark.parametrize("fraction", [12, 30, 33])
@pytest.mark.parametrize("widths", WIDTHS)
def test_words_hold_the_numbers_of_python_integers(
    widths: tuple[int, ...], fraction: int, semantics: Semantics
) -> None:
    for seed in range(2):
        case = Case(chain(seed, *widths), semantics, fraction=fraction)
        expected = property_rows(case.scale, case.ready, case.how, *case.parts())
        found = case.in_words()
        assert found.dtype == object
        assert (found == expected).all()
        assert expected.size


def test_parts_do_not_depend_on_those_beside_them() -> None:
    case = Case(chain(1, 3, 6, 6, 2))
    words = in_words(case.scale, case.ready, case.how)
    assert words is not None
    low, high = case.parts()
    alone = [
        rows_in_words(case.scale, words, case.how, low[:, [place]], high[:, [place]])
        for place in range(low.shape[1])
    ]
    assert (np.concatenate(alone, axis=1) == case.in_words()).all()


def test_numbers_that_may_be_too_long_are_left_to_python_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(chain(0, 2, 5, 4, 3))
    first = case.ready.layers[0]
    assert isinstance(first, Rows)
    long_rest = replace(case.ready, layers=(replace(first, low=first.low - (1 << 120)),))
    assert in_words(case.scale, long_rest, case.how) is None
    assert in_words(case.scale, case.ready, replace(case.how, symbols=False)) is None
    assert in_words(case.scale, case.ready, replace(case.how, slope=40)) is None
    assert in_words(replace(case.scale, center=1 << 70), case.ready, case.how) is None
    heavy = replace(first, positive=first.positive << 40)
    words = in_words(case.scale, replace(case.ready, layers=(heavy, *case.ready.layers[1:])), case.how)
    assert words is not None
    with pytest.raises(TooLong):
        rows_in_words(case.scale, words, case.how, *case.parts())

    expected = least(case.box, case.history, case.about, case.how)

    def too_long(*_: object) -> Integers:
        raise TooLong

    monkeypatch.setattr(forward_parts.forward_words, "property_rows", too_long)
    assert least(case.box, case.history, case.about, case.how) == expected


def test_more_symbols_than_a_sum_holds_are_left_to_python_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(chain(1, 3, 6, 2))
    monkeypatch.setattr("pytest_torchlean.certificate.forward_words._MOST_SYMBOLS", 3)
    with pytest.raises(TooLong):
        case.in_words()
    monkeypatch.setattr("pytest_torchlean.certificate.forward_words._MOST_SYMBOLS", 2)
    words = in_words(case.scale, replace(case.ready, layers=()), case.how)
    assert words is not None
    with pytest.raises(TooLong):
        rows_in_words(case.scale, words, case.how, *case.parts())


def test_what_lean_refuses_is_refused_in_words() -> None:
    case = Case(chain(0, 2, 5, 4, 3))
    words = in_words(case.scale, case.ready, case.how)
    assert words is not None
    low, high = case.parts()
    for scale, how in (
        (replace(case.scale, half=8), case.how),
        (replace(case.scale, center=1 << 33), case.how),
        (case.scale, replace(case.how, fraction=8)),
    ):
        with pytest.raises(Unforeseen):
            property_rows(scale, case.ready, how, low, high)
        with pytest.raises(Unforeseen):
            rows_in_words(scale, words, how, low, high)
