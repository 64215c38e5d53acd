"""Quotients of two slots in exact integers: lean/PytestTorchLean/Check/Quotient, step for step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.certificate.bounding import OVERFLOW_THRESHOLD
from pytest_torchlean.certificate.model import ScaleData
from pytest_torchlean.certificate.products import Integers
from pytest_torchlean.certificate.statement import QuotientData, Semantics
from pytest_torchlean.certificate.words import pairs_of

Range = tuple[int, int]


def quotient_bounds(
    semantics: Semantics, scale: ScaleData, data: QuotientData, lower: Integers, upper: Integers
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Check.Quotient.run on the bounds of all slots so far, (slots, boxes); they hold all operands.

    Bounds of the results (count, boxes), and which boxes Lean accepts.
    """
    boxes = lower.shape[1]
    low, high = (np.full((data.count, boxes), scale.center, dtype=object) for _ in range(2))
    fine = np.ones(boxes, dtype=bool)
    for row, (left, right) in enumerate(pairs_of(data).tolist()):
        for box in range(boxes):
            x, z = ((int(lower[slot, box]), int(upper[slot, box])) for slot in (left, right))
            found = _transfer(semantics, scale, x, z)
            if found is None:
                fine[box] = False
            else:
                low[row, box], high[row, box] = found
    return low, high, fine


def _transfer(semantics: Semantics, scale: ScaleData, x: Range, z: Range) -> Range | None:
    """Check.Quotient.transfer: bounds of one quotient, None where there are none."""
    if z[0] <= scale.center:
        x, z = ((scale.top - high, scale.top - low) for low, high in (x, z))
    if z[0] <= scale.center:
        return None
    unit, center = scale.unit, scale.center
    error = 0
    if semantics is Semantics.BINARY32:
        size = max(x[1] - center, center - x[0], 0)
        if size << 149 >= OVERFLOW_THRESHOLD * (z[0] - center):
            return None
        error = (unit * size >> 24) + 1 + (unit * (z[1] - center) >> 150) + 1
    least = unit * (x[0] - center) - error
    most = unit * (x[1] - center) + error
    near, far = (end - center for end in z)
    low = center + least // (far if least >= 0 else near)
    high = center - (-most // (near if most >= 0 else far))
    low, high = max(low, 0), max(high, 0)
    checked = all((low - center) * end <= least and most <= (high - center) * end for end in (near, far))
    return (low, high) if checked and low <= high <= scale.top else None
