"""Matrix products and sums under the declared sequential schedule, bit-exact.

Schedule: the accumulator starts at +0; for k ascending, acc = fl(acc + fl(a_k * b_k)), each `fl` one
rounding to nearest even (IEEE-754, no fused multiply-add, no flush to zero). Every NaN result is the
quiet NaN 0x7fc00000, because the standard leaves payloads open.

Two implementations give the same bits: numpy, vectorised over the outputs with a loop over k, and
numba (`loops`), which keeps a tile of outputs in registers; `machine.choose` says which one runs. Threads
share the outputs among them, never a sum, so their number changes no bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.machine import (
    Implementation,
    choose,
    numba_available,
    spread,
    thread_count,
)
from pytest_torchlean.errors import RuntimeFailure

Float32 = NDArray[np.float32]

__all__ = [
    "Implementation",
    "RightFactor",
    "canonical_nan",
    "matmul",
    "matmul_each",
    "numba_available",
    "numpy_seconds",
    "require_gradual_underflow",
    "sequential_sum",
]

_NUMPY_STEP_COST = 2e-6
"""Seconds of interpreter time per value of k."""
_NUMPY_ELEMENT_COST = 5e-10
_WORTH_THREADS = 2**22
"""Products for which a second thread pays."""
_NO_BIAS = np.empty(0, dtype=np.float32)


def canonical_nan(values: Float32) -> Float32:
    """Replace every NaN, in place, by the quiet NaN 0x7fc00000; returns its argument."""
    nan = np.isnan(values)
    if nan.any():
        values[nan] = np.uint32(0x7FC00000).view(np.float32)
    return values


def numpy_seconds(rows: int, depth: int, columns: int) -> float:
    """What a product costs without numba, by estimate."""
    return depth * (_NUMPY_STEP_COST + rows * columns * _NUMPY_ELEMENT_COST)


def matmul(
    a: Float32, b: Float32, *, implementation: Implementation | None = None, threads: int | None = None
) -> Float32:
    """The product of float32 (rows, k) and (k, columns) under the sequential schedule, k ascending."""
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"cannot multiply {a.shape} by {b.shape}")
    if choose("sums", numpy_seconds(a.shape[0], a.shape[1], b.shape[1]), implementation) == "numba":
        return RightFactor(b).product(a, threads=threads)
    return canonical_nan(_matmul_numpy(a, b))


class RightFactor:
    """A float32 matrix (k, columns) cut into panels once, for many compiled products."""

    def __init__(self, b: Float32) -> None:
        from pytest_torchlean.binary32 import loops
        from pytest_torchlean.binary32.tile import WIDTH

        self.depth, self.columns = b.shape
        self._panels = np.empty((-(-self.columns // WIDTH), self.depth, WIDTH), dtype=np.float32)
        loops.cut(b, self._panels)
        self._multiply = loops.multiply

    def product(self, a: Float32, bias: Float32 | None = None, *, threads: int | None = None) -> Float32:
        """a @ b, and fl(a @ b + bias) with one bias per column; a: (rows, k)."""
        a = np.ascontiguousarray(a)
        rows = a.shape[0]
        added = _NO_BIAS if bias is None else np.ascontiguousarray(bias)
        out = np.empty((rows, self.columns), dtype=np.float32)
        panels = self._panels
        if rows * self.depth * self.columns < _WORTH_THREADS:
            self._multiply(a, panels, added, out, 0, len(panels))
            return out
        count = thread_count(threads)
        if rows > len(panels):

            def work(start: int, stop: int) -> None:
                self._multiply(a[start:stop], panels, added, out[start:stop], 0, len(panels))

            spread(rows, count, work)
        else:
            spread(len(panels), count, lambda start, stop: self._multiply(a, panels, added, out, start, stop))
        return out


def matmul_each(
    a: Float32, b: Float32, *, implementation: Implementation | None = None, threads: int | None = None
) -> Float32:
    """The products of (count, rows, k) and (count, k, columns), one by one."""
    count, rows, depth = a.shape
    columns = b.shape[2]
    if b.shape[:2] != (count, depth):
        raise ValueError(f"cannot multiply {a.shape} by {b.shape}")
    if (implementation or choose("sums", count * numpy_seconds(rows, depth, columns))) == "numpy":
        out = np.empty((count, rows, columns), dtype=np.float32)
        for index in range(count):
            out[index] = _matmul_numpy(a[index], b[index])
        return canonical_nan(out)
    return _matmul_each_compiled(np.ascontiguousarray(a), b, threads)


def _matmul_each_compiled(a: Float32, b: Float32, threads: int | None = None) -> Float32:
    from pytest_torchlean.binary32 import loops

    out = np.empty((a.shape[0], a.shape[1], b.shape[2]), dtype=np.float32)
    if a.size * b.shape[2] < _WORTH_THREADS:
        loops.multiply_each(a, b, out, 0, len(a))
        return out
    if len(a) == 1:
        return RightFactor(b[0]).product(a[0], threads=threads)[None]
    spread(len(a), thread_count(threads), lambda start, stop: loops.multiply_each(a, b, out, start, stop))
    return out


def sequential_sum(terms: Float32, *, implementation: Implementation | None = None) -> Float32:
    """Sum over the first axis in ascending order, the accumulator starting at +0; float32."""
    count, size = terms.shape[0], math.prod(terms.shape[1:])
    if choose("sums", numpy_seconds(1, count, size), implementation) == "numba":
        from pytest_torchlean.binary32 import loops

        result = np.zeros(terms.shape[1:], dtype=np.float32)
        loops.add_up(np.ascontiguousarray(terms).reshape(count, size), result.reshape(-1))
        return result
    total = np.zeros(terms.shape[1:], dtype=np.float32)
    with np.errstate(all="ignore"):
        for term in terms:
            np.add(total, term, out=total)
    return canonical_nan(total)


def require_gradual_underflow() -> None:
    """RuntimeFailure TL0710 when this thread flushes subnormal numbers to zero.

    Another library may have set the processor's flush mode (onnxruntime's
    `session.set_denormal_as_zero` leaks it into the process); results would then not be binary32.
    """
    smallest = np.array([1], dtype=np.uint32).view(np.float32)
    if not bool((smallest + np.float32(0)).view(np.uint32)[0] == 1):
        raise RuntimeFailure(
            "TL0710", "this process flushes subnormal numbers to zero, so binary32 results would be wrong"
        )


def _matmul_numpy(a: Float32, b: Float32) -> Float32:
    rows, depth = a.shape
    columns = b.shape[1]
    total = np.zeros((rows, columns), dtype=np.float32)
    product = np.empty((rows, columns), dtype=np.float32)
    with np.errstate(all="ignore"):
        for k in range(depth):
            np.multiply(a[:, k, None], b[k], out=product)
            np.add(total, product, out=total)
    return total
