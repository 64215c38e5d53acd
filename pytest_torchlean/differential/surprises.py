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
    node: Node,
    operands: Arrays,
    runtime: NDArray[np.generic],
    expected: NDArray[np.generic],
    wrong: Mask,
    label: str = "",
) -> tuple[Mask, tuple[str, ...]]:
    """`wrong` without the elements that a known surprise explains, and the surprises met.

    label: the operator that the runtime runs, where the node is a part of it.
    """
    left, met = wrong, []
    got, wanted = (np.asarray(value, dtype=np.float64).reshape(-1) for value in (runtime, expected))
    for surprise in SURPRISES:
        if not left.any():
            break
        if node.op not in surprise.ops and label not in surprise.ops:
            continue
        with np.errstate(all="ignore"):
            mask = left & surprise.explains(node, operands, got, wanted)
        if mask.any():
            met.append(f"{label or node.op}: {surprise.text}")
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


def _has(condition: Callable[[NDArray[np.float32]], Mask]) -> Explains:
    """Any element, where a float32 operand has such a number."""

    def explains(node: Node, operands: Arrays, got: Float64, wanted: Float64) -> Mask:
        given = [value for value in operands if value is not None and value.dtype == np.float32]
        return np.full(got.shape, any(condition(floats(value)).any() for value in given))

    return explains


def _sign_of_zero(node: Node, operands: Arrays, got: Float64, wanted: Float64) -> Mask:
    return np.asarray((got == 0) & (wanted == 0))


def _limit_is_nan(node: Node, operands: Arrays, got: Float64, wanted: Float64) -> Mask:
    """NaN at an infinite operand."""
    infinite = [np.isinf(floats(value)) for value in operands if value is not None]
    at = np.broadcast_to(infinite[0], infinite[0].shape).reshape(-1)
    return np.isnan(got) & at if at.shape == got.shape else np.zeros(got.shape, dtype=np.bool_)


_NAN, _NOT_FINITE = np.isnan, lambda values: ~np.isfinite(values)

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
    Surprise(
        frozenset(
            {
                "ArgMax",
                "ArgMin",
                "ReduceMax",
                "ReduceMin",
                "MaxPool",
                "GlobalMaxPool",
                "TopK",
                "Hardmax",
                "ScatterElements",
                "ScatterND",
            }
        ),
        "a NaN that is not first is dropped",
        _has(_NAN),
    ),
    Surprise(
        frozenset({"GRU", "LSTM", "RNN", "GridSample", "ThresholdedRelu", "Attention"}),
        "a NaN does not reach the result",
        _has(_NAN),
    ),
    Surprise(
        frozenset({"Resize", "GridSample", "DFT", "STFT", "GRU", "LSTM", "RNN", "Attention", "LRN"}),
        "an infinite operand meets other factors than in the definition",
        _has(_NOT_FINITE),
    ),
    Surprise(
        frozenset({"BatchNormalization", "InstanceNormalization", "LayerNormalization"}),
        "an infinite operand goes through another formula",
        _has(_NOT_FINITE),
    ),
    Surprise(
        frozenset({"Attention"}),
        "a causal mask is the most negative number",
        lambda node, operands, got, wanted: (got == -float(np.finfo(np.float32).max)) & (wanted == -np.inf),
    ),
    Surprise(
        frozenset({"Resize"}),
        "products with coordinates underflow one by one",
        lambda node, operands, got, wanted: np.abs(got - wanted) <= 2.0**-146,
    ),
    Surprise(
        frozenset({"MeanVarianceNormalization"}),
        "a variance that underflows, by another formula than ONNX's definition",
        lambda node, operands, got, wanted: np.full(
            got.shape,
            all(
                np.abs(floats(value)).max(initial=0.0) <= 2.0**-100 for value in operands if value is not None
            ),
        ),
    ),
    Surprise(
        frozenset({"DynamicQuantizeLinear"}),
        "a scale that underflows becomes 1",
        lambda node, operands, got, wanted: np.abs(wanted) <= 2.0**-126,
    ),
    Surprise(
        frozenset({"Gelu", "GeluTanh", "HardSwish", "Mish", "Swish", "Softsign"}),
        "NaN at an infinity",
        _limit_is_nan,
    ),
    Surprise(
        frozenset({"Conv", "ConvTranspose"}),
        "padding is multiplied by weights, or not",
        lambda node, operands, got, wanted: np.full(got.shape, not np.isfinite(floats(operands[1])).all()),
    ),
    Surprise(frozenset({"Where"}), "the sign of a zero is lost", _sign_of_zero),
)
