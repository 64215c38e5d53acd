"""Expressions as polynomials of names and of smooth functions, terms that cancel gone, and their derivatives.

What a step adds to a Lyapunov function is a difference in which most cancels: bounds of its terms say
something only once they are collected. Beyond MOST_TERMS terms an expression is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from pytest_torchlean.spec.expressions.evaluate import evaluate
from pytest_torchlean.spec.expressions.syntax import Apply, Expression, ExpressionError, Number

MOST_TERMS = 1000
MOST_DEGREE = 32


@dataclass(frozen=True)
class Polynomial:
    """The sum of coefficient * monomial; no coefficient is 0, and no monomial stands twice."""

    terms: tuple[tuple[Monomial, Fraction], ...] = ()

    @property
    def constant(self) -> Fraction | None:
        """The number that it is; None where it varies."""
        if not self.terms:
            return Fraction(0)
        monomial, value = self.terms[0]
        return value if len(self.terms) == 1 and not monomial else None

    @property
    def atom(self) -> Atom | None:
        """The name or the function that it is; None where it is more."""
        if len(self.terms) != 1 or self.terms[0][1] != 1:
            return None
        monomial = self.terms[0][0]
        return monomial[0][0] if len(monomial) == 1 and monomial[0][1] == 1 else None


@dataclass(frozen=True)
class Called:
    """A function of polynomials: a smooth one, `/`, or `max`."""

    function: str
    arguments: tuple[Polynomial, ...]


Atom = str | Called
Monomial = tuple[tuple[Atom, int], ...]
"""Atoms with their powers, all positive, in a fixed order; empty for 1."""


def variable(name: str) -> Polynomial:
    """A name as a polynomial."""
    return _atom(name)


def polynomial(expression: Expression, values: Mapping[str, Polynomial]) -> Polynomial:
    """The expression with these in the places of its names. Raises ExpressionError."""
    return evaluate(expression, values, Polynomials())


def partial_in(expression: Expression) -> Iterator[Apply]:
    """The roots and the quotients in an expression: they have no value everywhere."""
    if isinstance(expression, Apply):
        last = expression.arguments[-1]
        inverse = expression.function == "^" and isinstance(last, Number) and last.value < 0
        if expression.function in ("/", "sqrt") or inverse:
            yield expression
        for argument in expression.arguments:
            yield from partial_in(argument)


class Polynomials:
    """The arithmetic of polynomials."""

    def number(self, value: Fraction) -> Polynomial:
        """A constant."""
        return _collected({(): value})

    def add(self, left: Polynomial, right: Polynomial) -> Polynomial:
        """left + right"""
        found = dict(left.terms)
        for monomial, value in right.terms:
            found[monomial] = found.get(monomial, Fraction(0)) + value
        return _collected(found)

    def scale(self, factor: Fraction, value: Polynomial) -> Polynomial:
        """factor * value"""
        return _collected({monomial: factor * own for monomial, own in value.terms})

    def multiply(self, left: Polynomial, right: Polynomial, at: int) -> Polynomial:
        """left * right, every pair of terms."""
        found: dict[Monomial, Fraction] = {}
        if len(left.terms) * len(right.terms) > MOST_TERMS**2 // 10:
            raise _too_long(at)
        for one, first in left.terms:
            for other, second in right.terms:
                both = _product(one, other, at)
                found[both] = found.get(both, Fraction(0)) + first * second
        return _collected(found, at)

    def divide(self, left: Polynomial, right: Polynomial, at: int) -> Polynomial:
        """left / right, a function of both where right varies."""
        known = right.constant
        if known == 0:
            raise ExpressionError("division by zero", at)
        if known is not None:
            return self.scale(1 / known, left)
        return _atom(Called("/", (left, right)))

    def maximum(self, left: Polynomial, right: Polynomial) -> Polynomial:
        """The larger one."""
        if left == right:
            return left
        if left.constant is not None and right.constant is not None:
            return self.number(max(left.constant, right.constant))
        return _atom(Called("max", (left, right)))

    def call(self, function: str, value: Polynomial, at: int) -> Polynomial:
        """A smooth function of one argument."""
        return _atom(Called(function, (value,)))


def derivative(of: Polynomial, name: str) -> Polynomial:
    """The derivative along a name. Raises ExpressionError where a function has none."""
    own = Polynomials()
    found = Polynomial()
    for monomial, value in of.terms:
        for place, (atom, power) in enumerate(monomial):
            inner = _along(atom, name)
            if not inner.terms:
                continue
            lowered = ((atom, power - 1),) if power > 1 else ()
            rest = (*monomial[:place], *lowered, *monomial[place + 1 :])
            outer = Polynomial(((rest, value * power),))
            found = own.add(found, own.multiply(outer, inner, 0))
    return found


def _along(atom: Atom, name: str) -> Polynomial:
    own = Polynomials()
    if isinstance(atom, str):
        return own.number(Fraction(1)) if atom == name else Polynomial()
    inner = [derivative(argument, name) for argument in atom.arguments]
    if not any(one.terms for one in inner):
        return Polynomial()
    argument, value, one = atom.arguments[0], _atom(atom), own.number(Fraction(1))
    minus = Fraction(-1)
    if atom.function == "/":
        # (f/g)' = f'/g - (f/g) g'/g
        divisor = atom.arguments[1]
        second = own.multiply(value, inner[1], 0)
        return own.divide(own.add(inner[0], own.scale(minus, second)), divisor, 0)
    match atom.function:
        case "sin":
            outer = own.call("cos", argument, 0)
        case "cos":
            outer = own.scale(minus, own.call("sin", argument, 0))
        case "exp":
            outer = value
        case "tanh":
            outer = own.add(one, own.scale(minus, own.multiply(value, value, 0)))
        case "sigmoid":
            outer = own.add(value, own.scale(minus, own.multiply(value, value, 0)))
        case "sqrt":
            outer = own.divide(one, own.scale(Fraction(2), value), 0)
        case _:
            raise ExpressionError(f"`{atom.function}` has no derivative everywhere", 0)
    return own.multiply(outer, inner[0], 0)


def written(monomial: Monomial) -> str:
    """A monomial as a person would write it."""
    parts = [_written(atom) + (f"^{power}" if power > 1 else "") for atom, power in monomial]
    return "*".join(parts) or "1"


def _written(atom: Atom) -> str:
    if isinstance(atom, str):
        return atom
    inside = [_sum(argument) for argument in atom.arguments]
    return f"({inside[0]})/({inside[1]})" if atom.function == "/" else f"{atom.function}({', '.join(inside)})"


def _sum(one: Polynomial) -> str:
    text = ""
    for monomial, value in one.terms:
        size = "" if abs(value) == 1 and monomial else str(abs(value))
        term = "*".join(part for part in (size, written(monomial) if monomial else "") if part)
        text += (" - " if value < 0 else " + ") + term if text else ("-" if value < 0 else "") + term
    return text or "0"


def _atom(atom: Atom) -> Polynomial:
    return Polynomial(((((atom, 1),), Fraction(1)),))


def _product(one: Monomial, other: Monomial, at: int) -> Monomial:
    powers = dict(one)
    for atom, power in other:
        powers[atom] = powers.get(atom, 0) + power
    if sum(powers.values()) > MOST_DEGREE:
        raise ExpressionError(f"it multiplies out to a degree above {MOST_DEGREE}", at)
    return tuple(sorted(powers.items(), key=_order))


def _order(pair: tuple[Atom, int]) -> tuple[bool, str]:
    return isinstance(pair[0], Called), _written(pair[0])


def _collected(terms: Mapping[Monomial, Fraction], at: int = 0) -> Polynomial:
    kept = [(monomial, value) for monomial, value in terms.items() if value]
    if len(kept) > MOST_TERMS:
        raise _too_long(at)
    return Polynomial(tuple(sorted(kept, key=lambda term: [(*_order(pair), pair[1]) for pair in term[0]])))


def _too_long(at: int) -> ExpressionError:
    return ExpressionError(f"it multiplies out to more than {MOST_TERMS} terms", at)
