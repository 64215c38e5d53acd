"""Decoding weights in the kernel: `decode` against Python's reading of the same 32-bit patterns."""

from __future__ import annotations

import random
import shutil
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall, ensure_built
from pytest_torchlean.checker.lean_process import End, run_lean
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.messages import parse_messages
from pytest_torchlean.checker.sources import source_directory

HEADER = """prelude
import PytestTorchLean.Check.DecodeTiles
namespace PytestTorchLean
deriving instance DecidableEq for Column
deriving instance DecidableEq for List
deriving instance DecidableEq for Option
"""


@dataclass(frozen=True)
class Matrix:
    """Bit patterns by [column][row][lane], the order in which a model's words are packed."""

    rows: int
    lanes: int
    columns: int
    patterns: tuple[int, ...]

    def lean(self) -> str:
        packed = sum(word << (32 * index) for index, word in enumerate(self.patterns))
        return f"(Affine.mk {self.rows} {self.lanes} {self.columns} (nat_lit {packed:#x}) 1 0 1)"

    def at(self, row: int, lane: int, column: int) -> int:
        return self.patterns[lane + self.lanes * (row + self.rows * column)]


@dataclass(frozen=True)
class Decoding:
    base: int
    stages: int
    bits: int

    def lean(self) -> str:
        return f"(Decoding.mk {self.base} {self.stages} {self.bits})"


def scaled(pattern: int, base: int) -> int:
    """The pattern's value divided by 2^(base - 150), which must be an integer."""
    (value,) = struct.unpack("<f", struct.pack("<I", pattern))
    quotient = Fraction(value) * Fraction(2) ** (150 - base)
    assert quotient.denominator == 1
    return quotient.numerator


def decoded(matrix: Matrix, base: int) -> str:
    """What `decode` must return, as a Lean term."""

    def column(lane: int, column: int) -> str:
        parts = [0, 0]
        for row in range(matrix.rows):
            value = scaled(matrix.at(row, lane, column), base)
            parts[value < 0] += abs(value) << (32 * matrix.lanes * row)
        return f"Column.mk (nat_lit {parts[0]:#x}) (nat_lit {parts[1]:#x})"

    lanes = (
        "[" + ", ".join(column(lane, index) for index in range(matrix.columns)) + "]"
        for lane in range(matrix.lanes)
    )
    return f"some [{', '.join(lanes)}]"


def claim(name: str, matrix: Matrix, decoding: Decoding, result: str) -> str:
    return f"theorem {name} : decode {matrix.lean()} {decoding.lean()} = {result} := by decide +kernel\n"


def accepts(matrix: Matrix, decoding: Decoding) -> str:
    return claim("accepts", matrix, decoding, decoded(matrix, decoding.base))


def refuses(matrix: Matrix, decoding: Decoding) -> str:
    return claim("refuses", matrix, decoding, "none")


@pytest.fixture(scope="module")
def library(lean: LeanInstall, tmp_path_factory: pytest.TempPathFactory) -> BuiltLibrary:
    folder = tmp_path_factory.mktemp("decode-sources")
    shutil.copytree(source_directory() / "PytestTorchLean", folder / "PytestTorchLean")
    (folder / "PytestTorchLean.lean").write_text("prelude\nimport PytestTorchLean.Check.DecodeTiles\n")
    return ensure_built(lean, sources=folder)


