"""The binary32 kernel in Lean against numpy and the evaluator, bit for bit.

The suite compares 24 results on each of 10,000 records of four operands. For millions of records:

    TORCHLEAN_KERNEL_RECORDS=2000000 python -m pytest tests/checker/test_binary32_kernel.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_torchlean import ops
from pytest_torchlean.binary32 import kernels, ulp
from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End, ProcessResult, run_lean
from pytest_torchlean.ir.graph import Node
from pytest_torchlean.ops import RULES

Words = NDArray[np.uint32]
Floats = NDArray[np.float32]

PROGRAM = Path(__file__).parents[1] / "lean" / "programs" / "binary32_kernel.lean"
RECORDS = int(os.environ.get("TORCHLEAN_KERNEL_RECORDS", "10000"))
CHUNK = 250_000

QUIET_NAN = np.uint32(0x7FC00000)
SIGN = np.uint32(0x80000000)

# Zeros, subnormals, the smallest normal, ones and their neighbours, integers around 2^24 and 2^31, the
# largest numbers and halves of their last place, infinities, NaN with and without payload.
SPECIAL = np.array(
    [pattern | sign for pattern in (
        0x00000000, 0x00000001, 0x00000002, 0x00000003, 0x003FFFFF, 0x00400000, 0x007FFFFF, 0x00800000,
        0x00800001, 0x00FFFFFF, 0x01000000, 0x33800000, 0x33800001, 0x34000000, 0x3F7FFFFF, 0x3F800000,
        0x3F800001, 0x3FFFFFFF, 0x40000000, 0x40400000, 0x4B7FFFFF, 0x4B800000, 0x4B800001, 0x4EFFFFFF,
        0x4F000000, 0x1F800000, 0x5F000000, 0x5F7FFFFF, 0x72FFFFFF, 0x73000000, 0x73000001, 0x7E800000,
        0x7EFFFFFF, 0x7F000000, 0x7F7FFFFE, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF,
    ) for sign in (0, 0x80000000)],
    dtype=np.uint32,
)  # fmt: skip


def operands(count: int, seed: int) -> tuple[Words, Words, Words, Words]:
    """Four arrays of `count` patterns; the first records pair every special pattern with every other."""
    random = np.random.default_rng(seed)

    def patterns(size: int) -> Words:
        """Any; around 1, twice; subnormal and smallest; largest; small with subnormal products; special."""
        kind = random.integers(0, 6, size)
        signs = random.integers(0, 2, size, dtype=np.uint32) << np.uint32(31)
        fraction = random.integers(0, 1 << 23, size, dtype=np.uint32)
        short = fraction & ~((np.uint32(1) << random.integers(0, 23, size, dtype=np.uint32)) - np.uint32(1))
        fraction = np.where(random.integers(0, 2, size) == 0, fraction, short)
        exponents = np.choose(
            kind,
            [
                random.integers(0, 256, size),
                random.integers(115, 140, size),
                random.integers(126, 129, size),
                random.integers(0, 3, size),
                random.integers(250, 255, size),
                random.integers(60, 70, size),
            ],
        ).astype(np.uint32)
        mixed = signs | (exponents << np.uint32(23)) | fraction
        special = random.choice(SPECIAL, size)
        return np.where(random.integers(0, 16, size) == 0, special, mixed).astype(np.uint32)

    x, y, z, t = (patterns(count) for _ in range(4))
    # half a last place of x, so that sums are ties, exactly or nearly
    exponent = (x >> np.uint32(23)) & np.uint32(255)
    half = np.where(exponent > 24, (exponent - np.uint32(24)) << np.uint32(23), 1).astype(np.uint32)
    half = half + random.integers(0, 2, count, dtype=np.uint32) | (y & SIGN)
    y = np.where(random.integers(0, 8, count) == 0, half, y).astype(np.uint32)
    # z the negative of x * y, as rounded: the fused multiply-add shows the rounding error of the product
    with np.errstate(all="ignore"):
        rounded = (x.view(np.float32) * y.view(np.float32)).view(np.uint32)
    z = np.where(random.integers(0, 8, count) == 0, rounded ^ SIGN, z).astype(np.uint32)
    pairs = np.array(list(product(SPECIAL, SPECIAL)), dtype=np.uint32)[:count]
    x[: len(pairs)], y[: len(pairs)] = pairs[:, 0], pairs[:, 1]
    return x, y, z, t


def words(values: NDArray[np.generic]) -> Words:
    """Patterns of float32 numbers, every NaN quiet."""
    copy = np.array(values, dtype=np.float32)
    return kernels.canonical_nan(copy).view(np.uint32)


def multiply_add(x: Floats, y: Floats, z: Floats) -> Floats:
    """x * y + z with one rounding.

    The product is exact in binary64. Its sum with z is made odd where it is not exact; a binary64 number
    rounded so gives the same binary32 number as the exact one (Boldo, Melquiond 2008).
    """
    p, c = x.astype(np.float64) * y.astype(np.float64), z.astype(np.float64)
    total = p + c
    back = total - p
    error = (p - (total - back)) + (c - back)
    bits = total.view(np.int64)
    inexact = np.isfinite(total) & (error != 0) & ((bits & 1) == 0)
    away = (error > 0) == (total > 0)
    nudged = np.where(inexact, bits + np.where(away, 1, -1), bits).view(np.float64)
    return nudged.astype(np.float32)


def rule(op: str, *inputs: Floats, **attributes: object) -> Floats:
    """What the evaluator computes for one node."""
    node = Node(op, tuple(f"x{i}" for i in range(len(inputs))), ("y",), tuple(attributes.items()))  # type: ignore[arg-type]
    (result,) = RULES[op].evaluate(node, inputs)
    return np.asarray(result, dtype=np.float32)


def rows(op: str, left: Floats, right: Floats, *bias: Floats, **attributes: object) -> Floats:
    """Each row of `left` times the same row of `right`: diagonals of the node's results on blocks."""
    blocks = [slice(start, start + 128) for start in range(0, len(left), 128)]
    return np.concatenate(
        [
            np.diagonal(rule(op, left[at], right[at].T, *(value[at] for value in bias), **attributes))
            for at in blocks
        ]
    )


