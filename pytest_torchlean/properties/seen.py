"""Numbers for a report's pictures: seen or estimated, never a part of a proof."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.format import to_hex_all
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.falsify import binary32_box
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.proving import guard_points
from pytest_torchlean.verdict import Histogram, Sampled

_BINS = 20
"""About so many bins span a histogram's numbers."""


def sampled_outputs(executions: Executions, box: RationalBox, budget: Budget = UNLIMITED) -> Sampled | None:
    """Least and greatest outputs of onnxruntime at seeded corners and inner points of the box.

    None where the box holds no binary32 number, an output is not finite, onnxruntime refuses the model or
    the time ends: what only a picture needs decides nothing.
    """
    if binary32_box(box.lower, box.upper) is None:
        return None
    points, seen = guard_points([box]), []
    for point in points:
        try:
            seen.append(executions.runtime(point))
        except RuntimeFailure:
            return None
        if budget.left <= 0:
            return None
    outputs = np.stack(seen)
    if not np.isfinite(outputs).all():
        return None
    return Sampled(len(points), to_hex_all(outputs.min(axis=0)), to_hex_all(outputs.max(axis=0)))


def histogram(numbers: NDArray[np.float64]) -> Histogram | None:
    """A histogram between multiples of 1, 2 or 5 times a power of ten; None without finite numbers."""
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return None
    least, most = float(finite.min()), float(finite.max())
    step = _round_step(max(most - least, abs(most) * 1e-6, 1e-30) / _BINS)
    first, last = math.floor(least / step), math.floor(most / step) + 1
    places = np.clip(np.floor(finite / step).astype(np.int64) - first, 0, last - first - 1)
    counts = np.bincount(places, minlength=last - first)
    edges = tuple(f"{number * step:.10g}" for number in range(first, last + 1))
    return Histogram(edges, tuple(int(count) for count in counts))


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step)
