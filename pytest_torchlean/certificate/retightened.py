"""Scripts for a tree of ReLU phases whose cases bound earlier values again, see `bounds/retightening.py`.

The nodes are bounded once, before the first case. A case then tightens bounds of what ReLUs read, the earlier
ones first, with multipliers of the phases that it knows; lines follow the bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pytest_torchlean.bounds.chains import FINE_BITS
from pytest_torchlean.bounds.layers import Float64
from pytest_torchlean.bounds.refined import Ending, RefinedCase, Tightening
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.lines import box_of, lines_of, with_lower
from pytest_torchlean.certificate.model import ConcludeScript, ScriptData, SplitScript, TightenScript
from pytest_torchlean.certificate.phased import Cases
from pytest_torchlean.certificate.relaxation import conclude, improved, relax_earlier
from pytest_torchlean.certificate.rows import NotRelaxable, Slopes
from pytest_torchlean.certificate.statement import ReluData
from pytest_torchlean.certificate.states import State, cut
from pytest_torchlean.certificate.substitution import RelaxationData

ROWS_BITS = 1_000_000
"""Bits of one matrix of rows: more goals go into another relaxation."""
MOST_GOALS = 128


@dataclass(frozen=True, eq=False)
class Retightened(Cases):
    """Scripts behind all nodes of a chain, whose bounds are those of the whole box."""

    def refined(self, case: RefinedCase, state: State) -> tuple[ScriptData, bool, Integers]:
        """A script; whether Lean will accept it; the smallest clause of any case, scaled.

        Raises NotRelaxable, OutOfTime.
        """
        pieces: list[RelaxationData] = []
        for tightening in case.tightenings:
            state = self._tighten(tightening, state, pieces)
        then = case.then
        script: ScriptData
        if isinstance(then, Ending):
            how, _ = conclude(
                box_of(self.account, state),
                state.history_of(0),
                self._lines(then.lower, state),
                self.forms,
                self._starts({relu: sizes * self._largest for relu, sizes in then.multipliers.items()}),
            )
            seen = self.account.conclude(how, self.claim.property, state)
            script, fine, least = ConcludeScript(how), bool(seen.accepted[0]), seen.least
        else:
            node, zero = self._relu(then.relu), self.account.emission.certificate.scale.center
            slot = node.first + then.place
            if not state.lower[slot, 0] <= zero <= state.upper[slot, 0]:
                # the bounds decide this phase: one of the cases is empty
                script, fine, least = self.refined(
                    then.on if state.lower[slot, 0] > zero else then.off, state
                )
            else:
                below, fine, least = self.refined(then.off, cut(state, slot, zero, below=True))
                above, other, also = self.refined(then.on, cut(state, slot, zero, below=False))
                script, fine, least = (
                    SplitScript(slot, zero, below, above),
                    fine and other,
                    np.minimum(least, also),
                )
        for piece in reversed(pieces):
            script = TightenScript(piece, script)
        return script, fine, least

    def _tighten(self, own: Tightening, state: State, pieces: list[RelaxationData]) -> State:
        """The bounds behind a tightening, in one or more relaxations; those that would cross are left out."""
        first, most = 0, MOST_GOALS
        multipliers = self._starts(own.multipliers)
        while first < own.goals.size:
            some = slice(first, first + most)
            box = box_of(self.account, state)
            found = relax_earlier(
                box,
                state.history_of(0),
                own.relu - 1,
                self._lines(own.lower, state),
                own.goals[some],
                {start: sizes[some] for start, sizes in multipliers.items()},
            )
            room = max(4, ROWS_BITS // (found.data.digit * found.data.width))
            if own.goals[some].size > room:
                most = room
                continue
            lower, upper = improved(box, found.data, found.bounds)
            if (lower <= upper).all():
                pieces.append(found.data)
                state = self.account.adopt(found, state)
            first += most
        return state

    def _lines(self, lower: Mapping[int, Float64], state: State) -> dict[int, Slopes]:
        """Lines of all ReLUs by the bounds as they are now, with these slopes below."""
        slopes = {
            passed.start: lines_of(self.account, passed.node, state, FINE_BITS)
            for passed in state.history
            if isinstance(passed.node, ReluData)
        }
        unit = 1 << FINE_BITS
        given = {relu: np.rint(own * unit).astype(np.int64) for relu, own in lower.items()}
        return with_lower(self.account, slopes, given)

    def _starts(self, sizes: Mapping[int, Float64]) -> dict[int, Float64]:
        """By the first slot that a ReLU writes."""
        return {self._relu_start(relu): own for relu, own in sizes.items()}

    def _relu_start(self, number: int) -> int:
        node = self._relu(number)
        return node.first + node.count

    def _relu(self, number: int) -> ReluData:
        node = self.account.emission.graph.nodes[number]
        if not isinstance(node, ReluData):
            raise NotRelaxable("a phase of what is no ReLU")
        return node
