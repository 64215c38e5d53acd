"""Every stored node alone, on random inputs: the emitted nodes behind it against onnxruntime.

A comparison of whole runs does not see a node that only receives zeros at the points compared. Here the
stored graph is cut at every value, each piece is fed random numbers of both signs, and each element of
its result must be what the emitted nodes give on the same numbers. Agreement node by node composes to
agreement of the whole, because one table of slots names every value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.error_bounds import gamma
from pytest_torchlean.bounds.curves import CURVES
from pytest_torchlean.bounds.program import FIRST_INPUT, ONE_SLOT, ZERO_SLOT, Slots
from pytest_torchlean.certificate.bilinear import factors_of
from pytest_torchlean.certificate.curves import curve_radius
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    CurveData,
    CurveFunction,
    GraphData,
    MaximumData,
    MinimumData,
    QuotientData,
    ReluData,
)
from pytest_torchlean.certificate.words import patterns_of, sources_of, unpack_words
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.ir.names import quoted
from pytest_torchlean.runtime import RuntimeNode

TRIALS = 8
"""Sets of random inputs that every node is compared on."""

RunPieces = Callable[[Mapping[str, NDArray[np.float32]]], Mapping[str, NDArray[np.generic]]]
"""The cut model: values that nodes read, flat, to the values that nodes write."""
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


def require_same_nodes(
    graph: GraphData,
    wiring: Mapping[str, Slots],
    inputs: Sequence[str],
    nodes: Sequence[RuntimeNode],
    run: RunPieces,
) -> int:
    """Compare each stored node alone with the emitted nodes behind it.

    wiring: the slots of each float32 value, flat. inputs: the model's inputs in order. nodes: the stored
    nodes in order. Returns the number of values compared. Raises CertificateError TL0610 at the first
    element outside the derived bound, and where slots are not what the node may read.
    """
    given = np.concatenate([wiring[name] for name in inputs]) if inputs else np.zeros(0, dtype=np.int64)
    if not np.array_equal(given, np.arange(FIRST_INPUT, FIRST_INPUT + graph.inputs)):
        raise CertificateError("TL0610", "the emitted graph takes its inputs in another order")
    try:
        pieces = _Pieces(graph)
    except ValueError as error:
        raise CertificateError("TL0610", f"the emitted graph cannot be decoded: {error}") from error
    if any(int(slots.max(initial=0)) >= pieces.size for slots in wiring.values()):
        raise CertificateError("TL0610", "the emitted graph has fewer values than the model")
    reads = _reads(wiring, nodes)
    generator = np.random.default_rng(0)
    for _ in range(TRIALS):
        values = (generator.normal(size=pieces.size) * pieces.share).astype(np.float32)
        values[ZERO_SLOT], values[ONE_SLOT] = 0.0, 1.0
        values[pieces.positive] = np.abs(values[pieces.positive])
        seen = run({name: values[slots] for name, slots in wiring.items()})
        for name, sources in reads.items():
            known = np.zeros(pieces.size, dtype=bool)
            known[[ZERO_SLOT, ONE_SLOT]] = True
            for source in sources:
                known[wiring[source]] = True
            _compare(name, seen.get(name), pieces, wiring[name], known, values)
    return len(reads)


def _reads(wiring: Mapping[str, Slots], nodes: Sequence[RuntimeNode]) -> dict[str, frozenset[str]]:
    """For every value that a node writes, the values it is computed from; unnamed ones are looked through."""
    through: dict[str, frozenset[str]] = {}
    found: dict[str, frozenset[str]] = {}
    for node in nodes:
        own: frozenset[str] = frozenset().union(
            *({name} if name in wiring else through.get(name, frozenset()) for name in node.inputs)
        )
        for name in node.outputs:
            if name in wiring:
                found[name] = own
            else:
                through[name] = own
    return found


def _compare(
    name: str,
    seen: NDArray[np.generic] | None,
    pieces: _Pieces,
    slots: Slots,
    known: Mask,
    values: NDArray[np.float32],
) -> None:
    label = f"value {quoted(name)}"
    if seen is None or seen.size != slots.size or seen.dtype != np.float32:
        raise CertificateError("TL0610", f"{label}: onnxruntime gives another number of elements")
    expected, allowed = pieces.evaluate(label, slots, known, values)
    answer = seen.astype(np.float64).reshape(-1)
    with np.errstate(invalid="ignore", over="ignore"):
        wrong = ~(np.abs(answer - expected) <= allowed)
    if wrong.any():
        index = int(np.flatnonzero(wrong)[0])
        raise CertificateError(
            "TL0610",
            f"{label}, element {index}, computed alone on random inputs: onnxruntime gives "
            f"{float(answer[index])!r}, the emitted data {float(expected[index])!r}; at most "
            f"{float(allowed[index]):.3g} apart is explained by rounding",
        )


@dataclass(frozen=True, eq=False)
class _Matrix:
    weights: Float64
    sources: Slots
    divisor: int


class _Pieces:
    """The emitted nodes in binary64, each to be run on chosen values of the slots it reads."""

    def __init__(self, graph: GraphData) -> None:
        self._nodes: list[_Matrix | Any] = []
        self.share = 1.0
        """What random inputs are multiplied with, so that no sum overflows."""
        starts, start = [], FIRST_INPUT + graph.inputs
        for node in graph.nodes:
            starts.append(start)
            if isinstance(node, AffineData):
                patterns = np.ascontiguousarray(patterns_of(node))
                floats = patterns.view(np.float32)
                if not np.isfinite(floats).all() or node.divisor < 1:
                    raise ValueError("a weight is not a number")
                heaviest = float(np.abs(floats.astype(np.float64)).sum(axis=1).max(initial=0.0))
                self.share = min(self.share, 2.0**120 / max(heaviest, 1.0))
                self._nodes.append(_Matrix(floats.astype(np.float64), sources_of(node), node.divisor))
                start += node.rows * node.positions
            else:
                self._nodes.append(node)
                start += node.count
        self._starts = np.array(starts, dtype=np.int64)
        self.size = start
        self.positive = np.zeros(start, dtype=bool)
        """Slots that a root or logarithm reads: there random inputs are positive."""
        for node in graph.nodes:
            if isinstance(node, CurveData) and node.function in (CurveFunction.SQRT, CurveFunction.LOG):
                self.positive[node.first : node.first + node.count] = True

    def evaluate(
        self, label: str, slots: Slots, known: Mask, values: NDArray[np.float32]
    ) -> tuple[Float64, Float64]:
        """The values of `slots` computed from those of the known ones, and how far binary32 may be off."""
        known = known.copy()
        state, radius = values.astype(np.float64), np.zeros(self.size)
        for index in self._needed(label, slots, known):
            node, start = self._nodes[index], int(self._starts[index])
            result, error = self._run(node, state, radius)
            fresh = np.flatnonzero(~known[start : start + result.size])
            state[start + fresh], radius[start + fresh] = result[fresh], error[fresh]
            known[start + fresh] = True
        return state[slots], radius[slots]

    def _needed(self, label: str, slots: Slots, known: Mask) -> list[int]:
        """The nodes to run for these slots, in order."""
        needed: set[int] = set()
        seen = known.copy()
        pending = np.unique(slots[~known[slots]])
        while pending.size:
            seen[pending] = True
            writers = np.searchsorted(self._starts, pending, side="right") - 1
            if int(writers.min()) < 0:
                raise CertificateError("TL0610", f"{label}: the emitted data read what the node does not")
            fresh = np.unique(writers).tolist()
            needed |= set(fresh)
            reads = [
                self._reads(self._nodes[index], pending[writers == index] - self._starts[index])
                for index in fresh
            ]
            wanted = np.unique(np.concatenate(reads)) if reads else np.zeros(0, dtype=np.int64)
            if wanted.size and int(wanted.max()) >= self.size:
                raise CertificateError("TL0610", f"{label}: the emitted data read beyond the last slot")
            pending = wanted[~seen[wanted]]
        return sorted(needed)

    def _reads(self, node: Any, places: Slots) -> Slots:
        """What the results at these places depend on: a column of zeros says nothing about its slot."""
        if isinstance(node, _Matrix):
            rows = len(node.weights)
            used = (node.weights[np.unique(places % rows)] != 0.0).any(axis=0)
            return np.unique(node.sources[np.unique(places // rows)][:, used])
        if isinstance(node, ReluData | CurveData):
            return node.first + places
        if isinstance(node, BilinearData):
            return np.unique(factors_of(node)[places])
        return self._pairs(node)[places].reshape(-1)

    def _pairs(self, node: Any) -> Slots:
        return unpack_words(node.sources, 2 * node.count).astype(np.int64).reshape(-1, 2)

    def _run(self, node: Any, state: Float64, radius: Float64) -> tuple[Float64, Float64]:
        if isinstance(node, _Matrix):
            return _affine(node, state, radius)
        if isinstance(node, ReluData):
            piece = slice(node.first, node.first + node.count)
            return np.maximum(state[piece], 0.0), radius[piece]
        if isinstance(node, CurveData):
            piece = slice(node.first, node.first + node.count)
            value = CURVES[node.function.label].value
            return value(state[piece]), curve_radius(node.function, state[piece], radius[piece])
        if isinstance(node, BilinearData):
            return _bilinear(node, state, radius)
        pairs = self._pairs(node)
        left, right = state[pairs[:, 0]], state[pairs[:, 1]]
        if isinstance(node, QuotientData):
            return _quotient(left, right, radius[pairs[:, 0]], radius[pairs[:, 1]])
        if isinstance(node, MaximumData):
            result = np.maximum(left, right)
        elif isinstance(node, MinimumData):
            result = np.minimum(left, right)
        else:
            raise CertificateError("TL0610", "the emitted graph has a node that is not compared")
        return result, np.maximum(radius[pairs[:, 0]], radius[pairs[:, 1]])


def _quotient(x: Float64, z: Float64, near: Float64, far: Float64) -> tuple[Float64, Float64]:
    """Results and radii: one rounding, and what the operands' radii make of the quotient."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.where(z == 0.0, 0.0, x / z)
        least = np.abs(z) * (1.0 - 2.0**-20) - far
        spread = np.where(least > 0.0, (near + np.abs(result) * far) / least, np.inf)
    size = np.abs(result) + spread
    return result, (spread + 2.0**-24 * size) * (1.0 + 2.0**-20) + 2.0**-148