def convolutions(left: Floats, right: Floats, bias: Floats) -> Floats:
    """The same with Conv: rows as images of one channel, kernels of one position, and the bias."""
    attributes = {"group": 1, "strides": (1,), "pads": (0, 0), "dilations": (1,)}
    blocks = [slice(start, start + 128) for start in range(0, len(left), 128)]
    return np.concatenate(
        [
            np.diagonal(rule("Conv", left[at, None], right[at, None], bias[at], **attributes)[..., 0])
            for at in blocks
        ]
    )


def same_number(patterns: Words, values: Floats) -> None:
    """The same bits, or both zero."""
    assert np.all((patterns == words(values)) | ((patterns << np.uint32(1) == 0) & (values == 0)))


def expected(x: Words, y: Words, z: Words, t: Words) -> Words:
    """The results of every operation, one column each, in the order of `results` in the Lean program."""
    a, b, c, d = (value.view(np.float32) for value in (x, y, z, t))
    nan = np.isnan(a) | np.isnan(b)
    signed = x.view(np.int32)
    whole = np.trunc(a.astype(np.float64))
    in_range = np.abs(whole) < 2.0**31
    integers = np.where(in_range, whole, -(2.0**31)).astype(np.int64).astype(np.int32)
    left, right = np.stack([a, c, b], axis=1), np.stack([b, d, c], axis=1)
    larger, smaller = (
        np.where(nan, QUIET_NAN, np.where(b < a, x, y)),
        np.where(nan, QUIET_NAN, np.where(a < b, x, y)),
    )
    window = np.stack([a, b, c], axis=1)[:, None, :]
    third = larger.view(np.float32)
    largest = np.where(np.isnan(third) | np.isnan(c), QUIET_NAN, np.where(c < third, larger, z))
    # IEEE-754's maximum tells the zeros apart, numpy's does not, and neither do we
    same_number(larger, rule("Max", a, b))
    same_number(smaller, rule("Min", a, b))
    same_number(largest, rule("GlobalMaxPool", window).reshape(-1))
    columns = [
        words(rule("Add", a, b)),
        words(rule("Sub", a, b)),
        words(rule("Mul", a, b)),
        words(rule("Div", a, b)),
        words(multiply_add(a, b, c)),
        words(rule("Sqrt", a)),
        words(rule("Neg", a)),
        words(rule("Abs", a)),
        words(rule("Relu", a)),
        larger,
        smaller,
        words(signed.astype(np.float32)),
        integers.view(np.uint32),
        (rule("Equal", a, b) + 2 * rule("Less", a, b) + 4 * rule("LessOrEqual", a, b)).astype(np.uint32),
        words(rows("MatMul", left, right)),
        words(rows("Gemm", left, right, a, alpha=1.0, beta=1.0, trans_a=0, trans_b=0)),
        words(rule("GlobalAveragePool", window).reshape(-1)),
        words(rule("BatchNormalization", a[None, :], c, b, b, d, epsilon=float(np.float32(1e-5)))[0]),
        words(convolutions(left, right, d)),
        largest,
        words(
            np.concatenate([rule("Clip", a[i : i + 1], b[i : i + 1], c[i : i + 1]) for i in range(len(a))])
        ),
        words(rule("PRelu", a, b)),
        words(multiply_add(c, d, multiply_add(a, b, np.zeros_like(a)))),
        words(a * b + multiply_add(c, d, b * c)),
    ]
    return np.stack(columns, axis=1).astype(np.uint32)


