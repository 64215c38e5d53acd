"""What is tried where the bounds of cases do not survive rounding to integers."""

from __future__ import annotations

from dataclasses import replace

from pytest_torchlean.bounds import retightening
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.chains import Level
from pytest_torchlean.bounds.interval import Float64
from pytest_torchlean.bounds.phase_tree import PhaseLeaf, PhaseTree
from pytest_torchlean.bounds.phase_tree import search as phases_of
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.refined import RefinedCase
from pytest_torchlean.bounds.splitting import Leaf, Tree
from pytest_torchlean.certificate.phased import Refine, Sides, unrefined
from pytest_torchlean.certificate.retightened import Resume, hopeless

_FINER_SLACKS = (4e-3, 1e-2, 3e-2)
"""For a case that integers did not prove with the slack of its search."""
_RESUMED_SLACKS = (2e-3, 1e-2, 4e-2)
"""The same for a case that bounds earlier values again."""
_MOST_FINER = 64


def refining(rows: Float64, alternatives: int, cases: Tree, budget: Budget) -> Refine:
    """What splits cases whose bounds do not survive rounding to integers, by the bounds that do."""
    bounds = cases.bounds if isinstance(cases, Leaf) else None
    if bounds is None:
        return unrefined

    def refine(leaf: PhaseLeaf, sides: Sides) -> PhaseTree | None:
        low, high = (side[:, None] for side in sides)
        known = replace(bounds, low=low, high=high)
        for slack in _FINER_SLACKS:
            found = phases_of(
                known, rows, alternatives, most=_MOST_FINER, slack=slack, within=leaf, budget=budget
            )
            if found.tree is not None and found.bounded > 1:
                return found.tree
        return None

    return refine


def resuming(program: Program, rows: Float64, cases: Tree, budget: Budget) -> Resume:
    """What goes on in cases that bound earlier values again, where these do not survive rounding."""
    if not isinstance(cases, Leaf) or cases.refined is None:
        return hopeless
    box = (cases.lower, cases.upper)

    def resume(levels: tuple[Level, ...], tried: int) -> RefinedCase | None:
        if tried >= len(_RESUMED_SLACKS):
            return None
        slack = _RESUMED_SLACKS[tried]
        found = retightening.resume(program, box, levels, rows, most=_MOST_FINER, slack=slack, budget=budget)
        return None if found is None else found.tree

    return resume