def _bilinear(node: BilinearData, state: Float64, radius: Float64) -> tuple[Float64, Float64]:
    """Results and radii: gamma of terms + 3 roundings for binary32, and what the factors' radii add."""
    factors = factors_of(node)
    left, right = factors[:, :, 0], factors[:, :, 1]
    x, z, near, far = np.abs(state[left]), np.abs(state[right]), radius[left], radius[right]
    rate = float(gamma(node.terms + 3)) * (1.0 + 2.0**-20)
    error = (rate * (x + near) * (z + far) + x * far + z * near + near * far).sum(axis=1)
    slack = 1.0 + 2.0**-20
    return (state[left] * state[right]).sum(axis=1), error * slack + node.terms * math.ldexp(1.0, -148)


_GATHERED = 1 << 22
"""Numbers gathered at once."""


def _affine(node: _Matrix, state: Float64, radius: Float64) -> tuple[Float64, Float64]:
    """Results and radii: gamma of columns + 3 roundings for binary32, and the roundings of these lines."""
    columns = node.sources.shape[1]
    absolute = np.abs(node.weights).T
    rate = float(gamma(columns + 3)) * (1.0 + 2.0**-20)
    step = max(1, _GATHERED // max(1, columns))
    results, errors = [], []
    for start in range(0, len(node.sources), step):
        reads = node.sources[start : start + step]
        results.append((state[reads] @ node.weights.T).reshape(-1))
        size, spread = np.abs(state[reads]) + radius[reads], radius[reads]
        errors.append((rate * (size @ absolute) + spread @ absolute).reshape(-1))
    slack = 1.0 + 2.0**-20
    error = np.concatenate(errors) * slack / node.divisor + columns * math.ldexp(1.0, -148)
    return np.concatenate(results) / node.divisor, error
