"""Expressions of a VNN-LIB 1.0 file -> declared variables and formulas of linear inequalities, exact."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from pytest_torchlean.spec import exact
from pytest_torchlean.spec.context import did_you_mean
from pytest_torchlean.spec.tree import shorten
from pytest_torchlean.spec.vnnlib.source import Expression, Group, Source, Word

MAX_BITS = 8192
"""Bits of a numerator or denominator that arithmetic on constants may lead to."""
MAX_INDEX = 10**8

COMMANDS = ("declare-const", "declare-fun", "assert")
_IGNORED = ("set-logic", "set-info", "set-option")
_RELATIONS = ("<=", ">=", "<", ">", "=")
_CONNECTIVES = ("and", "or")
_ARITHMETIC = ("+", "-", "*", "/")
_VARIABLE = re.compile(r"([XY])_(0|[1-9]\d{0,8})", re.ASCII)
_NUMBER = re.compile(r"[+-]?[\d.].*", re.ASCII | re.DOTALL)

Variable = tuple[str, int]
"""`X` or `Y`, and its number."""


@dataclass(frozen=True)
class Atom:
    """inputs . X + outputs . Y + constant <= 0, or < 0 where strict; pairs of a number and a coefficient."""

    inputs: tuple[tuple[int, Fraction], ...]
    outputs: tuple[tuple[int, Fraction], ...]
    constant: Fraction
    strict: bool


class Both(NamedTuple):
    """All parts hold."""

    parts: tuple[Formula, ...]
    at: int


class Either(NamedTuple):
    """At least one part holds."""

    parts: tuple[Formula, ...]
    at: int


Formula = Atom | Both | Either


@dataclass(frozen=True)
class Script:
    """What a file declares and asserts: how many X and Y, the place of each X, formulas with their places."""

    inputs: int
    outputs: int
    places: tuple[int, ...]
    asserted: tuple[tuple[Formula, int], ...]


class _Linear(NamedTuple):
    terms: Mapping[Variable, Fraction]
    constant: Fraction


def interpret(source: Source, commands: tuple[Group, ...]) -> Script:
    """The meaning of a file's commands. Raises SpecError TL0308, TL0322 to TL0324, TL0326."""
    reader = _Reader(source)
    asserted = []
    for command in commands:
        name = command.items[0] if command.items else command
        if not isinstance(name, Word):
            raise source.error_at("TL0322", "a command must start with a word", name, fix=_COMMANDS_FIX)
        if name.text in _IGNORED:
            continue
        if name.text not in COMMANDS:
            hint = did_you_mean(name.text, COMMANDS)
            message = f"the command `{shorten(name.text)}` is not supported"
            raise source.error_at("TL0322", message, name, fix=f"{hint}{_COMMANDS_FIX}")
        if name.text != "assert":
            reader.declare(command)
        elif len(command.items) != 2:
            raise source.error_at("TL0322", "`assert` takes one formula", name, fix=_ASSERT_FIX)
        else:
            asserted.append((reader.formula(command.items[1]), command.at))
    inputs, outputs = reader.count("X"), reader.count("Y")
    places = tuple(reader.declared["X", number] for number in range(inputs))
    return Script(inputs, outputs, places, tuple(asserted))


_COMMANDS_FIX = "a property is written with `declare-const` and `assert`"
_ASSERT_FIX = "write e.g. `(assert (<= Y_0 Y_1))`, and several formulas as `(and ...)`"
_FORMULA_FIX = "a formula is `and`, `or`, or a comparison by <=, >=, <, > or ="
_TERM_FIX = "a term is a number, X_i, Y_j, or made of them by +, -, * and /"


