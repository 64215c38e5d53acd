"""Scripts for a tree of ReLU phases whose cases bound earlier values again, see `bounds/retightening.py`.

The nodes are bounded once, before the first case. A case then tightens bounds of what ReLUs read, the earlier
ones first, with multipliers of the phases that it knows; lines follow the bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pytest_torchlean.bounds.chains import FINE_BITS, Level
from pytest_torchlean.bounds.layers import Float64
from pytest_torchlean.bounds.refined import Ending, RefinedCase, Tightening
from pytest_torchlean.certificate.bounding import Integers
from pytest_torchlean.certificate.lines import box_of, in_binary64, lines_of, with_lower
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

Resume = Callable[[tuple[Level, ...], int], RefinedCase | None]
"""Goes on in a case that integers do not prove, of which bounds and phases are known, one level for each
ReLU; the second argument tells how often that was tried before. None where that is hopeless.
"""


def hopeless(_: tuple[Level, ...], __: int) -> None:
    """Leave every case as it is."""


@dataclass(frozen=True, eq=False)
class Retightened(Cases):
    """Scripts behind all nodes of a chain, whose bounds are those of the whole box."""

    resume: Resume = hopeless

    def refined(self, case: RefinedCase, state: State, tried: int = 0) -> tuple[ScriptData, bool, Integers]:
        """A script; whether Lean will accept it; the smallest clause of any case, scaled.

        tried: how often `resume` was asked before. Raises NotRelaxable, OutOfTime.
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
                _peak(then.multipliers),
            )
            seen = self.account.conclude(how, self.claim.property, state)
            script, fine, least = ConcludeScript(how), bool(seen.accepted[0]), seen.least
            finer = None if fine else self.resume(self._levels(state), tried)
            if finer is not None:
                script, fine, least = self.refined(finer, state, tried + 1)
        else:
            node, zero = self._relu(then.relu), self.account.emission.certificate.scale.center
            slot = node.first + then.place
            if not state.lower[slot, 0] <= zero <= state.upper[slot, 0]:
                # the bounds decide this phase: one of the cases is empty
                script, fine, least = self.refined(
                    then.on if state.lower[slot, 0] > zero else then.off, state, tried
                )
            else:
                below, fine, least = self.refined(then.off, cut(state, slot, zero, below=True), tried)
                above, other, also = self.refined(then.on, cut(state, slot, zero, below=False), tried)
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
        multipliers, peak = self._starts(own.multipliers), _peak(own.multipliers)
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
                peak,
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

    def _levels(self, state: State) -> tuple[Level, ...]:
        """What is known of the ReLUs' arguments: a bound that is 0 was cut there, by a phase."""
        zero, levels = self.account.emission.certificate.scale.center, []
        for node in self.account.emission.graph.nodes:
            if isinstance(node, ReluData):
                here = slice(node.first, node.first + node.count)
                low, high = (side[here, 0] for side in (state.lower, state.upper))
                known = np.where(low == zero, -1, np.where(high == zero, 1, 0)).astype(np.float32)
                low, high = in_binary64(self.account, low), in_binary64(self.account, high)
                levels.append(Level(low, high, known))
        return tuple(levels)

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


def _peak(multipliers: Mapping[int, Float64]) -> float:
    """The largest multiplier."""
    return max((float(np.abs(own).max(initial=0)) for own in multipliers.values()), default=0.0)