def compare(table: Words, lean: LeanInstall, theorems: BuiltLibrary, folder: Path) -> ProcessResult:
    data = folder / "records"
    data.write_bytes(table.astype("<u4").tobytes())
    return run_lean(
        lean,
        ["--run", str(PROGRAM), str(data)],
        directory=folder,
        lean_path=[theorems.olean_directory],
        wall_seconds=600,
        memory_mb=2048,
    )


def records(count: int, seed: int) -> Words:
    with np.errstate(all="ignore"):
        given = operands(count, seed)
        return np.concatenate([np.stack(given, axis=1), expected(*given)], axis=1)


def test_every_operation_gives_the_same_bits(
    lean: LeanInstall, theorems: BuiltLibrary, tmp_path: Path
) -> None:
    for seed, start in enumerate(range(0, RECORDS, CHUNK)):
        table = records(min(CHUNK, RECORDS - start), seed)
        result = compare(table, lean, theorems, tmp_path)
        assert (result.end, result.code) == (End.EXITED, 0), describe(table, result)
        assert result.stdout == b"agree %d\n" % len(table)


def describe(table: Words, result: ProcessResult) -> str:
    text = result.stdout.decode() + result.stderr.decode()
    if not text.startswith("differ "):
        return text
    record, position, word = (int(part) for part in text.split()[1:4])
    given = " ".join(f"{value:08x}" for value in table[record, :4])
    return f"operation {position} on {given}: Lean {word:08x}, here {table[record, 4 + position]:08x}"


@pytest.mark.parametrize("position", [0, 12, 23])
def test_a_wrong_bit_is_found(
    position: int, lean: LeanInstall, theorems: BuiltLibrary, tmp_path: Path
) -> None:
    table = records(40, 7)
    right = int(table[33, 4 + position])
    table[33, 4 + position] ^= 1
    result = compare(table, lean, theorems, tmp_path)
    assert (result.end, result.code) == (End.EXITED, 4)
    assert result.stdout == b"differ 33 %d %d\n" % (position, right)