class _Reader:
    """Variables declared so far, and the meaning of expressions over them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.declared: dict[Variable, int] = {}
        self._numbers: dict[str, Fraction] = {}

    def declare(self, command: Group) -> None:
        """`(declare-const X_0 Real)` or `(declare-fun X_0 () Real)`."""
        items = command.items
        function = items[0] == Word("declare-fun", items[0].at)
        shape = len(items) == (4 if function else 3)
        if not shape or (function and not (isinstance(items[2], Group) and not items[2].items)):
            fix = "write e.g. `(declare-const X_0 Real)`"
            raise self._source.error_at("TL0322", "a declaration of another form", items[0], fix=fix)
        name, sort = items[1], items[-1]
        match = _VARIABLE.fullmatch(name.text) if isinstance(name, Word) else None
        if match is None or not isinstance(name, Word):
            shown = f"`{shorten(name.text)}`" if isinstance(name, Word) else "a list"
            raise self._source.error_at(
                "TL0323",
                f"{shown} names neither an input nor an output",
                name,
                fix="inputs are X_0, X_1, ... and outputs Y_0, Y_1, ..., row-major",
            )
        if not isinstance(sort, Word) or sort.text != "Real":
            shown = f"`{shorten(sort.text)}`" if isinstance(sort, Word) else "a list"
            fix = "declare it as Real"
            raise self._source.error_at(
                "TL0323", f"{name.text} is declared as {shown}, not as Real", sort, fix=fix
            )
        variable = (match[1], int(match[2]))
        if variable in self.declared:
            fix = "remove one of the declarations"
            raise self._source.error_at("TL0323", f"{name.text} is declared twice", name, fix=fix)
        self.declared[variable] = name.at

    def count(self, kind: str) -> int:
        """How many variables of a kind there are. Raises SpecError TL0323 where a number is left out."""
        numbers = sorted(number for found, number in self.declared if found == kind)
        if not numbers:
            what = "input" if kind == "X" else "output"
            fix = f"declare them: `(declare-const {kind}_0 Real)`"
            raise self._source.error("TL0323", f"the file declares no {what} {kind}_0", 0, fix=fix)
        for expected, number in enumerate(numbers):
            if number != expected:
                at = self.declared[kind, number]
                message = f"{kind}_{number} is declared, but {kind}_{expected} is not"
                raise self._source.error(
                    "TL0323", message, at, length=len(f"{kind}_{number}"), fix="declare every element once"
                )
        return len(numbers)

    def formula(self, place: Expression) -> Formula:
        if not isinstance(place, Group) or not place.items or not isinstance(place.items[0], Word):
            what = f"`{shorten(place.text)}` is" if isinstance(place, Word) else "this list is"
            raise self._source.error_at("TL0322", f"{what} no formula", place, fix=_FORMULA_FIX)
        head, *rest = place.items
        assert isinstance(head, Word)
        if head.text in _CONNECTIVES:
            if not rest:
                raise self._source.error_at(
                    "TL0322", f"`{head.text}` needs at least one formula", head, fix=_FORMULA_FIX
                )
            parts = tuple(self.formula(part) for part in rest)
            return (Both if head.text == "and" else Either)(parts, place.at)
        if head.text in _RELATIONS:
            if len(rest) < 2:
                raise self._source.error_at(
                    "TL0322", f"`{head.text}` compares two terms", head, fix="give it two terms"
                )
            sides = [self._linear(part) for part in rest]
            atoms = tuple(
                atom
                for left, right in pairwise(sides)
                for atom in self._compare(head.text, left, right, place)
            )
            return atoms[0] if len(atoms) == 1 else Both(atoms, place.at)
        hint = did_you_mean(head.text, (*_CONNECTIVES, *_RELATIONS))
        message = f"`{shorten(head.text)}` is not supported in a formula"
        raise self._source.error_at("TL0322", message, head, fix=f"{hint}{_FORMULA_FIX}")

    def _compare(self, relation: str, left: _Linear, right: _Linear, place: Group) -> Iterator[Atom]:
        if relation in ("<=", "<", "="):
            yield self._atom(self._sum((left, self._scaled(right, Fraction(-1))), place), relation == "<")
        if relation in (">=", ">", "="):
            yield self._atom(self._sum((right, self._scaled(left, Fraction(-1))), place), relation == ">")

    @staticmethod
    def _atom(form: _Linear, strict: bool) -> Atom:
        kept = sorted((variable, value) for variable, value in form.terms.items() if value)
        inputs = tuple((number, value) for (kind, number), value in kept if kind == "X")
        outputs = tuple((number, value) for (kind, number), value in kept if kind == "Y")
        return Atom(inputs, outputs, form.constant, strict)

    def _linear(self, place: Expression) -> _Linear:
        if isinstance(place, Word):
            return self._leaf(place)
        if not place.items or not isinstance(place.items[0], Word):
            raise self._source.error_at("TL0322", "this list is no term", place, fix=_TERM_FIX)
        head, *rest = place.items
        assert isinstance(head, Word)
        if head.text not in _ARITHMETIC:
            hint = did_you_mean(head.text, _ARITHMETIC)
            message = f"`{shorten(head.text)}` is not supported in a term"
            raise self._source.error_at("TL0322", message, head, fix=f"{hint}{_TERM_FIX}")
        if not rest or (head.text == "/" and len(rest) < 2):
            raise self._source.error_at("TL0322", f"`{head.text}` needs more terms", head, fix=_TERM_FIX)
        parts = [self._linear(part) for part in rest]
        if head.text == "+":
            return self._sum(parts, place)
        if head.text == "-":
            negated = [self._scaled(part, Fraction(-1)) for part in parts]
            return negated[0] if len(parts) == 1 else self._sum((parts[0], *negated[1:]), place)
        return self._product(parts, place) if head.text == "*" else self._quotient(parts, place, rest)

    def _leaf(self, word: Word) -> _Linear:
        match = _VARIABLE.fullmatch(word.text)
        if match is not None:
            variable = (match[1], int(match[2]))
            if variable not in self.declared:
                fix = f"add `(declare-const {word.text} Real)` above, or correct the name"
                raise self._source.error_at("TL0323", f"{word.text} is not declared", word, fix=fix)
            return _Linear({variable: Fraction(1)}, Fraction(0))
        if _NUMBER.fullmatch(word.text):
            return _Linear({}, self._number(word))
        message = f"`{shorten(word.text)}` is neither a declared variable nor a number"
        raise self._source.error_at("TL0323", message, word, fix=_TERM_FIX)

    def _number(self, word: Word) -> Fraction:
        """A numeral, a decimal or scientific notation, exactly."""
        if word.text not in self._numbers:
            try:
                if "/" in word.text or "x" in word.text.lower():
                    raise ValueError("it is neither a decimal nor in scientific notation")
                self._numbers[word.text] = exact.number(word.text)
            except ValueError as error:
                message = f"`{shorten(word.text)}` is not a number: {error}"
                fix = "write a decimal (0.1) or scientific notation (1e-3)"
                raise self._source.error_at("TL0308", message, word, fix=fix) from None
        return self._numbers[word.text]

    @staticmethod
    def _scaled(form: _Linear, factor: Fraction) -> _Linear:
        return _Linear({key: factor * value for key, value in form.terms.items()}, factor * form.constant)

    def _sum(self, parts: list[_Linear] | tuple[_Linear, ...], place: Group) -> _Linear:
        terms = dict(parts[0].terms)
        constant = parts[0].constant
        for part in parts[1:]:
            for key, value in part.terms.items():
                terms[key] = self._bounded(terms[key] + value, place) if key in terms else value
            constant = self._bounded(constant + part.constant, place)
        return _Linear(terms, constant)

    def _product(self, parts: list[_Linear], place: Group) -> _Linear:
        varying = [part for part in parts if any(part.terms.values())]
        if len(varying) > 1:
            raise self._source.error_at(
                "TL0324",
                "a product of two terms with variables is not linear",
                place,
                fix="in a product all factors but one must be numbers",
            )
        factor = Fraction(1)
        for part in parts:
            if not varying or part is not varying[0]:
                factor = self._bounded(factor * part.constant, place)
        return self._checked(self._scaled(varying[0] if varying else _Linear({}, Fraction(1)), factor), place)

    def _quotient(self, parts: list[_Linear], place: Group, written: list[Expression]) -> _Linear:
        factor = Fraction(1)
        for part, word in zip(parts[1:], written[1:], strict=True):
            if any(part.terms.values()):
                message = "a division by a term with variables is not linear"
                raise self._source.error_at("TL0324", message, word, fix="divide by numbers only")
            if not part.constant:
                raise self._source.error_at("TL0308", "division by zero", word, fix="correct the divisor")
            factor = self._bounded(factor / part.constant, place)
        return self._checked(self._scaled(parts[0], factor), place)

    def _checked(self, form: _Linear, place: Group) -> _Linear:
        for value in (*form.terms.values(), form.constant):
            self._bounded(value, place)
        return form

    def _bounded(self, value: Fraction, place: Group) -> Fraction:
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
            message = f"the constants of this term lead to a number of more than {MAX_BITS} bits"
            raise self._source.error_at("TL0326", message, place, fix="use rounder numbers")
        return value
