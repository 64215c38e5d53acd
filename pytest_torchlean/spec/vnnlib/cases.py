"""Formulas -> cases: the unsafe set as a union, each part a box of inputs with further inequalities.

Disjunctions are multiplied out one after the other, contradictory combinations dropped at once, and their
number is bounded: a file that would need more is refused, never worked on without end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from pytest_torchlean.errors import SpecErrors
from pytest_torchlean.spec.vnnlib.formula import Atom, Both, Either, Formula, Script
from pytest_torchlean.spec.vnnlib.source import Source

MAX_CASES = 4096
MAX_COMBINED = 1 << 21
"""Inequalities in all combinations that are formed."""


@dataclass(frozen=True)
class InputBox:
    """lower <= X <= upper; at the numbers in open_lower and open_upper the bound itself is left out."""

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    open_lower: frozenset[int] = frozenset()
    open_upper: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Case:
    """Inputs of the box with all atoms true are unsafe. No atom bounds a single input."""

    box: InputBox
    atoms: tuple[Atom, ...]


@dataclass(frozen=True)
class UnsafeSet:
    """The union of all cases: what a file describes, and what must not be reachable."""

    inputs: int
    outputs: int
    cases: tuple[Case, ...]


class _Interval(NamedTuple):
    lower: Fraction | None = None
    upper: Fraction | None = None
    open_lower: bool = False
    open_upper: bool = False


@dataclass
class _Part:
    """A conjunction: bounds of single inputs, and other atoms."""

    bounds: dict[int, _Interval] = field(default_factory=dict)
    atoms: tuple[Atom, ...] = ()

    @property
    def size(self) -> int:
        return len(self.bounds) + len(self.atoms)


def unsafe_set(source: Source, script: Script) -> UnsafeSet:
    """The cases of all that is asserted together.

    Raises SpecError TL0325 where an input is not bounded, TL0326 beyond MAX_CASES or MAX_COMBINED, TL0328
    where nothing is left.
    """
    common, disjunctions = _Part(), list[Either]()
    for formula, at in script.asserted:
        if not _collect(formula, common, disjunctions):
            raise _nothing_left(source, at)
    parts = [_Part()]
    splitter = _Splitter(source)
    for either in disjunctions:
        parts = splitter.multiply(parts, splitter.alternatives(either), either.at)
        parts = [part for part in parts if _meets(common.bounds, part.bounds)]
        if not parts:
            raise _nothing_left(source, either.at)
    boxes = _Boxes(source, script, common, single=len(parts) == 1)
    cases = tuple(Case(boxes.box(part), (*common.atoms, *part.atoms)) for part in parts)
    return UnsafeSet(script.inputs, script.outputs, cases)


def _nothing_left(source: Source, at: int) -> SpecErrors:
    return source.error(
        "TL0328",
        "with this no input can be unsafe: it contradicts itself or the other assertions",
        at,
        fix="correct the bounds that contradict each other",
    )


def _collect(formula: Formula, part: _Part, disjunctions: list[Either]) -> bool:
    """Add what holds in every case to `part`; False where that contradicts itself."""
    atoms = list(part.atoms)
    pending = [formula]
    alive = True
    while pending:
        formula = pending.pop()
        if isinstance(formula, Both):
            pending.extend(reversed(formula.parts))
        elif isinstance(formula, Either):
            disjunctions.append(formula)
        else:
            alive &= _add(part.bounds, atoms, formula)
    part.atoms = tuple(atoms)
    return alive


def _add(bounds: dict[int, _Interval], atoms: list[Atom], atom: Atom) -> bool:
    """Add one inequality; False where nothing is left."""
    if atom.outputs or len(atom.inputs) > 1:
        atoms.append(atom)
        return True
    if not atom.inputs:
        return atom.constant < 0 or (atom.constant == 0 and not atom.strict)
    ((number, factor),) = atom.inputs
    value = -atom.constant / factor
    new = _Interval(upper=value, open_upper=atom.strict)
    if factor < 0:
        new = _Interval(lower=value, open_lower=atom.strict)
    bounds[number] = _intersection(bounds.get(number, _Interval()), new)
    return _fillable(bounds[number])


def _intersection(one: _Interval, other: _Interval) -> _Interval:
    lower, upper, open_lower, open_upper = one
    if other.lower is not None and (lower is None or other.lower >= lower):
        open_lower = other.open_lower or (open_lower and other.lower == lower)
        lower = other.lower
    if other.upper is not None and (upper is None or other.upper <= upper):
        open_upper = other.open_upper or (open_upper and other.upper == upper)
        upper = other.upper
    return _Interval(lower, upper, open_lower, open_upper)


def _fillable(interval: _Interval) -> bool:
    if interval.lower is None or interval.upper is None:
        return True
    if interval.open_lower or interval.open_upper:
        return interval.lower < interval.upper
    return interval.lower <= interval.upper


def _meets(common: Mapping[int, _Interval], own: Mapping[int, _Interval]) -> bool:
    """Whether bounds of both kinds leave something."""
    return all(
        _fillable(_intersection(common[number], interval))
        for number, interval in own.items()
        if number in common
    )


class _Splitter:
    """Multiplies disjunctions out and counts what that costs."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._combined = 0

    def alternatives(self, either: Either) -> list[_Part]:
        """The disjunctive normal form of a disjunction. Depth is bounded by that of the file."""
        found: list[_Part] = []
        for formula in either.parts:
            part, inner = _Part(), list[Either]()
            if not _collect(formula, part, inner):
                continue
            own = [part]
            for nested in inner:
                own = self.multiply(own, self.alternatives(nested), nested.at)
            found += own
            self._count(len(found), sum(part.size for part in own), either.at)
        return found

    def multiply(self, parts: list[_Part], others: list[_Part], at: int) -> list[_Part]:
        """Every combination that does not contradict itself."""
        found: list[_Part] = []
        for part in parts:
            for other in others:
                self._count(len(found), part.size + other.size, at)
                bounds = dict(part.bounds)
                for number, interval in other.bounds.items():
                    bounds[number] = _intersection(bounds.get(number, _Interval()), interval)
                if all(_fillable(bounds[number]) for number in other.bounds):
                    found.append(_Part(bounds, (*part.atoms, *other.atoms)))
        self._count(len(found), 0, at)
        return found

    def _count(self, cases: int, combined: int, at: int) -> None:
        self._combined += combined + 1
        if cases > MAX_CASES or self._combined > MAX_COMBINED:
            raise self._source.error(
                "TL0326",
                f"with this disjunction the file has more than {MAX_CASES} cases, or they are too long",
                at,
                fix="split the property into several files",
            )


