"""A search for a tree of cases by ReLU phases in which bounds are tightened again, for dense networks.

Where a network is narrow, conditions on the few values there can be shown first (`narrow.py`): in the cases
that this takes little is left to do for the property itself. Cases are grown in `refining.py`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pytest_torchlean.bounds.budget import UNLIMITED, Budget
from pytest_torchlean.bounds.chains import Level, chain_of
from pytest_torchlean.bounds.crown import LinearBounds
from pytest_torchlean.bounds.layers import Float64
from pytest_torchlean.bounds.narrow import conditions
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.bounds.refined import RefinedCase, RefinedSearch
from pytest_torchlean.bounds.refining import Node, Refining

_INSIDE = 0.05
"""By how much conditions are shown to hold, of what is left in the middle of the box."""
_MOST_BEHIND = 64
"""Cases for the property in a case that shows the conditions."""


def search(
    bounds: LinearBounds, rows: Float64, *, most: int, slack: float, budget: Budget = UNLIMITED
) -> RefinedSearch | None:
    """Split the whole box into cases until in each all rows (rows, slots) are above `slack`.

    bounds: of one box. At most `most` cases are bounded; those that are only tried do not count. None where
    the program is no chain of dense layers and ReLUs. Raises OutOfTime.
    """
    whole = _whole(bounds, rows, slack, budget)
    if whole is None:
        return None
    budget.observer.phase("cases by ReLU phases", most, "cases")
    return whole.run(most)


def by_conditions(
    bounds: LinearBounds, rows: Float64, *, most: int, slack: float, budget: Budget = UNLIMITED
) -> RefinedSearch | None:
    """As `search`: cases that show conditions where the chain is narrow, and in each cases for the rows.

    None too where there are no conditions. Raises OutOfTime.
    """
    whole = _whole(bounds, rows, slack, budget)
    if whole is None:
        return None
    chain, box, levels = whole.chain, whole.box, whole.levels
    found = conditions(chain, box, levels, whole.forms, slack)
    if found is None:
        return None
    budget.observer.phase("cases by ReLU phases", most, "cases")
    number = found.number
    first = Refining(chain.until(number), box, levels[:number], found.rows, _INSIDE, budget, decides=False)
    root, gap, bounded = first.grow(most // 2)
    if root is None:
        return RefinedSearch(None, gap, bounded)
    behind: dict[int, RefinedCase] = {}
    for node in first.ended(root):
        own = replace(whole, levels=(*node.levels, *levels[number:]))
        last = own.run(min(_MOST_BEHIND, most - bounded), bounded)
        bounded += last.bounded
        if last.tree is None:
            return RefinedSearch(None, last.gap, bounded)
        behind[id(node)] = last.tree

    def finish(node: Node) -> RefinedCase:
        return behind[id(node)]

    return RefinedSearch(first.tree(root, finish), np.inf, bounded)


def resume(
    program: Program,
    box: tuple[Float64, Float64],
    levels: tuple[Level, ...],
    rows: Float64,
    *,
    most: int,
    slack: float,
    budget: Budget = UNLIMITED,
) -> RefinedSearch | None:
    """`search` in a case of the box (lower, upper) of which bounds and phases are known, one level for each
    ReLU. Raises OutOfTime.
    """
    chain = chain_of(program)
    forms = None if chain is None else chain.outputs(program, rows)
    if chain is None or forms is None:
        return None
    low, high = box
    budget.observer.phase("cases by ReLU phases", most, "cases")
    return Refining(chain, ((low + high) / 2, (high - low) / 2), levels, forms, slack, budget).run(most)


def _whole(bounds: LinearBounds, rows: Float64, slack: float, budget: Budget) -> Refining | None:
    """The box with all bounds of it, None where the program is no chain or the rows read anything else."""
    layers = bounds.layers
    chain = chain_of(layers.program)
    forms = None if chain is None else chain.outputs(layers.program, rows)
    if chain is None or forms is None:
        return None
    low, high = (side[layers.here(0), 0] for side in (bounds.low, bounds.high))
    places = [layers.here(number) for number in range(1, len(layers.layers), 2)]
    levels = tuple(
        Level(bounds.low[here, 0], bounds.high[here, 0], np.zeros(here.stop - here.start, dtype=np.float32))
        for here in places
    )
    return Refining(chain, ((low + high) / 2, (high - low) / 2), levels, forms, slack, budget)
