"""Candidates of extensions' falsifiers: held against their region, then run like any other candidate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.attack import Wish
from pytest_torchlean.bounds.interval import evaluate
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.extensions.model import Falsifier, Search
from pytest_torchlean.extensions.registry import Provided, Use, use_of
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.verdict import Evidence, Witness

MOST_CANDIDATES = 64
"""That are read of one falsifier for one region."""
MOST_REGIONS = 256
"""Of one property that falsifiers are asked about."""

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Replay = Callable[[Float32], Witness | None]


def first_witness(
    context: PropertyContext, program: Program, executions: Executions, wish: Wish, seed: int, replay: Replay
) -> tuple[Witness, Use] | None:
    """The first candidate that `replay` finds to break the property, and the falsifier that gave it.

    seed: the number of the region. Raises ExtensionError TL1003, TL1004.
    """
    search = None
    for given in context.extensions.falsifiers:
        context.budget.spend()
        search = _search(context, program, wish, seed) if search is None else search
        for point in _candidates(given, search):
            witness = replay(executions.given(point))
            if witness is not None:
                return witness, use_of(given)
    return None


def with_use(evidence: Evidence, *uses: Use) -> Evidence:
    """The evidence with the falsifiers that gave its witnesses."""
    return replace(evidence, extensions=(*evidence.extensions, *dict.fromkeys(uses)))


def _search(context: PropertyContext, program: Program, wish: Wish, seed: int) -> Search:
    size = wish.lower.size

    def values(points: Float64) -> Float64:
        return evaluate(program, np.asarray(points, dtype=np.float64).reshape(-1, size))

    def outputs(points: Float64) -> Float64:
        return values(points)[:, program.outputs]

    def missing(points: Float64) -> Float64:
        rows = outputs(points) @ wish.on_outputs.T + wish.constants
        if wish.on_inputs is not None:
            rows = rows + np.asarray(points, dtype=np.float64).reshape(-1, size) @ wish.on_inputs.T
        return np.asarray(rows.max(axis=1), dtype=np.float64)

    inputs = context.graph.inputs
    shape = context.graph.types[inputs[0]].shape if len(inputs) == 1 else (size,)
    return Search(_frozen(wish.lower), _frozen(wish.upper), shape, outputs, missing, seed, MOST_CANDIDATES)


def _frozen(values: Float32) -> Float32:
    own = values.copy()
    own.flags.writeable = False
    return own


def _candidates(given: Provided[Falsifier], search: Search) -> Iterator[Float32]:
    """The candidates as flat binary32 points of the region. Raises ExtensionError TL1003, TL1004."""
    found = given.call(lambda: list(islice(iter(given.it.candidates(search)), search.most)))
    for number, candidate in enumerate(found, start=1):
        try:
            point = _point(candidate, search.lower.size)
        except (TypeError, ValueError, OverflowError) as error:
            raise given.wrong(f"gave candidate {number} of the wrong form: {error}") from None
        outside = np.flatnonzero(~((search.lower <= point) & (point <= search.upper)))
        if outside.size:
            place = int(outside[0])
            low, value, high = (float(side[place]) for side in (search.lower, point, search.upper))
            raise given.wrong(
                f"gave candidate {number} outside of the region: input {place} is {value!r}, not in "
                f"[{low!r}, {high!r}]"
            )
        yield point


def _point(candidate: Any, size: int) -> Float32:
    """The candidate as binary32 numbers. ValueError where it is none."""
    values = np.asarray(candidate)
    if values.dtype.kind not in "fiu" or values.size != size:
        raise ValueError(f"{values.size} values of type {values.dtype}, not {size} numbers")
    with np.errstate(all="ignore"):
        point = values.reshape(-1).astype(np.float32)
        exact = bool((point.astype(values.dtype) == values.reshape(-1)).all())
    if not exact or not np.isfinite(point).all():
        raise ValueError("a number is not a finite binary32 number")
    return point
