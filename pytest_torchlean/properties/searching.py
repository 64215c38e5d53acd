"""Search for an input that breaks a claim, in efforts that grow; what is found counts once it ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pytest_torchlean.bounds.attack import Effort, Wish, attack
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.falsify import Candidate, Float32, promising
from pytest_torchlean.bounds.passes import Passes
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.extensions.registry import Use
from pytest_torchlean.properties.beside import off_bends
from pytest_torchlean.properties.executions import Executions, Violation
from pytest_torchlean.verdict import Witness

FIRST_EFFORT = Effort(samples=256, descents=16, steps=30)
"""Before bounds are computed: most false claims are found out here."""
_LATER_EFFORTS = (
    Effort(samples=1024, descents=64, steps=60),
    Effort(samples=4096, descents=192, steps=120, moves=4),
)
_LATER_EFFORTS_FEW_INPUTS = (
    Effort(samples=4096, descents=64, steps=60, rounds=40),
    *[Effort(samples=16384, descents=1024, steps=3, rounds=30)] * 4,
)
"""For models with few inputs, where random moves reach the narrow places that gradients miss."""
_FEW_INPUTS = 16
_REPLAYS = 4
"""Candidates of one wish that are run, the lowest first."""
_BESIDE = 2
"""Points beside each candidate that lies on a bend that are run."""
_SLACK = 1e-6


@dataclass(frozen=True, eq=False)
class Ground:
    """Where is searched: a program, the executions that count, and what is wrong with outputs of a point.

    rounded: whether binary32 executions decide, or exact arithmetic.
    """

    program: Program
    executions: Executions
    broken: Callable[[Float32], Violation]
    rounded: bool
    signs: int | None = None
    """From this output on an output of 0 says that the point lies on a bend, where nothing may be wrong."""

    @cached_property
    def passes(self) -> Passes:
        """The program's passes, prepared once."""
        return Passes(self.program)


@dataclass(frozen=True, eq=False)
class Sought:
    """What a search ended with. `nearest`: by how much the best point misses."""

    witness: Witness | None = None
    number: int | None = None
    """Of the wish that the witness fulfils."""
    disagreeing: int | None = None
    """Of a wish that a point fulfils in one execution that counts and not in another."""
    nearest: float = np.inf
    by: tuple[Use, ...] = ()
    """The falsifier of an extension that gave the witness."""


def later_efforts(program: Program) -> tuple[Effort, ...]:
    """For after bounds did not suffice, one after the other, each with a seed of its own."""
    return _LATER_EFFORTS_FEW_INPUTS if program.inputs <= _FEW_INPUTS else _LATER_EFFORTS


def seek(
    ground: Ground, wishes: Iterable[tuple[int, Wish]], effort: Effort, seed: int, budget: Budget
) -> Sought:
    """The first witness for any of the numbered wishes. Raises OutOfTime."""
    disagreeing, nearest = None, np.inf
    for number, wish in wishes:
        (candidates,) = attack(
            ground.program, [wish], effort, seed=seed + 1000 * number, budget=budget, passes=ground.passes
        )
        nearest = min(nearest, candidates[0].value)
        for candidate in _worth_running(ground, [*candidates[:_REPLAYS], *_beside(ground, wish, candidates)]):
            given = ground.executions.given(candidate.point)
            broken = ground.broken(given)
            witness = ground.executions.witness(given, broken, rounded=ground.rounded)
            if witness is not None:
                return Sought(witness, number, nearest=nearest)
            if ground.executions.disagree(given, broken, rounded=ground.rounded):
                disagreeing = number
    return Sought(disagreeing=disagreeing, nearest=nearest)


def _worth_running(ground: Ground, candidates: Sequence[Candidate]) -> list[Candidate]:
    fine = promising(ground.program, list(candidates), _SLACK, rounded=ground.rounded)
    return [candidate for candidate, run_it in zip(candidates, fine, strict=True) if run_it]


def _beside(ground: Ground, wish: Wish, candidates: Sequence[Candidate]) -> list[Candidate]:
    """What lies off the bends beside candidates on one."""
    if ground.signs is None:
        return []
    return [
        moved
        for candidate in candidates[:_REPLAYS]
        for moved in off_bends(ground.program, ground.passes, wish, candidate.point, ground.signs, _BESIDE)
    ]
