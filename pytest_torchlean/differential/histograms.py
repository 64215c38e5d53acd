"""How far a session's values were from the evaluator's, by operator: shares of the bound, and ulps, in bins.

Arrays are collected and counted many at a time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import distances
from pytest_torchlean.differential.nodes import Outcome

SHARES = tuple(f"<= {tenth / 10:.1f}" for tenth in range(1, 11))
"""Bins of |value - center| / bound; whatever lies beyond the bound is a divergence."""
ULPS = ("0", "1", "2-3", "4-7", "8-15", "16-63", "64-255", "256 and more")
"""Bins of the distance from the evaluator in units in the last place."""
_EDGES = np.array([1, 2, 4, 8, 16, 64, 256], dtype=np.int64)
_AT_ONCE = 2**16


class Histograms:
    """Collects outcomes. `shares` and `ulps` give the counts of every bin by operator."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[NDArray[np.float32], Outcome]]] = {}
        self._sizes: dict[str, int] = {}
        self._shares: dict[str, NDArray[np.int64]] = {}
        self._ulps: dict[str, NDArray[np.int64]] = {}

    def add(self, op: str, runtime: NDArray[np.generic], outcome: Outcome) -> None:
        """Count one float32 value that is judged by a bound."""
        if outcome.allowed is None or runtime.dtype != np.float32:
            return
        flat = np.ascontiguousarray(runtime, dtype=np.float32).reshape(-1)
        self._waiting.setdefault(op, []).append((flat, outcome))
        self._sizes[op] = self._sizes.get(op, 0) + flat.size
        if self._sizes[op] >= _AT_ONCE:
            self._count(op)

    def shares(self) -> dict[str, tuple[int, ...]]:
        """Elements in each bin of `SHARES`, by operator."""
        return self._counts(self._shares)

    def ulps(self) -> dict[str, tuple[int, ...]]:
        """Elements in each bin of `ULPS`, by operator; NaN and elements without a bound are left out."""
        return self._counts(self._ulps)

    def _counts(self, kept: Mapping[str, NDArray[np.int64]]) -> dict[str, tuple[int, ...]]:
        for op in list(self._waiting):
            self._count(op)
        return {op: tuple(int(count) for count in kept[op]) for op in sorted(kept)}

    def _count(self, op: str) -> None:
        waiting, self._sizes[op] = self._waiting.pop(op, []), 0
        if not waiting:
            return
        runtime = np.concatenate([flat for flat, _ in waiting])
        expected = np.concatenate([outcome.expected.reshape(-1) for _, outcome in waiting])
        allowed = np.concatenate(
            [
                np.broadcast_to(outcome.allowed, flat.shape)
                for flat, outcome in waiting
                if outcome.allowed is not None
            ]
        )
        share = np.concatenate([outcome.share for _, outcome in waiting])
        claimed = np.isfinite(allowed) & np.isfinite(share)
        tenths = np.clip(np.ceil(share[claimed] * 10.0) - 1, 0, len(SHARES) - 1).astype(np.int64)
        apart = distances(runtime, expected.astype(np.float32, copy=False))[claimed]
        bins = np.searchsorted(_EDGES, apart[apart >= 0], side="right")
        for kept, found, length in ((self._shares, tenths, len(SHARES)), (self._ulps, bins, len(ULPS))):
            counts = np.bincount(found, minlength=length)
            kept[op] = kept[op] + counts if op in kept else counts
