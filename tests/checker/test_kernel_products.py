"""Sums of products in the kernel: `Bilinear.run` against the forecast, and the forecast against intervals."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product

import numpy as np
import pytest
from test_extremum import outcome, packed

from pytest_torchlean.certificate.bilinear import Products, bilinear_bounds
from pytest_torchlean.certificate.model import ScaleData
from pytest_torchlean.certificate.statement import BilinearData, Semantics
from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End

SCALE = ScaleData(unit=1 << 30, center=1 << 36, half=48)
HEADER = """prelude
import PytestTorchLean.Check.Bilinear
namespace PytestTorchLean
"""

Bounds = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """Bounds of the slots so far, and for each result the pairs of slots that are multiplied."""

    semantics: Semantics
    bounds: tuple[Bounds, ...]
    results: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def terms(self) -> int:
        return len(self.results[0])

    @property
    def sources(self) -> int:
        return packed([slot for pairs in self.results for pair in pairs for slot in pair], 32)

    @cached_property
    def forecast(self) -> Products:
        lower, upper = (np.array([[pair[side]] for pair in self.bounds], dtype=object) for side in (0, 1))
        data = BilinearData(len(self.results), self.terms, self.sources)
        return bilinear_bounds(self.semantics, SCALE, data, lower, upper)

    @property
    def found(self) -> list[Bounds]:
        own = self.forecast
        return [(int(low), int(high)) for low, high in zip(own.lower[:, 0], own.upper[:, 0], strict=True)]

    def exact(self, pairs: Sequence[tuple[int, int]]) -> tuple[Fraction, Fraction]:
        """The least and the largest sum of products, over the corners of all factors."""
        low = high = Fraction(0)
        for left, right in pairs:
            values = [
                [Fraction(end - SCALE.center, SCALE.unit) for end in self.bounds[slot]]
                for slot in (left, right)
            ]
            corners = [x * z for x, z in product(*values)]
            least = min(corners)
            if left == right:
                least = max(Fraction(0), least)
            low, high = low + least, high + max(corners)
        return low, high

    def memory(self, more: Sequence[Bounds] = ()) -> tuple[int, int]:
        """The direct and the mirrored words."""
        every = (*self.bounds, *more)
        top, half = SCALE.top, SCALE.half
        direct = packed([low + (high << half) for low, high in every], 2 * half)
        return direct, packed([top - high + (top - low << half) for low, high in every], 2 * half)

    def lean(self, expected: Sequence[Bounds], error: int, sources: int | None = None) -> str:
        """Whether the kernel's bounds and error radius are these."""
        direct, mirrored = self.memory()
        direct_after, mirrored_after = self.memory(expected)
        sources = self.sources if sources is None else sources
        kind = self.semantics.value.removeprefix("Semantics")
        return (
            f"Bilinear.run {kind} ⟨{SCALE.unit}, {SCALE.center}, {SCALE.half}⟩ {len(self.results)} "
            f"{self.terms} (nat_lit {sources:#x}) (nat_lit {direct:#x}) (nat_lit {mirrored:#x}) "
            f"{len(self.bounds)} fun r d m n => both (Nat.beq n {len(self.bounds) + len(expected)}) "
            f"(both (Nat.beq r (nat_lit {error})) (both (Nat.beq d (nat_lit {direct_after:#x})) "
            f"(Nat.beq m (nat_lit {mirrored_after:#x}))))"
        )


def cases() -> list[Case]:
    rng = random.Random(11)
    reach = 3 << 30
    found = []
    for semantics in Semantics:
        for slots, results, terms in ((1, 1, 1), (4, 3, 1), (5, 2, 3), (9, 7, 2), (3, 1, 8)):
            ends = [sorted(rng.randint(-reach, reach) for _ in range(2)) for _ in range(slots)]
            bounds = tuple((SCALE.center + low, SCALE.center + high) for low, high in ends)
            pairs = tuple(
                tuple((rng.randrange(slots), rng.randrange(slots)) for _ in range(terms))
                for _ in range(results)
            )
            found.append(Case(semantics, bounds, pairs))
        # every combination of signs, and squares of each
        ends = [(-5, -2), (-3, 4), (1, 6), (0, 0), (-7, 0), (0, 9)]
        bounds = tuple((SCALE.center + (low << 28), SCALE.center + (high << 28)) for low, high in ends)
        found.append(Case(semantics, bounds, tuple(((i, j),) for i in range(6) for j in range(6))))
    return found


CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_the_forecast_is_the_exact_interval_rounded_outward(case: Case) -> None:
    assert case.forecast.fine.all()
    error = Fraction(int(case.forecast.error[0, 0]), 2 * SCALE.unit**2)
    assert (error == 0) is (case.semantics is Semantics.REAL)
    step = Fraction(1, SCALE.unit)
    for (low, high), pairs in zip(case.found, case.results, strict=True):
        least, most = case.exact(pairs)
        low_value, high_value = (Fraction(end - SCALE.center, SCALE.unit) for end in (low, high))
        assert least - error - step < low_value <= least
        assert most <= high_value < most + error + step
        if case.semantics is Semantics.REAL:
            assert low_value + step > least


def test_bounds_and_error_radii_are_the_forecast(
    lean: LeanInstall, library: BuiltLibrary, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [HEADER]
    for index, case in enumerate(CASES):
        term = case.lean(case.found, int(case.forecast.error[0, 0]))
        lines.append(f"theorem agrees{index} : ({term}) = true := by decide +kernel\n")
    assert outcome("".join(lines), lean, library, tmp_path_factory.mktemp("agrees")) == (End.EXITED, 0)


def wrong(case: Case) -> list[tuple[list[Bounds], int]]:
    """Tighter and looser bounds, another corner's, and another error radius."""
    found, error = case.found, int(case.forecast.error[0, 0])
    low, high = found[-1]
    changed = [(low + 1, high), (low - 1, high), (low, high - 1), (low, high + 1)]
    (left, right) = case.results[-1][0]
    corners = {
        SCALE.center + (x - SCALE.center) * (z - SCALE.center) // SCALE.unit
        for x, z in product(case.bounds[left], case.bounds[right])
    }
    if case.terms == 1:
        changed += [(corner, high) for corner in corners if low < corner <= high]
    return [*(([*found[:-1], pair], error) for pair in changed), (found, error + 1)]


def test_other_bounds_are_not_computed(
    lean: LeanInstall, library: BuiltLibrary, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [HEADER]
    for index, case in enumerate(CASES):
        for number, (bounds, error) in enumerate(wrong(case)):
            term = case.lean(bounds, error)
            lines.append(f"theorem differs{index}_{number} : ({term}) = false := by decide +kernel\n")
    assert outcome("".join(lines), lean, library, tmp_path_factory.mktemp("differs")) == (End.EXITED, 0)


def test_what_is_not_written_or_does_not_fit_is_refused(
    lean: LeanInstall, library: BuiltLibrary, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A slot that is not written yet, on either side; a product beyond the largest fixed-point number."""
    wide = ((SCALE.center, SCALE.top), (SCALE.center, SCALE.top))
    lines = [HEADER]
    for index, (bounds, pair) in enumerate(
        [(wide, (0, 2)), (wide, (2, 0)), (wide, (2**32 - 1, 0)), (wide, (0, 1)), (wide, (1, 1))]
    ):
        for semantics in Semantics:
            case = Case(semantics, bounds, ((pair,),))
            direct, mirrored = case.memory()
            kind = semantics.value.removeprefix("Semantics")
            lines.append(
                f"theorem refused{index}_{semantics.name} : Bilinear.run {kind} "
                f"⟨{SCALE.unit}, {SCALE.center}, {SCALE.half}⟩ 1 1 (nat_lit {case.sources:#x}) "
                f"(nat_lit {direct:#x}) (nat_lit {mirrored:#x}) 2 (fun _ _ _ _ => true) = false "
                ":= by decide +kernel\n"
            )
            if max(pair) < 2:
                assert not case.forecast.fine.any()
    assert outcome("".join(lines), lean, library, tmp_path_factory.mktemp("refused")) == (End.EXITED, 0)
