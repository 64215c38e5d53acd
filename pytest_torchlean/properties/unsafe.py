"""The unsafe set of a VNN-LIB file: what to prove of a model, what to search for, is a point in it.

Safe means: for every input of a case's box, one of the case's inequalities fails. The cases of one box are
the clauses of one claim, the failures of their inequalities the alternatives. Numbers stay exact; only a
constant that is no dyadic number is rounded towards the stronger claim, by less than 2^-47 of itself.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import exact, next_down, next_up, round_down, round_up
from pytest_torchlean.bounds.attack import Wish
from pytest_torchlean.certificate.boxes import RationalBox, to_float
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.preprocessing import RawIntegers
from pytest_torchlean.spec.vnnlib import Atom, Case, InputBox, UnsafeSet

Float32 = NDArray[np.float32]

_CONSTANT_BITS = 48
_LARGEST = np.finfo(np.float32).max


@dataclass(frozen=True, eq=False)
class Question:
    """A box and what must hold in it: `forms` implies that none of the `cases` is reached."""

    box: RationalBox
    forms: Forms
    cases: tuple[Case, ...]


def digest_of(unsafe: UnsafeSet) -> str:
    """SHA-256 of the whole set; boxes that cases share enter once."""
    digest = hashlib.sha256(repr((unsafe.inputs, unsafe.outputs)).encode())
    numbers: dict[int, int] = {}
    for case in unsafe.cases:
        if id(case.box) not in numbers:
            numbers[id(case.box)] = len(numbers)
            digest.update(repr(case.box).encode())
        digest.update(repr((numbers[id(case.box)], case.atoms)).encode())
    return digest.hexdigest()


def questions(unsafe: UnsafeSet, most_rows: int | None = None) -> tuple[Question, ...]:
    """One question for each different box; together they say that nothing unsafe is reachable.

    most_rows: inequalities that one question may have, where it has more than one case; None for any number.
    """
    groups: dict[int, list[Case]] = {}
    for case in unsafe.cases:
        groups.setdefault(id(case.box), []).append(case)
    merged: dict[tuple[tuple[Fraction, ...], ...], list[Case]] = {}
    for cases in groups.values():
        merged.setdefault((cases[0].box.lower, cases[0].box.upper), []).extend(cases)
    return tuple(
        Question(RationalBox(lower, upper), safe_forms(cases, unsafe.inputs, unsafe.outputs), cases)
        for (lower, upper), together in merged.items()
        for cases in _in_groups(together, most_rows)
    )


def _in_groups(cases: Sequence[Case], most_rows: int | None) -> list[tuple[Case, ...]]:
    """The cases in runs of at most so many rows: each case takes as many as the longest of its run."""
    if most_rows is None:
        return [tuple(cases)]
    groups: list[tuple[Case, ...]] = []
    for case in cases:
        longest = max((len(one.atoms) for one in (*groups[-1], case)), default=1) if groups else 1
        if groups and longest * (len(groups[-1]) + 1) <= most_rows:
            groups[-1] = (*groups[-1], case)
        else:
            groups.append((case,))
    return groups


def safe_forms(cases: Sequence[Case], inputs: int, outputs: int) -> Forms:
    """One clause for each case: one of its inequalities fails.

    `a <= 0` fails where `a > 0`, `a < 0` where `a >= 0`. The claim is strict unless all inequalities are; a
    strict claim implies the weak one.
    """
    alternatives = max(1, max(len(case.atoms) for case in cases))
    rows = [_clause(case, alternatives) for case in cases]
    table = [row for clause in rows for row in clause]
    length = max(row.size for row in table)
    coefficients = np.zeros((len(table), outputs), dtype=object)
    on_inputs = np.zeros((len(table), inputs), dtype=object)
    constants = np.zeros(len(table), dtype=object)
    for place, row in enumerate(table):
        factor = 1 << (length - row.size)
        constants[place] = factor * row.constant
        for number, value in row.outputs:
            coefficients[place, number] = factor * value
        for number, value in row.inputs:
            on_inputs[place, number] = factor * value
    weak = all(atom.strict for case in cases for atom in case.atoms)
    any_input = any(row.inputs for row in table)
    return Forms(coefficients, constants, not weak, alternatives, on_inputs if any_input else None)


@dataclass(frozen=True)
class _Row:
    """Integers; `size` is the bits of the largest coefficient, by which rows are brought to one size."""

    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]
    constant: int
    size: int


def _clause(case: Case, alternatives: int) -> list[_Row]:
    """Forms of the inequalities, the last one repeated; a case without any can never be excluded."""
    rows = [_row(atom) for atom in case.atoms] or [_Row((), (), -1, 1)]
    return rows + rows[-1:] * (alternatives - len(rows))


def _row(atom: Atom) -> _Row:
    """The row that is positive where the atom fails, times a positive factor."""
    values = [value for _, value in (*atom.inputs, *atom.outputs)]
    common = math.lcm(*(value.denominator for value in values))
    integers = [int(value * common) for value in values]
    divisor = math.gcd(*integers)
    numerator, bits = _not_above(atom.constant * common / divisor)
    factor, constant = (1 << bits, numerator) if bits >= 0 else (1, numerator << -bits)
    integers = [factor * (value // divisor) for value in integers]
    count = len(atom.inputs)
    return _Row(
        tuple((number, value) for (number, _), value in zip(atom.inputs, integers, strict=False)),
        tuple((number, value) for (number, _), value in zip(atom.outputs, integers[count:], strict=True)),
        constant,
        max(abs(value).bit_length() for value in integers),
    )


def _not_above(number: Fraction) -> tuple[int, int]:
    """Integers n and k with n / 2^k the number, or less than 2^-47 of it below."""
    bits = number.denominator.bit_length() - 1
    if number.denominator == 1 << bits:
        return number.numerator, bits
    bits = _CONSTANT_BITS - (number.numerator.bit_length() - number.denominator.bit_length())
    return math.floor(number * Fraction(2) ** bits), bits


@dataclass(frozen=True, eq=False)
class Points:
    """The binary32 inputs of a box, float32 (inputs,), and the inputs that had to leave it.

    Where an interval contains binary32 numbers, these; else the two of its outward hull.
    """

    lower: Float32
    upper: Float32
    outside: tuple[int, ...]


def points_of(box: InputBox, *, hull: bool, integers: RawIntegers | None = None) -> Points | None:
    """The inputs to search in; None where there are none. `hull`: the claim is about the outward hull.

    integers: the type of raw inputs that are integers. Ends that the box leaves out are in, and then
    dropped by whoever holds a point against the box.
    """
    if integers is not None:
        ends = integers.box(box.lower, box.upper)
        return None if ends is None else Points(*ends, ())
    size = len(box.lower)
    lower, upper = np.empty(size, dtype=np.float32), np.empty(size, dtype=np.float32)
    outside = []
    for number, (least, most) in enumerate(zip(box.lower, box.upper, strict=True)):
        low, high = round_up(least), round_down(most)
        if number in box.open_lower and np.isfinite(low) and exact(low) == least:
            low = next_up(low)
        if number in box.open_upper and np.isfinite(high) and exact(high) == most:
            high = next_down(high)
        if low > high:
            if not hull:
                return None
            low, high = round_down(least), round_up(most)
            outside.append(number)
        lower[number], upper[number] = low, high
    return Points(np.clip(lower, -_LARGEST, _LARGEST), np.clip(upper, -_LARGEST, _LARGEST), tuple(outside))


def wish(case: Case, points: Points, outputs: int) -> Wish:
    """The case as forms to push to zero, each scaled to a largest coefficient of 1."""
    rows = max(1, len(case.atoms))
    on_outputs, constants = np.zeros((rows, outputs)), np.zeros(rows)
    on_inputs = np.zeros((rows, points.lower.size))
    for place, atom in enumerate(case.atoms):
        largest = max(abs(value) for _, value in (*atom.inputs, *atom.outputs))
        for number, value in atom.outputs:
            on_outputs[place, number] = to_float(value / largest)
        for number, value in atom.inputs:
            on_inputs[place, number] = to_float(value / largest)
        constants[place] = to_float(atom.constant / largest)
    any_input = any(atom.inputs for atom in case.atoms)
    return Wish(points.lower, points.upper, on_outputs, on_inputs if any_input else None, constants)


def in_box(box: InputBox, point: Sequence[Fraction], *, hull: bool) -> bool:
    """Whether a point lies in a box, or in its outward binary32 hull; a bound left out stays left out."""
    if len(point) != len(box.lower):
        return False
    for number, (least, value, most) in enumerate(zip(box.lower, point, box.upper, strict=True)):
        low, high = (_finite(round_down(least)), _finite(round_up(most))) if hull else (least, most)
        if not low <= value <= high:
            return False
        if (number in box.open_lower and value == least) or (number in box.open_upper and value == most):
            return False
    return True


def _finite(number: np.float32) -> Fraction:
    return exact(np.clip(number, -_LARGEST, _LARGEST))


def place_line(box: InputBox, point: Float32) -> str:
    """Whether a witness lies in the exact box, or only in its outward hull."""
    outside = [
        number
        for number, (low, value, high) in enumerate(zip(box.lower, map(exact, point), box.upper, strict=True))
        if not low <= value <= high
    ]
    if not outside:
        return "the witness lies in the exact box"
    names = ", ".join(f"X_{number}" for number in outside[:8]) + (", ..." if len(outside) > 8 else "")
    return (
        f"the witness lies in the outward binary32 hull of the box: {len(outside)} of its numbers lie "
        f"outside of their intervals, which contain no binary32 number ({names})"
    )


def reached(
    unsafe: UnsafeSet, point: Sequence[Fraction], outputs: Sequence[Fraction], *, hull: bool
) -> str | None:
    """The first case that the point and its outputs are in, in words; None where they are safe."""
    for number, case in enumerate(unsafe.cases, start=1):
        values = [_value(atom, point, outputs) for atom in case.atoms]
        holds = all(
            value < 0 or (value == 0 and not atom.strict)
            for atom, value in zip(case.atoms, values, strict=True)
        )
        if holds and in_box(case.box, point, hull=hull):
            which = "the unsafe set" if len(unsafe.cases) == 1 else f"unsafe case {number}"
            shown = "; ".join(
                f"{text(atom)} (it is {float(value):.6g})"
                for atom, value in list(zip(case.atoms, values, strict=True))[:3]
            )
            more = f"; and {len(values) - 3} more" if len(values) > 3 else ""
            return f"{which} is reached{': ' if shown else ''}{shown}{more}"
    return None


def text(atom: Atom) -> str:
    """An inequality as a person would write it."""
    terms = [
        (kind, number, value)
        for kind, pairs in (("X", atom.inputs), ("Y", atom.outputs))
        for number, value in pairs
    ]
    shown = ""
    for kind, number, value in terms[:6]:
        size = "" if abs(value) == 1 else f"{_decimal(abs(value))} "
        sign = ("-" if value < 0 else "") if not shown else (" - " if value < 0 else " + ")
        shown += f"{sign}{size}{kind}_{number}"
    shown += " + ..." if len(terms) > 6 else ""
    if atom.constant:
        shown += f" {'-' if atom.constant < 0 else '+'} {_decimal(abs(atom.constant))}"
    return f"{shown} {'<' if atom.strict else '<='} 0"


def _decimal(number: Fraction) -> str:
    return f"{to_float(number):.9g}"


def _value(atom: Atom, point: Sequence[Fraction], outputs: Sequence[Fraction]) -> Fraction:
    total = atom.constant
    for number, value in atom.inputs:
        total += value * point[number]
    for number, value in atom.outputs:
        total += value * outputs[number]
    return total
