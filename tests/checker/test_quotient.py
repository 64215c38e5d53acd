"""Quotients in the kernel: `Quotient.run` against the forecast, and the forecast against intervals."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from test_extremum import outcome, packed

from pytest_torchlean.certificate.model import ScaleData
from pytest_torchlean.certificate.quotient import quotient_bounds
from pytest_torchlean.certificate.statement import QuotientData, Semantics
from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End

SCALE = ScaleData(unit=1 << 30, center=1 << 36, half=48)
HEADER = """prelude
import PytestTorchLean.Check.Quotient
namespace PytestTorchLean
"""
Bounds = tuple[int, int]


def offset(low: Fraction | float, high: Fraction | float) -> Bounds:
    return (SCALE.center + int(low * SCALE.unit), SCALE.center + int(high * SCALE.unit))


def cases() -> list[tuple[Bounds, Bounds]]:
    """Dividends and divisors of every sign, and random ones."""
    dividends = [offset(-5, -2), offset(-3, 4), offset(1, 6), offset(0, 0), offset(-7, 0), offset(0, 3)]
    divisors = [offset(1, 2), offset(-4, -1), offset(0.5, 0.5), offset(-0.25, -0.125)]
    found = list(product(dividends, divisors))
    rng = random.Random(3)
    for _ in range(12):
        sign = rng.choice((-1, 1))
        low, high = sorted(sign * rng.uniform(0.3, 5) for _ in range(2))
        found.append((offset(*sorted(rng.uniform(-3, 3) for _ in range(2))), offset(low, high)))
    return found


CASES = cases()


def forecast(semantics: Semantics, x: Bounds, z: Bounds) -> tuple[Bounds, bool]:
    lower, upper = (np.array([[x[side]], [z[side]]], dtype=object) for side in (0, 1))
    low, high, fine = quotient_bounds(semantics, SCALE, QuotientData(1, 1 << 32), lower, upper)
    return (int(low[0, 0]), int(high[0, 0])), bool(fine[0])


def words(bounds: list[Bounds]) -> tuple[int, int]:
    top, half = SCALE.top, SCALE.half
    direct = packed([low + (high << half) for low, high in bounds], 2 * half)
    return direct, packed([top - high + (top - low << half) for low, high in bounds], 2 * half)


def term_of(
    semantics: Semantics, x: Bounds, z: Bounds, expected: Bounds | None, sources: int = 1 << 32
) -> str:
    """Whether the kernel's bounds are these; for None, whether it has any."""
    direct, mirrored = words([x, z])
    kind = semantics.value.removeprefix("Semantics")
    after, names = "true", "_ _ _"
    if expected is not None:
        direct_after, mirrored_after = words([x, z, expected])
        names = "d m n"
        after = f"both (Nat.beq n 3) (both (Nat.beq d {direct_after}) (Nat.beq m {mirrored_after}))"
    return (
        f"Quotient.run {kind} ⟨{SCALE.unit}, {SCALE.center}, {SCALE.half}⟩ 1 {sources} "
        f"{direct} {mirrored} 2 fun {names} => {after}"
    )


@pytest.mark.parametrize("semantics", Semantics)
@pytest.mark.parametrize(("x", "z"), CASES)
def test_the_forecast_is_the_exact_interval_rounded_outward(
    semantics: Semantics, x: Bounds, z: Bounds
) -> None:
    (low, high), fine = forecast(semantics, x, z)
    assert fine
    corners = [Fraction(a - SCALE.center, b - SCALE.center) for a, b in product(x, z)]
    slack = 2.0**-30 if semantics is Semantics.REAL else 2.0**-22 * (1 + max(map(abs, corners)))
    assert min(corners) - slack <= Fraction(low - SCALE.center, SCALE.unit) <= min(corners)
    assert max(corners) <= Fraction(high - SCALE.center, SCALE.unit) <= max(corners) + slack


def test_bounds_are_the_forecast_and_no_others(
    lean_tests: tuple[LeanInstall, BuiltLibrary], tmp_path: object
) -> None:
    lines = [HEADER]
    for index, ((x, z), semantics) in enumerate(product(CASES, Semantics)):
        (low, high), _ = forecast(semantics, x, z)
        theorems = {"agrees": ((low, high), "true")}
        for change, pair in {
            "tight": (low + 1, high),
            "loose": (low, high + 1),
            "low": (low - 1, high),
        }.items():
            theorems[change] = (pair, "false")
        for name, (pair, answer) in theorems.items():
            term = term_of(semantics, x, z, pair)
            lines.append(f"theorem {name}{index} : ({term}) = {answer} := by decide +kernel\n")
    assert outcome("".join(lines), *lean_tests, tmp_path) == (End.EXITED, 0)  # type: ignore[arg-type]


def refused() -> list[tuple[Bounds, Bounds]]:
    """Divisors that may be 0, on either side or in the middle, and a quotient beyond the largest number."""
    one = offset(1, 2)
    return [(one, offset(0, 1)), (one, offset(-1, 0)), (one, offset(-1, 1)), (one, offset(2.0**-30, 1))]


def test_divisors_that_may_be_zero_are_refused(
    lean_tests: tuple[LeanInstall, BuiltLibrary], tmp_path: object
) -> None:
    lines = [HEADER]
    for index, ((x, z), semantics) in enumerate(product(refused(), Semantics)):
        assert not forecast(semantics, x, z)[1]
        term = term_of(semantics, x, z, None)
        lines.append(f"theorem refused{index} : ({term}) = false := by decide +kernel\n")
    for index, sources in enumerate((2 << 32, 2, 1)):
        term = term_of(Semantics.REAL, offset(1, 2), offset(1, 2), None, sources)
        answer = "true" if sources == 1 else "false"
        lines.append(f"theorem unwritten{index} : ({term}) = {answer} := by decide +kernel\n")
    assert outcome("".join(lines), *lean_tests, tmp_path) == (End.EXITED, 0)  # type: ignore[arg-type]


@pytest.fixture
def lean_tests(lean: LeanInstall, library: BuiltLibrary) -> tuple[LeanInstall, BuiltLibrary]:
    return lean, library
