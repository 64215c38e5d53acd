"""Whether this process computes as IEEE-754 says: subnormals kept, rounding to nearest, ties to even.

Both are modes of the processor that any library of the process may change for the calling thread and for
threads started later (onnxruntime's `session.set_denormal_as_zero` does, for numpy and later sessions too).
So the arithmetic itself is asked, in numpy and inside onnxruntime, on one thread and on two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.runtime import RuntimeSession, SessionSettings, products_and_sums

Array = NDArray[np.generic]
Compute = Callable[[Array, Array], tuple[Array, Array]]
"""Products and sums of two equally long arrays."""

_LENGTH = 2**15
"""Numbers in an array: enough for vectors, for their tails, and for onnxruntime to use two threads."""


@dataclass(frozen=True)
class _Case:
    """One operation on bit patterns: the product or the sum of the first two is the third."""

    product: bool
    left: int
    right: int
    result: int
    fault: str


_FLUSHED_RESULT = "a subnormal result becomes zero"
_FLUSHED_OPERAND = "a subnormal operand counts as zero"
_MODES = ("a tie is rounded up", "a tie is rounded down", "a tie is rounded towards zero")


def _cases(exponent_bits: int, fraction_bits: int) -> tuple[_Case, ...]:
    """The cases of a binary format, by bit patterns alone: no arithmetic of the process is believed."""
    bias = (1 << (exponent_bits - 1)) - 1
    sign = 1 << (exponent_bits + fraction_bits)
    one, half, two = (exponent << fraction_bits for exponent in (bias, bias - 1, bias + 1))
    least_normal, subnormal = 1 << fraction_bits, 3 << (fraction_bits - 3)
    half_ulp, quarter_ulp = ((bias - fraction_bits - steps) << fraction_bits for steps in (1, 2))
    return (
        _Case(True, least_normal, half, least_normal >> 1, _FLUSHED_RESULT),
        _Case(False, least_normal, sign | subnormal, least_normal - subnormal, _FLUSHED_OPERAND),
        _Case(True, subnormal, two, subnormal << 1, _FLUSHED_OPERAND),
        _Case(False, subnormal, 0, subnormal, _FLUSHED_OPERAND),
        _Case(False, one, half_ulp, one, _MODES[0]),
        _Case(False, sign | one, sign | half_ulp, sign | one, _MODES[1]),
        _Case(False, one, sign | quarter_ulp, one, _MODES[2]),
        _Case(False, sign | one, quarter_ulp, sign | one, _MODES[2]),
    )


_FORMATS = (("float32", np.uint32, _cases(8, 23)), ("float64", np.uint64, _cases(11, 52)))


def require_ieee_arithmetic(when: str = "") -> None:
    """Raise RuntimeFailure TL0710 where subnormals are flushed, TL0711 where rounding is not to nearest.

    `when` is put ahead of the message, e.g. "after the check: ".
    """
    for where, compute in _engines():
        for name, word, cases in _FORMATS:
            fault = _fault(name, word, cases, compute)
            if fault is not None:
                code = "TL0710" if fault in (_FLUSHED_RESULT, _FLUSHED_OPERAND) else "TL0711"
                raise RuntimeFailure(code, f"{when}{fault} in {name} arithmetic of {where}")
    _require_extended(when)


def _engines() -> Iterator[tuple[str, Compute]]:
    yield "numpy", _numpy
    for threads in (1, 2):
        yield f"onnxruntime with {threads} thread{'s' * (threads > 1)}", _onnxruntime(threads)


def _fault(name: str, word: type, cases: tuple[_Case, ...], compute: Compute) -> str | None:
    """The first case that comes out wrong somewhere in an array, in words."""
    repeated = -(-_LENGTH // len(cases))
    columns: list[NDArray[Any]] = [
        np.resize(np.array([getattr(case, key) for case in cases], dtype=word), repeated * len(cases))
        for key in ("left", "right", "result")
    ]
    left, right = (column.view(name) for column in columns[:2])
    results: list[NDArray[Any]] = [np.ascontiguousarray(part).view(word) for part in compute(left, right)]
    products, sums = results
    for place, case in enumerate(cases):
        found = (products if case.product else sums)[place :: len(cases)]
        if (found != columns[2][place]).any():
            return case.fault
    return None


def _numpy(left: Array, right: Array) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        return np.multiply(left, right), np.add(left, right)


def _onnxruntime(threads: int) -> Compute:
    """A session of its own, so that its threads start with the modes that the process has now."""
    session = RuntimeSession(products_and_sums(), settings=SessionSettings("none", threads))

    def compute(left: Array, right: Array) -> tuple[Array, Array]:
        other = np.zeros(0, dtype=np.float64 if left.dtype == np.float32 else np.float32)
        given = {f"{side}{array.dtype.name}": array for side, array in (("a", left), ("b", right))}
        given |= {f"{side}{other.dtype.name}": other for side in "ab"}
        names = [f"{kind}{left.dtype.name}" for kind in ("product", "sum")]
        products, sums = session.fetch(names, given)
        return products, sums

    return compute


def _require_extended(when: str) -> None:
    """The mode of the x87 unit, where numpy's longdouble is its 80-bit format."""
    if np.finfo(np.longdouble).nmant != 63:
        return
    one, tie = (np.ldexp(np.ones(1, dtype=np.longdouble), power) for power in (0, -64))
    half_tie, last = (np.ldexp(np.ones(1, dtype=np.longdouble), power) for power in (-65, -63))
    nearest = (one + tie == one) & (-one - tie == -one) & (one - half_tie == one)
    if not bool((nearest & (one + last != one)).all()):
        raise RuntimeFailure("TL0711", f"{when}the x87 unit does not round to nearest with 64 bits")
