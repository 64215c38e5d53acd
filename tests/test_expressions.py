"""Expressions of a spec: what they mean, and where a mistake in one is shown."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.spec.expressions import (
    Exact,
    ExpressionError,
    evaluate,
    names_in,
    read_expression,
    read_inequality,
)
from pytest_torchlean.spec.expressions.piecewise import pieces, variable
from pytest_torchlean.spec.expressions.syntax import FUNCTIONS, MOST_CHARACTERS

NAMES = ("x", "y", "u")


def value(text: str, **values: Any) -> Fraction:
    return evaluate(read_expression(text), {name: Fraction(given) for name, given in values.items()}, Exact())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2*3", 7),
        ("8 - 4 - 2", 2),
        ("8 / 4 / 2", 1),
        ("-2^2", -4),
        ("(-2)^2", 4),
        ("2^-2", Fraction(1, 4)),
        ("2*-3", -6),
        ("- - 3", 3),
        ("0.1", Fraction(1, 10)),
        ("1e-3", Fraction(1, 1000)),
        ("0x1.8p-1", Fraction(3, 4)),
        ("1/3", Fraction(1, 3)),
        ("max(1, 2, -3) - min(4, 5)", -2),
        ("abs(-7/2) + relu(-1)", Fraction(7, 2)),
        ("x*y - x/y", Fraction(9, 2)),
        ("x^0", 1),
    ],
)
def test_values_are_exact(text: str, expected: Any) -> None:
    assert value(text, x=3, y=2) == expected


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("", 0, "is expected, not the end"),
        ("2x", 1, "an operator"),
        ("x +", 3, "not the end"),
        ("(x + 1", 6, "`)` is expected"),
        ("x ** 2", 2, "an operator"),
        ("x = 1", 2, "an operator"),
        ("x^y", 2, "an exponent is an integer"),
        ("x^99", 2, "at most 64"),
        ("x^2^3", 3, "needs parentheses"),
        ("foo(x)", 0, "is not a function"),
        ("sin", 0, "is a function"),
        ("sin(x, y)", 0, "takes 1 argument"),
        ("__import__('os')", 0, "is not a function"),
        ("x.real", 1, "cannot stand"),
        ("x; y", 1, "cannot stand"),
        ("x[0]", 1, "cannot stand"),
        ("1e9999", 0, "too large"),
        ("9" * 500, 0, "too many digits"),
        ("(" * 100 + "x" + ")" * 100, 61, "nested deeper"),
        ("-" * 100 + "x", 61, "too many signs"),
        ("+".join(["x"] * 200), 239, "in a row"),
        ("x" * (MOST_CHARACTERS + 1), MOST_CHARACTERS, "longer"),
        ("é", 0, "cannot stand"),
        ("x " + "\x00", 2, "cannot stand"),
    ],
)
def test_a_mistake_is_placed(text: str, at: int, words: str) -> None:
    with pytest.raises(ExpressionError, match=words.replace("(", r"\(").replace(")", r"\)")) as raised:
        read_expression(text)
    assert raised.value.at == at


@pytest.mark.parametrize("text", ["1/0", "x/(1 - 1)", "0^-1", "1/(x - x)"])
def test_nothing_is_divided_by_zero(text: str) -> None:
    with pytest.raises(ExpressionError, match="division by zero"):
        value(text, x=2)


def test_inequalities_are_differences() -> None:
    assert evaluate(read_inequality("x + 1 <= 2*y"), {"x": Fraction(3), "y": Fraction(5)}, Exact()) == -6
    assert evaluate(read_inequality("x >= 4"), {"x": Fraction(3)}, Exact()) == 1
    for text in ("x + 1", "x < 1", "x <= 1 <= 2", "x == 1"):
        with pytest.raises(ExpressionError):
            read_inequality(text)


def test_names_and_their_places() -> None:
    assert names_in(read_expression("x + max(y, x)*u")) == {"x": 0, "y": 8, "u": 14}
    with pytest.raises(ExpressionError, match="`z` is not known here"):
        value("x + z", x=1)


numbers = st.fractions(-3, 3, max_denominator=8)


@st.composite
def piecewise_texts(draw: Any, depth: int = 3) -> str:
    """A piecewise linear expression."""
    kind = draw(st.sampled_from(["name", "number", "+", "-", "*", "max", "min", "abs", "relu", "neg"]))
    if depth == 0 or kind in ("name", "number"):
        return draw(st.sampled_from(NAMES)) if kind != "number" else f"({draw(numbers)})"
    one = draw(piecewise_texts(depth - 1))
    if kind in ("abs", "relu"):
        return f"{kind}({one})"
    if kind == "neg":
        return f"-({one})"
    if kind == "*":
        return f"({draw(numbers)})*({one})"
    other = draw(piecewise_texts(depth - 1))
    return f"({one}) {kind} ({other})" if kind in "+-" else f"{kind}({one}, {other})"


@given(piecewise_texts(), st.tuples(numbers, numbers, numbers))
@settings(max_examples=150, deadline=None)
def test_pieces_have_the_same_values(text: str, point: tuple[Fraction, ...]) -> None:
    values = dict(zip(NAMES, point, strict=True))
    tree = read_expression(text)
    try:
        found = pieces(tree, {name: variable(name) for name in NAMES})
    except ExpressionError:
        return
    groups = [
        [one.constant + sum(factor * values[name] for name, factor in one.terms) for one in group]
        for group in found.groups
    ]
    assert max(map(min, groups)) == evaluate(tree, values, Exact())


@pytest.mark.parametrize("text", ["x*y", "x/y", "x^2", "sin(x)", "1/x", "exp(x)", "tanh(x)"])
def test_what_bends_smoothly_is_no_piece(text: str) -> None:
    with pytest.raises(ExpressionError, match="piecewise linear"):
        pieces(read_expression(text), {name: variable(name) for name in NAMES})


def test_pieces_that_add_nothing_are_dropped() -> None:
    names = {name: variable(name) for name in NAMES}
    assert len(pieces(read_expression("max(x, y, min(x, u))"), names).groups) == 2
    assert len(pieces(read_expression("min(x, x + 1)"), names).groups[0]) == 1


def test_too_many_pieces_are_refused() -> None:
    text = " + ".join(f"abs(x + {3**k}*y)" for k in range(16))
    with pytest.raises(ExpressionError, match="linear functions"):
        pieces(read_expression(text), {name: variable(name) for name in NAMES})


def test_every_function_has_a_meaning() -> None:
    """Exact where it is one, and a clean refusal where not."""
    smooth = {"cos", "exp", "sigmoid", "sin", "sqrt", "tanh"}
    for name in FUNCTIONS:
        if name not in smooth:
            assert value(f"{name}(2)") == 2
            continue
        with pytest.raises(ExpressionError, match="no exact value"):
            value(f"{name}(2)")
