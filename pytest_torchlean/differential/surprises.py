"""Where onnxruntime is known to leave what an operator means, so that a probe names it and goes on.

Each row says by which operator, on which probes and within what; anything beyond is a divergence. The same
facts, measured with onnxruntime 1.31.1, are listed in DIVERGENCES.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.graph import Node
from pytest_torchlean.ops.rule import Arrays, floats, real

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Explains = Callable[[Node, Arrays, Float64, Float64], Mask]
"""Which elements a surprise explains: node, operands, flat runtime and expected values."""


@dataclass(frozen=True)
class Surprise:
    """One known difference. `text` is what the record says."""

    ops: frozenset[str]
    text: str
    explains: Explains


def explained(
    node: Node, operands: Arrays, runtime: NDArray[np.generic], expected: NDArray[np.generic], wrong: Mask
) -> tuple[Mask, tuple[str, ...]]:
    """`wrong` without the elements that a known surprise explains, and the surprises met."""
    left, met = wrong, []
    got, wanted = (np.asarray(value, dtype=np.float64).reshape(-1) for value in (runtime, expected))
    for surprise in SURPRISES:
        if not left.any():
            break
        if node.op not in surprise.ops:
            continue
        with np.errstate(all="ignore"):
            mask = left & surprise.explains(node, operands, got, wanted)
        if mask.any():
            met.append(f"{node.op}: {surprise.text}")
            left = left & ~mask
    return left, tuple(met)


def _small_sums(node: Node, operands: Arrays, got: Float64, wanted: Float64) -> Mask:
    """Within 2^-22: half a unit in the last place of the largest value that Tanh takes, several times."""
    return np.asarray(np.abs(got - wanted) <= 2.0**-22)


def _running_window(node: Node, operands: Arrays, got: Float64, wanted: Float64) -> Mask:
    """Off by no more than the rounding errors of one sum of squares along all channels can cause."""
    x = floats(operands[0]).astype(np.float64)
    channels = x.shape[1]
    total = np.broadcast_to((x * x).sum(axis=1, keepdims=True), x.shape).reshape(-1)
    alpha, beta, bias = (abs(float(real(node, name))) for name in ("alpha", "beta", "bias"))
    relative = 2.0 * channels * 2.0**-24 * alpha * total * (1.0 + beta) / bias
    return np.asarray((np.abs(got - wanted) <= 4.0 * relative * np.abs(wanted)) | (relative > 0.25))


SURPRISES: Sequence[Surprise] = (
    Surprise(
        frozenset({"RNN"}),
        "Tanh inside the kernel is exact to 2^-22 absolutely, not relatively",
        _small_sums,
    ),
    Surprise(
        frozenset({"LRN"}),
        "the window of squares is a running sum, which keeps the errors of larger channels",
        _running_window,
    ),
)