class _Boxes:
    """Boxes of cases; those without bounds of their own share one."""

    def __init__(self, source: Source, script: Script, common: _Part, single: bool) -> None:
        self._source, self._script, self._common = source, script, common.bounds
        self._where = "" if single else " in some case"
        self._numbers = 0
        self._shared: InputBox | None = None

    def box(self, part: _Part) -> InputBox:
        if not part.bounds:
            if self._shared is None:
                self._shared = self._build(self._common)
            return self._shared
        bounds = dict(self._common)
        for number, interval in part.bounds.items():
            bounds[number] = _intersection(bounds.get(number, _Interval()), interval)
        return self._build(bounds)

    def _build(self, bounds: Mapping[int, _Interval]) -> InputBox:
        self._numbers += self._script.inputs
        if self._numbers > MAX_COMBINED + self._script.inputs:
            fix = "split the property into several files"
            raise self._source.error("TL0326", "the boxes of all cases are too large together", 0, fix=fix)
        lower, upper = [], []
        for number in range(self._script.inputs):
            interval = bounds.get(number, _Interval())
            if interval.lower is None or interval.upper is None:
                side = "lower" if interval.lower is None else "upper"
                raise self._source.error(
                    "TL0325",
                    f"X_{number} has no {side} bound{self._where}",
                    self._script.places[number],
                    length=len(f"X_{number}"),
                    fix=f"assert both, e.g. `(assert (>= X_{number} 0))` and `(assert (<= X_{number} 1))`",
                )
            lower.append(interval.lower)
            upper.append(interval.upper)
        return InputBox(
            tuple(lower),
            tuple(upper),
            frozenset(number for number, interval in bounds.items() if interval.open_lower),
            frozenset(number for number, interval in bounds.items() if interval.open_upper),
        )
