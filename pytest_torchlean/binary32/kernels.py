"""Matrix product under the declared sequential schedule, bit-exact.

Schedule: the accumulator starts at +0; for k ascending, acc = fl(acc + fl(a_k * b_k)), each `fl` one
rounding to nearest even (IEEE-754, no fused multiply-add, no flush to zero). Every NaN result is the
quiet NaN 0x7fc00000, because the standard leaves payloads open.

Two implementations give the same bits: numpy, vectorised over the outputs with a loop over k, and
numba, compiled at first use. numba is used when it is installed and the product is large enough to
pay for it; `TORCHLEAN_KERNELS=numpy` or `=numba` in the environment, or the argument, overrides.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import RuntimeFailure

Float32 = NDArray[np.float32]
Implementation = Literal["numpy", "numba"]

_NUMPY_STEP_COST = 2e-6
"""Seconds of interpreter time per value of k."""
_NUMPY_ELEMENT_COST = 5e-10
_WORTH_COMPILING = 1e-3
"""Seconds a numpy product may take before numba is preferred."""


def canonical_nan(values: Float32) -> Float32:
    """Replace every NaN, in place, by the quiet NaN 0x7fc00000; returns its argument."""
    nan = np.isnan(values)
    if nan.any():
        values[nan] = np.uint32(0x7FC00000).view(np.float32)
    return values


def matmul(a: Float32, b: Float32, *, implementation: Implementation | None = None) -> Float32:
    """The product of float32 (rows, k) and (k, columns) under the sequential schedule, k ascending."""
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"cannot multiply {a.shape} by {b.shape}")
    chosen = implementation or _choose(a.shape[0], a.shape[1], b.shape[1])
    if chosen == "numba":
        product = _compiled()(np.ascontiguousarray(a), np.ascontiguousarray(b))
    else:
        product = _matmul_numpy(a, b)
    return canonical_nan(product)


def sequential_sum(terms: Float32) -> Float32:
    """Sum over the first axis in ascending order, the accumulator starting at +0; float32."""
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


def _choose(rows: int, depth: int, columns: int) -> Implementation:
    wanted = os.environ.get("TORCHLEAN_KERNELS", "")
    if wanted == "numpy" or not numba_available():
        return "numpy"
    if wanted == "numba":
        return "numba"
    cost = depth * (_NUMPY_STEP_COST + rows * columns * _NUMPY_ELEMENT_COST)
    return "numba" if cost > _WORTH_COMPILING else "numpy"


@functools.cache
def numba_available() -> bool:
    """Whether numba is installed; it is not imported to find out."""
    return importlib.util.find_spec("numba") is not None


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


def _matmul_loops(a: Float32, b: Float32) -> Float32:
    rows, depth = a.shape
    columns = b.shape[1]
    total = np.zeros((rows, columns), dtype=np.float32)
    for i in range(rows):
        for k in range(depth):
            factor = a[i, k]
            for j in range(columns):
                total[i, j] += factor * b[k, j]
    return total


@functools.cache
def _compiled() -> Callable[[Float32, Float32], Float32]:
    """The compiled kernel: no fastmath, so no contraction and no reordering; nothing is cached on disk."""
    import numba

    matrix = numba.types.Array(numba.float32, 2, "C", readonly=True)
    result = numba.types.Array(numba.float32, 2, "C")
    compiler = numba.njit(result(matrix, matrix), fastmath=False, cache=False)
    return cast("Callable[[Float32, Float32], Float32]", compiler(_matmul_loops))