ARITHMETIC = (
    ops.batch_normalization,
    ops.conv,
    ops.dense,
    ops.elementwise,
    ops.extremum,
    ops.leaky,
    ops.max_pooling,
    ops.pooling,
    ops.relu,
)
"""Families that certificates speak about with the arithmetic of Lean's kernel program."""
COPIES = (ops.indexed, ops.movement, ops.ordering)
"""Families that copy elements or find their places."""
OTHERS = (
    (ops.col2im, "sums that Lean's kernel program knows only as matrix products"),
    (ops.cumulative, "sums and products that certificates do not contain"),
    (ops.einsum, "sums of products that certificates do not contain"),
    (ops.elementary, "functions without a meaning in Lean; Sqrt is compared all the same"),
    (ops.integral, "conversions to integers"),
    (ops.interpolation, "weights that the lowering computes"),
    (ops.linear_algebra, "sums and products that certificates do not contain"),
    (ops.logic, "truth values and bits; the comparisons are compared all the same"),
    (ops.normalization, "made of elementary functions"),
    (ops.quantization, "conversions to integers"),
    (ops.recurrent, "made of elementary functions"),
    (ops.reduction, "sums and products that certificates do not contain"),
    (ops.sampling, "positions that are computed"),
    (ops.thresholds, "comparisons and sums that certificates do not contain"),
)
"""Families that Lean's kernel program does not know, and why."""
SAME_ARITHMETIC = {"LeakyRelu": "PRelu", "AveragePool": "GlobalAveragePool", "MaxPool": "GlobalMaxPool"}
NO_CERTIFICATE = {"ConvTranspose", "GlobalLpPool", "LpPool", "MaxUnpool"}


def test_no_operation_of_the_intermediate_representation_is_left_out() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    compared = set(re.findall(r"""(?:rule|rows)\(\s*"(\w+)\"""", text))
    certified = {op for family in ARITHMETIC for op in family.RULES} - NO_CERTIFICATE
    assert set(SAME_ARITHMETIC.values()) <= compared
    assert certified <= compared | set(SAME_ARITHMETIC)
    families = (*ARITHMETIC, *COPIES, *(family for family, _ in OTHERS))
    assert set(RULES) == {op for family in families for op in family.RULES}


def test_the_operands_include_what_is_hard() -> None:
    x, y, _, _ = operands(20_000, 0)
    a, b = x.view(np.float32), y.view(np.float32)
    with np.errstate(all="ignore"):
        total = a.astype(np.float64) + b.astype(np.float64)
        rounded = (a + b).astype(np.float64)
        spacing = np.spacing(np.abs(a + b)).astype(np.float64)
        assert ((a != 0) & (np.abs(a) < np.finfo(np.float32).tiny)).sum() > 1000
        assert (np.abs(total - rounded) * 2 == spacing)[np.isfinite(rounded)].sum() > 100
        assert (np.isinf(a * b) & np.isfinite(a) & np.isfinite(b)).sum() > 500
        assert (np.isnan(a) | np.isnan(b)).sum() > 500
        assert ((x << np.uint32(1) == 0) & (y << np.uint32(1) == 0)).sum() >= 4


def exact_multiply_add(x: np.float32, y: np.float32, z: np.float32) -> np.float32:
    value = ulp.exact(x) * ulp.exact(y) + ulp.exact(z)
    return (
        np.float32(ulp.round_nearest(value))
        if value
        else np.float32(np.float64(x) * np.float64(y) + np.float64(z))
    )


def exact_quotient(x: np.float32, y: np.float32, _: np.float32) -> np.float32:
    sign = np.float32(np.copysign(1, x) * np.copysign(1, y))
    value = Fraction(ulp.exact(x)) / ulp.exact(y)
    return np.float32(np.copysign(ulp.round_nearest(abs(value)), sign))


@pytest.mark.parametrize(
    ("column", "reference"), [(4, exact_multiply_add), (3, exact_quotient)], ids=["fma", "div"]
)
def test_the_reference_is_the_rounding_of_the_exact_result(
    column: int, reference: Callable[[np.float32, np.float32, np.float32], np.float32]
) -> None:
    table = records(9000, 3)[6000:]
    a, b, c = (table[:, i].copy().view(np.float32) for i in range(3))
    usable = np.flatnonzero(np.isfinite(a) & np.isfinite(b) & np.isfinite(c) & (b != 0))
    assert len(usable) > 1000
    for i in usable:
        assert ulp.bits_of(reference(a[i], b[i], c[i])) == table[i, 4 + column]
