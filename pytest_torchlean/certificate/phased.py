"""Scripts that conclude in every case of a tree of ReLU phases, with the multipliers that each case found.

The nodes are bounded once, before the first case: a case knows the whole box's bounds, cut at its phases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.bounds.crown import SLOPE_BITS
from pytest_torchlean.bounds.layers import Float64
from pytest_torchlean.bounds.phase_tree import PhaseLeaf, PhaseTree
from pytest_torchlean.bounds.program import ONE_SLOT
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.bounding import Integers, matrix_of
from pytest_torchlean.certificate.lines import box_of, in_binary64, lines_of, with_lower
from pytest_torchlean.certificate.model import ConcludeScript, ScriptData, SplitScript
from pytest_torchlean.certificate.relaxation import conclude
from pytest_torchlean.certificate.rows import NotRelaxable, PassedNode, Slopes
from pytest_torchlean.certificate.statement import ClaimData, ReluData
from pytest_torchlean.certificate.states import Forecast, State, cut

Sides = tuple[Float64, Float64]
"""Lower and upper bounds of all slots, (slots,)."""
Refine = Callable[[PhaseLeaf, Sides], PhaseTree | None]
Seek = Callable[[State, Mapping[int, Slopes]], PhaseTree | None]
"""Cases of a state behind all nodes, from its bounds and the lines of its nodes by their first slots."""


def unrefined(_: PhaseLeaf, __: Sides) -> None:
    """Leave every case as it is."""


def unsought(_: State, __: Mapping[int, Slopes]) -> None:
    """No cases."""


@dataclass(frozen=True, eq=False)
class Cases:
    """What the cases of one box share. slopes: lines of the whole box by the first slot of each ReLU.

    refine: splits a case that integers do not prove, None where that is hopeless. whole: the bounds of the
    whole box, which it is told.
    """

    account: Account
    claim: ClaimData
    forms: PassedNode
    slopes: Mapping[int, Slopes]
    refine: Refine
    whole: State

    def script(self, tree: PhaseTree, state: State) -> tuple[ScriptData, bool, Integers]:
        """A script behind all nodes; whether Lean will accept it; the smallest clause of any case, scaled.

        Raises NotRelaxable, OutOfTime.
        """
        if isinstance(tree, PhaseLeaf):
            how, seen = self._leaf(tree, state)
            if seen.accepted[0]:
                return how, True, seen.least
            finer = self.refine(tree, self._sides)
            return (how, False, seen.least) if finer is None else self.script(finer, state)
        node = self.account.emission.graph.nodes[tree.number]
        if not isinstance(node, ReluData) or tree.place >= node.count:
            raise NotRelaxable("a phase of what is no ReLU")
        slot, zero = node.first + tree.place, self.account.emission.certificate.scale.center
        if not state.lower[slot, 0] <= zero <= state.upper[slot, 0]:
            # the bounds decide this phase: one of the cases is empty
            return self.script(tree.on if state.lower[slot, 0] > zero else tree.off, state)
        below, fine, least = self.script(tree.off, cut(state, slot, zero, below=True))
        above, other, also = self.script(tree.on, cut(state, slot, zero, below=False))
        return SplitScript(slot, zero, below, above), fine and other, np.minimum(least, also)

    def _leaf(self, leaf: PhaseLeaf, state: State) -> tuple[ScriptData, Forecast]:
        slopes, multipliers = dict(self.slopes), {}
        for number, passed in enumerate(state.history):
            own = [(index, phase) for index, phase in enumerate(leaf.case) if phase.number == number]
            if own and isinstance(passed.node, ReluData) and passed.start in slopes:
                slopes[passed.start] = lines_of(self.account, passed.node, state)
                sizes = np.zeros((leaf.point.multipliers.shape[1], passed.node.count))
                for index, phase in own:
                    sizes[:, phase.place] = (-1.0 if phase.on else 1.0) * leaf.point.multipliers[index]
                if sizes.any():
                    multipliers[passed.start] = sizes * self._largest
        lower = {
            number: np.rint(own * (1 << SLOPE_BITS)).astype(np.int64)
            for number, own in leaf.point.lower.items()
        }
        last = with_lower(self.account, slopes, lower)
        how, _ = conclude(box_of(self.account, state), state.history_of(0), last, self.forms, multipliers)
        return ConcludeScript(how), self.account.conclude(how, self.claim.property, state)

    @cached_property
    def _sides(self) -> Sides:
        low, high = (in_binary64(self.account, side[:, 0]) for side in (self.whole.lower, self.whole.upper))
        return low, high

    @cached_property
    def _largest(self) -> float:
        """The largest coefficient of the decoded forms; searches scale it to 1."""
        matrix = self.forms.matrix or matrix_of(self.claim.property.forms, self.forms.decoding)
        numbers, slots = matrix.positive - matrix.negative, matrix.sources[0]
        summed: NDArray[np.object_] = np.zeros((len(numbers), int(slots.max()) + 1), dtype=object)
        np.add.at(summed.T, slots, numbers.T)
        summed[:, : ONE_SLOT + 1] = 0
        return float(np.abs(summed).max(initial=1))