@pytest.fixture
def proves(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> Callable[[Sequence[str]], bool]:
    """Whether Lean accepts all theorems."""

    def run(theorems: Sequence[str]) -> bool:
        numbered = (text.replace("theorem ", f"theorem t{n}_", 1) for n, text in enumerate(theorems))
        source = tmp_path / "Examples.lean"
        source.write_text(HEADER + "".join(numbered))
        result = run_lean(
            lean,
            ["--json", *OPTIONS, str(source)],
            directory=tmp_path,
            lean_path=[library.olean_directory],
            wall_seconds=120,
            memory_mb=2048,
        )
        assert result.end is End.EXITED
        errors = [message.text for message in parse_messages(result.stdout) if message.severity == "error"]
        assert (result.code == 0) == (not errors)
        return result.code == 0

    return run


def pattern(value: float) -> int:
    return int(struct.unpack("<I", struct.pack("<f", value))[0])


SMALL = Matrix(2, 2, 2, tuple(map(pattern, (1.0, 0.5, 1.0, 5.0, -0.5, 0.0, -0.0, 3.25))))
SUBNORMAL = Matrix(2, 3, 1, (0x00000001, 0x807FFFFF, 0, 0x80000000, 0x01800000, 0x80800001))
LARGEST = Matrix(1, 2, 1, (0x7F7FFFFF, 0xFF7FFFFF))


def test_patterns_become_their_values(proves: Callable[[Sequence[str]], bool]) -> None:
    assert proves(
        [
            accepts(SMALL, Decoding(126, 2, 27)),
            accepts(SMALL, Decoding(120, 4, 40)),
            accepts(SUBNORMAL, Decoding(1, 2, 27)),
            accepts(LARGEST, Decoding(254, 0, 24)),
            # one lane, many lanes, no columns, no rows, no lanes
            accepts(Matrix(1, 1, 1, (pattern(-2.5),)), Decoding(128, 3, 31)),
            accepts(Matrix(1, 7, 1, tuple(pattern(k / 4) for k in range(-3, 4))), Decoding(100, 5, 55)),
            accepts(Matrix(3, 2, 0, ()), Decoding(126, 2, 27)),
            accepts(Matrix(0, 2, 3, ()), Decoding(126, 2, 27)),
            accepts(Matrix(2, 0, 2, ()), Decoding(126, 2, 27)),
            # an exponent range that needs digits of many lanes
            accepts(Matrix(1, 5, 1, (1, pattern(1.0), 0, pattern(-1.0), 0x80000001)), Decoding(1, 7, 151)),
        ]
    )


def test_random_matrices(proves: Callable[[Sequence[str]], bool]) -> None:
    rng = random.Random(20240229)
    theorems = []
    for _ in range(40):
        rows, lanes, columns = rng.randrange(1, 5), rng.randrange(1, 7), rng.randrange(0, 8)
        stages = rng.randrange(0, 4 if lanes == 1 else 6)
        base = rng.randrange(1, 256 - 2**stages)
        zero_fraction = (1 << 23) if base == 1 else 1
        words = []
        for _ in range(rows * lanes * columns):
            exponent = rng.choice((0, *range(base, base + 2**stages)))
            fraction = rng.randrange(1 << 23) if exponent else rng.randrange(zero_fraction)
            words.append(rng.randrange(2) << 31 | exponent << 23 | fraction)
        decoding = Decoding(base, stages, 23 + 2**stages)
        theorems.append(accepts(Matrix(rows, lanes, columns, tuple(words)), decoding))
    assert proves(theorems)


def test_columns_of_large_matrices_stay_in_their_order(proves: Callable[[Sequence[str]], bool]) -> None:
    """More weights than are decoded at once; all but those of row 0 are zero."""
    rows, lanes, columns, decoding = 9000, 2, 3, Decoding(127, 3, 31)
    values = [[float(1 + column + columns * lane) for lane in range(lanes)] for column in range(columns)]
    weights = "nat_lit 0"
    for column in reversed(range(columns)):
        low = sum(pattern(value) << (32 * lane) for lane, value in enumerate(values[column]))
        weights = f"Nat.add (nat_lit {low}) (Nat.shiftLeft ({weights}) (nat_lit {32 * lanes * rows}))"
    lists = [
        [
            f"Column.mk (nat_lit {scaled(pattern(values[column][lane]), decoding.base)}) (nat_lit 0)"
            for column in range(columns)
        ]
        for lane in range(lanes)
    ]
    text = f"decode (Affine.mk {rows} {lanes} {columns} ({weights}) 1 0 1) {decoding.lean()} = "

    def stated(order: Sequence[int]) -> str:
        right = ", ".join(f"[{', '.join(lane[place] for place in order)}]" for lane in lists)
        return f"theorem large : {text} some [{right}] := by decide +kernel\n"

    assert proves([stated((0, 1, 2))])
    assert not proves([stated((1, 0, 2))])


def test_what_does_not_fit_is_refused(proves: Callable[[Sequence[str]], bool]) -> None:
    def lone(word: int) -> Matrix:
        return Matrix(2, 2, 1, (pattern(1.0), 0, word, pattern(-1.0)))

    assert proves(
        [
            # infinities and NaN
            refuses(lone(0x7F800000), Decoding(126, 2, 27)),
            refuses(lone(0xFF800000), Decoding(126, 2, 27)),
            refuses(lone(0x7FC00000), Decoding(252, 2, 27)),
            refuses(Matrix(1, 2, 1, (0, 0x7F800001)), Decoding(255, 0, 24)),
            # exponents below the base, and above the stages
            refuses(SMALL, Decoding(127, 2, 27)),
            refuses(SMALL, Decoding(126, 1, 27)),
            # a subnormal number when the base is above 1
            refuses(lone(0x00000001), Decoding(126, 2, 27)),
            # too few bits for the integers, too many for the digits
            refuses(SMALL, Decoding(126, 2, 24)),
            refuses(SMALL, Decoding(126, 2, 65)),
            refuses(SMALL, Decoding(120, 6, 64)),
            # bases that no exponent field has
            refuses(SMALL, Decoding(0, 5, 60)),
            refuses(Matrix(1, 2, 1, (0, 0)), Decoding(256, 0, 24)),
        ]
    )


def test_another_value_is_not_accepted(proves: Callable[[Sequence[str]], bool]) -> None:
    decoding = Decoding(126, 2, 27)
    for index in range(len(SMALL.patterns)):
        other = list(SMALL.patterns)
        other[index] ^= 1 << (31 if other[index] & 0x7FFFFFFF else 30)
        changed = Matrix(SMALL.rows, SMALL.lanes, SMALL.columns, tuple(other))
        assert not proves([claim("differs", changed, decoding, decoded(SMALL, decoding.base))])
