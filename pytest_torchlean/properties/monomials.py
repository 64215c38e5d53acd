"""Monomials of a graph's values as nodes behind it, each once, products of one depth in one node."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from pytest_torchlean.derivatives import Builder
from pytest_torchlean.derivatives.build import LARGEST
from pytest_torchlean.spec.expressions import ExpressionError
from pytest_torchlean.spec.expressions.polynomial import Atom, Called, Monomial, Polynomial

SMOOTH = ("sin", "cos", "exp", "tanh", "sigmoid", "sqrt")


class Monomials:
    """Monomials over elements of values of a graph under construction.

    names: for each name the value that holds it and its place there, flat.
    """

    def __init__(self, builder: Builder, names: Mapping[str, tuple[str, int]]) -> None:
        self._builder = builder
        self._flat: dict[str, str] = {}
        self._found: dict[Monomial, tuple[str, int]] = {}
        for name, (value, place) in names.items():
            self._found[((name, 1),)] = (self._flattened(value), place)

    def vector(self, monomials: Sequence[Monomial]) -> str:
        """A value that holds these, shape (monomials,); none is 1. Raises ExpressionError."""
        self._make(monomials)
        return self._gathered([self._found[one] for one in monomials])

    def _make(self, monomials: Iterable[Monomial]) -> None:
        """Nodes for the monomials, the products of one depth together."""
        depths: dict[Monomial, int] = {}
        for monomial in monomials:
            self._need(monomial, depths)
        for depth in range(1, max(depths.values(), default=0) + 1):
            own = [one for one, at in depths.items() if at == depth]
            left, right = (
                self._gathered([self._found[_factors(one)[side]] for one in own]) for side in (0, 1)
            )
            value = self._builder.multiplied(left, right)
            self._found |= {one: (value, place) for place, one in enumerate(own)}

    def _need(self, monomial: Monomial, depths: dict[Monomial, int]) -> int:
        """How many products lie one above the other in a monomial; 0 where it is there already."""
        if monomial in self._found:
            return 0
        if monomial not in depths:
            if sum(power for _, power in monomial) == 1:
                self._found[monomial] = (self._called(monomial[0][0]), 0)
                return 0
            depths[monomial] = 1 + max(self._need(one, depths) for one in _factors(monomial))
        return depths[monomial]

    def _called(self, atom: Atom) -> str:
        """The value of a function, shape (1,)."""
        assert isinstance(atom, Called)
        own = [self._sum(argument) for argument in atom.arguments]
        op = {"/": "Div", "max": "Max"}.get(atom.function, atom.function.capitalize())
        return self._builder.node(op, own, (1,))

    def _sum(self, polynomial: Polynomial) -> str:
        """The value of a polynomial, shape (1,)."""
        builder = self._builder
        if polynomial.atom is not None:
            return self.vector([((polynomial.atom, 1),)])
        common = math.lcm(*(value.denominator for _, value in polynomial.terms), 1)
        constant = sum((value for monomial, value in polynomial.terms if not monomial), Fraction(0))
        rest = [(monomial, value) for monomial, value in polynomial.terms if monomial]
        total = None
        if rest:
            vector = self.vector([monomial for monomial, _ in rest])
            row = builder.node("Reshape", (vector,), (1, len(rest)), (("shape", (1, len(rest))),))
            weights = [[_single(value * common)] for _, value in rest]
            product = builder.node(
                "MatMul", (row, builder.constant(np.array(weights, dtype=np.float32))), (1, 1)
            )
            total = builder.node("Reshape", (product,), (1,), (("shape", (1,)),))
        if constant or total is None:
            total = builder.added(total, builder.filled(_single(constant * common), (1,)))
        assert total is not None
        if common == 1:
            return total
        return builder.node("Div", (total, builder.filled(_single(Fraction(common)), (1,))), (1,))

    def _gathered(self, places: Sequence[tuple[str, int]]) -> str:
        """Elements of values as one vector."""
        builder = self._builder
        values = list(dict.fromkeys(value for value, _ in places))
        sizes = [builder.shape(value)[0] for value in values]
        starts = dict(zip(values, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
        indices = tuple(starts[value] + place for value, place in places)
        whole = (
            values[0] if len(values) == 1 else builder.node("Concat", values, (sum(sizes),), (("axis", 0),))
        )
        count = len(indices)
        chosen = (("axis", 0), ("indices", indices), ("shape", (count,)))
        return builder.node("Gather", (whole,), (count,), chosen)

    def _flattened(self, value: str) -> str:
        if value not in self._flat:
            size = math.prod(self._builder.shape(value))
            self._flat[value] = self._builder.node("Reshape", (value,), (size,), (("shape", (size,)),))
        return self._flat[value]


def _factors(monomial: Monomial) -> tuple[Monomial, Monomial]:
    """Two monomials whose product this is; the same one twice where it is the square of a power."""
    if len(monomial) > 1:
        return monomial[:1], monomial[1:]
    ((atom, power),) = monomial
    if power % 2 == 0:
        return ((atom, power // 2),), ((atom, power // 2),)
    return ((atom, 1),), ((atom, power - 1),)


def _single(value: Fraction) -> float:
    """An integer that is a binary32 number. Raises ExpressionError for another one."""
    if abs(value) > LARGEST or Fraction(float(np.float32(float(value)))) != value:
        raise ExpressionError("a number inside a function or a quotient has more than 24 bits", 0)
    return float(value)
