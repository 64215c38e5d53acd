"""Search for inputs that break linear forms of the outputs: projected sign ascent, many points at once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import round_down, round_up
from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.interval import evaluate, gradient, rounding_radius
from pytest_torchlean.bounds.program import Program

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

STEPS = 40
RESTARTS = 2
_NUMBERS = 1 << 22
"""Slots of all points that are followed at once."""


@dataclass(frozen=True, eq=False)
class Target:
    """One form to push below zero: coefficients @ outputs + constant, from points of one box.

    lower, upper: float32 (inputs,), the binary32 numbers of the exact box. coefficients: float64 (outputs,).
    """

    lower: Float32
    upper: Float32
    coefficients: Float64
    constant: float


@dataclass(frozen=True, eq=False)
class Candidate:
    """The lowest point found for a target, and its value there in binary64."""

    point: Float32
    value: float


def binary32_box(lower: tuple[Fraction, ...], upper: tuple[Fraction, ...]) -> tuple[Float32, Float32] | None:
    """The smallest and largest binary32 numbers inside each interval; None where one holds none."""
    low = np.array([round_up(bound) for bound in lower], dtype=np.float32)
    high = np.array([round_down(bound) for bound in upper], dtype=np.float32)
    return None if bool(np.any(low > high)) else (low, high)


def binary32_hull(lower: tuple[Fraction, ...], upper: tuple[Fraction, ...]) -> tuple[Float32, Float32]:
    """The smallest and largest finite binary32 numbers of each interval's outward binary32 hull."""
    low = np.array([round_down(bound) for bound in lower], dtype=np.float32)
    high = np.array([round_up(bound) for bound in upper], dtype=np.float32)
    most = np.finfo(np.float32).max
    return np.clip(low, -most, most), np.clip(high, -most, most)


def minimise(
    program: Program, targets: list[Target], *, seed: int = 0, budget: Budget = UNLIMITED
) -> list[Candidate]:
    """The lowest point found for each target; every point is a binary32 vector of its box.

    Raises OutOfTime when the budget ends.
    """
    together = max(1, _NUMBERS // program.size)
    budget.observer.phase("search for counterexamples", len(targets), "inequalities")
    found: list[Candidate] = []
    for start in range(0, len(targets), together):
        budget.observer.step(start)
        found += _minimise(program, targets[start : start + together], seed, budget)
    return found


def promising(program: Program, candidates: list[Candidate], slack: float, *, rounded: bool) -> list[bool]:
    """Which values are at most `slack`, or, under binary32, no further above 0 than roundings may reach."""
    together = max(1, _NUMBERS // program.size)
    chosen = []
    for start in range(0, len(candidates), together):
        group = candidates[start : start + together]
        allowed = np.full(len(group), slack)
        if rounded:
            points = np.stack([candidate.point for candidate in group]).astype(np.float64)
            # binary32's unit roundoff is 2^29 times that of binary64; a margin has two outputs
            allowed += 2.0**30 * rounding_radius(program, points).max(axis=1)
        chosen += [bool(c.value <= most) for c, most in zip(group, allowed, strict=True)]
    return chosen


def _minimise(program: Program, targets: list[Target], seed: int, budget: Budget) -> list[Candidate]:
    lower = np.stack([target.lower for target in targets]).astype(np.float64)
    upper = np.stack([target.upper for target in targets]).astype(np.float64)
    coefficients = np.stack([target.coefficients for target in targets])
    constants = np.array([target.constant for target in targets])
    generator = np.random.default_rng(seed)
    middle = ((lower + upper) / 2).astype(np.float32).astype(np.float64)
    best_points = middle.copy()
    best = np.full(len(targets), np.inf)
    for corner in (lower, upper):
        # extrema of many values have their minima there, and no slope at the middle shows it
        outputs = evaluate(program, corner)[:, program.outputs]
        _keep(best, best_points, outputs, corner, coefficients, constants)
    for restart in range(RESTARTS):
        # the same share of every box, so that a target's points do not depend on the others
        share = generator.random(lower.shape[1])
        points = middle if restart == 0 else lower + share * (upper - lower)
        points = np.clip(points.astype(np.float32).astype(np.float64), lower, upper)
        for step in range(STEPS):
            budget.spend()
            values = evaluate(program, points)
            slope = gradient(program, values, coefficients)
            _keep(best, best_points, values[:, program.outputs], points, coefficients, constants)
            corner = np.where(slope > 0, lower, upper)
            # the first step goes all the way to the corner: exact for affine graphs
            share = 0.5 * (1.0 - step / STEPS)
            points = corner if step == 0 else points + share * (corner - points)
            points = np.clip(points.astype(np.float32).astype(np.float64), lower, upper)
        values = evaluate(program, points)
        _keep(best, best_points, values[:, program.outputs], points, coefficients, constants)
    exactly = best_points.astype(np.float32)
    return [Candidate(point, float(value)) for point, value in zip(exactly, best, strict=True)]


def _keep(
    best: Float64,
    best_points: Float64,
    outputs: Float64,
    points: Float64,
    coefficients: Float64,
    constants: Float64,
) -> None:
    reached = (coefficients * outputs).sum(axis=1) + constants
    better = reached < best
    best[better] = reached[better]
    best_points[better] = points[better]
