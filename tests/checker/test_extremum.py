"""Bounds of maxima and minima in the kernel: `Extremum.run` against Python's maxima of the same bounds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End, run_lean
from pytest_torchlean.checker.library import OPTIONS

CENTER, HALF = 500, 17
TOP, STRIDE = 2 * CENTER, 2 * HALF
HEADER = """prelude
import PytestTorchLean.Check.Extremum
namespace PytestTorchLean
"""

Bounds = tuple[int, int]


def packed(digits: Sequence[int], width: int) -> int:
    return sum(digit << (width * index) for index, digit in enumerate(digits))


@dataclass(frozen=True)
class Case:
    """Bounds of the slots so far, and the pairs of slots that are compared."""

    bounds: tuple[Bounds, ...]
    pairs: tuple[tuple[int, int], ...]

    def results(self, maximum: bool) -> tuple[Bounds, ...]:
        choose = max if maximum else min
        operands = [(self.bounds[left], self.bounds[right]) for left, right in self.pairs]
        return tuple((choose(a[0], b[0]), choose(a[1], b[1])) for a, b in operands)

    def memory(self, more: Sequence[Bounds] = ()) -> tuple[int, int]:
        """The direct and the mirrored words."""
        every = (*self.bounds, *more)
        direct = packed([low + (high << HALF) for low, high in every], STRIDE)
        return direct, packed([TOP - high + (TOP - low << HALF) for low, high in every], STRIDE)

    def lean(self, maximum: bool, expected: Sequence[Bounds]) -> str:
        direct, mirrored = self.memory()
        direct_after, mirrored_after = self.memory(expected)
        sources = packed([slot for pair in self.pairs for slot in pair], 32)
        kind = "true" if maximum else "false"
        count = len(self.bounds) + len(expected)
        return (
            f"Extremum.run ⟨1, {CENTER}, {HALF}⟩ .{kind} {len(self.pairs)} (nat_lit {sources:#x}) "
            f"(nat_lit {direct:#x}) (nat_lit {mirrored:#x}) {len(self.bounds)} fun d m n => "
            f"both (Nat.beq n {count}) (both (Nat.beq d (nat_lit {direct_after:#x})) "
            f"(Nat.beq m (nat_lit {mirrored_after:#x})))"
        )


def bounds(rng: random.Random, count: int) -> tuple[Bounds, ...]:
    pairs = (sorted((rng.randint(0, TOP), rng.randint(0, TOP))) for _ in range(count))
    return tuple((low, high) for low, high in pairs)


def cases() -> list[Case]:
    rng = random.Random(7)
    found = []
    for count, size in ((1, 1), (5, 1), (9, 2), (12, 7), (40, 33), (90, 64), (20, 200)):
        pairs = tuple((rng.randrange(count), rng.randrange(count)) for _ in range(size))
        found.append(Case(bounds(rng, count), pairs))
    for first, second, size in ((0, 6, 6), (3, 3, 9), (2, 20, 19), (11, 0, 32)):
        runs = tuple((first + i, second + i) for i in range(size))
        found.append(Case(bounds(rng, max(first, second) + size), runs))
    # runs that begin in the middle, and a run against slots in disorder
    mixed = (*((i, 30 - i) for i in range(10)), *((8 + i, i % 3) for i in range(21)))
    found.append(Case(bounds(rng, 40), mixed))
    return found


CASES = cases()


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


def test_bounds_are_the_larger_and_the_smaller_ones(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    lines = [HEADER]
    for index, case in enumerate(CASES):
        for maximum in (True, False):
            term = case.lean(maximum, case.results(maximum))
            lines.append(f"theorem agrees{index}{maximum} : ({term}) = true := by decide +kernel\n")
    assert outcome("".join(lines), lean, library, tmp_path) == (End.EXITED, 0)


@pytest.mark.parametrize("maximum", [True, False])
def test_other_bounds_are_not_computed(
    maximum: bool, lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    lines = [HEADER]
    for index, case in enumerate(CASES):
        low, high = case.results(maximum)[-1]
        changed = [*case.results(maximum)[:-1], (low, high + 1)]
        lines.append(
            f"theorem differs{index} : ({case.lean(maximum, changed)}) = false := by decide +kernel\n"
        )
    assert outcome("".join(lines), lean, library, tmp_path) == (End.EXITED, 0)


def test_a_slot_that_is_not_written_yet_is_refused(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    lines = [HEADER]
    for index, pair in enumerate([(4, 0), (0, 4), (2**32 - 1, 0), (0, 2**32 - 1)]):
        case = Case(((0, 1), (2, 3), (4, 5), (6, 7)), ((0, 1), pair))
        sources = packed([0, 1, *pair], 32)
        direct, mirrored = case.memory()
        lines.append(
            f"theorem refused{index} : Extremum.run ⟨1, {CENTER}, {HALF}⟩ .true 2 (nat_lit {sources:#x}) "
            f"(nat_lit {direct:#x}) (nat_lit {mirrored:#x}) 4 (fun _ _ _ => true) = false "
            ":= by decide +kernel\n"
        )
    assert outcome("".join(lines), lean, library, tmp_path) == (End.EXITED, 0)
