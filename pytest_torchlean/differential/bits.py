"""Bit equality of outputs: demanded within a session, told for information between sessions.

Every NaN counts as every other NaN, whatever its payload; zeros keep their sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import distances
from pytest_torchlean.ir.names import printable

Array = NDArray[np.generic]

_MOST_BYTES = 2**28
"""Outputs of the first session that are kept for comparison with the others."""


def unequal(left: Array, right: Array) -> NDArray[np.int64]:
    """Row-major places where the bits differ; all places where the type or the shape does."""
    if left.dtype != right.dtype or left.shape != right.shape:
        return np.arange(max(1, left.size), dtype=np.int64)
    if left.tobytes() == right.tobytes():
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(_bits(left) != _bits(right))


@dataclass(eq=False)
class Assertion:
    """A demand of bit equality: on how many samples it held, and the first where it did not, in words."""

    what: str
    held: int = 0
    failure: str | None = None

    def check(self, sample: int, names: Sequence[str], left: Iterable[Array], right: Iterable[Array]) -> bool:
        """Whether both give the same outputs on a sample."""
        for name, one, other in zip(names, left, right, strict=True):
            places = unequal(one, other)
            if places.size:
                self.failure = f"sample {sample}, output {printable(name)}, element {places[0]}"
                return False
        self.held += 1
        return True


@dataclass(eq=False)
class Reference:
    """The outputs of the first session by sample, kept while they fit."""

    kept: list[tuple[Array, ...]] = field(default_factory=list)
    _left: int = _MOST_BYTES

    def keep(self, outputs: tuple[Array, ...]) -> None:
        """Keep the next sample's outputs."""
        self._left -= sum(output.nbytes for output in outputs)
        if self._left >= 0:
            self.kept.append(outputs)


@dataclass(eq=False)
class Differences:
    """How a session's output bits differ from the reference's; within the bounds, that is no divergence."""

    compared: int = 0
    samples: int = 0
    outputs: dict[str, int] = field(default_factory=dict)
    """The largest distance of each output that differs, in binary32 numbers; 1 for other types and NaN."""

    def add(self, names: Sequence[str], outputs: Iterable[Array], reference: Iterable[Array]) -> None:
        """Compare the outputs of one sample."""
        found = dict(_distances(names, outputs, reference))
        self.compared += 1
        self.samples += bool(found)
        for name, steps in found.items():
            self.outputs[name] = max(self.outputs.get(name, 0), steps)

    def text(self, other: str) -> str:
        """One sentence for the record; empty where nothing was compared."""
        if not self.compared:
            return ""
        if not self.samples:
            return f"bits equal to those with {other} on {self.compared} samples"
        where = ", ".join(f"{printable(name)} by up to {steps} ulp" for name, steps in self.outputs.items())
        return f"bits differ from those with {other} on {self.samples} of {self.compared} samples: {where}"


def _distances(
    names: Sequence[str], outputs: Iterable[Array], reference: Iterable[Array]
) -> Iterable[tuple[str, int]]:
    for name, one, other in zip(names, outputs, reference, strict=True):
        places = unequal(one, other)
        if not places.size:
            continue
        steps = 1
        if one.dtype == np.float32 and one.shape == other.shape:
            left, right = (array.astype(np.float32).reshape(-1)[places] for array in (one, other))
            apart = distances(left, right)
            steps = max(1, int(apart.max(initial=0)))
        yield name, steps


def _bits(array: Array) -> Array:
    flat = _flat(array)
    if flat.dtype != np.float32:
        return flat
    quiet = np.where(np.isnan(flat.view(np.float32)), np.float32(np.nan), flat)
    return np.ascontiguousarray(quiet, dtype=np.float32).view(np.uint32)


def _flat(array: Array) -> Array:
    return np.ascontiguousarray(array).reshape(-1)


__all__ = ["Assertion", "Differences", "Reference", "unequal"]
