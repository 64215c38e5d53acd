"""The derived bounds hold for every schedule tried, and are small enough to say no."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.binary32 import error_bounds, ulp
from pytest_torchlean.ir.graph import Node
from pytest_torchlean.ops import RULES

U = Fraction(1, 2**24)

dices = st.randoms(use_true_random=False)
numbers = st.one_of(
    st.integers(-(2**24), 2**24).map(lambda m: np.float32(m * 2.0**-12)),
    st.builds(lambda m, e: np.float32(m * 2.0**e), st.integers(-(2**24), 2**24), st.integers(-149, 30)),
    st.integers(0, 2**22).map(ulp.from_bits),
    st.just(np.float32(0.0)),
)


def rounded(value: Fraction) -> Fraction:
    return ulp.exact(ulp.round_nearest(value))


def any_schedule(pairs: list[tuple[Fraction, Fraction]], bias: Fraction, dice: random.Random) -> Fraction:
    """A random order, random tree, with or without fused multiply-add, from rounded or exact products."""
    terms: list[tuple[str, Fraction, Fraction]] = [("pair", a, b) for a, b in pairs]
    terms.append(("value", bias, Fraction(1)))
    dice.shuffle(terms)
    while len(terms) > 1:
        left = terms.pop(dice.randrange(len(terms)))
        right = terms.pop(dice.randrange(len(terms)))
        if right[0] == "pair" and dice.random() < 0.5:
            first = left[1] if left[0] == "value" else rounded(left[1] * left[2])
            total = rounded(first + right[1] * right[2])
        else:
            values = [term[1] if term[0] == "value" else rounded(term[1] * term[2]) for term in (left, right)]
            total = rounded(values[0] + values[1])
        terms.insert(dice.randrange(len(terms) + 1), ("value", total, Fraction(1)))
    kind, a, b = terms[0]
    return a if kind == "value" else rounded(a * b)


@given(
    st.lists(st.tuples(numbers, numbers), min_size=1, max_size=12), numbers, st.randoms(use_true_random=False)
)
@settings(deadline=None, max_examples=200)
def test_every_schedule_of_a_dot_product_stays_within_its_bound(pairs, bias, dice) -> None:
    exact = [(ulp.exact(a), ulp.exact(b)) for a, b in pairs]
    value = sum((a * b for a, b in exact), Fraction(0)) + ulp.exact(bias)
    magnitude = sum(abs(float(a) * float(b)) for a, b in pairs) + abs(float(bias))
    count = sum(1 for a, b in exact if a * b) + (bias != 0)
    bound = error_bounds.dot_bound(np.array(magnitude), int(count))
    for _ in range(4):
        result = any_schedule(exact, ulp.exact(bias), dice)
        assert abs(result - value) <= Fraction(float(bound))


@given(st.lists(numbers, min_size=1, max_size=16), dices, st.booleans())
@settings(deadline=None, max_examples=200)
def test_every_schedule_of_a_mean_stays_within_its_bound(terms, dice, reciprocal) -> None:
    exact = [ulp.exact(x) for x in terms]
    divisor = len(exact)
    total = any_schedule([(x, Fraction(1)) for x in exact], Fraction(0), dice)
    result = rounded(total * rounded(Fraction(1, divisor))) if reciprocal else rounded(total / divisor)
    magnitude = np.array(sum(abs(float(x)) for x in terms))
    bound = error_bounds.mean_bound(magnitude, divisor, divisor)
    assert abs(result - sum(exact, Fraction(0)) / divisor) <= Fraction(float(bound))


@given(st.integers(0, 2**21))
def test_gamma_is_rounded_upwards_by_little(n: int) -> None:
    exact = n * U / (1 - n * U)
    got = Fraction(float(error_bounds.gamma(n)))
    assert exact <= got <= exact * (1 + Fraction(1, 2**40))


def test_bounds_are_infinite_where_nothing_can_be_said() -> None:
    assert error_bounds.gamma(2**22) == np.inf
    assert error_bounds.dot_bound(np.array(3.5e38), 2) == np.inf
    assert error_bounds.dot_bound(np.array(np.nan), 2) == np.inf
    assert error_bounds.dot_bound(np.array(np.inf), 2) == np.inf
    assert error_bounds.mean_bound(np.array(1e39), 4, 4) == np.inf


def test_bounds_are_zero_or_small_where_they_should_be() -> None:
    assert error_bounds.dot_bound(np.array(0.0), 0) == 0.0
    assert error_bounds.dot_bound(np.array(1.0), 1) < 1.0001 * 2.0**-24
    wrong_weight = 1.0 + 2.0**-20
    assert abs(wrong_weight - 1.0) > error_bounds.dot_bound(np.array(1.0), 1)


@pytest.mark.parametrize("count", [1, 100, 4096])
def test_a_dot_bound_is_close_to_the_theory(count: int) -> None:
    got = float(error_bounds.dot_bound(np.array(1.0), count))
    theory = count * 2.0**-24 / (1 - count * 2.0**-24)
    assert theory <= got <= theory * (1 + 1e-6)


def root(value: Fraction) -> Fraction:
    """Square root of a positive number within a relative 2^-190."""
    shift = 400 + 2 * max(0, value.denominator.bit_length())
    return Fraction(math.isqrt((value.numerator << shift) // value.denominator), 1 << (shift // 2))


moderate = st.builds(lambda m, e: np.float32(m * 2.0**e), st.integers(-(2**24), 2**24), st.integers(-60, 0))


@given(moderate, moderate, moderate, moderate, moderate.filter(lambda v: v >= 0), st.integers(0, 3))
@settings(deadline=None, max_examples=400)
def test_every_form_of_batch_normalization_is_within_its_bound(x, scale, bias, mean, variance, form) -> None:
    epsilon = np.float32(1e-5)
    node = Node("BatchNormalization", ("x", "s", "b", "m", "v"), ("y",), (("epsilon", float(epsilon)),))
    operands = [x.reshape(1, 1), *(value.reshape(1) for value in (scale, bias, mean, variance))]
    rule = RULES["BatchNormalization"]
    (own,) = rule.evaluate(node, operands)
    (bound,) = rule.error_bound(node, operands)
    ex, es, eb, em, ev, ee = (ulp.exact(value) for value in (x, scale, bias, mean, variance, epsilon))
    value = (ex - em) * es / root(ev + ee) + eb
    spread = rounded(root(rounded(ev + ee)))
    factor = rounded(es / spread) if form % 2 else rounded(es * rounded(1 / spread))
    if form < 2:
        result = rounded(rounded(rounded(ex - em) * factor) + eb)
    else:
        result = rounded(rounded(ex * factor) + rounded(eb - rounded(em * factor)))
    for got in (result, Fraction(float(own[0, 0]))):
        assert abs(got - value) <= Fraction(float(bound[0, 0]))
    if form == 1:
        assert result == Fraction(float(own[0, 0]))
