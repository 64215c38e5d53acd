"""ReLU phases of models with curves, products or quotients, whose lines are chosen with the certificate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pytest_torchlean.bounds import crown
from pytest_torchlean.bounds.budget import Budget
from pytest_torchlean.bounds.interval import Float64
from pytest_torchlean.bounds.phase_tree import PhaseTree, over_rows, search
from pytest_torchlean.bounds.program import BilinearNode, CurveNode, Program, QuotientNode, ReluNode
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.phased import Seek, unsought
from pytest_torchlean.certificate.reached import reached_bounds
from pytest_torchlean.certificate.rows import Slopes
from pytest_torchlean.certificate.states import State

_SLACK = 2e-3
"""What a row of a case must have to spare in binary64; rows are scaled to a largest coefficient of 1."""
_MOST_CASES = 64
"""Cases that are bounded: each goes back through Lean's checker along every branch."""


def is_curved(program: Program) -> bool:
    """Whether lines of some nodes are chosen with the certificate: binary64 bounds know only intervals."""
    return any(isinstance(node, CurveNode | BilinearNode | QuotientNode) for node in program.nodes)


def seeking(program: Program, account: Account, rows: Float64, alternatives: int, budget: Budget) -> Seek:
    """What finds cases by ReLU phases of a model with curves, for those rows of the property that the whole
    box leaves open; rows: (rows, slots). Nothing where a clause has several rows.
    """
    bent = any(isinstance(node, ReluNode) for node in program.nodes)
    if not (bent and is_curved(program)) or alternatives > 1:
        return unsought

    def seek(state: State, slopes: Mapping[int, Slopes]) -> PhaseTree | None:
        bounds = reached_bounds(account, program, state, slopes)
        open_rows = np.flatnonzero(crown.minimum(bounds, rows)[0] < _SLACK)
        if not open_rows.size:
            # integers lost what these bounds show, or bounds are no numbers: no case changes that
            return None
        found = search(bounds, rows[open_rows], most=_MOST_CASES, slack=_SLACK, budget=budget)
        return None if found.tree is None else over_rows(found.tree, open_rows, len(rows))

    return seek
