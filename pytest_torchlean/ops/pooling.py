"""AveragePool, GlobalAveragePool, LpPool and GlobalLpPool.

ONNX AveragePool 7, 10, 11, 19, 22; GlobalAveragePool 1, 22; LpPool 2, 11, 18, 22; GlobalLpPool 2, 22.
Schedule: the elements of the window that lie in the input are added in row-major order to an accumulator
that starts at +0, then one division by the count. With count_include_pad the count includes declared
padding, never what lies beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32 import kernels
from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.binary32.error_bounds import mean_bound
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.linear import ZERO, AffineBlock, AffineStep, Step
from pytest_torchlean.ops.formula import rule_of
from pytest_torchlean.ops.rule import (
    Array,
    Arrays,
    Float64,
    OpRule,
    Prepared,
    ShapeError,
    Types,
    float_type,
    floats,
    integer,
    positions,
    wide,
)
from pytest_torchlean.ops.windows import Windows, pooling_windows

Indices = NDArray[np.int64]


def _geometry(node: Node, shape: tuple[int, ...]) -> tuple[Windows, Indices, Indices]:
    """Windows, taps, and the count each window's sum is divided by."""
    windows = pooling_windows(node, shape)
    taps = windows.taps()
    if node.op == "AveragePool" and integer(node, "count_include_pad"):
        return windows, taps, windows.padded_counts()
    return windows, taps, np.asarray((taps != ZERO).sum(axis=1), dtype=np.int64)


def _infer(node: Node, types: Types) -> tuple[ValueType, ...]:
    shape = float_type(types[0], "the input").shape
    if len(shape) < 3:
        raise ShapeError(f"the input has shape {shape}, which has no spatial axis")
    windows, _, counts = _geometry(node, shape)
    if counts.size and int(counts.min()) == 0:
        raise ShapeError("a window lies entirely in the padding, so its average is undefined")
    return (ValueType("float32", (*shape[:2], *windows.outputs)),)


def _terms(x: Array, taps: Indices) -> Array:
    """What each window adds, padding as +0: (volume, channels, windows)."""
    flat = x.reshape(math.prod(x.shape[:2]), math.prod(x.shape[2:]))
    padded = np.concatenate([flat, np.zeros((len(flat), 1), dtype=x.dtype)], axis=1)
    return padded[:, taps].transpose(2, 0, 1)


def _evaluate(node: Node, inputs: Arrays) -> tuple[Array, ...]:
    x = floats(inputs[0])
    windows, taps, counts = _geometry(node, x.shape)
    total = kernels.sequential_sum(floats(_terms(x, taps)))
    with np.errstate(all="ignore"):
        result = np.divide(total, counts.astype(np.float32))
    return (kernels.canonical_nan(result).reshape(*x.shape[:2], *windows.outputs),)


def _prepare(node: Node, types: Types, constants: Arrays) -> Prepared:
    from pytest_torchlean.binary32 import loops

    shape = float_type(types[0], "the input").shape
    windows, taps, counts = _geometry(node, shape)
    divisors = counts.astype(np.float32)
    maps, extent = math.prod(shape[:2]), math.prod(shape[2:])

    def run(inputs: Arrays) -> tuple[Array, ...]:
        out = np.empty((maps, len(taps)), dtype=np.float32)
        loops.mean_of(np.ascontiguousarray(floats(inputs[0])).reshape(maps, extent), taps, divisors, out)
        return (out.reshape(*shape[:2], *windows.outputs),)

    return run


def _error_bound(node: Node, inputs: Arrays) -> tuple[Float64 | None, ...]:
    x = np.abs(wide(inputs[0]))
    windows, taps, counts = _geometry(node, x.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        magnitude = np.asarray(_terms(x, taps).sum(axis=0), dtype=np.float64)
    bound = mean_bound(magnitude, windows.volume, counts)
    return (bound.reshape(*x.shape[:2], *windows.outputs),)


def _step(node: Node, graph: Graph) -> Step | str:
    """weights 1, divisor = count: one block per distinct count."""
    shape = graph.types[node.inputs[0]].shape
    windows, taps, counts = _geometry(node, shape)
    channels, extent = math.prod(shape[:2]), math.prod(shape[2:])
    outputs = positions((channels, len(taps)))
    blocks = []
    for count in np.unique(counts):
        chosen = np.flatnonzero(counts == count)
        own = taps[chosen][None]
        start = (np.arange(channels, dtype=np.int64) * extent)[:, None, None]
        gather = np.where(own == ZERO, ZERO, own + start)
        blocks.append(
            AffineBlock(
                weights=np.ones((1, windows.volume), dtype=np.float32),
                bias=None,
                gather=gather.reshape(-1, windows.volume),
                scatter=outputs[:, chosen].reshape(-1, 1),
                divisor=int(count),
            )
        )
    return AffineStep((node.inputs[0],), tuple(blocks))


def _infer_lp(node: Node, types: Types) -> tuple[ValueType, ...]:
    shape = float_type(types[0], "the input").shape
    if len(shape) < 3:
        raise ShapeError(f"the input has shape {shape}, which has no spatial axis")
    return (ValueType("float32", (*shape[:2], *pooling_windows(node, shape).outputs)),)


def _lp(node: Node, operands: Sequence[Any]) -> list[Any]:
    """The p-th root of the sum of p-th powers of the sizes of the elements of each window."""
    x, p = operands[0], integer(node, "p")
    windows = pooling_windows(node, x.shape)
    taps = windows.taps()
    power = abs(x) if p == 1 else x * x
    if p > 2:
        power = power * (abs(x) if p == 3 else power)
    total = power.moved(lambda values: _terms(values, taps)).sum((0,))
    total = total.reshaped(*x.shape[:2], *windows.outputs)
    if p == 3:
        return [_cube_root(total)]
    for _ in range(p // 2):
        total = total.sqrt()
    return [total]


def _cube_root(x: Any) -> Any:
    """e^(log(x) / 3); nothing has the root nothing."""
    nothing = x.center + x.radius == 0 if isinstance(x, Enclosed) else x.values == 0
    root = (x.selected(~nothing, x.constant(1.0)).function("Log") / x.constant(3.0)).function("Exp")
    return root.selected(~nothing, x)


RULES = {
    "LpPool": rule_of(_infer_lp, _lp),
    "GlobalLpPool": rule_of(_infer_lp, _lp),
    "AveragePool": OpRule(_infer, _evaluate, _error_bound, _step, prepare=_prepare),
    "GlobalAveragePool": OpRule(_infer, _evaluate, _error_bound, _step, prepare=_prepare),
}
