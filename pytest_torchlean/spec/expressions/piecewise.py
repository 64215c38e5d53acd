"""Expressions that are maxima of minima of linear functions, exactly; comparisons of them are cases of atoms.

Sums, constant factors, max, min, abs and relu lead to such a form. Its size is bounded: beyond MOST_LINEAR
linear functions it is refused, never worked on without end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from pytest_torchlean.spec.expressions.evaluate import evaluate
from pytest_torchlean.spec.expressions.syntax import Expression, ExpressionError

MOST_LINEAR = 4096


@dataclass(frozen=True)
class Linear:
    """constant + sum of coefficient * variable; terms in the order of names, none with coefficient 0."""

    constant: Fraction
    terms: tuple[tuple[str, Fraction], ...] = ()

    def plus(self, other: Linear) -> Linear:
        """The sum."""
        found = dict(self.terms)
        for name, value in other.terms:
            found[name] = found.get(name, Fraction(0)) + value
        terms = tuple(sorted((name, value) for name, value in found.items() if value))
        return Linear(self.constant + other.constant, terms)

    def times(self, factor: Fraction) -> Linear:
        """The multiple by a number."""
        terms = tuple((name, factor * value) for name, value in self.terms) if factor else ()
        return Linear(factor * self.constant, terms)


@dataclass(frozen=True)
class Piecewise:
    """The largest of the groups' values, each the smallest of its linear functions."""

    groups: tuple[tuple[Linear, ...], ...]

    @property
    def single(self) -> Linear | None:
        """The linear function that it is; None where it bends."""
        return self.groups[0][0] if len(self.groups) == 1 and len(self.groups[0]) == 1 else None


class Pieces:
    """The arithmetic of piecewise linear functions."""

    def number(self, value: Fraction) -> Piecewise:
        """A constant function."""
        return Piecewise(((Linear(value),),))

    def add(self, left: Piecewise, right: Piecewise) -> Piecewise:
        """The sum: every pair of groups, and in it every pair of functions."""
        _require(sum(map(len, left.groups)) * sum(map(len, right.groups)))
        return _simple(
            tuple(one.plus(other) for one in first for other in second)
            for first in left.groups
            for second in right.groups
        )

    def scale(self, factor: Fraction, value: Piecewise) -> Piecewise:
        """The multiple by a number; a negative one turns maxima into minima."""
        if factor >= 0:
            return _simple(tuple(one.times(factor) for one in group) for group in value.groups)
        _require(len(value.groups) * prod(map(len, value.groups)))
        return _simple(tuple(one.times(factor) for one in choice) for choice in product(*value.groups))

    def multiply(self, left: Piecewise, right: Piecewise, at: int) -> Piecewise:
        """Raises ExpressionError unless one is constant."""
        for one, other in ((left, right), (right, left)):
            known = one.single
            if known is not None and not known.terms:
                return self.scale(known.constant, other)
        raise ExpressionError("a product of two unknowns is not piecewise linear", at)

    def divide(self, left: Piecewise, right: Piecewise, at: int) -> Piecewise:
        """Raises ExpressionError unless the divisor is constant."""
        known = right.single
        if known is None or known.terms:
            raise ExpressionError("a division by an unknown is not piecewise linear", at)
        if known.constant == 0:
            raise ExpressionError("division by zero", at)
        return self.scale(1 / known.constant, left)

    def maximum(self, left: Piecewise, right: Piecewise) -> Piecewise:
        """The larger one."""
        _require(len(left.groups) + len(right.groups))
        return _simple((*left.groups, *right.groups))

    def call(self, function: str, value: Piecewise, at: int) -> Piecewise:
        """Always raises ExpressionError."""
        raise ExpressionError(f"`{function}` is not piecewise linear", at)


def pieces(expression: Expression, values: Mapping[str, Piecewise]) -> Piecewise:
    """The expression as a piecewise linear function. Raises ExpressionError."""
    return evaluate(expression, values, Pieces())


def variable(name: str) -> Piecewise:
    """A variable as a function."""
    return Piecewise(((Linear(Fraction(0), ((name, Fraction(1)),)),),))


def _require(size: int) -> None:
    if size > MOST_LINEAR:
        raise ExpressionError(f"max, min and abs lead to more than {MOST_LINEAR} linear functions", 0)


def _simple(groups: Iterable[tuple[Linear, ...]]) -> Piecewise:
    """Without functions and groups that change nothing: of parallel functions the lowest counts, and a group
    that contains another one is never the larger."""
    lowest: dict[frozenset[Linear], None] = {}
    for group in groups:
        least: dict[tuple[tuple[str, Fraction], ...], Linear] = {}
        for one in group:
            known = least.get(one.terms)
            if known is None or one.constant < known.constant:
                least[one.terms] = one
        lowest[frozenset(least.values())] = None
    kept: list[frozenset[Linear]] = []
    for group_set in sorted(lowest, key=len):
        if not any(smaller <= group_set for smaller in kept):
            kept.append(group_set)
    order = [group_set for group_set in lowest if group_set in set(kept)]
    return Piecewise(tuple(tuple(sorted(group_set, key=_key)) for group_set in order))


def _key(one: Linear) -> tuple[object, ...]:
    return (one.terms, one.constant)
