"""Search for an input of a box at which an output leaves its bounds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from pytest_torchlean.bounds.attack import Effort, Wish
from pytest_torchlean.bounds.budget import Budget, OutOfTime
from pytest_torchlean.bounds.falsify import Candidate, Float32, Target, minimise, promising
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.boxes import RationalBox, to_float
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.extensions.registry import Use
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.executions import Executions, Violation
from pytest_torchlean.properties.points import violation
from pytest_torchlean.properties.proving import points_of
from pytest_torchlean.properties.searching import FIRST_EFFORT, Ground, later_efforts, seek
from pytest_torchlean.properties.suggested import MOST_REGIONS, first_witness
from pytest_torchlean.spec.model import RangeProperty
from pytest_torchlean.verdict import Witness

_REPLAYS = 20
"""Candidates of the quick search that are run, the lowest first."""
_FIRST_BOUNDS = 8
_LATER_BOUNDS = 32
"""Bounds that are searched one by one, those first of which the quick search came nearest."""
_SHARE_FOR_FIRST = 0.1
"""Of the time that is left, for the bounds searched before ReLU phases are tried."""


@dataclass(frozen=True, eq=False)
class Outside:
    """The search for an input that puts an output outside of the bounds that intervals leave open.

    wishes: one for each of these bounds. Methods raise OutOfTime.
    """

    context: PropertyContext
    prop: RangeProperty
    ground: Ground
    wishes: Sequence[Wish]

    @cached_property
    def _lowest(self) -> list[tuple[Candidate, Wish]]:
        """What short descents for all bounds together end with, the nearest to its bound first."""
        targets = [
            Target(one.lower, one.upper, one.on_outputs[0], float(one.constants[0])) for one in self.wishes
        ]
        found = minimise(self.ground.program, targets, budget=self.context.budget)
        return sorted(zip(found, self.wishes, strict=True), key=lambda pair: pair[0].value)

    def quick(self) -> Witness | None:
        """Those descents, then longer ones for the bounds that they came nearest to."""
        candidates = [candidate for candidate, _ in self._lowest[:_REPLAYS]]
        fine = promising(self.ground.program, candidates, 0.0, rounded=self.ground.rounded)
        for candidate, run_it in zip(candidates, fine, strict=True):
            witness = self._replayed(candidate.point) if run_it else None
            if witness is not None:
                return witness
        budget = self.context.budget
        short = replace(budget, deadline=time.monotonic() + _SHARE_FOR_FIRST * self.context.seconds_left)
        try:
            return self._sought(FIRST_EFFORT, 0, _FIRST_BOUNDS, short)
        except OutOfTime:
            budget.spend()
            return None

    def thorough(self) -> Witness | None:
        """Everything else that a search for an unsafe output does."""
        for seed, effort in enumerate(later_efforts(self.ground.program), start=1):
            witness = self._sought(effort, seed, _LATER_BOUNDS, self.context.budget)
            if witness is not None:
                return witness
        return None

    def suggested(self) -> tuple[Witness | None, tuple[Use, ...]]:
        """A witness among the candidates of extensions, and who gave it. Raises ExtensionError."""
        own = self.ground
        if not self.context.extensions.falsifiers:
            return None, ()
        for number, wish in enumerate(self.wishes[:MOST_REGIONS], start=1):
            found = first_witness(self.context, own.program, own.executions, wish, number, self._replayed)
            if found is not None:
                return found[0], (found[1],)
        return None, ()

    def _sought(self, effort: Effort, seed: int, most: int, budget: Budget) -> Witness | None:
        wishes = enumerate((wish for _, wish in self._lowest[:most]), start=1)
        return seek(self.ground, wishes, effort, seed, budget).witness

    def _replayed(self, point: Float32) -> Witness | None:
        given = self.ground.executions.given(point)
        return self.ground.executions.witness(given, self.ground.broken(given), rounded=self.ground.rounded)


def outside(
    context: PropertyContext,
    program: Program,
    executions: Executions,
    prop: RangeProperty,
    forms: Forms,
    box: RationalBox,
    bounds: Mapping[str, Sequence[str]] | None,
) -> Outside:
    """The search for a property whose claim is `forms`; for nothing where the box holds no input.

    bounds: what intervals show of every output, if they show anything.
    """

    def broken(_: Float32) -> Violation:
        return lambda outputs: violation(prop, outputs, None)

    ground = Ground(program, executions, broken, prop.chosen_semantics == "binary32")
    inside = points_of(prop, box, executions.integers)
    wishes = [] if inside is None else list(_wishes(forms, inside, bounds))
    return Outside(context, prop, ground, wishes)


def _wishes(
    forms: Forms, inside: tuple[Float32, Float32], bounds: Mapping[str, Sequence[str]] | None
) -> Iterator[Wish]:
    """The bounds as outputs to push to zero, without those that intervals show to hold."""
    for row, place in zip(*np.nonzero(forms.coefficients), strict=True):
        factor, constant = forms.coefficients[row, place], forms.constants[row]
        if bounds is not None:
            least = factor * Fraction(bounds["lower" if factor > 0 else "upper"][place]) + constant
            if least > 0 or (least == 0 and not forms.strict):
                continue
        on_outputs = np.zeros((1, forms.coefficients.shape[1]))
        on_outputs[0, place] = np.sign(factor)
        yield Wish(*inside, on_outputs, None, np.array([to_float(Fraction(constant, abs(factor)))]))
