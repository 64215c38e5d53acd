"""Raw inputs of an integer type: which points of a region a system can really be given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.spec.preprocess import RawType

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class RawIntegers:
    """The integers of a type of at most 16 bits, each of which is a binary32 number."""

    type: RawType

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest one."""
        info = np.iinfo(self.type)
        return int(info.min), int(info.max)

    def box(self, lower: Sequence[Fraction], upper: Sequence[Fraction]) -> tuple[Float32, Float32] | None:
        """The least and largest integers inside each interval; None where one holds none."""
        least, most = self.limits
        low = [max(least, math.ceil(bound)) for bound in lower]
        high = [min(most, math.floor(bound)) for bound in upper]
        if any(one > other for one, other in zip(low, high, strict=True)):
            return None
        return np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)

    def nearest(self, points: Float32) -> Float32:
        """Each number replaced by the nearest integer of the type; between two integers it stays so."""
        return np.clip(np.rint(points), *self.limits).astype(np.float32)

    def holds(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which numbers are integers of the type."""
        return np.asarray(self.nearest(points) == points)
