"""Bounds of smooth activations in the kernel: `Curve.run` against the forecast, digit for digit."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pytest_torchlean.certificate.curves import BITS, STAGES, curve_bounds, curve_step
from pytest_torchlean.certificate.model import NO_STEP, ScaleData, StepData
from pytest_torchlean.certificate.statement import CurveData, CurveFunction, Semantics
from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End, run_lean
from pytest_torchlean.checker.library import OPTIONS

HEADER = """prelude
import PytestTorchLean.Check.Curve
set_option maxRecDepth 100000
namespace PytestTorchLean
"""
Bounds = tuple[int, int]
WIDE = ScaleData(1 << 32, 1 << 42, 64)
ODD = ScaleData(3_000_000_019, 3 << 40, 64)


def packed(digits: Sequence[int], width: int) -> int:
    return sum(digit << (width * index) for index, digit in enumerate(digits))


@dataclass(frozen=True)
class Case:
    """Bounds of the slots so far, and the curve that reads some of them."""

    semantics: Semantics
    scale: ScaleData
    bounds: tuple[Bounds, ...]
    node: CurveData
    stages: int = STAGES
    bits: int = BITS

    def results(self) -> tuple[tuple[Bounds, ...], bool]:
        lower, upper = (np.array([[b[side]] for b in self.bounds], dtype=object) for side in (0, 1))
        step = StepData(NO_STEP.decoding, self.stages, self.bits)
        low, high, fine = curve_bounds(self.semantics, self.scale, self.node, step, lower, upper)
        return tuple(zip(low[:, 0].tolist(), high[:, 0].tolist(), strict=True)), bool(fine[0])

    def memory(self, more: Sequence[Bounds] = ()) -> tuple[int, int]:
        top, half = self.scale.top, self.scale.half
        every = (*self.bounds, *more)
        direct = packed([low + (high << half) for low, high in every], 2 * half)
        return direct, packed([top - high + (top - low << half) for low, high in every], 2 * half)

    def lean(self, expected: Sequence[Bounds] | None) -> str:
        """The run; what it hands on is `expected`, or anything."""
        direct, mirrored = self.memory()
        scale, node = self.scale, self.node
        then = "fun _ _ _ => true"
        if expected is not None:
            direct_after, mirrored_after = self.memory(expected)
            then = (
                f"fun d m n => both (Nat.beq n {len(self.bounds) + len(expected)}) "
                f"(both (Nat.beq d (nat_lit {direct_after:#x})) (Nat.beq m (nat_lit {mirrored_after:#x})))"
            )
        return (
            f"Curve.run {self.semantics.value} ⟨{scale.unit}, {scale.center}, {scale.half}⟩ "
            f"{node.function.value} {self.bits} {self.stages} {node.first} {node.count} "
            f"(nat_lit {direct:#x}) (nat_lit {mirrored:#x}) {len(self.bounds)} ({then})"
        )


REACH = {
    CurveFunction.EXP: (-5, 5),
    CurveFunction.SOFTPLUS: (-150, 120),
    CurveFunction.SQRT: (0, 150),
    CurveFunction.LOG: (0, 150),
}
"""Least and greatest arguments."""


def cases() -> Iterator[Case]:
    rng = random.Random(11)
    for semantics in Semantics:
        for function in CurveFunction:
            for scale in (WIDE, ODD):
                least, most = REACH.get(function, (-150, 150))
                ends = [
                    sorted(scale.center + round(rng.uniform(least, most) * scale.unit) for _ in range(2))
                    for _ in range(6)
                ]
                if function in (CurveFunction.SINE, CurveFunction.COSINE):
                    # the first is wide, the others reach up to where the series ends and beyond
                    widths = (round(scale.unit * 2.0**-power) for power in (1, 3, 8, 20, 30))
                    starts = (scale.center + round(x * scale.unit) for x in (-33, -31, -1.5, 3.14, 31.5))
                    narrow = zip(starts, widths, strict=True)
                    ends[1:] = [[start, start + width] for start, width in narrow]
                near = [(scale.center - 5, scale.center), (scale.center, scale.center + 7)]
                if least >= 0:
                    near = [
                        (scale.center + 1, scale.center + 3),
                        (scale.center + 2**20, scale.center + 2**21),
                    ]
                bounds = (*((low, high) for low, high in ends), *near)
                step = curve_step(function)
                yield Case(semantics, scale, bounds, CurveData(function, 1, 7), step.first, step.radius)
                if function.logistic:
                    yield Case(semantics, scale, bounds, CurveData(function, 6, 2), stages=2, bits=40)


def outcome(source: str, lean: LeanInstall, library: BuiltLibrary, folder: Path) -> tuple[End, int | None]:
    text = folder / "Example.lean"
    text.write_text(source, encoding="utf-8")
    result = run_lean(
        lean,
        ["--json", *OPTIONS, str(text)],
        directory=folder,
        lean_path=[library.olean_directory],
        wall_seconds=120,
        memory_mb=2048,
    )
    return result.end, result.code


def theorem(name: str, term: str, answer: str) -> str:
    return f"theorem {name} : ({term}) = Bool.{answer} := by decide +kernel\n"


def test_bounds_are_those_of_the_forecast(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    lines = [HEADER]
    for index, case in enumerate(cases()):
        expected, fine = case.results()
        assert fine
        lines.append(theorem(f"agrees{index}", case.lean(expected), "true"))
        low, high = expected[-1]
        lines.append(theorem(f"differs{index}", case.lean((*expected[:-1], (low, high - 1))), "false"))
    assert outcome("".join(lines), lean, library, tmp_path) == (End.EXITED, 0)


def refused() -> Iterator[Case]:
    far = (WIDE.center, WIDE.center + 200 * WIDE.unit)
    exp = CurveData(CurveFunction.EXP, 0, 1)
    for semantics in Semantics:
        # the result leaves the range of the memory, or is not computed at all
        yield Case(semantics, WIDE, (far,), exp)
        yield Case(semantics, WIDE, ((WIDE.center, WIDE.center + 8 * WIDE.unit),), exp)
        # slots that are not written yet
        yield Case(semantics, WIDE, (far,), CurveData(CurveFunction.TANH, 0, 2))
        yield Case(semantics, WIDE, (far,), CurveData(CurveFunction.TANH, 1, 1))
        # a root and a logarithm that do not exist; a logarithm that is not found
        below = (WIDE.center - 1, WIDE.center + WIDE.unit)
        yield Case(semantics, WIDE, (below,), CurveData(CurveFunction.SQRT, 0, 1))
        zero = (WIDE.center, WIDE.center + WIDE.unit)
        yield Case(semantics, WIDE, (zero,), CurveData(CurveFunction.LOG, 0, 1), 6, 96)
        yield Case(semantics, WIDE, (far,), CurveData(CurveFunction.SOFTPLUS, 0, 1), 6, 96)
        # stages so short that the exponential of a bound cannot be told from the number
        yield Case(semantics, WIDE, (far,), CurveData(CurveFunction.LOG, 0, 1), 1, 20)
        # no stages; a scale whose numbers would overflow; one in which 1 is too large
        small = (WIDE.center, WIDE.center + 1)
        yield Case(semantics, WIDE, (small,), exp, stages=0)
        yield Case(semantics, ScaleData(1, 1 << 128, 130), ((1 << 128, 1 << 128),), exp)
        yield Case(semantics, ScaleData(1 << 32, 1 << 31, 64), ((1 << 31, 1 << 31),), exp)


def test_what_the_forecast_refuses_lean_refuses(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    lines = [HEADER]
    for index, case in enumerate(refused()):
        assert not case.results()[1]
        lines.append(theorem(f"refused{index}", case.lean(None), "false"))
    assert outcome("".join(lines), lean, library, tmp_path) == (End.EXITED, 0)


@pytest.mark.parametrize("count", [600])
def test_a_wide_layer_fits_into_one_theorem(
    count: int, lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    rng = random.Random(3)
    ends = [
        sorted(WIDE.center + round(rng.uniform(-4, 4) * WIDE.unit) for _ in range(2)) for _ in range(count)
    ]
    case = Case(
        Semantics.BINARY32,
        WIDE,
        tuple((low, high) for low, high in ends),
        CurveData(CurveFunction.TANH, 0, count),
    )
    text = HEADER + theorem("wide", case.lean(case.results()[0]), "true")
    assert outcome(text, lean, library, tmp_path) == (End.EXITED, 0)
