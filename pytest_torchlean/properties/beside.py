"""Points beside one at which a function bends: where it has the derivative that a claim is about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.attack import Float64, Wish
from pytest_torchlean.bounds.falsify import Candidate, Float32
from pytest_torchlean.bounds.passes import Passes
from pytest_torchlean.bounds.program import Program

_DIRECTIONS = 64
_SHARES = (2.0**-20, 2.0**-12, 2.0**-6)
"""Steps, as shares of the box, besides one to the next binary32 number."""
_INPUTS = 16
"""Inputs that are also moved alone."""


def off_bends(
    program: Program, passes: Passes, wish: Wish, point: Float32, signs: int, most: int
) -> list[Candidate]:
    """The lowest points around one where no output from `signs` on is 0; none where it is no bend itself.

    point: float32 (inputs,). Every point is a binary32 vector of the wish's box, and a value is the largest
    row in binary64.
    """
    if _decided(program, passes.values(point[None].astype(np.float64)), signs).all():
        return []
    around = _around(wish, point)
    slots = passes.values(around)
    rows = slots[:, program.outputs] @ wish.on_outputs.T + wish.constants
    if wish.on_inputs is not None:
        rows = rows + around @ wish.on_inputs.T
    values = np.where(_decided(program, slots, signs), rows.max(axis=1), np.inf)
    chosen = np.argsort(values, kind="stable")[:most]
    return [
        Candidate(around[place].astype(np.float32), float(values[place]))
        for place in chosen
        if values[place] < np.inf
    ]


def _decided(program: Program, slots: Float64, signs: int) -> NDArray[np.bool_]:
    """Which points lie on no bend: bool (points,)."""
    return np.asarray(slots[:, program.outputs[signs:]].all(axis=1), dtype=np.bool_)


def _around(wish: Wish, point: Float32) -> Float64:
    """Binary32 vectors of the box next to a point, in several directions and at several distances."""
    generator = np.random.default_rng(0)
    directions = generator.integers(-1, 2, (_DIRECTIONS, point.size)).astype(np.float64)
    alone = np.eye(point.size)[:_INPUTS]
    directions = np.concatenate([directions, alone, -alone])
    up, down = (np.nextafter(point, np.float32(end)) for end in (np.inf, -np.inf))
    nearest = np.where(directions > 0, up, np.where(directions < 0, down, point))
    width = wish.upper.astype(np.float64) - wish.lower
    moved = [point + directions * (share * width) for share in _SHARES]
    tries = np.concatenate([nearest.astype(np.float64), *moved]).astype(np.float32)
    inside: Float64 = np.clip(tries, wish.lower, wish.upper).astype(np.float64)
    return inside
